"""Checks of arguments that every level needs."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from typing import Any

import numpy as np

SUM_TOLERANCE = 0.01 + 1e-6  # of what half-precision softmaxes make; and of .33, .33, .33


def shown(value: Any, at_most: int = 12) -> str:
    """`repr` for messages: of a list so many elements, and nothing that is long or nested deeply."""
    short = reprlib.Repr()
    short.maxlist = short.maxdict = short.maxtuple = at_most
    short.maxstring = short.maxother = short.maxlong = 80
    return short.repr(value)


def whole_number(name: str, value: Any, low: int = 1, high: int | None = None) -> int:
    """`value` as an int, at least `low` and at most `high`."""
    is_int = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if is_int and value >= low and (high is None or value <= high):
        return int(value)
    if high is not None:
        wanted = f"an integer from {low} to {high}"
    else:
        wanted = "a positive integer" if low == 1 else f"an integer at least {low}"
    raise ValueError(f"`{name}` must be {wanted}. Received: {name}={value!r}")


def distributions(name: str, rows: Any) -> np.ndarray:
    """`rows` as floats, each a distribution over the last axis."""
    rows = np.asarray(rows, float)
    if not np.all(rows >= 0):
        raise ValueError(
            f"`{name}` must be probabilities, none negative or NaN (logits?). Received: {rows.min()}"
        )
    off = np.abs(rows.sum(axis=-1) - 1)
    if off.size and not off.max() <= SUM_TOLERANCE:
        raise ValueError(
            f"`{name}` must have rows that sum to 1 (logits?). Received: a row that sums to "
            f"{rows.sum(axis=-1).flat[off.argmax()]}"
        )
    return rows


def one_row_an_item(arrays: Iterable[Any], num_items: int, hint: str = "") -> None:
    """Whether the features, one array an input, have as many rows as there are items with answers."""
    lengths = [len(array) for array in arrays]
    if {*lengths} != {num_items}:
        raise ValueError(
            "`x` and `answers` must have the same number of items; give `Annotations` the ids of your rows "
            f"as `items=`. Received: lengths {lengths} and {num_items}{hint}"
        )


def finite_features(name: str, array: np.ndarray) -> None:
    """Refuses features `(items, ...)` that are `NaN` or infinite."""
    if array.dtype.kind != "f":
        return
    rows = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
    if len(rows):
        raise ValueError(
            f"Features must not be NaN or infinite. Received: such in {len(rows)} rows of {name}, the first at "
            f"row {rows[0]}"
        )
