"""Whether annotators err together, given the truth."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import confusions, number
from .._repr import one_line
from ..annotations import Annotations, Answers, as_annotations, by_ids, refuse_soft
from ._predictions import checked_probabilities

_BLOCK = 4096  # items
_FEWEST_VARIANCE = 1e-12
_NEGLIGIBLE = 0.2  # a correlation not worth a weight


class AnnotatorDependence(NamedTuple):
    """Result of `annotator_dependence` by pairs of annotators: symmetric arrays `(annotators, annotators)`.

    Attributes:
        correlation: Correlation of their errors given the truth, from -1 to 1: 0 for independent annotators, 1 for
            copies. NaN for two without common items, and on the diagonal.
        p_value: Probability of so much common error, or more, if they were independent; NaN where `correlation` is.
        dependent: Whether the pair is called dependent, at the false discovery rate asked for.
        common: Number of items that both answered.

    Example:

    >>> posterior, confusion = np.full((4, 2), 0.5), np.full((2, 2, 2), 0.5)
    >>> keras_crowd.evaluation.annotator_dependence(
    ...     [[0, 0], [1, 1], [0, 0], [1, 1]], posterior, confusion
    ... ).correlation
    array([[nan,  1.],
           [ 1., nan]])
    """

    correlation: np.ndarray
    p_value: np.ndarray
    dependent: np.ndarray
    common: np.ndarray

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def groups(self) -> np.ndarray:
        """Group of each annotator, int32 `(annotators,)`: dependent pairs of a correlation of 0.2 or more share it."""
        labels = np.arange(len(self.dependent))
        linked = (self._linking > 0) | np.eye(len(labels), dtype=bool)
        for _ in labels:
            smallest = np.where(linked, labels, len(labels)).min(axis=1)
            if np.array_equal(smallest, labels):
                break
            labels = smallest
        return np.unique(labels, return_inverse=True)[1].astype(np.int32)

    @property
    def annotator_weights(self) -> np.ndarray:
        """The number of independent annotators that each one counts for, `(annotators,)`, above 0 and at most 1.

        The weight is `1 / (1 + sum_s rho_rs n_rs / n_r)` over the annotators `s` on whom `r` depends with a correlation
        `rho` of at least 0.2, where `n_rs / n_r` is the share of the items of `r` that `s` answered too. For equally
        correlated numbers, the weights sum to the number of independent ones whose mean is as precise.
        """
        shared = self.common / np.maximum(np.diagonal(self.common)[:, None], 1)
        return 1 / (1 + np.sum(self._linking * shared, axis=1))

    @property
    def _linking(self) -> np.ndarray:
        """The correlations that matter, of dependent pairs; 0 elsewhere."""
        return np.where(self.dependent & (self.correlation >= _NEGLIGIBLE), self.correlation, 0)


def annotator_dependence(
    answers: Answers,
    posterior: npt.ArrayLike,
    confusion: npt.ArrayLike,
    *,
    false_discovery_rate: float = 0.05,
) -> AnnotatorDependence:
    """Tests which annotators err together, given the truth.

    Given the true class, independent annotators agree only as often as their confusions say. With the residuals
    `e_irkl = y_irl - A_rkl` of the answers `y` if the class were `k`, the excess agreement of `r` and `s`,

        T_rs = sum_ik q_ik sum_l e_irkl e_iskl

    over their common items, has the mean 0 if they are independent and `q` is the posterior. It is divided by

        V_rs = sum_ik q_ik tr(S_rk S_sk),   S_rk = diag(A_rk) - A_rk A_rk'

    for the test, which is one-sided and allows for the skewness of `T` (agreement on rare errors is rare), and by the
    norms of the residuals for the correlation. Pairs are called dependent by Benjamini and Hochberg's procedure.

    A posterior that assumes independence follows annotators who err together, and so hides what they have in common.
    Use one with `annotator_weights`, or gold labels as probabilities.

    Time is of order `items * classes^2 * annotators^2`, and memory `classes * annotators^2`.

    Args:
        answers: `Annotations` with classes, or integers `(items, annotators)` with `-1` for missing.
        posterior: `q`, `(items, classes)`, as from `aggregation.dawid_skene`; or gold labels one-hot.
        confusion: `A`, `(annotators, true, answer)`.
        false_discovery_rate: Float between 0 and 1. Expected share of independent pairs among those called dependent.
            Defaults to 0.05.

    Returns:
        `AnnotatorDependence(correlation, p_value, dependent, common)`, with `groups` and `annotator_weights`.

    Raises:
        ValueError: When the answers are not classes or are soft, shapes disagree, or rows are not distributions.

    Example:

    >>> truth = np.arange(60) % 2
    >>> rng = np.random.default_rng(0)
    >>> answers = np.where(rng.random((60, 4)) < 0.7, truth[:, None], 1 - truth[:, None])
    >>> answers[:, 3] = answers[:, 2]
    >>> confusion = np.full((4, 2, 2), 0.3) + 0.4 * np.eye(2)
    >>> keras_crowd.evaluation.annotator_dependence(answers, np.eye(2)[truth], confusion).groups
    array([0, 1, 2, 2], dtype=int32)

    Reference:
        A. P. Dawid, A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm",
        Applied Statistics 28, 1979, for the model that is tested; Y. Benjamini, Y. Hochberg, "Controlling the false
        discovery rate", Journal of the Royal Statistical Society B 57, 1995.
    """
    annotations = as_annotations(answers)
    refuse_soft("annotator_dependence", annotations)
    q, a = _checked(annotations, posterior, confusion)
    rate = number("false_discovery_rate", false_discovery_rate, above=0, below=1)
    excess, norms, items, common = _sums(annotations, q, a)
    variance, third = _moments(items, a)
    pairs = (common > 0) & ~np.eye(len(a), dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.where(pairs, excess / np.sqrt(norms * norms.T), np.nan)
    correlation[pairs & ~np.isfinite(correlation)] = 0
    p_value = np.where(pairs, _tail(excess, variance, third), np.nan)
    return AnnotatorDependence(correlation, p_value, _discoveries(p_value, rate), common.astype(np.int64))


def _checked(
    annotations: Annotations, posterior: npt.ArrayLike, confusion: npt.ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    q = checked_probabilities("posterior", by_ids("posterior", posterior, annotations))
    if q.shape != (annotations.num_items, annotations.num_classes):
        raise ValueError(
            f"`posterior` must have {annotations.num_items} rows and {annotations.num_classes} columns. "
            f"Received: shape {q.shape}"
        )
    shape = annotations.num_annotators, annotations.num_classes, annotations.num_classes
    return q, confusions("confusion", confusion, shape)


def _sums(annotations: Annotations, q: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, ...]:
    """`T_rs`; the sums of squared residuals of `r` on the items of `s`; `(classes, r, s)` the common items of each
    class; and their number."""
    size, num_classes, _ = a.shape
    excess, norms, common = (np.zeros((size, size)) for _ in range(3))
    items = np.zeros((num_classes, size, size))
    table = annotations.dense()
    for start in range(0, len(table), _BLOCK):
        some, weight = table[start : start + _BLOCK], q[start : start + _BLOCK]
        there = (some >= 0).astype(float)
        common += there.T @ there
        given = [(some == answer).astype(float) for answer in range(num_classes)]
        for k in range(num_classes):
            weighted = weight[:, k, None] * there
            items[k] += weighted.T @ there
            square = np.zeros(there.shape)
            for answer in range(num_classes):
                residual = given[answer] - there * a[:, k, answer]
                excess += (weighted * residual).T @ residual
                square += residual**2
            norms += (weighted * square).T @ there
    return (excess + excess.T) / 2, norms, items, common


def _moments(items: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variance and third moment of `T_rs` for independent annotators, `(annotators, annotators)` each.

    Of one item of class `k`, with independent answers `y ~ P` and `z ~ Q`, `T` is `[y = z] - P_z - Q_y + P'Q`. Its
    moments are sums over the products of powers of `P` and `Q`, written out.
    """
    variance, third = np.zeros(items.shape[1:]), np.zeros(items.shape[1:])
    for k, n in enumerate(items):
        p = a[:, k]
        c, g21, g31, g22 = p @ p.T, p**2 @ p.T, p**3 @ p.T, p**2 @ (p**2).T
        both2, both3 = g21 + g21.T, g31 + g31.T
        variance += n * (c - both2 + c**2)
        third += n * (c + 3 * c**2 + 4 * c**3 - (3 + 6 * c) * both2 + 2 * both3 + 6 * g22)
    return np.maximum(variance, _FEWEST_VARIANCE), third


def _tail(excess: np.ndarray, variance: np.ndarray, third: np.ndarray) -> np.ndarray:
    """Probability of so large a sum or a larger one: that of a shifted gamma of the same three moments.

    The gamma's tail is Wilson and Hilferty's cube root; as the skewness vanishes it is the normal distribution's.
    """
    z, skewness = excess / np.sqrt(variance), np.clip(third / variance**1.5, 1e-4, None)
    shape = 4 / skewness**2
    ratio = np.maximum(1 + z * skewness / 2, 0)
    normal = (np.cbrt(ratio) - 1 + 1 / (9 * shape)) * 3 * np.sqrt(shape)
    return 0.5 * np.vectorize(math.erfc, otypes=[float])(normal / math.sqrt(2))


def _discoveries(p_value: np.ndarray, rate: float) -> np.ndarray:
    """The pairs that Benjamini and Hochberg call dependent."""
    upper = np.triu(np.isfinite(p_value), 1)
    ordered = np.sort(p_value[upper])
    within = ordered <= rate * np.arange(1, len(ordered) + 1) / max(len(ordered), 1)
    threshold = ordered[within].max(initial=-1.0)
    found = upper & (np.nan_to_num(p_value, nan=2.0) <= threshold)
    return found | found.T
