"""Agreement of pairs and of groups of annotators beyond chance: Cohen's and Fleiss' kappa."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from ..annotations import Annotations, Answers, as_annotations

Weights = Literal["linear", "quadratic"]


def cohen_kappa(answers: Answers, weights: Weights | None = None) -> np.ndarray:
    """Computes the agreement of each pair of annotators beyond chance, over the items that both answered.

    With the shares `p_kl` of the items to which the first answered `k` and the second `l`, their margins, and a
    disagreement `w_kl`:

        kappa = 1 - sum_kl w_kl p_kl / sum_kl w_kl p_k. p_.l

    `w_kl` is `[k != l]`, `|k - l|` (linear) or `(k - l)^2` (quadratic). It needs memory for tables `(classes,
    annotators, annotators)`.

    Args:
        answers: `Annotations` with classes, or integers `(items, annotators)` with `-1` for missing.
        weights: `None`: classes are equal or not; `"linear"` or `"quadratic"`: how far apart they are **in the order of
            `annotations.classes`**, which is that of the alphabet for names unless `classes=` was given. Defaults to
            `None`.

    Returns:
        `(annotators, annotators)`: 1 is perfect agreement and 0 what chance gives. NaN on the diagonal, for two without
        common items, and for two who both gave one and the same answer to all of these.

    Raises:
        ValueError: When the answers are not classes, or there are no such weights.

    Example:

    >>> answers = [[0, 0], [0, 1], [1, 1], [1, 1], [1, -1]]
    >>> keras_crowd.evaluation.cohen_kappa(answers)
    array([[nan, 0.5],
           [0.5, nan]])

    Reference:
        J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20, 1960;
        "Weighted kappa", Psychological Bulletin 70, 1968.
    """
    if weights is not None and weights not in get_args(Weights):
        raise ValueError(
            f"`weights` must be None or one of {', '.join(get_args(Weights))}. Received: weights={weights!r}"
        )
    annotations = as_annotations(answers)
    size, classes = annotations.num_annotators, annotations.num_classes
    observed, common = np.zeros(size * size), np.zeros(size * size)
    given = np.zeros(classes * size * size)  # by the first of a pair, to the items that both answered
    for cell, turned, first, second in _pairs(annotations):
        distance = _disagreement(first, second, weights)
        for one, answer in ((cell, first), (turned, second)):
            observed += np.bincount(one, distance, minlength=size * size)
            common += np.bincount(one, minlength=size * size)
            given += np.bincount(answer.astype(np.int64) * size * size + one, minlength=len(given))
    expected = _expected(given.reshape(classes, size, size), weights)
    products = (observed * common).reshape(size, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1 - products / expected, np.nan)


def fleiss_kappa(answers: Answers) -> float:
    """Computes the agreement of all annotators beyond chance, where any annotators may answer any item.

    With `n_ik` answers `k` of the `n_i` to item `i`, over the `N` items that have at least two:

        kappa = (P - P_e) / (1 - P_e)
        P = 1/N sum_i sum_k n_ik (n_ik - 1) / (n_i (n_i - 1)),    P_e = sum_k p_k^2

    `p_k` is the share of the answer `k` among all answers to these items. Fleiss assumes the same number of answers to
    each item; where numbers differ, every item has the same weight in `P`. `krippendorff_alpha` weights items by their
    answers and corrects for few of them.

    Args:
        answers: `Annotations` with classes, or integers `(items, annotators)` with `-1` for missing.

    Returns:
        kappa: 1 is perfect agreement and 0 what chance gives. NaN where no item has two answers, or all these answers
        are the same.

    Raises:
        ValueError: When the answers are not classes.

    Example:

    >>> round(keras_crowd.evaluation.fleiss_kappa([[0, 0, 0], [0, 1, 1], [1, 1, 1]]), 3)
    0.55

    Reference:
        J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological Bulletin 76, 1971.
    """
    annotations = as_annotations(answers)
    per_item = annotations.answers_per_item()
    pairable = per_item[annotations.item_index] > 1
    if not pairable.any():
        return float("nan")
    item, answer = annotations.item_index[pairable].astype(np.int64), annotations.answers[pairable]
    cells, counts = np.unique(item * annotations.num_classes + answer, return_counts=True)
    n = per_item[cells // annotations.num_classes]
    agreement = np.sum(counts * (counts - 1) / (n * (n - 1))) / np.sum(per_item > 1)
    expected = np.sum((np.bincount(answer) / len(answer)) ** 2)
    return float((agreement - expected) / (1 - expected)) if expected < 1 else float("nan")


def _pairs(annotations: Annotations) -> Iterator[tuple[np.ndarray, ...]]:
    """Pairs of answers to one item: their cells in a flat table of annotators, and its transpose, and the answers."""
    item, who = annotations.item_index, annotations.annotator_index.astype(np.int64)
    size, answers = annotations.num_annotators, annotations.answers
    # Answers are sorted by item: those to the same item are at most so far apart.
    for apart in range(1, int(annotations.answers_per_item().max())):
        pair = np.flatnonzero(item[apart:] == item[:-apart])
        first, second = who[pair], who[pair + apart]
        yield first * size + second, second * size + first, answers[pair], answers[pair + apart]


def _disagreement(first: npt.ArrayLike, second: npt.ArrayLike, weights: Weights | None) -> np.ndarray:
    if weights is None:
        return np.asarray(first != second, float)
    return np.abs(np.subtract(first, second, dtype=float)) ** (1 if weights == "linear" else 2)


def _expected(given: np.ndarray, weights: Weights | None) -> np.ndarray:
    """`sum_kl w_kl n_k. n_.l` of each pair, of how often the first gave each class, `(classes, first, second)`."""
    classes = np.arange(len(given))
    total = np.zeros(given.shape[1:])
    for k in classes:
        w = _disagreement(k, classes, weights)
        total += given[k] * np.einsum("l,lrs->sr", w, given)
    return total
