"""Checks of what a model says about the items and the annotators."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._arguments import distributions, positive
from ..annotations import (
    MISSING,
    Annotations,
    Answers,
    as_annotations,
    as_ratings,
    by_ids,
    with_unknown,
)


def answers_and_probabilities(
    answers: Answers, probabilities: npt.ArrayLike, name: str = "probabilities"
) -> tuple[Annotations, np.ndarray]:
    """Annotations, and class probabilities of as many items; one column is that of class 1 of two."""
    only_class = (
        isinstance(answers, Annotations) and answers.classes is not None and len(answers.classes) == 1
    )
    if np.shape(probabilities)[1:] == (1,) and not only_class:
        one = np.asarray(probabilities, float)
        probabilities = np.concatenate([1 - one, one], axis=1)
    shape = np.shape(probabilities)
    if len(shape) != 2:
        raise ValueError(f"`{name}` must have shape (items, classes). Received: shape {shape}")
    annotations = as_annotations(answers, None if isinstance(answers, Annotations) else shape[1])
    probabilities = np.asarray(by_ids(name, probabilities, annotations), float)
    if probabilities.shape != (annotations.num_items, annotations.num_classes):
        raise ValueError(
            f"`{name}` must have {annotations.num_items} rows and {annotations.num_classes} columns. "
            f"Received: shape {probabilities.shape}"
        )
    return annotations, distributions(name, probabilities)


def imagined_answers(name: str, counts: npt.ArrayLike, annotations: Annotations) -> np.ndarray:
    """Returns pseudo-counts, positive, that broadcast to `(annotators, true, answer)`."""
    return positive(name, counts, confusion_shape(annotations), "(annotators, true, answer)")


def confusion_shape(annotations: Annotations) -> tuple[int, int, int]:
    """The shape of the confusions of these annotators, `(annotators, true, answer)`."""
    return annotations.num_annotators, annotations.num_classes, annotations.num_classes


def answers_and_truth(
    answers: Answers, posterior: npt.ArrayLike
) -> tuple[Annotations, np.ndarray, np.ndarray | None]:
    """Ratings, the mean of each item's truth, and its variance if that is known."""
    ratings = as_ratings(answers)
    values = np.asarray(
        by_ids("posterior", posterior, ratings) if np.ndim(posterior) == 1 else posterior, float
    )
    if values.shape not in ((ratings.num_items,), (ratings.num_items, 1), (ratings.num_items, 2)):
        raise ValueError(
            f"`posterior` of ratings must be the truth ({ratings.num_items},), or its mean and variance "
            f"({ratings.num_items}, 2). Received: shape {values.shape}"
        )
    columns = values.reshape(ratings.num_items, -1)
    return ratings, columns[:, 0], columns[:, 1] if columns.shape[1] == 2 else None


def checked_gold(
    gold: npt.ArrayLike | None, annotations: Annotations, shape: tuple[int, ...]
) -> np.ndarray:
    """Class codes of all items, or tokens, of the given shape; `-1` where unknown."""
    if gold is None:
        return np.full(shape, MISSING)
    gold = np.asarray(gold)
    if gold.shape != shape or gold.dtype.kind not in "iu":
        raise ValueError(
            f"`gold` must be class codes of shape {shape}, -1 where unknown. "
            f"Received: shape {gold.shape}, dtype {gold.dtype}"
        )
    if np.any(gold >= annotations.num_classes):
        raise ValueError(
            f"`gold` must be class codes 0 to {annotations.num_classes - 1}, -1 where unknown. "
            f"Received: {gold.max()}"
        )
    return gold


def gold_classes(gold: npt.ArrayLike | None, annotations: Annotations) -> np.ndarray:
    """Class codes of the items, `-1` where unknown, from codes or ids of classes; a series by its index, which may name
    some of the items alone."""
    codes = None if gold is None else by_ids("gold", with_unknown(gold, annotations), annotations)
    return checked_gold(codes, annotations, (annotations.num_items,))
