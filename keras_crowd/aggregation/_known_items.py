"""Starts of estimation, and the items that gold labels settle."""

from __future__ import annotations

import numpy as np

from ..annotations import Annotations
from ._answer_sums import vote_counts

_NEVER = 1e-9


def vote_shares(
    annotations: Annotations, known: np.ndarray, annotator_weights: np.ndarray | None = None
) -> np.ndarray:
    """Shares of the votes, `(items, classes)`, zeros without any; gold labels where they are known."""
    votes = vote_counts(annotations, annotator_weights)
    shares = votes / np.maximum(votes.sum(axis=1, keepdims=True), _NEVER)
    return np.where(known[:, None] < 0, shares, np.eye(annotations.num_classes)[known])


def ruled_out(known: np.ndarray, num_classes: int) -> np.ndarray | float:
    """Minus infinity for the classes that gold labels rule out, `(items, classes)`; 0 without gold labels."""
    if not np.any(known >= 0):
        return 0.0
    possible = (known[:, None] < 0) | (known[:, None] == np.arange(num_classes))
    return np.where(possible, 0.0, -np.inf)


def informed(annotations: Annotations, known: np.ndarray) -> np.ndarray:
    """Returns 1.0 for items with an answer or a gold label, 0.0 for the others, `(items,)`."""
    return ((annotations.answers_per_item() > 0) | (known >= 0)).astype(float)
