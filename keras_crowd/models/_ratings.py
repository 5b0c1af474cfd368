"""Checks of numeric answers at the door of `fit`."""

import numpy as np

from ..layers import CrowdLayer


def check_ratings(answers: np.ndarray, width: int, crowd: CrowdLayer) -> np.ndarray:
    """Where there is a rating, `(items, annotators or slots)`."""
    expected = (len(answers), width, *crowd.answer_shape(crowd.predictions_shape))
    if answers.shape != expected:
        raise ValueError(f"`answers` must have shape {expected}. Received: shape {answers.shape}")
    if answers.dtype.kind != "f":
        raise ValueError(
            "`answers` must be floats with NaN for missing (a -1 would be a rating). "
            f"Received: dtype {answers.dtype}"
        )
    wrong = np.isinf(answers)
    if wrong.any():
        where = tuple(map(int, np.argwhere(wrong)[0]))
        raise ValueError(
            "`answers` must be finite numbers, or NaN for missing. "
            f"Received: {int(wrong.sum())} that are not, the first {answers[where]} at {where}"
        )
    observed = ~np.isnan(answers)
    return observed.reshape(len(answers), width, -1).any(axis=2)
