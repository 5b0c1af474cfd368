"""Expectation maximization over tags whose truth is a chain, within a `HiddenCRF`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..annotations import MISSING, Annotations, Answers
from ..models import HiddenCRF, validate
from ._confusions import Confusions
from ._features import ItemFeatures
from ._network import Network
from ._problem import Data, Prior, Problem
from ._tags import tags_of


class ChainProblem(Problem):
    """The network is a `HiddenCRF`, which infers the chains and learns from the answers themselves."""

    def __init__(self, network: Network, data: Data, prior: Prior) -> None:
        self.model: HiddenCRF = network.model
        _refuse_gold(data.gold)
        self.answers = tags_of(data.answers)
        features = data.features(len(self.answers))
        if self.model.crowd.trainable:
            raise ValueError(
                "The crowd layer of the `HiddenCRF` must not be trainable: its confusions are estimated in "
                "closed form. Received: trainable=True"
            )
        answers = self.answers
        observed = np.any(answers > 0, axis=-1) if answers.ndim == 4 else answers >= 0
        annotators = _annotators(self.model, features, answers, observed)
        tokens = _token_annotations(answers, observed, annotators, self.model)
        prior = prior._replace(
            answer_weight=self.model.answer_weight, annotator_weights=self.model.annotator_weights
        )
        self.confusions = Confusions(tokens, np.full(tokens.num_items, MISSING), *prior)
        informed = self.confusions.informed.reshape(self.answers.shape[:2])
        super().__init__(network, features, tokens, informed)

    @classmethod
    def takes(cls, network: Network, answers: Answers) -> bool:
        return isinstance(network.model, HiddenCRF)

    def start(self, how: npt.ArrayLike | None) -> np.ndarray:
        return self.confusions.start(how)

    def maximize(self, posterior: np.ndarray) -> None:
        """M-step: `A_rkl ~ a_rkl + w sum_t q_tk y_trl`, with the weight `w` of an answer."""
        self.confusions.maximize(posterior)
        self.model.crowd.set_confusion(self.confusions.value)

    def targets(self, posterior: np.ndarray) -> np.ndarray:
        """The answers: the likelihood that the model maximizes is theirs."""
        return self.answers

    def predict(self) -> tuple[np.ndarray, np.ndarray]:
        """E-step: marginals of the tokens `(tokens, classes)`, and the log-likelihood of each item."""
        marginals = np.zeros((*self.rows, self.model.num_classes))
        evidence = np.zeros(len(self.answers))
        for x, items in self.features:
            marginals[items], evidence[items] = self.model.expectation(x, self.answers[items])
        return marginals.reshape(-1, marginals.shape[-1]), evidence

    def expect(self, predictions: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, float]:
        """The marginals, and the objective that both steps raise."""
        q, evidence = predictions
        return q, float(evidence.sum() + self.confusions.log_prior())

    def check_predictions(self, predictions: tuple[np.ndarray, np.ndarray]) -> None:
        self.confusions.check(predictions[0])

    def default_loss(self) -> None:
        return None

    def estimates(self) -> dict[str, np.ndarray]:
        return self.confusions.estimates()


def _refuse_gold(gold: npt.ArrayLike | None) -> None:
    if gold is not None:
        raise ValueError(
            "`gold` is not for a `HiddenCRF`: give the gold tags as the answers of an annotator of their own, with "
            f"a `prior` that says so. Received: gold of shape {np.shape(gold)}"
        )


def _annotators(
    model: HiddenCRF, features: ItemFeatures, answers: np.ndarray, observed: np.ndarray
) -> np.ndarray:
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
