"""Arrays of items that carry an index: by id, or refused, never by position unless the index is a plain range."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._container import Annotations
from ._factors import encode
from ._ids import MISSING, column, is_missing
from ._index import has_index, is_plain_range, positions, refuse_sparse

_NUMBERS = (int, float, np.number)


def rows_by_id(name: str, values: Any, items: Annotations | np.ndarray | None) -> Any:
    """The rows of `values` in the order of the items, if `values` has an index; anything else as it is.

    An index (of a pandas data frame or series) that is a permutation of the ids of the items says which row is which
    item's. A plain range `0, ..., n - 1` says nothing: rows are then in the order of the items, as those of an array.
    Any other index is refused.

    Args:
        name: String. What to call `values`, for messages.
        values: Features, weights, labels or whatever else has a row for each item. One array: map a function over
            several inputs.
        items: `Annotations`, or the ids of their items; `None` where nothing is known of the ids.

    Returns:
        Of a frame or series, a NumPy array. Anything else as it is.

    Raises:
        ValueError: When the index names other items, one twice, or could mean ids as well as positions.

    Example:

    >>> import pandas
    >>> frame = pandas.DataFrame({"feature": [3.0, 1.0, 2.0]}, index=["c", "a", "b"])
    >>> keras_crowd.annotations.rows_by_id("x", frame, np.array(["a", "b", "c"])).tolist()
    [[1.0], [2.0], [3.0]]
    """
    refuse_sparse(name, values)
    if not has_index(values):
        return values
    if isinstance(items, Annotations):
        items = items.items if items.has_item_ids else None
    rows = positions(name, "index", values.index, "annotations.items", items)
    array = values.to_numpy()
    return array if rows is None else array[rows]


def rows_like(name: str, values: Any, other_name: str, other: Any) -> Any:
    """The rows of `values` in the order of those of another array, if both have an index that is no plain range.

    Args:
        name, other_name: What to call the two, for messages.
        values: An array with a row for each row of `other`.
        other: Another array.

    Returns:
        Of a frame or series, a NumPy array. Anything else as it is.

    Raises:
        ValueError: When the one index is no permutation of the other.
    """
    refuse_sparse(name, values)
    if not has_index(values):
        return values
    ids = None if is_plain_range(values.index) or not has_index(other) else column(other_name, other.index)
    if ids is None or is_plain_range(ids):
        return values.to_numpy()
    rows = positions(name, "index", values.index, f"{other_name}.index", ids)
    return values.to_numpy()[slice(None) if rows is None else rows]


def with_unknown(values: Any, annotations: Annotations) -> Any:
    """A series that names some of the items by their ids, with `NaN` for the others; anything else as it is."""
    if not (has_index(values) and values.ndim == 1 and annotations.has_item_ids):
        return values
    given = values.index.tolist()
    if (
        is_plain_range(given)
        or len(set(given)) < len(given)
        or not set(given) <= set(annotations.items.tolist())
    ):
        return values
    return values.reindex(annotations.items)


def by_ids(name: str, values: Any, annotations: Annotations) -> Any:
    """Probabilities or labels of the items in the order of the annotations, names of classes as their codes.

    Args:
        name: String. What to call them, for messages.
        values: Probabilities `(items, classes)`: an array, or a data frame whose index are ids of items and whose
            columns are ids of classes (`rows_by_id` says when). Or labels `(items,)`: an array of class codes; a series
            or an array of ids of classes (`None`, `NaN` or `-1` for none); or numbers.
        annotations: Whose items and classes they are.

    Returns:
        Of a frame, an array `(items, classes)`. Of a series or of names, class codes `(items,)` with `-1` for none, or
        numbers. Anything else as it is.
    """
    if isinstance(values, str):  # the name of a method, which is not for here
        return values
    rows = rows_by_id(name, values, annotations)
    if has_index(values) and hasattr(values, "columns"):
        annotations.num_classes  # noqa: B018  which ratings do not have
        columns = positions(name, "columns", values.columns, "annotations.classes", annotations.classes)
        return rows if columns is None else rows[:, columns]
    return labels_as_codes(name, rows, annotations.classes, are_ids=has_index(values))


def labels_as_codes(name: str, labels: Any, classes: np.ndarray | None, *, are_ids: bool = False) -> Any:
    """Class codes of labels that are ids of classes, `-1` for none; other labels as they are.

    Args:
        name: String. What to call them, for messages.
        labels: Names (text or objects), or integers, which are codes unless they `are_ids`.
        classes: Ids of the classes; `None` for numbers.
        are_ids: Boolean. Whether integers are ids of classes, where the classes are numbers. Defaults to `False`.
    """
    if classes is None:
        return labels
    if has_index(labels):
        labels = labels.to_numpy()
    array = labels if hasattr(labels, "shape") or np.ndim(labels) > 1 else column(name, labels)
    names = (
        isinstance(array, np.ndarray) and array.ndim == 1 and (are_ids or array.dtype.kind not in "iufb")
    )
    return _codes(name, array, classes) if names else labels


def _codes(name: str, labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    codes = np.full(len(labels), MISSING)
    known = ~is_missing(labels)
    values, ids = labels[known].tolist(), classes.tolist()
    numbers = all(isinstance(value, _NUMBERS) for value in values)
    if numbers and MISSING not in ids:
        known[known] = [value != MISSING for value in values]
    are_codes = numbers and not any(isinstance(id_, _NUMBERS) for id_ in ids)
    if are_codes and all(value == np.floor(value) for value in values):
        codes[known] = labels[known].astype(np.int64)
        return codes
    codes[known] = encode(name, labels[known], "annotations.classes", ids)[1]
    return codes
