"""How close estimates come to the truth: confusions, annotators, labels, probabilities. NumPy in, NumPy out.

Answers are observed; the true classes are hidden, and what is learned without gold labels may have them in
another order. A *permutation* here always says which estimated class stands for each true one:
`confusion[:, permutation, :]`, `probabilities[:, permutation]` and `np.argsort(permutation)[labels]` are in
the order of the truth. Where no permutation is better than leaving things as they are, it is that.

Alignment needs SciPy (`pip install scipy`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .annotations import MISSING

# Rows that half-precision softmaxes made are off by so much.
_SUM_TOLERANCE = 1e-2


def class_alignment(confusion: Any, reference: Any, weights: Any = None) -> np.ndarray:
    """The permutation of the true classes that brings confusions closest to a reference.

    One permutation `p` for all annotators, and of the true classes only:

        p = argmin sum_r w_r sum_kl (A_r,p(k),l - B_rkl)^2

    Args:
        confusion: Estimates `A`, `(annotators, true, answer)`.
        reference: `B`, the same shape.
        weights: Weight of each annotator, such as its number of answers, `(annotators,)`. Defaults to
            all alike.

    Returns:
        int64 `(classes,)`, such that `confusion[:, permutation, :]` is closest to `reference`.

    Raises:
        ValueError: When the shapes disagree, or rows are not distributions.
        ImportError: Without SciPy.

    Example:

    >>> truth = np.array([[[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.0, 0.1, 0.9]]])
    >>> keras_crowd.evaluation.class_alignment(truth[:, [1, 2, 0], :], truth)
    array([2, 0, 1])

    Reference:
        H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics
        Quarterly 2, 1955.
    """
    confusion, reference = _confusion_pair(confusion, reference)
    return _align(confusion, reference, _weights(weights, len(confusion)))


def align_to_answers(confusion: Any, weights: Any = None) -> np.ndarray:
    """The permutation of the true classes under which annotators are right most often.

    Without a reference, what names the hidden classes is that most annotators beat chance:

        p = argmax sum_r w_r sum_k A_r,p(k),k

    Args:
        confusion: `A`, `(annotators, true, answer)`.
        weights: Weight of each annotator, such as `annotations.answers_per_annotator()`,
            `(annotators,)`. Defaults to all alike.

    Returns:
        int64 `(classes,)`, such that `confusion[:, permutation, :]` has the largest diagonals.

    Raises:
        ValueError: When the shapes disagree, or rows are not distributions.
        ImportError: Without SciPy.

    Example:

    >>> confusion = [[[0.1, 0.9], [0.8, 0.2]], [[0.3, 0.7], [0.5, 0.5]]]
    >>> keras_crowd.evaluation.align_to_answers(confusion)
    array([1, 0])
    """
    confusion = _confusion("confusion", confusion)
    perfect = np.broadcast_to(np.eye(confusion.shape[1]), confusion.shape)
    return _align(confusion, perfect, _weights(weights, len(confusion)))


class ConfusionError(NamedTuple):
    """What `confusion_error` found.

    Attributes:
        mean_absolute: Mean over annotators of the mean absolute error of an entry.
        spectral: Mean over annotators of the spectral norm of the error.
        permutation: The common permutation of the true classes that was applied, `(classes,)`.

    Example:

    >>> error = keras_crowd.evaluation.confusion_error([[[0.9, 0.1], [0.0, 1.0]]], [np.eye(2)])
    >>> round(error.mean_absolute, 3)
    0.05
    """

    mean_absolute: float
    spectral: float
    permutation: np.ndarray


def confusion_error(
    confusion: Any, reference: Any, *, align: bool = True, weights: Any = None
) -> ConfusionError:
    """How far estimated confusions are from the reference, under one common permutation of the classes.

        mean_absolute = mean_r mean_kl |A_r,p(k),l - B_rkl|
        spectral      = mean_r ||A_r,p - B_r||_2

    Args:
        confusion: Estimates `A`, `(annotators, true, answer)`.
        reference: `B`, the same shape.
        align: Search the permutation `p`, as `class_alignment` does. `False` compares as given, and
            needs no SciPy.
        weights: Weight of each annotator in both means and in the alignment, `(annotators,)`; 0 leaves
            one out. Defaults to all alike.

    Returns:
        `ConfusionError(mean_absolute, spectral, permutation)`.

    Raises:
        ValueError: When the shapes disagree, or rows are not distributions.
        ImportError: Without SciPy, when `align=True`.

    Example:

    >>> truth = np.array([[[0.75, 0.25], [0.0, 1.0]]])
    >>> keras_crowd.evaluation.confusion_error(truth[:, ::-1], truth)
    ConfusionError(mean_absolute=0.0, spectral=0.0, permutation=array([1, 0]))
    """
    confusion, reference = _confusion_pair(confusion, reference)
    weights = _weights(weights, len(confusion))
    permutation = _align(confusion, reference, weights) if align else np.arange(confusion.shape[1])
    error = confusion[:, permutation, :] - reference
    absolute = np.abs(error).mean(axis=(1, 2))
    spectral = np.linalg.norm(error, ord=2, axis=(1, 2))
    return ConfusionError(
        float(np.average(absolute, weights=weights)),
        float(np.average(spectral, weights=weights)),
        permutation,
    )


def aligned_accuracy(y_true: Any, y_pred: Any, num_classes: int | None = None) -> tuple[float, np.ndarray]:
    """Accuracy after the best permutation of the predicted classes.

    Args:
        y_true: True classes, integers `(items,)`.
        y_pred: Predicted classes, integers `(items,)`.
        num_classes: Number of classes. Defaults to the highest class of both plus one.

    Returns:
        The accuracy, and the permutation, int64 `(classes,)`: `permutation[k]` is the predicted class
        that stands for class `k`, so `np.argsort(permutation)[y_pred]` are the corrected labels.

    Raises:
        ValueError: When these are not class codes, or not of as many items.
        ImportError: Without SciPy.

    Example:

    >>> keras_crowd.evaluation.aligned_accuracy([0, 0, 1, 2], [2, 2, 0, 0])
    (0.75, array([2, 0, 1]))
    """
    y_true = _class_codes("y_true", y_true, num_classes)
    y_pred = _class_codes("y_pred", y_pred, num_classes)
    _same_shape("y_pred", y_pred, "y_true", y_true)
    size = max(y_true.max(), y_pred.max()) + 1 if num_classes is None else num_classes
    agreement = np.bincount(y_true * size + y_pred, minlength=size * size).reshape(size, size)
    permutation = _best_assignment(agreement)
    return float(agreement[np.arange(size), permutation].sum() / len(y_true)), permutation


class AnnotatorCorrelation(NamedTuple):
    """What `annotator_correlation` found.

    Attributes:
        pearson: Correlation of the accuracies themselves, from -1 to 1.
        spearman: Correlation of their ranks.

    Example:

    >>> keras_crowd.evaluation.annotator_correlation([0.5, 0.6, 0.9], [0.1, 0.2, 0.3]).spearman
    1.0
    """

    pearson: float
    spearman: float


def annotator_correlation(estimated: Any, gold: Any, weights: Any = None) -> AnnotatorCorrelation:
    """Whether the annotators believed to be good are the good ones.

    Args:
        estimated: Estimated accuracy of each annotator, `(annotators,)`, as from
            `aggregation.annotator_accuracy`.
        gold: Accuracy of each annotator against gold labels, `(annotators,)`.
        weights: Weight of each annotator, such as its number of answers to gold items,
            `(annotators,)`; 0 leaves one out, and only there may an accuracy be NaN. Defaults to all
            alike. Ranks (1 is lowest, ties share their mean rank) do not see the other weights, their
            correlation does.

    Returns:
        `AnnotatorCorrelation(pearson, spearman)`; both NaN where all accuracies of one side are the
        same.

    Raises:
        ValueError: When the shapes disagree, fewer than two annotators remain, or one is not finite.

    Example:

    >>> keras_crowd.evaluation.annotator_correlation([0.9, 0.6, 0.3], [1.0, 0.5, 0.0])
    AnnotatorCorrelation(pearson=1.0, spearman=1.0)

    Reference:
        C. Spearman, "The proof and measurement of association between two things", American Journal
        of Psychology 15, 1904.
    """
    estimated, gold = np.asarray(estimated, float), np.asarray(gold, float)
    if estimated.ndim != 1:
        raise ValueError(f"`estimated` must have shape (annotators,). Received: shape {estimated.shape}")
    _same_shape("gold", gold, "estimated", estimated)
    weights = _weights(weights, len(estimated))
    kept = weights > 0
    estimated, gold, weights = estimated[kept], gold[kept], weights[kept]
    for name, accuracy in (("estimated", estimated), ("gold", gold)):
        if len(accuracy) < 2 or not np.all(np.isfinite(accuracy)):
            raise ValueError(
                f"`{name}` must be finite numbers of at least two annotators with positive weight. "
                f"Received: {name}={accuracy}"
            )
    ranks = _ranks(estimated), _ranks(gold)
    return AnnotatorCorrelation(_pearson(estimated, gold, weights), _pearson(*ranks, weights))


def brier_score(y_true: Any, probabilities: Any) -> float:
    """Mean squared error of predicted probabilities, summed over the classes: `mean_i sum_k (p_ik - [y_i = k])^2`.

    Args:
        y_true: True classes, integers `(items,)`.
        probabilities: Predicted probabilities, `(items, classes)`; rows sum to 1.

    Returns:
        From 0 (sure and right) to 2 (sure and wrong); `1 - 1 / classes` for even guesses.

    Raises:
        ValueError: When `y_true` are not class codes of as many items, or rows are not distributions.

    Example:

    >>> keras_crowd.evaluation.brier_score([0, 1], [[1.0, 0.0], [0.5, 0.5]])
    0.25

    Reference:
        G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
        Review 78, 1950, eq. 2.
    """
    y_true, probabilities = _labels_and_probabilities(y_true, probabilities)
    error = probabilities.copy()
    error[np.arange(len(y_true)), y_true] -= 1
    return float(np.square(error).sum(axis=1).mean())


def calibration_error(y_true: Any, probabilities: Any, num_bins: int = 15) -> float:
    """Expected calibration error of the most probable class.

    Items are put in bins of equal width by the probability of their most probable class, `(0, 1/M]` to
    `(1 - 1/M, 1]`, and with `B_m` the items of bin `m` of `n` in all:

        ECE = sum_m |B_m| / n * |accuracy(B_m) - mean probability(B_m)|

    Args:
        y_true: True classes, integers `(items,)`.
        probabilities: Predicted probabilities, `(items, classes)`; rows sum to 1.
        num_bins: `M`, the number of bins.

    Returns:
        From 0 (a class predicted with 0.8 is right in 80 % of the items) to 1.

    Raises:
        ValueError: When `y_true` are not class codes of as many items, or rows are not distributions.

    Example:

    >>> keras_crowd.evaluation.calibration_error([0, 1], [[0.75, 0.25], [0.75, 0.25]])
    0.25

    Reference:
        C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
        ICML 2017, eq. 3.
    """
    y_true, probabilities = _labels_and_probabilities(y_true, probabilities)
    _whole_number("num_bins", num_bins)
    confidence = np.minimum(probabilities.max(axis=1), 1)
    correct = probabilities.argmax(axis=1) == y_true
    bins = np.ceil(confidence * num_bins).astype(np.int64) - 1
    gaps = np.bincount(bins, weights=correct - confidence, minlength=num_bins)
    return float(np.abs(gaps).sum() / len(y_true))


def _align(confusion: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`argmin_p sum_rkl w_r (A_r,p(k),l - B_rkl)^2`: the squares sum alike under any `p`, the products do not."""
    products = np.tensordot(weights[:, None, None] * reference, confusion, axes=((0, 2), (0, 2)))
    return _best_assignment(products)


