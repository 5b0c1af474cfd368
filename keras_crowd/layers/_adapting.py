"""What the answers alone tell of annotators, for `CrowdLayer.adapt`."""

import functools
from collections.abc import Sequence

import numpy as np

from ..aggregation import by_annotator, raykar
from ..annotations import Annotations, AnswerKind, Answers, Tags, as_annotations, as_ratings, kind_given

_IMAGINED = 4.0  # answers of the typical annotator, imagined for each


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
    return check_annotators(as_annotations(answers, num_classes), num_annotators)


def grades_as_ratings(annotations: Annotations) -> Annotations:
    """The codes of grades as numbers."""
    return Annotations(
        annotations.item_index,
        annotations.annotator_index,
        annotations.answers.astype(float),
        items=annotations.items,
        annotators=annotations.annotators,
        classes=None,
    )


def rating_answers(answers: Answers, num_annotators: int) -> list[Annotations]:
    """`answers` of all the annotators in the long form, target by target."""
    if isinstance(answers, Annotations) or np.ndim(answers) != 3:
        return [check_annotators(as_ratings(answers), num_annotators)]
    table = np.moveaxis(np.asarray(answers), -1, 0)
    return [check_annotators(as_ratings(target), num_annotators) for target in table]


def check_annotators(annotations: Annotations, num_annotators: int) -> Annotations:
    """Returns answers of as many annotators as the layer has; refuses others."""
    if annotations.num_annotators != num_annotators:
        raise ValueError(
            f"`answers` must be of {num_annotators} annotators, as the layer has. Received: {annotations!r}"
        )
    return annotations


def check_targets(given: int, expected: int) -> None:
    """Refuses answers of another number of targets than the layer has."""
    if given != expected:
        raise ValueError(f"`answers` must be of {expected} targets, as the layer has. Received: {given}")


def lines_of_targets(
    targets: Sequence[Annotations], scale: bool, bias: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`lines` target by target, three arrays `(annotators, targets)`."""
    slopes, intercepts, variances = zip(*(lines(ratings, scale, bias) for ratings in targets), strict=True)
    return np.stack(slopes, axis=1), np.stack(intercepts, axis=1), np.stack(variances, axis=1)


def lines(
    ratings: Annotations, scale: bool = True, bias: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slope, intercept and variance of each annotator's answers over the truth of `aggregation.raykar`.

    Least squares with some answers of the typical annotator imagined, who has slope 1 and intercept 0.

    Args:
        ratings: Numeric annotations.
        scale: Whether slopes may differ from 1.
        bias: Whether intercepts may differ from 0.

    Returns:
        Three arrays `(annotators,)`.
    """
    found = raykar(ratings)
    total, truth = functools.partial(by_annotator, ratings), found.truth[ratings.item_index]
    counts = ratings.answers_per_annotator() + _IMAGINED
    center = found.truth.mean() if bias else 0.0
    x, y = truth - center, ratings.answers - center
    spread = _IMAGINED * max(np.mean(x**2), np.finfo(float).tiny)

    mean_x, mean_y = total(x) / counts * bias, total(y) / counts * bias
    covariance = total(x * y) + spread - counts * mean_x * mean_y
    slope = covariance / (total(x * x) + spread - counts * mean_x**2) if scale else np.ones(len(counts))
    intercept = (mean_y - slope * mean_x + center * (1 - slope)) * bias
    return slope, intercept, 1 / found.precision
