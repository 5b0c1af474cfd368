"""Columns of a table by their names, and which there are when one is not."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import accumulate
from typing import NoReturn

from .._arguments import shown
from ._opened import FILE

_FEW, _LONG = 12, 400  # columns, characters


def column_positions(path: FILE, header: Sequence[str], columns: Sequence[str]) -> list[int]:
    """Returns the position of each named column."""
    counts = Counter(header)
    for name in columns:
        if counts[name] != 1:
            refuse_column(f"{path}, header", name, header)
    position = {name: i for i, name in enumerate(header)}
    return [position[name] for name in columns]


def refuse_column(place: str, name: str, header: Sequence[str], kind: str = "") -> NoReturn:
    """Raises an error that shows the columns among which the right one may be.

    Args:
        place: String. The file, for messages.
        name: String. The column that is not there, or more than once.
        header: All columns.
        kind: String. How columns of its kind begin, as in `"Answer."`; defaults to how `name` begins.
    """
    separator = " (`sep=` says what stands between fields)" if _is_unsplit(header) else ""
    raise ValueError(
        f"{place}: expected one column {name!r}{separator}. "
        f"Received: {list(header).count(name)} in {shown_columns(name, header, kind)}"
    )


def shown_columns(name: str, header: Sequence[str], kind: str = "") -> str:
    """The columns, where they are many those like `name` and those of its kind."""
    if len(header) <= _FEW:
        return shown(list(header), _FEW)
    listable = dict.fromkeys([*_like(name, header), *_of_kind(name, header, kind)])
    listed = list(listable) or list(header)
    few = listed[: max(bisect_right(list(accumulate(map(len, map(repr, listed)))), _LONG), 1)]
    return f"{len(header)} columns, among them {shown(few, _LONG)}{', and more' * (len(few) < len(listed))}"


def _like(name: str, header: Sequence[str]) -> list[str]:
    """Names that have this one in them, and others that are written nearly like it or its last part."""
    folded = {column.casefold(): column for column in reversed(header)}
    last = _last_part(name.casefold())
    within = [column for key, column in folded.items() if last and last in key]
    parts = {_last_part(key): column for key, column in folded.items()}
    near = [folded[key] for key in get_close_matches(name.casefold(), folded)]
    return [*near, *sorted(within), *(parts[key] for key in get_close_matches(last, parts))]


def _of_kind(name: str, header: Sequence[str], kind: str) -> list[str]:
    kind = kind or name[: len(name) - len(_last_part(name))]
    return [column for column in header if kind and column.startswith(kind)]


def _last_part(name: str) -> str:
    """Returns what follows the kind, as "kind" in "Answer.kind" and in "OUTPUT:kind"."""
    return name.replace(":", ".").partition(".")[2] or name


def _is_unsplit(header: Sequence[str]) -> bool:
    return len(header) == 1 and any(separator in header[0] for separator in "\t,;| ")
