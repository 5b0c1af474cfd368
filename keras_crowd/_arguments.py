"""Checks of arguments that every level needs."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

SUM_TOLERANCE = 0.01 + 1e-6  # of what half-precision softmaxes make; and of .33, .33, .33


def shown(value: object, at_most: int = 12) -> str:
    """`repr` for messages: of a list so many elements, and nothing that is long or nested deeply."""
    short = reprlib.Repr()
    short.maxlist = short.maxdict = short.maxtuple = at_most
    short.maxstring = short.maxother = short.maxlong = 80
    return short.repr(value)


def whole_number(name: str, value: object, low: int = 1, high: int | None = None) -> int:
    """`value` as an int, at least `low` and at most `high`."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        whole = int(value)
        if whole >= low and (high is None or whole <= high):
            return whole
    if high is not None:
        wanted = f"an integer from {low} to {high}"
    else:
        wanted = "a positive integer" if low == 1 else f"an integer at least {low}"
    raise ValueError(f"`{name}` must be {wanted}. Received: {name}={value!r}")


def number(
    name: str,
    value: object,
    *,
    at_least: float | None = None,
    above: float | None = None,
    below: float = math.inf,
) -> float:
    """`value` as a finite float between the bounds."""
    if (
        isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
        and -math.inf < value < below
        and (above is None or value > above)
        and (at_least is None or value >= at_least)
    ):
        return float(value)
    bounds = {"at least": at_least, "above": above, "below": None if below == math.inf else below}
    wanted = " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)
    raise ValueError(
        f"`{name}` must be {f'a number {wanted}'.rstrip()}, finite. Received: {name}={value!r}"
    )


def positive(name: str, values: npt.ArrayLike, shape: tuple[int, ...], axes: str) -> np.ndarray:
    """`values` as positive, finite floats: one, or what broadcasts to `shape`, of which `axes` names the axes."""
    try:
        if isinstance(values, str):
            raise TypeError
        np.broadcast_to(array := np.asarray(values, float), shape)
    except (TypeError, ValueError):
        is_text = isinstance(values, str)
        received = (
            f"{name}={values!r}" if is_text else f"{type(values).__name__} of shape {np.shape(values)}"
        )
        raise ValueError(
            f"`{name}` must be a number or broadcast to {axes} = {shape}. Received: {received}"
        ) from None
    if not np.all((array > 0) & (array < np.inf)):
        raise ValueError(f"`{name}` must be positive and finite. Received: {name}={values}")
    return array


def array_of_numbers(name: str, values: npt.ArrayLike) -> np.ndarray:
    """`values` as an array of floats."""
    try:
        array = np.asarray(values)
        if array.dtype.kind in "biuf":
            return array.astype(float)
    except ValueError:  # rows of different lengths
        pass
    raise ValueError(f"`{name}` must be an array of numbers. Received: {name}={values!r}")


def class_codes(name: str, labels: npt.ArrayLike, num_classes: int | None = None) -> np.ndarray:
    """`labels` as class codes, int64 `(items,)`, none missing, below `num_classes`."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or len(labels) == 0:
        raise ValueError(
            f"`{name}` must be integers of shape (items,), at least one. "
            f"Received: shape {labels.shape}, dtype {labels.dtype}"
        )
    wrong = (labels < 0) | (labels >= (labels.max() + 1 if num_classes is None else num_classes))
    if np.any(wrong):
        limits = "at least 0" if num_classes is None else f"from 0 to {num_classes - 1}"
        hint = " (leave items without a class out)" if np.any(labels == -1) else ""
        raise ValueError(
            f"`{name}` must be class codes {limits}{hint}. "
            f"Received: {labels[wrong][0]}, and {int(wrong.sum()) - 1} more that are not"
        )
    return labels.astype(np.int64)


def confusions(
    name: str, confusion: npt.ArrayLike, shape: tuple[int, int, int] | None = None
) -> np.ndarray:
    """`confusion` as floats `(annotators, true, answer)`, rows distributions, of that `shape` if one is given."""
    confusion = np.asarray(confusion, float)
    square = confusion.ndim == 3 and confusion.shape[1] == confusion.shape[2] and confusion.size > 0
    if not square or shape not in (None, confusion.shape):
        raise ValueError(
            f"`{name}` must be (annotators, true, answer){'' if shape is None else f', {shape}'}. "
            f"Received: shape {confusion.shape}"
        )
    return distributions(name, confusion)


def given_weights(name: str, values: npt.ArrayLike | None, size: int, each: str) -> np.ndarray:
    """`values` as weights, one for `each` of `size`, all alike by default; none negative, not all 0."""
    if values is None:
        return np.ones(size)
    weights = array_of_numbers(name, values)
    if weights.shape != (size,) or not np.all((weights >= 0) & (weights < np.inf)) or not weights.any():
        raise ValueError(
            f"`{name}` must be {size} numbers, one for each {each}, none negative and not all 0. "
            f"Received: {name}={shown(values)}"
        )
    return weights


def checked_annotator_weights(weights: npt.ArrayLike | None, num_annotators: int) -> np.ndarray:
    """Returns how many independent annotators each one counts for, positive, `(annotators,)`; 1 by default."""
    values = 1.0 if weights is None else weights
    given = positive("annotator_weights", values, (num_annotators,), "(annotators,)")
    return np.broadcast_to(given, num_annotators)


def flag(name: str, value: object) -> bool:
    """`value` as a bool, which it must be."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"`{name}` must be a bool. Received: {name}={value!r}")
    return bool(value)


def distributions(name: str, rows: npt.ArrayLike) -> np.ndarray:
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


def check_choice(
    weights: float | Sequence[float], num_splits: int, fraction: float, seed: int
) -> np.ndarray:
    """Checks how `regularization_path` is to choose; returns the weights to choose among, ascending."""
    whole_number("num_splits", num_splits)
    whole_number("seed", seed, low=0)
    number("fraction", fraction, above=0, below=1)
    try:
        values = np.unique(np.asarray(weights, float)) if not isinstance(weights, str) else np.empty(0)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.ndim != 1 or not len(values) or not np.all((values >= 0) & (values < np.inf)):
        raise ValueError(f"`weights` must be numbers, none negative. Received: weights={weights!r}")
    return values
