"""Answers as a user may hand them over, as `Annotations`."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .._files import checksum_of
from ._answer_kind import AnswerKind
from ._container import Annotations
from ._distributions import Distributions
from ._kinds import OfClasses, Ratings, kind_of_table
from ._label_sets import LabelSets
from ._preferences import Preferences
from ._soft import checked_distributions

Answers: TypeAlias = Annotations | npt.ArrayLike
"""The answers of a crowd: `Annotations`, or an array as one of its forms."""


def as_annotations(answers: Answers, num_classes: int | None = None) -> Annotations:
    """`answers` as `Annotations`: passed through, or read from a dense array.

    Args:
        answers: `Annotations` with class answers; or integers `(items, annotators)` with `-1`; or soft answers,
            floats `(items, annotators, classes)`, zeros or `NaN` for missing.
        num_classes: Integer. Number of classes; needed where the last class may be absent from a dense array. Defaults
            to `None`.

    Raises:
        ValueError: When the answers are not classes, or there are more classes than `num_classes`.
    """
    if not isinstance(kind_given(answers), OfClasses):
        if isinstance(answers, Annotations):
            numeric = "numeric answers (floats; with `classes=` they are class ids), "
            raise ValueError(
                "`answers` must be of one class each. "
                f"Received: {numeric if answers.classes is None else ''}{answers!r}"
            )
        raise ValueError(
            "`answers` must be `Annotations` or integers of shape (items, annotators) with -1 for missing, or soft "
            "answers, floats of shape (items, annotators, classes). "
            f"Received: floats of shape {np.shape(answers)}"
        )
    if not isinstance(answers, Annotations):
        return Annotations.from_dense(answers, classes=num_classes)
    if answers.num_classes != num_classes and num_classes is not None:
        raise ValueError(
            f"`num_classes` must agree with the annotations, which have {answers.num_classes}. "
            f"Received: num_classes={num_classes}"
        )
    return answers


def as_answers(answers: Answers) -> Annotations:
    """`answers` of classes or of numbers as `Annotations`: passed through, or read from a dense array."""
    return answers if isinstance(answers, Annotations) else Annotations.from_dense(answers)


def checksum(annotations: Annotations) -> int:
    """A number that other answers would hardly share: whether a file is of the same answers."""
    return checksum_of((annotations.item_index, annotations.annotator_index, annotations.answers))


def as_ratings(answers: Answers) -> Annotations:
    """`answers` as `Annotations` of numbers: passed through, or read from a dense array of floats.

    Args:
        answers: `Annotations` with numeric answers, or floats `(items, annotators)` with `NaN`.

    Raises:
        ValueError: When the answers are classes, or integers.
    """
    if not are_ratings(answers):
        raise ValueError(
            "`answers` must be numbers: `Annotations` of floats, without `classes=`, or floats of shape "
            f"(items, annotators) with NaN for missing. Received: {_shown(answers)}"
        )
    return as_answers(answers)


def with_ratings(annotations: Annotations, ratings: np.ndarray) -> Annotations:
    """Numbers in the place of the answers, `(num_answers,)`."""
    return Annotations(
        annotations.item_index,
        annotations.annotator_index,
        ratings,
        items=annotations.items,
        annotators=annotations.annotators,
        classes=None,
    )


def as_label_sets(answers: Answers, num_labels: int | None = None) -> Annotations:
    """`answers` as `Annotations` of sets of labels: passed through, or read from a dense array.

    Args:
        answers: `Annotations` of sets, or integers `(items, annotators, labels)`: 1 ticked, 0 not ticked, -1 not shown.
        num_labels: Integer. Number of labels that there must be. Defaults to `None`, any.

    Raises:
        ValueError: When the answers are no sets of labels, or of another number of labels.
    """
    if not isinstance(answers, Annotations):
        table = np.asarray(answers)
        if table.ndim != 3 or table.dtype.kind not in "iu":
            raise ValueError(
                "`answers` must be sets of labels: `Annotations` of them (`Annotations.from_sets`), or integers "
                f"(items, annotators, labels) of 1, 0 and -1. Received: {_shown(answers)}"
            )
        answers = Annotations.from_dense(table, kind=LabelSets())
    if not are_sets(answers):
        raise ValueError(
            "`answers` must be sets of labels, as `Annotations.from_sets` reads them. "
            f"Received: one class or number each, {answers!r}"
        )
    if num_labels not in (None, answers.num_classes):
        raise ValueError(f"`answers` must be sets of {num_labels} labels. Received: {answers!r}")
    return answers


def as_preferences(answers: Annotations) -> Annotations:
    """Returns `Annotations` of preferences; refuses other answers, of which no pairs of items are known."""
    if isinstance(answers, Annotations) and isinstance(answers.kind, Preferences):
        return answers
    raise ValueError(
        "`answers` must be preferences, as `Annotations.from_preferences` reads them. "
        f"Received: {_shown(answers)}"
    )


def kind_given(answers: Answers) -> AnswerKind:
    """The kind of answers as a user may hand them over: that of `Annotations`, or what a dense array tells.

    Raises:
        ValueError: When an array is of no kind.
    """
    return answers.kind if isinstance(answers, Annotations) else kind_of_table(np.asarray(answers))


def are_ratings(answers: Answers) -> bool:
    """Whether answers are numbers: `Annotations` of ratings, or floats `(items, annotators)`."""
    return isinstance(kind_given(answers), Ratings)


def are_sets(answers: Answers) -> bool:
    """Whether answers are `Annotations` of sets of labels (an array does not tell them from tags)."""
    return isinstance(kind_given(answers), LabelSets)


def in_place_of_codes(places: Annotations, found: Distributions) -> Annotations:
    """Annotations whose classes are numbers of rows, with the rows as their answers."""
    return Annotations(
        places.item_index,
        places.annotator_index,
        checked_distributions("answer", found.rows[places.ids()]),
        items=places.items,
        annotators=places.annotators,
        classes=found.classes,
    )


def _shown(answers: Answers) -> str:
    if isinstance(answers, Annotations):
        return repr(answers)
    array = np.asarray(answers)
    return f"dtype {array.dtype}, shape {array.shape}"


def of_annotators(annotations: Annotations, num_annotators: int) -> Annotations:
    """Returns answers of as many annotators as the crowd layer has; refuses others."""
    if annotations.num_annotators != num_annotators:
        raise ValueError(
            f"`answers` must be of {num_annotators} annotators, as the crowd layer has. Received: {annotations!r}"
        )
    return annotations


def refuse_preferences(answers: Answers) -> None:
    """Raises where a classifier is to be trained on answers that train a scorer."""
    if isinstance(answers, Annotations) and isinstance(answers.kind, Preferences):
        raise ValueError(
            "`answers` must be answers about single items; preferences train a scorer by "
            f"`keras_crowd.models.preference_model` below `layers.CrowdsPreference`. Received: {answers!r}"
        )
