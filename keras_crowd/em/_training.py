"""One training by expectation maximization: both steps by turns, under one setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np

from .._backup import Backup, TrainingBackup
from ._log import Log
from ._problem import Problem
from ._regularized import RegularizedClassifier

TEMPERED, DEFAULT_WEIGHT = 0.5, 3.0  # what "auto" tries
RAMP = 0.5  # of the iterations: a penalty in full from the start can settle on classes that have changed places


class Setting(NamedTuple):
    """One of the settings to choose from: how much an answer counts, and the penalty on the class probabilities."""

    answer_weight: float = 1.0
    regularizer: Any = None


@dataclass(frozen=True)
class Course:
    """Length of the training, and how it is shown; see `EMTrainer.fit`."""

    iterations: int
    epochs: int
    tolerance: float | None
    seed: int
    verbose: int


class Training:
    """A problem and its posterior, from the start on.

    Args:
        problem: The problem; its network is compiled.
        regularizer: Penalty on the class probabilities, or `None`.
        posterior: What the first M-step starts from.
    """

    def __init__(self, problem: Problem, regularizer: Any, posterior: np.ndarray) -> None:
        self.problem, self.posterior = problem, posterior
        network = problem.network
        self.trained: keras.Model = network.model
        self._checked = False
        if regularizer is not None:
            self.trained = RegularizedClassifier(network.model, regularizer, network.from_logits)

    def fit(
        self,
        course: Course,
        backup: Backup,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        checked: bool = False,
    ) -> keras.callbacks.History:
        """Trains, or goes on from the backup, which is deleted at the end.

        Args:
            course: How long is trained.
            backup: Where the state is kept.
            callbacks: Keras callbacks. Defaults to `()`.
            checked: Boolean. Whether to warn of predictions that go wrong. Defaults to `False`.
        """
        problem, tolerance, self._checked = self.problem, course.tolerance, checked
        kept = TrainingBackup(backup, self.trained, callbacks, lambda: {"posterior": self.posterior})
        self.posterior = kept.restore().get("posterior", self.posterior)
        done = len(kept.epoch)
        problem.features.skip(done * (course.epochs + 1))
        rise = None if tolerance is None else tolerance * len(problem.annotations)
        log = Log(problem.network.model, callbacks, kept, course.iterations, rise, course.verbose)
        while done < course.iterations and not log.stopped:
            log.begin(done)
            if self.trained is not problem.network.model:
                self.trained.share.assign(min(done / (RAMP * course.iterations), 1.0))
            log.end(done, self._iterate(course.epochs, np.random.default_rng([course.seed, done])))
            done += 1
        problem.maximize(self.posterior)
        history = log.finish()
        backup.delete()
        return history

    def _iterate(self, epochs: int, rng: np.random.Generator) -> dict[str, float]:
        """M-step and E-step, and what is told of them."""
        problem = self.problem
        problem.maximize(self.posterior)
        targets = problem.targets(self.posterior)
        loss = problem.features.fit(self.trained, targets, problem.informed, epochs, rng)
        predictions = problem.predict()
        if self._checked:
            problem.check_predictions(predictions)
        self.posterior, objective = problem.expect(predictions)
        return {"log_likelihood": objective, "loss": loss}
