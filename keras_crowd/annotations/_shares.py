"""Small sums over answers that `aggregation` and `evaluation` share."""

from __future__ import annotations

import numpy as np

from ._long_form import LongForm


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole`, `NaN` where `whole` is 0."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)


def classes_per_annotator(annotations: LongForm) -> np.ndarray:
    """Counts the different classes among each annotator's (most probable) answers, `(annotators,)`."""
    annotations = annotations.hard()
    key = annotations.annotator_index.astype(np.int64) * annotations.num_classes + annotations.answers
    return np.bincount(np.unique(key) // annotations.num_classes, minlength=annotations.num_annotators)
