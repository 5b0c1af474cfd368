"""Scores of ActiveLab, to compare with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..aggregation import answers_and_probabilities
from ..annotations import Annotations, Answers, as_annotations, refuse_soft, share

_LEAST = 1e-3  # weight, and distance from 1


def activelab_scores(answers: Answers, probabilities: npt.ArrayLike | None = None) -> np.ndarray:
    """Scores the items by ActiveLab: the lower the score, the more another answer would tell.

    With the consensus `y_i` (the majority vote; of items without an answer the classifier's class), the classifier's
    probabilities `f`, weights `w_j` of the annotators `J_i` of the item, `w_f` of the classifier and the mean `w` of
    the annotators',

        s_i = ( w / K  +  w_f f_i,y_i  +  sum_j w_j P(y_i | answer of j) )  /  ( w + w_f + sum_j w_j )

    where `P` is the agreement of answers and consensus if the answer is the consensus, and an even share of the rest
    otherwise. The weight of an annotator is `1 - (1 - a_j) / (1 - b)`: `a_j` is its agreement with the other
    annotators, `b` that of the commonest class with the consensus. The weight of the classifier is computed likewise
    from its agreement with the consensus, and multiplied by the square root of the mean number of answers per item.
    Agreements are counted on items with more than one answer. The score chooses items, not annotators.

    Args:
        answers: `Annotations`, or integers `(items, annotators)` with `-1` for missing.
        probabilities: Calibrated predictions of a classifier for items that it was not trained on, `(items, classes)`;
            rows sum to 1. Defaults to `None`, no classifier: `w_f` is 0.

    Returns:
        float64 `(items,)`, between 0 and 1.

    Raises:
        ValueError: When shapes disagree, answers are soft, or rows are not distributions.

    Example:

    >>> activelab_scores([[0, 0, 0], [0, 1, 1], [1, -1, 1], [-1, -1, -1]]).round(2)
    array([0.79, 0.66, 0.76, 0.5 ])

    Reference:
        H. W. Goh, J. Mueller, "ActiveLab: Active learning with re-labeling by multiple annotators", arXiv 2301.11856,
        2023. The weights: H. W. Goh, U. Tkachenko, J. Mueller, "CROWDLAB: Supervised learning to infer consensus labels
        and quality scores for data with multiple annotators", arXiv 2210.06812, 2022.
    """
    f = None
    if probabilities is None:
        annotations = as_annotations(answers)
    else:
        annotations, f = answers_and_probabilities(answers, probabilities)
    refuse_soft("activelab_scores", annotations)
    return _scores(annotations, f)


def _scores(annotations: Annotations, f: np.ndarray | None) -> np.ndarray:
    item, answer, num_classes = annotations.item_index, annotations.answers, annotations.num_classes
    votes = np.zeros((annotations.num_items, num_classes))
    np.add.at(votes, (item, answer), 1)
    given = votes.sum(axis=1)
    consensus = (votes if f is None else votes + f / 2).argmax(axis=1)  # a classifier breaks ties
    several = given > 1
    right = _mean(votes[several, consensus[several]] / given[several], 1 / num_classes)
    commonest = np.bincount(answer, minlength=num_classes).argmax()
    baseline = min(_mean(consensus[several] == commonest, 1 / num_classes), 1 - _LEAST)
    w = _weight(_agreement_with_others(annotations, votes, given), baseline)
    mean = float(w.mean())
    probability = np.where(answer == consensus[item], right, (1 - right) / max(num_classes - 1, 1))
    top = mean / num_classes + _sums(item, w[annotations.annotator_index] * probability, len(votes))
    bottom = mean + _sums(item, w[annotations.annotator_index], len(votes))
    if f is not None:
        agreed = _mean(f[several].argmax(axis=1) == consensus[several], 1.0)
        w_f = _weight(np.asarray(agreed), baseline) * np.sqrt(max(_mean(given[given > 0], 1.0), 1.0))
        top, bottom = top + w_f * f[np.arange(len(f)), consensus], bottom + w_f
    return top / bottom


def _agreement_with_others(annotations: Annotations, votes: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Share of the others' answers that are the same, `(annotators,)`; of those without others that of all."""
    item, size = annotations.item_index, annotations.num_annotators
    agreed = _sums(annotations.annotator_index, votes[item, annotations.answers] - 1, size)
    others = _sums(annotations.annotator_index, given[item] - 1, size)
    of_all = agreed.sum() / others.sum() if others.sum() else 1.0
    return np.where(others > 0, share(agreed, others), of_all)


def _weight(agreement: np.ndarray, baseline: float) -> np.ndarray:
    return np.maximum(1 - (1 - agreement) / (1 - baseline), _LEAST)


def _sums(index: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(index, weights=values, minlength=size)


def _mean(values: np.ndarray, without: float) -> float:
    return float(np.mean(values)) if len(values) else without
