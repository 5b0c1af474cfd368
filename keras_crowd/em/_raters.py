"""Biases and variances of annotators who give numbers, for expectation maximization. NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..aggregation import (
    by_annotator,
    log_prior_of,
    mean_rating,
    noise_variance,
    on_scale_of_gold,
    raykar,
    truth_given,
)
from ..annotations import Annotations


class Raters:
    """Biases and variances, and the two steps that update them; the model's prediction is the prior's mean.

        z_i ~ N(f_i, t),   y_ir ~ N(z_i + b_r, v_r),   sum_r n_r b_r = 0

    What is known of an item is the mean and the variance of its truth, `(items, 2)`. With gold, the answers are moved
    to its scale first, by the line that `aggregation.raykar` lays.

    Args:
        ratings: The answers.
        gold: True numbers `(items,)`, `NaN` where unknown.
        strength: `n_0`, pseudo-answers with the variance of all for each annotator.
    """

    def __init__(self, ratings: Annotations, gold: np.ndarray, strength: float) -> None:
        self.gold, self.strength, self.known = gold, strength, ~np.isnan(gold)
        self.shift, self.factor = 0.0, 1.0
        if np.any(self.known & (ratings.answers_per_item() > 0)):
            found = raykar(ratings, strength=strength)
            ratings, center, self.factor = on_scale_of_gold(ratings, found, gold)
            self.shift = found.center - center
        self.annotations = ratings
        self.informed = (ratings.answers_per_item() > 0) | self.known
        self.counts = ratings.answers_per_annotator()
        spread = np.var([*ratings.answers, *gold[self.known]])  # a single answer has none of its own
        self.common = self.prior_variance = max(float(spread), 1e-12) / 2
        self.bias = np.zeros(ratings.num_annotators)
        self.variance = np.full(ratings.num_annotators, self.common)
        self._posterior: Any = None

    def start(self, how: npt.ArrayLike | None) -> np.ndarray:
        """Returns what the first M-step starts from, `(items, 2)`."""
        if how is None or (isinstance(how, str) and how == "raykar"):
            found = raykar(self.annotations, strength=self.strength)
            posterior = np.stack([found.truth, found.truth_variance], axis=1)
        elif isinstance(how, str) and how == "mean_rating":
            mean = np.nan_to_num(
                mean_rating(self.annotations), nan=float(np.mean(self.annotations.answers))
            )
            variance = self.common / np.maximum(self.annotations.answers_per_item(), 1)
            posterior = np.stack([mean, variance], axis=1)
        else:
            raise ValueError(f'`start` must be "raykar" or "mean_rating". Received: start={how!r}')
        return self._with_gold(posterior)

    def maximize(self, posterior: np.ndarray) -> None:
        """M-step: biases of mean 0 over all answers, then variances, under the posterior."""
        self._posterior = posterior
        z, variance = posterior.T
        total = by_annotator(self.annotations, self.annotations.answers - z[self.annotations.item_index])
        surplus = total.sum() / np.sum(self.counts * self.variance)
        self.bias = np.where(
            self.counts > 0, total / np.maximum(self.counts, 1) - surplus * self.variance, 0.0
        )
        self.variance = noise_variance(self.annotations, z, variance, self.bias, self.strength, self.common)

    def expect(self, f: np.ndarray) -> tuple[np.ndarray, float]:
        """E-step around the predictions `(items, 1)`, and the objective that both steps raise."""
        f = np.asarray(f, float)[:, 0]
        z, variance = self._posterior[self.informed].T
        self.prior_variance = max(float(np.mean((z - f[self.informed]) ** 2 + variance)), 1e-12)
        given = self.annotations, f, self.prior_variance, self.bias, self.variance
        z, variance, evidence = truth_given(*given, gold=self.gold)
        log_prior = log_prior_of(self.variance, self.strength, self.common)
        return np.stack([z, variance], axis=1), float(evidence[self.informed].sum()) + log_prior

    def estimates(self) -> dict[str, np.ndarray]:
        """Returns the bias and the precision of each annotator, and the scale common to all of them."""
        bias = np.where(self.counts > 0, self.shift + self.bias / self.factor, 0.0)
        scale = np.full(len(bias), 1 / self.factor)
        return {"bias": bias, "precision": self.factor**2 / self.variance, "scale": scale}

    def _with_gold(self, posterior: np.ndarray) -> np.ndarray:
        posterior[self.known, 0] = self.gold[self.known]
        posterior[self.known, 1] = 0.0
        return posterior
