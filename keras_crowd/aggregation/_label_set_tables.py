"""Tables of items and of annotators from posteriors of sets of labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._arguments import array_of_numbers
from ..annotations import Annotations, share
from ._label_posterior import checked_probabilities
from ._label_sets import right_and_judged
from ._ratings import by_annotator, by_item


def label_columns(
    annotations: Annotations, posterior: npt.ArrayLike, threshold: npt.ArrayLike
) -> dict[str, np.ndarray]:
    """`label_table` of sets: a row per item and label, the labels of an item one after the other."""
    items, labels = annotations.num_items, annotations.num_classes
    q = checked_probabilities("posterior", posterior, annotations)
    limits = _thresholds(threshold, labels)
    return {
        "item": np.repeat(np.asarray(annotations.items), labels),
        "label": np.tile(np.asarray(annotations.classes), items),
        "confidence": q.ravel(),
        "threshold": np.tile(limits, items),
        "present": (q > limits).ravel(),
        "answers": by_item(annotations, annotations.answers >= 0).astype(int).ravel(),
    }


def annotator_columns(
    annotations: Annotations, posterior: npt.ArrayLike, min_answers: int
) -> dict[str, np.ndarray]:
    """`annotator_table` of sets."""
    q = checked_probabilities("posterior", posterior, annotations)
    ticked, shown = annotations.answers > 0, annotations.answers >= 0
    given = annotations.answers_per_annotator()
    (right, omitted), (there, absent) = (
        [by_annotator(annotations, part) for part in parts] for parts in right_and_judged(annotations, q)
    )
    ticks, judged = by_annotator(annotations, ticked), by_annotator(annotations, shown)
    informedness = _informedness(right, ticks, there, judged)
    many = given >= min_answers
    everything = many & (ticks.sum(axis=1) == judged.sum(axis=1))
    nothing = many & (ticks.sum(axis=1) == 0)
    table = {
        "annotator": np.asarray(annotations.annotators),
        "answers": given,
        "ticks": share(by_annotator(annotations, ticked.sum(axis=1)), given),
        "shown": share(by_annotator(annotations, shown.sum(axis=1)), given),
        "sensitivity": share(right.sum(axis=1), there.sum(axis=1)),
        "specificity": share(omitted.sum(axis=1), absent.sum(axis=1)),
        "informedness": informedness,
        "ticks_all": everything,
        "ticks_none": nothing,
        "rank": _ranks(informedness, everything | nothing),
    }
    names = np.asarray(annotations.classes).tolist()
    for name, part, whole in (("sensitivity", right, there), ("specificity", omitted, absent)):
        columns = share(part, whole).T
        table |= {f"{name}[{label}]": column for label, column in zip(names, columns, strict=True)}
    return table


def _informedness(
    right: np.ndarray, ticks: np.ndarray, there: np.ndarray, judged: np.ndarray
) -> np.ndarray:
    """Covariances of ticks and truth over variances of the truth, both summed over the labels, `(annotators,)`.

    Of a single label it is sensitivity + specificity - 1. Of several it is 0 for whoever ticks the same set always.
    """
    judged = np.maximum(judged, np.finfo(float).tiny)
    covariance = (right - ticks * there / judged).sum(axis=1)
    variance = (there - there * there / judged).sum(axis=1)
    return share(covariance, np.where(variance > 1e-9, variance, 0.0))


def _ranks(informedness: np.ndarray, suspect: np.ndarray) -> np.ndarray:
    """Ranks from 1, the best; annotators of whom nothing is known come after the others, suspects last."""
    order = np.lexsort((-np.nan_to_num(informedness), np.isnan(informedness), suspect))
    ranks = np.empty(len(order), int)
    ranks[order] = np.arange(1, len(order) + 1)
    return ranks


def _thresholds(threshold: npt.ArrayLike, num_labels: int) -> np.ndarray:
    limits = array_of_numbers("threshold", threshold)
    if limits.shape not in ((), (num_labels,)) or not np.all((limits >= 0) & (limits <= 1)):
        raise ValueError(
            f"`threshold` must be a number between 0 and 1, or {num_labels} of them, one per label. "
            f"Received: threshold={threshold!r}"
        )
    return np.broadcast_to(limits, (num_labels,))
