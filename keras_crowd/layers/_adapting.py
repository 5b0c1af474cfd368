"""Estimates of annotators from the answers alone, for `CrowdLayer.adapt`."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..aggregation import by_annotator, raykar, shares_that_tell
from ..annotations import (
    Annotations,
    AnswerKind,
    Answers,
    Tags,
    as_annotations,
    as_ratings,
    kind_given,
    of_annotators,
    with_ratings,
)

_IMAGINED = 4.0  # pseudo-answers of the typical annotator, for each


class Adapted(NamedTuple):
    """Estimates of annotators of classes from the answers.

    Attributes:
        confusion: `(annotators, true, answer)`.
        shares: Share of each true class, `(classes,)`.
        answered: Share of each class among the answers, `(classes,)`.
    """

    confusion: np.ndarray
    shares: np.ndarray
    answered: np.ndarray


def class_answers(
    answers: Answers, num_classes: int | None, kind: AnswerKind, num_annotators: int
) -> Annotations:
    """`answers` of all the annotators in the long form; every token of a sequence is an item."""
    if (
        isinstance(kind, Tags)
        and not isinstance(answers, Annotations)
        and isinstance(kind_given(answers), Tags)
    ):
        table = np.asarray(answers)
        answers = table.reshape(-1, *table.shape[2:])
    return of_annotators(as_annotations(answers, num_classes), num_annotators)


def grades_as_ratings(annotations: Annotations) -> Annotations:
    """The codes of grades as numbers."""
    return with_ratings(annotations, annotations.answers.astype(float))


def rating_answers(answers: Answers, num_annotators: int) -> list[Annotations]:
    """`answers` of all the annotators in the long form, target by target."""
    if isinstance(answers, Annotations) or np.ndim(answers) != 3:
        return [of_annotators(as_ratings(answers), num_annotators)]
    table = np.moveaxis(np.asarray(answers), -1, 0)
    return [of_annotators(as_ratings(target), num_annotators) for target in table]


def check_targets(given: int, expected: int) -> None:
    """Refuses answers of another number of targets than the layer has."""
    if given != expected:
        raise ValueError(f"`answers` must be of {expected} targets, as the layer has. Received: {given}")


class Lines(NamedTuple):
    """Estimates raters from the answers, targets last.

    Attributes:
        scale: Slope of each annotator's answers over those of the crowd, `(annotators, targets)`.
        bias: Their intercept.
        variance: Variance of the answers around that line.
        weights: Each annotator's share of all answers, by how much of their variance is that of the truth.
        crowd_scale: Slope of the crowd's answers over the truth, `(targets,)`.
        crowd_bias: Their intercept.
    """

    scale: np.ndarray
    bias: np.ndarray
    variance: np.ndarray
    weights: np.ndarray
    crowd_scale: np.ndarray
    crowd_bias: np.ndarray


def lines_of_targets(
    targets: Sequence[Annotations], gold: npt.ArrayLike | None, scale: bool, bias: bool
) -> Lines:
    """`lines` target by target; `gold` is `(items,)`, or `(items, targets)` for several."""
    if gold is None:
        columns: Sequence[npt.ArrayLike | None] = [None] * len(targets)
    elif len(targets) == 1:
        columns = [gold]
    elif np.shape(gold)[1:] == (len(targets),):
        columns = [*np.asarray(gold).T]
    else:
        raise ValueError(
            f"`gold` must have shape (items, {len(targets)}), as the targets. Received: shape {np.shape(gold)}"
        )
    found = [lines(ratings, of, scale, bias) for ratings, of in zip(targets, columns, strict=True)]
    return Lines(*(np.stack(values, axis=-1) for values in zip(*found, strict=True)))


def lines(
    ratings: Annotations, gold: npt.ArrayLike | None = None, scale: bool = True, bias: bool = True
) -> Lines:
    """The line of the crowd over the truth of `aggregation.raykar`, and of each annotator over that of the crowd.

    Least squares with pseudo-answers of the typical annotator, who has slope 1 and intercept 0.

    Args:
        ratings: Numeric annotations.
        gold: True ratings of some items, `(items,)`, `NaN` where unknown. Defaults to `None`.
        scale: Boolean. Whether slopes may differ from 1. Defaults to `True`.
        bias: Boolean. Whether intercepts may differ from 0. Defaults to `True`.

    Returns:
        `Lines` without the axis of targets.
    """
    found = raykar(ratings, gold=gold)
    variance = 1 / found.precision
    weights = shares_that_tell(ratings.answers_per_annotator(), found.scale, variance, found.truth)
    crowd_scale = weights @ found.scale
    crowd_bias = weights @ (found.bias + found.center * (1 - found.scale))
    crowd = crowd_bias + crowd_scale * found.truth
    total, expected = functools.partial(by_annotator, ratings), crowd[ratings.item_index]
    counts = ratings.answers_per_annotator() + _IMAGINED
    center = crowd.mean() if bias else 0.0
    x, y = expected - center, ratings.answers - center
    spread = _IMAGINED * max(np.mean(x**2), np.finfo(float).tiny)

    mean_x, mean_y = total(x) / counts * bias, total(y) / counts * bias
    covariance = total(x * y) + spread - counts * mean_x * mean_y
    slope = covariance / (total(x * x) + spread - counts * mean_x**2) if scale else np.ones(len(counts))
    intercept = (mean_y - slope * mean_x + center * (1 - slope)) * bias
    return Lines(slope, intercept, variance, weights, crowd_scale, crowd_bias)
