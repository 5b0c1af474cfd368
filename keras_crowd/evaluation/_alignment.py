"""Confusions and labels under the best permutation of the classes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import class_codes, confusions, given_weights, whole_number
from .._repr import one_line
from ..annotations import Annotations, Answers, Votes, as_annotations, by_ids
from ._predictions import checked_confusion_pair, checked_probabilities, same_shape

_IMAGINED = 10.0  # answers spread over each row before it is trusted


def class_alignment(
    confusion: npt.ArrayLike, reference: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> np.ndarray:
    """Finds the permutation of the true classes that brings confusions closest to a reference.

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
    confusion, reference = checked_confusion_pair(confusion, reference)
    return _align(confusion, reference, given_weights("weights", weights, len(confusion), "annotator"))


def align_to_answers(confusion: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> np.ndarray:
    """Finds the permutation of the true classes under which annotators are right most often.

    Without a reference, hidden classes get their names from the assumption that most annotators beat chance:

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
    confusion = confusions("confusion", confusion)
    perfect = np.broadcast_to(np.eye(confusion.shape[1]), confusion.shape)
    return _align(confusion, perfect, given_weights("weights", weights, len(confusion), "annotator"))


def classifier_alignment(
    probabilities: npt.ArrayLike, answers: Answers, min_gain: float = 0.05
) -> np.ndarray:
    """Finds the permutation of a classifier's classes under which annotators agree with it most often.

    With the expected counts `n_kl = sum_ir f_ik [y_ir = l]` and their rows as shares, every class alike
    however frequent,

        p = argmax sum_l C_p(l),l,    C_kl = (n_kl + s/K) / (n_k + s),    s = 10

    Classes that `p` exchanges among themselves change places only if that raises their mean share by `min_gain` and by
    three standard errors. A class that the classifier never uses has `C_kl = 1/K` and takes any free place.

    Args:
        probabilities: The classifier's predictions `F`, `(items, classes)`; rows sum to 1. Beside `Annotations` a
            data frame is read by its ids: items are its index, classes its columns.
        answers: `Annotations`; integers `(items, annotators or slots)` with `-1` for missing; or soft answers, floats
            with the classes as last axis, zeros for missing. It does not matter who answered.
        min_gain: Float. Least gain; with smaller ones, classes stay where they are. Defaults to 0.05.

    Returns:
        int64 `(classes,)`, such that `probabilities[:, permutation]` agree best with the answers.

    Raises:
        ValueError: When there are not as many rows as items, or rows are not distributions.
        ImportError: Without SciPy.

    Example:

    >>> answers = np.repeat([[0, 0, 0], [1, 1, -1], [2, 2, 2]], 10, axis=0)
    >>> probabilities = np.eye(3)[[2, 1, 0]].repeat(10, axis=0)
    >>> keras_crowd.evaluation.classifier_alignment(probabilities, answers)
    array([2, 1, 0])
    """
    if isinstance(answers, Annotations):
        probabilities = by_ids("probabilities", probabilities, answers)
    probabilities = checked_probabilities("probabilities", probabilities)
    annotations = as_annotations(answers, probabilities.shape[1])
    if len(probabilities) != annotations.num_items:
        raise ValueError(
            f"`probabilities` must have {annotations.num_items} rows, one for each item of `answers`. "
            f"Received: {len(probabilities)}"
        )
    counts = _answers_to_predictions(annotations, probabilities)
    total = counts.sum(axis=1, keepdims=True)
    share = (counts + _IMAGINED / len(counts)) / (total + _IMAGINED)
    variance = total[:, 0] / (total[:, 0] + _IMAGINED) ** 2  # at most: of a difference within a row
    return _without_small_gains(_best_assignment(share.T), share, variance, min_gain)


class ConfusionError(NamedTuple):
    """Result of `confusion_error`.

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

    def __repr__(self) -> str:
        return one_line(self)


def confusion_error(
    confusion: npt.ArrayLike,
    reference: npt.ArrayLike,
    *,
    align: bool = True,
    weights: npt.ArrayLike | None = None,
) -> ConfusionError:
    """Measures the error of estimated confusions, under one common permutation of the classes.

        mean_absolute = mean_r mean_kl |A_r,p(k),l - B_rkl|
        spectral      = mean_r ||A_r,p - B_r||_2

    Args:
        confusion: Estimates `A`, `(annotators, true, answer)`.
        reference: `B`, the same shape.
        align: Boolean. Whether to search the permutation `p`, as `class_alignment` does. `False` compares as given, and
            needs no SciPy. Defaults to `True`.
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
    confusion, reference = checked_confusion_pair(confusion, reference)
    weights = given_weights("weights", weights, len(confusion), "annotator")
    permutation = _align(confusion, reference, weights) if align else np.arange(confusion.shape[1])
    error = confusion[:, permutation, :] - reference
    absolute = np.abs(error).mean(axis=(1, 2))
    spectral = np.linalg.norm(error, ord=2, axis=(1, 2))
    return ConfusionError(
        float(np.average(absolute, weights=weights)),
        float(np.average(spectral, weights=weights)),
        permutation,
    )


def aligned_accuracy(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, num_classes: int | None = None
) -> tuple[float, np.ndarray]:
    """Computes the accuracy after the best permutation of the predicted classes.

    Args:
        y_true: True classes, integers `(items,)`.
        y_pred: Predicted classes, integers `(items,)`.
        num_classes: Integer. Number of classes. Defaults to the highest class of both plus one.

    Returns:
        The accuracy, and the permutation, int64 `(classes,)`: `permutation[k]` is the predicted class
        that stands for class `k`, so `np.argsort(permutation)[y_pred]` are the corrected labels.

    Raises:
        ValueError: When these are not class codes, or differ in the number of items.
        ImportError: Without SciPy.

    Example:

    >>> keras_crowd.evaluation.aligned_accuracy([0, 0, 1, 2], [2, 2, 0, 0])
    (0.75, array([2, 0, 1]))
    """
    if num_classes is not None:
        whole_number("num_classes", num_classes)
    y_true = class_codes("y_true", y_true, num_classes)
    y_pred = class_codes("y_pred", y_pred, num_classes)
    same_shape("y_pred", y_pred, "y_true", y_true)
    size = max(y_true.max(), y_pred.max()) + 1 if num_classes is None else num_classes
    agreement = np.bincount(y_true * size + y_pred, minlength=size * size).reshape(size, size)
    permutation = _best_assignment(agreement)
    return float(agreement[np.arange(size), permutation].sum() / len(y_true)), permutation


def _answers_to_predictions(annotations: Annotations, probabilities: np.ndarray) -> np.ndarray:
    """`n_kl`, how often answer `l` met predicted class `k`."""
    item, size = annotations.item_index, annotations.num_classes
    votes = Votes(annotations)
    given = (votes.weighted(votes.of(f[item])) for f in probabilities.T)
    return np.stack([np.bincount(votes.code, weights=weights, minlength=size) for weights in given])


def _without_small_gains(
    permutation: np.ndarray, share: np.ndarray, variance: np.ndarray, min_gain: float
) -> np.ndarray:
    """`permutation` without its cycles that hardly gain over the identity."""
    kept = np.arange(len(permutation))
    left = set(kept[permutation != kept])
    while left:
        cycle = [min(left)]
        while permutation[cycle[-1]] != cycle[0]:
            cycle.append(permutation[cycle[-1]])
        gain = np.mean(share[permutation[cycle], cycle] - share[cycle, cycle])
        if gain >= max(min_gain, 3 * np.sqrt(variance[cycle].sum()) / len(cycle)):
            kept[cycle] = permutation[cycle]
        left -= {*cycle}
    return kept


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
