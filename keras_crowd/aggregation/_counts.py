"""Sums over the answers. One pass a class over contiguous memory: as fast as a sparse matrix product."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..annotations import Annotations


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
    size, num_classes = annotations.num_annotators, annotations.num_classes
    cell = annotator_answer(annotations)
    counts = np.empty((size, num_classes, num_classes))
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
    return annotations.annotator_index.astype(np.int64) * annotations.num_classes + annotations.answers


def answer_log_likelihood(annotations: Annotations, log_confusion: np.ndarray) -> np.ndarray:
    """E-step: `sum_r log A_r,k,y_ir` as `(items, true)`; the transpose of the M-step's product."""
    cell, item = annotator_answer(annotations), annotations.item_index.astype(np.int64)
    log_likelihood = np.empty((annotations.num_items, annotations.num_classes))
    for k in range(annotations.num_classes):
        given_k = log_confusion[:, k].ravel()
        log_likelihood[:, k] = np.bincount(item, weights=given_k[cell], minlength=annotations.num_items)
    return log_likelihood
