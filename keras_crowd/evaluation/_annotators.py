"""Estimated against true annotators."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import given_weights
from ..annotations import rows_like
from ._predictions import same_shape


class AnnotatorCorrelation(NamedTuple):
    """Result of `annotator_correlation`.

    Attributes:
        pearson: Correlation of the accuracies themselves, from -1 to 1.
        spearman: Correlation of their ranks.

    Example:

    >>> keras_crowd.evaluation.annotator_correlation([0.5, 0.6, 0.9], [0.1, 0.2, 0.3]).spearman
    1.0
    """

    pearson: float
    spearman: float


def annotator_correlation(
    estimated: npt.ArrayLike, gold: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> AnnotatorCorrelation:
    """Measures whether the annotators believed to be good are the good ones.

    Args:
        estimated: Estimated accuracy of each annotator, `(annotators,)`, as from
            `aggregation.annotator_accuracy`. Two series are matched by their indices.
        gold: Accuracy of each annotator against gold labels, `(annotators,)`.
        weights: Weight of each annotator, such as its number of answers to gold items, `(annotators,)`; 0 leaves an
            annotator out, whose accuracy may then be NaN. Defaults to equal weights. The weights enter the correlation,
            but not the ranks (1 is the lowest, and ties share their mean rank).

    Returns:
        `AnnotatorCorrelation(pearson, spearman)`; both NaN where all accuracies of one side are the
        same.

    Raises:
        ValueError: When the shapes disagree, fewer than two annotators remain, or one is not finite.

    Example:

    >>> keras_crowd.evaluation.annotator_correlation([0.9, 0.6, 0.3], [1.0, 0.5, 0.0])
    AnnotatorCorrelation(pearson=1.0, spearman=1.0)

    Reference:
        C. Spearman, "The proof and measurement of association between two things", American Journal
        of Psychology 15, 1904.
    """
    gold, weights = (
        rows_like("gold", gold, "estimated", estimated),
        rows_like("weights", weights, "estimated", estimated),
    )
    estimated, gold = np.asarray(estimated, float), np.asarray(gold, float)
    if estimated.ndim != 1:
        raise ValueError(f"`estimated` must have shape (annotators,). Received: shape {estimated.shape}")
    same_shape("gold", gold, "estimated", estimated)
    weights = given_weights("weights", weights, len(estimated), "annotator")
    kept = weights > 0
    estimated, gold, weights = estimated[kept], gold[kept], weights[kept]
    for name, accuracy in (("estimated", estimated), ("gold", gold)):
        if len(accuracy) < 2 or not np.all(np.isfinite(accuracy)):
            raise ValueError(
                f"`{name}` must be finite numbers of at least two annotators with positive weight. "
                f"Received: {name}={accuracy}"
            )
    ranks = _ranks(estimated), _ranks(gold)
    return AnnotatorCorrelation(_pearson(estimated, gold, weights), _pearson(*ranks, weights))


def _pearson(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    a, b = a - np.average(a, weights=weights), b - np.average(b, weights=weights)
    covariance, variances = np.sum(weights * a * b), np.sum(weights * a * a) * np.sum(weights * b * b)
    return float(np.clip(covariance / np.sqrt(variances), -1, 1))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, the mean rank for ties."""
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(size) - (size - 1) / 2)[group]
