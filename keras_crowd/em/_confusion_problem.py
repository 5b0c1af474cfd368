"""Base of the problems whose network gives class probabilities."""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt

from ..annotations import Annotations
from ..models import check_outputs, outputs_of_few
from ..ops import class_probabilities
from ._confusions import Confusions
from ._features import ItemFeatures
from ._network import Network
from ._problem import Prior, Problem


class ConfusionProblem(Problem):
    """Each item (or token) is of one class; each annotator has a confusion matrix. Abstract.

    Args:
        network: The `Network`, with an output per class, or one for two classes.
        features: The features.
        annotations: The answers; its items are the elements of `gold`.
        gold: Class codes `(items,)` or `(items, time)`, `-1` where unknown.
        prior: What is believed of the confusions beforehand.
    """

    weighs_answers = True

    def __init__(
        self,
        network: Network,
        features: ItemFeatures,
        annotations: Annotations,
        gold: np.ndarray,
        prior: Prior,
    ) -> None:
        self.confusions = Confusions(annotations, gold.reshape(-1), *prior)
        super().__init__(network, features, annotations, self.confusions.informed.reshape(gold.shape))
        some, _ = next(iter(features))
        check_outputs(outputs_of_few(network.model, some), network.from_logits)

    def start(self, how: npt.ArrayLike | None) -> np.ndarray:
        return self.confusions.start(how)

    def maximize(self, posterior: np.ndarray) -> None:
        self.confusions.maximize(posterior)

    def targets(self, posterior: np.ndarray) -> np.ndarray:
        """The posterior; for one output the probability of class 1."""
        targets = posterior.reshape(*self.rows, -1)
        return targets[..., 1:] if self.network.has_one_unit else targets

    def predict(self) -> np.ndarray:
        """Class probabilities of all items or tokens, `(items, classes)`."""
        f = class_probabilities(self.features.predict(self.network.model), self.network.from_logits)
        return f.reshape(-1, f.shape[-1])

    def expect(self, predictions: np.ndarray) -> tuple[np.ndarray, float]:
        return self.confusions.expect(predictions)

    def check_predictions(self, predictions: np.ndarray) -> None:
        self.confusions.check(predictions)

    def default_loss(self) -> keras.losses.Loss:
        if self.network.has_one_unit:
            return keras.losses.BinaryCrossentropy(from_logits=self.network.from_logits)
        return keras.losses.CategoricalCrossentropy(from_logits=self.network.from_logits)

    def estimates(self) -> dict[str, np.ndarray]:
        return self.confusions.estimates()


def num_classes_of(network: Network) -> int:
    """Classes that the outputs stand for; refuses a single output that gives no probability."""
    if not network.has_one_unit:
        return int(network.output_shape[-1])  # type: ignore[arg-type]
    network.check_two_classes()
    return 2
