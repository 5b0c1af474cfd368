"""Features of some of the items, read when they are needed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from .._typing import Features, Tensor
from ..annotations import Annotations, rows_by_id


class FeatureRows:
    """Rows of features in memory, on disk, or from a function.

    Args:
        x: What `CrowdBatches` takes.
        annotations: Whose items the rows are.
    """

    def __init__(self, x: Features, annotations: Annotations) -> None:
        self.x = keras.tree.map_structure(lambda part: rows_by_id("x", part, annotations), x)
        self.is_function = callable(x) and not hasattr(x, "__getitem__")
        if self.is_function:
            return
        lengths = {len(rows) for rows in self._leaves()}
        if lengths != {annotations.num_items}:
            raise ValueError(
                "`x` must have a row for each item; give `Annotations` the ids of your rows as `items=`. "
                f"Received: {sorted(lengths)} rows, answers to {annotations.num_items} items"
            )

    def __call__(self, items: np.ndarray) -> Any:
        """Features of these items, in the same structure as `x`."""
        order = np.argsort(
            items, kind="stable"
        )  # files are read forward, and some cannot be read otherwise
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        rows = items[order]
        if self.is_function:
            found = keras.tree.map_structure(np.asarray, self.x(rows))
        else:
            found = keras.tree.map_structure(lambda part: np.asarray(part[rows]), self.x)
        for part in keras.tree.flatten(found):
            if part.shape[:1] != (len(items),):
                raise ValueError(
                    f"`x` must give {len(items)} rows for as many items. Received: shape {part.shape}"
                )
        return keras.tree.map_structure(lambda part: part[back], found)

    def _leaves(self) -> list[Any]:
        leaves = keras.tree.flatten(self.x)
        for leaf in leaves:
            if (
                not hasattr(leaf, "__getitem__")
                or not hasattr(leaf, "__len__")
                or not hasattr(leaf, "shape")
            ):
                raise ValueError(
                    "`x` must be arrays (in memory or on disk), a list or dict of arrays, or a function of "
                    f"positions. Received: {type(leaf).__name__}"
                )
        return leaves


def with_annotators(x: Features, annotators: Tensor) -> Any:
    """Adds who answered to features, as inputs of a model on slots: last, or under `"annotators"` of a dict.

    Args:
        x: Features: an array, or a list, tuple or dict of arrays.
        annotators: Annotator of each slot, integers `(items, slots)`, as from `annotations.slots()`.

    Returns:
        A tuple, or a dict, with the annotators added.

    Example:

    >>> keras_crowd.pipelines.with_annotators("features", "ids")
    ('features', 'ids')
    """
    if isinstance(x, dict):
        return {**x, "annotators": annotators}
    return (*x, annotators) if isinstance(x, list | tuple) else (x, annotators)


def checked_weights(sample_weight: npt.ArrayLike | None, annotations: Annotations) -> np.ndarray | None:
    """One weight per item, float32."""
    if sample_weight is None:
        return None
    weights = np.asarray(rows_by_id("sample_weight", sample_weight, annotations), np.float32)
    if weights.shape != (annotations.num_items,) or not np.all(np.isfinite(weights) & (weights >= 0)):
        raise ValueError(
            f"`sample_weight` must be {annotations.num_items} finite numbers, one for each item, none negative. "
            f"Received: shape {weights.shape}"
        )
    return weights
