"""Sets of labels: each annotator ticks several of some labels, or none."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from ._answer_kind import AnswerKind, Places, refuse_places
from ._ids import MISSING, class_ids_of_columns


@dataclass(frozen=True)
class LabelSets(AnswerKind):
    """An answer is a set of labels: 1 for a label that was ticked, 0 for one that was not, -1 for one not shown.

    An answer of zeros is one of an annotator who ticked nothing; one of -1 alone is missing.

    Args:
        num_labels: Integer. Number of labels. Defaults to `None`, not known.

    Example:

    >>> kind = keras_crowd.annotations.LabelSets(2)
    >>> kind.is_answered(np.array([[[1, 0], [0, 0], [-1, -1]]])).tolist()
    [[True, True, False]]
    """

    num_labels: int | None = None

    name: ClassVar[str] = "sets of labels"
    losses: ClassVar[tuple[str, ...]] = ("keras_crowd>MaskedCrowdBinaryCrossEntropy",)
    metrics: ClassVar[tuple[str, ...]] = (
        "keras_crowd>CrowdBinaryAccuracy",
        "keras_crowd>CrowdBinaryCrossEntropy",
    )
    aggregations: ClassVar[tuple[str, ...]] = ("dawid_skene_labels", "label_shares")
    has_classes: ClassVar[bool] = True
    prediction_kind: ClassVar[Literal["probabilities", "labels", "numbers"]] = "labels"

    @property
    def shape(self) -> Places:
        return (self.num_labels,)

    @property
    def dtype(self) -> str:
        return "int8"

    @property
    def missing(self) -> float:
        return MISSING

    def is_answered(self, table: np.ndarray) -> np.ndarray:
        return np.any(table >= 0, axis=-1)

    def checked(self, name: str, answers: np.ndarray) -> np.ndarray:
        if answers.ndim != 2 or answers.dtype.kind not in "biuf":
            raise ValueError(
                f"`{name}` must hold sets of labels: numbers 1, 0 and -1 with the labels on the last axis. "
                f"Received: dtype {answers.dtype}, shape {answers.shape}"
            )
        self.observed(answers)
        return answers

    def kept(self, answers: np.ndarray) -> np.ndarray:
        return np.where(answers >= 0, answers, MISSING).astype(self.dtype)

    def observed(self, table: np.ndarray) -> np.ndarray:
        wrong = (table > 0) & (table != 1)
        refuse_places(wrong, table, "1 (ticked), 0 (not ticked) or -1 (not shown) for each label")
        return self.is_answered(table)

    def class_ids(self, answers: np.ndarray, classes: Sequence[Hashable] | int | None) -> np.ndarray:
        return class_ids_of_columns(classes, answers.shape[1])

    def recoded(self, answers: np.ndarray, positions: np.ndarray, kind: AnswerKind) -> np.ndarray:
        rows = kind.empty((len(answers),))
        rows[:, positions] = answers
        return rows

    def most_probable(self, posterior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return posterior > 0.5, np.maximum(posterior, 1 - posterior)

    def union(self, others: Sequence[AnswerKind], num_classes: int) -> LabelSets:
        return LabelSets(num_classes)

    def describe(self) -> str:
        return f"sets of {self.num_labels} labels"
