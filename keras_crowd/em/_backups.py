"""Backups of the trainings of one call of `EMTrainer.fit`."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import keras

from .._backup import NO_BACKUP, Backup, description
from ..annotations import Annotations, checksum
from ._problem import Problem
from ._training import Setting


class Backups:
    """The backups of one call: that of the choice, and that of the training that is under way.

    Args:
        folder: Folder of both files; `None` for no backup at all.
        problem: The problem of all answers.
        given: What the results depend on besides.
    """

    def __init__(
        self, folder: str | os.PathLike[str] | None, problem: Problem, given: Mapping[str, Any]
    ) -> None:
        self.folder = None if folder is None else pathlib.Path(folder)
        self.given: dict[str, Any] = {}
        if folder is not None:
            model = problem.network.model
            self.given = {
                **given,
                "answers": _of_answers(problem.annotations),
                "features": problem.features.checksums(),
                "classifier": description(model),
                "optimizer": description(model.optimizer),
                "loss": description(model.loss),
                "problem": type(problem).__qualname__,
            }
        self.of_choice = NO_BACKUP

    def __call__(self, setting: Setting, kept: Annotations | None = None) -> Backup:
        """Returns the backup of a training under the setting, on the answers kept; by default on all."""
        return self._in("em.npz", setting, kept)

    def choice(self, setting: Setting) -> Backup:
        """Returns the backup of the choice between no regularization and the setting."""
        self.of_choice = self._in("choice.npz", setting)
        return self.of_choice

    def _in(self, name: str, setting: Setting, kept: Annotations | None = None) -> Backup:
        if self.folder is None:
            return NO_BACKUP
        answers = {} if kept is None else {"answers": _of_answers(kept)}
        return Backup(self.folder / name, {**self.given, **answers, **_described(setting)})


def _described(setting: Setting) -> dict[str, Any]:
    """The setting as texts and numbers."""
    regularizer = setting.regularizer and keras.saving.serialize_keras_object(setting.regularizer)
    return {"answer_weight": setting.answer_weight, "classifier_regularizer": repr(regularizer)}


def _of_answers(annotations: Annotations) -> list[int]:
    return [checksum(annotations), annotations.num_items, annotations.num_annotators]
