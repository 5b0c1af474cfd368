"""Expectation maximization over answers that are classes."""

from __future__ import annotations

from ..aggregation import gold_classes
from ..annotations import Answers, as_annotations, kind_given
from ._confusion_problem import ConfusionProblem, num_classes_of
from ._network import Network
from ._problem import Data, Prior


class ClassProblem(ConfusionProblem):
    """An item has one true class; the network gives its probabilities, `(batch, classes)` or `(batch, 1)`."""

    has_item_classes = True

    def __init__(self, network: Network, data: Data, prior: Prior) -> None:
        annotations = as_annotations(data.answers, num_classes_of(network))
        gold = gold_classes(data.gold, annotations)
        features = data.features(annotations.num_items, annotations)
        super().__init__(network, features, annotations, gold, prior)

    @classmethod
    def takes(cls, network: Network, answers: Answers) -> bool:
        if len(network.output_shape) != 2 or not network.output_shape[-1]:
            return False
        return not network.has_one_unit or kind_given(answers).has_classes
