"""Checks of what `EMTrainer` is given."""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np

from .._typing import Regularizer
from ..models import own_training
from ._problem import Problem


def check_types(classifier: keras.Model, problem: type[Problem] | None) -> None:
    """Refuses a classifier that is no Keras model, and a problem that is no `Problem`."""
    if not isinstance(classifier, keras.Model):
        raise ValueError(f"`classifier` must be a Keras model. Received: {type(classifier).__name__}")
    if problem is not None and not (
        isinstance(problem, type) and issubclass(problem, Problem) and problem is not Problem
    ):
        raise ValueError(
            f"`problem` must be a subclass of `keras_crowd.em.Problem`. Received: problem={problem!r}"
        )


def checked_answer_weight(value: Any) -> float | Literal["auto"]:
    """A number in (0, 1], or `"auto"`."""
    if isinstance(value, str) and value == "auto":
        return "auto"
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not is_number or not 0 < value <= 1:
        raise ValueError(
            f'`answer_weight` must be a number in (0, 1] or "auto". Received: answer_weight={value!r}'
        )
    return float(value)


def checked_regularizer(value: Regularizer) -> Any:
    """A regularizer that needs nothing of the batches before."""
    regularizer = keras.regularizers.get(value)
    if getattr(regularizer, "momentum", 0):
        raise ValueError(
            "`classifier_regularizer` must have no momentum here, which needs a crowd layer to keep it. "
            f"Received: momentum={regularizer.momentum}"
        )
    return regularizer


def check_regularizable(kind: type[Problem], model: keras.Model, weight: str | None) -> None:
    """Refuses what has no class probabilities of items, or a training of its own that passes over penalties."""
    own = own_training(model)
    if not own and kind.has_item_classes:
        return
    name = "classifier_regularizer" if weight is None else f'answer_weight="{weight}"'
    received = f"{type(model).__name__} with its own `{own[0]}`" if own else kind.__name__
    raise ValueError(
        f"`{name}` is for a classifier of items, (batch, classes), that Keras's own `train_step` trains. "
        f"Received: {received}"
    )
