"""Predictions of a classifier, as sure as the answers say that they may be."""

from __future__ import annotations

import numpy as np

from ..aggregation import TINY, log_normalize, posterior
from ..annotations import Annotations

_POWERS = np.geomspace(0.25, 4, 33)
_SPREAD = 0.5  # of the logarithm of the power, before any answer


def sharpened(annotations: Annotations, probabilities: np.ndarray, confusion: np.ndarray) -> np.ndarray:
    """Raises predictions to the power that makes the answers most probable.

    With predictions `f`, confusions `A` and answers `y`, the power is the `t` that maximizes

        sum_i log sum_k f_ik(t) prod_r A_r,k,y_ir  +  log N(log t; 0, 1/4),    f_ik(t) ~ f_ik ^ t

    over a grid from 1/4 to 4. The predictions must not have seen the answers to the same item.

    Args:
        annotations: The answers.
        probabilities: `f`, `(items, classes)`.
        confusion: `A`, `(annotators, true, answer)`.

    Returns:
        `f(t)`, float64 `(items, classes)`.
    """
    answered = annotations.answers_per_item() > 0
    flat = np.full_like(probabilities, 1 / annotations.num_classes)
    likelihood = posterior(annotations, flat, confusion)[answered]  # up to a factor per item
    log_f = np.log(np.maximum(probabilities, TINY))
    evidence = [
        np.log(np.maximum(np.sum(log_normalize(t * log_f[answered])[0] * likelihood, axis=1), TINY)).sum()
        - (np.log(t) / _SPREAD) ** 2 / 2
        for t in _POWERS
    ]
    return log_normalize(_POWERS[int(np.argmax(evidence))] * log_f)[0]
