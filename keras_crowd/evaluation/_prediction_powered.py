"""Means with intervals, from gold values of some items and predictions of all."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import array_of_numbers, number
from .._repr import one_line
from .._student import student_quantile
from ..annotations import rows_like

_FEWEST = 3
_IMAGINED_SQUARES = 0.5  # of one more gold item of either value, both predicted half-way


class MeanEstimate(NamedTuple):
    """Result of `prediction_powered_mean` and `confusion_corrected_mean`.

    Attributes:
        mean: The estimated mean.
        low: Lower end of the confidence interval.
        high: Upper end of the confidence interval.
        standard_error: Standard error of the mean.
        prediction_weight: Factor of the predictions; 0 where they say nothing about gold.

    Example:

    >>> gold = [1.0, 0.0, 1.0, 1.0, float("nan"), float("nan")]
    >>> round(keras_crowd.evaluation.prediction_powered_mean([1, 0, 1, 1, 1, 0], gold).mean, 3)
    0.667
    """

    mean: float
    low: float
    high: float
    standard_error: float
    prediction_weight: float

    def __repr__(self) -> str:
        return one_line(self)


def prediction_powered_mean(
    predictions: npt.ArrayLike, gold: npt.ArrayLike, *, confidence_level: float = 0.95
) -> MeanEstimate:
    """Estimates the mean over all items from predictions of all and gold values of some, with an interval.

    With predictions `f` of `n` items with gold `y` and of `N` others,

        mean = mean(y) + w (mean of f over the others - mean of f over the gold items)

    where the weight `w = cov(y, f) / ((1 + n / N) var(f))` makes the variance smallest. The mean is that of gold,
    however wrong the predictions are, as long as the items with gold are drawn at random; good predictions make the
    interval shorter. The interval uses Student's distribution with `n - 2` degrees of freedom, and allows for the
    weight being estimated. Where gold is 0 or 1, the variance includes one more gold item of each value with a
    prediction half-way, because a few items without a mistake do not make predictions infallible.

    For the win rate of one of two systems, predictions are the probabilities of a win and gold is 1 or 0. For the
    accuracy of a model, predictions are the probabilities of the classes it predicts, and gold is whether it was right.
    The predictions of the gold items must not use their gold labels: a `posterior` that was given these labels is no
    prediction of them.

    Args:
        predictions: Numbers of any scale for all items, `(items,)`, such as a column of a `posterior`.
        gold: True values of some items drawn at random, floats `(items,)`, `NaN` where unknown. At least 3. Two series
            are matched by their indices.
        confidence_level: Float between 0 and 1. Share of intervals that contain the mean. Defaults to 0.95.

    Returns:
        `MeanEstimate(mean, low, high, standard_error, prediction_weight)`.

    Raises:
        ValueError: When shapes disagree, predictions are not finite, or fewer than 3 gold values are known.

    Example:

    >>> rng = np.random.default_rng(0)
    >>> wins = (rng.random(500) < 0.6).astype(float)
    >>> predictions = np.where(rng.random(500) < 0.9, wins, 1 - wins)
    >>> gold = np.where(np.arange(500) < 50, wins, np.nan)
    >>> found = keras_crowd.evaluation.prediction_powered_mean(predictions, gold)
    >>> bool(found.low < wins.mean() < found.high)
    True

    Reference:
        A. N. Angelopoulos, S. Bates, C. Fannjiang, M. I. Jordan, T. Zrnic, "Prediction-powered inference", Science 382,
        2023; the weight: A. N. Angelopoulos, J. C. Duchi, T. Zrnic, "PPI++: efficient prediction-powered inference",
        arXiv 2311.01453, 2023.
    """
    gold = rows_like("gold", gold, "predictions", predictions)
    f, y = array_of_numbers("predictions", predictions), array_of_numbers("gold", gold)
    level = number("confidence_level", confidence_level, above=0, below=1)
    known = _checked(f, y)
    mean, variance, weight = _estimate(y[known], f[known], f[~known])
    error = math.sqrt(variance)
    margin = student_quantile(0.5 + level / 2, int(known.sum()) - 2) * error
    return MeanEstimate(mean, mean - margin, mean + margin, error, weight)


def _checked(f: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Positions of known gold values, as a mask."""
    if f.ndim != 1 or not np.all(np.isfinite(f)):
        raise ValueError(
            f"`predictions` must be finite numbers of shape (items,). Received: shape {f.shape}, "
            f"{int(np.sum(~np.isfinite(f)))} not finite"
        )
    known = ~np.isnan(y)
    if y.shape != f.shape or np.isinf(y).any() or known.sum() < _FEWEST:
        raise ValueError(
            f"`gold` must be numbers of shape {f.shape}, NaN where unknown, at least {_FEWEST} of them known. "
            f"Received: shape {y.shape}, {int(known.sum())} known"
        )
    return known


def _estimate(y: np.ndarray, f: np.ndarray, others: np.ndarray) -> tuple[float, float, float]:
    """Mean, its variance, and the weight of the predictions.

    The weight is estimated from the gold items as the slope of a regression; the variance heeds that as a regression
    does that predicts at the mean of the predictions.
    """
    n, size = len(y), len(others)
    binary = _IMAGINED_SQUARES * np.all((y == 0) | (y == 1))
    squares = np.sum((f - f.mean()) ** 2)
    if size == 0 or squares <= 1e-12 * max(np.sum(f**2), 1e-300):
        return float(y.mean()), float((np.var(y) * n + binary) / (n - 1) / n), 0.0
    weight = float((f - f.mean()) @ (y - y.mean()) / squares / (1 + n / size))
    apart = others.mean() - f.mean()
    rest = y - y.mean() - weight * (f - f.mean())
    of_gold = ((rest @ rest + binary) / (n - 2)) * (1 / n + (apart / (1 + n / size)) ** 2 / squares)
    of_others = weight**2 * np.var(np.concatenate([f, others]), ddof=1) / size
    return float(y.mean() + weight * apart), float(of_gold + of_others), weight
