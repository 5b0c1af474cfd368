"""Choosing how expectation maximization is restrained, on answers that are held out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from .._backup import set_values, training_variables, values_of
from ..aggregation import nats_given
from ..annotations import Annotations
from ..selection import RegularizationPath
from ._backups import Backups
from ._training import Course, Setting, Training

HELD_OUT = 0.2
FEWEST_ANSWERS = 20
PLAIN = Setting()


def choose(
    regularized: Setting,
    annotations: Annotations,
    training_of: Callable[[Annotations, Setting], Training],
    course: Course,
    backups: Backups,
) -> tuple[Setting, RegularizationPath]:
    """The plain setting or the regularized, whichever predicts held-out answers; the network starts anew each time.

    A held-out answer is predicted from the posterior of the kept ones. The regularized setting is taken only if that is
    better. One standard error of doubt, as `selection.regularization_path` has it, took it where it harms: few answers
    refute nothing.

    Args:
        regularized: The setting to try beside the plain one.
        annotations: All answers.
        training_of: Gives the training on some answers under a setting.
        course: How long is trained.
        backups: Where choice and trainings are kept.

    Raises:
        ValueError: When there are too few answers.
    """
    if len(annotations) < FEWEST_ANSWERS:
        raise ValueError(
            f'`answers` must be {FEWEST_ANSWERS} at least for `answer_weight="auto"`. Received: {annotations!r}'
        )
    settings = PLAIN, regularized
    others, held_out = annotations.split(HELD_OUT, course.seed)
    trainings = [training_of(others, setting) for setting in settings]
    variables = training_variables(trainings[0].trained)
    choice = backups.choice(regularized)
    kept = choice.load() or _start(variables, len(held_out))
    losses, done = kept["losses"], kept["done"]
    try:
        for i, (training, setting) in enumerate(zip(trainings, settings, strict=True)):
            if done[i]:
                training.problem.features.skip(done[i] * (course.epochs + 1))
                continue
            set_values(variables, kept)
            history = training.fit(course, backups(setting, others))
            confusion = training.problem.estimates()["confusion"]
            losses[i], done[i] = nats_given(held_out, training.posterior, confusion), len(history.epoch)
            choice.save(**kept)
    finally:
        set_values(variables, kept)
    weight = getattr(regularized.regularizer, "weight", 1.0)
    path = RegularizationPath(np.array([0.0, weight]), losses[:, None], standard_errors=0.0)
    return settings[int(path.chosen > 0)], path


def _start(variables: list[keras.Variable], num_held_out: int) -> dict[str, Any]:
    """Returns what is kept of a choice of which nothing is done yet."""
    return {**values_of(variables), "losses": np.full((2, num_held_out), np.nan), "done": np.zeros(2, int)}
