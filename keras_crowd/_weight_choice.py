"""The trainings of `fit_crowd`: replicas that choose the weight, and the last one."""

import functools
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ._backup import Backup
from ._fit_progress import FitProgress
from ._training import Training
from .annotations import Annotations
from .selection import ReplicaPath, replica_path


class WeightChoice:
    """Trains replicas to choose the weight of the regularizer, and then with it on all answers.

    Args:
        training: The classifier and the annotators, to be trained again and again.
        annotations: All the answers.
        weights: The weights to choose among, ascending.
        progress: What shows the trainings.

    Attributes:
        weight: The largest weight accepted so far.
        path: How it was chosen, when it is.
        all_answers: Whether the last training has begun.
    """

    def __init__(
        self, training: Training, annotations: Annotations, weights: np.ndarray, progress: FitProgress
    ) -> None:
        self._training, self._annotations, self._progress = training, annotations, progress
        self.weights, self.weight = weights, float(weights[0])
        self.path: ReplicaPath | None = None
        self._replicas: dict[float, list[np.ndarray]] = {}
        self.all_answers = False

    def choose(self, **choosing: Any) -> None:
        """Trains replicas, as `replica_path` says; they leave the classifier as it was if that fails."""
        try:
            self.path = replica_path(self._train_replica, self._annotations, self.weights, **choosing)  # type: ignore[arg-type]
        except KeyboardInterrupt:
            raise
        except BaseException:
            self._training.give_back()
            raise
        self.weight = self.path.chosen
        self._progress.last()

    def _train_replica(
        self, weight: float, annotations: Annotations, replica: int
    ) -> tuple[np.ndarray, np.ndarray]:
        if replica == 0 and weight > self.weights[0]:  # the weights below are accepted
            self.weight = float(self.weights[self.weights < weight].max())
            self._replicas = {w: values for w, values in self._replicas.items() if w == self.weight}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Classes vanished")  # which the choice is there to find
            self._training.fit(weight, annotations, replica, [self._progress])
        self._replicas.setdefault(weight, self._training.values())
        return self._training.probabilities(), self._training.crowd.confusion()

    def train_on_all(self, callbacks: Sequence[Any], verbose: int, backup: Backup) -> None:
        """The last training."""
        self.all_answers = True
        shown = [] if verbose > 1 else [self._progress]
        fit = functools.partial(self._training.fit, self.weight, self._annotations)
        fit(None, [*shown, *callbacks], 2 if verbose > 1 else 0, backup)
        self._progress.finish()

    def take_what_there_is(self) -> str:
        """Puts a finished replica with the weight into the model if it is further; says what the model is now."""
        self._progress.finish()
        done = len(self._training.history.epoch) if self.all_answers else 0
        if self.weight not in self._replicas or done > self._training.replica_epochs:
            return f"the state after {len(self._training.history.epoch)} epochs with weight {self.weight:g}"
        self._training.assign(self._replicas[self.weight])
        return f"a replica trained with weight {self.weight:g}, without the answers held out from it"
