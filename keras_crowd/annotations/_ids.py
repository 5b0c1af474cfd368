"""Positions of ids of any hashable kind, and back, without a Python loop over the answers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

MISSING = -1
"""The code of "did not answer" in integer answers, and of an empty slot."""


def column(name: str, values: Any) -> np.ndarray:
    """`values` as a 1-D array in which every hashable stays as it is (tuples too)."""
    if isinstance(values, str | bytes):
        raise ValueError(f"`{name}` must be a sequence. Received: the text {values!r}")
    if isinstance(values, set | frozenset):
        raise ValueError(
            f"`{name}` must be in an order, as in a list: that of a set may change. "
            f"Received: {type(values).__name__} of {len(values)}"
        )
    if hasattr(values, "to_pylist"):  # of pyarrow
        values = values.to_pylist()
    elif hasattr(values, "to_numpy"):
        values = _from_series(values)
    elif hasattr(values, "__array__"):  # tensors: their elements are neither equal nor hashable
        values = np.asarray(values)
    array = values if isinstance(values, np.ndarray) else _from_list(list(values))
    if array.ndim != 1:
        raise ValueError(f"`{name}` must be 1-D. Received: shape {array.shape}")
    return _as_datetimes(array) if array.dtype.kind in "mM" else array


def as_id_array(ids: np.ndarray) -> np.ndarray:
    """Ids in a native dtype, if they are all of one kind that has one."""
    return _from_list(ids.tolist()) if ids.dtype.kind == "O" else ids


def id_array(name: str, ids: Iterable[Hashable], length: int | None = None) -> np.ndarray:
    """Distinct ids as an array; `length` says how many there must be."""
    array = column(name, ids)
    try:
        distinct = len(dict.fromkeys(array.tolist()))
    except TypeError:
        raise ValueError(f"`{name}` must be hashable ids. Received: {array.tolist()[:3]}") from None
    if distinct != len(array):
        raise ValueError(
            f"`{name}` must be distinct. Received: {len(array)} ids, {distinct} of them distinct"
        )
    if length is not None and len(array) != length:
        raise ValueError(f"`{name}` must have {length} ids. Received: {len(array)}")
    return array


def class_ids(codes: np.ndarray, classes: Sequence[Hashable] | int | None) -> np.ndarray:
    """The ids of the classes that `codes` (some answers, none missing) stand for."""
    if classes is None:
        classes = max(int(codes.max()), 0) + 1
    ids = id_array("classes", named_classes(classes))
    wrong = (codes < 0) | (codes >= len(ids)) | (codes != np.floor(codes))
    if np.any(wrong):
        raise ValueError(
            f"Answers must be class codes 0 to {len(ids) - 1}, or -1 for missing. "
            f"Received: {codes[wrong][0]}, and {int(wrong.sum()) - 1} more that are not"
        )
    return ids


def class_ids_of_columns(classes: Sequence[Hashable] | int | None, num_columns: int) -> np.ndarray:
    """The ids of the classes that the columns of a table stand for, in their order."""
    ids = np.arange(num_columns) if classes is None else classes
    ids = np.arange(ids) if isinstance(ids, int | np.integer) else id_array("classes", ids)
    if len(ids) != num_columns:
        raise ValueError(
            f"`classes` must be as many as the columns of soft answers, {num_columns}. "
            f"Received: {len(ids)} classes"
        )
    return ids


def named_classes(classes: Sequence[Hashable] | int | None) -> Any:
    """`classes=` as ids: a number `K` means `0, ..., K - 1`; `None` stays."""
    if isinstance(classes, int | np.integer | bool | np.bool_):
        if isinstance(classes, bool | np.bool_) or classes < 1:
            raise ValueError(
                f"`classes` must be ids, or how many there are (at least 1). Received: classes={classes!r}"
            )
        return np.arange(classes)
    return classes


def is_missing(values: np.ndarray) -> np.ndarray:
    """Marks where a column holds `None`, `NaN`, `NaT` or pandas' `NA`."""
    if values.dtype.kind in "iubSU":
        return np.zeros(len(values), bool)
    if values.dtype.kind != "O":
        return values != values
    as_list = values.tolist()
    missing = {id_ for id_ in dict.fromkeys(as_list) if _is_missing_id(id_)}
    return np.fromiter(map(missing.__contains__, as_list), bool, len(as_list))


def refuse_empty(answers: np.ndarray, argument: str) -> None:
    """Raises unless somebody answered something."""
    if len(answers) == 0:
        raise ValueError(f"`{argument}` must hold at least one answer. Received: none, or all missing")


def refuse_infinite(answers: np.ndarray) -> None:
    """Raises unless every numeric answer is finite in float32."""
    wrong = ~(np.abs(answers) <= np.finfo(np.float32).max)
    if np.any(wrong):
        raise ValueError(
            f"Numeric answers must be finite float32 numbers. Received: {answers[wrong][0]}, "
            f"and {int(wrong.sum()) - 1} more that are not"
        )


def answer_column(values: np.ndarray) -> np.ndarray:
    """Answers, none missing; objects that are all numbers, floats among them, become floats."""
    kinds = set(map(type, values.tolist())) if values.dtype.kind == "O" else set()
    floats = any(issubclass(kind, float | np.floating | Decimal) for kind in kinds)
    if floats and all(issubclass(kind, int | float | np.number | Decimal) for kind in kinds):
        return values.astype(float)
    return values


def frozen(array: np.ndarray) -> np.ndarray:
    """`array` read-only, and not shared with whoever can still write to it."""
    owner = array if array.base is None else array.base
    if (
        not isinstance(owner, np.ndarray)
        or owner.flags.writeable
        or array.flags.writeable
        or not owner.flags.owndata
    ):
        array = array.copy()
        array.flags.writeable = False
    return array


def _from_series(series: Any) -> np.ndarray:
    array = series.to_numpy()
    kind = getattr(series.dtype, "kind", None)
    if array.dtype.kind == "f" and kind is not None and kind in "iub":
        # pandas makes floats of nullable integers with a hole; floats would be read as ratings.
        array = series.to_numpy(object)
    elif array.dtype.kind == "f" and kind is None and hasattr(series, "to_list"):
        array = _from_list(series.to_list())  # and so does polars
    return array


def _as_datetimes(array: np.ndarray) -> np.ndarray:
    """Dates of NumPy as those of Python, which a `Timestamp` of pandas equals; where they are finer, as they are."""
    unit = f"{array.dtype.kind}8[us]"
    coarse = array.astype(unit)
    lossless = np.all((coarse.astype(array.dtype) == array) | np.isnat(array))
    return coarse.astype(object) if lossless else objects(list(array))


def objects(values: list[Any]) -> np.ndarray:
    """Values as a 1-D array of objects, tuples and lists among them as they are."""
    return np.fromiter(values, object, len(values))


def _from_list(values: list[Any]) -> np.ndarray:
    kinds = set(map(type, values))
    if kinds == {np.datetime64}:
        return _as_datetimes(np.asarray(values))
    if len(kinds) == 1 and issubclass(kinds.pop(), int | float | str | np.number | np.bool_):
        array = np.asarray(values)
        if not _loses(array, values):
            return array
    return objects(values)


def _loses(array: np.ndarray, values: list[Any]) -> bool:
    """NumPy rounds integers that no 64 bits hold, and cuts NUL off the end of a string."""
    if array.dtype.kind == "U":
        return array.tolist() != values
    return array.dtype.kind == "f" and isinstance(values[0], int)


def _is_missing_id(id_: object) -> bool:
    return id_ is None or type(id_).__name__ == "NAType" or bool(id_ != id_)
