"""Confusions of the annotators, for expectation maximization. NumPy only."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from .._arguments import checked_annotator_weights
from .._class_shares import class_shares
from .._lost_classes import LostClasses
from ..aggregation import (
    TINY,
    AnswerSums,
    dawid_skene,
    imagined_answers,
    log_normalize,
    majority_vote,
)
from ..annotations import Annotations, by_ids
from ..warm_start import from_labels

_ADVICE = "train longer, begin with another `start`, or give `classifier_regularizer` less weight"


class Confusions:
    """Confusions `A` under Dirichlet priors, and the two steps that update them.

    Args:
        annotations: The answers.
        gold: Class codes `(items,)`, `-1` where unknown.
        prior: Pseudo-counts; broadcasts to `(annotators, true, answer)`. Without it, `strength` answers to every class
            like those of all annotators together. Defaults to `None`.
        strength: Float. See `prior`. Defaults to 10.0.
        answer_weight: `w`, how much of an independent observation an answer is. Defaults to 1.0.
        annotator_weights: `w_r`, how many independent annotators each one counts for, `(annotators,)`. Their priors
            count as their answers, so that copies of one annotator that weigh 1 together are one. Defaults to `None`.
    """

    def __init__(
        self,
        annotations: Annotations,
        gold: np.ndarray,
        prior: npt.ArrayLike | None = None,
        strength: float = 10.0,
        answer_weight: float = 1.0,
        annotator_weights: npt.ArrayLike | None = None,
    ) -> None:
        self.sums = AnswerSums(annotations)
        self.annotations, self.gold, self.answer_weight = annotations, gold, answer_weight
        self.known = np.flatnonzero(gold >= 0)
        self.annotator_weights = checked_annotator_weights(annotator_weights, annotations.num_annotators)
        if prior is None:
            prior = self._population_prior(strength)
        self.prior = prior = np.broadcast_to(imagined_answers("prior", prior, annotations), self.sums.shape)
        self.informed = (annotations.answers_per_item() > 0) | (gold >= 0)
        self.value = prior / prior.sum(axis=-1, keepdims=True)
        self._lost = LostClasses(annotations.num_classes, _ADVICE, class_shares(annotations))

    def start(self, how: npt.ArrayLike | None) -> np.ndarray:
        """The posterior that the first M-step starts from, `(items, classes)`."""
        if how is None or (isinstance(how, str) and how == "dawid_skene"):
            q = self._dawid_skene.copy()
        elif isinstance(how, str) and how == "majority_vote":
            q = majority_vote(self.annotations, soft=True).astype(float)
            q[self.annotations.answers_per_item() == 0] = 1 / q.shape[1]
        else:
            how = how if isinstance(how, str) else by_ids("start", how, self.annotations)
            q = _checked_start(how, (self.annotations.num_items, self.annotations.num_classes))
        return self._with_gold(q)

    def maximize(self, posterior: np.ndarray) -> None:
        """M-step: `A_rkl ~ a_rkl + w sum_i q_ik [y_ir = l]`, with the weight `w` of an answer."""
        counts = self.answer_weight * self.sums.expected_counts(posterior) + self.prior
        self.value = counts / counts.sum(axis=-1, keepdims=True)

    def expect(self, f: np.ndarray) -> tuple[np.ndarray, float]:
        """E-step: `q_ik ~ f_ik prod_r A_r,k,y_ir ^ (w w_r)`, and the objective that both steps raise."""
        log_a = self.annotator_weights[:, None, None] * np.log(np.maximum(self.value, TINY))
        log_joint = np.log(np.maximum(f, TINY)) + self.answer_weight * self.sums.log_likelihood(log_a)
        q, evidence = log_normalize(log_joint)
        evidence[self.known] = log_joint[self.known, self.gold[self.known]]
        objective = evidence[self.informed].sum() + self.log_prior()
        return self._with_gold(q), float(objective)

    def decided(self, f: np.ndarray) -> np.ndarray:
        """The likeliest class of each item, `(items, classes)` one-hot; the true one where it is known."""
        return self._with_gold(np.eye(f.shape[1])[f.argmax(axis=1)])

    def check(self, f: np.ndarray) -> None:
        """Warns of classes that have vanished from the predictions `(items, classes)`."""
        predicted = f[self.informed].argmax(axis=1)
        self._lost.see(np.bincount(predicted, minlength=f.shape[1]))

    def log_prior(self) -> float:
        """The log of the Dirichlet priors, up to a constant."""
        prior = self.annotator_weights[:, None, None] * self.prior
        return float(np.sum(prior * np.log(np.maximum(self.value, TINY))))

    def estimates(self) -> dict[str, np.ndarray]:
        """The confusions, and that of an annotator of whom nothing is known: the mean of the priors'."""
        population = (self.prior / self.prior.sum(axis=-1, keepdims=True)).mean(axis=0)
        return {"confusion": self.value, "population": population}

    @functools.cached_property
    def _dawid_skene(self) -> np.ndarray:
        """Their posterior, the start of most things."""
        gold = self.gold if len(self.known) else None
        return dawid_skene(self.annotations, gold=gold, annotator_weights=self.annotator_weights).posterior

    def _population_prior(self, strength: float) -> np.ndarray:
        each = self.annotator_weights
        confusion = from_labels(self.annotations, self._dawid_skene, annotator_weights=each)
        weights = each * self.annotations.answers_per_annotator()
        return strength * np.average(confusion, axis=0, weights=weights)

    def _with_gold(self, q: np.ndarray) -> np.ndarray:
        q[self.known] = np.eye(q.shape[1])[self.gold[self.known]]
        return q


def _checked_start(start: npt.ArrayLike, shape: tuple[int, int]) -> np.ndarray:
    if isinstance(start, str):
        raise ValueError(
            '`start` must be "dawid_skene", "majority_vote" or probabilities (items, classes). '
            f"Received: start={start!r}"
        )
    q = np.array(start, float)
    if q.shape != shape or not np.all(q >= 0) or not np.allclose(q.sum(axis=1), 1, atol=1e-2):
        raise ValueError(f"`start` must be probabilities of shape {shape}. Received: shape {q.shape}")
    return q
