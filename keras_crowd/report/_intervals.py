"""Intervals of 95 percent."""

from __future__ import annotations

import numpy as np

from ..evaluation import prediction_powered_mean

_Z = 1.959964
_ENOUGH = 50  # gold labels that can tell what predictions are worth; settled by benchmarks/report.py
_MOST_WORTH = 5.0  # of a gold label that predictions help, in gold labels


def of_draws(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interval that holds one more draw with a probability of 95 percent; the first axis of `draws` has them."""
    low, high = np.quantile(draws, [0.025, 0.975], axis=0, method="weibull")
    return low, high


def of_normal(mean: np.ndarray, deviation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interval of a normal distribution."""
    return mean - _Z * deviation, mean + _Z * deviation


def wilson(right: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's score interval of a share that is counted; NaN where nothing was."""
    n = np.where(np.asarray(total) > 0, total, np.nan)
    p, spread = right / n, _Z**2 / n
    middle = (p + spread / 2) / (1 + spread)
    half = _Z * np.sqrt(p * (1 - p) / n + spread / (4 * n)) / (1 + spread)
    return np.maximum(middle - half, 0), np.minimum(middle + half, 1)


def share_right(right: np.ndarray, known: np.ndarray, confidence: np.ndarray) -> tuple[float, float, float]:
    """The share of all labels that are right, from the items with gold, with its interval.

    With fifty gold labels or more, the confidence of all labels says which items were drawn by chance
    (`prediction_powered_mean`); that counts as so many more gold labels as its variance is smaller.
    """
    n, total = int(known.sum()), float(right[known].sum())
    mean, worth = total / n, float(n)
    if n >= _ENOUGH and not known.all():
        gold = np.where(known, right, np.nan)
        found, counted = (prediction_powered_mean(f, gold) for f in (confidence, np.zeros(len(gold))))
        ratio = (counted.standard_error / found.standard_error) ** 2
        mean, worth = float(np.clip(found.mean, 0, 1)), n * min(ratio, _MOST_WORTH)
    low, high = wilson(np.array(mean * worth), np.array(worth))
    return mean, float(low), float(high)


def percent(value: float, low: float, high: float) -> str:
    """A share with its interval, in percent: `71.2 (60.3 to 80.1)`."""
    if np.isnan(value):
        return "–"
    return f"{100 * value:.1f} ({100 * low:.1f} to {100 * high:.1f})"
