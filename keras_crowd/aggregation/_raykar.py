"""Expectation maximization for ratings, with a bias, a scale and a precision per annotator."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import number, whole_number
from .._repr import one_line
from ..annotations import Annotations, Answers, as_ratings, by_ids, rows_by_id, with_ratings, with_unknown
from ._lines import LineModel, Raters

_GOLD_SPREAD = 0.25  # how far the scale of the crowd may be from 1


class Raykar(NamedTuple):
    """Result of `raykar`.

    Attributes:
        truth: Expected true rating of each item, `(items,)`; of an item nobody rated, the prior's mean.
        truth_variance: Variance of the true rating of each item given the answers, `(items,)`.
        bias: What each annotator adds at the center, `(annotators,)`; 0 without ratings. Without gold, its mean over
            all answers is 0.
        scale: Factor by which each annotator's ratings spread more or less than the truth, `(annotators,)`; 1 without
            ratings. An annotator is expected to rate `center + scale * (truth - center) + bias`.
        precision: One over the variance of each annotator's noise, `(annotators,)`.
        center: See `scale`.
        prior_variance: Variance of the true ratings around the mean (or around `predictions`).
        log_likelihood: The objective before each iteration's update (log-likelihood of the answers plus the log of
            the priors, up to a constant); it never falls.
        converged: Whether the tolerance was reached.
    """

    truth: np.ndarray
    truth_variance: np.ndarray
    bias: np.ndarray
    scale: np.ndarray
    precision: np.ndarray
    center: float
    prior_variance: float
    log_likelihood: np.ndarray
    converged: bool

    def __repr__(self) -> str:
        return one_line(self)


def raykar(
    answers: Answers,
    predictions: npt.ArrayLike | None = None,
    *,
    gold: npt.ArrayLike | None = None,
    strength: float = 20.0,
    iterations: int = 200,
    tolerance: float = 1e-6,
) -> Raykar:
    """Estimates true ratings and the annotators' biases, scales and precisions, by expectation maximization.

        z_i ~ N(m, t),   y_ir ~ N(c + s_r (z_i - c) + b_r, v_r),   b_r ~ N(0, u),   s_r ~ N(1, w)

        E:  1/V_i = 1/t + sum_r s_r^2 / v_r,   z_i = V_i (m/t + sum_r s_r (y_ir - b_r - c (1 - s_r)) / v_r)
        M:  b_r, s_r by least squares over z with their priors
            v_r = (n_0 v + sum_i (y_ir - c - s_r (z_i - c) - b_r)^2 + s_r^2 V_i) / (n_0 + n_r)
            m = mean of z_i,   t = mean of (z_i - m)^2 + V_i,   and u, w from the b_r and s_r of all annotators

    with `c` the mean of all answers. The precisions are those of Raykar et al. If they are estimated from few answers
    each, they give worse weights than equal ones. So every annotator is drawn towards the crowd: by `n_0 = strength`
    pseudo-answers of the variance `v`, half that of all answers, and by the spreads `u` and `w` of biases and scales
    that all of them show.

    Answers cannot reveal the level and the scale of the truth. By convention, biases have the mean 0 over all answers,
    and scales the mean 1 over the answers of annotators who are informative. A few items whose truth is known, `gold`,
    settle both.

    Args:
        answers: `Annotations` of numbers, or floats `(items, annotators)` with `NaN` for missing.
        predictions: A model's predictions of the items, `(items,)`, in place of `m`, so that features and answers both
            inform the truth. A pandas series is read by the ids in its index. Defaults to `None`.
        gold: True ratings of some items, floats `(items,)`, `NaN` where unknown. A line is fitted from the estimates of
            these items to their truth, and everything else is moved along it. A series is matched to the items by its
            index. Not with `predictions`. Defaults to `None`.
        strength: `n_0`, positive. Defaults to 20.0.
        iterations: Integer. Largest number of iterations. Defaults to 200.
        tolerance: Float. Stop when the objective, per answer, rises by less than this. Defaults to 1e-06.

    Returns:
        `Raykar(truth, truth_variance, bias, scale, precision, center, prior_variance, log_likelihood, converged)`.

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
    if gold is not None and predictions is not None:
        raise ValueError("`gold` is not for use with `predictions`. Received: both")
    known = gold_ratings(gold, ratings)
    model = _model(ratings, features, strength)
    fit = _maximized(model, iterations, tolerance)
    found = _result(*model.settled(fit.raters, fit.truth, rescale=predictions is None), fit)
    return found if gold is None else _on_gold(ratings, found, known, strength, iterations, tolerance)


