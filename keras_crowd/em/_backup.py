"""What is done of expectation maximization, on disk."""

from __future__ import annotations

import pathlib
from typing import Any

import keras
import numpy as np
from keras import ops

from .._files import checksum_of, write_npz
from ..annotations import Annotations, checksum

_FILE = "em.npz"


class Backup:
    """Classifier, optimizer, posterior and history after the last whole iteration.

    Args:
        folder: Where; `None` for nowhere.
        classifier: What is trained, compiled.
        annotations: The answers.
        given: All else that the result depends on, arrays and numbers.
    """

    def __init__(self, folder: Any, classifier: Any, annotations: Annotations, given: list[Any]) -> None:
        self.file = None if folder is None else pathlib.Path(folder) / _FILE
        if self.file is not None:
            shape = (annotations.num_items, annotations.num_annotators)
            self.signature = np.array(
                [checksum(annotations), *shape, checksum_of(keras.tree.flatten(given))]
            )
            classifier.optimizer.build(classifier.trainable_variables)
            self.variables = [*classifier.variables, *classifier.optimizer.variables]

    def restore(self, posterior: np.ndarray, log: Any) -> tuple[np.ndarray, int]:
        """The posterior to go on from, and how many iterations are done."""
        if self.file is None or not self.file.exists():
            return posterior, 0
        with np.load(self.file) as file:
            saved = dict(file)
        if not self._fits(saved):
            raise ValueError(
                "`backup_dir` must be of the same answers, features, arguments and classifier: delete it to "
                "start again. "
                f"Received: {self.file}"
            )
        for i, variable in enumerate(self.variables):
            variable.assign(saved[f"variable_{i}"])
        logs = [name for name in saved if name.startswith("log_")]
        log.history.history = {name.removeprefix("log_"): saved[name].tolist() for name in logs}
        log.history.epoch = saved["epoch"].tolist()
        return saved["posterior"], len(log.history.epoch)

    def save(self, posterior: np.ndarray, log: Any) -> None:
        """Replaces what was kept."""
        if self.file is None:
            return
        values = {f"variable_{i}": ops.convert_to_numpy(v) for i, v in enumerate(self.variables)}
        logs = {f"log_{name}": np.asarray(values) for name, values in log.history.history.items()}
        epoch = np.asarray(log.history.epoch)
        write_npz(self.file, signature=self.signature, posterior=posterior, epoch=epoch, **values, **logs)

    def delete(self) -> None:
        """Training is done."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)

    def _fits(self, saved: dict[str, np.ndarray]) -> bool:
        shapes = {f"variable_{i}": tuple(variable.shape) for i, variable in enumerate(self.variables)}
        kept = {name: array.shape for name, array in saved.items() if name.startswith("variable_")}
        return np.array_equal(saved["signature"], self.signature) and kept == shapes
