"""Labels and confidences to write, from what was learned about the items."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np

from .._arguments import distributions
from ..annotations import MISSING, Annotations, are_sets, by_ids
from ._set_cells import estimated_sets


class Label(NamedTuple):
    """The label of one item: a class, a list of labels or a number, and how sure it is (`None`: not told)."""

    value: Any
    confidence: float | None


class Labels(NamedTuple):
    """Labels of all items, in the order of `Annotations.items`; `None` for an item without one."""

    values: list[Any]
    confidences: list[float | None]
    codes: list[int] | None
    probabilities: np.ndarray | None = None

    def of(self, annotations: Annotations) -> dict[Hashable, Label]:
        """Each item's label, those without one left out."""
        found = zip(annotations.items.tolist(), self.values, self.confidences, strict=True)
        return {item: Label(value, confidence) for item, value, confidence in found if value is not None}


def labels(annotations: Annotations, estimates: Any, threshold: Any = None) -> Labels:
    """Labels of the items.

    Args:
        annotations: Whose items and classes they are.
        estimates: Probabilities `(items, classes)`; class codes `(items,)`, `-1` for none; or, where answers
            are numbers, floats `(items,)`, `NaN` for none. Data frames and series are read by their ids. Of sets of
            labels probabilities, booleans, or 1, 0 and -1 `(items, labels)`, or a list of labels for each item.
        threshold: Float, or one per label. Probability above which a label is in the set. Defaults to `None`: 0.5.
    """
    if are_sets(annotations):
        values_of_sets, sure, probabilities = estimated_sets(annotations, estimates, threshold)
        return Labels(values_of_sets, sure, None, probabilities)
    if threshold is not None:
        raise ValueError(
            f"`threshold` is for sets of labels. Received: threshold={threshold!r}, {annotations!r}"
        )
    estimates = np.asarray(by_ids("estimates", estimates, annotations))
    classes = None if annotations.classes is None else annotations.classes.tolist()
    if classes is None and estimates.shape == (annotations.num_items,) and estimates.dtype.kind == "f":
        values = [None if value != value else value for value in estimates.astype(float).tolist()]
        return Labels(values, [None] * len(values), None)
    if classes is not None and estimates.shape == (annotations.num_items, len(classes)):
        probabilities = distributions("estimates", estimates)
        codes, confidences = probabilities.argmax(axis=1), probabilities.max(axis=1).tolist()
        return Labels([classes[code] for code in codes], confidences, codes.tolist(), probabilities)
    if (
        classes is None
        or estimates.shape != (annotations.num_items,)
        or estimates.dtype.kind not in "iu"
        or np.any((estimates < MISSING) | (estimates >= len(classes)))
    ):
        raise ValueError(_expected(annotations, estimates))
    codes = estimates.tolist()
    values = [None if code == MISSING else classes[code] for code in codes]
    return Labels(values, [None] * len(values), codes)


def _expected(annotations: Annotations, estimates: np.ndarray) -> str:
    n, classes = annotations.num_items, annotations.classes
    wanted = (
        f"floats ({n},)"
        if classes is None
        else f"probabilities ({n}, {len(classes)}), or class codes ({n},) from -1 to {len(classes) - 1}"
    )
    return f"`estimates` must be {wanted}. Received: shape {estimates.shape}, dtype {estimates.dtype}"
