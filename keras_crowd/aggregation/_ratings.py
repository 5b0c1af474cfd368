"""Means of ratings, and how far annotators are from a truth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._repr import one_line
from ..annotations import Annotations, Answers, as_ratings, by_ids, share


def mean_rating(answers: Answers) -> np.ndarray:
    """Computes the mean rating of each item.

    Args:
        answers: `Annotations` of numbers, or floats `(items, annotators)` with `NaN` for missing.

    Returns:
        float64 `(items,)`, `NaN` for an item nobody rated.

    Example:

    >>> mean_rating([[1.0, 2.0], [3.0, np.nan], [np.nan, np.nan]])
    array([1.5, 3. , nan])
    """
    ratings = as_ratings(answers)
    return share(by_item(ratings, ratings.answers), ratings.answers_per_item())


def median_rating(answers: Answers) -> np.ndarray:
    """Computes the median rating of each item; of an even number of ratings, the mean of the two in the middle.

    Args:
        answers: `Annotations` of numbers, or floats `(items, annotators)` with `NaN` for missing.

    Returns:
        float64 `(items,)`, `NaN` for an item nobody rated.

    Example:

    >>> median_rating([[1.0, 2.0, 9.0], [3.0, np.nan, 4.0], [np.nan, np.nan, np.nan]])
    array([2. , 3.5, nan])
    """
    ratings = as_ratings(answers)
    counts = ratings.answers_per_item()
    first = np.cumsum(counts) - counts
    ordered = ratings.answers[np.lexsort((ratings.answers, ratings.item_index))].astype(float)
    low, high = first + np.maximum(counts - 1, 0) // 2, first + counts // 2
    last = len(ordered) - 1
    middle = 0.5 * (ordered[np.minimum(low, last)] + ordered[np.minimum(high, last)])
    return np.where(counts > 0, middle, np.nan)


class Deviations(NamedTuple):
    """Result of `deviations`.

    Attributes:
        bias: Mean of rating minus truth of each annotator, `(annotators,)`; `NaN` without ratings.
        rmse: Root of the mean square of the same.
    """

    bias: np.ndarray
    rmse: np.ndarray

    def __repr__(self) -> str:
        return one_line(self)


def deviations(answers: Answers, truth: npt.ArrayLike) -> Deviations:
    """Measures how far each annotator is from the truth, or from an estimate of it.

    Args:
        answers: `Annotations` of numbers, or floats `(items, annotators)` with `NaN` for missing.
        truth: Gold ratings, or an estimate, `(items,)`; items without one (`NaN`) are left out. A pandas
            series is read by the ids in its index.

    Returns:
        `Deviations(bias, rmse)`.

    Example:

    >>> deviations([[1.0, 3.0], [2.0, np.nan]], [1.0, 1.0])
    Deviations(bias=array([0.5, 2. ]), rmse=array([0.70710678, 2.        ]))
    """
    ratings = as_ratings(answers)
    truth = np.asarray(by_ids("truth", truth, ratings), float)
    if truth.shape != (ratings.num_items,):
        raise ValueError(
            f"`truth` must be {ratings.num_items} numbers, one for each item. Received: shape {truth.shape}"
        )
    error = ratings.answers - truth[ratings.item_index]
    known = ~np.isnan(error)
    error, counts = np.where(known, error, 0.0), by_annotator(ratings, known)
    bias = share(by_annotator(ratings, error), counts)
    return Deviations(bias, np.sqrt(share(by_annotator(ratings, error**2), counts)))


def by_annotator(ratings: Annotations, values: np.ndarray) -> np.ndarray:
    """A value, or a row of them, of each answer, summed by annotator."""
    return _summed(ratings.annotator_index, values, ratings.num_annotators)


def by_item(ratings: Annotations, values: np.ndarray) -> np.ndarray:
    """A value, or a row of them, of each answer, summed by item."""
    return _summed(ratings.item_index, values, ratings.num_items)


def _summed(groups: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    if values.ndim == 1:
        return np.bincount(groups, values, minlength=size)
    return np.stack([np.bincount(groups, column, minlength=size) for column in values.T], axis=1)


def truth_given(
    ratings: Annotations,
    prior: np.ndarray,
    prior_variance: float,
    bias: np.ndarray,
    variance: np.ndarray,
    *,
    scale: np.ndarray | float = 1.0,
    gold: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """E-step of Raykar et al.: mean and variance of each item's truth, and the evidence of its answers.

    With `z_i ~ N(prior_i, prior_variance)` and `y_ir ~ N(scale_r z_i + bias_r, variance_r)`, each `(items,)`. Where
    `gold` is no `NaN` it is the truth, and the evidence is of both.
    """
    annotator, t = ratings.annotator_index, prior_variance
    scale = np.broadcast_to(scale, variance.shape)
    residual = ratings.answers - bias[annotator] - scale[annotator] * prior[ratings.item_index]
    truth_variance = 1 / (1 / t + by_item(ratings, (scale**2 / variance)[annotator]))
    weighted = by_item(ratings, (scale / variance)[annotator] * residual)
    gain = 0.5 * (np.log(truth_variance / t) + truth_variance * weighted**2)
    truth = prior + truth_variance * weighted
    evidence = answer_log_density(ratings, prior, bias, variance, scale) + gain
    if gold is not None and not np.all(np.isnan(gold)):
        known = ~np.isnan(gold)
        truth, truth_variance = np.where(known, gold, truth), np.where(known, 0.0, truth_variance)
        own = -0.5 * (np.log(2 * np.pi * t) + (truth - prior) ** 2 / t)
        given = answer_log_density(ratings, truth, bias, variance, scale)
        evidence = np.where(known, given + own, evidence)
    return truth, truth_variance, evidence


def answer_log_density(
    ratings: Annotations,
    truth: np.ndarray,
    bias: np.ndarray,
    variance: np.ndarray,
    scale: np.ndarray | float = 1.0,
) -> np.ndarray:
    """`sum_r log N(y_ir; scale_r truth_i + bias_r, variance_r)`, `(items,)`."""
    annotator = ratings.annotator_index
    precision = 1 / variance[annotator]
    expected = (
        np.broadcast_to(scale, variance.shape)[annotator] * truth[ratings.item_index] + bias[annotator]
    )
    error = ratings.answers - expected
    return 0.5 * by_item(ratings, np.log(precision / (2 * np.pi)) - precision * error**2)


def noise_variance(
    ratings: Annotations,
    truth: np.ndarray,
    truth_variance: np.ndarray,
    bias: np.ndarray,
    strength: float,
    common: float,
    *,
    scale: np.ndarray | float = 1.0,
) -> np.ndarray:
    """M-step of Raykar et al.: each annotator's variance, with `strength` pseudo-answers of variance `common`."""
    item, annotator = ratings.item_index, ratings.annotator_index
    scale = np.broadcast_to(scale, bias.shape)[annotator]
    squares = (ratings.answers - scale * truth[item] - bias[annotator]) ** 2 + scale**2 * truth_variance[
        item
    ]
    return (strength * common + by_annotator(ratings, squares)) / (
        strength + ratings.answers_per_annotator()
    )


def log_prior_of(variance: np.ndarray, strength: float, common: float) -> float:
    """Log of the inverse gamma prior of `noise_variance`, up to a constant."""
    return float(-0.5 * strength * np.sum(np.log(variance) + common / variance))
