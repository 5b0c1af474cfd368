"""Answers as they stand in a file, each with its place."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ..annotations import SetCoder, checked_unknown, is_of_sets
from ._columns import Coder, Column, coder, typed


class Rows(NamedTuple):
    """The answers of a file, one per row, in its order.

    `place(i)` says where in the file row `i` is. `items` and `annotators` are set by formats that tell
    them apart from the answers, so that an item nobody answered is known; `classes` likewise. Of sets of labels the
    answers are rows of the table of `sets`.
    """

    source: str
    item: Column
    annotator: Column
    answer: Column
    place: Callable[[int], str]
    items: Sequence[Hashable] | None = None
    annotators: Sequence[Hashable] | None = None
    classes: Sequence[Hashable] | None = None
    sets: SetCoder | None = None


class RowBuilder:
    """Collects answers that are found one by one.

    Args:
        source: The file, for messages.
        names: What item, annotator and answer are called there; several names of an item whose ids are tuples.
        where: Makes a place out of the two numbers that `add` was given with a row.
        text: Boolean. Whether the file can hold nothing but text. Defaults to `False`.
        missing: Answers that stand for none. Defaults to `()`.
        text_ids: Boolean. Whether ids are text because the file knows nothing else. Defaults to `text`.
        rules: What the reader was told, which says whether answers are sets of labels; `whole=True` among them where
            each answer is a whole set. Defaults to `None`.
    """

    def __init__(
        self,
        source: Any,
        names: tuple[str | Sequence[str], str, str],
        where: Callable[[int, int], str],
        text: bool = False,
        missing: Sequence[str] = (),
        text_ids: bool | None = None,
        rules: Mapping[str, Any] | None = None,
    ) -> None:
        self.source, self.where = str(source), where
        text_ids = text if text_ids is None else text_ids
        blank = ("",) if text_ids else ()
        self.item, self.items = coder(names[0], text_ids, blank), coder(names[0], text_ids, blank)
        self.annotator = Coder(names[1], text_ids, blank)
        self.answer: Coder | SetCoder = Coder(names[2], text, missing)
        if is_of_sets(rules or {}):
            self.answer = set_coder(names[2], text, missing, rules or {})
        self._first, self._second = array("q"), array("q")

    def add(self, item: Any, annotator: Any, answer: Any, first: int, second: int = 0) -> None:
        """Appends one answer; an answer of `None` is a missing one."""
        for made, value in ((self.item, item), (self.annotator, annotator), (self.answer, answer)):
            problem = made.problem(value)
            if problem:
                several = made is self.answer and isinstance(made, Coder) and isinstance(value, list | dict)
                problem += ", one class (choose a column or key that holds one, or `sets=True`)" * several
                refuse(self.source, self.where(first, second), made.name, problem, value)
            made.add(value)
        self._first.append(first)
        self._second.append(second)

    def add_item(self, item: Any, first: int, second: int = 0) -> None:
        """Notes an item in a format that has those nobody answered; the second time does nothing."""
        problem = "an id" if self.items.is_blank(item) else self.items.problem(item)
        if problem:
            refuse(self.source, self.where(first, second), self.items.name, problem, item)
        self.items.add(item)

    def rows(self, items: Sequence[Hashable] | None = None, **known: Any) -> Rows:
        """Everything that was added, and the items that were noted.

        Args:
            items: Those that the user has given, which say whether ids that are text in the file are text. Defaults to
                `None`.
            **known: Vocabularies of `Rows`.
        """
        noted = self.items.column()
        if len(noted.values):
            ids = typed(noted.values, items, numbers=False) if noted.text else noted.values
            known = {"items": ids.tolist(), **known}

        def place(row: int) -> str:
            return self.where(self._first[row], self._second[row])

        if isinstance(self.answer, SetCoder):
            known["sets"] = self.answer
            answer = Column(self.answer.codes(), np.arange(len(self.answer)), self.answer.name)
        else:
            answer = self.answer.column()
        return Rows(self.source, self.item.column(), self.annotator.column(), answer, place, **known)


def refuse(source: str, place: str, name: str, expected: str, received: Any) -> NoReturn:
    """Raises an error that says what is wrong and where."""
    shown = repr(received)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    raise ValueError(f"{source}, {place}, {name!r}: expected {expected}. Received: {shown}")


def set_coder(name: str, text: bool, missing: Sequence[str], rules: Mapping[str, Any]) -> SetCoder:
    """Reader of the sets of labels of a file."""
    names = ("classes", "unknown", "label_sep", "empty", "judged", "whole", "json_keys")
    told = {"json_keys": True} | {name: rules[name] for name in names if name in rules}
    checked_unknown(told.get("unknown", "error"))
    return SetCoder(name, text=text, missing=missing, **told)