def gold_ratings(gold: npt.ArrayLike | None, ratings: Annotations) -> np.ndarray:
    """True ratings `(items,)`, `NaN` where unknown."""
    if gold is None:
        return np.full(ratings.num_items, np.nan)
    numbers = np.asarray(rows_by_id("gold", with_unknown(gold, ratings), ratings))
    if numbers.shape != (ratings.num_items,) or numbers.dtype.kind != "f" or np.isinf(numbers).any():
        raise ValueError(
            f"`gold` must be {ratings.num_items} floats, NaN where unknown. "
            f"Received: shape {numbers.shape}, dtype {numbers.dtype}"
        )
    return numbers.astype(float)


def _line_to_gold(found: Raykar, gold: np.ndarray) -> tuple[float, float]:
    """The center of the truth, and how many of its units one of the crowd's is.

    Least squares of `gold - center` over what the answers say, `found.truth - found.center`; the factor is drawn
    towards 1, for a handful of items hardly tells it.
    """
    known = ~np.isnan(gold)
    if not known.any():
        return found.center, 1.0
    x, y = found.truth[known] - found.center, gold[known] - found.center
    noise, factor = float(np.mean(found.truth_variance[known])) + 1e-12, 1.0
    for _ in range(10):
        weight, dx = noise / _GOLD_SPREAD**2, x - x.mean()
        factor = float(np.clip((dx @ (y - y.mean()) + weight) / (dx @ dx + weight), 0.2, 5.0))
        error = y - y.mean() - factor * dx
        noise = (4 * np.mean(found.truth_variance[known]) + error @ error) / (4 + len(x)) + 1e-12
    return found.center + float(np.mean(y - factor * x)), factor


def _on_gold(
    ratings: Annotations,
    found: Raykar,
    gold: np.ndarray,
    strength: float,
    iterations: int,
    tolerance: float,
) -> Raykar:
    """The model again for answers moved to the scale of gold, the truth of whose items is held."""
    moved, center, factor = on_scale_of_gold(ratings, found, gold)
    model = _model(moved, np.zeros(ratings.num_items), strength)
    model = replace(model, gold=gold, center=center)
    fit = _maximized(model, iterations, tolerance)
    result = _result(model, fit.raters, fit)
    return result._replace(
        bias=found.center - center + result.bias / factor,
        scale=result.scale / factor,
        precision=result.precision * factor**2,
    )


def on_scale_of_gold(
    ratings: Annotations, found: Raykar, gold: np.ndarray
) -> tuple[Annotations, float, float]:
    """Answers moved to the scale of gold; the center there, and how many units of gold one of the answers is."""
    center, factor = _line_to_gold(found, gold)
    moved = with_ratings(ratings, center + factor * (ratings.answers - found.center))
    return moved, center, factor


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


def _model(ratings: Annotations, features: np.ndarray, strength: float) -> LineModel:
    spread = max(float(np.var(ratings.answers - features[ratings.item_index])), 1e-12)
    center = float(np.mean(ratings.answers, dtype=float))
    unknown = np.full(ratings.num_items, np.nan)
    return LineModel(ratings, features, unknown, center, strength, spread / 2)


class _Fit(NamedTuple):
    raters: Raters
    truth: np.ndarray  # that the raters were last fitted to
    objective: np.ndarray
    converged: bool


def _maximized(model: LineModel, iterations: int, tolerance: float) -> _Fit:
    raters = model.start()
    values: list[float] = []
    converged = False
    while not converged and len(values) < iterations:
        z, variance, value = model.expect(raters)
        values.append(value)
        raters = model.maximize(raters, z, variance)
        converged = len(values) > 1 and values[-1] - values[-2] < tolerance * len(model.ratings)
    return _Fit(raters, z, np.array(values), converged)


def _result(model: LineModel, raters: Raters, fit: _Fit) -> Raykar:
    z, variance, _ = model.expect(raters)
    of_annotators = raters.bias, raters.scale, 1 / raters.variance
    return Raykar(
        z, variance, *of_annotators, model.center, raters.prior_variance, fit.objective, fit.converged
    )
