"""Prodigy: JSONL of examples, as `db-out` gives and `db-in` and recipes take."""

from __future__ import annotations

import json
from typing import Any, Unpack

from .._files import replacing
from ..annotations import Annotations
from ..annotations._rules import Rules
from ._estimates import Label, labels
from ._rows import RowBuilder, assemble, refuse
from ._text import FILE, expect, read_json_lines, required

_DECISIONS = ("accept", "reject", "ignore")
_OF_ANSWERS = ("answer", "accept", "_session_id", "_annotator_id", "_timestamp")


def read_prodigy(
    path: FILE,
    *,
    item: str = "_input_hash",
    annotator: str = "_annotator_id",
    label: str | None = None,
    encoding: str = "utf-8",
    **rules: Unpack[Rules],
) -> Annotations:
    """Reads annotated examples of Prodigy, one JSON object a line.

    Two interfaces are read. `choice`: the answer is the one option in `accept`. Examples with a `label` to
    accept or reject: the answer is `"accept"` or `"reject"`. Examples that were ignored are no answer.

    Args:
        path: The file, as from `prodigy db-out`.
        item: Key that tells items apart.
        annotator: Key of the annotator, `"_annotator_id"` or `"_session_id"`.
        label: Which label's examples to read, where several were asked about.
        encoding: That of the file.
        **rules: `items=`, `annotators=`, `classes=`, `duplicates=` and `unknown=`, as for `read_long`.

    Returns:
        `Annotations`.

    Raises:
        ValueError: When the file is malformed; the message names the line.

    Example:

    >>> import json, pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "examples.jsonl"
    >>> example = {"text": "Hi", "accept": ["greeting"], "answer": "accept"}
    >>> size = file.write_text(json.dumps({**example, "_input_hash": 5, "_annotator_id": "news-ann"}))
    >>> keras_crowd.io.read_prodigy(file).classes.tolist()
    ['greeting']

    Reference:
        Prodigy documentation, "Annotation interfaces": choice, classification.
    """
    builder = RowBuilder(path, (item, annotator, "answer"), lambda line, _: f"line {line}")
    asked: dict[Any, int] = {}  # labels, and the line where each is first; None is a choice
    for line, example in read_json_lines(path, encoding):
        place = f"{path}, line {line}"
        answer = _answer(example, place)
        about = None
        if "accept" not in example:
            about = expect(str, required(example, "label", place), f"{place}, 'label'")
        if label is not None and about != label:
            continue
        asked.setdefault(about, line)
        builder.add(required(example, item, place), required(example, annotator, place), answer, line)
    if len(asked) > 1:
        (first, line), (second, other) = list(asked.items())[:2]
        raise ValueError(
            f"{path}, line {other}: expected examples of one label, or `label=`. Received: "
            f"{second or 'a choice'!r}, and {first or 'a choice'!r} in line {line}"
        )
    return assemble(builder.rows(), **rules)


def write_prodigy(
    path: FILE,
    export: FILE,
    annotations: Annotations,
    estimates: Any,
    *,
    item: str = "_input_hash",
    annotator: str = "keras_crowd",
    encoding: str = "utf-8",
) -> None:
    """Writes the examples of an export, each once, answered by the estimates.

    Args:
        path: The file to write.
        export: The file that `annotations` were read from.
        annotations: Whose items the estimates are of.
        estimates: A posterior or other probabilities `(items, classes)`, or class codes `(items,)`, `-1` for none.
        item: As for `read_prodigy`.
        annotator: Who the examples say has annotated them. The confidence is in `meta`.
        encoding: That of both files.

    Raises:
        ValueError: When the export is malformed, or `estimates` do not fit the annotations.

    Example:

    >>> import json, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> example = {"text": "Hi", "accept": ["greeting"], "answer": "accept"}
    >>> size = (folder / "in.jsonl").write_text(
    ...     json.dumps({**example, "_input_hash": 5, "_annotator_id": "news-ann"}))
    >>> annotations = keras_crowd.io.read_prodigy(folder / "in.jsonl", classes=["greeting", "order"])
    >>> keras_crowd.io.write_prodigy(folder / "out.jsonl", folder / "in.jsonl", annotations, [[0.3, 0.7]])
    >>> json.loads((folder / "out.jsonl").read_text())["accept"]
    ['order']
    """
    left = labels(annotations, estimates).of(annotations)
    with replacing(path, encoding=encoding) as file:
        for line, example in read_json_lines(export, encoding):
            label = left.pop(required(example, item, f"{export}, line {line}"), None)
            if label is not None:
                file.write(json.dumps(_answered(example, label, annotator), ensure_ascii=False) + "\n")


def _answer(example: dict[str, Any], place: str) -> Any:
    decision = required(example, "answer", place)
    if decision not in _DECISIONS:
        refuse(place, "the example", "answer", f"one of {', '.join(_DECISIONS)}", decision)
    if decision == "ignore":
        return None
    if "accept" not in example:
        return decision
    options = expect(list, example["accept"], f"{place}, 'accept'")
    if decision == "reject":
        raise ValueError(
            f"{place}, 'answer': expected a choice to be accepted or ignored. Received: 'reject'"
        )
    if len(options) > 1:
        raise ValueError(f"{place}, 'accept': expected one option. Received: {options}")
    return options[0] if options else None


def _answered(example: dict[str, Any], label: Label, annotator: str) -> dict[str, Any]:
    kept = {key: value for key, value in example.items() if key not in _OF_ANSWERS}
    answer = (
        {"accept": [label.value], "answer": "accept"} if "accept" in example else {"answer": label.value}
    )
    meta = (
        {}
        if label.confidence is None
        else {"meta": {**kept.get("meta", {}), "confidence": label.confidence}}
    )
    return {**kept, **meta, **answer, "_annotator_id": annotator, "_session_id": annotator}
