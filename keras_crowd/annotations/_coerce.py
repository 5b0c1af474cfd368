"""Answers as a user may hand them over, as `Annotations`."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .._files import checksum_of
from ._container import Annotations
from ._soft import is_soft_table

Answers: TypeAlias = Annotations | npt.ArrayLike
"""The answers of a crowd: `Annotations`, or an array as one of its forms."""


def as_annotations(answers: Answers, num_classes: int | None = None) -> Annotations:
    """`answers` as `Annotations`: passed through, or read from a dense array.

    Args:
        answers: `Annotations` with class answers; or integers `(items, annotators)` with `-1`; or soft answers,
            floats `(items, annotators, classes)`, zeros or `NaN` for missing.
        num_classes: Number of classes; needed where the last class may be absent from a dense array.

    Raises:
        ValueError: When the answers are not classes, or there are more classes than `num_classes`.
    """
    if not isinstance(answers, Annotations):
        array = np.asarray(answers)
        if array.ndim not in (2, 3) or array.dtype.kind not in "iuf":
            raise ValueError(
                "`answers` must be `Annotations`, or integers of shape (items, annotators) with -1 for missing. "
                f"Received: {type(answers).__name__} of shape {array.shape}, dtype {array.dtype}"
            )
        if array.dtype.kind == "f" and not is_soft_table(array):
            raise ValueError(
                "`answers` must be `Annotations` or integers of shape (items, annotators) with -1 for "
                "missing, or soft answers, floats of shape (items, annotators, classes). "
                f"Received: floats of shape {array.shape}"
            )
        answers = Annotations.from_dense(array, classes=num_classes)
    elif answers.classes is None:
        raise ValueError(
            "`answers` must be classes. Received: numeric answers (floats; with `classes=` they are class ids), "
            f"{answers!r}"
        )
    elif answers.num_classes != num_classes and num_classes is not None:
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
    if not isinstance(answers, Annotations):
        array = np.asarray(answers)
        if array.dtype.kind != "f" or is_soft_table(array):
            raise ValueError(
                "`answers` must be `Annotations` of numbers or floats of shape (items, annotators) with NaN "
                f"for missing. Received: dtype {array.dtype}, shape {array.shape}"
            )
        return Annotations.from_dense(array)
    if answers.classes is not None:
        raise ValueError(
            "`answers` must be numbers: make `Annotations` of floats, without `classes=`. "
            f"Received: {answers!r}"
        )
    return answers
