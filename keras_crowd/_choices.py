"""Choices that `fit_crowd` makes by replicas: the weight of the regularizer, or the connection of sets of labels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from ._arguments import check_choice
from ._choice import Choice
from ._fit_features import Arrays, Batches
from ._gold_training import GoldClasses
from ._label_set_training import LabelSetTraining
from ._one_answer import CountedTraining, LabelRounds, LabelTraining, has_few_answers
from ._training import ClassTraining, Training
from .annotations import Annotations, Answers, are_sets
from .layers import CrowdsMultiLabel
from .selection import REPLICA_WEIGHTS, held_out_choice, replica_path

_MOST_UNEQUAL = 0.08  # nats, up to which the regularizer, which pulls towards equal shares, is tried
_REPEATED = (
    "Most items have one answer. `fit_crowd` with `weights` learns who is good from the answers themselves, so the "
    "labels will mostly repeat the answers, and all annotators look good. Leave `weights` out to have each answer "
    "judged by classifiers that have not seen it."
)


class WeightChoice(Choice):
    """The weight of the regularizer of class probabilities, by the agreement of replicas.

    Args:
        training: The classifier and the annotators, to be trained again and again.
        weights: The weights to choose among, ascending.
        annotations: All the answers.
    """

    argument = "weights"

    def __init__(self, training: ClassTraining, weights: Sequence[float], annotations: Annotations) -> None:
        super().__init__(weights, annotations)
        self._training = training

    @property
    def trainings(self) -> list[Training]:
        return [self._training]

    @property
    def training(self) -> Training:
        return self._training

    def find(self, **choosing: Any) -> None:
        self.path = replica_path(
            self._train, self._annotations, self.settings, most_unequal=_MOST_UNEQUAL, **choosing
        )
        self.setting = self.path.chosen

    @property
    def weight(self) -> float:
        return self.setting

    def what_is_set(self) -> str:
        return f"weight {self.setting:g}"

    def _train(
        self, weight: float, annotations: Annotations, replica: int
    ) -> tuple[np.ndarray, np.ndarray]:
        if replica == 0 and weight > self.settings[0]:  # the weights below are accepted
            self.setting = max(w for w in self.settings if w < weight)
            self._replicas = {w: values for w, values in self._replicas.items() if w == self.setting}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Classes vanished")  # which the choice is there to find
            warnings.filterwarnings("ignore", "Two solutions")  # of which the last training warns
            probabilities, confusion = self._train_replica(weight, annotations, replica, self._training)
        return probabilities, confusion


class ConnectionChoice(Choice):
    """The connection of `CrowdsMultiLabel`, by the nats of sets of labels that are held out.

    Args:
        trainings: A training for each connection, all of the same classifier.
        annotations: All the answers.
    """

    argument = "conn_types"

    def __init__(self, trainings: Mapping[str, LabelSetTraining], annotations: Annotations) -> None:
        super().__init__(list(trainings), annotations)
        self._trainings = trainings

    @property
    def trainings(self) -> list[Training]:
        return list(self._trainings.values())

    @property
    def training(self) -> Training:
        return self._trainings[self.setting]

    def find(self, **choosing: Any) -> None:
        self.path = held_out_choice(self._train, self._annotations, self.settings, **choosing)
        self.setting = self.path.chosen

    def what_is_set(self) -> str:
        return f"connection {self.setting!r}"

    def _train(self, conn_type: str, annotations: Annotations, replica: int) -> tuple[np.ndarray, ...]:
        return self._train_replica(conn_type, annotations, replica, self._trainings[conn_type])


def settings_of(
    answers: Answers | None,
    weights: float | Sequence[float] | None,
    conn_types: str | Sequence[str] | None,
) -> list[float] | list[str]:
    """Checks what there is to choose among: weights, or for sets of labels connections."""
    if answers is not None and are_sets(answers):
        if weights is not None:
            raise ValueError(
                "`weights` must be left out for sets of labels: the regularizer takes class probabilities that sum to "
                f"1. Received: weights={weights!r}, {answers!r}"
            )
        return _connections(conn_types)
    if conn_types is not None:
        raise ValueError(
            f"`conn_types` must be left out unless answers are sets of labels. Received: conn_types={conn_types!r}"
        )
    one = isinstance(weights, int | float | np.number)
    several = REPLICA_WEIGHTS if weights is None else weights
    return check_choice([weights] if one else several, 1, 0.5, 0).tolist()  # type: ignore[list-item]


def choice_of(
    settings: list[Any],
    classifier: keras.Model,
    features: Arrays | Batches,
    annotations: Annotations,
    epochs: int,
    from_logits: bool,
    gold: GoldClasses | None,
    by_default: bool,
) -> Choice:
    """The choice among the settings, which may be those by default; the rest is what a `Training` takes."""
    given = classifier, features, annotations, epochs, from_logits
    if are_sets(annotations):
        return ConnectionChoice({name: LabelSetTraining(*given, name) for name in settings}, annotations)
    few = has_few_answers(annotations)
    if few and by_default:
        return LabelRounds(LabelTraining(*given, gold), CountedTraining(*given, gold), annotations)
    if few:
        warnings.warn(_REPEATED, stacklevel=3)
    return WeightChoice(ClassTraining(*given, gold), settings, annotations)


def _connections(conn_types: str | Sequence[str] | None) -> list[str]:
    known = CrowdsMultiLabel.CONN_TYPES
    given = (
        [conn_types] if isinstance(conn_types, str) else list(known if conn_types is None else conn_types)
    )
    if not given or len(set(given)) != len(given) or not set(given) <= set(known):
        raise ValueError(
            f"`conn_types` must be some of {', '.join(map(repr, known))}. Received: conn_types={conn_types!r}"
        )
    return given
