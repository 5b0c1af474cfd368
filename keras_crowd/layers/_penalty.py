"""A regularizer whose weight is a variable, so that it rises, and schedules change it, without a retrace."""

from typing import Any

import keras
import numpy as np
from keras import ops as kops

from .. import ops
from .._typing import DType, Tensor

_SURE = 1e-4  # share of sure items in a Gram matrix that is nearly singular


class Penalty(keras.layers.Layer):
    """Penalty of a regularizer on class probabilities or on parameters of annotators, times a variable weight.

    The weight rises linearly from 0 in the first `ramp_steps` calls, one per training step, if the regularizer has
    `ramp_steps`; `scale` ends that ramp.

    Args:
        regularizer: A Keras regularizer, or one of `keras_crowd.regularizers`.
        **kwargs: `name` and `dtype`, as for every Keras layer.
    """

    def __init__(self, regularizer: keras.regularizers.Regularizer, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.regularizer = regularizer
        self.weight = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(self.full_weight),
            trainable=False,
            name="weight",
        )
        self.ramp_steps = getattr(regularizer, "ramp_steps", 0)
        self.step = self.add_weight(shape=(), initializer="zeros", trainable=False, name="step")
        self.built = True

    @property
    def full_weight(self) -> float:
        """The weight that the regularizer was given; 1 for one of Keras's own."""
        return getattr(self.regularizer, "weight", 1.0)

    def scale(self, factor: float) -> None:
        """Sets the weight to that part of the full weight, and ends the ramp."""
        self.weight.assign(factor * self.full_weight)
        self.step.assign(self.ramp_steps)

    def adapt(self, shares: np.ndarray) -> None:
        """Takes the share of each class, `(classes,)`, which is nothing to a penalty that is given."""

    def permute_classes(self, order: Tensor) -> None:
        """Makes class `k` what `order[k]` was, in what is kept between batches: nothing."""

    def __call__(self, x: Tensor) -> Tensor:
        """The weighed penalty of `x`, a scalar. Not a call of a Keras layer, since nothing is fed forward."""
        return self._risen() * self.weight * self._unweighed(x)

    def _risen(self) -> Tensor | float:
        """Counts the step; returns how far the ramp has come, in [0, 1]."""
        if not self.ramp_steps:
            return 1.0
        risen = self.step / self.ramp_steps  # before the step is counted, in place under PyTorch
        self.step.assign(kops.minimum(self.step + 1.0, self.ramp_steps))
        return risen

    def _unweighed(self, x: Tensor) -> Tensor:
        if hasattr(self.regularizer, "penalty"):
            return self.regularizer.penalty(x)
        return self.regularizer(x)


def penalty_of(
    regularizer: keras.regularizers.Regularizer, num_classes: int | None, name: str, dtype: DType
) -> Penalty:
    """The penalty of a regularizer, over several batches where it has `momentum` and is of class probabilities."""
    kwargs: dict[str, Any] = {"name": f"{name}_penalty", "dtype": dtype}
    if num_classes is not None and getattr(regularizer, "momentum", False):
        return RunningGramPenalty(regularizer, num_classes, **kwargs)
    return Penalty(regularizer, **kwargs)


class RunningGramPenalty(Penalty):
    """A penalty on the Gram matrix of the class probabilities, averaged over batches.

    Args:
        regularizer: A regularizer with `momentum`, `running_gram` and `gram_penalty`.
        num_classes: Integer. Number of classes.
        **kwargs: `name` and `dtype`, as for every Keras layer.
    """

    def __init__(
        self, regularizer: keras.regularizers.Regularizer, num_classes: int, **kwargs: object
    ) -> None:
        super().__init__(regularizer, **kwargs)
        self.gram = self.add_weight(
            shape=(num_classes, num_classes),
            initializer=self._start(num_classes),
            trainable=False,
            name="gram",
        )

    def _start(self, num_classes: int) -> keras.initializers.Initializer:
        """Items that are sure; with a bound items that are not, so that the penalty waits for the batches."""
        sure = np.eye(num_classes) / num_classes
        if getattr(self.regularizer, "bound", None) is None:
            return keras.initializers.Constant(sure)
        return keras.initializers.Constant(_SURE * sure + (1 - _SURE) / num_classes**2)

    def permute_classes(self, order: Tensor) -> None:
        gram = kops.convert_to_numpy(self.gram)
        self.gram.assign(gram[order][:, order])

    def _unweighed(self, f: Tensor) -> Tensor:
        average, present = self.regularizer.running_gram(self.gram, f)
        self.gram.assign(average)
        return self.regularizer.gram_penalty(present, ops.num_rows(f))
