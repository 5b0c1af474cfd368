"""`LazyAdam`: steps that touch the annotators of the batch, and no others."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops as kops

from .. import ops
from .._registration import register
from .._typing import LearningRate, Tensor

_NOT_FOR_ROWS = (
    "weight_decay",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
    "gradient_accumulation_steps",
)


@register
class LazyAdam(keras.optimizers.Optimizer):
    """Adam for a crowd layer on slots, whose cost depends on the answers of the batch, not on all annotators.

    The parameters and moments of annotators who stand in a slot of the batch make just the step of
    `keras.optimizers.Adam`, the number of steps in its bias correction being that of all batches. Those of other
    annotators stay as they are, whereas Adam would decay their moments and move them on. If every annotator is in every
    batch, both are the same.

    For layers with `max_batch_slots`; `keras_crowd.optimizers.crowd_optimizer` takes it for them. Memory is that
    of Adam, and one number per annotator. Nothing as large as all parameters is computed where XLA compiles the
    step (JAX, or TensorFlow with `jit_compile=True`); elsewhere steps are the same, and cost more than those of
    Adam, and so do they where `keras.ops.scatter_update` takes no `reduction` (before Keras 3.14). For one device.

    Args:
        learning_rate: A number or a schedule. Defaults to 0.001.
        beta_1: Float. Decay of the first moment. Defaults to 0.9.
        beta_2: Float. Decay of the second moment. Defaults to 0.999.
        epsilon: Float. Added to the root of the second moment. Defaults to 1e-07.
        name: Name of the optimizer. Defaults to `"lazy_adam"`.
        **kwargs: What configs of optimizers hold. Weight decay, clipping, averages and accumulated gradients
            are refused: they belong to all annotators.

    Example:

    >>> optimizer = keras_crowd.optimizers.LazyAdam(learning_rate=1e-2)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str = "lazy_adam",
        **kwargs: Any,
    ) -> None:
        for argument in _NOT_FOR_ROWS:
            if kwargs.get(argument):
                raise ValueError(
                    f"`{argument}` is not for `LazyAdam`, the optimizer of crowd layers with `max_batch_slots`. "
                    f"Received: {argument}={kwargs[argument]}"
                )
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self._slots: Any = ()

    def build(self, variables: Sequence[Tensor]) -> None:
        if self.built:
            return
        super().build(variables)
        by_path = {variable.path: variable for variable in variables}
        tables = {
            path: by_path.get(path.removesuffix(ops.SLOT_GRADIENTS))
            for path in by_path
            if path.endswith(ops.SLOT_GRADIENTS)
        }
        ids = [path for path in tables if path.endswith(ops.SLOT_IDS + ops.SLOT_GRADIENTS)]
        found: Any = [table for path, table in tables.items() if path not in ids]
        if len(ids) != 1 or any(table is None for table in found) or len(by_path) != 1 + 2 * len(found):
            raise ValueError(
                "`LazyAdam` must have the variables of a crowd layer with `max_batch_slots` and no others, as "
                "`crowd_optimizer` gives it. "
                f"Received: {', '.join(by_path)}"
            )
        num_annotators = found[0].shape[0]
        by_index = [tables.get(path) for path in by_path]
        # A list of them Keras would take for variables of the optimizer.
        self._parameter = by_index.__getitem__
        self._ids = list(by_path).index(ids[0])
        # Not of integers, which TensorFlow keeps on the host.
        self._owners = self.add_variable((num_annotators + 1,), dtype="float32", name="owners")
        self._moments: Any = [self._moments_of(parameter) for parameter in by_index]

    def apply(self, grads: Sequence[Tensor], trainable_variables: Sequence[Tensor] | None = None) -> None:
        super().apply(grads, trainable_variables)
        self._slots = ()  # may be tracers

    def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: LearningRate) -> None:
        index = self._get_variable_index(variable)
        if index == self._ids:  # comes before the rows
            *self._slots, owners = ops.slot_owners(gradient, self._owners)
            self.assign(self._owners, owners)
            return
        parameter: Any = self._parameter(index)
        if parameter is None:
            return  # its gradient is that of all annotators: XLA leaves out what nobody asks for
        annotators, owner, owning = self._slots
        g = kops.segment_sum(gradient, owner, num_segments=gradient.shape[0])
        step = kops.cast(self.iterations + 1, g.dtype)
        alpha = kops.cast(learning_rate, g.dtype) * kops.sqrt(1.0 - kops.power(self.beta_2, step))
        alpha = alpha / (1.0 - kops.power(self.beta_1, step))
        moments = self._moments[index]
        both = kops.take(moments, annotators, axis=0)
        m, v = both[:, 0], both[:, 1]
        dm, dv = (g - m) * (1.0 - self.beta_1), (kops.square(g) - v) * (1.0 - self.beta_2)
        change = -alpha * (m + dm) / (kops.sqrt(v + dv) + self.epsilon)
        changes = kops.where(kops.expand_dims(owning, 1), kops.stack([dm, dv], axis=1), 0.0)
        self.assign(moments, ops.add_rows(moments, annotators, changes))
        self.assign(parameter, ops.add_rows(parameter, annotators, kops.where(owning, change, 0.0)))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }

    def _moments_of(self, parameter: Tensor) -> Any:
        """Both moments of each annotator, `(R, 2, n)`."""
        if parameter is None:
            return None
        rows, row = parameter.shape
        return self.add_variable((rows, 2, row), dtype=parameter.dtype, name=f"{parameter.name}_moments")
