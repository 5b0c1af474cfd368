"""Label Studio: its JSON-MIN export in."""

from __future__ import annotations

import json
from typing import Any, Unpack

from .._arguments import shown
from ..annotations import Annotations, Rules, is_of_sets, refuse_others
from ._label_studio_results import ANSWER_KEYS, one_answer, set_answer
from ._row_builder import RowBuilder
from ._rows import assemble
from ._text import FILE, expect, follow, read_objects, required


def read_label_studio_min(
    path: FILE, from_name: str, *, item: str = "id", encoding: str = "utf-8", **rules: Unpack[Rules]
) -> Annotations:
    """Reads the JSON-MIN export of Label Studio, which has one object per annotation.

    With `sets=True` answers are sets of labels: choices (`choice="multiple"`) or paths of a taxonomy. An annotation
    without a result of the control then means that nothing was ticked, unless `empty="missing"`.

    Annotators are those of `annotator`. Items are all tasks in the order of the file. Label Studio leaves out
    annotations that were cancelled, and writes the newest of a task first: `duplicates="first"` keeps it.

    Args:
        path: The file.
        from_name: String. Which control of the labeling interface to read: choices (one choice), a taxonomy (one path),
            a pairwise comparison, a rating or a number.
        item: String. What identifies tasks: `"id"`, or a key of the data, as `"image"`. Defaults to `"id"`.
        encoding: String. Encoding of the file. Defaults to `"utf-8"`.
        **rules: `items=`, `annotators=`, `classes=`, `ratings=`, `sets=`, `label_sep=`, `empty=`, `judged=`,
            `duplicates=` and `unknown=`, as for `read_long`.

    Returns:
        `Annotations`.

    Raises:
        ValueError: When the file is malformed or names no annotators (Label Studio before 1.0); the message
            names the annotation.

    Example:

    >>> import json, pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "export-min.json"
    >>> record = {"id": 7, "image": "7.png", "kind": "cat", "annotator": 1, "annotation_id": 30}
    >>> size = file.write_text(json.dumps([record]))
    >>> keras_crowd.io.read_label_studio_min(file, "kind").classes.tolist()
    ['cat']

    Reference:
        Label Studio documentation, "Export formats supported by Label Studio": JSON_MIN, keys of the data and of
        `from_name`. `id`, `annotator` and `annotation_id` are those that its converter writes.
    """
    refuse_others(read_label_studio_min, rules)
    sets = is_of_sets(rules)
    if sets:
        rules = {"empty": "nothing", **rules}
    names = (item, "annotator", from_name)
    builder = RowBuilder(path, names, lambda one, _: f"annotation {one}", rules=rules)
    records = read_objects(path, "annotation", _shown_id, encoding)
    for one, (place, record) in enumerate(records, 1):
        item_id = follow(record, item, place)
        builder.add_item(item_id, one)
        answer = _answer(record.get(from_name), f"{place}, {from_name!r}", sets)
        who = required(record, "annotator", place)
        if not sets or record["annotation_id"] is not None:  # nobody's blank is no answer
            builder.add(item_id, who, answer, one)
    if not any(from_name in record for _, record in records):
        keys = dict.fromkeys(key for _, record in records for key in record)
        raise ValueError(
            f"{path}: expected results of the control {from_name!r} (`from_name=`). "
            f"Received: the keys {shown(list(keys), 20)}"
        )
    return assemble(builder.rows(), **rules)


def _shown_id(record: dict[str, Any], place: str) -> str | None:
    """Returns the id of the annotation; a task that nobody annotated has none."""
    if "annotations" in record and "data" in record:
        raise ValueError(
            f"{place}: expected an annotation of JSON-MIN. Received: a task of the JSON export, which "
            "`read_label_studio` reads"
        )
    id_ = required(record, "annotation_id", place)
    return None if id_ is None else json.dumps(id_)


def _answer(value: Any, place: str, sets: bool) -> Any:
    """A choice is written as text, anything else as a list of what the results hold."""
    if value is None or isinstance(value, str):
        return [value] if sets and value is not None else value
    if isinstance(value, list):
        if len(value) != 1:
            raise ValueError(f"{place}: expected one result. Received: {len(value)}")
        value = value[0]
    result = expect(dict, value, place)
    types = {key: type_ for type_, key in ANSWER_KEYS.items()}
    key = next(iter(result), "")
    if len(result) != 1 or key not in types:  # that of a region has its position as well
        raise ValueError(
            f"{place}: expected one of {', '.join(types)}, about the whole task. "
            f"Received: the keys {shown(list(result))}"
        )
    return (set_answer if sets else one_answer)(types[key], result[key], place)
