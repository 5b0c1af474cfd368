"""The majority vote."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..annotations import MISSING, Answers, as_annotations
from ._answer_sums import vote_counts

_ROUNDING = 1e-6  # of the sums of soft answers


def majority_vote(
    answers: Answers,
    num_classes: int | None = None,
    *,
    soft: bool = False,
    ties: Literal["lowest", "random", "missing"] = "lowest",
    seed: int | None = None,
) -> np.ndarray:
    """Returns the most frequent answer to each item, or the share of each answer (the mean of soft ones).

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros. These vote by their probabilities.
        num_classes: Integer. Number of classes. Defaults to that of the annotations; for an array, to the highest
            answer plus one.
        soft: Boolean. Whether to return the shares of the answers instead of one class. Defaults to `False`.
        ties: What a tie becomes: the `"lowest"` class code, a `"random"` one of the tied classes, or `"missing"`
            (`-1`). Defaults to `"lowest"`.
        seed: Integer. Seed of the random ties. Defaults to `None`.

    Returns:
        Classes, int32 `(items,)`, `-1` for an item nobody answered; or with `soft=True` shares, float32
        `(items, classes)`, a row of zeros for an item nobody answered (it has no weight in a
        cross-entropy).

    Example:

    >>> majority_vote([[0, 1, 1], [2, -1, -1], [-1, -1, -1]])
    array([ 1,  2, -1], dtype=int32)
    """
    annotations = as_annotations(answers, num_classes)
    votes = vote_counts(annotations)
    total = votes.sum(axis=1, keepdims=True)
    if soft:
        return (votes / np.maximum(total, 1)).astype(np.float32)
    tied = votes > votes.max(axis=1, keepdims=True) - _ROUNDING
    if ties == "lowest":
        winner = tied.argmax(axis=1)
    elif ties == "random":
        winner = (tied * np.random.default_rng(seed).random(tied.shape)).argmax(axis=1)
    elif ties == "missing":
        winner = np.where(tied.sum(axis=1) == 1, tied.argmax(axis=1), MISSING)
    else:
        raise ValueError(f'`ties` must be "lowest", "random" or "missing". Received: ties={ties!r}')
    return np.where(total[:, 0] > 0, winner, MISSING).astype(np.int32)
