"""Sums over the answers, whose time and memory follow the number of answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ..annotations import Annotations, Votes

TINY = 1e-30  # probability of what a float32 softmax rounds to 0
_BLOCK = 4096  # items


class AnswerSums:
    """The two sums of expectation maximization over the same answers, their indices made once.

    Items stand in the order `order`, those with the most votes first (an answer, or of a soft one each class that it
    gives a probability); votes so that every item's first comes before every item's second. The items of all `s`-th
    votes are then the first ones: nothing has to be looked up.
    """

    def __init__(self, annotations: Annotations) -> None:
        self.shape = (annotations.num_annotators, annotations.num_classes, annotations.num_classes)
        self.num_items = annotations.num_items
        votes = Votes(annotations)
        cell, weight = annotator_answer(annotations, votes), votes.weights()
        counts = np.bincount(votes.of(annotations.item_index), minlength=self.num_items)
        self.order = np.argsort(-counts, kind="stable")
        first = (np.cumsum(counts) - counts)[self.order]
        self._sizes = np.searchsorted(-counts[self.order], -np.arange(counts.max(initial=0)))
        by_slot = [first[:size] + s for s, size in enumerate(self._sizes)]
        self._all_cells, ends = _by_slot(cell, by_slot), np.cumsum(self._sizes)[:-1]
        self._all_weights = None if weight is None else _by_slot(weight, by_slot)
        self._cells = np.split(self._all_cells, ends)  # views
        self._weights = None if self._all_weights is None else np.split(self._all_weights, ends)

    def counts_by_class(self, q: np.ndarray) -> np.ndarray:
        """M-step: `n_rkl = sum_i q_ki y_irl`, `(annotators, true, answer)`; `q` `(true, items)` in `order`.

        There may be another number of true classes than of answers.
        """
        buffer = np.empty(len(self._all_cells))
        given = (np.concatenate([q_k[:0], *(q_k[:n] for n in self._sizes)], out=buffer) for q_k in q)
        if self._all_weights is not None:
            given = (np.multiply(values, self._all_weights, out=buffer) for values in given)
        return _expected_counts(self._all_cells, (self.shape[0], len(q), self.shape[2]), given)

    def blocks(self, log_confusion: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """E-step: `sum_rl y_irl log A_rkl`, `(items, true)`, of some items in `order` after others.

        So many that they fit into the cache, along with what is done to them next.
        """
        num_annotators, num_true, num_classes = log_confusion.shape
        rows = log_confusion.transpose(0, 2, 1).reshape(num_annotators * num_classes, num_true)
        for start in range(0, self.num_items, _BLOCK):
            block = slice(start, min(start + _BLOCK, self.num_items))
            total = np.zeros((block.stop - start, num_true))
            for s, cells in enumerate(self._cells):
                some = cells[block]
                if not len(some):
                    break
                given = np.take(rows, some, axis=0)
                if self._weights is not None:
                    given *= self._weights[s][block, None]
                total[: len(some)] += given
            yield block, total

    def expected_counts(self, posterior: np.ndarray) -> np.ndarray:
        """`counts_by_class` of a posterior `(items, classes)` as the annotations have them."""
        return self.counts_by_class(posterior[self.order].T.copy())

    def log_likelihood(self, log_confusion: np.ndarray) -> np.ndarray:
        """`blocks` as one array `(items, true)`, items as the annotations have them."""
        log_likelihood = np.empty((self.num_items, self.shape[1]))
        for block, values in self.blocks(log_confusion):
            log_likelihood[self.order[block]] = values
        return log_likelihood

    def expectation(
        self, log_confusion: np.ndarray, log_prior: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Posterior `(classes, items)` in `order`, and the evidence of each item.

        Args:
            log_confusion: `log A_rkl`, `(annotators, true, answer)`.
            log_prior: `log pi_ik`, `(classes,)` or, in `order`, `(items, classes)`. A class at minus infinity is ruled
                out: where all but one are, the evidence is the log of the joint probability with that class.
        """
        num_true = log_confusion.shape[1]
        log_prior = np.broadcast_to(log_prior, (self.num_items, num_true))
        posterior, evidence = np.empty((num_true, self.num_items)), np.empty(self.num_items)
        for block, values in self.blocks(log_confusion):
            posterior[:, block], evidence[block] = _normalized((values + log_prior[block]).T.copy())
        return posterior, evidence

    def as_given(self, ordered: np.ndarray) -> np.ndarray:
        """`(classes, items)` in `order` as `(items, classes)` as the annotations have them."""
        values = np.empty(ordered.T.shape)
        values[self.order] = ordered.T
        return values


def expected_counts(annotations: Annotations, weights: Iterable[np.ndarray]) -> np.ndarray:
    """Counts each annotator's answers to each true class, `n_rkl`; soft answers by their probabilities.

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
    votes = Votes(annotations)
    given = (votes.weighted(votes.of(weight)) for weight in weights)
    return _expected_counts(annotator_answer(annotations, votes), shape, given)


def _by_slot(values: np.ndarray, positions: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([values[:0], *(values[position] for position in positions)])


def _expected_counts(
    cell: np.ndarray, shape: tuple[int, int, int], weights: Iterable[np.ndarray]
) -> np.ndarray:
    """One pass a class over contiguous memory: as fast as a sparse matrix product."""
    size, _, num_classes = shape
    counts = np.empty(shape)
    for k, weight in enumerate(weights):
        weighted = np.bincount(cell, weights=weight, minlength=size * num_classes)
        counts[:, k] = weighted.reshape(size, num_classes)
    return counts


def vote_counts(annotations: Annotations, annotator_weights: np.ndarray | None = None) -> np.ndarray:
    """Counts the answers of each class to each item, the sum of soft and of weighted ones, `(items, classes)`."""
    num_classes, votes = annotations.num_classes, Votes(annotations)
    cell = votes.of(annotations.item_index).astype(np.int64) * num_classes + votes.code
    weights = votes.weights()
    if annotator_weights is not None:
        weights = votes.weighted(votes.of(annotator_weights[annotations.annotator_index]))
    counts = np.bincount(cell, weights=weights, minlength=annotations.num_items * num_classes)
    return counts.reshape(annotations.num_items, num_classes)


def annotator_answer(annotations: Annotations, votes: Votes) -> np.ndarray:
    """The cell (annotator, answer) of each vote, as one index."""
    return votes.of(annotations.annotator_index).astype(np.intp) * annotations.num_classes + votes.code


def log_normalize(log_joint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior of each row, and the log of what it was divided by (the evidence).

    In blocks that fit into the cache, the long axis last: several times as fast as over the whole.
    """
    posterior, evidence = np.empty(log_joint.shape), np.empty(len(log_joint))
    for start in range(0, len(log_joint), _BLOCK):
        rows = slice(start, start + _BLOCK)
        columns, evidence[rows] = _normalized(log_joint[rows].T.copy())
        posterior[rows] = columns.T
    return posterior, evidence


def _normalized(log_joint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same over columns, in place."""
    largest = log_joint.max(axis=0)
    np.subtract(log_joint, largest, out=log_joint)
    np.exp(log_joint, out=log_joint)
    total = log_joint.sum(axis=0)
    log_joint /= total
    return log_joint, largest + np.log(total)
