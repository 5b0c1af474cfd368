"""How `Annotations` are built; each function becomes a class method of it."""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._arguments import shown
from ._classes import check_classes
from ._csv import read_frame, refuse_words
from ._dense import class_label_names, column_names, dense_table
from ._distributions import columns_of, from_distributions, from_table, hold_distributions
from ._duplicates import checked_unknown, kept_rows
from ._factors import Factor, encode, factor, has_categories
from ._ids import MISSING, answer_column, class_ids, column, id_array, named_classes, refuse_empty
from ._numbers import as_ratings_column, refuse_classes_of_ratings
from ._rules import Duplicates, Unknown, refuse_others
from ._soft import is_soft_table
from ._tuples import id_column

if TYPE_CHECKING:
    from ._container import Annotations


def from_dense(
    cls: type[Annotations],
    array: Any,
    *,
    items: Sequence[Hashable] | None = None,
    annotators: Sequence[Hashable] | None = None,
    classes: Sequence[Hashable] | int | None = None,
) -> Annotations:
    """Reads a table with one row an item and one column an annotator.

    Args:
        array: `(items, annotators)`. Integers: class codes, `-1` where an annotator did not answer.
            Floats: numeric ratings, `NaN` where an annotator did not answer; with `classes=` given
            they are class codes instead. What a masked array hides is not answered. Or soft answers, floats
            `(items, annotators, classes)`: a distribution over the classes for each answer (that of one class for a
            hard one), all zeros or all `NaN` for none.
        items: Ids of the rows. Defaults to the index of a data frame, else to `0, 1, ...`; where there are both, rows
            are brought into the order of `items`.
        annotators: Ids of the columns. Defaults to the columns of a data frame, likewise.
        classes: Ids of the class codes, or how many there are. Defaults to the highest code seen
            plus one: say it if the last class may be absent.

    Raises:
        ValueError: When the array is not 2-D, a code is out of range, or nobody answered at all.
    """
    array, items, annotators = dense_table(array, items, annotators)
    if is_soft_table(array):
        item_ids = _ids("items", items, array.shape[0])
        annotator_ids = _ids("annotators", annotators, array.shape[1])
        annotations = from_table(cls, array, classes, items=item_ids, annotators=annotator_ids)
        annotations.has_item_ids = items is not None
        return annotations
    if array.ndim != 2 or array.dtype.kind not in "iuf":
        raise ValueError(
            "Answers must be numbers of shape (items, annotators): class codes from 0, -1 for missing, or floats; or "
            "soft answers, floats of shape (items, annotators, classes). "
            "Names of classes are read by `Annotations.from_coo` and `from_dataframe`; the answers to tokens, "
            "(items, time, annotators), are those of items after `reshape(-1, annotators)`. "
            f"Received: shape {array.shape}, dtype {array.dtype}"
        )
    if array.dtype.kind == "u" and np.any(array == np.iinfo(array.dtype).max):
        raise ValueError(
            "`array` must be of a signed type, which can hold -1 for missing. "
            f"Received: dtype {array.dtype} with {np.iinfo(array.dtype).max}, which -1 becomes in it"
        )
    numeric = array.dtype.kind == "f" and classes is None
    answered = ~np.isnan(array) if array.dtype.kind == "f" else array != MISSING
    if array.dtype.kind == "f" and not numeric:
        answered &= array != MISSING
    item_index, annotator_index = np.nonzero(answered)
    answers = array[answered]
    refuse_empty(answers, "array")
    ids = None if numeric else class_ids(answers, classes)
    annotations = cls(
        item_index,
        annotator_index,
        answers,
        items=_ids("items", items, array.shape[0]),
        annotators=_ids("annotators", annotators, array.shape[1]),
        classes=ids,
    )
    annotations.has_item_ids = items is not None
    return annotations


