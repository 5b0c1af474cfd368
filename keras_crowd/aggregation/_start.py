"""Confusions from which the training of annotators begins."""

from typing import Any

import numpy as np

from ..annotations import Annotations
from ._dawid_skene import dawid_skene

_FLOOR = 1e-3


def dawid_skene_start(annotations: Annotations, **given: Any) -> tuple[np.ndarray, np.ndarray]:
    """Confusions of hierarchical Dawid-Skene, none of them 0, and the share of each class among the answered items.

    Args:
        annotations: The answers.
        **given: `strength`, `gold`, `annotator_weights` and `annotator_features` of `dawid_skene`.
    """
    check_answered(annotations)
    found = dawid_skene(annotations, **given)
    answered = annotations.answers_per_item() > 0
    return possible(found.confusion), found.posterior[answered].mean(axis=0)


def check_answered(annotations: Annotations) -> None:
    """Refuses answers that are all missing."""
    if len(annotations) == 0:
        raise ValueError(f"`answers` must have at least one answer. Received: {annotations!r}")


def possible(confusion: np.ndarray) -> np.ndarray:
    """Spreads 0.1 % of each row evenly over all answers, since the logit of an impossible one could not move."""
    return (1 - _FLOOR) * confusion + _FLOOR / confusion.shape[-1]
