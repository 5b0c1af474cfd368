"""The M-step of Dawid and Skene's model: from expected counts to confusions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._arguments import number
from ..annotations import Annotations
from ._annotator_regression import AnnotatorRegression
from ._given_answers import imagined_answers
from ._one_coin import one_coin_confusion

_ROW_STRENGTH, _COIN_STRENGTH = 10.0, 2.0  # settled by benchmarks/zoo.py
_CELL_STRENGTH = 0.01
_NEVER = 1e-9


def maximization(
    confusion: str,
    strength: float | np.ndarray | None,
    annotations: Annotations,
    weights: np.ndarray,
    regression: AnnotatorRegression | None,
) -> Callable[[np.ndarray], tuple[np.ndarray, float]]:
    """M-step: from the expected counts to the log-confusions, and the log of their prior."""
    if confusion == "hierarchical":
        per_row = _ROW_STRENGTH if strength is None else strength
        if np.ndim(per_row) > 0:
            raise ValueError(
                '`strength` must be one number for confusion="hierarchical", the number of pseudo-answers in each '
                f"row. Received: shape {np.shape(per_row)}"
            )
        s = number("strength", per_row, above=0)
        if regression is not None:
            return _tied(_TIES["full"], lambda counts: s * regression.update(counts, weights), weights)
        return _tied(_TIES["full"], lambda counts: s * _coins(counts, weights), weights)
    if regression is not None:
        raise ValueError(
            f'`annotator_features` must be left out unless confusion="hierarchical". Received: confusion={confusion!r}'
        )
    if confusion not in _TIES:
        names = ", ".join(map(repr, ("hierarchical", *_TIES)))
        raise ValueError(f"`confusion` must be one of {names}. Received: confusion={confusion!r}")
    imagined = imagined_answers("strength", _CELL_STRENGTH if strength is None else strength, annotations)
    return _tied(_TIES[confusion], lambda counts: imagined, weights)


def _tied(
    tie: Callable[[np.ndarray], np.ndarray],
    imagine: Callable[[np.ndarray], np.ndarray],
    weights: np.ndarray,
) -> Callable[[np.ndarray], tuple[np.ndarray, float]]:
    """The M-step with rows tied in some way, and pseudo-counts that depend on the counts."""

    def maximize(counts: np.ndarray) -> tuple[np.ndarray, float]:
        imagined = imagine(counts)
        log_confusion = normalized_log(tie(counts + imagined))
        return log_confusion, np.sum(weights[:, None, None] * imagined * log_confusion)

    return maximize


def _coins(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`C_rkl`, each annotator's one coin, drawn towards that of all."""
    hits, answers = np.trace(counts, axis1=1, axis2=2), counts.sum(axis=(1, 2))
    right_of_all = (weights @ hits) / max(weights @ answers, _NEVER)
    right = (hits + _COIN_STRENGTH * right_of_all) / (answers + _COIN_STRENGTH)
    return one_coin_confusion(np.clip(right, _NEVER, 1 - _NEVER), counts.shape[-1])


def _class_wise(counts: np.ndarray) -> np.ndarray:
    """Errors of each row evened out, their sum kept."""
    right = np.eye(counts.shape[-1], dtype=bool)
    wrong = np.sum(counts, axis=-1, keepdims=True, where=~right)
    return np.where(right, counts, wrong / max(counts.shape[-1] - 1, 1))


def _one_coin(counts: np.ndarray) -> np.ndarray:
    """The rows of an annotator with right and wrong answers of all classes together."""
    right = np.eye(counts.shape[-1], dtype=bool)
    hits = np.sum(counts, axis=(-2, -1), keepdims=True, where=right)
    misses = np.sum(counts, axis=(-2, -1), keepdims=True, where=~right)
    return np.where(right, hits, misses / max(counts.shape[-1] - 1, 1))


_TIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "full": lambda counts: counts,
    "class_wise": _class_wise,
    "one_coin": _one_coin,
}


def normalized_log(counts: np.ndarray) -> np.ndarray:
    """The logs of counts divided by their sum over the last axis."""
    return np.log(counts) - np.log(counts.sum(axis=-1, keepdims=True))
