"""Intervals of 95 percent."""

from __future__ import annotations

import numpy as np

_Z = 1.959964


def of_draws(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interval that holds 95 percent of the draws, which are the first axis."""
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
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


def percent(value: float, low: float, high: float) -> str:
    """A share with its interval, in percent: `71.2 (60.3 to 80.1)`."""
    if np.isnan(value):
        return "–"
    return f"{100 * value:.1f} ({100 * low:.1f} to {100 * high:.1f})"
