"""Starts for the parameters of annotators."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops as kops

from ._arguments import array_of_numbers, number
from ._registration import register
from ._typing import DType, Tensor


@register
class CrowdIdentity(keras.initializers.Initializer):
    """Every annotator starts by repeating the classifier: `scale` times the identity.

    A kernel `(annotators, classes, classes)` becomes `scale * I` for each annotator; weights
    `(annotators, classes)` or `(annotators, 1)` all become `scale`.

    Args:
        scale: Float. With answers `softmax(scale * f)`, larger is a surer annotator. 1.0 is the start of both papers.
            `CrowdsClassification(initial_accuracy=...)` computes it from a probability. Defaults to 1.0.

    Example:

    >>> layer = keras_crowd.layers.CrowdsClassification(
    ...     num_annotators=3, kernel_initializer=keras_crowd.initializers.CrowdIdentity(scale=5.0))
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = number("scale", scale)

    def __call__(self, shape: Sequence[int], dtype: DType = None) -> Tensor:
        if len(shape) != 3:
            return kops.full(shape, self.scale, dtype=dtype)
        one = self.scale * kops.eye(shape[-1], dtype=dtype)
        return kops.tile(kops.expand_dims(one, 0), (shape[0], 1, 1))

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale}


@register
class FromConfusion(keras.initializers.Initializer):
    """Annotators start with given confusions: a kernel of `"MW"` or `"CM"` whose answers are just those.

    Args:
        confusion: `(annotators, true, answer)`, positive, rows summing to 1, as from `keras_crowd.warm_start`.

    Example:

    >>> confusion = keras_crowd.warm_start.from_accuracy(0.8, num_classes=10, num_annotators=3)
    >>> layer = keras_crowd.layers.CrowdsClassification(
    ...     num_annotators=3, kernel_initializer=keras_crowd.initializers.FromConfusion(confusion))
    """

    def __init__(self, confusion: npt.ArrayLike) -> None:
        self.confusion = array_of_numbers("confusion", confusion)
        if self.confusion.ndim != 3 or not np.all(self.confusion > 0):
            raise ValueError(
                "`confusion` must be positive, of shape (annotators, true, answer). "
                f"Received: shape {self.confusion.shape}, lowest entry {self.confusion.min(initial=1):.3g}"
            )

    def __call__(self, shape: Sequence[int], dtype: DType = None) -> Tensor:
        if tuple(shape) != self.confusion.shape:
            raise ValueError(
                f"`confusion` must have the kernel's shape {tuple(shape)}. Received: {self.confusion.shape}"
            )
        kernel = np.log(self.confusion)
        return kops.convert_to_tensor(kernel - kernel.mean(axis=-1, keepdims=True), dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        return {"confusion": self.confusion.tolist()}


@register
class PerAnnotator(keras.initializers.Initializer):
    """Starts every annotator with a number of its own: scales or biases of `CrowdsRegression`.

    Args:
        values: `(annotators,)`, the same for all targets, or `(annotators, targets)`.

    Example:

    >>> start = keras_crowd.aggregation.raykar([[1.0, 3.0], [2.0, 4.0]])
    >>> layer = keras_crowd.layers.CrowdsRegression(
    ...     num_annotators=2, bias_initializer=keras_crowd.initializers.PerAnnotator(start.bias))
    """

    def __init__(self, values: npt.ArrayLike) -> None:
        self.values = array_of_numbers("values", values)
        if self.values.ndim not in (1, 2) or not np.all(np.isfinite(self.values)):
            raise ValueError(
                "`values` must be finite, of shape (annotators,) or (annotators, targets). "
                f"Received: shape {self.values.shape}, {int(np.sum(~np.isfinite(self.values)))} not finite"
            )

    def __call__(self, shape: Sequence[int], dtype: DType = None) -> Tensor:
        values = self.values[:, None] if self.values.ndim == 1 else self.values
        if len(shape) != 2 or values.shape[0] != shape[0] or values.shape[1] not in (1, shape[1]):
            raise ValueError(
                f"`values` must be of {shape[0]} annotators, for a parameter of shape {tuple(shape)}. "
                f"Received: shape {self.values.shape}"
            )
        return kops.convert_to_tensor(np.broadcast_to(values, tuple(shape)).copy(), dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        return {"values": self.values.tolist()}


def __dir__() -> list[str]:
    return ["CrowdIdentity", "FromConfusion", "PerAnnotator"]
