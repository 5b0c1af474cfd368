"""Confusions of one number per annotator."""

import numpy as np


def one_coin_confusion(accuracy: np.ndarray, num_classes: int) -> np.ndarray:
    """`(..., true, answer)` with `accuracy` `(...)` on the diagonal, errors even."""
    accuracy = np.asarray(accuracy)[..., None, None]
    wrong = (1 - accuracy) / max(num_classes - 1, 1)
    return np.where(np.eye(num_classes, dtype=bool), accuracy, wrong)
