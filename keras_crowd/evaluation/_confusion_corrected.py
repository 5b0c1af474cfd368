"""Shares of classes from predictions of all items, corrected for how they err on items with gold labels."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from .._arguments import array_of_numbers, number
from ..annotations import rows_like
from ._prediction_powered import MeanEstimate

_FEWEST = 3


def confusion_corrected_mean(
    predictions: npt.ArrayLike, gold: npt.ArrayLike, *, confidence_level: float = 0.95
) -> MeanEstimate:
    """Estimates a share over all items from predictions of all and gold labels, 0 or 1, of some, with an interval.

    With the mean predictions `f1` of gold items that are 1 and `f0` of those that are 0, and `f` of all items,

        mean = (f - f0) / (f1 - f0)

    For predictions of 0 and 1, `f1` is their sensitivity and `1 - f0` their specificity. Items with gold may be chosen
    by their class, such as equally many of each; only within a class must they be drawn at random. If gold items are
    drawn at random from all items, `prediction_powered_mean` has the shorter interval. The variance is that of the
    delta method. Where predictions hardly distinguish the classes, the interval is wide or infinite.

    Args:
        predictions: Numbers of any scale for all items, `(items,)`, such as a column of a `posterior`.
        gold: True values of some items, floats `(items,)`, 0 or 1, `NaN` where unknown; at least 3 of each. Two series
            are matched by their indices.
        confidence_level: Float between 0 and 1. Share of intervals that contain the mean. Defaults to 0.95.

    Returns:
        `MeanEstimate(mean, low, high, standard_error, prediction_weight)`, all between 0 and 1 but the last two; the
        weight is `1 / (f1 - f0)`.

    Raises:
        ValueError: When shapes disagree, predictions are not finite, gold is not 0 or 1, fewer than 3 of either are
            known, or the predictions of both are alike on average.

    Example:

    >>> rng = np.random.default_rng(0)
    >>> wins = (rng.random(2000) < 0.7).astype(float)
    >>> predictions = np.where(rng.random(2000) < 0.8, wins, 1 - wins)
    >>> known = np.concatenate([np.flatnonzero(wins == k)[:100] for k in (0, 1)])
    >>> gold = np.full(2000, np.nan)
    >>> gold[known] = wins[known]
    >>> found = keras_crowd.evaluation.confusion_corrected_mean(predictions, gold)
    >>> bool(found.low < wins.mean() < found.high)
    True

    Reference:
        W. J. Rogan, B. Gladen, "Estimating prevalence from the results of a screening test", American Journal of
        Epidemiology 107, 1978.
    """
    gold = rows_like("gold", gold, "predictions", predictions)
    f, y = array_of_numbers("predictions", predictions), array_of_numbers("gold", gold)
    level = number("confidence_level", confidence_level, above=0, below=1)
    of_ones, of_zeros = _checked(f, y)
    apart = of_ones.mean() - of_zeros.mean()
    if apart == 0:
        raise ValueError(
            f"`predictions` must differ between gold 0 and gold 1. Received: {of_zeros.mean():.3g} on average for both"
        )
    mean = float(np.clip((f.mean() - of_zeros.mean()) / apart, 0.0, 1.0))
    variance = np.var(f, ddof=1) / len(f)
    variance += mean**2 * np.var(of_ones, ddof=1) / len(of_ones)
    variance += (1 - mean) ** 2 * np.var(of_zeros, ddof=1) / len(of_zeros)
    error = math.sqrt(variance) / abs(apart)
    margin = NormalDist().inv_cdf(0.5 + level / 2) * error
    return MeanEstimate(mean, max(mean - margin, 0.0), min(mean + margin, 1.0), error, float(1 / apart))


def _checked(f: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predictions of the gold items that are 1, and of those that are 0."""
    if f.ndim != 1 or not np.all(np.isfinite(f)):
        raise ValueError(
            f"`predictions` must be finite numbers of shape (items,). Received: shape {f.shape}, "
            f"{int(np.sum(~np.isfinite(f)))} not finite"
        )
    counts = [int(np.sum(y == k)) for k in (1, 0)]
    if y.shape != f.shape or sum(counts) != np.sum(~np.isnan(y)) or min(counts) < _FEWEST:
        raise ValueError(
            f"`gold` must be 0 or 1, NaN where unknown, of shape {f.shape}, at least {_FEWEST} of each known. "
            f"Received: shape {y.shape}, {counts[1]} zeros and {counts[0]} ones"
        )
    return f[y == 1], f[y == 0]
