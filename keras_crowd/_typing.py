"""Names for what functions take and give, where Keras and NumPy have many types for one thing."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A tensor of the backend, a `KerasTensor`, a variable, or a NumPy array."""

Shape: TypeAlias = Sequence[int | None]
"""The shape of a tensor; `None` where an axis is not known beforehand."""

Features: TypeAlias = Any
"""The features of all items: an array, or a list or dict of arrays for several inputs."""

Answers: TypeAlias = Any
"""The answers of a crowd: `Annotations`, or an array as one of its forms."""

Config: TypeAlias = dict[str, Any]
"""What `get_config` gives."""

Initializer: TypeAlias = Any
"""A `keras.initializers.Initializer`, its name, its config, or a function of shape and dtype."""

Regularizer: TypeAlias = Any
"""A `keras.regularizers.Regularizer`, its name, its config, or a function of a tensor."""

DType: TypeAlias = Any
"""The name of a dtype, a `keras.DTypePolicy`, or `None` for the default."""

Rows: TypeAlias = Mapping[str, Tensor]
"""Parameters by name, with a row per annotator `(R, ...)`, or per slot `(batch, slots, ...)`."""
