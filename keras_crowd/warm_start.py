"""Starts for the confusions of a crowd layer, from the answers. NumPy in, NumPy out.

Each returns float64 `(annotators, true, answer)`, strictly positive, rows sum to 1. An annotator with few
answers is not known by them. `from_dawid_skene` draws estimates towards the annotator's one coin; `from_votes`
and `from_labels` towards those of all annotators: with `n_rkl` the answers `l` of annotator `r` to items of class `k`,
and `s` pseudo-counts in every row,

    annotator:   A_rkl ~ n_rkl + s P_kl
    population:  P_kl  ~ sum_r n_rkl + s S_kl
    symmetric:   S_kk = a,  S_kl = (1 - a) / (K - 1),  a = sum_rk n_rkk / sum_rkl n_rkl

so that a class nobody has seen starts from the overall accuracy `a`. Last, 0.1 % of each row is spread
evenly over all answers: no answer may be impossible at the start, for its logit could not move.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt

from ._arguments import checked_annotator_weights, number, whole_number
from .aggregation import (
    answers_and_probabilities,
    check_answered,
    dawid_skene,
    dawid_skene_start,
    expected_counts,
    one_coin_confusion,
    possible,
)
from .annotations import Annotations, Answers, Votes, as_annotations, by_ids

_FLOOR = 1e-3


def from_dawid_skene(
    answers: Answers,
    num_classes: int | None = None,
    *,
    confusion: Literal["hierarchical", "full"] = "hierarchical",
    strength: float = 10.0,
) -> np.ndarray:
    """Takes confusions from `dawid_skene`; those of annotators with few answers are drawn towards simpler ones.

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        num_classes: Integer. Number of classes. Defaults to that of the annotations; for an array, to the highest
            answer plus one.
        confusion: `"hierarchical"` draws towards the annotator's one coin, in every iteration. `"full"` draws the
            estimates of `dawid_skene(confusion="full", strength=0.1)` towards those of all annotators, in the end.
            Defaults to `"hierarchical"`.
        strength: Float. Number of answers in a row of an annotator that weigh as much as what the row is drawn towards.
            Defaults to 10.0.

    Returns:
        float64 `(annotators, true, answer)`, strictly positive; rows sum to 1. An annotator without
        answers has what all have in common.

    Raises:
        ValueError: When the answers are not classes, or `confusion` or `strength` is out of range.

    Example:

    >>> answers = [[0, 0, 1], [1, 1, 0], [0, 0, 1], [1, 1, -1]]
    >>> keras_crowd.warm_start.from_dawid_skene(answers, strength=1.0)[:, 0].round(2)
    array([[0.97, 0.03],
           [0.97, 0.03],
           [0.1 , 0.9 ]])

    Reference:
        A. P. Dawid, A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM
        algorithm", Applied Statistics 28, 1979; see `aggregation.dawid_skene`.
    """
    annotations = _classes(answers, num_classes)
    number("strength", strength, above=0)
    if confusion not in ("hierarchical", "full"):
        raise ValueError(f"`confusion` must be 'hierarchical' or 'full'. Received: confusion={confusion!r}")
    if confusion == "hierarchical":
        return dawid_skene_start(annotations, strength=strength)[0]
    posterior = dawid_skene(annotations, confusion="full", strength=0.1).posterior
    return from_labels(annotations, posterior, strength=strength)


def from_votes(answers: Answers, num_classes: int | None = None, *, strength: float = 10.0) -> np.ndarray:
    """Counts the confusions of each annotator against the votes of the others, drawn towards those of all.

    Nobody is judged by their own vote: the counts are `n_rkl = sum_i v_ik(r) [y_ir = l]`, where `v_ik(r)`
    is the share of class `k` among the answers that annotators other than `r` gave to item `i`. Items
    with a single answer say nothing. Votes err, so these confusions are flatter than the truth: a soft
    start.

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        num_classes: Integer. Number of classes, as in `from_dawid_skene`. Defaults to `None`.
        strength: `s`, how many answers in each row of an annotator the population's row is worth. Defaults to 10.0.

    Returns:
        float64 `(annotators, true, answer)`, strictly positive; rows sum to 1. An annotator who shares
        no item with another has the population's.

    Raises:
        ValueError: When the answers are not classes, no item has two, or `strength` is not positive.

    Example:

    >>> answers = [[0, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 1]]
    >>> keras_crowd.warm_start.from_votes(answers, strength=1.0)[:, 1].round(2)
    array([[0.08, 0.92],
           [0.08, 0.92],
           [0.4 , 0.6 ]])
    """
    annotations = _classes(answers, num_classes)
    number("strength", strength, above=0)
    if annotations.answers_per_item().max() < 2:
        raise ValueError(
            "`answers` must have an item with at least two answers, or there are no votes of others "
            f"(`from_accuracy` needs none). Received: {annotations!r}"
        )
    return _shrunk(expected_counts(annotations, _shares_of_others(annotations)), strength)


def from_labels(
    answers: Answers,
    labels: npt.ArrayLike,
    num_classes: int | None = None,
    *,
    strength: float = 10.0,
    annotator_weights: npt.ArrayLike | None = None,
) -> np.ndarray:
    """Counts the confusions of each annotator against given labels, drawn towards those of all.

    The counts are `n_rkl = sum_i q_ik [y_ir = l]` with `q_ik = 1` for the label of an item: the majority vote, the tags
    of a model, or gold where there is some; or with probabilities `q`. Against the majority vote, annotators look
    better than they are because it contains their own votes; this gives a sharp start. `from_votes` gives a soft one.

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        labels: Class of each item, integers `(items,)`, negative where it is not known; ids of the classes, `None`
            where not known; or probabilities `(items, classes)`. A series or data frame is matched to the items
            by its index, unless that is a plain range.
        num_classes: Integer. Number of classes. Defaults to that of the annotations; for an array, to the highest
            answer plus one.
        strength: `s`, how many answers in each row of an annotator the population's row is worth. Defaults to 10.0.
        annotator_weights: How often each annotator's answers count in those of all, positive, `(annotators,)`, as in
            `aggregation.dawid_skene`. Defaults to `None`, once.

    Returns:
        float64 `(annotators, true, answer)`, strictly positive; rows sum to 1. An annotator who answered
        no item with a label has the population's.

    Raises:
        ValueError: When the answers are not classes, the labels are not one class or distribution for each
            item, no item with an answer has a label, or `strength` is not positive.

    Example:

    >>> answers = [[0, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 1]]
    >>> labels = keras_crowd.aggregation.majority_vote(answers)
    >>> keras_crowd.warm_start.from_labels(answers, labels, strength=1.0)[:, 1].round(2)
    array([[0.05, 0.95],
           [0.05, 0.95],
           [0.39, 0.61]])
    """
    annotations = _classes(answers, num_classes)
    number("strength", strength, above=0)
    if np.ndim(labels) == 2:
        _, q = answers_and_probabilities(annotations, labels, "labels")
    else:
        q = _one_hot(_labels(labels, annotations), annotations)
    counts = expected_counts(annotations, _class_weights(q, annotations))
    return _shrunk(
        counts, strength, checked_annotator_weights(annotator_weights, annotations.num_annotators)
    )


def from_accuracy(
    accuracy: npt.ArrayLike, num_classes: int, num_annotators: int | None = None
) -> np.ndarray:
    """Makes confusions of annotators of known accuracy: `A_rkk = a_r`, errors even over the other answers.

    Args:
        accuracy: A number from 0 to 1; or one for each annotator, `(annotators,)`. It is kept 0.001 away
            from 0 and 1.
        num_classes: Integer. Number of classes, at least 2.
        num_annotators: Integer. Number of annotators; needed when `accuracy` is one number. Defaults to `None`.

    Returns:
        float64 `(annotators, true, answer)`, strictly positive; rows sum to 1.

    Raises:
        ValueError: When `accuracy` is out of range, or not one for each annotator.

    Example:

    >>> keras_crowd.warm_start.from_accuracy([0.5, 0.8], num_classes=3)[:, 0]
    array([[0.5 , 0.25, 0.25],
           [0.8 , 0.1 , 0.1 ]])
    """
    whole_number("num_classes", num_classes, 2)
    values = np.clip(_accuracies(accuracy), _FLOOR, 1 - _FLOOR)
    if values.ndim == 0 or num_annotators is not None:
        size = whole_number("num_annotators", num_annotators, 1)
        if values.shape not in ((), (size,)):
            raise ValueError(
                f"`accuracy` must be one number or {size}, one for each annotator. "
                f"Received: shape {values.shape}"
            )
        values = np.broadcast_to(values, size)
    return one_coin_confusion(values, num_classes)


def _shares_of_others(annotations: Annotations) -> Iterable[np.ndarray]:
    """Yields, for each class, its share among the other answers to the item of each answer; 0 if there is none."""
    item = annotations.item_index
    others = annotations.answers_per_item()[item] - 1
    votes = Votes(annotations)
    for k in range(annotations.num_classes):
        own = votes.at(k)
        total = np.bincount(item, weights=own, minlength=annotations.num_items)
        yield (total[item] - own) / np.maximum(others, 1)


def _shrunk(counts: np.ndarray, strength: float, weights: npt.ArrayLike = 1.0) -> np.ndarray:
    """The equations at the top of this file; the answers of all are weighted."""
    total = np.sum(np.reshape(weights, (-1, 1, 1)) * counts, axis=0)
    symmetric = one_coin_confusion(np.trace(total) / total.sum(), len(total))
    population = _normalize(total + strength * symmetric)
    return possible(_normalize(counts + strength * population))


def _normalize(counts: np.ndarray) -> np.ndarray:
    return counts / counts.sum(axis=-1, keepdims=True)


def _accuracies(accuracy: npt.ArrayLike) -> np.ndarray:
    values = np.asarray(accuracy)
    fits = values.dtype.kind in "iuf" and values.ndim <= 1 and values.size > 0
    if not fits or not np.all((values >= 0) & (values <= 1)):
        raise ValueError(
            "`accuracy` must be a number from 0 to 1, or one for each annotator. "
            f"Received: accuracy={accuracy!r}"
        )
    return values.astype(float)


def _class_weights(q: np.ndarray, annotations: Annotations) -> Iterable[np.ndarray]:
    """Yields, for each class, its probability for the item of each answer."""
    return (column[annotations.item_index] for column in q.T)


def _one_hot(labels: np.ndarray, annotations: Annotations) -> np.ndarray:
    """`(items, classes)`, zeros for an item without a label."""
    if np.all(labels[annotations.item_index] < 0):
        raise ValueError(
            "`labels` must name the class of an item with an answer. "
            f"Received: {annotations!r}, none of whose answered items has a label"
        )
    return (labels[:, None] == np.arange(annotations.num_classes)).astype(float)


def _labels(labels: npt.ArrayLike, annotations: Annotations) -> np.ndarray:
    values = np.asarray(by_ids("labels", labels, annotations))
    if values.dtype.kind not in "iu" or values.shape != (annotations.num_items,):
        raise ValueError(
            f"`labels` must be integers, one class for each of {annotations.num_items} items. "
            f"Received: {values.dtype} of shape {values.shape}"
        )
    if values.max() >= annotations.num_classes:
        raise ValueError(
            f"`labels` must be classes below {annotations.num_classes}, negative where not known. "
            f"Received: {values.max()}"
        )
    return values


def _classes(answers: Answers, num_classes: int | None) -> Annotations:
    annotations = as_annotations(answers, num_classes)
    if annotations.num_classes < 2:
        raise ValueError(f"`num_classes` must be at least 2. Received: {annotations!r}")
    check_answered(annotations)
    return annotations


def __dir__() -> list[str]:
    return ["from_accuracy", "from_dawid_skene", "from_labels", "from_votes"]
