"""doccano: JSON Lines of text and image classification."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Sequence
from typing import Any, Unpack

from .._arguments import shown
from ..annotations import Annotations, Rules, is_of_sets, refuse_others
from ._opened import FILE, is_compressed
from ._row_builder import RowBuilder
from ._rows import assemble
from ._text import expect, read_json_lines, required

_LABELS, _USERS = ("label", "labels"), ("username", "user")
_NOBODY = ("all", "unknown")  # files whose annotators doccano does not tell


def read_doccano(
    path: FILE | Sequence[FILE], *, item: str = "id", encoding: str = "utf-8", **rules: Unpack[Rules]
) -> Annotations:
    """Reads the JSONL export of doccano: classification, one label from each annotator, or with `sets=True` several.

    Three forms are read. One file for each annotator, named after them, as doccano exports a project whose
    annotations are not shared: `{"id": 1, "text": "...", "label": ["cat"]}`. The same with a `username` or `user` in
    each line. And one file with the `annotations` of all, `{"id": 1, "annotations": [{"label": 2, "user": 1}]}`, in
    which older versions give labels and users by their numbers.

    With `sets=True`, an empty list of labels is a blank, and `empty=` says what it means: doccano exports it both for
    examples where nothing was ticked and for those that the annotator never saw.

    Args:
        path: The file; or a list of files, one for each annotator: `["ann.jsonl", "bob.jsonl"]`.
        item: String. Key of the item ids. Defaults to `"id"`.
        encoding: String. Encoding of the files. Defaults to `"utf-8"`.
        **rules: `items=`, `annotators=`, `classes=`, `ratings=`, `sets=`, `label_sep=`, `empty=`, `judged=`,
            `duplicates=` and `unknown=`, as for `read_long`.

    Returns:
        `Annotations`; items are all examples in the order of the files.

    Raises:
        ValueError: When a file is malformed, names no annotator, or has several labels or spans where one class is
            expected; the message names file and line.

    Example:

    >>> import json, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name, label in (("ann", "cat"), ("bob", "dog")):
    ...     size = (folder / f"{name}.jsonl").write_text(json.dumps({"id": 1, "text": "Hi", "label": [label]}))
    >>> annotations = keras_crowd.io.read_doccano([folder / "ann.jsonl", folder / "bob.jsonl"])
    >>> annotations.annotators.tolist(), annotations.dense().tolist()
    (['ann', 'bob'], [[0, 1]])

    Reference:
        doccano, https://github.com/doccano/doccano: export of a project, its issues 46, 113 and 2116.
    """
    refuse_others(read_doccano, rules)
    sets = is_of_sets(rules)
    paths = (
        [path] if isinstance(path, str | pathlib.PurePath) or hasattr(path, "__fspath__") else list(path)
    )
    if not paths:
        raise ValueError("`path` must be a file, or a list of files. Received: path=[]")
    one = len(paths) == 1
    builder = RowBuilder(
        paths[0] if one else pathlib.Path(paths[0]).parent,
        (item, "user", "label"),
        lambda line, file: ("" if one else f"{pathlib.Path(paths[file]).name}, ") + f"line {line}",
        rules=rules,
    )
    for number, file in enumerate(paths):
        for line, example in read_json_lines(file, encoding):
            place = f"{file}, line {line}"
            item_id = required(example, item, place)
            builder.add_item(item_id, line, number)
            for annotator, label in _answers(example, file, place, sets):
                builder.add(item_id, annotator, label, line, number)
    return assemble(builder.rows(), **rules)


def _answers(example: dict[str, Any], path: FILE, place: str, sets: bool) -> Iterator[tuple[Any, Any]]:
    """Yields who gave the example which label."""
    if "annotations" in example:
        for annotation in expect(list, example["annotations"], f"{place}, 'annotations'"):
            _refuse_spans(expect(dict, annotation, f"{place}, 'annotations'"), place)
            yield required(annotation, "user", place), required(annotation, "label", place)
        return
    key = next((key for key in _LABELS if key in example), None)
    if key is None:
        raise ValueError(
            f"{place}: expected the key 'label', 'labels' or 'annotations'. Received: the keys {shown(list(example))}"
        )
    label = (_set if sets else _one)(example[key], f"{place}, {key!r}")
    if sets or label is not None:
        yield _annotator(example, path, place), label


def _one(labels: Any, place: str) -> Any:
    """The label, of a list that holds one; `None` of an empty one."""
    if not isinstance(labels, list):
        return labels
    if len(labels) > 1:
        raise ValueError(
            f"{place}: expected one label, which is a class, not several (`sets=True` reads sets of labels). "
            f"Received: {shown(labels)}"
        )
    _refuse_span(labels, place)
    return labels[0] if labels else None


def _set(labels: Any, place: str) -> Any:
    """The labels; `None` of an empty list, as doccano exports those who ticked nothing and those who never looked."""
    if isinstance(labels, list):
        _refuse_span(labels, place)
    return labels or None


def _refuse_span(labels: list[Any], place: str) -> None:
    if labels and isinstance(labels[0], list):
        raise ValueError(f"{place}: expected a label of the whole example. Received: a span, {labels[0]}")


def _refuse_spans(annotation: dict[str, Any], place: str) -> None:
    if "start_offset" in annotation:
        raise ValueError(f"{place}: expected labels of the whole example. Received: a span, {annotation}")


def _annotator(example: dict[str, Any], path: FILE, place: str) -> Any:
    """Returns the annotator of the line, or else the name of the file."""
    key = next((key for key in _USERS if example.get(key) is not None), None)
    if key is not None:
        return example[key]
    name = pathlib.Path(pathlib.Path(path).stem if is_compressed(path) else path).stem
    if name in _NOBODY:
        raise ValueError(
            f"{place}: expected a 'username' or 'user', or a file that is named after its annotator, as doccano "
            f"exports a project whose annotations are not shared. Received: the keys {shown(list(example))}"
        )
    return name
