"""The two forms that models train on, dense and slots, from the long form (one row per answer)."""

from __future__ import annotations

import numpy as np

from ._answer_kind import AnswerKind
from ._ids import MISSING


def to_dense(
    item_index: np.ndarray,
    annotator_index: np.ndarray,
    answers: np.ndarray,
    shape: tuple[int, int],
    kind: AnswerKind,
) -> np.ndarray:
    """`(items, annotators, *kind.shape)`; holes as the kind has them."""
    table = kind.empty(shape)
    table[item_index, annotator_index] = answers
    return table


def to_slots(
    item_index: np.ndarray,
    annotator_index: np.ndarray,
    answers: np.ndarray,
    shape: tuple[int, int],
    kind: AnswerKind,
) -> tuple[np.ndarray, np.ndarray]:
    """Annotators `(items, slots)` and answers `(items, slots, *kind.shape)`, an item's side by side from slot 0 on.

    Args:
        item_index: Item of each answer, ascending.
        annotator_index: Annotator of each answer.
        answers: The answers.
        shape: Numbers of items and of slots.
        kind: What one answer is.
    """
    slot = places_within(item_index, shape[0])
    annotators, table = np.full(shape, MISSING, np.int32), kind.empty(shape)
    annotators[item_index, slot] = annotator_index
    table[item_index, slot] = answers
    return annotators, table


def to_sequence_slots(
    sequence: np.ndarray,
    time: np.ndarray,
    annotator_index: np.ndarray,
    answers: np.ndarray,
    shape: tuple[int, int],
    kind: AnswerKind,
) -> tuple[np.ndarray, np.ndarray]:
    """The same of tags: an annotator has one slot for a whole sequence.

    Args:
        sequence: Sequence of each answer.
        time: Token of each answer.
        annotator_index: Annotator of each answer.
        answers: The answers.
        shape: Numbers of sequences and of tokens.
        kind: What one answer is.

    Returns:
        Annotators `(sequences, slots)`, ascending, padded with `-1`, and answers `(sequences, time, slots,
        *kind.shape)`.
    """
    size = int(annotator_index.max()) + 1
    pairs, pair = np.unique(sequence.astype(np.int64) * size + annotator_index, return_inverse=True)
    slot = places_within(pairs // size, shape[0])
    annotators = np.full((shape[0], slot.max() + 1), MISSING, np.int32)
    table = kind.empty((*shape, slot.max() + 1))
    annotators[pairs // size, slot] = pairs % size
    table[sequence, time, slot[pair]] = answers
    return annotators, table


def places_within(groups: np.ndarray, size: int) -> np.ndarray:
    """The place of each element within its group, `0, 1, ...`; the groups `0, ..., size - 1` ascend."""
    counts = np.bincount(groups, minlength=size)
    return np.arange(len(groups)) - (np.cumsum(counts) - counts)[groups]
