"""Answers that are held out, again and again."""

import numpy as np

from ..annotations import Annotations


def held_out_splits(
    annotations: Annotations, num_splits: int, fraction: float, seed: int
) -> list[tuple[Annotations, Annotations]]:
    """Draws independent splits of the answers into those to train on and those held out, at least two.

    Raises:
        ValueError: When there are too few answers.
    """
    if len(annotations) < 4 or annotations.answers_per_item().max() < 1:
        raise ValueError(f"`answers` must have at least 4 answers. Received: {annotations!r}")
    splits = [annotations.split(fraction, seed + i) for i in range(num_splits)]
    if len(splits[0][1]) < 2:
        raise ValueError(
            "`fraction` must hold out at least 2 answers, for a standard error. "
            f"Received: fraction={fraction}, of {len(annotations)} answers"
        )
    return splits


def error_above(losses: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Standard error of mean losses above the best, answer against answer, as one split would show it.

    Losses are `(choices, splits, answers)`, the best `(splits, answers)`; returns `(choices,)`.
    """
    difference = (losses - best).reshape(len(losses), -1)
    return difference.std(axis=1, ddof=1) / np.sqrt(losses.shape[2])
