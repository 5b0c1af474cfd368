"""Builders of `Annotations`; each function becomes one of its class methods."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ._answer_kind import AnswerKind
from ._classes import check_classes
from ._dense import dense_table
from ._distributions import Distributions, distributions_of, hold_distributions
from ._duplicates import checked_unknown, kept_rows, refuse_majority
from ._factors import Factor, encode, factor, has_categories
from ._ids import answer_column, column, id_array, named_classes, refuse_empty
from ._kinds import Classes, kind_of, kind_of_table, no_dense_answers
from ._long_form import Read
from ._numbers import as_ratings_column, refuse_classes_of_ratings
from ._rules import Duplicates, Unknown
from ._soft import checked_distributions


def from_dense(
    array: npt.ArrayLike,
    *,
    items: Sequence[Hashable] | None = None,
    annotators: Sequence[Hashable] | None = None,
    classes: Sequence[Hashable] | int | None = None,
    kind: AnswerKind | None = None,
) -> Read:
    """Reads a table with one row per item and one column per annotator.

    Args:
        array: `(items, annotators)`. Integers: class codes, `-1` where an annotator did not answer.
            Floats: numeric ratings, `NaN` where an annotator did not answer; with `classes=` given they are class codes
            instead. Masked cells of a masked array are not answered. Or soft answers, floats `(items, annotators,
            classes)`: a distribution over the classes for each answer (one-hot for a hard answer), all zeros or all
            `NaN` for no answer.
        items: Ids of the rows. Defaults to the index of a data frame, else to `0, 1, ...`; if both are given, rows are
            brought into the order of `items`.
        annotators: Ids of the columns. Defaults to the columns of a data frame, likewise.
        classes: Ids of the class codes, or their number. Defaults to the highest code seen plus one; give it if the
            last class may be absent.
        kind: What one answer is, for kinds that cannot be told from the array. Defaults to classes or ratings, as
            above.

    Raises:
        ValueError: When the array is not 2-D, a code is out of range, or nobody answered at all.
    """
    array, items, annotators = dense_table(array, items, annotators)
    if kind is None:
        kind = kind_of_table(array, named=classes is not None)
    if kind.axes:
        raise ValueError(no_dense_answers(array))
    if array.ndim != 2 + len(kind.shape):
        raise ValueError(
            f"`array` must have {2 + len(kind.shape)} axes for {kind.name}, items and annotators first. "
            f"Received: shape {array.shape}"
        )
    if array.dtype.kind == "u" and np.any(array == np.iinfo(array.dtype).max):
        raise ValueError(
            "`array` must be of a signed type, which can hold -1 for missing. "
            f"Received: dtype {array.dtype} with {np.iinfo(array.dtype).max}, which -1 becomes in it"
        )
    item_index, annotator_index = np.nonzero(kind.is_answered(array))
    answers = array[item_index, annotator_index]
    refuse_empty(answers, "array")
    answers = kind.checked("array", answers)
    class_ids = kind.class_ids(answers, classes)
    return Read(
        item_index,
        annotator_index,
        answers,
        items=_ids("items", items, array.shape[0]),
        annotators=_ids("annotators", annotators, array.shape[1]),
        classes=class_ids,
        kind=kind if class_ids is None else kind.union([], len(class_ids)),
        has_item_ids=items is not None,
    )


def from_classes_or_ratings(
    item: Any,
    annotator: Any,
    answer: Any,
    *,
    items: Sequence[Hashable] | None = None,
    annotators: Sequence[Hashable] | None = None,
    classes: Sequence[Hashable] | int | None = None,
    ratings: bool = False,
    duplicates: Duplicates = "error",
    unknown: Unknown = "error",
) -> Read:
    """`from_coo` of answers that are no sets of labels."""
    checked_unknown(unknown)
    named: Sequence[Hashable] | None = named_classes(classes)
    if ratings:
        refuse_classes_of_ratings(named)
    elif hold_distributions(answer):
        found_soft = distributions_of(answer, named, unknown)
        known: dict[str, Any] = {"items": items, "annotators": annotators, "duplicates": duplicates}
        return _from_distributions(item, annotator, found_soft, **known)
    found_item, found_annotator = factor("item", item), factor("annotator", annotator)
    found = _numbers_or_factor(answer, named, ratings)
    said = found.codes if isinstance(found, Factor) else found
    check_lengths("answer", len(found_item.codes), len(found_annotator.codes), len(said))
    given = _given(found, named if unknown == "drop" else None)
    if not np.all(given):
        found_item, found_annotator = found_item.rows(given), found_annotator.rows(given)
        found = found.rows(given) if isinstance(found, Factor) else found[given]
        said = said[given]
    refuse_empty(said, "answer")
    item_ids, item_index = encode("item", found_item, "items", items)
    annotator_ids, annotator_index = encode("annotator", found_annotator, "annotators", annotators)
    answer_ids, codes = _classes_of(found, named, answer)
    kind = kind_of(codes, answer_ids)
    kept = kept_rows(item_index, annotator_index, codes, len(annotator_ids), duplicates, kind)
    return Read(
        item_index[kept],
        annotator_index[kept],
        codes[kept],
        items=item_ids,
        annotators=annotator_ids,
        classes=answer_ids,
    )


def _from_distributions(item: Any, annotator: Any, found: Distributions, **rules: Any) -> Read:
    """`from_coo` of soft answers."""
    refuse_majority(rules["duplicates"], "soft")
    given = Classes(soft=True).is_answered(found.rows)
    read = from_rows(item, annotator, "answer", found.rows, given, **rules)
    return read._replace(answers=checked_distributions("answer", read.answers), classes=found.classes)


def from_rows(
    item: Any, annotator: Any, name: str, rows: np.ndarray, given: np.ndarray, **rules: Any
) -> Read:
    """`from_coo` of answers that are rows of a table: each is read as if it were a class of its own.

    Args:
        item, annotator: As for `from_coo`.
        name: String. Of the argument that the rows come from.
        rows: `(answers, ...)`.
        given: Which of them are answers, booleans `(answers,)`.
        **rules: `items`, `annotators` and `duplicates` of `from_coo`.
    """
    item, annotator = column("item", item), column("annotator", annotator)
    check_lengths(name, len(item), len(annotator), len(rows))
    kept = np.flatnonzero(given)
    refuse_empty(kept, name)
    read = from_classes_or_ratings(item[kept], annotator[kept], kept, classes=kept.tolist(), **rules)
    return read._replace(answers=rows[kept[read.answers]])


def check_lengths(name: str, *lengths: int) -> None:
    """Refuses columns of items, annotators and answers, the last called `name`, that differ in length."""
    if len(set(lengths)) > 1:
        items, annotators, answers = lengths
        raise ValueError(
            f"`item`, `annotator` and `{name}` must have the same length. "
            f"Received: lengths {items}, {annotators} and {answers}"
        )


def _numbers_or_factor(
    answer: Any, classes: Sequence[Hashable] | None, ratings: bool
) -> np.ndarray | Factor:
    """Ratings, `NaN` where missing; or the classes."""
    dtype = getattr(answer, "dtype", None)
    if classes is None and getattr(dtype, "kind", "") == "f":
        numbers = column("answer", answer)
        if numbers.dtype.kind == "f":
            return numbers
    found = factor("answer", answer)
    if classes is not None or has_categories(answer):
        return found
    used = found.used()
    seen = answer_column(found.values[used])
    if ratings:
        seen = as_ratings_column("answer", seen)
    if seen.dtype.kind != "f":
        return found
    numbers = np.full(len(found.values) + 1, np.nan)  # the last is that of -1
    numbers[:-1][used] = seen
    return numbers[found.codes]


def _given(found: np.ndarray | Factor, known: Iterable[Hashable] | None) -> np.ndarray:
    """Marks the rows that hold an answer and, on request, a known one."""
    if not isinstance(found, Factor):
        return ~np.isnan(found)
    if known is None:
        return found.codes >= 0
    ids = set(column("classes", known).tolist())
    is_known = [*map(ids.__contains__, found.values.tolist()), False]  # the last is that of -1
    return np.array(is_known, bool)[found.codes]


def _classes_of(
    found: np.ndarray | Factor, classes: Sequence[Hashable] | None, answer: object
) -> tuple[np.ndarray | None, np.ndarray]:
    """Ids of the classes and the code of each answer; or no ids and numbers."""
    if not isinstance(found, Factor):
        return None, found
    if classes is None:
        check_classes("answer", found.values[found.used()].tolist(), len(found.codes))
        if has_categories(answer):
            return id_array("classes", found.values), found.codes
    return encode("answer", found, "classes", classes)


def _ids(name: str, ids: Sequence[Hashable] | None, length: int) -> np.ndarray:
    return np.arange(length) if ids is None else id_array(name, ids, length)
