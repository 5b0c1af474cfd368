"""Weights of annotators who err together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._arguments import number, whole_number
from ..aggregation import dawid_skene
from ..annotations import Annotations, Answers, as_annotations, refuse_soft
from ..evaluation import annotator_dependence, cohen_kappa


def annotator_weights(
    answers: Answers,
    num_classes: int | None = None,
    *,
    gold: npt.ArrayLike | None = None,
    false_discovery_rate: float = 0.001,
    iterations: int = 4,
) -> np.ndarray:
    """Estimates how many independent annotators each one counts for.

    Language models of one family, or annotators who copy, err together. If they are taken for independent, they outvote
    the others and make the labels look certain. This function alternates: `aggregation.dawid_skene` finds labels with
    the weights; given these labels, `evaluation.annotator_dependence` tests which annotators err together, and gives
    new weights. The first weights are `1 / (1 + sum_s kappa_rs^4 n_rs / n_r)` with Cohen's kappa: annotators whose
    answers are nearly the same begin as one.

    The answers alone cannot tell a large group that errs together from annotators who know the truth. Where such a
    group is the majority, give a few gold labels.

    Args:
        answers: `Annotations` with classes, or integers `(items, annotators)` with `-1` for missing.
        num_classes: Integer. Number of classes, as in `aggregation.majority_vote`. Defaults to `None`.
        gold: True classes of some items, as in `aggregation.dawid_skene`. Defaults to `None`.
        false_discovery_rate: Float between 0 and 1. Expected share of independent pairs among those called dependent. A
            pair called dependent by mistake costs accuracy, and a weak dependence that is overlooked costs little.
            Defaults to 0.001.
        iterations: Positive integer, how often to find labels and weights. Defaults to 4.

    Returns:
        float64 `(annotators,)`, above 0 and at most 1: `annotator_weights` of `aggregation.dawid_skene` and
        `aggregation.posterior`. All are 1 where no annotators are found to be dependent.

    Raises:
        ValueError: When the answers are not classes or are soft, or an argument is out of range.

    Example:

    >>> rng = np.random.default_rng(0)
    >>> answers = rng.integers(2, size=(200, 1)) ^ (rng.random((200, 6)) < 0.25)
    >>> copied = np.concatenate([answers, answers[:, :1], answers[:, :1]], axis=1)
    >>> annotator_weights(copied).round(2)
    array([0.33, 1.  , 1.  , 1.  , 1.  , 1.  , 0.33, 0.33])
    """
    annotations = as_annotations(answers, num_classes)
    refuse_soft("annotator_weights", annotations)
    number("false_discovery_rate", false_discovery_rate, above=0, below=1)
    whole_number("iterations", iterations)
    weights, classes = _of_near_copies(annotations), np.eye(annotations.num_classes)
    for _ in range(iterations):
        found = dawid_skene(annotations, gold=gold, annotator_weights=weights, check_optima=False)
        dependence = annotator_dependence(
            annotations,
            classes[found.labels],
            found.confusion,
            false_discovery_rate=false_discovery_rate,
        )
        weights = dependence.annotator_weights
    return weights


def _of_near_copies(annotations: Annotations) -> np.ndarray:
    """Weights before any labels: the less the more one's answers are those of others."""
    alike = np.maximum(np.nan_to_num(cohen_kappa(annotations)), 0) ** 4
    there = np.zeros((annotations.num_items, annotations.num_annotators))
    there[annotations.item_index, annotations.annotator_index] = 1
    shared = there.T @ there / np.maximum(there.sum(axis=0)[:, None], 1)
    return 1 / (1 + np.sum(alike * shared, axis=1))
