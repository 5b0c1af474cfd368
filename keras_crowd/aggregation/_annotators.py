"""Accuracies of annotators."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._arguments import confusions
from ..annotations import Answers, Votes, as_annotations, by_ids, share
from ._given_answers import answers_and_probabilities


def annotator_accuracy(confusion: np.ndarray, class_prior: np.ndarray | None = None) -> np.ndarray:
    """Computes how often each annotator is right: `sum_k pi_k A_rkk`.

    Args:
        confusion: `(annotators, true, answer)`, from a crowd layer's `.confusion()` or `dawid_skene`.
        class_prior: Share of each true class, `(classes,)`; or among the items of each annotator,
            `(annotators, classes)`, as from `annotator_class_prior`. Defaults to all alike.

    Returns:
        `(annotators,)`, between 0 and 1.

    Example:

    >>> annotator_accuracy([[[0.75, 0.25], [0.25, 0.75]], [[0.5, 0.5], [0.0, 1.0]]])
    array([0.75, 0.75])
    """
    confusion = confusions("confusion", confusion)
    diagonal = np.diagonal(confusion, axis1=1, axis2=2)
    weights = np.ones(diagonal.shape[1]) if class_prior is None else np.asarray(class_prior)
    if weights.shape not in (diagonal.shape, diagonal.shape[1:]):
        raise ValueError(
            f"`class_prior` must have shape {diagonal.shape[1:]} or {diagonal.shape}. "
            f"Received: shape {weights.shape}"
        )
    return np.average(diagonal, axis=1, weights=np.broadcast_to(weights, diagonal.shape))


def annotator_class_prior(answers: Answers, probabilities: np.ndarray) -> np.ndarray:
    """Computes the share of each true class among the items that each annotator answered.

    Annotators see different items. One who got the easy classes looks better than one who did not, unless their
    confusions are weighted by the classes that each of them saw.

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        probabilities: Probability of each class for each item, `(items, classes)`, or of class 1 of two,
            `(items, 1)`: the classifier's prediction (not its logits), or a posterior. A data frame is read by
            its ids, as in `label_table`.

    Returns:
        `(annotators, classes)`; rows sum to 1. An annotator without answers has the mean over all items.

    Example:

    >>> annotator_class_prior(np.array([[0, -1], [1, -1], [1, 1]]), [[0.5, 0.5], [0.0, 1.0], [0.25, 0.75]])
    array([[0.25, 0.75],
           [0.25, 0.75]])
    """
    annotations, probabilities = answers_and_probabilities(answers, probabilities)
    size = annotations.num_annotators
    seen = [
        np.bincount(annotations.annotator_index, weights=column[annotations.item_index], minlength=size)
        for column in probabilities.T
    ]
    seen_or_all = np.stack(seen, axis=1)
    seen_or_all[annotations.answers_per_annotator() == 0] = probabilities.mean(axis=0)
    return seen_or_all / seen_or_all.sum(axis=1, keepdims=True)


def agreement(answers: Answers, labels: npt.ArrayLike) -> np.ndarray:
    """Computes the share of each annotator's answers that equal the label of the item.

    A soft answer counts by its probability of the label.

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        labels: Gold labels, or a majority vote, integers `(items,)`; items without one (`-1`) are left out. Or a pandas
            series of classes by item id, as crowd-kit returns.

    Returns:
        `(annotators,)`, from 0 to 1; `NaN` for an annotator without answers to labeled items.

    Example:

    >>> agreement([[0, 0], [1, 0], [1, -1]], [0, 1, -1])
    array([1. , 0.5])
    """
    annotations = as_annotations(answers)
    labels = np.asarray(by_ids("labels", labels, annotations))
    if labels.shape != (annotations.num_items,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"`labels` must be {annotations.num_items} class codes, one for each item. "
            f"Received: shape {labels.shape}, dtype {labels.dtype}"
        )
    given, size = labels[annotations.item_index], annotations.num_annotators
    votes = Votes(annotations)
    agrees = votes.sums(votes.code == votes.of(given))
    right = np.bincount(annotations.annotator_index, weights=agrees, minlength=size)
    seen = np.bincount(annotations.annotator_index, weights=given >= 0, minlength=size)
    return share(right, seen)
