"""Expectation maximization over tags, each token by itself."""

from __future__ import annotations

import numpy as np

from ..aggregation import checked_gold
from ..annotations import Answers, as_annotations, kind_given, rows_by_id
from ._confusion_problem import ConfusionProblem, num_classes_of
from ._network import Network
from ._problem import Data, Prior


class TagProblem(ConfusionProblem):
    """A token has one true class; the network gives the probabilities of all of them, `(batch, time, classes)`."""

    def __init__(self, network: Network, data: Data, prior: Prior) -> None:
        tags = tags_of(data.answers)
        annotations = as_annotations(tags.reshape(-1, *tags.shape[2:]), num_classes_of(network))
        gold = None if data.gold is None else rows_by_id("gold", data.gold, None)
        gold = checked_gold(gold, annotations, tags.shape[:2])
        super().__init__(network, data.features(len(tags)), annotations, gold, prior)

    @classmethod
    def takes(cls, network: Network, answers: Answers) -> bool:
        if len(network.output_shape) != 3 or not network.output_shape[-1]:
            return False
        return not network.has_one_unit or kind_given(answers).has_classes


def tags_of(answers: Answers) -> np.ndarray:
    """The answers to tokens as an array, `(items, time, annotators)`, or that and the classes."""
    shape = np.shape(answers)
    if len(shape) not in (3, 4):
        raise ValueError(
            "`answers` must be integers (items, time, annotators), or soft answers with the classes as last axis, "
            f"for a classifier of output (batch, time, classes). Received: {type(answers).__name__} of shape {shape}"
        )
    return np.asarray(answers)
