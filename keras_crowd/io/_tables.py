"""The formats of tables, and writing them."""

from __future__ import annotations

import csv
import datetime
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from .._files import replacing
from ..annotations import NUMBER, column
from ._names import item_names, texts
from ._opened import FILE, is_compressed, replacing_text
from ._parquet import pyarrow

_FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".txt": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
OBJECTS: dict[str, frozenset[type]] = {"jsonl": frozenset([dict, list]), "parquet": frozenset([list])}
TEXT_FORMATS = ("csv", "tsv")
_FORMULAS = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # the last four are full-width
_DATES = (datetime.date, datetime.time, np.datetime64)
MISSING_TEXTS = ("", "NaN", "nan")  # what `Annotations.from_csv` takes for a missing answer as well


def format_of(path: FILE) -> str:
    """The format that the ending of a file's name says."""
    packed = is_compressed(path)
    found = _FORMATS.get(Path(Path(path).stem if packed else path).suffix.lower())
    if found is None or (packed and found == "parquet"):
        raise ValueError(
            f"`path` must end in one of {', '.join(_FORMATS)}, all but the last with or without .gz after it. "
            f"Received: {str(path)!r}"
        )
    return found


def separator(format_: str, sep: str | None = None) -> str:
    """Returns what separates the fields of a text table: that of its format, or `sep`."""
    if sep is None:
        return "\t" if format_ == "tsv" else ","
    if format_ not in TEXT_FORMATS or not isinstance(sep, str) or len(sep) != 1 or sep in '"\r\n':
        raise ValueError(
            f"`sep` must be one character, of a .csv, .tsv, .tab or .txt file. Received: sep={sep!r}"
        )
    return sep


def checked_names(format_: str, names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Names of all columns of a text table without a header."""
    if names is None:
        return None
    if format_ not in TEXT_FORMATS:
        raise ValueError(
            f"`names` are for a .csv, .tsv, .tab or .txt file without a header. Received: names={names!r}"
        )
    return texts("names", names)


def item_columns(
    item: str | Sequence[str], ids: np.ndarray, index: np.ndarray | slice = slice(None)
) -> dict[str, np.ndarray]:
    """Columns of item ids: one, or one for each part of ids that are tuples.

    Args:
        item: Names of the columns.
        ids: Different ids.
        index: Which of them stand in the rows. Defaults to all of them, in their order.

    Raises:
        ValueError: When there are not as many names as parts.
    """
    names = item_names(item)
    parts = {len(id_) if isinstance(id_, tuple) else 1 for id_ in ids.tolist()}
    if parts and parts != {len(names)}:
        raise ValueError(
            f"`item` must be {' or '.join(map(str, sorted(parts)))} names, one for each part of the ids of the items. "
            f"Received: item={item!r}, and ids such as {ids.tolist()[0]!r}"
        )
    if len(names) == 1:
        return {names[0]: ids[index]}
    split = zip(names, zip(*ids.tolist(), strict=True), strict=True)
    return {name: column(name, part)[index] for name, part in split}


def write_table(
    path: FILE, columns: Mapping[str, Any], encoding: str = "utf-8", escape_formulas: bool = False
) -> None:
    """Writes columns of one length; `None` and NaN are blank in text and null elsewhere.

    Args:
        path: The file.
        columns: Their names and values.
        encoding: String. Encoding of a text format. Defaults to `"utf-8"`.
        escape_formulas: Boolean. Whether a text that a spreadsheet would take for a formula gets an apostrophe in
            front, in `.csv` and `.tsv`. Defaults to `False`.
    """
    format_ = format_of(path)
    objects = OBJECTS.get(format_, frozenset())
    values = {name: plain(name, column, objects) for name, column in columns.items()}
    if format_ == "parquet":
        pa = pyarrow()
        table = pa.table({name: _arrow_column(pa, name, column) for name, column in values.items()})
        with replacing(path, "wb") as file:
            pa.parquet.write_table(table, file, write_page_checksum=True)
        return
    rows = zip(*values.values(), strict=True)
    if format_ == "jsonl":
        write_json_lines(path, (dict(zip(values, row, strict=True)) for row in rows), encoding)
        return
    table = chain([list(values)], rows)
    _write_text_table(path, _escaped(table) if escape_formulas else table, separator(format_), encoding)


def _write_text_table(path: FILE, rows: Iterable[Iterable[Any]], sep: str, encoding: str) -> None:
    with replacing_text(path, encoding, newline="") as file:
        # With this line end both of its characters are quoted in a field: either ends a line for whoever reads it.
        writer = csv.writer(_LineFeeds(file), delimiter=sep, lineterminator="\r\n")
        try:
            writer.writerows(rows)
        except UnicodeEncodeError as error:
            raise _not_encodable(path, encoding, error) from error


class _LineFeeds:
    """A file to which rows are written that end in CR LF; there they end in LF."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, row: str) -> int:
        """Writes one row."""
        if "\0" in row:
            raise ValueError(f"A table of text must not have NUL in it. Received: {row[:80]!r}")
        return self._file.write(row[:-2] + "\n")


def _escaped(rows: Iterable[Iterable[Any]]) -> Iterator[list[Any]]:
    for row in rows:
        yield [f"'{value}" if _is_formula(value) else value for value in row]


def _is_formula(value: Any) -> bool:
    """Whether a spreadsheet may run a text: as OWASP lists them, but numbers."""
    return isinstance(value, str) and value[:1] in _FORMULAS and not NUMBER(value)


def _not_encodable(path: FILE, encoding: str, error: UnicodeEncodeError) -> ValueError:
    return ValueError(
        f"{path}: expected text that the encoding {encoding} can write. "
        f"Received: {error.object[error.start : error.end]!r}"
    )


def write_json_lines(path: FILE, records: Iterable[Mapping[str, Any]], encoding: str = "utf-8") -> None:
    """Writes one object per line."""
    with replacing_text(path, encoding, newline="\n") as file:
        try:
            for record in records:
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        except UnicodeEncodeError as error:
            raise _not_encodable(path, encoding, error) from error


def plain(name: str, column: Any, objects: frozenset[type] = frozenset()) -> list[Any]:
    """Python's own numbers and strings, which every format takes, or `objects`; `None` for NaN, dates in ISO 8601."""
    if isinstance(column, np.ndarray) and column.dtype == np.float32:
        values = [float(str(value)) for value in column]  # 0.1, not 0.10000000149011612
    else:
        values = column.tolist() if isinstance(column, np.ndarray) else list(column)
    values = [_date_text(value) if isinstance(value, _DATES) else value for value in values]
    other = set(map(type, values)) - {str, int, float, bool, type(None)}
    if other - objects:
        raise ValueError(
            f"Column {name!r} must be text, numbers, true or false to be written. "
            f"Received: {', '.join(sorted(kind.__name__ for kind in other))}"
        )
    return [None if value != value else value for value in values]


def _date_text(value: Any) -> str:
    return str(value) if isinstance(value, np.datetime64) else value.isoformat()


def _arrow_column(pa: Any, name: str, values: list[Any]) -> Any:
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError) as error:
        raise ValueError(
            f"Column {name!r} must be of one kind, integers of at most 64 bits, to be written to Parquet "
            f"(text takes any: `.csv`, `.jsonl`). Received: {error}"
        ) from error
