"""`Problem`: what expectation maximization maximizes. All that depends on the kind of the answers is asked here."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from .._typing import Features, Loss
from ..annotations import Annotations, Answers
from ._features import ItemFeatures, as_features
from ._network import Network

Predictions: TypeAlias = Any
"""What a network says of all items: arrays, as its problem makes them of its outputs."""


class Prior(NamedTuple):
    """Beliefs about the annotators before their answers.

    Attributes:
        counts: Pseudo-counts, a number or an array; `None` for `strength` answers like those of all annotators.
        strength: Float. Number of pseudo-counts.
        answer_weight: Float. How much of an independent observation an answer is, in (0, 1].
        annotator_weights: How many independent annotators each one counts for, `(annotators,)`; `None` for 1 each.

    Example:

    >>> keras_crowd.em.Prior(strength=4.0)
    Prior(counts=None, strength=4.0, answer_weight=1.0, annotator_weights=None)
    """

    counts: npt.ArrayLike | None = None
    strength: float = 10.0
    answer_weight: float = 1.0
    annotator_weights: npt.ArrayLike | None = None


@dataclass(frozen=True)
class Data:
    """Features, answers and gold, as `EMTrainer.fit` takes them.

    Attributes:
        x: The features.
        answers: The answers.
        gold: What is known of the truth of some items. Defaults to `None`, nothing.
        batch_size: Integer. Items in a batch.

    Example:

    >>> data = keras_crowd.em.Data(np.zeros((3, 2)), [[0, 1], [1, 1], [-1, 0]])
    >>> [items.tolist() for _, items in data.features(num_items=3)]
    [[0, 1, 2]]
    """

    x: Features
    answers: Answers
    gold: npt.ArrayLike | None = None
    batch_size: int = 32

    def features(self, num_items: int, ids: Annotations | None = None) -> ItemFeatures:
        """Checks the features against the number of items.

        Args:
            num_items: Integer. Number of items.
            ids: Annotations whose item ids the rows of data frames are matched to. Defaults to `None`, no match.

        Returns:
            The features, which can be iterated: `(features, items)`.
        """
        return as_features(self.x, num_items, self.batch_size, ids)


class Problem(abc.ABC):
    """A problem for `EMTrainer`: a kind of answers, what the network learns of it, and the two steps. Abstract.

    With parameters `A` of the annotators and a posterior `q` of the truth, each iteration calls

        maximize(q), targets(q)    the M-step: `A` given `q`; the network is fitted to the targets
        predict(), expect(...)     the E-step: `q` given `A` and the predictions of the network

    A kind of your own is a subclass: `EMTrainer(classifier, problem=MyProblem)`. Its constructor reads the answers and
    refuses what does not fit; nothing is trained before.

    Args:
        network: The `Network` that is trained: `network.model`, `network.output_shape`, `network.from_logits`.
        features: What `Data.features` gives.
        annotations: The answers, as `Annotations`.
        informed: Booleans `(items,)`, or `(items, time)` for the tokens of sequences: of which there is an answer, or
            a known truth. The network is trained on these alone.

    Attributes:
        rows: Tuple. The shape of `informed`; the posterior has a row for each element.
        weighs_answers: Boolean, of the class. Whether the weights of `Prior` are heeded. Defaults to `False`.
        has_item_classes: Boolean, of the class. Whether the network gives the class probabilities of items, which
            a classifier regularizer is for, and the estimates are a `"confusion"`. Defaults to `False`.

    Example:

    >>> sorted(keras_crowd.em.Problem.__abstractmethods__)
    ['default_loss', 'estimates', 'expect', 'maximize', 'predict', 'start', 'targets']
    """

    weighs_answers: ClassVar[bool] = False
    has_item_classes: ClassVar[bool] = False

    def __init__(
        self,
        network: Network,
        features: ItemFeatures,
        annotations: Annotations,
        informed: np.ndarray,
    ) -> None:
        self.network, self.features, self.annotations = network, features, annotations
        self.informed = informed
        self.rows = informed.shape

    @classmethod
    def takes(cls, network: Network, answers: Answers) -> bool:
        """Returns whether this problem suits a network and answers, where `EMTrainer` is given no `problem`."""
        return False

    @abc.abstractmethod
    def start(self, how: npt.ArrayLike | None) -> np.ndarray:
        """Returns the posterior that the first M-step starts from, as the user's `start` says; `None`: by default."""

    @abc.abstractmethod
    def maximize(self, posterior: np.ndarray) -> None:
        """Estimates the parameters of the annotators under the posterior."""

    @abc.abstractmethod
    def targets(self, posterior: np.ndarray) -> np.ndarray:
        """Returns what the network learns, `(*rows, ...)`."""

    @abc.abstractmethod
    def predict(self) -> Predictions:
        """Returns what the network says of all items, as `expect` takes it."""

    @abc.abstractmethod
    def expect(self, predictions: Predictions) -> tuple[np.ndarray, float]:
        """Returns the posterior given answers and predictions, and the objective that both steps raise."""

    def check_predictions(self, predictions: Predictions) -> None:
        """Warns of what goes wrong with the predictions during training. Does nothing by default."""
        return

    @abc.abstractmethod
    def default_loss(self) -> Loss:
        """Returns the loss of a network compiled without one; `None` for a model that has its own."""

    @abc.abstractmethod
    def estimates(self) -> dict[str, np.ndarray]:
        """Returns what is known of the annotators, by name."""
