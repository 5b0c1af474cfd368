"""Prodigy: JSONL of examples, as `db-out` gives and `db-in` and recipes take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Unpack

import numpy.typing as npt

from .._arguments import shown
from ..annotations import Annotations, Rules, is_of_sets, refuse_others
from ._estimates import Label, labels
from ._names import refuse_same_file
from ._row_builder import RowBuilder, refuse
from ._rows import assemble
from ._tables import write_json_lines
from ._text import FILE, expect, read_json_lines, required, scalar

_DECISIONS = ("accept", "reject", "ignore")
_OF_ANSWERS = ("answer", "accept", "_session_id", "_annotator_id", "_timestamp")


def read_prodigy(
    path: FILE,
    *,
    item: str = "_input_hash",
    annotator: str = "_annotator_id",
    label: str | None = None,
    rejected: Literal["error", "drop"] = "error",
    encoding: str = "utf-8",
    **rules: Unpack[Rules],
) -> Annotations:
    """Reads annotated examples of Prodigy, one JSON object per line.

    Two interfaces are read. `choice`: the answer is the one option in `accept`. Examples with a `label` to
    accept or reject: the answer is `"accept"` or `"reject"`. Examples that were ignored are no answer. With `sets=True`
    the answer to a choice (`choice_style` is `multiple`) is the set of all options in `accept`, none of them where the
    list is empty; labels that are not among the `options` of an example were not shown.

    Args:
        path: The file, as from `prodigy db-out`.
        item: String. Key of the item ids. Defaults to `"_input_hash"`.
        annotator: String. Key of the annotator, `"_annotator_id"` or `"_session_id"`. Defaults to `"_annotator_id"`.
        label: String. The label whose examples to read, where there are several. Defaults to `None`.
        rejected: What to do with rejected choices (a rejection may mean the option or the example): `"error"`, or
            `"drop"`. Defaults to `"error"`.
        encoding: String. Encoding of the file. Defaults to `"utf-8"`.
        **rules: `items=`, `annotators=`, `classes=`, `ratings=`, `sets=`, `label_sep=`, `empty=`, `judged=`,
            `duplicates=` and `unknown=`, as for `read_long`.

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
        Prodigy documentation, "Annotation interfaces" (choice: `options`, `accept`; classification: `label`) and
        "Annotation metrics": `answer`, `_input_hash`, `_annotator_id`, `_session_id`.
    """
    refuse_others(read_prodigy, rules)
    if rejected not in ("error", "drop"):
        raise ValueError(f"`rejected` must be 'error' or 'drop'. Received: rejected={rejected!r}")
    read = _set_answer if is_of_sets(rules) else _answer
    told = {"empty": "missing", **rules, "whole": True, "json_keys": False}
    names = (item, annotator, "answer")
    builder = RowBuilder(
        path, names, lambda line, _: f"line {line}", rules=told if is_of_sets(rules) else rules
    )
    for line, place, example in _examples(path, label, encoding):
        answer = read(example, place, rejected)
        builder.add(required(example, item, place), required(example, annotator, place), answer, line)
    return assemble(builder.rows(), **rules)


def write_prodigy(
    path: FILE,
    export: FILE,
    annotations: Annotations,
    estimates: Any,
    *,
    item: str = "_input_hash",
    label: str | None = None,
    threshold: npt.ArrayLike | None = None,
    annotator: str = "keras_crowd",
    encoding: str = "utf-8",
) -> None:
    """Writes the examples of an export, each once, answered by the estimates.

    Args:
        path: The file to write.
        export: The file that `annotations` were read from.
        annotations: The annotations whose items were estimated.
        estimates: A posterior or other probabilities `(items, classes)`, or class codes `(items,)`, `-1` for none;
            or of pandas, as for `write_labels`; or sets of labels, as there.
        item, label: As for `read_prodigy`.
        threshold: Float, or one per label. Probability above which a label of a set is written. Defaults to 0.5.
        annotator: String. Name of the annotator in the examples. The confidence is in `meta`. Defaults to
            `"keras_crowd"`.
        encoding: String. Encoding of both files. Defaults to `"utf-8"`.

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
    refuse_same_file(path, export, "export")
    left = labels(annotations, estimates, threshold).of(annotations)

    def examples() -> Iterator[dict[str, Any]]:
        for _, place, example in _examples(export, label, encoding):
            found = left.pop(scalar(required(example, item, place), f"{place}, {item!r}"), None)
            if found is not None:
                yield _answered(example, place, found, annotator)

    write_json_lines(path, examples(), encoding)


