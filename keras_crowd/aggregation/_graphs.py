"""The graph of who was compared with whom: its parts, and equations over it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def connected(size: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The number of the group of each item, from 0 in the order of the items."""
    lowest = np.arange(size)
    while True:
        both = np.minimum(lowest[first], lowest[second])
        after = lowest.copy()
        np.minimum.at(after, first, both)
        np.minimum.at(after, second, both)
        after = after[after]  # halves the way
        if np.array_equal(after, lowest):
            return np.unique(lowest, return_inverse=True)[1]
        lowest = after


def conjugate_gradients(
    times: Callable[[np.ndarray], np.ndarray], b: np.ndarray, diagonal: np.ndarray
) -> np.ndarray:
    """The solution of `A x = b` for a positive definite `A` that is given by its product with a vector."""
    x, residual = np.zeros_like(b), b.copy()
    direction = scaled = residual / diagonal
    norm, enough = float(residual @ scaled), 1e-8 * float(b @ (b / diagonal))
    for _ in range(min(len(b), 500)):
        if norm <= enough:
            break
        product = times(direction)
        length = norm / float(direction @ product)
        x, residual = x + length * direction, residual - length * product
        scaled = residual / diagonal
        before, norm = norm, float(residual @ scaled)
        direction = scaled + norm / before * direction
    return x
