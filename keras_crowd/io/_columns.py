"""Columns of ids as codes, made value by value in memory that follows the number of different ids."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..annotations import INTEGER, MISSING, NUMBER, column, joined_codes

_KINDS: dict[type, str] = {str: "text", bool: "true or false", int: "a number", float: "a number"}


class Column(NamedTuple):
    """One column of a file: row `i` holds `values[codes[i]]`, or nothing where the code is -1.

    `name` is for messages; `text` says that the values are text because the file knows nothing else.
    """

    codes: np.ndarray
    values: np.ndarray
    name: str
    text: bool = False


class Coder:
    """Makes a `Column` of the values that `add` is given.

    Args:
        name: String. What the column is called, for messages.
        text: Boolean. Whether the file can hold nothing but text. Defaults to `False`.
        missing: Values that stand for nothing. Defaults to `()`.
    """

    def __init__(self, name: str, text: bool = False, missing: Sequence[str] = ()) -> None:
        self.name, self.text = name, text
        self._missing = frozenset(missing)
        self._codes = array("i")
        self._code_of: dict[Hashable, int] = {}
        self._kind: str | None = None

    def add(self, value: Any) -> None:
        """Appends one value; `None` stands for nothing."""
        if self.is_blank(value):
            self._codes.append(MISSING)
            return
        code = self._code_of.setdefault(value, len(self._code_of))
        if self._kind != _KINDS[type(value)]:
            self._see_kind(value)
        self._codes.append(code)

    def is_blank(self, value: Any) -> bool:
        """Whether the value stands for nothing."""
        return value is None or (type(value) is str and value in self._missing)

    def column(self) -> Column:
        """All values so far."""
        codes = np.frombuffer(self._codes, np.int32) if self._codes else np.zeros(0, np.int32)
        return Column(
            codes, column(self.name, _numbers_alike(self.name, list(self._code_of))), self.name, self.text
        )

    def problem(self, value: Any) -> str | None:
        """Says what `add` expects of such a column and `value` is not."""
        if self.is_blank(value):
            return None
        kind = _KINDS.get(type(value))
        if kind is None:
            return "text, a number, true or false"
        return None if self._kind in (None, kind) else f"{self._kind}, as before"

    def _see_kind(self, value: Any) -> None:
        self._kind = _KINDS[type(value)]


class TupleCoder:
    """Makes a `Column` of tuples, ids that stand in several columns, of the tuples that `add` is given."""

    def __init__(self, names: Sequence[str], text: bool = False, missing: Sequence[str] = ()) -> None:
        self.name = ", ".join(names)
        self._parts = [Coder(name, text, missing) for name in names]

    def add(self, values: Sequence[Any]) -> None:
        """Appends one tuple; one that lacks a part stands for nothing."""
        for part, value in zip(self._parts, values, strict=True):
            part.add(value)

    def is_blank(self, values: Sequence[Any]) -> bool:
        """Whether a part of the tuple stands for nothing."""
        return any(part.is_blank(value) for part, value in zip(self._parts, values, strict=True))

    def column(self) -> Column:
        """All tuples so far."""
        return joined(self.name, [part.column() for part in self._parts])

    def problem(self, values: Sequence[Any]) -> str | None:
        """Says what `add` expects of such a tuple and `values` is not."""
        found = (part.problem(value) for part, value in zip(self._parts, values, strict=True))
        return next((problem for problem in found if problem), None)


def coder(
    names: str | Sequence[str], text: bool = False, missing: Sequence[str] = ()
) -> Coder | TupleCoder:
    """Returns a function that makes a `Column` of one column, or of several."""
    return Coder(names, text, missing) if isinstance(names, str) else TupleCoder(names, text, missing)


def joined(name: str, columns: Sequence[Column]) -> Column:
    """Several columns as one of tuples; a row that lacks a part holds nothing."""
    codes, first = joined_codes([(one.codes, len(one.values)) for one in columns])
    parts = [one.values[one.codes[first]].tolist() for one in columns]
    values = column(name, list(zip(*parts, strict=True)))
    return Column(codes, values, name, all(one.text for one in columns))


def typed(values: np.ndarray, vocabulary: Sequence[Hashable] | int | None, numbers: bool) -> np.ndarray:
    """Returns what text stands for: integers if all of it is integers that are written in the one common way.

    "007" is no such integer, and one of it leaves all of them text. Text it stays as well where
    `vocabulary` has text.

    Args:
        values: Different texts, `(n,)`.
        vocabulary: The ids that they should be among, if known.
        numbers: Boolean. Whether they may be floats (ratings).
    """
    if len(values) and isinstance(values[0], tuple):
        parts = [column("ids", part) for part in zip(*values.tolist(), strict=True)]
        known = [None if vocabulary is None else _parts(vocabulary, i) for i in range(len(parts))]
        found = [typed(part, ids, numbers).tolist() for part, ids in zip(parts, known, strict=True)]
        return column("ids", list(zip(*found, strict=True)))
    if vocabulary is not None and not isinstance(vocabulary, int | np.integer):
        if any(isinstance(id_, str) for id_ in vocabulary):
            return values
        numbers = numbers or any(isinstance(id_, float) for id_ in vocabulary)
    texts = values.tolist()
    if texts and all(map(INTEGER, texts)):
        return column("ids", [int(text) for text in texts])
    if numbers and texts and all(map(NUMBER, texts)):
        return np.array([float(text) for text in texts])
    return values


def _numbers_alike(name: str, values: list[Any]) -> list[Any]:
    if any(type(value) is float for value in values):
        try:
            return [float(value) for value in values]
        except OverflowError as error:
            raise ValueError(
                f"{name!r}: expected numbers as floats hold them. Received: {error}"
            ) from error
    return values


def _parts(vocabulary: Any, position: int) -> list[Hashable]:
    """Returns one position of the ids that are tuples."""
    return [id_[position] for id_ in vocabulary if isinstance(id_, tuple) and len(id_) > position]
