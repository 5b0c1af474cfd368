"""Shares of the classes. NumPy only."""

import numpy as np

from .annotations import Annotations, Votes

_TINY = 1e-9


def class_shares(annotations: Annotations) -> np.ndarray:
    """Share of each class in the answers, `(classes,)`."""
    votes = Votes(annotations)
    counts = np.bincount(votes.code, weights=votes.weights(), minlength=annotations.num_classes)
    return counts / max(counts.sum(), 1)


def inequality(shares: np.ndarray) -> np.ndarray:
    """`-1/K sum_k log(K f_k)` in nats, of shares `(..., K)`: `ClassifierLogDet` of a classifier sure of every item."""
    return -np.log(np.maximum(shares.shape[-1] * shares, _TINY)).mean(axis=-1)
