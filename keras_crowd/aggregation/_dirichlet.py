"""Dirichlet distributions: expected logarithms and divergences, by series of the gamma function's logarithm."""

from __future__ import annotations

import numpy as np

_SHIFT = 8  # from there on the asymptotic series are exact to 1e-13


def digamma(x: np.ndarray) -> np.ndarray:
    """Derivative of `log_gamma`, for positive numbers."""
    x = np.asarray(x, float)
    total = sum(1 / (x + n) for n in range(_SHIFT))
    y = x + _SHIFT
    z = 1 / y**2
    series = z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * 691 / 32760)))))
    return np.log(y) - 0.5 / y - series - total


def log_gamma(x: np.ndarray) -> np.ndarray:
    """Logarithm of the gamma function, for positive numbers."""
    x = np.asarray(x, float)
    product = x.copy()
    for n in range(1, _SHIFT):
        product *= x + n
    y = x + _SHIFT
    z = 1 / y**2
    series = (
        1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * (1 / 1680 - z * (1 / 1188 - z * 691 / 360360))))
    ) / y
    return (y - 0.5) * np.log(y) - y + 0.5 * np.log(2 * np.pi) + series - np.log(product)


def expected_log(counts: np.ndarray) -> np.ndarray:
    """Expected logarithm of probabilities with the Dirichlet parameters `counts`, over the last axis."""
    return digamma(counts) - digamma(counts.sum(axis=-1, keepdims=True))


def divergence(counts: np.ndarray, prior: np.ndarray, log_probabilities: np.ndarray) -> float:
    """Kullback-Leibler divergence of Dirichlet distributions from their prior, all of them together.

    Args:
        counts: Parameters, `(..., classes)`.
        prior: Those of the prior, likewise, or what broadcasts to it in all but the last axis.
        log_probabilities: `expected_log(counts)`.
    """
    of_prior = log_gamma(prior).sum(axis=-1) - log_gamma(prior.sum(axis=-1))
    of_counts = log_gamma(counts.sum(axis=-1)) - log_gamma(counts).sum(axis=-1)
    return float(np.sum(of_counts + of_prior) + np.sum((counts - prior) * log_probabilities))
