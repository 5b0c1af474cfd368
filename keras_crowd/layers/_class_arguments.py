"""Checks of the arguments of crowd layers of classes."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from .._arguments import number
from .._typing import Config, Initializer, Regularizer
from ..regularizers import ClassifierLogDet, ConfusionLogDet, ConfusionTrace
from .connections import ClassConnection


def classifier_penalty(regularizer: Regularizer) -> Any:
    """The Keras regularizer of that name or config; `"auto"` as it is."""
    return regularizer if regularizer == "auto" else keras.regularizers.get(regularizer)


def serialized_penalty(regularizer: Regularizer) -> Config | str | None:
    """Config from which `classifier_penalty` makes the regularizer again."""
    return regularizer if regularizer == "auto" else keras.regularizers.serialize(regularizer)


def checked_confusion(confusion: npt.ArrayLike, num_annotators: int, num_classes: int) -> np.ndarray:
    """The argument `confusion`, of the shape that the layer has."""
    confusion = np.asarray(confusion, float)
    shape = (num_annotators, num_classes, num_classes)
    if confusion.shape != shape:
        raise ValueError(f"`confusion` must have shape {shape}. Received: {confusion.shape}")
    return confusion


def check_start(
    connection: ClassConnection, initial_accuracy: float | None, kernel_initializer: Initializer
) -> None:
    """Refuses an accuracy to start from where there is no kernel, or another start of it."""
    if initial_accuracy is None:
        return
    if "kernel" not in connection.parameters(2) or kernel_initializer is not None:
        raise ValueError(
            "`initial_accuracy` sets the start of the kernel: leave it out for connections without one, as "
            '"VB", "prototypes" and "CoNAL", or with `kernel_initializer`. '
            f"Received: initial_accuracy={initial_accuracy}"
        )
    number("initial_accuracy", initial_accuracy, above=0, below=1)


def check_regularizers(classifier_regularizer: Regularizer, confusion_regularizer: Regularizer) -> None:
    """Refuses a penalty that is given to what it is not of."""
    if isinstance(classifier_regularizer, ConfusionLogDet | ConfusionTrace):
        raise ValueError(
            "`classifier_regularizer` must be a penalty on class probabilities, as `ClassifierLogDet`; give this as "
            f"`confusion_regularizer=`. Received: {type(classifier_regularizer).__name__}"
        )
    if isinstance(confusion_regularizer, ClassifierLogDet):
        raise ValueError(
            "`confusion_regularizer` must be a penalty on confusions, as `ConfusionLogDet`; give this one as "
            "`classifier_regularizer=`. Received: ClassifierLogDet"
        )


def check_confusion_regularizer(
    regularizer: Regularizer, connection: ClassConnection, max_batch_slots: int | None
) -> None:
    """Refuses a penalty on confusions where there are none, or only those of a batch."""
    if regularizer is None:
        return
    if not connection.is_confusion:
        raise ValueError(
            f'`confusion_regularizer` must go with conn_type="CM". Received: conn_type={connection.name!r}'
        )
    if max_batch_slots is not None:
        raise ValueError(
            "`confusion_regularizer` is over all annotators and cannot go with `max_batch_slots`. "
            f"Received: {regularizer!r}"
        )
