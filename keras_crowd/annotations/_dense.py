"""Tables of other packages as arrays and columns, with the ids they bring."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from ._ids import MISSING, column, is_missing
from ._index import has_index, is_plain_range, positions

Ids = Sequence[Hashable] | None


def dense_table(array: Any, items: Ids, annotators: Ids) -> tuple[np.ndarray, Ids, Ids]:
    """A table of answers as an array, and the ids of its rows and columns, `None` where nothing names them."""
    if has_index(array) and hasattr(array, "columns"):
        rows, items = _named("index", "items", array.index, items)
        columns, annotators = _named("columns", "annotators", array.columns, annotators)
        return _numbers(array.to_numpy())[rows][:, columns], items, annotators
    if isinstance(array, np.ma.MaskedArray) and array.dtype.kind in "iuf":
        return _filled(array.data, np.ma.getmaskarray(array)), items, annotators
    return np.asarray(array), items, annotators


def _named(axis: str, name: str, labels: Any, ids: Ids) -> tuple[Any, Ids]:
    """Finds the labels of an axis among the ids, in their order; returns the ids as well."""
    if is_plain_range(labels):
        return slice(None), ids
    if ids is None:
        return slice(None), column(name, labels).tolist()
    order = positions("array", axis, labels, name, column(name, ids))
    return slice(None) if order is None else order, ids


def _numbers(array: np.ndarray) -> np.ndarray:
    """Objects that are numbers and missing values as a native array; anything else as it is."""
    if array.dtype.kind != "O":
        return array
    flat = column("array", array.reshape(-1))
    missing = is_missing(flat)
    kinds = {type(value) for value in flat[~missing].tolist()}
    if not all(issubclass(kind, int | float | np.number) and kind is not bool for kind in kinds):
        return array
    whole = all(issubclass(kind, int | np.integer) for kind in kinds)
    filled = np.where(missing, MISSING, flat).astype(np.int64 if whole else float)
    return _filled(filled.reshape(array.shape), missing.reshape(array.shape))


def _filled(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Numbers with the code of a missing answer where one is."""
    if values.dtype.kind == "f":
        return np.where(missing, np.nan, values)
    return np.where(missing, MISSING, values.astype(np.int64))


def column_names(table: object) -> list[Any]:
    """The names of the columns of a table of pandas, polars, pyarrow or Hugging Face, or of a dict."""
    for attribute in ("column_names", "columns"):
        if hasattr(type(table), attribute):
            return list(getattr(table, attribute))
    if isinstance(table, Mapping):
        return list(table)
    raise ValueError(f"`df` must be a table of columns with names. Received: {type(table).__name__}")


def class_label_names(table: Any, name: str) -> Any:
    """A column of answers; of a `ClassLabel` of Hugging Face, or of lists of them, the names, `None` for -1."""
    features = getattr(table, "features", None) if hasattr(type(table), "features") else None
    feature: Any = features.get(name) if isinstance(features, Mapping) else None
    names, inner = getattr(feature, "names", None), label_names(feature)
    if inner is not None:
        return [None if codes is None else [inner[code] for code in codes] for codes in table[name]]
    if names is None:
        return table[name]
    return [None if code is None or code == MISSING else names[code] for code in table[name]]


def label_names(feature: Any) -> list[str] | None:
    """The names of a feature of Hugging Face that is a list of `ClassLabel`; `None` for any other."""
    inner: Any = feature[0] if isinstance(feature, list) and feature else getattr(feature, "feature", None)
    return list(inner.names) if hasattr(inner, "names") else None
