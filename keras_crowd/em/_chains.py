"""What expectation maximization knows of the annotators of sequences whose true tags are a chain."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..annotations import MISSING, Annotations
from ..models import HiddenCRF, validate
from ._confusions import Confusions


class Chains(Confusions):
    """Confusions within a `HiddenCRF`, which infers the chains and learns from the answers themselves.

    Args:
        model: The `HiddenCRF`.
        features: Its inputs, item by item.
        answers: `(items, time, annotators or slots)`, `-1` for missing; or soft answers, the classes as last axis.
        prior: As for `Confusions`.
        strength: As for `Confusions`.
    """

    def __init__(
        self, model: HiddenCRF, features: Any, answers: np.ndarray, prior: Any, strength: float
    ) -> None:
        if model.crowd.trainable:
            raise ValueError(
                "The crowd layer of the `HiddenCRF` must not be trainable: its confusions are estimated in "
                "closed form. Received: trainable=True"
            )
        observed = np.any(answers > 0, axis=-1) if answers.ndim == 4 else answers >= 0
        annotators = _annotators(model, features, answers, observed)
        tokens = _token_annotations(answers, observed, annotators, model)
        super().__init__(tokens, np.full(tokens.num_items, MISSING), prior, strength)
        self.model, self.answers = model, answers

    def targets(self, posterior: np.ndarray) -> np.ndarray:
        """The answers: the likelihood that the model maximizes is theirs."""
        return self.answers

    def maximize(self, posterior: np.ndarray) -> None:
        """M-step: `A_rkl ~ a_rkl + w sum_t q_tk y_trl`, with the weight `w` of an answer."""
        counts = self.model.answer_weight * self.sums.expected_counts(posterior) + self.prior
        self.value = counts / counts.sum(axis=-1, keepdims=True)
        self.model.crowd.set_confusion(self.value)

    def predictions(self, features: Any) -> tuple[np.ndarray, np.ndarray]:
        """E-step: marginals of the tokens `(tokens, classes)`, and the log-likelihood of each item."""
        marginals = np.zeros((*self.answers.shape[:2], self.model.num_classes))
        evidence = np.zeros(len(self.answers))
        for x, items in features:
            marginals[items], evidence[items] = self.model.expectation(x, self.answers[items])
        return marginals.reshape(-1, marginals.shape[-1]), evidence

    def expect(self, predictions: Any) -> tuple[np.ndarray, float]:
        """The posterior, and the objective that both steps raise."""
        q, evidence = predictions
        return q, float(evidence.sum() + np.sum(self.prior * np.log(self.value)))


def _annotators(model: HiddenCRF, features: Any, answers: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Annotator of each answer of an item, `(items, annotators or slots)`; checks features and answers."""
    found = np.tile(np.arange(observed.shape[-1]), (len(answers), 1))
    for x, items in features:
        if np.any(observed[items]):
            validate(model, x, answers[items])
        if model.slots:
            found[items] = model.annotators(x)
    return found


def _token_annotations(
    answers: np.ndarray, observed: np.ndarray, annotators: np.ndarray, model: HiddenCRF
) -> Annotations:
    """Annotations whose items are all tokens, `items * time`."""
    item, time, slot = np.nonzero(observed)
    return Annotations(
        item * answers.shape[1] + time,
        annotators[item, slot],
        answers[item, time, slot],
        items=np.arange(answers.shape[0] * answers.shape[1]),
        annotators=np.arange(model.crowd.num_annotators),
        classes=np.arange(model.num_classes),
    )
