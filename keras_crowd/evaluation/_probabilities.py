"""Probabilities against the truth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._arguments import whole_number
from ._predictions import checked_labels_and_probabilities, checked_probabilities


def brier_score(y_true: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Computes the squared error of probabilities, summed over the classes: `mean_i sum_k (p_ik - [y_i = k])^2`.

    Args:
        y_true: True classes, integers `(items,)`.
        probabilities: Predicted probabilities, `(items, classes)`; rows sum to 1.

    Returns:
        From 0 (sure and right) to 2 (sure and wrong); `1 - 1 / classes` for uniform predictions.

    Raises:
        ValueError: When `y_true` are not class codes of as many items, or rows are not distributions.

    Example:

    >>> keras_crowd.evaluation.brier_score([0, 1], [[1.0, 0.0], [0.5, 0.5]])
    0.25

    Reference:
        G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
        Review 78, 1950, eq. 2.
    """
    y_true, probabilities = checked_labels_and_probabilities(y_true, probabilities)
    error = probabilities.copy()
    error[np.arange(len(y_true)), y_true] -= 1
    return float(np.square(error).sum(axis=1).mean())


def calibration_error(y_true: npt.ArrayLike, probabilities: npt.ArrayLike, num_bins: int = 15) -> float:
    """Computes the expected calibration error of the most probable class.

    Items are put in bins of equal width by the probability of their most probable class, `(0, 1/M]` to
    `(1 - 1/M, 1]`, and with `B_m` the items of bin `m` of `n` in all:

        ECE = sum_m |B_m| / n * |accuracy(B_m) - mean probability(B_m)|

    Args:
        y_true: True classes, integers `(items,)`.
        probabilities: Predicted probabilities, `(items, classes)`; rows sum to 1.
        num_bins: `M`, the number of bins. Defaults to 15.

    Returns:
        From 0 (a class predicted with 0.8 is right in 80 % of the items) to 1.

    Raises:
        ValueError: When `y_true` are not class codes of as many items, or rows are not distributions.

    Example:

    >>> keras_crowd.evaluation.calibration_error([0, 1], [[0.75, 0.25], [0.75, 0.25]])
    0.25

    Reference:
        C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
        ICML 2017, eq. 3.
    """
    y_true, probabilities = checked_labels_and_probabilities(y_true, probabilities)
    whole_number("num_bins", num_bins)
    confidence = np.minimum(probabilities.max(axis=1), 1)
    correct = probabilities.argmax(axis=1) == y_true
    bins = np.ceil(confidence * num_bins).astype(np.int64) - 1
    gaps = np.bincount(bins, weights=correct - confidence, minlength=num_bins)
    return float(np.abs(gaps).sum() / len(y_true))


def effective_rank(probabilities: npt.ArrayLike) -> float:
    """Computes how many classes a classifier tells apart: `exp(-sum_k p_k log p_k)`.

    The `p_k` are the eigenvalues of `F'F` over their sum.

    Args:
        probabilities: Predictions `F`, `(items, classes)`; rows sum to 1.

    Returns:
        From 1 (the same prediction for all items) to the number of classes (sure of every item, and all classes equally
        frequent).

    Raises:
        ValueError: When rows are not distributions.

    Example:

    >>> round(keras_crowd.evaluation.effective_rank([[1.0, 0.0], [0.0, 1.0]]), 3)
    2.0
    >>> round(keras_crowd.evaluation.effective_rank([[0.7, 0.3], [0.7, 0.3]]), 3)
    1.0

    Reference:
        O. Roy, M. Vetterli, "The effective rank: a measure of effective dimensionality", EUSIPCO 2007,
        of the matrix `F'F`.
    """
    f = checked_probabilities("probabilities", probabilities)
    eigenvalues = np.maximum(np.linalg.eigvalsh(f.T @ f), 0)
    p = eigenvalues[eigenvalues > 0] / eigenvalues.sum()
    return float(np.exp(-np.sum(p * np.log(p))))
