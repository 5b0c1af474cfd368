"""What a soft answer is: a distribution over the classes in place of one class. All that asks, asks here.

Soft answers are float32 `(..., classes)` where hard ones are codes `(...)`; a missing one is a row of zeros, as the
losses have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._arguments import distributions

if TYPE_CHECKING:
    from ._container import Annotations

_ROUNDING = 1e-6  # of float32; rows that are off by more are divided by their sum


def is_soft(answers: np.ndarray) -> bool:
    """Whether answers in the long form, one a row, are distributions."""
    return answers.ndim == 2


def is_soft_table(array: np.ndarray) -> bool:
    """Whether a dense array is one of distributions, floats `(items, annotators, classes)`."""
    return array.ndim == 3 and array.dtype.kind == "f"


def is_answered(table: np.ndarray) -> np.ndarray:
    """Where rows of a table hold an answer: neither all zeros nor all `NaN`."""
    return ~(np.all(table == 0, axis=-1) | np.all(np.isnan(table), axis=-1))


def checked_distributions(name: str, rows: np.ndarray) -> np.ndarray:
    """Rows that are no less than 0 and sum to 1, float32, what rounding has left divided by the sum."""
    rows = distributions(name, rows)
    total = rows.sum(axis=-1, keepdims=True)
    return np.where(np.abs(total - 1) > _ROUNDING, rows / total, rows).astype(np.float32)


def one_hot(codes: np.ndarray, num_classes: int) -> np.ndarray:
    """Codes of classes, none missing, as distributions."""
    rows = np.zeros((len(codes), num_classes), np.float32)
    rows[np.arange(len(codes)), codes] = 1
    return rows


def refuse_soft(name: str, annotations: Annotations) -> None:
    """Raises where a function that knows one class an answer gets distributions."""
    if annotations.is_soft:
        raise ValueError(
            f"`{name}` takes hard answers: give `annotations.hard()`, the likeliest class of each. "
            f"Received: {annotations!r}"
        )


class Votes:
    """Answers as weighted votes for classes: a hard answer is one of weight 1, a soft one a few that sum to 1.

    What is linear in the answers needs to know no more of them.

    Attributes:
        code: The class of each vote, those of an answer side by side.
    """

    code: np.ndarray

    def __init__(self, annotations: Annotations) -> None:
        answers = annotations.answers
        annotations.num_classes  # noqa: B018  which ratings do not have
        self._num_answers = len(answers)
        self._answer: np.ndarray | None = None
        self._weight: np.ndarray | None = None
        self.code = answers
        if is_soft(answers):
            self._answer, self.code = np.nonzero(answers)
            self._weight = answers[self._answer, self.code].astype(float)

    def of(self, values: np.ndarray) -> np.ndarray:
        """Of values of the answers those of the votes' answers."""
        return values if self._answer is None else values[self._answer]

    def weighted(self, values: np.ndarray) -> np.ndarray:
        """Values of the votes times their weights."""
        return values if self._weight is None else values * self._weight

    def weights(self) -> np.ndarray | None:
        """The weight of each vote; `None` where all are 1."""
        return self._weight

    def sums(self, values: np.ndarray) -> np.ndarray:
        """The weighted sum of the values of each answer's votes."""
        if self._answer is None:
            return values
        return np.bincount(self._answer, weights=self.weighted(values), minlength=self._num_answers)

    def at(self, code: int) -> np.ndarray:
        """How much of each answer is for a class, float `(answers,)`."""
        return self.sums((self.code == code).astype(float))
