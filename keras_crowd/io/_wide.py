"""Tables with one row per item and one column per annotator."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Unpack

import numpy as np

from ..annotations import MISSING, Annotations, Rules, are_sets, refuse_others, refuse_soft
from ._columns import typed
from ._headers import column_positions
from ._names import item_names, refuse_same_names, texts
from ._opened import FILE
from ._parquet import parquet_batches
from ._row_builder import RowBuilder, Rows
from ._rows import assemble
from ._set_cells import set_cells
from ._tables import (
    MISSING_TEXTS,
    TEXT_FORMATS,
    checked_names,
    format_of,
    item_columns,
    separator,
    write_table,
)
from ._text import read_json_lines, read_table


def read_wide(
    path: FILE,
    item: str | Sequence[str] = "item",
    *,
    columns: str | Sequence[str] | None = None,
    missing: str | Sequence[str] = MISSING_TEXTS,
    sep: str | None = None,
    names: Sequence[str] | None = None,
    encoding: str = "utf-8",
    **rules: Unpack[Rules],
) -> Annotations:
    """Reads a table with one row per item and one column per annotator.

    Formats and types are those of `read_long`. Rows and columns are items and annotators in the order of
    the file, those without an answer among them. Names of columns are text in every format: if all annotators'
    are integers in their common form, annotators become integers, unless `annotators=` has text. Where all answers are
    whole numbers, `-1` is a missing one, as for `Annotations.from_dense`, unless it is among `classes=`, or
    `ratings=True`.

    With `sets=True` each field is a whole set of labels, as for `read_long`: between `label_sep`, or as JSON.

    Args:
        path: The file, `.csv`, `.tsv`, `.jsonl` or `.parquet`.
        item: Name of the column of item ids, or a list of names, as for `read_long`. Defaults to `"item"`.
        columns: Names of the annotators' columns. Defaults to all others.
        missing, sep, names, encoding: As for `read_long`.
        **rules: `items=`, `annotators=`, `classes=`, `ratings=`, `sets=`, `label_sep=`, `empty=`, `judged=`,
            `duplicates=` and `unknown=`, as for `read_long`.

    Returns:
        `Annotations`.

    Raises:
        ValueError: As `read_long`.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "answers.csv"
    >>> size = file.write_text("image,ann,bob\\nb.png,cat,\\na.png,dog,dog\\n")
    >>> annotations = keras_crowd.io.read_wide(file, "image")
    >>> annotations.items.tolist(), annotations.dense().tolist()
    (['b.png', 'a.png'], [[0, -1], [1, 1]])
    """
    refuse_others(read_wide, rules)
    format_ = format_of(path)
    text = format_ in TEXT_FORMATS
    sep, names = separator(format_, sep), checked_names(format_, names)
    missing = texts("missing", missing)
    columns = None if columns is None else texts("columns", columns)
    records = _records(path, format_, sep, encoding, names)
    _, header = next(records)
    ids = item_names(item)
    people = [name for name in header if name not in ids] if columns is None else list(columns)
    where = column_positions(path, header, [*ids, *people])
    noun = "row" if format_ == "parquet" else "line"
    builder = RowBuilder(
        path,
        (ids[0] if len(ids) == 1 else ids, "annotator", "answer"),
        lambda line, column: f"{noun} {line}" + (f", column {people[column - 1]!r}" if column else ""),
        text,
        missing,
        rules={**rules, "whole": True},
    )
    annotators = _typed_names(people, rules)
    who = people if text else annotators  # `assemble` will type what is text
    for line, record in records:
        values = [record[i] for i in where]
        item_id = values[0] if len(ids) == 1 else tuple(values[: len(ids)])
        builder.add_item(item_id, line)
        for column, answer in enumerate(values[len(ids) :], 1):
            builder.add(item_id, who[column - 1], answer, line, column)
    rows = builder.rows(rules.get("items"), annotators=annotators)
    return assemble(rows if rows.sets else _without_minus_one(rows, missing, rules), **rules)


def write_wide(
    path: FILE,
    annotations: Annotations,
    item: str | Sequence[str] = "item",
    *,
    encoding: str = "utf-8",
    escape_formulas: bool = False,
) -> None:
    """Writes one row per item and one column per annotator, in the format of the file's ending.

    Sets of labels are lists (in text formats as JSON, `[]` where nothing was ticked), or objects of true and false
    where some labels were not shown; `read_wide(path, sets=True, empty="missing")` reads them.

    Args:
        path: The file, as for `write_long`.
        annotations: What to write.
        item: Name of the column of item ids; of ids that are tuples, a list of names, one for each part. Defaults to
            `"item"`.
        encoding: String. Encoding of a text format. Defaults to `"utf-8"`.
        escape_formulas: Boolean. Whether to write an apostrophe before a text that begins with `=`, `+`, `-`, `@`, a
            tab or a line break and is no number. Opened in a spreadsheet, such a text in a `.csv` or `.tsv` file is run
            as a formula, and ids and answers may come from strangers. Texts that were changed in this way are not read
            back as they were. Defaults to `False`.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "answers.csv"
    >>> keras_crowd.io.write_wide(file, keras_crowd.Annotations.from_dense([[1, -1], [0, 1]]))
    >>> print(file.read_text())
    item,0,1
    0,1,
    1,0,1
    """
    refuse_soft("write_wide", annotations)
    names = [str(id_) for id_ in annotations.annotators.tolist()]
    refuse_same_names(*item_names(item), *names)
    table = annotations.dense()
    columns: dict[str, Any] = item_columns(item, annotations.items)
    for name, column in zip(names, table.swapaxes(0, 1), strict=True):
        columns[name] = column
        if are_sets(annotations):
            columns[name] = set_cells(column, annotations.classes, format_of(path))
        elif annotations.classes is not None:
            classes = [*annotations.classes.tolist(), None]  # -1 takes the last
            columns[name] = [classes[code] for code in column]
    write_table(path, columns, encoding, escape_formulas)


def _records(
    path: FILE, format_: str, sep: str, encoding: str, names: Sequence[str] | None
) -> Iterator[tuple[int, list[Any]]]:
    """Header, then rows, of any format."""
    if format_ == "parquet":
        yield from _parquet_records(path)
    elif format_ == "jsonl":
        lines = list(read_json_lines(path, encoding))
        header = list(dict.fromkeys(key for _, record in lines for key in record))
        yield 0, header
        yield from ((line, [record.get(key) for key in header]) for line, record in lines)
    else:
        yield from read_table(path, None, sep=sep, encoding=encoding, names=names)


def _parquet_records(path: FILE) -> Iterator[tuple[int, list[Any]]]:
    row = 0
    for batch in parquet_batches(path, None):
        if row == 0:
            yield 0, batch.schema.names
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            row += 1
            # Parquet's floats have NaN for nothing, as pandas writes it.
            yield row, [None if value != value else value for value in values]
    if row == 0:
        raise ValueError(f"{path}: expected at least one row. Received: none")


def _without_minus_one(rows: Rows, missing: Sequence[str], rules: Rules) -> Rows:
    """The rows with -1 as a missing answer where answers are whole numbers, unless it is a class or a rating."""
    column, classes = rows.answer, rules.get("classes")
    if rules.get("ratings") or (not isinstance(classes, int | np.integer | None) and -1 in list(classes)):
        return rows
    values = typed(column.values, classes, numbers=True) if column.text else column.values
    if values.dtype.kind != "i" or -1 not in values:
        return rows
    minus_one = column.codes == np.argmax(values == -1)
    if classes is None and np.any(column.codes == MISSING):
        raise ValueError(
            f"{rows.source}: expected answers that are missing to be blank, or -1. Received: both (`classes=` says "
            'whether -1 is a class; or `missing=["", "-1"]`)'
        )
    if classes is None and "-1" not in missing:
        warnings.warn(
            f"{rows.source}: {minus_one.sum()} of {len(minus_one)} answers are -1 and are read as missing, as by "
            '`from_dense`. If -1 is a class, give `classes=` with it; if it is not, `missing="-1"` says so.',
            stacklevel=3,
        )
    return rows._replace(answer=column._replace(codes=np.where(minus_one, MISSING, column.codes)))


def _typed_names(names: list[str], rules: Rules) -> list[Any]:
    return typed(np.array(names, object), rules.get("annotators"), numbers=False).tolist()
