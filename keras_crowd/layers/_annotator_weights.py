"""Weights of the annotators in the means that the conventions hold."""

import numpy as np
import numpy.typing as npt

from .._arguments import array_of_numbers


def answer_counts(counts: npt.ArrayLike | None, num_annotators: int) -> list[float] | None:
    """The argument `answers_per_annotator`, checked, as a config can hold it."""
    if counts is None:
        return None
    values = array_of_numbers("answers_per_annotator", counts)
    if values.shape != (num_annotators,) or not np.all(values >= 0) or not 0 < values.sum() < np.inf:
        raise ValueError(
            f"`answers_per_annotator` must be {num_annotators} numbers, none negative and not all 0. "
            f"Received: shape {values.shape}, lowest {values.min(initial=np.inf)}"
        )
    return values.tolist()


def answer_weights(counts: list[float] | None, num_annotators: int, dtype: npt.DTypeLike) -> np.ndarray:
    """Each annotator's share of all answers, (R, 1); all alike without counts."""
    values = np.array(counts or [1.0] * num_annotators)
    return (values / values.sum())[:, None].astype(dtype)
