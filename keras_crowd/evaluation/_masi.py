"""MASI, the distance of two sets of labels, over pairs of answers."""

from __future__ import annotations

import numpy as np

_BLOCK = 1024  # sets that are compared with all others at a time


def masi_of_pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Distances of sets `(pairs, labels)` of 1, 0 and -1, one by one, `(pairs,)`."""
    common = (first >= 0) & (second >= 0)
    a, b = ((of > 0) & common for of in (first, second))
    return _distance((a & b).sum(axis=1), a.sum(axis=1), b.sum(axis=1))


def mean_masi(answers: np.ndarray) -> float:
    """Mean distance over all pairs of answers `(answers, labels)`, each pair once."""
    sets, counts = np.unique(answers, axis=0, return_counts=True)
    ticked, shown = (part.astype(np.float32) for part in (sets > 0, sets >= 0))
    total = 0.0
    for start in range(0, len(sets), _BLOCK):
        block = slice(start, start + _BLOCK)
        sizes = ticked[block] @ shown.T, shown[block] @ ticked.T
        total += float(counts[block] @ _distance(ticked[block] @ ticked.T, *sizes) @ counts)
    n = counts.sum()
    return total / (n * (n - 1))


def _distance(both: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`1 - |A and B| / |A or B| m`, of the sizes of the intersection and of the sets; 0 for two empty ones."""
    m = np.select([(both == a) & (both == b), both == np.minimum(a, b), both > 0], [1.0, 2 / 3, 1 / 3])
    return 1 - np.where(a + b > 0, m * both / np.maximum(a + b - both, 1), 1.0)
