"""Checks of what is to be evaluated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._arguments import class_codes, confusions, distributions
from ..annotations import rows_like


def checked_confusion_pair(
    confusion: npt.ArrayLike, reference: npt.ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of confusions of one shape."""
    confusion, reference = (
        confusions("confusion", confusion),
        confusions("reference", reference),
    )
    same_shape("reference", reference, "confusion", confusion)
    return confusion, reference


def checked_probabilities(name: str, probabilities: npt.ArrayLike) -> np.ndarray:
    """Probabilities `(items, classes)`, as floats."""
    probabilities = np.asarray(probabilities, float)
    if probabilities.ndim != 2 or probabilities.size == 0:
        raise ValueError(
            f"`{name}` must have shape (items, classes). Received: shape {probabilities.shape}"
        )
    return distributions(name, probabilities)


def checked_labels_and_probabilities(
    y_true: npt.ArrayLike, probabilities: npt.ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and the probabilities of as many items."""
    if hasattr(probabilities, "columns") and list(probabilities.columns) != [
        *range(np.shape(probabilities)[1])
    ]:
        raise ValueError(
            "`probabilities` must have its columns in the order of the class codes, as an array has "
            f"(`.to_numpy()`). Received: a table with the columns {list(probabilities.columns)[:5]}"
        )
    y_true = rows_like("y_true", y_true, "probabilities", probabilities)
    probabilities = checked_probabilities("probabilities", probabilities)
    y_true = class_codes("y_true", y_true, np.shape(probabilities)[1])
    if len(y_true) != len(probabilities):
        raise ValueError(
            f"`y_true` must have one class for each of the {len(probabilities)} rows of `probabilities`. "
            f"Received: shape {y_true.shape}"
        )
    return y_true, probabilities


def same_shape(name: str, array: np.ndarray, other_name: str, other: np.ndarray) -> None:
    """Refuses arrays of different shapes."""
    if array.shape != other.shape:
        raise ValueError(
            f"`{name}` must have the shape of `{other_name}`, {other.shape}. Received: shape {array.shape}"
        )
