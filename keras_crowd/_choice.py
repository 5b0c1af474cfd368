"""Replicas that tell `fit_crowd` something, and then its last training. Abstract."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ._backup import Backup
from ._crowd_fit import CrowdFit
from ._fit_progress import FitProgress
from ._mean_weights import MeanWeights
from ._training import Training
from ._typing import LearningRate, Optimizer
from .annotations import Annotations
from .selection import HeldOutChoice, ReplicaPath


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
        out_of_sample: Whether replicas predict items whose answers they have not seen, for the last training.
        progress: What shows the trainings; set before there is any.
    """

    argument: str
    path: ReplicaPath | HeldOutChoice | None = None
    out_of_sample = False
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

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files in which `find` keeps what is finished."""
        return ("path.npz",)

    def most_replicas(self, num_replicas: int) -> int:
        """The most replicas that there will be, `num_replicas` of each setting."""
        return 0 if len(self.settings) == 1 else len(self.settings) * num_replicas

    @abc.abstractmethod
    def find(self, **choosing: Any) -> None:
        """Trains replicas, and chooses."""

    @property
    def weight(self) -> float | None:
        """The weight, if that is what is chosen."""
        return None

    def compile(self, optimizer: Optimizer, crowd_learning_rate: LearningRate | None) -> None:
        """Compiles each training, all but the first with an optimizer like the one given."""
        for i, training in enumerate(self.trainings):
            training.compile(another(optimizer) if i else optimizer, crowd_learning_rate)

    @abc.abstractmethod
    def what_is_set(self) -> str:
        """Says what the setting is."""

    def choose(self, **choosing: Any) -> None:
        """Trains replicas; they leave the classifier as it was if that fails."""
        try:
            self.find(**choosing)
        except KeyboardInterrupt:
            raise
        except BaseException:
            for training in self.trainings:
                training.give_back()
            raise
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

    def result(self, classifier: keras.Model, interrupted: bool) -> CrowdFit:
        """Joins what was trained with the user's own classifier."""
        training, annotations = self.training, self._annotations
        parts = (classifier, training.crowd, training.model, training.history, annotations)
        found = training.posterior(annotations), self.weight, self.path, interrupted, self.out_of_sample
        return CrowdFit(*parts, *found)

    def _train_replica(
        self, setting: Any, annotations: Annotations, replica: int, training: Training
    ) -> tuple[np.ndarray, ...]:
        training.fit(setting, annotations, replica, [self.progress])
        self._replicas.setdefault(setting, training.values())
        return training.probabilities(), *training.annotators()


def another(optimizer: Optimizer) -> keras.optimizers.Optimizer:
    """One of the same kind, with the same settings."""
    given = keras.optimizers.get(optimizer)
    return type(given).from_config(given.get_config())
