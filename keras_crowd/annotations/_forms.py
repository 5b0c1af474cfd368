"""From the long form (one row an answer, sorted by item) to the two forms that models train on."""

import numpy as np

from ._ids import MISSING
from ._soft import is_soft


def to_dense(
    item_index: np.ndarray, annotator_index: np.ndarray, answers: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """`(items, annotators)`, of soft answers `(items, annotators, classes)`; holes as `missing_answer` says."""
    table = no_answers(shape, answers)
    table[item_index, annotator_index] = answers
    return table


def answer_ids(answers: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
    """The ids of answers that are codes of classes; numbers and distributions as they are."""
    return answers if classes is None or is_soft(answers) else classes[answers]


def to_slots(
    item_index: np.ndarray, annotator_index: np.ndarray, answers: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Annotators and answers, `(items, slots)` or `(items, slots, classes)`, an item's side by side from slot 0 on."""
    counts = np.bincount(item_index, minlength=shape[0])
    slot = np.arange(len(answers)) - (np.cumsum(counts) - counts)[item_index]
    annotators = np.full(shape, MISSING, np.int32)
    table = no_answers(shape, answers)
    annotators[item_index, slot] = annotator_index
    table[item_index, slot] = answers
    return annotators, table


def no_answers(shape: tuple[int, ...], answers: np.ndarray) -> np.ndarray:
    """A table for such answers, with a hole in every place."""
    return np.full((*shape, *answers.shape[1:]), missing_answer(answers), answers.dtype)


def missing_answer(answers: np.ndarray) -> float:
    """How "did not answer" is coded among such answers: of soft ones, a row of it."""
    if is_soft(answers):
        return 0.0
    return np.nan if answers.dtype.kind == "f" else MISSING
