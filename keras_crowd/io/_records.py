"""Rows of tables with named columns, whatever their format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .._arguments import shown
from ._soft import parquet_records
from ._text import FILE, read_json_lines, read_table


def records_of(
    path: FILE,
    format_: str,
    columns: Sequence[str],
    sep: str,
    names: Sequence[str] | None,
    encoding: str,
) -> Iterator[tuple[int, list[Any]]]:
    """Number and fields of each row of a table in any format."""
    if format_ == "parquet":
        return parquet_records(path, columns)
    if format_ == "jsonl":
        return _json_rows(path, columns, encoding)
    table = read_table(path, columns, sep=sep, encoding=encoding, names=names)
    next(table)  # the header
    return table


def _json_rows(path: FILE, columns: Sequence[str], encoding: str) -> Iterator[tuple[int, list[Any]]]:
    for line, record in read_json_lines(path, encoding):
        for name in columns:
            if name not in record:
                raise ValueError(
                    f"{path}, line {line}: expected the key {name!r}. Received: {shown(list(record))}"
                )
        yield line, [record[name] for name in columns]
