"""Columns of a table of comparisons or rankings, each row with its place in the file."""

from __future__ import annotations

import json
from array import array
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..annotations import INTEGER, NUMBER, ComparisonError, objects
from ._columns import Coder, Column, typed
from ._records import records_of
from ._row_builder import refuse
from ._tables import TEXT_FORMATS, checked_names, format_of, separator
from ._text import FILE

_MAY_BE_MISSING = ("winner", "rank")
_OF_ITEMS = ("item_a", "item_b", "winner", "shown_first")
_MAY_BE_LISTS = ("item_a", "item_b", "prompt")


class ComparisonTable:
    """Some columns of a file, by the argument that names each.

    Args:
        path: The file.
        asked: Of each argument the name of its column, or `None`.
        missing: Texts that stand for no winner and no rank.
        sep, names, encoding: As for `read_long`.
    """

    def __init__(
        self,
        path: FILE,
        asked: Mapping[str, str | None],
        missing: Sequence[str],
        sep: str | None,
        names: Sequence[str] | None,
        encoding: str,
    ) -> None:
        self.path, format_ = str(path), format_of(path)
        self.noun = "row" if format_ == "parquet" else "line"
        wanted = {argument: name for argument, name in asked.items() if name is not None}
        text = format_ in TEXT_FORMATS
        coders = {
            argument: Coder(name, text, missing if argument in _MAY_BE_MISSING else ("",) * text)
            for argument, name in wanted.items()
        }
        self._numbers = array("q")
        rows = records_of(
            path,
            format_,
            tuple(wanted.values()),
            separator(format_, sep),
            checked_names(format_, names),
            encoding,
        )
        for number, fields in rows:
            self._numbers.append(number)
            for (argument, coder), value in zip(coders.items(), fields, strict=True):
                self._add(argument, coder, value)
        self._columns = {argument: coder.column() for argument, coder in coders.items()}

    def column(self, argument: str, vocabulary: Sequence[Hashable] | None = None) -> np.ndarray:
        """The values of a column; text becomes integers if all of it is, unless `vocabulary` has text."""
        column = self._columns[argument]
        values = typed(column.values, vocabulary, numbers=False) if column.text else column.values
        return _rows(column, values.tolist())

    def ranks(self) -> np.ndarray:
        """The column of ranks, text that is a number as one."""
        column = self._columns["rank"]
        values = column.values.tolist()
        if column.text:
            values = [float(text) if NUMBER(text) else text for text in values]
        return _rows(column, values)

    def ids(self, known: Sequence[Hashable] | None) -> dict[str, np.ndarray]:
        """Both items, the winner and what was shown first: text becomes integers if all items are."""
        columns = [name for name in _OF_ITEMS if name in self._columns]
        values = {name: self._columns[name].values.tolist() for name in columns}
        if self._columns["item_a"].text:
            both = typed(objects([*values["item_a"], *values["item_b"]]), known, numbers=False).tolist()
            if both and isinstance(both[0], int):
                values = {name: list(map(_as_integer, found)) for name, found in values.items()}
        found = {name: _rows(self._columns[name], values[name]) for name in columns}
        if "prompt" not in self._columns:
            return found
        prompts = self.column("prompt").tolist()
        return {name: _with_prompts(prompts, column.tolist()) for name, column in found.items()}

    @contextmanager
    def placed(self) -> Iterator[None]:
        """Puts file and line into errors about a comparison."""
        try:
            yield
        except ComparisonError as error:
            raise ValueError(
                f"{self._place(error.row)}: {error.expected} Received: {error.received}"
            ) from error
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from error

    def _add(self, argument: str, coder: Coder, value: Any) -> None:
        if isinstance(value, list) and argument in _MAY_BE_LISTS:
            value = json.dumps(value, ensure_ascii=False)
        problem = coder.problem(value)
        if problem is None and argument not in _MAY_BE_MISSING and coder.is_blank(value):
            problem = "an id"
        if problem:
            refuse(self.path, f"{self.noun} {self._numbers[-1]}", coder.name, problem, value)
        coder.add(value)

    def _place(self, row: int) -> str:
        return f"{self.path}, {self.noun} {self._numbers[row]}"


def _rows(column: Column, values: list[Any]) -> np.ndarray:
    """The value of each row, `None` where one is missing."""
    return objects([*values, None])[column.codes]


def _as_integer(text: str) -> Any:
    return int(text) if INTEGER(text) else text


def _with_prompts(prompts: list[Any], ids: list[Any]) -> np.ndarray:
    """Ids as tuples `(prompt, id)`; a tie and what is missing as they are."""
    pairs = zip(prompts, ids, strict=True)
    return objects([id_ if id_ in (None, "tie") else (prompt, id_) for prompt, id_ in pairs])
