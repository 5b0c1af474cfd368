"""Counts of the classes that a classifier predicts in training, and a warning of those that vanish."""

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops as kops

from .._typing import Tensor

_FEWEST_EXPECTED = 20.0  # predictions of a class in an epoch, below which none says little
_EPOCHS_WITHOUT = 2
_FIRST_EPOCHS = 4  # in which a classifier still learns to tell the classes apart


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
    """Counts the classes predicted in training, and warns of a class that no item had in two epochs in a row.

    The first four epochs do not count, nor do classes that are too rare for an epoch to show them.

    Args:
        num_classes: Integer. Number of classes.
        **kwargs: `name` and `dtype`, as for every Keras layer.
    """

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.predicted = self.add_weight(
            shape=(num_classes,), initializer="zeros", trainable=False, name="predicted"
        )
        self.shares: np.ndarray | None = None
        """Share of each class in the answers, if it is known."""
        self.forget()
        self.epoch_start = EpochStart(self._look, f"{self.name}_epoch_start")
        self.built = True

    def forget(self) -> None:
        """Forgets earlier epochs, for another training of the same model."""
        self._epochs = 0
        self._without = np.zeros(self.predicted.shape, int)

    def count(self, f: Tensor, mask: Tensor | None = None) -> None:
        """Counts the likeliest classes of probabilities `(batch, ..., K)`, of real tokens alone if there is a mask."""
        chosen = kops.one_hot(kops.argmax(f, axis=-1), f.shape[-1], dtype=self.predicted.dtype)
        if mask is not None:
            chosen = chosen * kops.cast(kops.expand_dims(mask, -1), chosen.dtype)
        self.predicted.assign_add(kops.sum(chosen, axis=tuple(range(len(f.shape) - 1))))

    def _look(self) -> None:
        predicted = kops.convert_to_numpy(self.predicted)
        if not predicted.any():
            return
        self.predicted.assign(np.zeros_like(predicted))
        self._epochs += 1
        shares = np.full(len(predicted), 1 / len(predicted)) if self.shares is None else self.shares
        missed = (
            (predicted == 0)
            & (shares * predicted.sum() >= _FEWEST_EXPECTED)
            & (self._epochs > _FIRST_EPOCHS)
        )
        self._without = np.where(missed, self._without + 1, 0)
        lost = np.flatnonzero(self._without == _EPOCHS_WITHOUT)
        if len(lost):
            warnings.warn(self._message(lost), RuntimeWarning, stacklevel=2)

    def _message(self, lost: np.ndarray) -> str:
        if self.shares is None:
            used = "If the answers use them"
        else:
            used = f"The answers use them (shares {self.shares[lost].round(3).tolist()})"
        return (
            f"Classes vanished from the classifier's predictions: no item had class {lost.tolist()} in the last "
            f"{_EPOCHS_WITHOUT} epochs. {used}: start the crowd layer by `crowd.adapt(answers)`, train longer, or give "
            "its regularizers less weight."
        )
