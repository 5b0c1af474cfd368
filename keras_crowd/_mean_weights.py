"""The weights of a training's last epochs, averaged."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops as kops

SHARE = 0.2


class MeanWeights(keras.callbacks.Callback):
    """Gives variables, when training ends, the mean of their values after each of the last fifth of the epochs.

    At a constant learning rate the weights wander about a minimum; their mean is nearer to it. Trainings of five
    epochs or fewer end with their last weights.

    Args:
        variables: Those to average; others than floats are left as they are.

    Attributes:
        count: Integer. Epochs averaged so far.
        mean: Of each variable, over these.

    Reference:
        P. Izmailov, D. Podoprikhin, T. Garipov, D. Vetrov, A. G. Wilson, "Averaging weights leads to wider optima and
        better generalization", UAI 2018, at a constant learning rate.
    """

    def __init__(self, variables: Sequence[keras.Variable]) -> None:
        super().__init__()
        self._variables = [v for v in variables if keras.backend.is_float_dtype(v.dtype)]
        self.count = 0
        self.mean: list[np.ndarray] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.count, self.mean = 0, []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch < self.params["epochs"] * (1 - SHARE):
            return
        self.count += 1
        values = [np.array(kops.convert_to_numpy(kops.cast(v, "float32"))) for v in self._variables]
        mean = self.mean or values
        self.mean = [m + (value - m) / self.count for m, value in zip(mean, values, strict=True)]

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.mean:
            for variable, mean in zip(self._variables, self.mean, strict=True):
                variable.assign(kops.cast(mean, variable.dtype))
