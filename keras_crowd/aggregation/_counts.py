"""Sums over the answers, whose time and memory follow the number of answers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..annotations import Annotations

TINY = 1e-30  # probability of what a float32 softmax rounds to 0
_BLOCK = 4096  # items


class AnswerSums:
    """The two sums of expectation maximization over the same answers, their indices made once."""

    def __init__(self, annotations: Annotations) -> None:
        self.shape = (annotations.num_annotators, annotations.num_classes, annotations.num_classes)
        self.num_items = annotations.num_items
        self.item = annotations.item_index.astype(np.intp)
        self.cell = annotator_answer(annotations)
        counts = annotations.answers_per_item()
        self._most_first = np.argsort(-counts, kind="stable")
        first = (np.cumsum(counts) - counts)[self._most_first]
        with_answer = np.searchsorted(-counts[self._most_first], -np.arange(counts.max(initial=0)))
        self._cells = [self.cell[first[:size] + s] for s, size in enumerate(with_answer)]

    def expected_counts(self, posterior: np.ndarray) -> np.ndarray:
        """M-step: `n_rkl = sum_i q_ik [y_ir = l]`, `(annotators, true, answer)`."""
        return _expected_counts(self.cell, self.shape, (q_k[self.item] for q_k in posterior.T.copy()))

    def log_likelihood(self, log_confusion: np.ndarray) -> np.ndarray:
        """E-step: `sum_r log A_r,k,y_ir`, `(items, true)`.

        In blocks of items that fit into the cache, first every item's first answer is added, then every
        item's second: items with the most answers stand first, so each time it is the first rows of the
        block that are added to.
        """
        num_annotators, num_classes, _ = self.shape
        rows = log_confusion.transpose(0, 2, 1).reshape(num_annotators * num_classes, num_classes)
        log_likelihood = np.empty((self.num_items, num_classes))
        for start in range(0, self.num_items, _BLOCK):
            items = self._most_first[start : start + _BLOCK]
            total = np.zeros((len(items), num_classes))
            for cells in self._cells:
                some = cells[start : start + _BLOCK]
                if not len(some):
                    break
                total[: len(some)] += np.take(rows, some, axis=0)
            log_likelihood[items] = total
        return log_likelihood


def expected_counts(annotations: Annotations, weights: Iterable[np.ndarray]) -> np.ndarray:
    """How often each annotator gave each answer to each true class, `n_rkl`.

    Args:
        annotations: The answers.
        weights: For each true class in turn, its weight for each answer, `(answers,)`.

    Returns:
        float64 `(annotators, true, answer)`.

    Example:

    >>> annotations = Annotations.from_dense([[0], [1], [1]])
    >>> expected_counts(annotations, [np.array([1.0, 0.5, 0.0]), np.array([0.0, 0.5, 1.0])])
    array([[[1. , 0.5],
            [0. , 1.5]]])
    """
    shape = (annotations.num_annotators, annotations.num_classes, annotations.num_classes)
    return _expected_counts(annotator_answer(annotations), shape, weights)


def _expected_counts(
    cell: np.ndarray, shape: tuple[int, int, int], weights: Iterable[np.ndarray]
) -> np.ndarray:
    """One pass a class over contiguous memory: as fast as a sparse matrix product."""
    size, num_classes, _ = shape
    counts = np.empty(shape)
    for k, weight in enumerate(weights):
        weighted = np.bincount(cell, weights=weight, minlength=size * num_classes)
        counts[:, k] = weighted.reshape(size, num_classes)
    return counts


def vote_counts(annotations: Annotations) -> np.ndarray:
    """How many answers of each class each item has, `(items, classes)`."""
    num_classes = annotations.num_classes
    cell = annotations.item_index.astype(np.int64) * num_classes + annotations.answers
    votes = np.bincount(cell, minlength=annotations.num_items * num_classes)
    return votes.reshape(annotations.num_items, num_classes)


def annotator_answer(annotations: Annotations) -> np.ndarray:
    """The cell (annotator, answer) of each answer, as one index."""
    return annotations.annotator_index.astype(np.intp) * annotations.num_classes + annotations.answers


def log_normalize(log_joint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior of each row, and the log of what it was divided by (the evidence).

    In blocks that fit into the cache, the long axis last: several times as fast as over the whole.
    """
    posterior, evidence = np.empty(log_joint.shape), np.empty(len(log_joint))
    for start in range(0, len(log_joint), _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = log_joint[rows].T.copy()
        largest = block.max(axis=0)
        np.exp(block - largest, out=block)
        total = block.sum(axis=0)
        posterior[rows] = (block / total).T
        evidence[rows] = largest + np.log(total)
    return posterior, evidence
