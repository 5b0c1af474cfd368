"""Text files and JSON, read strictly: whatever is malformed is refused, with its place."""

from __future__ import annotations

import codecs
import csv
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TextIO

from .._arguments import shown
from ._headers import column_positions
from ._opened import FILE as FILE
from ._opened import codec, open_bytes, open_text

_Row = tuple[int, list[str]]  # and the number of the line it ends in
_LARGEST_FIELD = 2**31 - 1  # characters
_field_size_limit = threading.Lock()


def read_text(path: FILE, encoding: str = "utf-8") -> str:
    """The whole file; a byte order mark is no part of it."""
    with open_text(path, encoding) as file:
        try:
            text = file.read()
        except UnicodeError as error:
            raise _undecodable(path, encoding, error) from error
    if "\0" in text:
        raise _no_text(path, text.count("\n", 0, text.index("\0")) + 1, encoding)
    return text


def read_table(
    path: FILE,
    columns: Sequence[str] | None,
    *,
    sep: str = ",",
    encoding: str = "utf-8",
    may_end: Sequence[str] = (),
    names: Sequence[str] | None = None,
) -> Iterator[_Row]:
    """Rows of a table of text, each with the number of the line it ends in; first the header.

    Args:
        path: The file. Fields may be quoted; each row must have as many as the header; empty lines are
            skipped.
        columns: Names of the columns to give, in this order. `None` for all.
        sep: String. What stands between fields. Defaults to `","`.
        encoding: String. Encoding of the file. Defaults to `"utf-8"`.
        may_end: Columns at the end of the header that rows may lack, all of them. Defaults to `()`.
        names: Names of all columns of a table without a header. Defaults to `None`.
    """
    with open_text(path, encoding) as file:
        reader = csv.reader(_lines(file, path, encoding), delimiter=sep, strict=True)
        try:
            yield from _table_rows(reader, path, columns, list(may_end), names)
        except csv.Error as error:
            raise ValueError(
                f"{path}, line {reader.line_num}: expected fields between {sep!r}. Received: {error}"
            ) from error
        except UnicodeError as error:
            raise _undecodable(path, encoding, error) from error


def read_json(path: FILE, encoding: str = "utf-8") -> Any:
    """Reads a JSON file."""
    return parsed_json(read_text(path, encoding), str(path))


