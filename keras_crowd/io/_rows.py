"""Answers as they stand in a file, each with its place; and from there to `Annotations`."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ..annotations import (
    MISSING,
    Annotations,
    Duplicates,
    Unknown,
    as_rating,
    check_classes,
    checked_rule,
    checked_unknown,
    encode,
    float_beside_words,
    id_array,
    is_several,
    kept_rows,
    kind_of,
    refuse_classes_of_ratings,
    repeated_rows,
)
from ..annotations import column as id_column
from ._columns import Coder, Column, coder, typed


class Rows(NamedTuple):
    """The answers of a file, one a row, in its order.

    `place(i)` says where in the file row `i` is. `items` and `annotators` are set by formats that tell
    them apart from the answers, so that an item nobody answered is known; `classes` likewise.
    """

    source: str
    item: Column
    annotator: Column
    answer: Column
    place: Callable[[int], str]
    items: Sequence[Hashable] | None = None
    annotators: Sequence[Hashable] | None = None
    classes: Sequence[Hashable] | None = None


class RowBuilder:
    """Collects answers that are found one by one.

    Args:
        source: The file, for messages.
        names: What item, annotator and answer are called there; several names of an item whose ids are tuples.
        where: Makes a place out of the two numbers that `add` was given with a row.
        text: Whether the file can hold nothing but text.
        missing: Answers that stand for none.
        text_ids: Whether ids are text because the file knows nothing else. Defaults to `text`.
    """

    def __init__(
        self,
        source: Any,
        names: tuple[str | Sequence[str], str, str],
        where: Callable[[int, int], str],
        text: bool = False,
        missing: Sequence[str] = (),
        text_ids: bool | None = None,
    ) -> None:
        self.source, self.where = str(source), where
        text_ids = text if text_ids is None else text_ids
        blank = ("",) if text_ids else ()
        self.item, self.items = coder(names[0], text_ids, blank), coder(names[0], text_ids, blank)
        self.annotator = Coder(names[1], text_ids, blank)
        self.answer = Coder(names[2], text, missing)
        self._first, self._second = array("q"), array("q")

    def add(self, item: Any, annotator: Any, answer: Any, first: int, second: int = 0) -> None:
        """Appends one answer; an answer of `None` is a missing one."""
        for made, value in ((self.item, item), (self.annotator, annotator), (self.answer, answer)):
            problem = made.problem(value)
            if problem:
                several = made is self.answer and isinstance(value, list | dict)
                problem += ", one class (choose a column or key that holds one)" * several
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
            items: Those that the user has given, which say whether ids that are text in the file are text.
            **known: Vocabularies of `Rows`.
        """
        noted = self.items.column()
        if len(noted.values):
            ids = typed(noted.values, items, numbers=False) if noted.text else noted.values
            known = {"items": ids.tolist(), **known}

        def place(row: int) -> str:
            return self.where(self._first[row], self._second[row])

        return Rows(
            self.source, self.item.column(), self.annotator.column(), self.answer.column(), place, **known
        )


def refuse(source: str, place: str, name: str, expected: str, received: Any) -> NoReturn:
    """Raises an error that says what is wrong and where."""
    shown = repr(received)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    raise ValueError(f"{source}, {place}, {name!r}: expected {expected}. Received: {shown}")


def assemble(
    rows: Rows,
    *,
    items: Sequence[Hashable] | None = None,
    annotators: Sequence[Hashable] | None = None,
    classes: Sequence[Hashable] | int | None = None,
    ratings: bool = False,
    duplicates: Duplicates = "error",
    unknown: Unknown = "error",
) -> Annotations:
    """`Annotations` of the rows that hold an answer; see `read_long` for the arguments."""
    checked_rule(duplicates)
    checked_unknown(unknown)
    answered = np.flatnonzero(rows.answer.codes != MISSING)
    if len(answered) == 0:
        raise ValueError(
            f"{rows.source}: expected at least one answer. Received: none in {len(rows.answer.codes)} rows"
        )
    if ratings:
        refuse_classes_of_ratings(classes)
        class_ids, answer = None, _finite(rows, _rated(rows, answered), answered)
    else:
        wanted = rows.classes if classes is None else classes
        class_ids, answer = _answers(rows, answered, wanted, unknown)
        if classes is None and class_ids is not None:
            values = rows.answer.values[_used(rows.answer, answered)].tolist()
            check_classes(rows.answer.name, values, len(answered), _source_of_several(rows, answered))
    known = answer >= 0 if answer.dtype.kind == "i" else slice(None)
    answered, answer = answered[known], answer[known]
    if len(answered) == 0:
        raise ValueError(f"{rows.source}: expected answers among `classes`. Received: none that is")
    item_ids, item = _positions(rows, rows.item, answered, "items", rows.items if items is None else items)
    annotator_ids, annotator = _positions(
        rows,
        rows.annotator,
        answered,
        "annotators",
        rows.annotators if annotators is None else annotators,
    )
    kind = kind_of(answer, class_ids)
    kept = kept_rows(item, annotator, answer, len(annotator_ids), duplicates, kind)
    try:
        return Annotations(
            item[kept],
            annotator[kept],
            answer[kept],
            items=item_ids,
            annotators=annotator_ids,
            classes=class_ids,
        )
    except ValueError:  # it does not know of places
        _refuse_repeated(rows, answered, item, annotator, len(annotator_ids))
        raise


