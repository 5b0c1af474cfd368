"""The trainings of `fit_crowd`: replicas that choose the weight or the connection, and the last training."""

from __future__ import annotations

import abc
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from ._arguments import check_choice
from ._backup import Backup
from ._fit_features import Arrays, Batches
from ._fit_progress import FitProgress
from ._gold_training import GoldClasses
from ._mean_weights import MeanWeights
from ._training import ClassTraining, LabelSetTraining, Training
from ._typing import LearningRate, Optimizer
from .annotations import Annotations, Answers, are_sets
from .layers import CrowdsMultiLabel
from .selection import REPLICA_WEIGHTS, HeldOutChoice, ReplicaPath, held_out_choice, replica_path


class Choice(abc.ABC):
    """Trains replicas to choose a setting, and then with it on all answers. Abstract.

    Args:
        settings: What to choose among.
        annotations: All the answers.

    Attributes:
        argument: Name of the argument of `fit_crowd` that has the settings.
        setting: What is chosen, so far.
        path: How it was chosen, when it is.
        all_answers: Whether the last training has begun.
        progress: What shows the trainings; set before there is any.
    """

    argument: str
    path: ReplicaPath | HeldOutChoice | None = None
    progress: FitProgress

    def __init__(self, settings: Sequence[Any], annotations: Annotations) -> None:
        self._annotations = annotations
        self.settings, self.setting = settings, settings[0]
        self._replicas: dict[Any, dict[str, np.ndarray]] = {}
        self.all_answers = False

    @property
    @abc.abstractmethod
    def trainings(self) -> list[Training]:
        """Every compiled model that there is."""

    @property
    @abc.abstractmethod
    def training(self) -> Training:
        """The one of the present setting."""

    @abc.abstractmethod
    def find(self, **choosing: Any) -> ReplicaPath | HeldOutChoice:
        """Trains replicas."""

    @property
    def weight(self) -> float | None:
        """The weight, if that is what is chosen."""
        return None

    def compile(self, optimizer: Optimizer, crowd_learning_rate: LearningRate | None) -> None:
        """Compiles each training, all but the first with an optimizer like the one given."""
        for i, training in enumerate(self.trainings):
            training.compile(_another(optimizer) if i else optimizer, crowd_learning_rate)

    @abc.abstractmethod
    def what_is_set(self) -> str:
        """Says what the setting is."""

    def choose(self, **choosing: Any) -> None:
        """Trains replicas; they leave the classifier as it was if that fails."""
        try:
            self.path = self.find(**choosing)
        except KeyboardInterrupt:
            raise
        except BaseException:
            for training in self.trainings:
                training.give_back()
            raise
        self.setting = self.path.chosen
        self.progress.last()

    def train_on_all(self, callbacks: Sequence[Any], verbose: int, backup: Backup) -> None:
        """The last training; the user's callbacks see its own weights, then they are averaged."""
        self.all_answers = True
        shown = [] if verbose > 1 else [self.progress]
        training = self.training
        mean = MeanWeights(training.model.trainable_variables + training.classifier.non_trainable_variables)
        given = self.setting, self._annotations, None, [*shown, mean, *callbacks]
        training.fit(*given, 2 if verbose > 1 else 0, backup)
        self.progress.finish()

    def take_what_there_is(self) -> str:
        """Puts a finished replica with the setting into the model if it is further; says what the model is now."""
        self.progress.finish()
        training, with_it = self.training, f"with {self.what_is_set()}"
        done = len(training.history.epoch) if self.all_answers else 0
        if self.setting not in self._replicas or done > training.replica_epochs:
            return f"the state after {len(training.history.epoch)} epochs {with_it}"
        training.assign(self._replicas[self.setting])
        return f"a replica trained {with_it}, without the answers held out from it"

    def _train_replica(
        self, setting: Any, annotations: Annotations, replica: int, training: Training
    ) -> tuple[np.ndarray, ...]:
        training.fit(setting, annotations, replica, [self.progress])
        self._replicas.setdefault(setting, training.values())
        return training.probabilities(), *training.annotators()


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

    def find(self, **choosing: Any) -> ReplicaPath:
        return replica_path(self._train, self._annotations, self.settings, **choosing)

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

    def find(self, **choosing: Any) -> HeldOutChoice:
        return held_out_choice(self._train, self._annotations, self.settings, **choosing)

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
) -> Choice:
    """The choice among the settings; the rest is what a `Training` takes."""
    given = classifier, features, annotations, epochs, from_logits
    if are_sets(annotations):
        return ConnectionChoice({name: LabelSetTraining(*given, name) for name in settings}, annotations)
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


def _another(optimizer: Optimizer) -> keras.optimizers.Optimizer:
    given = keras.optimizers.get(optimizer)
    return type(given).from_config(given.get_config())
