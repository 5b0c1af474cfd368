"""Expected gains of answers."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from .._arguments import confusions, distributions
from ..aggregation import TINY

Criterion: TypeAlias = Literal["mixed", "information", "accuracy"]
_PARTS = {
    "mixed": (1.0, 0.1),
    "accuracy": (1.0, 0.0),
    "information": (0.0, 1.0),
}  # settled by benchmarks/acquisition.py
_NUMBERS = 2**19  # held at once


def expected_gain(
    posterior: npt.ArrayLike, confusion: npt.ArrayLike, *, criterion: Criterion = "mixed"
) -> np.ndarray:
    """Estimates how much an answer of each annotator to each item is expected to tell.

    With the posterior `q` of an item and the confusion `A` of an annotator, the answer `l` comes with the
    probability `p_l = sum_k q_k A_kl`, and leaves the posterior `q_k A_kl / p_l`. The expected gain is

        information:  sum_kl q_k A_kl log( A_kl / p_l ),   the nats by which entropy falls
        accuracy:     sum_l max_k q_k A_kl - max_k q_k,    the part of one more right label
        mixed:        accuracy + information / 10

    None of them is ever negative. A single answer that cannot change the most probable class adds no accuracy, but two
    such answers may. So `"mixed"` prefers answers that may change a label, and among the others those that tell most.

    Args:
        posterior: Probability of each class for each item, `q`, `(items, classes)`; rows sum to 1. From
            `aggregation.dawid_skene` or `aggregation.posterior`; a classifier's prediction for an item without answers.
        confusion: `A`, `(annotators, true, answer)`; rows sum to 1.
        criterion: `"mixed"`, `"information"` or `"accuracy"`. Defaults to `"mixed"`.

    Returns:
        float64 `(items, annotators)`.

    Raises:
        ValueError: When shapes disagree, rows are not distributions, or the criterion is unknown.

    Example:

    >>> confusion = [[[0.9, 0.1], [0.1, 0.9]], [[0.5, 0.5], [0.5, 0.5]]]
    >>> expected_gain([[0.5, 0.5], [0.95, 0.05]], confusion, criterion="information").round(3)
    array([[0.368, 0.   ],
           [0.08 , 0.   ]])
    >>> expected_gain([[0.5, 0.5], [0.95, 0.05]], confusion, criterion="accuracy").round(3)
    array([[0.4, 0. ],
           [0. , 0. ]])
    """
    matrices = confusions("confusion", confusion)
    q = distributions("posterior", posterior)
    if q.ndim != 2 or q.shape[1] != matrices.shape[1]:
        raise ValueError(
            f"`posterior` must have shape (items, {matrices.shape[1]}). Received: shape {q.shape}"
        )
    gain = Gain(matrices, criterion)
    return np.concatenate([gain(q[rows]) for rows in gain.blocks(len(q))])


class Gain:
    """The expected gain of answers of the same annotators, to any items."""

    def __init__(self, confusion: np.ndarray, criterion: Criterion) -> None:
        if criterion not in _PARTS:
            names = ", ".join(map(repr, _PARTS))
            raise ValueError(f"`criterion` must be one of {names}. Received: criterion={criterion!r}")
        self.confusion = confusion
        self._parts = _PARTS[criterion]
        self._by_class = confusion.transpose(1, 0, 2).reshape(
            confusion.shape[1], -1
        )  # (true, annotator answer)
        self._known = _negative_entropy(confusion).T  # (true, annotators)

    def __call__(self, q: np.ndarray) -> np.ndarray:
        """Returns the gains `(items, annotators)` under posteriors `(items, classes)`."""
        accuracy, information = self._parts
        gain = accuracy * self._accuracy(q) if accuracy else 0.0
        return np.maximum(gain + information * self._information(q) if information else gain, 0.0)

    def most(self, q: np.ndarray) -> np.ndarray:
        """The gain that nobody exceeds, `(items,)`."""
        accuracy, information = self._parts
        return accuracy * (1 - q.max(axis=1)) - information * _negative_entropy(q)

    def blocks(self, num_items: int) -> list[slice]:
        """Slices of so many items that what is computed at once stays small."""
        step = max(_NUMBERS // self._by_class.shape[1], 1)
        return [slice(start, start + step) for start in range(0, max(num_items, 1), step)]

    def _information(self, q: np.ndarray) -> np.ndarray:
        """Entropy of the answer, less that of the answer of known classes."""
        p = (q @ self._by_class).reshape(len(q), *self.confusion.shape[::2])
        return q @ self._known - _negative_entropy(p)

    def _accuracy(self, q: np.ndarray) -> np.ndarray:
        best = np.zeros((len(q), self._by_class.shape[1]))
        for q_k, A_k in zip(q.T, self._by_class, strict=True):
            np.maximum(best, q_k[:, None] * A_k, out=best)
        sums = best.reshape(len(q), *self.confusion.shape[::2]).sum(axis=2)
        return sums - q.max(axis=1, keepdims=True)


def _negative_entropy(p: np.ndarray) -> np.ndarray:
    return np.sum(p * np.log(np.maximum(p, TINY)), axis=-1)