def from_coo(
    cls: type[Annotations],
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
) -> Annotations:
    """Reads three parallel arrays: who said what of which item. Ids may be anything hashable.

    Args:
        item: Item id of each answer.
        annotator: Annotator id of each answer.
        answer: Class id of each answer. Floats without `classes=` are numeric ratings; **whole numbers are
            classes** unless `ratings=True`. A missing answer (`None` or `NaN`) drops its row. Or soft answers,
            distributions over the classes: an array `(answers, classes)`; a data frame with a column a class, its
            names their ids; or for each answer a list, or a dict such as `{"cat": 0.7, "dog": 0.3}`, among which may
            stand hard ones, as ids. A row of zeros, or of `NaN`, is missing.
        items: All item ids, **in the order of the rows of your features**. Items that nobody
            answered may be among them. Defaults to the ids seen, sorted (in order of appearance
            when they cannot be sorted).
        annotators: All annotator ids, likewise.
        classes: All class ids, in the order of the classifier's outputs; a number `K` means
            `0, ..., K - 1`. Defaults likewise.
        ratings: Whether the answers are ratings although they may be whole numbers: 4 in one file and 4.5 in the
            next are then of one kind. Defaults to `False`: whole numbers are classes.
        duplicates: What to do when an annotator answered an item more than once: `"error"`; keep the
            `"first"` or the `"last"` answer; or the one given most often, `"majority"` (classes only).
        unknown: What to do with answers that are not among `classes`: `"error"`, or `"drop"` them.

    Raises:
        ValueError: When lengths disagree, an id is missing or unknown, an annotator answered an
            item twice, or nobody answered at all.
    """
    checked_unknown(unknown)
    classes = named_classes(classes)
    if ratings:
        refuse_classes_of_ratings(classes)
    elif hold_distributions(answer):
        known: dict[str, Any] = {"items": items, "annotators": annotators, "duplicates": duplicates}
        return from_distributions(cls, item, annotator, answer, classes=classes, unknown=unknown, **known)
    found_item, found_annotator = factor("item", item), factor("annotator", annotator)
    found = _numbers_or_factor(answer, classes, ratings)
    said = found.codes if isinstance(found, Factor) else found
    if not len(found_item.codes) == len(found_annotator.codes) == len(said):
        raise ValueError(
            "`item`, `annotator` and `answer` must have the same length. "
            f"Received: lengths {len(found_item.codes)}, {len(found_annotator.codes)} and {len(said)}"
        )
    given = _given(found, classes if unknown == "drop" else None)
    if not np.all(given):
        found_item, found_annotator = found_item.rows(given), found_annotator.rows(given)
        found = found.rows(given) if isinstance(found, Factor) else found[given]
        said = said[given]
    refuse_empty(said, "answer")
    item_ids, item_index = encode("item", found_item, "items", items)
    annotator_ids, annotator_index = encode("annotator", found_annotator, "annotators", annotators)
    answer_ids, codes = _classes_of(found, classes, answer)
    kept = kept_rows(item_index, annotator_index, codes, len(annotator_ids), duplicates)
    return cls(
        item_index[kept],
        annotator_index[kept],
        codes[kept],
        items=item_ids,
        annotators=annotator_ids,
        classes=answer_ids,
    )


