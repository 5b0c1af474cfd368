"""`RegularizerSchedule`: penalties that rise, and may fall again."""

from collections.abc import Callable
from typing import Any

import keras

from .._arguments import number
from ..layers import CrowdLayer
from ._classifier import check_crowd
from ._epochs import as_epochs


class RegularizerSchedule(keras.callbacks.Callback):
    """Raises the weights of a crowd layer's penalties over the epochs, from 0 to those of its regularizers.

    It replaces the ramp of the penalties themselves (`ramp_steps` in `keras_crowd.regularizers`).

    Penalties with their full weight from the first step can settle on a wrong permutation of the classes before the
    classifier has learned anything. The weights are variables of the layer, so nothing is traced again. The loss that
    `fit` shows contains the penalties, and may rise while their weights do.

    Args:
        crowd: The crowd layer. Without a regularizer there is nothing to raise.
        warm_up: Float. Number of epochs without penalty; below 1, a share of all epochs. Defaults to 0.0.
        ramp: Float. Number of epochs over which the weights rise linearly; below 1, a share. Defaults to 0.5.
        decay: Float. Number of epochs at the end over which the weights fall linearly; below 1, a share. A penalty is
            needed to find the classes, but not to keep them. Defaults to none.
        final: Float. Share of the weights that remains in the last epoch of the decay. Defaults to 0.0.
        schedule: In place of all these: a function from the epoch to the factor of the weights. Defaults to `None`.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(
    ...     num_annotators=5, classifier_regularizer=keras_crowd.regularizers.ClassifierLogDet(1.0))
    >>> schedule = keras_crowd.callbacks.RegularizerSchedule(crowd, ramp=0.5)
    """

    def __init__(
        self,
        crowd: CrowdLayer,
        *,
        warm_up: float = 0.0,
        ramp: float = 0.5,
        decay: float = 0.0,
        final: float = 0.0,
        schedule: Callable[[int], float] | None = None,
    ) -> None:
        super().__init__()
        if schedule is not None and not callable(schedule):
            raise ValueError(f"`schedule` must be a function of the epoch. Received: schedule={schedule!r}")
        self.crowd = check_crowd(crowd)
        self.warm_up = number("warm_up", warm_up, at_least=0)
        self.ramp = number("ramp", ramp, at_least=0)
        self.decay = number("decay", decay, at_least=0)
        self.final = number("final", final, at_least=0)
        self.schedule = schedule

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        factor = self._linear(epoch) if self.schedule is None else self.schedule(epoch)
        for penalty in self.crowd.penalties.values():
            penalty.scale(factor)

    def _linear(self, epoch: int) -> float:
        epochs = self.params.get("epochs", 1)
        warm_up, ramp, decay = (as_epochs(n, epochs) for n in (self.warm_up, self.ramp, self.decay))
        rise = min(max(epoch - warm_up, 0.0) / ramp, 1.0) if ramp else float(epoch >= warm_up)
        left = min((epochs - 1 - epoch) / decay, 1.0) if decay else 1.0
        return rise * (self.final + (1.0 - self.final) * left)
