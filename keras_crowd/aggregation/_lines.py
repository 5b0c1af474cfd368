"""The model behind `raykar`: each annotator a line of the truth, all drawn to what is common. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..annotations import Annotations
from ._ratings import by_annotator, log_prior_of, mean_rating, noise_variance, truth_given

_SCALE_SPREAD, _SCALE_STRENGTH = 0.01, 100.0  # settled on simulated raters: docs/results.md
_BIAS_STRENGTH = 2.0


class Raters(NamedTuple):
    """Current estimates of the annotators and of the truth.

    Attributes:
        bias: `b`, `(annotators,)`.
        scale: `s`, `(annotators,)`.
        variance: `v`, `(annotators,)`.
        level: `m`, mean of the truth; with predictions, what is added to them.
        prior_variance: `t`.
        bias_spread: Variance of the biases.
        scale_spread: Variance of the scales.
    """

    bias: np.ndarray
    scale: np.ndarray
    variance: np.ndarray
    level: float
    prior_variance: float
    bias_spread: float
    scale_spread: float


@dataclass(frozen=True)
class LineModel:
    """`y_ir ~ N(c + s_r (z_i - c) + b_r, v_r)`, `z_i ~ N(f_i + m, t)`, and its expectation maximization.

    Attributes:
        ratings: The answers.
        features: `f`, `(items,)`.
        gold: The truth of some items, `(items,)`, `NaN` where unknown.
        center: `c`.
        strength: Number of pseudo-answers of the variance `common` for each annotator.
        common: Half the variance of all answers, which the variances start from.
    """

    ratings: Annotations
    features: np.ndarray
    gold: np.ndarray
    center: float
    strength: float
    common: float

    def start(self) -> Raters:
        """Biases 0, scales 1, and the variance of all answers, half of it among the items."""
        size, common = self.ratings.num_annotators, self.common
        rated = self.ratings.answers_per_item() > 0
        level = float(np.mean(mean_rating(self.ratings)[rated] - self.features[rated]))
        variance = np.full(size, common)
        return Raters(np.zeros(size), np.ones(size), variance, level, common, common / 10, _SCALE_SPREAD)

    def expect(self, raters: Raters) -> tuple[np.ndarray, np.ndarray, float]:
        """Mean and variance of each item's truth, and the objective."""
        intercept = raters.bias + self.center * (1 - raters.scale)
        given = (
            self.ratings,
            self.features + raters.level,
            raters.prior_variance,
            intercept,
            raters.variance,
        )
        z, variance, evidence = truth_given(*given, scale=raters.scale, gold=self.gold)
        return z, variance, float(evidence.sum()) + self._log_prior(raters)

    def maximize(self, raters: Raters, z: np.ndarray, variance: np.ndarray) -> Raters:
        """Lines given variances, variances given lines, then what is common."""
        scale, bias = self._lines(raters, z, variance)
        intercept = bias + self.center * (1 - scale)
        noise = noise_variance(
            self.ratings, z, variance, intercept, self.strength, self.common, scale=scale
        )
        known = (self.ratings.answers_per_item() > 0) | ~np.isnan(self.gold)
        level = float(np.mean((z - self.features)[known]))
        spread = ((z - self.features - level) ** 2 + variance)[known]
        return Raters(
            bias,
            scale,
            noise,
            level,
            max(float(np.mean(spread)), 1e-12),
            _drawn(bias, self.common / 10, _BIAS_STRENGTH),
            _drawn(scale - 1, _SCALE_SPREAD, _SCALE_STRENGTH),
        )

    def settled(self, raters: Raters, z: np.ndarray, rescale: bool) -> tuple[LineModel, Raters]:
        """The same with biases of mean 0 over all answers, and the scale of those who tell of the truth.

        Scales have the mean 1, weighed by the answers and by the share of their variance that is the truth's: who
        answers without looking has a scale near 0, and says nothing of that of the truth.
        """
        counts = self.ratings.answers_per_annotator()
        bias, scale = np.where(counts > 0, raters.bias, 0.0), np.where(counts > 0, raters.scale, 1.0)
        shift, factor = float(counts @ bias / counts.sum()), 1.0
        if rescale:
            factor = float(shares_that_tell(counts, scale, raters.variance, z) @ scale)
        raters = raters._replace(
            bias=np.where(counts > 0, bias - shift, 0.0),
            scale=np.where(counts > 0, scale / factor, 1.0),
            level=self.center * rescale + shift + factor * (raters.level - self.center * rescale),
            prior_variance=factor**2 * raters.prior_variance,
        )
        return replace(self, center=self.center + shift), raters

    def _lines(self, raters: Raters, z: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Least squares of each annotator's answers over the truth, with priors around scale 1 and bias 0."""
        item = self.ratings.item_index
        x, y = z[item] - self.center, self.ratings.answers - z[item]
        v, counts = raters.variance, self.ratings.answers_per_annotator()
        of_x, of_y, of_xy, of_xx = (
            by_annotator(self.ratings, values)
            for values in (x, y, x * y - variance[item], x * x + variance[item])
        )
        a, b, c = of_xx / v + 1 / raters.scale_spread, of_x / v, counts / v + 1 / raters.bias_spread
        determinant = a * c - b * b
        return 1 + (c * of_xy - b * of_y) / v / determinant, (a * of_y - b * of_xy) / v / determinant

    def _log_prior(self, raters: Raters) -> float:
        """Returns the log prior of what is common and of the annotators, up to a constant."""
        return (
            log_prior_of(raters.variance, self.strength, self.common)
            + _log_normal(raters.bias, raters.bias_spread, self.common / 10, _BIAS_STRENGTH)
            + _log_normal(raters.scale - 1, raters.scale_spread, _SCALE_SPREAD, _SCALE_STRENGTH)
        )


def shares_that_tell(
    counts: np.ndarray, scale: np.ndarray, variance: np.ndarray, truth: np.ndarray
) -> np.ndarray:
    """Each annotator's share of all answers, by how much of their variance is that of the truth; sums to 1."""
    told = scale**2 * np.var(truth)
    weight = counts * (told + 1e-12) / (told + variance + 1e-12)
    return weight / weight.sum()


def _drawn(values: np.ndarray, first: float, strength: float) -> float:
    """Variance around 0, with so many pseudo-annotators of a first one."""
    return float((values @ values + strength * first) / (len(values) + strength))


def _log_normal(values: np.ndarray, variance: float, first: float, strength: float) -> float:
    size = len(values) + strength
    return float(-0.5 * (size * np.log(variance) + (values @ values + strength * first) / variance))