def _answers(
    rows: Rows, answered: np.ndarray, classes: Any, unknown: str
) -> tuple[np.ndarray | None, np.ndarray]:
    """Ids of the classes and the code of each answer (-1: dropped); or no ids and numbers."""
    if isinstance(classes, bool | np.bool_):
        raise ValueError(f"`classes` must be ids, or how many there are. Received: classes={classes}")
    if isinstance(classes, int | np.integer):
        classes = range(classes)
    column = rows.answer
    if column.text:
        values = column.values[_used(column, answered)]
        column = _replaced(column, answered, typed(values, classes, numbers=classes is None))
        if classes is None and column.values.dtype.kind not in "if":
            _refuse_words(rows, column, answered)
    if classes is None and column.values.dtype.kind == "f":
        return None, _finite(rows, column, answered)
    return _positions(rows, column, answered, "classes", classes, drop=unknown == "drop")


def _source_of_several(rows: Rows, answered: np.ndarray) -> str:
    """The file; and the place of the first answer that holds several, if there is one."""
    several = np.array([is_several(value) for value in rows.answer.values.tolist()])
    found = several[rows.answer.codes[answered]]
    return f"{rows.source}, {rows.place(answered[np.argmax(found)])}" if np.any(found) else rows.source


def _rated(rows: Rows, answered: np.ndarray) -> Column:
    """The answers as numbers, whatever they are in the file."""
    column = rows.answer
    used = column.values[_used(column, answered)].tolist()
    numbers = [as_rating(value) for value in used]
    words = np.array([number is None for number in numbers])
    if np.any(words):
        told = _replaced(column, answered, id_column(column.name, used))
        _refuse_first(rows, told, answered, words, "a number (`ratings=True`)")
    return _replaced(column, answered, np.array(numbers, float))


def _finite(rows: Rows, column: Column, answered: np.ndarray) -> np.ndarray:
    """The numbers of a column."""
    wrong = ~(np.abs(column.values) <= np.finfo(np.float32).max)
    if np.any(wrong[column.codes[answered]]):
        _refuse_first(rows, column, answered, wrong, "a finite number")
    return column.values[column.codes[answered]]


def _refuse_words(rows: Rows, column: Column, answered: np.ndarray) -> None:
    """Whether ratings would be read as classes because some of them are no numbers."""
    found = float_beside_words(column.values.tolist())
    if found:
        expected = f"a number, as {found[0]!r} is (or `classes=`, or a `missing=` for what is no answer)"
        _refuse_first(rows, column, answered, np.array(found[1]), expected)


def _positions(
    rows: Rows,
    column: Column,
    answered: np.ndarray,
    vocabulary_name: str,
    vocabulary: Sequence[Hashable] | None,
    drop: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """The vocabulary and the position in it of each answered row."""
    codes = column.codes[answered]
    if np.any(codes == MISSING):
        row = answered[np.argmax(codes == MISSING)]
        refuse(rows.source, rows.place(row), column.name, "an id", None)
    if column.text and vocabulary_name != "classes":
        values = typed(column.values[_used(column, answered)], vocabulary, numbers=False)
        column = _replaced(column, answered, values)
        codes = column.codes[answered]
    if vocabulary is None:
        used = np.flatnonzero(_used(column, answered))
        ids, index = encode(column.name, column.values[used], vocabulary_name, None)
    else:
        used, ids = np.arange(len(column.values)), id_array(vocabulary_name, vocabulary)
        position = {id_: i for i, id_ in enumerate(ids.tolist())}
        index = np.array([position.get(value, MISSING) for value in column.values.tolist()], np.int64)
    position_of = np.full(len(column.values), MISSING, np.int32)
    position_of[used] = index
    unknown = position_of == MISSING
    if not drop and np.any(unknown[codes]):
        known = ", ".join(map(repr, ids.tolist()[:5])) + ", ..." * (len(ids) > 5)
        _refuse_first(rows, column, answered, unknown, f"one of `{vocabulary_name}`, {known}")
    return ids, position_of[codes]


def _used(column: Column, answered: np.ndarray) -> np.ndarray:
    """Which of the values stand in an answered row."""
    codes = column.codes[answered]
    return np.bincount(codes[codes >= 0], minlength=len(column.values)) > 0


def _replaced(column: Column, answered: np.ndarray, values: np.ndarray) -> Column:
    """The column with other values for those that are used, and codes of these only."""
    used = _used(column, answered)
    new_code = np.full(len(column.values) + 1, MISSING, np.int32)  # the last is that of -1
    new_code[np.flatnonzero(used)] = np.arange(used.sum())
    return Column(new_code[column.codes], id_column(column.name, values), column.name)


def _refuse_first(
    rows: Rows, column: Column, answered: np.ndarray, wrong: np.ndarray, expected: str
) -> NoReturn:
    row = answered[np.argmax(wrong[column.codes[answered]])]
    refuse(rows.source, rows.place(row), column.name, expected, column.values.tolist()[column.codes[row]])


def _refuse_repeated(
    rows: Rows, answered: np.ndarray, item: np.ndarray, annotator: np.ndarray, num_annotators: int
) -> None:
    repeated = repeated_rows(item, annotator, num_annotators)
    if repeated:
        first, second = (int(answered[row]) for row in repeated)
        who, what = (column.values.tolist()[column.codes[second]] for column in (rows.annotator, rows.item))
        raise ValueError(
            f"{rows.source}, {rows.place(second)}: expected one answer of an annotator to an item "
            f"(or `duplicates='first'`, 'last' or 'majority'). "
            f"Received: annotator {who!r} and item {what!r}, as in {rows.place(first)}"
        )
