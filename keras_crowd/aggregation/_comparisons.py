"""Preferences as numbers: which items, which annotator, which answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._arguments import given_weights
from ..annotations import Annotations, pair_index
from ._graphs import connected


@dataclass(frozen=True)
class Comparisons:
    """Answers as numbers: which items, which annotator, and the answer as a distribution.

    Attributes:
        items: Ids of the items.
        first, second: Of each pair the position in `items` of the item shown first and second.
        pair: Of each answer the position of its pair.
        annotator: Of each answer the position of its annotator.
        answers: `(2 or 3, answers)`: first, second, tie.
        weight: Of each answer how much it counts, `(answers,)`.
        num_annotators: Number of annotators.
        groups: Of each item its group: items compared with each other, by way of others, are of one.
    """

    items: np.ndarray
    first: np.ndarray
    second: np.ndarray
    pair: np.ndarray
    annotator: np.ndarray
    answers: np.ndarray
    weight: np.ndarray
    num_annotators: int
    groups: np.ndarray

    @classmethod
    def of(cls, annotations: Annotations, weights: npt.ArrayLike | None = None) -> Comparisons:
        """The answers of annotations of preferences, all of weight 1 unless `weights` says more."""
        refuse_grades(annotations)
        items, index = pair_index(annotations.items)
        first, second = index.T
        compared = annotations.answers_per_item() > 0
        groups = connected(len(items), first[compared], second[compared])
        said = annotations.soft().answers.T.astype(float)
        who, size = annotations.annotator_index, annotations.num_annotators
        weight = given_weights("weights", weights, len(annotations), "answer")
        return cls(items, first, second, annotations.item_index, who, said, weight, size, groups)

    @property
    def ties(self) -> bool:
        """Whether a tie can be answered."""
        return len(self.answers) == 3

    def by_pair(self, values: np.ndarray) -> np.ndarray:
        """Sums over the answers to each pair."""
        return np.bincount(self.pair, values, len(self.first))

    def by_item(self, values: np.ndarray) -> np.ndarray:
        """Sums over the pairs: plus for the first item, minus for the second."""
        size = len(self.items)
        return np.bincount(self.first, values, size) - np.bincount(self.second, values, size)

    def by_annotator(self, values: np.ndarray) -> np.ndarray:
        """Sums over the answers of each annotator."""
        return np.bincount(self.annotator, values, self.num_annotators)


def refuse_grades(annotations: Annotations) -> None:
    """Refuses graded preferences, of which Bradley and Terry's model knows nothing."""
    if annotations.num_classes > 3:
        raise ValueError(
            "`answers` must say which item is better, and not how much better it is: take grades away by "
            "`keras_crowd.annotations.without_grades(answers)`, or train a scorer below "
            f"`CrowdsPreference(grades=...)`. Received: {annotations!r}"
        )
