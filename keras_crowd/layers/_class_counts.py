"""Counts of the classes that a classifier predicts in training."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops as kops

from .._lost_classes import LostClasses
from .._typing import Tensor

_ADVICE = (
    "start the crowd layer by `crowd.adapt(answers)`, train longer, or give its regularizers less weight"
)


class EpochStart(keras.metrics.Metric):
    """Calls a function before each epoch and each evaluation, when Keras resets its metrics. It has no value.

    A metric is the only part of a layer that `fit` calls between epochs, under every backend and outside of
    compiled code.

    Args:
        function: Function without arguments.
        name: Name of the metric.
    """

    def __init__(self, function: Callable[[], None], name: str) -> None:
        super().__init__(name=name)
        self._function = function

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """There is nothing to update."""

    def result(self) -> dict[str, Tensor]:
        return {}

    def reset_state(self) -> None:
        self._function()


class ClassCounts(keras.layers.Layer):
    """Counts the classes predicted in training, and warns of those that vanish.

    Args:
        num_classes: Integer. Number of classes.
        **kwargs: `name` and `dtype`, as for every Keras layer.
    """

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.predicted = self.add_weight(
            shape=(num_classes,), initializer="zeros", trainable=False, name="predicted"
        )
        self.lost = LostClasses(num_classes, _ADVICE)
        self.epoch_start = EpochStart(self._look, f"{self.name}_epoch_start")
        self.built = True

    def count(self, f: Tensor, mask: Tensor | None = None) -> None:
        """Counts the likeliest classes of probabilities `(batch, ..., K)`, of real tokens alone if there is a mask."""
        chosen = kops.one_hot(kops.argmax(f, axis=-1), f.shape[-1], dtype=self.predicted.dtype)
        if mask is not None:
            chosen = chosen * kops.cast(kops.expand_dims(mask, -1), chosen.dtype)
        self.predicted.assign_add(kops.sum(chosen, axis=tuple(range(len(f.shape) - 1))))

    def _look(self) -> None:
        predicted = kops.convert_to_numpy(self.predicted)
        if predicted.any():
            self.predicted.assign(np.zeros_like(predicted))
            self.lost.see(predicted)
