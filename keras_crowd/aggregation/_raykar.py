"""Expectation maximization for ratings, with a bias and a precision an annotator."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import number, whole_number
from .._repr import one_line
from ..annotations import Annotations, Answers, as_ratings, by_ids
from ._ratings import by_annotator, log_prior_of, mean_rating, noise_variance, truth_given


class Raykar(NamedTuple):
    """What `raykar` found.

    Attributes:
        truth: Expected true rating of each item, `(items,)`; of an item nobody rated, the prior's mean.
        truth_variance: How sure that is, `(items,)`.
        bias: What each annotator adds, `(annotators,)`; 0 without ratings. Mean over all answers: 0.
        precision: One over the variance of each annotator's noise, `(annotators,)`.
        prior_variance: Variance of the true ratings around the mean (or around `predictions`).
        log_likelihood: The objective before each iteration's update (log-likelihood of the answers plus the log of
            the priors, up to a constant); it never falls.
        converged: Whether the tolerance was reached.
    """

    truth: np.ndarray
    truth_variance: np.ndarray
    bias: np.ndarray
    precision: np.ndarray
    prior_variance: float
    log_likelihood: np.ndarray
    converged: bool

    def __repr__(self) -> str:
        return one_line(self)


class _State(NamedTuple):
    bias: np.ndarray
    variance: np.ndarray
    level: float  # mean of the truth; with predictions, what is added to them
    prior_variance: float


def raykar(
    answers: Answers,
    predictions: npt.ArrayLike | None = None,
    *,
    strength: float = 4.0,
    iterations: int = 200,
    tolerance: float = 1e-7,
) -> Raykar:
    """True ratings and the annotators' biases and precisions, by expectation maximization.

        z_i ~ N(m, t),   y_ir ~ N(z_i + b_r, v_r)

        E:  1/V_i = 1/t + sum_r 1/v_r,   z_i = V_i (m/t + sum_r (y_ir - b_r) / v_r)
        M:  b_r = mean of y_ir - z_i,    v_r = (n_0 v + sum_i (y_ir - z_i - b_r)^2 + V_i) / (n_0 + n_r)
            m = mean of z_i,             t = mean of (z_i - m)^2 + V_i

    The `n_0 = strength` imagined answers with the variance `v` (that of all answers at the start) keep an
    annotator of two ratings from variance 0. Raykar et al. have the precisions; the biases, held to mean 0
    over all answers, are added.

    Args:
        answers: `Annotations` of numbers, or floats `(items, annotators)` with `NaN` for missing.
        predictions: A model's predictions of the items, `(items,)`, in place of `m`: then features and
            answers both tell the truth. A pandas series is read by the ids in its index.
        strength: `n_0`, positive.
        iterations: Stop after so many iterations.
        tolerance: Stop when the objective, per answer, rises by less than this.

    Returns:
        `Raykar(truth, truth_variance, bias, precision, prior_variance, log_likelihood, converged)`, float64.

    Reference:
        V. C. Raykar, S. Yu, L. H. Zhao, G. H. Valadez, C. Florin, L. Bogoni, L. Moy, "Learning from crowds",
        JMLR 11, 2010, section on regression.

    Example:

    >>> answers = np.array([[1.0, 2.0, 1.0], [3.0, 4.0, 3.0], [5.0, 6.0, np.nan], [np.nan, 3.0, 9.0]])
    >>> result = raykar(answers)
    >>> bool(result.bias[1] > result.bias[0]), int(result.precision.argmin())
    (True, 2)
    """
    ratings = as_ratings(answers)
    whole_number("iterations", iterations)
    number("strength", strength, above=0)
    number("tolerance", tolerance)
    features = _features(ratings, predictions)
    state, common = _start(ratings, features)
    objective: list[float] = []
    converged = False
    while not converged and len(objective) < iterations:
        z, variance, log_likelihood = _expectation(ratings, features, state)
        objective.append(log_likelihood + log_prior_of(state.variance, strength, common))
        state = _maximization(ratings, features, z, variance, strength, common)
        converged = len(objective) > 1 and objective[-1] - objective[-2] < tolerance * len(ratings)
    state = _settled(ratings, state)
    z, variance, _ = _expectation(ratings, features, state)
    return Raykar(
        z, variance, state.bias, 1 / state.variance, state.prior_variance, np.array(objective), converged
    )


def _features(ratings: Annotations, predictions: npt.ArrayLike | None) -> np.ndarray:
    if predictions is None:
        return np.zeros(ratings.num_items)
    values = np.asarray(by_ids("predictions", predictions, ratings), float)
    if values.shape != (ratings.num_items,) or not np.all(np.isfinite(values)):
        raise ValueError(
            f"`predictions` must be {ratings.num_items} finite numbers, one for each item. "
            f"Received: shape {values.shape}"
        )
    return values


def _start(ratings: Annotations, features: np.ndarray) -> tuple[_State, float]:
    """Biases 0 and the variance of all answers, half of it among the items."""
    spread = max(float(np.var(ratings.answers - features[ratings.item_index])), 1e-12)
    rated = ratings.answers_per_item() > 0
    level = float(np.mean(mean_rating(ratings)[rated] - features[rated]))
    size = ratings.num_annotators
    return _State(np.zeros(size), np.full(size, spread / 2), level, spread / 2), spread / 2


def _expectation(
    ratings: Annotations, features: np.ndarray, state: _State
) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean and variance of each item's truth, and the log-likelihood of all answers."""
    prior = features + state.level
    z, variance, evidence = truth_given(ratings, prior, state.prior_variance, state.bias, state.variance)
    return z, variance, float(evidence.sum())


def _maximization(
    ratings: Annotations,
    features: np.ndarray,
    z: np.ndarray,
    variance: np.ndarray,
    strength: float,
    common: float,
) -> _State:
    error = ratings.answers - z[ratings.item_index]
    bias = by_annotator(ratings, error) / np.maximum(ratings.answers_per_annotator(), 1)
    rated = ratings.answers_per_item() > 0
    level = float(np.mean((z - features)[rated]))
    spread = (z - features - level) ** 2 + variance
    noise = noise_variance(ratings, z, variance, bias, strength, common)
    return _State(bias, noise, level, float(np.mean(spread[rated])))


def _settled(ratings: Annotations, state: _State) -> _State:
    """The same model with biases of mean 0 over all answers: what they have in common is in the level."""
    shift = float(np.mean(state.bias[ratings.annotator_index]))
    answered = ratings.answers_per_annotator() > 0
    return state._replace(bias=np.where(answered, state.bias - shift, 0.0), level=state.level + shift)
