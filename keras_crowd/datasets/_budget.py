"""Draws who answers what: pairs of item and annotator, under a budget of labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._arguments import whole_number
from ._seeded import fraction

_CROWDED = 1 / 8  # share of the population from which shuffling it beats drawing from it
_CHUNK = 2**22  # numbers held at once while it is shuffled


class Budget(NamedTuple):
    """Checks that there is at most one way to limit the answers; without one everybody answers everything.

    Attributes:
        probability: Each annotator answers each item with this probability.
        answers_per_item: So many distinct annotators answer each item.
        answers_per_annotator: Each annotator answers so many distinct items.
    """

    probability: float | None = None
    answers_per_item: int | None = None
    answers_per_annotator: int | None = None

    def draw(
        self, num_items: int, num_annotators: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """The item and the annotator of each answer, int64 `(answers,)`."""
        self._refuse_several()
        if self.probability is not None:
            chance = fraction("probability", self.probability)
            counts = rng.binomial(num_annotators, chance, num_items)
            item, annotator = distinct_pairs(counts, num_annotators, rng)
        elif self.answers_per_annotator is not None:
            each = whole_number("answers_per_annotator", self.answers_per_annotator, 1, num_items)
            annotator, item = distinct_pairs(np.full(num_annotators, each), num_items, rng)
        else:
            wanted = num_annotators if self.answers_per_item is None else self.answers_per_item
            each = whole_number("answers_per_item", wanted, 1, num_annotators)
            item, annotator = distinct_pairs(np.full(num_items, each), num_annotators, rng)
        if len(item) == 0:
            raise ValueError(
                f"`probability` must give at least one answer. Received: probability={self.probability}, "
                f"which gave none for {num_items} items x {num_annotators} annotators"
            )
        return item, annotator

    def _refuse_several(self) -> None:
        given = {name: value for name, value in self._asdict().items() if value is not None}
        if len(given) > 1:
            raise ValueError(
                "At most one of `probability`, `answers_per_item`, `answers_per_annotator` must be given. "
                f"Received: {', '.join(f'{name}={value}' for name, value in given.items())}"
            )


def distinct_pairs(
    counts: np.ndarray, population: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draws, for each row `i`, `counts[i]` distinct members of `range(population)`, every subset as likely.

    Time and memory follow the number of pairs.

    Returns:
        The row and the member of each pair, int64 `(counts.sum(),)`.
    """
    crowded = counts > population * _CROWDED
    parts = [_by_rejection(np.where(crowded, 0, counts), population, rng)]
    rows, step = np.flatnonzero(crowded), max(_CHUNK // population, 1)
    for start in range(0, len(rows), step):
        parts.append(_by_shuffling(rows[start : start + step], counts, population, rng))
    row, member = map(np.concatenate, zip(*parts, strict=True))
    return row, member


def _by_rejection(
    counts: np.ndarray, population: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Independent draws, those that a row has already drawn again: fast where a row needs few."""
    keys = np.empty(0, np.int64)
    missing = counts
    while missing.any():
        row = np.repeat(np.arange(len(counts)), missing)
        fresh = row * population + rng.integers(population, size=len(row))
        keys = np.sort(np.concatenate([keys, fresh]))
        keys = keys[np.append(True, keys[1:] != keys[:-1])]
        missing = counts - np.bincount(keys // population, minlength=len(counts))
    row, member = np.divmod(keys, population)
    return row, member


def _by_shuffling(
    rows: np.ndarray, counts: np.ndarray, population: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The first members of a shuffled population: fast where a row needs much of it."""
    members = np.arange(population)
    shuffled = rng.permuted(np.tile(members, (len(rows), 1)), axis=1)
    return np.repeat(rows, counts[rows]), shuffled[members < counts[rows, None]]
