"""`AnswerKind`: what one answer is. All that depends on it is asked here."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, Literal

import numpy as np

Places = tuple[int | None, ...]


class AnswerKind:
    """Kind of an answer: a class, a rating, a tag, and so on. Abstract.

    `Annotations`, pipelines, `validate` and the crowd layers ask the kind for whatever differs from one kind to
    another. A kind of your own is a subclass that sets the attributes below and defines `is_answered` and `observed`; a
    crowd layer for it has one as its `answer_kind`.

    Attributes:
        name: String. What error messages call such answers.
        level: `"nominal"` where two answers are the same or not, `"interval"` where their difference is a number.
        losses: Registered names of the losses that train on such answers, the usual one first.
        metrics: Registered names of the metrics, likewise.
        aggregations: Names of the functions of `keras_crowd.aggregation` that apply, the usual one first.
        has_classes: Boolean. Whether there is a vocabulary, `annotations.classes`.
        prediction_kind: String. What a model predicts of the truth: `"probabilities"` of classes, the probability of
            each of several `"labels"`, or `"numbers"`.
        axes: Names of the axes of a table between items and annotators, such as `"time"`.

    Example:

    >>> keras_crowd.Annotations.from_dense([[0, 1], [2, -1]]).kind
    Classes(num_classes=3, soft=False)
    """

    name: ClassVar[str] = "answers"
    level: ClassVar[Literal["nominal", "interval"]] = "nominal"
    losses: ClassVar[tuple[str, ...]] = ()
    metrics: ClassVar[tuple[str, ...]] = ()
    aggregations: ClassVar[tuple[str, ...]] = ()
    has_classes: ClassVar[bool] = False
    prediction_kind: ClassVar[Literal["probabilities", "labels", "numbers"]] = "numbers"
    axes: ClassVar[tuple[str, ...]] = ()

    @property
    def shape(self) -> Places:
        """The shape of one answer, `()` for a number."""
        return ()

    @property
    def dtype(self) -> str:
        """The dtype of the answers."""
        return "float32"

    @property
    def missing(self) -> float:
        """Code of a missing answer; where an answer is several numbers, the code of each."""
        return np.nan

    @property
    def countable(self) -> bool:
        """Whether equal answers can be counted, for a majority."""
        return False

    def is_answered(self, table: np.ndarray) -> np.ndarray:
        """Returns where a table `(items, ..., annotators or slots, *shape)` holds an answer, without `shape`."""
        raise NotImplementedError

    def checked(self, name: str, answers: np.ndarray) -> np.ndarray:
        """Returns what a reader found, `(answers, *shape)`, none missing; refuses what is no such answer."""
        return answers

    def kept(self, answers: np.ndarray) -> np.ndarray:
        """Returns answers `(answers, *shape)` as `Annotations` keep them."""
        return answers.astype(self.dtype, copy=False)

    def observed(self, table: np.ndarray) -> np.ndarray:
        """Returns `is_answered` of a table as for `fit`; refuses one that holds what is neither answer nor missing."""
        raise NotImplementedError

    def class_ids(self, answers: np.ndarray, classes: Sequence[Hashable] | int | None) -> np.ndarray | None:
        """Returns the ids of the classes that such answers stand for; `None` where there are none."""
        return None

    def recoded(self, answers: np.ndarray, positions: np.ndarray, kind: AnswerKind) -> np.ndarray:
        """Returns the answers as those of `kind`, a class at another position among more of them."""
        return answers

    def ids(self, answers: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
        """Returns the answers by the ids of their classes; numbers as they are."""
        return answers

    def most_probable(self, posterior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the most probable truth under a posterior `(items, ...)`, and its probability."""
        raise NotImplementedError

    def like(self, table: np.ndarray, num_axes: int) -> AnswerKind:
        """Returns the kind of a table that has so many axes before the answers: itself, or its soft twin."""
        return self

    def union(self, others: Sequence[AnswerKind], num_classes: int) -> AnswerKind:
        """Returns the kind of answers of this one and others, which are of the same type, together."""
        return self

    def empty(self, shape: tuple[int, ...]) -> np.ndarray:
        """Returns a table `(*shape, *self.shape)` in which everything is missing."""
        sizes = tuple(size or 0 for size in self.shape)
        return np.full((*shape, *sizes), self.missing, self.dtype)

    def describe(self) -> str:
        """Returns what `repr` of annotations says of the answers."""
        return self.name

    def check_table(self, table: np.ndarray, places: Places) -> np.ndarray:
        """Checks answers at the door of `fit`.

        Args:
            table: The answers, `(items, *places, *shape)`.
            places: Sizes of the axes between items and answers, the last that of annotators or slots.

        Returns:
            Booleans `(items, *places)`, where there is an answer.

        Raises:
            ValueError: When the shape is another, or something is neither an answer nor missing.
        """
        kind = self.like(table, 1 + len(places))
        expected = (len(table), *places, *kind.shape)
        known = [(i, j) for i, j in zip(table.shape, expected, strict=False) if j is not None]
        if table.ndim != len(expected) or any(i != j for i, j in known):
            raise ValueError(f"`answers` must have shape {expected}. Received: shape {table.shape}")
        return kind.observed(table)


def refuse_places(wrong: np.ndarray, values: np.ndarray, expected: str) -> None:
    """Refuses a table some of whose values are wrong, and says where the first one is."""
    if wrong.any():
        where = tuple(map(int, np.argwhere(wrong)[0]))
        raise ValueError(
            f"`answers` must be {expected}. "
            f"Received: {int(wrong.sum())} that are not, the first {values[where]} at {where}"
        )
