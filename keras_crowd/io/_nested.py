"""JSON of one object for each item, or for each annotator: `{item: {annotator: answer}}`."""

from __future__ import annotations

from typing import Literal, Unpack, get_args

from ..annotations import Annotations, Rules, refuse_others
from ._opened import FILE
from ._row_builder import RowBuilder
from ._rows import assemble
from ._text import expect, read_json

Outer = Literal["item", "annotator"]


def read_nested(
    path: FILE, outer: Outer = "item", *, encoding: str = "utf-8", **rules: Unpack[Rules]
) -> Annotations:
    """Reads a JSON object of objects, `{item: {annotator: answer}}`, as peerannot's `answers.json` is.

    Keys of JSON are text: they become integers where all of them are integers in their common form, as for
    `read_long`. Answers are what they are in JSON; `null` is a missing one.

    Args:
        path: The file.
        outer: What the outer keys are: `"item"`; or `"annotator"` for `{annotator: {item: answer}}`. Defaults to
            `"item"`.
        encoding: String. Encoding of the file. Defaults to `"utf-8"`.
        **rules: `items=`, `annotators=`, `classes=`, `ratings=`, `sets=`, `label_sep=`, `empty=`, `judged=`,
            `duplicates=` and `unknown=`, as for `read_long`.

    Returns:
        `Annotations`; items are those of the file, in its order, also those that nobody answered.

    Raises:
        ValueError: When the file is malformed; the message names the keys.

    Example:

    >>> import json, pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "answers.json"
    >>> size = file.write_text(json.dumps({"0": {"7": "cat", "8": "dog"}, "1": {}, "2": {"8": "cat"}}))
    >>> keras_crowd.io.read_nested(file).dense().tolist()
    [[0, 1], [-1, -1], [-1, 0]]

    Reference:
        peerannot documentation, "Add a dataset to peerannot": `answers.json`.
    """
    refuse_others(read_nested, rules)
    if outer not in get_args(Outer):
        raise ValueError(f"`outer` must be 'item' or 'annotator'. Received: outer={outer!r}")
    table = expect(dict, read_json(path, encoding), str(path))
    keys: list[str] = list(table)
    inner = "annotator" if outer == "item" else "item"
    places: list[str] = []
    builder = RowBuilder(
        path,
        ("item", "annotator", "answer"),
        lambda key, place: (
            f"{outer} {keys[key]!r}" + (f", {inner} {places[place]!r}" if place >= 0 else "")
        ),
        text_ids=True,
        rules={**rules, "whole": True},
    )
    for number, key in enumerate(keys):
        if outer == "item":
            builder.add_item(key, number, -1)
        for other, answer in expect(dict, table[key], f"{path}, {outer} {key!r}").items():
            item, annotator = (key, other) if outer == "item" else (other, key)
            places.append(other)
            builder.add_item(item, number, len(places) - 1)
            builder.add(item, annotator, answer, number, len(places) - 1)
    return assemble(builder.rows(rules.get("items")), **rules)
