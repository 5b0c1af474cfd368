"""Starts for the parameters of annotators."""

from typing import Any

import keras
from keras import ops

from ._registration import register


@register
class CrowdIdentity(keras.initializers.Initializer):
    """Every annotator starts by repeating the classifier: `scale` times the identity.

    A kernel `(annotators, classes, classes)` becomes `scale * I` for each annotator; weights
    `(annotators, classes)` or `(annotators, 1)` all become `scale`.

    Args:
        scale: With answers `softmax(scale * f)`, larger is a surer annotator. 1.0 is the start of both
            papers. `CrowdsClassification(initial_accuracy=...)` computes it from a probability.

    Example:

    >>> layer = keras_crowd.layers.CrowdsClassification(
    ...     num_annotators=3, kernel_initializer=keras_crowd.initializers.CrowdIdentity(scale=5.0))
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        start = ops.eye(shape[-1], dtype=dtype) if len(shape) == 3 else ops.ones((), dtype=dtype)
        return self.scale * start * ops.ones(shape, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale}
