"""`CrowdDataset`: what the readers of this package return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..annotations import Annotations


@dataclass(frozen=True, eq=False, repr=False)
class CrowdDataset:
    """Features, the answers of the crowd to the training items, and gold labels to evaluate results.

    **`y_train` is for evaluation only**, to measure how good aggregated labels and estimated confusions are. A model
    that trained on it would use the labels that the crowd is meant to replace.

    Attributes:
        x_train: Features of the training items, float32 `(items, ...)`, or texts `(items,)`; row `i` is row
            `i` of `annotations`.
        annotations: The answers to the training items.
        y_train: Gold labels of the training items, int32 `(items,)`, or float32 ratings. For evaluation only.
        x_test: Features of the test items, likewise.
        y_test: Gold labels of the test items, likewise.
        class_names: Names of the classes, in the order of their codes; none for ratings.
        x_valid: Features of the validation items, or `None` where the data set has none.
        y_valid: Gold labels of the validation items, or `None`.
    """

    x_train: np.ndarray
    annotations: Annotations
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    x_valid: np.ndarray | None = None
    y_valid: np.ndarray | None = None

    def __post_init__(self) -> None:
        _same_rows("x_train", self.x_train, "y_train", self.y_train)
        _same_rows("x_train", self.x_train, "annotations", self.annotations.items)
        _same_rows("x_test", self.x_test, "y_test", self.y_test)
        _same_rows("x_valid", self.x_valid, "y_valid", self.y_valid)

    def __repr__(self) -> str:
        splits = {"x_train": self.x_train, "x_valid": self.x_valid, "x_test": self.x_test}
        shapes = ", ".join(f"{name} {x.shape}" for name, x in splits.items() if x is not None)
        kind = f"{len(self.class_names)} classes" if self.class_names else "ratings"
        return f"CrowdDataset({shapes}, {kind}, {self.annotations!r})"


def _same_rows(x_name: str, x: np.ndarray | None, y_name: str, y: np.ndarray | None) -> None:
    x_rows, y_rows = (None if rows is None else len(rows) for rows in (x, y))
    if x_rows != y_rows:
        raise ValueError(
            f"`{x_name}` and `{y_name}` must have the same number of rows. Received: {x_rows} and {y_rows}"
        )
