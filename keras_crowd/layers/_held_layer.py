"""What all crowd layers have in common: their parameters can be held still, and are no coarser than float32."""

from typing import Any

import keras


class HeldLayer(keras.layers.Layer):
    """A layer whose annotators `CrowdFreeze` holds still and releases by the variable `released`. Abstract.

    `released` is not saved: what is loaded is never held.
    """

    released: Any

    def __init__(self, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(dtype=wide_enough(dtype), **kwargs)

    def _add_released(self) -> None:
        self.released = self.add_weight(shape=(), initializer="ones", trainable=False, name="released")

    def save_own_variables(self, store: Any) -> None:
        for i, variable in enumerate(self._saved()):
            store[f"{i}"] = variable

    def load_own_variables(self, store: Any) -> None:
        saved, found = self._saved(), len(store.keys())
        if found != len(saved):
            raise ValueError(
                f"{self.name!r} must have {len(saved)} variables. Received: {found} in the file"
            )
        for i, variable in enumerate(saved):
            variable.assign(store[f"{i}"])

    def _saved(self) -> list[Any]:
        return [variable for variable in self.weights if variable is not self.released]


def wide_enough(dtype: Any) -> Any:
    """The policy of a layer, by default the variable dtype of the global one; float16 is too narrow."""
    if dtype is None:
        default = keras.config.dtype_policy().variable_dtype
        return "float32" if default == "float16" else default
    if getattr(keras.dtype_policies.get(dtype), "compute_dtype", None) == "float16":
        raise ValueError(
            "`dtype` must not compute in float16, which cannot hold the logarithms of small probabilities: leave it "
            f"out for float32. Received: dtype={dtype!r}"
        )
    return dtype
