"""The kinds of answers there are: classes, tags along a sequence, ratings."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from .._arguments import SUM_TOLERANCE
from ._answer_kind import AnswerKind, Places, refuse_places
from ._ids import MISSING, class_ids, class_ids_of_columns, refuse_infinite
from ._soft import checked_distributions, one_hot


@dataclass(frozen=True)
class OfClasses(AnswerKind):
    """One of the classes, or a distribution over them. Abstract."""

    num_classes: int | None = None
    soft: bool = False

    losses: ClassVar[tuple[str, ...]] = ("keras_crowd>MaskedCrowdCrossEntropy",)
    metrics: ClassVar[tuple[str, ...]] = ("keras_crowd>CrowdAccuracy", "keras_crowd>CrowdCrossEntropy")
    aggregations: ClassVar[tuple[str, ...]] = ("dawid_skene", "majority_vote", "posterior")
    has_classes: ClassVar[bool] = True
    prediction_kind: ClassVar[Literal["probabilities", "labels", "numbers"]] = "probabilities"

    @property
    def dtype(self) -> str:
        return "float32" if self.soft else "int32"

    @property
    def missing(self) -> float:
        return 0.0 if self.soft else MISSING

    @property
    def countable(self) -> bool:
        return not self.soft

    @property
    def shape(self) -> Places:
        return (self.num_classes,) if self.soft else ()

    def is_answered(self, table: np.ndarray) -> np.ndarray:
        if self.soft:
            return ~(np.all(table == 0, axis=-1) | np.all(np.isnan(table), axis=-1))
        return (table != MISSING) & (table == table)

    def checked(self, name: str, answers: np.ndarray) -> np.ndarray:
        return checked_distributions(name, answers) if self.soft else answers

    def class_ids(self, answers: np.ndarray, classes: Sequence[Hashable] | int | None) -> np.ndarray | None:
        if self.soft:
            return class_ids_of_columns(classes, answers.shape[1])
        return class_ids(answers, classes)

    def recoded(self, answers: np.ndarray, positions: np.ndarray, kind: AnswerKind) -> np.ndarray:
        if not kind.shape:
            return positions[answers]
        rows = kind.empty((len(answers),))
        rows[:, positions] = answers if self.soft else one_hot(answers, len(positions))
        return rows

    def ids(self, answers: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
        return answers if self.soft or classes is None else classes[answers]

    def most_probable(self, posterior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return posterior.argmax(axis=-1), posterior.max(axis=-1)

    def like(self, table: np.ndarray, num_axes: int) -> AnswerKind:
        return type(self)(self.num_classes, table.ndim > num_axes)

    def union(self, others: Sequence[AnswerKind], num_classes: int) -> AnswerKind:
        return type(self)(num_classes, any(bool(kind.shape) for kind in (self, *others)))

    def describe(self) -> str:
        return f"{self.num_classes} {self.name}{', soft' * self.soft}"

    def observed(self, table: np.ndarray) -> np.ndarray:
        if self.soft:
            return self._observed_distributions(table)
        limit = np.inf if self.num_classes is None else self.num_classes
        observed = table >= 0
        wrong = observed & ((table >= limit) | (table != np.floor(table)))
        codes = "class codes" if self.num_classes is None else f"class codes 0 to {self.num_classes - 1}"
        refuse_places(wrong, table, f"{codes}, negative for missing")
        return observed

    def _observed_distributions(self, table: np.ndarray) -> np.ndarray:
        missing = np.all(np.isnan(table), axis=-1, keepdims=True)
        expected = "distributions over the classes, rows of zeros (or NaN) for missing"
        refuse_places(~missing & ~(np.isfinite(table) & (table >= 0)), table, expected)
        total = np.where(missing[..., 0], 0.0, table.sum(axis=-1))
        off = (total != 0) & (np.abs(total - 1) > SUM_TOLERANCE)
        refuse_places(off, total, f"{expected}, that sum to 1")
        return total != 0


@dataclass(frozen=True)
class Classes(OfClasses):
    """An answer is one of several classes; a soft one a distribution over them.

    Args:
        num_classes: Integer. Number of classes. Defaults to `None`, not known.
        soft: Boolean. Whether answers are distributions. Defaults to `False`.

    Example:

    >>> keras_crowd.annotations.Classes(3).is_answered(np.array([[0, -1], [2, 1]])).tolist()
    [[True, False], [True, True]]
    """

    name: ClassVar[str] = "classes"
    losses: ClassVar[tuple[str, ...]] = (
        *OfClasses.losses,
        "keras_crowd>MixedCrowdCrossEntropy",
        "keras_crowd>UnionCrossEntropy",
    )


@dataclass(frozen=True)
class Tags(OfClasses):
    """An answer is a class for each token of a sequence: tables have a time axis before that of the annotators.

    In the long form, and so for everything that aggregates, each token is an item with answers of its own.

    Args:
        num_classes: Integer. Number of classes. Defaults to `None`, not known.
        soft: Boolean. Whether answers are distributions. Defaults to `False`.

    Example:

    >>> keras_crowd.annotations.Tags(9).losses
    ('keras_crowd>MaskedCrowdCrossEntropy',)
    """

    name: ClassVar[str] = "tags"
    axes: ClassVar[tuple[str, ...]] = ("time",)


@dataclass(frozen=True)
class Ratings(AnswerKind):
    """An answer is a number, or several of them.

    Args:
        shape: Tuple of integers. Shape of one answer. Defaults to `()`, a number.

    Example:

    >>> keras_crowd.annotations.Ratings().empty((1, 2)).tolist()
    [[nan, nan]]
    """

    shape: Places = ()

    name: ClassVar[str] = "ratings"
    level: ClassVar[Literal["nominal", "interval"]] = "interval"
    losses: ClassVar[tuple[str, ...]] = (
        "keras_crowd>MaskedCrowdMeanSquaredError",
        "keras_crowd>MaskedCrowdMeanAbsoluteError",
        "keras_crowd>MaskedCrowdHuber",
    )
    metrics: ClassVar[tuple[str, ...]] = ("keras_crowd>CrowdRootMeanSquaredError",)
    aggregations: ClassVar[tuple[str, ...]] = ("raykar", "mean_rating", "median_rating")

    def is_answered(self, table: np.ndarray) -> np.ndarray:
        return np.any(~np.isnan(table), axis=tuple(range(table.ndim - len(self.shape), table.ndim)))

    def kept(self, answers: np.ndarray) -> np.ndarray:
        refuse_infinite(answers)
        return super().kept(answers)

    def observed(self, table: np.ndarray) -> np.ndarray:
        if table.dtype.kind != "f":
            raise ValueError(
                "`answers` must be floats with NaN for missing (a -1 would be a rating). "
                f"Received: dtype {table.dtype}"
            )
        refuse_places(np.isinf(table), table, "finite numbers, or NaN for missing")
        return self.is_answered(table)

    def describe(self) -> str:
        return "numeric"


def kind_of(answers: np.ndarray, classes: np.ndarray | None) -> AnswerKind:
    """The kind of answers in the long form: ratings where nothing names classes; soft ones have a row each."""
    if classes is None:
        return Ratings()
    return Classes(len(classes), soft=answers.ndim == 2)


def kind_of_table(table: np.ndarray, named: bool = False) -> AnswerKind:
    """The kind that a dense array tells by its dtype and its axes.

    Args:
        table: `(items, annotators)`, with a time axis between them for tags, and for soft answers, which are floats,
            that of the classes at the end.
        named: Boolean. Whether floats without that axis are codes of classes, and no ratings. Defaults to `False`.

    Raises:
        ValueError: When it is of no kind.
    """
    axes, floats = table.ndim, table.dtype.kind == "f"
    if axes == 3 + floats and table.dtype.kind in "iuf":
        return Tags(table.shape[-1] if floats else None, soft=floats)
    if axes == 3 and floats:
        return Classes(table.shape[-1], soft=True)
    if axes == 2 and table.dtype.kind in "iuf":
        return Ratings() if floats and not named else Classes()
    raise ValueError(no_dense_answers(table))


def no_dense_answers(table: np.ndarray) -> str:
    """Returns the message for an array that is not `(items, annotators)`."""
    return (
        "`answers` must be numbers of shape (items, annotators): class codes from 0, -1 for missing, or floats; or "
        "soft answers, floats of shape (items, annotators, classes). Sets of labels, (items, annotators, labels), are "
        "read by `Annotations.from_dense(array, kind=LabelSets())`. "
        "Names of classes, and tables with a row per answer, are read by `Annotations.from_coo` and `from_dataframe`; "
        "the answers to tokens, "
        "(items, time, annotators), are those of items after `reshape(-1, annotators)`. "
        f"Received: shape {table.shape}, dtype {table.dtype}"
    )