def from_dataframe(
    cls: type[Annotations],
    df: Any,
    item: str | Sequence[str] = "item",
    annotator: str = "annotator",
    answer: str = "answer",
    *,
    probabilities: str | Sequence[str] | None = None,
    **kwargs: Any,
) -> Annotations:
    """Reads a data frame with one row an answer.

    Args:
        df: A pandas data frame, or another table of columns with names: of polars, pyarrow or Hugging Face, a dict.
        item: Name of the column of item ids. Where several columns tell items apart, a list of their names: ids are
            then tuples.
        annotator: Name of the column of annotator ids.
        answer: Name of the column of answers: classes, or ratings if they are floats, as for `from_coo`. A
            categorical column gives `classes` its categories.
        probabilities: Names of columns that hold soft answers, in place of `answer`: one for each class, whose names
            are the ids of the classes unless `classes=` gives others, in the same order; or one column of objects
            `{"cat": 0.7, "dog": 0.3}`, dicts or JSON, among which may stand hard answers.
        **kwargs: `items=`, `annotators=`, `classes=`, `ratings=`, `duplicates=` and `unknown=`, as for
            `from_coo`.
    """
    refuse_others(from_dataframe, kwargs)
    names = column_names(df)
    named = {"item": item, "annotator": annotator, "answer": answer if probabilities is None else annotator}
    for argument, name in named.items():
        several = isinstance(name, list)
        if not all(one in names for one in name) or not name if several else name not in names:
            raise ValueError(
                f"`{argument}` must name a column of the table. "
                f"Received: {argument}={name!r}, columns {shown(list(names))}"
            )
    if probabilities is not None:
        soft = columns_of(df, probabilities, kwargs.get("classes"))
        return cls.from_coo(id_column(df, item), df[annotator], soft, **kwargs)
    return cls.from_coo(id_column(df, item), df[annotator], class_label_names(df, answer), **kwargs)


def from_csv(
    cls: type[Annotations],
    path: str | os.PathLike[str],
    item: str | Sequence[str] = "item",
    annotator: str = "annotator",
    answer: str = "answer",
    *,
    probabilities: str | Sequence[str] | None = None,
    items: Sequence[Hashable] | None = None,
    annotators: Sequence[Hashable] | None = None,
    classes: Sequence[Hashable] | int | None = None,
    ratings: bool = False,
    duplicates: Duplicates = "error",
    unknown: Unknown = "error",
    **read_csv: Any,
) -> Annotations:
    """Reads a CSV file with one row an answer. Needs pandas.

    Args:
        path: The file. `io.read_long` is strict about malformed ones and says where they are so.
        item: Name of the column of item ids, or a list of names, as for `from_dataframe`.
        annotator, answer: Names of the columns.
        probabilities: Names of columns of soft answers, as for `from_dataframe`.
        items, annotators, classes, ratings, duplicates, unknown: As for `from_coo`.
        **read_csv: Passed to `pandas.read_csv` (`sep`, `dtype`, `encoding`, ...). Only blanks and
            "NaN" are read as missing ("NA" and "None" are ids and classes), unless you say otherwise.
            pandas reads integers with a hole as floats, so as ratings: pass `classes=`.

    Raises:
        ValueError: As `from_coo`; and when the file is no such table, or has floats beside words as answers.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError("`Annotations.from_csv` needs pandas: pip install pandas") from error
    refuse_others(from_csv, read_csv, pandas.read_csv)
    df = read_frame(pandas, path, read_csv)
    hard = probabilities is None and classes is None and not ratings
    if hard and answer in df.columns and "dtype" not in read_csv:
        refuse_words(path, answer, df[answer].dropna().unique().tolist())
    return cls.from_dataframe(
        df,
        item,
        annotator,
        answer,
        probabilities=probabilities,
        items=items,
        annotators=annotators,
        classes=classes,
        ratings=ratings,
        duplicates=duplicates,
        unknown=unknown,
    )


def _numbers_or_factor(answer: Any, classes: Any, ratings: bool) -> np.ndarray | Factor:
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


def _given(found: np.ndarray | Factor, known: Any) -> np.ndarray:
    """Which rows hold an answer, and one that is known, if that is asked for."""
    if not isinstance(found, Factor):
        return ~np.isnan(found)
    if known is None:
        return found.codes >= 0
    ids = set(column("classes", known).tolist())
    is_known = [*map(ids.__contains__, found.values.tolist()), False]  # the last is that of -1
    return np.array(is_known, bool)[found.codes]


def _classes_of(
    found: np.ndarray | Factor, classes: Any, answer: Any
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
