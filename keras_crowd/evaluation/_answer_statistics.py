"""A first look at raw answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._arguments import whole_number
from ..annotations import Annotations, Answers, are_sets, as_answers, refuse_soft
from ._agreement import Level, answer_entropy, krippendorff_alpha, num_classes_used


@dataclass(frozen=True, eq=False, repr=False)
class AnswerStatistics:
    """Result of `answer_statistics`.

    Attributes:
        coverage: Share of the items that somebody answered.
        density: Share of all pairs of an item and an annotator that have an answer.
        answers_per_item: `(items,)`.
        answers_per_annotator: `(annotators,)`.
        entropy: Entropy of the answers to each item in nats, `(items,)`; NaN where there are none. Here and below, each
            number among ratings, and each different set among sets of labels, counts as a class.
        disputed: Share of the items with two answers or more whose answers differ.
        alpha: Krippendorff's alpha.
        one_class: Ids of the annotators who gave many answers, all of one class.

    Example:

    >>> keras_crowd.evaluation.answer_statistics([[0, 0], [1, 0], [-1, -1]]).disputed
    0.5
    """

    coverage: float
    density: float
    answers_per_item: np.ndarray
    answers_per_annotator: np.ndarray
    entropy: np.ndarray
    disputed: float
    alpha: float
    one_class: np.ndarray

    def __repr__(self) -> str:
        item, annotator = self.answers_per_item, self.answers_per_annotator
        return (
            f"AnswerStatistics({100 * self.coverage:.1f} % of the items answered, "
            f"{item.min()} to {item.max()} answers per item (median {np.median(item):g}), "
            f"{annotator.min()} to {annotator.max()} per annotator (median {np.median(annotator):g}), "
            f"{100 * self.disputed:.1f} % of the items disputed, alpha {self.alpha:.3f}, "
            f"{len(self.one_class)} annotators of one class)"
        )


def answer_statistics(
    answers: Answers, level: Level | None = None, min_answers: int = 5
) -> AnswerStatistics:
    """Summarizes the answers: how many there are, how far they agree, and which annotators to look at.

    Args:
        answers: `Annotations`, integers `(items, annotators)` with `-1`, or floats with `NaN` for missing.
        level: For Krippendorff's alpha, as in `krippendorff_alpha`: `"nominal"` (the default for classes), `"ordinal"`
            (in the order of `annotations.classes`), `"interval"` (the default for ratings) or `"masi"` (the default
            for sets of labels).
        min_answers: Integer. Number of answers from which on an annotator is suspect if all are of one class. Defaults
            to 5.

    Returns:
        `AnswerStatistics`.

    Raises:
        ValueError: When an argument is out of range, or `level` does not fit the classes.

    Example:

    >>> keras_crowd.evaluation.answer_statistics([[0, 0], [1, 0], [-1, -1]], min_answers=2)
    AnswerStatistics(66.7 % of the items answered, 0 to 2 answers per item (median 2), 2 to 2 per annotator
    (median 2), 50.0 % of the items disputed, alpha 0.000, 1 annotators of one class)
    """
    whole_number("min_answers", min_answers)
    given = as_answers(answers)
    refuse_soft("answer_statistics", given)
    annotations = _as_classes(given)
    per_item, per_annotator = annotations.answers_per_item(), annotations.answers_per_annotator()
    entropy, several = answer_entropy(annotations), per_item > 1
    suspect = (num_classes_used(annotations) == 1) & (per_annotator >= min_answers)
    return AnswerStatistics(
        coverage=float(np.mean(per_item > 0)),
        density=len(annotations) / (annotations.num_items * annotations.num_annotators),
        answers_per_item=per_item,
        answers_per_annotator=per_annotator,
        entropy=entropy,
        disputed=float(np.mean(entropy[several] > 0)) if several.any() else float("nan"),
        alpha=krippendorff_alpha(given, level),
        one_class=annotations.annotators[suspect],
    )


def _as_classes(annotations: Annotations) -> Annotations:
    """Ratings, and sets of labels, as classes: each number, or each different set, is one."""
    sets = are_sets(annotations)
    if annotations.kind.has_classes and not sets:
        return annotations
    found, codes = np.unique(annotations.answers, axis=0 if sets else None, return_inverse=True)
    return Annotations(
        annotations.item_index,
        annotations.annotator_index,
        codes.reshape(-1),
        items=annotations.items,
        annotators=annotations.annotators,
        classes=np.arange(len(found)) if sets else found,
    )
