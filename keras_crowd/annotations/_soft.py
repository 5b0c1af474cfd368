"""Soft answers: a distribution over the classes in place of one class.

Soft answers are float32 `(..., classes)` where hard ones are codes `(...)`; a missing one is a row of zeros, as the
losses have it.
"""

from __future__ import annotations

import numpy as np

from .._arguments import distributions

_ROUNDING = 1e-6  # of float32; rows that are off by more are divided by their sum


def checked_distributions(name: str, rows: np.ndarray) -> np.ndarray:
    """Rows that are no less than 0 and sum to 1, float32, what rounding has left divided by the sum."""
    rows = distributions(name, rows)
    total = rows.sum(axis=-1, keepdims=True)
    return np.where(np.abs(total - 1) > _ROUNDING, rows / total, rows).astype(np.float32)


def one_hot(codes: np.ndarray, num_classes: int) -> np.ndarray:
    """Codes of classes, none missing, as distributions."""
    rows = np.zeros((len(codes), num_classes), np.float32)
    rows[np.arange(len(codes)), codes] = 1
    return rows
