"""Names for what functions take and give, where Keras and NumPy have many types for one thing.

Those that are `Any` have no type in Keras either: its tensors are those of three libraries.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

if TYPE_CHECKING:
    import keras

Tensor: TypeAlias = Any
"""A tensor of the backend, a `KerasTensor`, a variable, or a NumPy array."""

Shape: TypeAlias = Sequence[int | None]
"""The shape of a tensor; `None` where an axis is not known beforehand."""

Features: TypeAlias = Any
"""The features of all items: an array, or a list or dict of arrays for several inputs; or a data set of batches."""

Tensors: TypeAlias = Any
"""A tensor, or a list, tuple or dict of tensors, as models take and give them."""

Config: TypeAlias = dict[str, Any]
"""What `get_config` gives."""

Initializer: TypeAlias = Callable[..., Tensor] | str | Config | None
"""A `keras.initializers.Initializer`, its name, its config, or a function of shape and dtype."""

Regularizer: TypeAlias = Callable[[Tensor], Tensor] | str | Config | None
"""A `keras.regularizers.Regularizer`, its name, its config, or a function of a tensor."""

DType: TypeAlias = Union[str, "keras.DTypePolicy", None]
"""The name of a dtype, a `keras.DTypePolicy`, or `None` for the default."""

LearningRate: TypeAlias = float | Callable[..., Tensor]
"""A number, a `keras.optimizers.schedules.LearningRateSchedule`, or another function."""

Optimizer: TypeAlias = Union[str, Config, "keras.optimizers.Optimizer"]
"""A `keras.optimizers.Optimizer`, its name, or its config."""

Loss: TypeAlias = Union[str, Callable[..., Tensor], "keras.losses.Loss", None]
"""A `keras.losses.Loss`, its name, or a function of targets and predictions; `None` for none."""

Rows: TypeAlias = Mapping[str, Tensor]
"""Parameters by name, with a row per annotator `(R, ...)`, or per slot `(batch, slots, ...)`."""