def read_json_lines(path: FILE, encoding: str = "utf-8") -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and object of each line that is not blank."""
    found = False
    for number, line in enumerate(read_text(path, encoding).split("\n"), 1):
        if line.strip():
            found = True
            yield number, expect(dict, parsed_json(line, place := f"{path}, line {number}"), place)
    if not found:
        raise ValueError(f"{path}: expected one JSON object per line. Received: an empty file")


def read_objects(
    path: FILE,
    noun: str,
    shown_id: Callable[[dict[str, Any], str], str | None],
    encoding: str = "utf-8",
    refuse: Callable[[Any], None] | None = None,
) -> list[tuple[str, dict[str, Any]]]:
    """Place and object of each element of a JSON list that must not be empty.

    Args:
        path: The file.
        noun: String. What an element is called, for messages.
        shown_id: Makes an id, which no two may share, of an object and its place; `None` for one without.
        encoding: String. Encoding of the file. Defaults to `"utf-8"`.
        refuse: Raises where the file is of another kind that is known. Defaults to `None`.
    """
    found = read_json(path, encoding)
    if refuse is not None:
        refuse(found)
    objects = expect(list, found, str(path))
    if not objects:
        raise ValueError(f"{path}: expected at least one {noun}. Received: none")
    seen: dict[str, int] = {}
    placed = [(f"{path}, {noun} {number}", object_) for number, object_ in enumerate(objects, 1)]
    for number, (place, object_) in enumerate(placed, 1):
        id_ = shown_id(expect(dict, object_, place), place)
        if id_ is not None and seen.setdefault(id_, number) != number:
            raise ValueError(f"{place}: expected an id of its own. Received: {id_}, as {noun} {seen[id_]}")
    return placed


def parsed_json(text: str, place: str) -> Any:
    """JSON that stands in one line, or field, of a file."""
    try:
        return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{place}: expected JSON. Received: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place}: expected JSON. Received: {error}") from error


def expect(kind: type, value: Any, place: str) -> Any:
    """`value`, if it is of this kind of JSON."""
    if type(value) is not kind:
        names = {
            dict: "an object",
            list: "a list",
            str: "text",
            int: "a whole number",
            bool: "true or false",
        }
        raise ValueError(f"{place}: expected {names[kind]}. Received: {_shown(value)}")
    return value


def scalar(value: Any, place: str) -> Any:
    """`value`, if it can be an id: text, a number, true or false."""
    if type(value) not in (str, int, float, bool):
        raise ValueError(f"{place}: expected text, a number, true or false. Received: {_shown(value)}")
    return value


def required(object_: dict[str, Any], key: str, place: str) -> Any:
    """`object_[key]`, which must be there."""
    if key not in object_:
        raise ValueError(f"{place}: expected the key {key!r}. Received: the keys {shown(list(object_))}")
    return object_[key]


def follow(value: Any, path: str, place: str) -> Any:
    """Returns what stands under keys that are joined by dots, as in "category.label"."""
    for key in path.split(".") if path else ():
        value = required(expect(dict, value, place), key, place)
    return value


def _shown(value: Any) -> str:
    try:
        shown = json.dumps(value)
    except RecursionError:
        return "JSON that is nested too deeply"
    return shown if len(shown) <= 80 else shown[:77] + "..."


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a key twice in {{{', '.join(repr(key) for key, _ in pairs[:8])}}}")
    return found


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant}, which is not JSON")


def _table_rows(
    reader: Any,
    path: FILE,
    columns: Sequence[str] | None,
    may_end: list[str],
    names: Sequence[str] | None,
) -> Iterator[_Row]:
    rows = _rows_of_any_fields(reader)
    line, header = next(rows, (0, None)) if names is None else (0, list(names))
    if header is None:
        raise ValueError(f"{path}: expected a table with a header. Received: an empty file")
    where = range(len(header)) if columns is None else column_positions(path, header, columns)
    yield line, [header[i] for i in where]
    full, told = len(header), "the header" if names is None else "`names`"
    short = full - len(may_end) if may_end and header[-len(may_end) :] == may_end else full
    for line, row in rows:
        if len(row) == short:
            row += [""] * (full - short)
        if len(row) != full:
            raise ValueError(
                f"{path}, line {line}: expected {full} fields, as in {told}. Received: {len(row)}"
            )
        yield line, [row[i] for i in where]


def _rows_of_any_fields(reader: Any) -> Iterator[_Row]:
    """The rows that are not empty; their fields may be longer than Python's `csv` allows by default.

    That limit is one for the whole process, so it is raised while a few rows are read, and never while they are used.
    """
    error: Exception | None = None
    rows: list[_Row] = [(0, [])]
    while rows and error is None:
        rows = []
        with _field_size_limit:
            limit = csv.field_size_limit(_LARGEST_FIELD)
            try:
                for row in islice(reader, 256):
                    rows.append((reader.line_num, row))
            except (csv.Error, ValueError) as found:
                error = found
            finally:
                csv.field_size_limit(limit)
        yield from ((line, row) for line, row in rows if row)
    if error is not None:
        raise error


def _lines(file: TextIO, path: FILE, encoding: str) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        if "\0" in line:
            raise _no_text(path, number, encoding)
        yield line


def _undecodable(path: FILE, encoding: str, error: UnicodeError) -> ValueError:
    """The error with the line it is in: files are decoded in pieces that know nothing of lines."""
    decoder, line = codecs.getincrementaldecoder(codec(encoding))(), 1
    received = str(error)
    with open_bytes(path) as file:
        try:
            for piece in file:
                line += decoder.decode(piece).count("\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as found:
            received = f"{found.object[found.start : found.end]!r}, {found.reason}"
        except UnicodeError:  # no byte order mark
            pass
    return ValueError(
        f"{path}, line {line}: expected text in the encoding {encoding}. Received: {received}"
    )


def _no_text(path: FILE, line: int, encoding: str) -> ValueError:
    return ValueError(
        f"{path}, line {line}: expected text in the encoding {encoding}. Received: NUL, as of another encoding"
    )
