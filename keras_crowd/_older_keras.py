"""Stand-ins for what older releases of Keras, from 3.10 on, lack."""

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops as kops

from ._registration import register
from ._typing import LearningRate, Tensor


def add_at(inputs: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """Adds `updates` `(N, ...)` to `inputs` `(R, ...)` at the rows `indices` `(N,)`, which may repeat.

    Its cost follows N where `keras.ops.scatter_update` takes a `reduction`, and R + N before.
    """
    if "reduction" in inspect.signature(kops.scatter_update).parameters:
        return kops.scatter_update(inputs, kops.expand_dims(indices, -1), updates, reduction="add")
    return inputs + kops.segment_sum(updates, indices, num_segments=inputs.shape[0])


def several_optimizers(
    optimizer: keras.optimizers.Optimizer, matching: dict[str, keras.optimizers.Optimizer]
) -> keras.optimizers.Optimizer:
    """One optimizer of several: those of `matching` have the variables of matching paths, `optimizer` all others."""
    if hasattr(keras.optimizers, "MultiOptimizer"):
        return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(optimizer, matching))
    for pattern, other in matching.items():
        optimizer = TwoOptimizers(optimizer, other, pattern)
    return optimizer


@register
class TwoOptimizers(keras.optimizers.Optimizer):
    """Gives the variables whose path matches a pattern to one optimizer, and all others to another.

    It does what is needed here of `keras.optimizers.MultiOptimizer`, which came with Keras 3.15.

    Args:
        optimizer: A Keras optimizer.
        matching: A Keras optimizer for the variables whose path matches `pattern`.
        pattern: String. Regular expression for a whole path.
        name: Name of the optimizer. Defaults to `"two_optimizers"`.
        **kwargs: `loss_scale_factor`, as in any Keras optimizer.
    """

    def __init__(
        self,
        optimizer: keras.optimizers.Optimizer,
        matching: keras.optimizers.Optimizer,
        pattern: str,
        name: str = "two_optimizers",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=0.0, name=name, **kwargs)
        self.optimizer, self.matching, self.pattern = optimizer, matching, pattern

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        return [self.optimizer, self.matching]

    @property
    def variables(self) -> list[keras.Variable]:
        return [*super().variables, *self.optimizer.variables, *self.matching.variables]

    @property
    def learning_rate(self) -> Any:
        raise AttributeError("Two optimizers have two learning rates: read or set those of `optimizers`.")

    @learning_rate.setter
    def learning_rate(self, value: LearningRate) -> None:
        raise AttributeError(
            f"Two optimizers have two learning rates: set those of `optimizers`. Received: {value}"
        )

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        self._matches = [bool(re.fullmatch(self.pattern, variable.path)) for variable in variables]
        for optimizer, indices in self._parts():
            optimizer.build([variables[i] for i in indices])
        super().build(variables)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Tensor] | None = None) -> None:
        if trainable_variables is None:
            trainable_variables = self._trainable_variables
        self.build(trainable_variables)
        for optimizer, indices in self._parts():
            optimizer.apply([grads[i] for i in indices], [trainable_variables[i] for i in indices])
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[keras.Variable]) -> None:
        for optimizer, indices in self._parts():
            optimizer.finalize_variable_values([var_list[i] for i in indices])

    def set_weights(self, weights: Sequence[Any]) -> None:
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            "optimizer": serialize(self.optimizer),
            "matching": serialize(self.matching),
            "pattern": self.pattern,
            "name": self.name,
            "loss_scale_factor": self.loss_scale_factor,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "TwoOptimizers":
        load = keras.saving.deserialize_keras_object
        parts = {key: load(config[key], custom_objects) for key in ("optimizer", "matching")}
        return cls(**{**config, **parts})

    def _parts(self) -> list[tuple[keras.optimizers.Optimizer, list[int]]]:
        """Each optimizer with the places of its variables; without those that have none."""
        places: list[list[int]] = [[], []]
        for i, matches in enumerate(self._matches):
            places[matches].append(i)
        return [(optimizer, p) for optimizer, p in zip(self.optimizers, places, strict=True) if p]
