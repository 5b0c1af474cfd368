"""Makes `Annotations` of the answers of a file."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NoReturn

import numpy as np

from ..annotations import (
    MISSING,
    Annotations,
    Duplicates,
    Empty,
    Judged,
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
from ._columns import Column, typed
from ._row_builder import Rows, refuse
from ._sets import assemble_sets


def assemble(
    rows: Rows,
    *,
    sets: bool = False,
    label_sep: str | None = None,
    empty: Empty | None = None,
    judged: Judged | None = None,
    **rules: Any,
) -> Annotations:
    """`Annotations` of the rows that hold an answer; see `read_long` for the arguments."""
    if rows.sets is not None:
        return assemble_sets(rows, rows.sets, assemble_plain, **rules)
    if sets:
        raise ValueError(
            f"{rows.source}: expected sets of labels (`sets=True`), which this format does not have. "
            "Received: one class each"
        )
    return assemble_plain(rows, **rules)


def assemble_plain(
    rows: Rows,
    *,
    items: Sequence[Hashable] | None = None,
    annotators: Sequence[Hashable] | None = None,
    classes: Sequence[Hashable] | int | None = None,
    ratings: bool = False,
    duplicates: Duplicates = "error",
    unknown: Unknown = "error",
) -> Annotations:
    """`assemble` of answers that are no sets of labels."""
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
    """Tells which of the values stand in an answered row."""
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
