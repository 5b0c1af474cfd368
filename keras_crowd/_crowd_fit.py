"""`CrowdFit`: the result of `fit_crowd`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ._repr import one_line
from .aggregation import annotator_table
from .annotations import Annotations
from .selection import ReplicaPath


@dataclass(frozen=True, eq=False, repr=False)
class CrowdFit:
    """Result of `fit_crowd`.

    `print` shows a summary.

    Attributes:
        classifier: The classifier that was given, trained.
        crowd: The crowd layer; `crowd.confusion()` tells what each annotator answers to each class.
        model: Both, on slots: `model.predict((x, ids))` are answer logits.
        history: Keras's `History` of the last training.
        annotations: The answers, as `Annotations`.
        posterior: Probability of each class, given the features of an item and its answers, `(items, classes)`.
        weight: The weight of the regularizer, chosen or given.
        path: How far replicas agree with each weight that was tried, and the weight chosen; `None` if the weight was
            given, or its choice was interrupted.
        interrupted: Whether the user interrupted it.

    Example:

    >>> fit = keras_crowd.fit_crowd(classifier, x, answers, weights=1.0, epochs=2, verbose=0)
    >>> fit.crowd.confusion().shape, fit.labels.shape
    ((5, 10, 10), (20,))
    """

    classifier: keras.Model
    crowd: Any
    model: keras.Model
    history: keras.callbacks.History
    annotations: Annotations
    posterior: np.ndarray
    weight: float
    path: ReplicaPath | None
    interrupted: bool = False

    @property
    def labels(self) -> np.ndarray:
        """The most probable class of each item, int64 `(items,)`."""
        return self.posterior.argmax(axis=1)

    def annotators(self) -> dict[str, np.ndarray]:
        """Returns a table of the annotators, column by column: `aggregation.annotator_table`.

        Example:

        >>> fit = keras_crowd.fit_crowd(classifier, x, answers, weights=1.0, epochs=2, verbose=0)
        >>> fit.annotators()["accuracy"].shape
        (5,)
        """
        return annotator_table(self.annotations, self.posterior, self.crowd.confusion())

    def __repr__(self) -> str:
        return one_line(self)

    def __str__(self) -> str:
        lines = [
            f"{self.annotations!r}",
            f"weight of the regularizer: {self.weight:g}, {self._how_chosen()}",
        ]
        if self.path is not None:
            lines.append(str(self.path))
        table = self.annotators()
        accuracy = table["accuracy"]
        worst = np.argsort(np.where(np.isnan(accuracy), 2, accuracy))[:3]
        least = ", ".join(f"{table['annotator'][r]} ({accuracy[r]:.2f})" for r in worst)
        lines.append(f"accuracy of annotators: median {np.nanmedian(accuracy):.2f}, lowest {least}")
        lines.append(
            f"labels: surer than .9 of {np.mean(self.posterior.max(axis=1) > 0.9):.0%} of the items"
        )
        return "\n".join(lines)

    def _how_chosen(self) -> str:
        if self.interrupted:
            return "interrupted"
        return "given" if self.path is None else "chosen by the agreement of replicas"
