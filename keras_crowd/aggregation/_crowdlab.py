"""Labels from a classifier and annotators, each weighted by how much better than a constant it is: CROWDLAB."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._repr import one_line
from ..annotations import Annotations, Answers, refuse_soft, share
from ._answer_sums import vote_counts
from ._given_answers import answers_and_probabilities

_LEAST = 1e-6  # weight, and error of the constant


class Crowdlab(NamedTuple):
    """Result of `crowdlab`.

    Attributes:
        posterior: Probability of each class for each item, `(items, classes)`; rows sum to 1. An item
            nobody answered has the classifier's probabilities.
        annotator_weights: Weight of each annotator's answers, `(annotators,)`.
        classifier_weight: Weight of the classifier's probabilities.
        annotator_quality: How good each annotator's answers are, `(annotators,)`, between 0 and 1; NaN without answers.

    Example:

    >>> crowdlab([[0, 0], [1, 0], [1, 1]], [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]).labels
    array([0, 1, 1], dtype=int32)
    """

    posterior: np.ndarray
    annotator_weights: np.ndarray
    classifier_weight: float
    annotator_quality: np.ndarray

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def labels(self) -> np.ndarray:
        """The most probable class of each item, int32 `(items,)`."""
        return self.posterior.argmax(axis=1).astype(np.int32)


def crowdlab(answers: Answers, probabilities: npt.ArrayLike) -> Crowdlab:
    """Estimates labels and their quality from the probabilities of any classifier and the answers.

    With the classifier's `f_ik`, the annotators `R_i` of item `i`, and `g(k, l)`, which is `P` for `k = l` and `(1 - P)
    / (K - 1)` otherwise:

        q_ik = (w f_ik + sum_(r in R_i) w_r g(k, y_ir)) / (w + sum_(r in R_i) w_r)

    Each weight is 1 minus the source's error over that of the most frequent class. An annotator's error is its
    disagreement with the other annotators of its items. The classifier's error and `P`, the mean agreement, are counted
    against consensus labels, on items with several answers; its weight is multiplied by the root of the mean number of
    answers. The consensus is the majority vote at first (ties go to the class that `f` prefers), and once more the
    labels found with it.

    No confusions are estimated. With few answers per annotator that is an advantage; with many, `posterior` and
    `dawid_skene` know more. The classifier may be trained on the majority vote. Its probabilities must be of items that
    it was not trained on, as by cross-validation, because it would otherwise repeat its labels.

    Args:
        answers: `Annotations`, or integers `(items, annotators)` with `-1` for missing.
        probabilities: Out-of-sample class probabilities `(items, classes)`; rows sum to 1. A data frame is read by its
            ids.

    Returns:
        `Crowdlab(posterior, annotator_weights, classifier_weight, annotator_quality)`, float64.

    Raises:
        ValueError: When shapes disagree, rows are not distributions, or answers are soft.

    Reference:
        H. W. Goh, U. Tkachenko, J. Mueller, "CROWDLAB: supervised learning to infer consensus labels and quality scores
        for data with multiple annotators", NeurIPS 2022 Human in the Loop Learning Workshop.

    Example:

    >>> found = crowdlab([[0, 0], [1, 0], [1, 1]], [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    >>> found.posterior.max(axis=1).round(2)  # the quality of each label
    array([0.9, 0.8, 0.6])
    """
    annotations, f = answers_and_probabilities(answers, probabilities)
    refuse_soft("crowdlab", annotations)
    votes = vote_counts(annotations)
    if votes.sum(axis=1).max() < 2:
        raise ValueError(f"`answers` must have an item with several answers. Received: {annotations!r}")
    found = _given_consensus(annotations, f, votes, _consensus(votes, f))
    return _given_consensus(annotations, f, votes, found.labels)


def _given_consensus(
    annotations: Annotations, f: np.ndarray, votes: np.ndarray, consensus: np.ndarray
) -> Crowdlab:
    """Weights, posterior and quality where the errors of all sources are counted against these labels."""
    item, said = annotations.item_index, annotations.answers
    answers = votes.sum(axis=1)
    several = answers > 1
    labels = consensus[several]
    chance = max(float(np.mean(labels != np.bincount(labels).argmax())), _LEAST)
    w_r = np.maximum(1 - _error_against_others(annotations, votes) / chance, _LEAST)
    better = max(1 - np.mean(f[several].argmax(axis=1) != labels) / chance, _LEAST)
    per_item = len(annotations) / np.sum(answers > 0)
    w = float(better * np.sqrt(per_item))
    agreement = (said == consensus[item]).astype(float)
    right = np.mean(share(np.bincount(item, agreement, len(f)), answers)[several])
    posterior = _mixture(annotations, f, w, w_r, float(right))
    of_classifier = w / (w + per_item * w_r.mean())
    quality = _quality(annotations, posterior[item, said], agreement, several[item], of_classifier)
    return Crowdlab(posterior, w_r, w, quality)


def _consensus(votes: np.ndarray, f: np.ndarray) -> np.ndarray:
    """The majority vote; of tied classes the one that the classifier prefers."""
    return np.where(votes == votes.max(axis=1, keepdims=True), f, -1.0).argmax(axis=1)


def _error_against_others(annotations: Annotations, votes: np.ndarray) -> np.ndarray:
    """Share of the other answers to the same items that differ, `(annotators,)`; where there are none, the mean."""
    item, who, said = annotations.item_index, annotations.annotator_index, annotations.answers
    others = votes.sum(axis=1)[item] - 1
    same = votes[item, said] - 1
    size = annotations.num_annotators
    agreement = share(np.bincount(who, same, size), np.bincount(who, others, size))
    return 1 - np.where(np.isnan(agreement), np.nanmean(agreement), agreement)


def _mixture(
    annotations: Annotations, f: np.ndarray, w: float, w_r: np.ndarray, right: float
) -> np.ndarray:
    """`q_ik`: of each answer its class gets `P`, and all others share the rest."""
    size, num_classes = f.shape
    weight, wrong = w_r[annotations.annotator_index], (1 - right) / max(num_classes - 1, 1)
    cell = annotations.item_index.astype(np.intp) * num_classes + annotations.answers
    said = np.bincount(cell, weight, size * num_classes).reshape(size, num_classes)
    total = said.sum(axis=1, keepdims=True)
    return (w * f + (right - wrong) * said + wrong * total) / (w + total)


def _quality(
    annotations: Annotations,
    of_answers: np.ndarray,
    agreement: np.ndarray,
    several: np.ndarray,
    classifier_share: float,
) -> np.ndarray:
    """The mean quality of an annotator's answers, and its agreement with the consensus, by the classifier's share.

    The agreement is that on items with several answers; an annotator without any has the first alone.
    """
    who, size = annotations.annotator_index, annotations.num_annotators
    mean = share(np.bincount(who, of_answers, size), np.bincount(who, minlength=size))
    agrees = share(np.bincount(who, agreement * several, size), np.bincount(who, several, size))
    return np.where(np.isnan(agrees), mean, classifier_share * mean + (1 - classifier_share) * agrees)
