"""What the answers alone tell of annotators, for `CrowdLayer.adapt`."""

from collections.abc import Iterator, Sequence

import numpy as np

from ..aggregation import raykar
from ..annotations import Annotations, Answers, as_annotations, as_ratings

_IMAGINED = 4.0  # answers of the typical annotator, imagined for each


def class_answers(answers: Answers, num_classes: int | None, axes: int) -> Annotations:
    """`answers` in the long form; of sequences, `axes` more before that of the annotators, every token is an item."""
    if isinstance(answers, Annotations):
        return as_annotations(answers, num_classes)
    table = np.asarray(answers)
    soft = table.dtype.kind == "f" and table.ndim == 3 + axes
    if axes and table.ndim == 2 + axes + soft:
        table = table.reshape(-1, *table.shape[1 + axes :])
    return as_annotations(table, num_classes)


def rating_answers(answers: Answers) -> Iterator[Annotations]:
    """`answers` in the long form, target by target."""
    if isinstance(answers, Annotations) or np.ndim(answers) != 3:
        yield as_ratings(answers)
        return
    table = np.asarray(answers)
    yield from (as_ratings(table[..., target]) for target in range(table.shape[-1]))


def check_annotators(annotations: Annotations, num_annotators: int) -> None:
    """Refuses answers of another number of annotators than the layer has."""
    if annotations.num_annotators != num_annotators:
        raise ValueError(
            f"`answers` must be of {num_annotators} annotators, as the layer has. Received: {annotations!r}"
        )


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
    who, truth = ratings.annotator_index, found.truth[ratings.item_index]
    counts = ratings.answers_per_annotator() + _IMAGINED
    center = found.truth.mean() if bias else 0.0
    x, y = truth - center, ratings.answers - center
    spread = _IMAGINED * max(np.mean(x**2), np.finfo(float).tiny)

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(who, values, minlength=ratings.num_annotators)

    mean_x, mean_y = total(x) / counts * bias, total(y) / counts * bias
    covariance = total(x * y) + spread - counts * mean_x * mean_y
    slope = covariance / (total(x * x) + spread - counts * mean_x**2) if scale else np.ones(len(counts))
    intercept = (mean_y - slope * mean_x + center * (1 - slope)) * bias
    return slope, intercept, 1 / found.precision