def _examples(path: FILE, label: str | None, encoding: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Line, place and object of each example that asks about `label`, or about the only thing asked."""
    first: tuple[str | None, int] | None = None
    for line, example in read_json_lines(path, encoding):
        place = f"{path}, line {line}"
        about = None
        if not _is_choice(example):
            about = expect(str, required(example, "label", place), f"{place}, 'label'")
        if label is not None and about != label:
            continue
        first = first or (about, line)
        if about != first[0]:
            raise ValueError(
                f"{place}: expected examples of one label, or `label=`. Received: "
                f"{about or 'a choice'!r}, and {first[0] or 'a choice'!r} in line {first[1]}"
            )
        yield line, place, example


def _is_choice(example: dict[str, Any]) -> bool:
    return "accept" in example or "options" in example


def _answer(example: dict[str, Any], place: str, rejected: str) -> Any:
    if not _is_choice(example):
        decision = _decision(example, place)
        return None if decision == "ignore" else decision
    options = _accepted(example, place, rejected) or []
    if len(options) > 1:
        raise ValueError(
            f"{place}, 'accept': expected one option, which is a class, not several (`sets=True` reads sets of "
            f"labels). Received: {shown(options)}"
        )
    return options[0] if options else None


def _set_answer(example: dict[str, Any], place: str, rejected: str) -> Any:
    """The options that were accepted; where the example lists all of them, which were and which were not."""
    if not _is_choice(example):
        raise ValueError(
            f"{place}: expected a choice among `options`, of which several can be accepted (`sets=True`). "
            f"Received: a label to accept or reject, {shown(example['label'])}"
        )
    accepted = _accepted(example, place, rejected)
    if accepted is None or not example.get("options"):
        return accepted
    options = expect(list, example["options"], f"{place}, 'options'")
    ids = [required(expect(dict, option, place), "id", f"{place}, 'options'") for option in options]
    listed = {scalar(id_, f"{place}, 'options'"): False for id_ in ids}
    for id_ in accepted:
        if listed.get(scalar(id_, f"{place}, 'accept'")) is not False:
            raise ValueError(
                f"{place}, 'accept': expected options of the example, {shown(ids)}, each once. Received: {shown(id_)}"
            )
        listed[id_] = True
    return listed


def _accepted(example: dict[str, Any], place: str, rejected: str) -> list[Any] | None:
    """Returns what was accepted of a choice; `None` where there is no answer."""
    decision = _decision(example, place)
    options = expect(list, example.get("accept", []), f"{place}, 'accept'")
    if decision == "reject" and rejected != "drop":
        raise ValueError(
            f"{place}, 'answer': expected a choice to be accepted or ignored, or `rejected='drop'`. "
            "Received: 'reject'"
        )
    return options if decision == "accept" else None


def _decision(example: dict[str, Any], place: str) -> Any:
    decision = required(example, "answer", place)
    if decision not in _DECISIONS:
        refuse(place, "the example", "answer", f"one of {', '.join(_DECISIONS)}", decision)
    return decision


def _answered(example: dict[str, Any], place: str, label: Label, annotator: str) -> dict[str, Any]:
    kept = {key: value for key, value in example.items() if key not in _OF_ANSWERS}
    accepted = label.value if isinstance(label.value, list) else [label.value]
    answer = {"accept": accepted, "answer": "accept"} if _is_choice(example) else {"answer": label.value}
    meta = expect(dict, kept.get("meta", {}), f"{place}, 'meta'")
    if label.confidence is not None:
        kept["meta"] = {**meta, "confidence": label.confidence}
    return {**kept, **answer, "_annotator_id": annotator, "_session_id": annotator}
