"""Posterior of pairs: which item is better, given scores and the answers of annotators."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .._arguments import array_of_numbers, number
from ..annotations import Annotations, as_preferences
from ._comparisons import refuse_grades
from ._preference_answers import answer_probabilities

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_REACH = 8.0  # standard deviations


def pair_posterior(
    answers: Annotations,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    spread: float,
    *,
    reliability: npt.ArrayLike | None = None,
    position_bias: npt.ArrayLike | None = None,
    tie_rate: npt.ArrayLike | None = None,
    random_rate: npt.ArrayLike | None = None,
) -> np.ndarray:
    """Computes the probability that the first item of each pair is better, and that the second is.

    The true difference of a pair is that of its scores plus an error, `d_i ~ N(s_a - s_b, spread^2)`, and its answers
    follow `CrowdsPreference` at that difference:

        P(first is better) = P(d_i > 0 | answers) ~ integral over d > 0 of N(d) prod_r p_r(y_ir | d)

    by Gauss and Legendre's quadrature on either side of 0. If the scores were fitted to the same answers, these count
    twice; choose a small `spread` then.

    Args:
        answers: `Annotations` of preferences without grades.
        first, second: Scores of the first and the second item of each pair, `(pairs,)` or `(pairs, 1)`, as a scorer
            predicts them.
        spread: Number. Standard deviation of the true difference around that of the scores, in log odds.
        reliability, position_bias, tie_rate, random_rate: Of each annotator, `(annotators,)`, from the methods of a
            `CrowdsPreference` or the attributes of `BradleyTerry`. Default to 1, 0, the rate of ties of all answers,
            and 0.

    Returns:
        float64 `(pairs, 2)`; rows sum to 1. A pair without answers has the probabilities that its scores imply.

    Raises:
        ValueError: When the answers are no preferences or have grades, or shapes disagree.

    Example:

    >>> answers = keras_crowd.Annotations.from_preferences(["x", "x"], ["y", "y"], ["ann", "bob"], ["x", "x"])
    >>> keras_crowd.aggregation.pair_posterior(answers, [0.0], [0.0], 1.0).round(2)
    array([[0.8, 0.2]])
    """
    given = as_preferences(answers)
    refuse_grades(given)
    spread = number("spread", spread, above=0)
    center = _scores("first", first, given.num_items) - _scores("second", second, given.num_items)
    said = given.soft().answers.T.astype(float)
    ties = len(said) == 3
    usual = float(np.clip(said[2].mean(), 1e-3, 1 - 1e-3)) if ties else 0.5
    beta = _of_annotators("reliability", reliability, given, 1.0)
    position = _of_annotators("position_bias", position_bias, given, 0.0)
    tie = np.clip(_of_annotators("tie_rate", tie_rate, given, usual), 1e-6, 1 - 1e-6)
    random = _of_annotators("random_rate", random_rate, given, 0.0)
    log_nu = np.log(2 * tie / (1 - tie))

    def log_likelihood(d: np.ndarray) -> np.ndarray:
        u = 0.5 * (beta * d[given.item_index] + position)
        p = answer_probabilities(u, log_nu, ties, random)
        log_p = np.sum(said * np.log(np.maximum(p, 1e-300)), axis=0)
        return np.bincount(given.item_index, log_p, given.num_items)

    log_q = np.stack([_log_half(side, center, spread, log_likelihood) for side in (1, -1)], axis=1)
    q = np.exp(log_q - log_q.max(axis=1, keepdims=True))
    return q / q.sum(axis=1, keepdims=True)


def _log_half(
    side: int, center: np.ndarray, spread: float, log_likelihood: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Log of the integral over the differences of one sign, `(pairs,)`, up to what both signs share."""
    width = np.maximum(side * center + _REACH * spread, 0.1 * spread)
    log_terms = []
    for node, weight in zip(0.5 * (1 + _NODES), _WEIGHTS, strict=True):
        d = side * width * node
        log_terms.append(np.log(weight * width) - 0.5 * ((d - center) / spread) ** 2 + log_likelihood(d))
    return np.asarray(np.logaddexp.reduce(log_terms, axis=0))


def _scores(name: str, values: npt.ArrayLike, size: int) -> np.ndarray:
    found = array_of_numbers(name, values)
    if found.shape not in ((size,), (size, 1)) or not np.isfinite(found).all():
        raise ValueError(
            f"`{name}` must be finite scores, one for each of {size} pairs. Received: shape {found.shape}"
        )
    return found.reshape(-1)


def _of_annotators(
    name: str, values: npt.ArrayLike | None, given: Annotations, default: float
) -> np.ndarray:
    """A parameter of the annotator of each answer."""
    if values is None:
        return np.full(len(given), default)
    found = array_of_numbers(name, values)
    if found.shape != (given.num_annotators,):
        raise ValueError(
            f"`{name}` must have one value for each of {given.num_annotators} annotators. "
            f"Received: shape {found.shape}"
        )
    return found[given.annotator_index]
