"""Agreement of the answers with each other, before anything is learned from them."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np

from .._repr import one_line
from ..annotations import (
    Annotations,
    Answers,
    Votes,
    are_sets,
    as_annotations,
    as_answers,
    classes_per_annotator,
    refuse_soft,
    share,
)
from ._masi import masi_of_pairs, mean_masi

Level = Literal["nominal", "ordinal", "interval", "masi"]


class PairwiseAgreement(NamedTuple):
    """Result of `pairwise_agreement`.

    Attributes:
        agreement: Share of the common items to which both gave the same answer, `(annotators, annotators)`; NaN
            for two who have none, and for each with itself.
        common: Number of items that both answered, `(annotators, annotators)`.

    Example:

    >>> keras_crowd.evaluation.pairwise_agreement([[0, 0], [0, 1]]).common.tolist()
    [[0, 2], [2, 0]]
    """

    agreement: np.ndarray
    common: np.ndarray

    def __repr__(self) -> str:
        return one_line(self)


def krippendorff_alpha(answers: Answers, level: Level | None = None) -> float:
    """Computes the agreement of all annotators beyond chance: 1 is perfect, 0 is chance, below 0 is systematic.

    With `m_i` answers to item `i`, `n` answers to items that have at least two, and a distance `d` of answers:

        alpha = 1 - D_o / D_e
        D_o = 1/n sum_i 1/(m_i - 1) sum_(r != s) d(y_ir, y_is)
        D_e = 1/(n(n-1)) sum over all pairs of the n answers of d

    `d` is `[y != z]` (nominal), `(y - z)^2` (interval), or that of mid-ranks among the `n` answers (ordinal). Time and
    memory grow with the number of answers, whatever the number of classes.

    For sets of labels, `d` is MASI, `1 - m |Y and Z| / |Y or Z|` with `m` 1 for equal sets, 2/3 where one is part of
    the other, 1/3 where they overlap otherwise; two empty sets are equal. Sets are compared on the labels that both
    annotators were shown. Time grows with the square of the number of different sets.

    Args:
        answers: `Annotations`, integers `(items, annotators)` with `-1`, or floats with `NaN` for missing.
        level: `"nominal"`: classes that are equal or not; `"ordinal"`: **in the order of `annotations.classes`**, which
            is that of the alphabet for names unless `classes=` was given, or of the numbers; `"interval"`: numbers, or
            classes whose ids are numbers; `"masi"`: sets of labels. Defaults to nominal for classes, to interval for
            ratings and to MASI for sets.

    Returns:
        alpha; NaN where no item has two answers, or all these answers are the same.

    Raises:
        ValueError: When there is no such level, or it does not fit the answers.

    Example:

    >>> answers = [[0, 0, -1], [1, 1, 1], [2, 2, 1], [0, -1, -1]]
    >>> round(keras_crowd.evaluation.krippendorff_alpha(answers), 3)
    0.65

    Reference:
        K. Krippendorff, "Computing Krippendorff's alpha-reliability", University of Pennsylvania, 2011; R. Passonneau,
        "Measuring agreement on set-valued items (MASI) for semantic and pragmatic annotation", LREC 2006.
    """
    annotations = as_answers(answers)
    refuse_soft("krippendorff_alpha", annotations)
    level = _checked_level(level, annotations)
    per_item = annotations.answers_per_item()
    pairable = per_item[annotations.item_index] > 1
    _, item = np.unique(annotations.item_index[pairable], return_inverse=True)
    if level == "masi":
        return _masi_alpha(annotations.answers[pairable], item)
    values = _numbers(annotations, level)[pairable].astype(float)
    n = len(values)
    if n == 0 or np.all(values == values[0]):  # else rounding would divide by almost 0
        return float("nan")
    if level == "ordinal":
        values = _mid_ranks(values)
    distances = _different_pairs if level == "nominal" else _squared_distances
    m = np.bincount(item)
    observed = np.sum(distances(values, item) / (m - 1)) / n
    expected = np.sum(distances(values, np.zeros(n, int))) / (n * (n - 1))
    return float(1 - observed / expected) if expected > 0 else float("nan")


def pairwise_agreement(answers: Answers) -> PairwiseAgreement:
    """Computes how often each pair of annotators gave the same answer to the items that both answered.

    It needs memory for tables `(annotators, annotators)`.

    Args:
        answers: `Annotations` with classes, or integers `(items, annotators)` with `-1` for missing.

    Returns:
        `PairwiseAgreement(agreement, common)`.

    Example:

    >>> found = keras_crowd.evaluation.pairwise_agreement([[0, 0, 1], [1, 0, -1]])
    >>> found.agreement
    array([[nan, 0.5, 0. ],
           [0.5, nan, 0. ],
           [0. , 0. , nan]])
    """
    annotations = as_annotations(answers)
    refuse_soft("pairwise_agreement", annotations)
    item, who = annotations.item_index, annotations.annotator_index.astype(np.int64)
    size = annotations.num_annotators
    common, same = np.zeros(size * size, np.int64), np.zeros(size * size, np.int64)
    # Answers are sorted by item: those to the same item are at most so far apart.
    for apart in range(1, int(annotations.answers_per_item().max())):
        pair = np.flatnonzero(item[apart:] == item[:-apart])
        cell = who[pair] * size + who[pair + apart]
        agrees = annotations.answers[pair] == annotations.answers[pair + apart]
        common += np.bincount(cell, minlength=size * size)
        same += np.bincount(cell[agrees], minlength=size * size)
    both, alike = (table.reshape(size, size) + table.reshape(size, size).T for table in (common, same))
    return PairwiseAgreement(share(alike, both), both)


def answer_entropy(answers: Answers) -> np.ndarray:
    """Computes the entropy of the answers to each item, in nats: 0 where all agree, `log(classes)` at most.

    For soft answers, it is the entropy of their mean.

    Args:
        answers: `Annotations` with classes; integers `(items, annotators)` with `-1` for missing; or soft answers,
            floats `(items, annotators, classes)` with zeros.

    Returns:
        `(items,)`; NaN for an item that nobody answered.

    Example:

    >>> keras_crowd.evaluation.answer_entropy([[0, 0], [0, 1], [-1, -1]]).round(3)
    array([0.   , 0.693,   nan])
    """
    annotations = as_annotations(answers)
    votes = Votes(annotations)
    key = votes.of(annotations.item_index).astype(np.int64) * annotations.num_classes + votes.code
    cells, cell = np.unique(key, return_inverse=True)
    counts = np.bincount(cell, weights=votes.weights())
    item, total = cells // annotations.num_classes, annotations.answers_per_item()
    p = counts / total[item]
    entropy = np.bincount(item, weights=-p * np.log(p), minlength=annotations.num_items)
    return np.where(total > 0, np.maximum(entropy, 0), np.nan)


def num_classes_used(answers: Answers) -> np.ndarray:
    """Counts the different classes among each annotator's answers; 1 may be someone who does not look at the items.

    Soft answers count as their likeliest class.

    Args:
        answers: `Annotations` with classes; integers `(items, annotators)` with `-1` for missing; or soft answers,
            floats `(items, annotators, classes)` with zeros.

    Returns:
        `(annotators,)`; 0 for an annotator without answers.

    Example:

    >>> keras_crowd.evaluation.num_classes_used([[0, 1], [0, 2], [0, 2]])
    array([1, 2])
    """
    return classes_per_annotator(as_annotations(answers))


def _checked_level(level: Level | None, annotations: Annotations) -> Level:
    """The level that is asked for, or that of the kind of answers."""
    sets = are_sets(annotations)
    if level is None:
        return "masi" if sets else annotations.kind.level
    if level not in get_args(Level):
        raise ValueError(f"`level` must be one of {', '.join(get_args(Level))}. Received: level={level!r}")
    if (level == "masi") != sets and not (sets and level == "nominal"):
        raise ValueError(
            "`level` must be 'masi' or 'nominal' for sets of labels, and is never 'masi' for other answers. "
            f"Received: level={level!r}, {annotations!r}"
        )
    return level


def _masi_alpha(sets: np.ndarray, item: np.ndarray) -> float:
    """Alpha of sets `(answers, labels)`, sorted by item, each item having two at least."""
    if len(sets) == 0:
        return float("nan")
    expected, observed, m = mean_masi(sets), 0.0, np.bincount(item)
    for apart in range(1, int(m.max())):
        pair = np.flatnonzero(item[apart:] == item[:-apart])
        distances = masi_of_pairs(sets[pair], sets[pair + apart])
        observed += 2 * float(np.sum(distances / (m[item[pair]] - 1))) / len(sets)
    return float(1 - observed / expected) if expected > 0 else float("nan")


def _numbers(annotations: Annotations, level: str) -> np.ndarray:
    """Each answer as a number; of sets a number for each different one."""
    if are_sets(annotations):
        return np.unique(annotations.answers, axis=0, return_inverse=True)[1].reshape(-1)
    if annotations.classes is None or level != "interval":
        return annotations.answers
    if annotations.classes.dtype.kind not in "iuf":
        raise ValueError(
            "`level='interval'` needs numbers, or classes whose ids are numbers. "
            f"Received: classes {annotations.classes.tolist()[:5]}"
        )
    return annotations.classes[annotations.answers]


def _mid_ranks(values: np.ndarray) -> np.ndarray:
    _, code, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - count / 2)[code]


def _different_pairs(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Ordered pairs of different values in each group: `m^2 - sum_c n_c^2`."""
    _, code = np.unique(values, return_inverse=True)
    cells, counts = np.unique(group * (code.max() + 1) + code, return_counts=True)
    alike = np.bincount(cells // (code.max() + 1), weights=counts.astype(float) ** 2)
    return np.bincount(group).astype(float) ** 2 - alike


def _squared_distances(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Squared differences over ordered pairs in each group: `2 m sum (y - mean)^2`."""
    m = np.bincount(group)
    mean = np.bincount(group, weights=values) / m
    return 2 * m * np.bincount(group, weights=(values - mean[group]) ** 2)
