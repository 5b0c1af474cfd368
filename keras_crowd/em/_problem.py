"""What is to be maximized, as the model says: classes, classes of tokens, chains of them, or numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..annotations import MISSING, Annotations, as_annotations, as_ratings, by_ids, rows_by_id
from ..models import HiddenCRF, check_outputs, outputs_of_few
from ._chains import Chains
from ._confusions import Confusions
from ._features import as_features
from ._network import of_two_classes
from ._raters import Raters


def problem_for(
    trainer: Any, x: Any, answers: Any, gold: Any, batch_size: int
) -> tuple[Confusions | Raters, tuple[int, ...], Any]:
    """What will be known of the annotators; the shape of the items, `(items,)` or `(items, time)`; the features."""
    if isinstance(trainer.classifier, HiddenCRF):
        return _chains(trainer, x, answers, gold, batch_size)
    annotators, rows = annotators_for(trainer, answers, gold)
    features = as_features(x, rows[0], batch_size, annotators.annotations if len(rows) == 1 else None)
    if isinstance(annotators, Confusions):
        some, _ = next(iter(features))
        check_outputs(outputs_of_few(trainer.network, some), trainer.from_logits)
    return annotators, rows, features


def _chains(
    trainer: Any, x: Any, answers: Any, gold: Any, batch_size: int
) -> tuple[Chains, tuple[int, ...], Any]:
    if gold is not None:
        raise ValueError(
            "`gold` is not for a `HiddenCRF`: give the gold tags as the answers of an annotator of their own, with "
            f"a `prior` that says so. Received: gold of shape {np.shape(gold)}"
        )
    answers = _answers_to_tokens(answers)
    features = as_features(x, len(answers), batch_size)
    chains = Chains(trainer.classifier, features, answers, trainer.prior, trainer.strength)
    _check_annotators(trainer, chains.annotations)
    return chains, answers.shape[:2], features


def annotators_for(trainer: Any, answers: Any, gold: Any) -> tuple[Confusions | Raters, tuple[int, ...]]:
    """What will be known of the annotators; and the shape of the items, `(items,)` or `(items, time)`."""
    shape = trainer.output_shape
    one_unit = shape[-1] == 1
    two_classes = one_unit and of_two_classes(trainer.network, answers, trainer.from_logits)
    if len(shape) not in (2, 3) or not shape[-1] or (len(shape) == 3 and one_unit and not two_classes):
        raise ValueError(
            "`classifier` must have the output shape (batch, classes), (batch, time, classes) or (batch, 1). "
            f"Received: {shape}"
        )
    if one_unit and not two_classes:
        ratings = as_ratings(answers)
        return _raters(trainer, ratings, gold), (ratings.num_items,)
    rows = np.shape(answers)[:2]
    if len(shape) == 3:
        answers = _answers_to_tokens(answers)
        answers = answers.reshape(-1, *answers.shape[2:])
    annotations = as_annotations(answers, 2 if two_classes else shape[-1])
    rows = rows if len(shape) == 3 else (annotations.num_items,)
    return _confusions(trainer, annotations, gold, rows)


def _raters(trainer: Any, ratings: Annotations, gold: Any) -> Raters:
    if trainer.prior is not None:
        raise ValueError(
            "`prior` is for classes; for numbers give `strength`. Received: a classifier of output (batch, 1)"
        )
    _check_annotators(trainer, ratings)
    return Raters(ratings, checked_numbers(gold, ratings), trainer.strength)


def _confusions(
    trainer: Any, annotations: Annotations, gold: Any, rows: tuple[int, ...]
) -> tuple[Confusions, tuple[int, ...]]:
    _check_annotators(trainer, annotations)
    if gold is not None:
        gold = by_ids("gold", gold, annotations) if len(rows) == 1 else rows_by_id("gold", gold, None)
        gold = np.asarray(gold)
    gold = checked_gold(gold, annotations, rows)
    return Confusions(annotations, gold, trainer.prior, trainer.strength), rows


def _check_annotators(trainer: Any, annotations: Annotations) -> None:
    if trainer.num_annotators not in (None, annotations.num_annotators):
        raise ValueError(
            f"`answers` must be those of num_annotators={trainer.num_annotators} annotators. "
            f"Received: {annotations.num_annotators}"
        )


def _answers_to_tokens(answers: Any) -> np.ndarray:
    shape = np.shape(answers)
    if len(shape) not in (3, 4):
        raise ValueError(
            "`answers` must be integers (items, time, annotators), or soft answers with the classes as last axis, "
            f"for a classifier of output (batch, time, classes). Received: {type(answers).__name__} of shape {shape}"
        )
    return np.asarray(answers)


def checked_gold(gold: Any, annotations: Annotations, shape: tuple[int, ...]) -> np.ndarray:
    """Class codes of all items `(items,)`, or tokens, `-1` where unknown."""
    if gold is None:
        return np.full(annotations.num_items, MISSING)
    if gold.shape != shape or gold.dtype.kind not in "iu":
        raise ValueError(
            f"`gold` must be class codes of shape {shape}, -1 where unknown. "
            f"Received: shape {gold.shape}, dtype {gold.dtype}"
        )
    if np.any(gold >= annotations.num_classes):
        raise ValueError(
            f"`gold` must be class codes 0 to {annotations.num_classes - 1}, -1 where unknown. "
            f"Received: {gold.max()}"
        )
    return gold.reshape(-1)


def checked_numbers(gold: Any, annotations: Annotations) -> np.ndarray:
    """True numbers `(items,)`, `NaN` where unknown."""
    if gold is None:
        return np.full(annotations.num_items, np.nan)
    numbers = np.asarray(rows_by_id("gold", gold, annotations))
    if numbers.shape != (annotations.num_items,) or numbers.dtype.kind != "f" or np.isinf(numbers).any():
        raise ValueError(
            f"`gold` must be {annotations.num_items} floats, NaN where unknown. "
            f"Received: shape {numbers.shape}, dtype {numbers.dtype}"
        )
    return numbers.astype(float)
