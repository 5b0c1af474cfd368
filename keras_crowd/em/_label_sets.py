"""Expectation maximization over sets of labels."""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt

from ..aggregation import (
    TINY,
    dawid_skene_labels,
    gold_labels,
    label_likelihoods,
    label_rates,
    label_shares,
    population_rates,
    with_gold_labels,
)
from ..annotations import Answers, are_sets, as_label_sets
from ..models import check_label_outputs, outputs_of_few
from ._network import Network
from ._problem import Data, Prior, Problem


class LabelSetProblem(Problem):
    """An item has several labels; the network gives the probability of each by itself, `(batch, labels)`.

        M:  s_rl ~ (m s_l + sum_i q_il y_irl) / (m + sum_i q_il),   c_rl likewise
        E:  logit q_il = logit f_il + sum_r [ y_irl log s_rl / (1 - c_rl) + (1 - y_irl) log (1 - s_rl) / c_rl ]

    with `m` pseudo-counts, `strength`, like the answers of all annotators, as `aggregation.dawid_skene_labels` finds
    them. A label that nobody judged keeps the probability that the network gives.
    """

    def __init__(self, network: Network, data: Data, prior: Prior) -> None:
        if prior.counts is not None:
            raise ValueError(
                "`prior` is for classes; for sets of labels give `strength`. "
                f"Received: prior of shape {np.shape(prior.counts)}"
            )
        if len(network.output_shape) != 2:
            raise ValueError(
                "`classifier` must have the output shape (batch, labels) for sets of labels. "
                f"Received: {network.output_shape}"
            )
        annotations = as_label_sets(data.answers, network.output_shape[-1])
        self.gold = gold_labels(data.gold, annotations)
        judged = np.isfinite(label_shares(annotations)) | (self.gold >= 0)
        features = data.features(annotations.num_items, annotations)
        super().__init__(network, features, annotations, judged.any(axis=1))
        some, _ = next(iter(features))
        check_label_outputs(network.model, outputs_of_few(network.model, some), network.from_logits)
        self.strength = prior.strength
        found = dawid_skene_labels(annotations, gold=None if data.gold is None else self.gold)
        self.found = found.posterior
        self.population = population_rates(annotations, self.found)
        self.sensitivity, self.specificity = found.sensitivity, found.specificity

    @classmethod
    def takes(cls, network: Network, answers: Answers) -> bool:
        return are_sets(answers)

    def start(self, how: npt.ArrayLike | None) -> np.ndarray:
        if how is None or (isinstance(how, str) and how == "dawid_skene"):
            return self.found.copy()
        if isinstance(how, str) and how == "majority_vote":
            shares = label_shares(self.annotations)
            return with_gold_labels(np.where(np.isnan(shares), 0.5, shares), self.gold)
        return with_gold_labels(_checked_start(how, self.found.shape), self.gold)

    def maximize(self, posterior: np.ndarray) -> None:
        rates = label_rates(self.annotations, posterior, self.strength, self.population)
        self.sensitivity, self.specificity = rates

    def targets(self, posterior: np.ndarray) -> np.ndarray:
        return posterior

    def predict(self) -> np.ndarray:
        """Probabilities of the labels, `(items, labels)`."""
        f = np.asarray(self.features.predict(self.network.model), float)
        return 0.5 * (1 + np.tanh(0.5 * f)) if self.network.from_logits else f

    def expect(self, predictions: np.ndarray) -> tuple[np.ndarray, float]:
        log_f, log_g = (np.log(np.maximum(p, TINY)) for p in (predictions, 1 - predictions))
        there, absent = label_likelihoods(self.annotations, self.sensitivity, self.specificity)
        there, absent = log_f + there, log_g + absent
        evidence = np.select([self.gold == 1, self.gold == 0], [there, absent], np.logaddexp(there, absent))
        q = with_gold_labels(0.5 * (1 + np.tanh(0.5 * (there - absent))), self.gold)
        return q, float(evidence[self.informed].sum()) + self._log_prior()

    def _log_prior(self) -> float:
        rates = zip((self.sensitivity, self.specificity), self.population, strict=True)
        return float(sum(self.strength * (p * np.log(r) + (1 - p) * np.log1p(-r)).sum() for r, p in rates))

    def default_loss(self) -> keras.losses.Loss:
        return keras.losses.BinaryCrossentropy(from_logits=self.network.from_logits)

    def estimates(self) -> dict[str, np.ndarray]:
        return {"sensitivity": self.sensitivity, "specificity": self.specificity}


def _checked_start(start: npt.ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    found = None if isinstance(start, str) else np.array(start, float)
    if found is None or found.shape != shape or not np.all((found >= 0) & (found <= 1)):
        raise ValueError(
            f'`start` must be "dawid_skene", "majority_vote" or probabilities of shape {shape}. '
            f"Received: {f'start={start!r}' if found is None else f'shape {found.shape}'}"
        )
    return found
