"""Answers as votes for classes."""

from __future__ import annotations

import numpy as np

from ._long_form import LongForm


def refuse_soft(name: str, annotations: LongForm) -> None:
    """Raises where a function that knows one class per answer gets distributions."""
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

    def __init__(self, annotations: LongForm) -> None:
        answers = annotations.answers
        annotations.num_classes  # noqa: B018  which ratings do not have
        self._num_answers = len(answers)
        self._answer: np.ndarray | None = None
        self._weight: np.ndarray | None = None
        self.code = answers
        if annotations.is_soft:
            self._answer, self.code = np.nonzero(answers)
            self._weight = answers[self._answer, self.code].astype(float)

    def of(self, values: np.ndarray) -> np.ndarray:
        """Returns, of values of the answers, those of the votes' answers."""
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
        """Returns the weight of each answer for a class, floats `(answers,)`."""
        return self.sums((self.code == code).astype(float))
