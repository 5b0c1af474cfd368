"""The dtype policy of layers that compute in logarithms."""

import keras

from .._typing import DType


def wide_enough(dtype: DType) -> DType:
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
