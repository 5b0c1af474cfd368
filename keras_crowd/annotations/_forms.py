"""From the long form (one row an answer, sorted by item) to the two forms that models train on."""

import numpy as np

from ._ids import MISSING


def to_dense(
    item_index: np.ndarray, annotator_index: np.ndarray, answers: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """`(items, annotators)`, holes coded as `missing_answer` says."""
    table = np.full(shape, missing_answer(answers), answers.dtype)
    table[item_index, annotator_index] = answers
    return table


def answer_ids(answers: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
    """The ids of answers that are codes of classes; numbers as they are."""
    return answers if classes is None else classes[answers]


def to_slots(
    item_index: np.ndarray, annotator_index: np.ndarray, answers: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Annotators and answers, each `(items, slots)`, every item's side by side from slot 0 on."""
    counts = np.bincount(item_index, minlength=shape[0])
    slot = np.arange(len(answers)) - (np.cumsum(counts) - counts)[item_index]
    annotators = np.full(shape, MISSING, np.int32)
    table = np.full(shape, missing_answer(answers), answers.dtype)
    annotators[item_index, slot] = annotator_index
    table[item_index, slot] = answers
    return annotators, table


def missing_answer(answers: np.ndarray) -> float:
    """How "did not answer" is coded among such answers."""
    return np.nan if answers.dtype.kind == "f" else MISSING