def _best_assignment(score: np.ndarray) -> np.ndarray:
    """`argmax_p sum_k score[k, p(k)]`; the identity where nothing is better."""
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError:
        raise ImportError("Aligning classes needs SciPy: pip install scipy") from None
    rows, permutation = linear_sum_assignment(score, maximize=True)
    best = score[rows, permutation].sum()
    return rows if best - np.trace(score) <= 1e-9 * best else permutation


def _pearson(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    a, b = a - np.average(a, weights=weights), b - np.average(b, weights=weights)
    covariance, variances = np.sum(weights * a * b), np.sum(weights * a * a) * np.sum(weights * b * b)
    return float(np.clip(covariance / np.sqrt(variances), -1, 1))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, the mean rank for ties."""
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(size) - (size - 1) / 2)[group]


def _confusion(name: str, confusion: Any) -> np.ndarray:
    confusion = np.asarray(confusion, float)
    if confusion.ndim != 3 or confusion.shape[1] != confusion.shape[2] or confusion.size == 0:
        raise ValueError(f"`{name}` must be (annotators, true, answer). Received: shape {confusion.shape}")
    return _distributions(name, confusion)


def _confusion_pair(confusion: Any, reference: Any) -> tuple[np.ndarray, np.ndarray]:
    confusion, reference = _confusion("confusion", confusion), _confusion("reference", reference)
    _same_shape("reference", reference, "confusion", confusion)
    return confusion, reference


def _distributions(name: str, rows: np.ndarray) -> np.ndarray:
    if not np.all(rows >= 0):
        raise ValueError(f"`{name}` must be probabilities, none negative or NaN. Received: {rows.min()}")
    off = np.abs(rows.sum(axis=-1) - 1)
    if not off.max() <= _SUM_TOLERANCE:
        worst = rows[np.unravel_index(off.argmax(), off.shape)]
        raise ValueError(
            f"`{name}` must have rows that sum to 1. Received: a row that sums to {worst.sum()}"
        )
    return rows


def _weights(weights: Any, num_annotators: int) -> np.ndarray:
    values = np.ones(num_annotators) if weights is None else np.asarray(weights, float)
    fits = values.shape == (num_annotators,)
    if not fits or not np.all((values >= 0) & (values < np.inf)) or not values.sum() > 0:
        raise ValueError(
            f"`weights` must be {num_annotators} numbers, one for each annotator, none negative and not "
            f"all 0. Received: weights={weights!r}"
        )
    return values


def _class_codes(name: str, labels: Any, num_classes: int | None) -> np.ndarray:
    if num_classes is not None:
        _whole_number("num_classes", num_classes)
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or len(labels) == 0:
        raise ValueError(
            f"`{name}` must be integers of shape (items,), at least one. "
            f"Received: shape {labels.shape}, dtype {labels.dtype}"
        )
    wrong = (labels < 0) | (labels >= (labels.max() + 1 if num_classes is None else num_classes))
    if np.any(wrong):
        limits = "at least 0" if num_classes is None else f"from 0 to {num_classes - 1}"
        hint = " (leave items without a class out)" if np.any(labels == MISSING) else ""
        raise ValueError(f"`{name}` must be class codes {limits}{hint}. Received: {labels[wrong][0]}")
    return labels.astype(np.int64)


def _labels_and_probabilities(y_true: Any, probabilities: Any) -> tuple[np.ndarray, np.ndarray]:
    probabilities = np.asarray(probabilities, float)
    if probabilities.ndim != 2 or probabilities.size == 0:
        raise ValueError(
            f"`probabilities` must have shape (items, classes). Received: shape {probabilities.shape}"
        )
    y_true = _class_codes("y_true", y_true, probabilities.shape[1])
    if len(y_true) != len(probabilities):
        raise ValueError(
            f"`y_true` must have one class for each of the {len(probabilities)} rows of `probabilities`. "
            f"Received: shape {y_true.shape}"
        )
    return y_true, _distributions("probabilities", probabilities)


def _same_shape(name: str, array: np.ndarray, other_name: str, other: np.ndarray) -> None:
    if array.shape != other.shape:
        raise ValueError(
            f"`{name}` must have the shape of `{other_name}`, {other.shape}. Received: shape {array.shape}"
        )


def _whole_number(name: str, value: Any) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
