"""The formats of tables, and writing them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._files import replacing
from ._parquet import pyarrow
from ._text import FILE

_FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
TEXT_FORMATS = ("csv", "tsv")
MISSING_TEXTS = ("", "NaN", "nan")  # what `Annotations.from_csv` takes for a missing answer as well


def format_of(path: FILE) -> str:
    """The format that the ending of a file's name says."""
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        raise ValueError(f"`path` must end in one of {', '.join(_FORMATS)}. Received: {str(path)!r}")
    return _FORMATS[suffix]


def separator(format_: str, sep: str | None = None) -> str:
    """What stands between the fields of a text table: that of its format, or `sep`."""
    if sep is None:
        return "\t" if format_ == "tsv" else ","
    if format_ not in TEXT_FORMATS or not isinstance(sep, str) or len(sep) != 1 or sep in '"\r\n':
        raise ValueError(
            f"`sep` must be one character, of a .csv, .tsv or .tab file. Received: sep={sep!r}"
        )
    return sep


def write_table(path: FILE, columns: Mapping[str, Any], encoding: str = "utf-8") -> None:
    """Writes columns of one length; `None` and NaN are blank in text and null elsewhere."""
    format_ = format_of(path)
    values = {name: plain(name, column) for name, column in columns.items()}
    if format_ == "parquet":
        pa = pyarrow()
        table = pa.table({name: pa.array(column) for name, column in values.items()})
        with replacing(path, "wb") as file:
            pa.parquet.write_table(table, file, write_page_checksum=True)
        return
    rows = zip(*values.values(), strict=True)
    if format_ == "jsonl":
        write_json_lines(path, (dict(zip(values, row, strict=True)) for row in rows), encoding)
        return
    with replacing(path, encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator(format_), lineterminator="\n")
        writer.writerow(values)
        writer.writerows(rows)


def write_json_lines(path: FILE, records: Iterable[Mapping[str, Any]], encoding: str = "utf-8") -> None:
    """Writes one object a line."""
    with replacing(path, encoding=encoding, newline="\n") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def plain(name: str, column: Any) -> list[Any]:
    """Python's own numbers and strings, which every format takes; `None` for NaN."""
    if isinstance(column, np.ndarray) and column.dtype == np.float32:
        values = [float(str(value)) for value in column]  # 0.1, not 0.10000000149011612
    else:
        values = column.tolist() if isinstance(column, np.ndarray) else list(column)
    other = set(map(type, values)) - {str, int, float, bool, type(None)}
    if other:
        raise ValueError(
            f"Column {name!r} must be text, numbers, true or false to be written. "
            f"Received: {', '.join(sorted(kind.__name__ for kind in other))}"
        )
    return [None if value != value else value for value in values]
