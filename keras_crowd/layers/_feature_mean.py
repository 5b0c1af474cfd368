"""The mean of the features of the items, as seen in training."""

from typing import Any

import keras
from keras import ops as kops

from .._typing import Tensor

_KEPT = 0.99  # of the mean, in each step


class FeatureMean(keras.layers.Layer):
    """Averages the features of the batches of training, the latest ones most.

    Args:
        num_features: Integer. Number of features.
        **kwargs: `name` and `dtype`, as for every Keras layer.
    """

    def __init__(self, num_features: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.total = self.add_weight(
            shape=(num_features,), initializer="zeros", trainable=False, name="total"
        )
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")
        self.built = True

    def see(self, features: Tensor, mask: Tensor | None = None) -> None:
        """Takes the features of a batch, `(batch, ..., num_features)`, of real tokens alone if there is a mask."""
        axes = tuple(range(len(features.shape) - 1))
        real = kops.ones_like(features[..., :1])
        if mask is not None:
            real = real * kops.cast(kops.expand_dims(mask, -1), real.dtype)
        mean = kops.sum(features * real, axis=axes) / kops.maximum(kops.sum(real), 1.0)
        self.total.assign(_KEPT * self.total + (1 - _KEPT) * mean)
        self.seen.assign(_KEPT * self.seen + (1 - _KEPT))

    def mean(self) -> Tensor:
        """The mean, `(num_features,)`; zeros before training."""
        return self.total / kops.maximum(self.seen, 1 - _KEPT)

    def rows(self, features: Tensor | None) -> Tensor:
        """Features of items, `(items, num_features)`, as given, or the mean as those of one."""
        if features is None:
            return kops.expand_dims(self.mean(), 0)
        features, num_features = kops.convert_to_tensor(features, self.compute_dtype), self.total.shape[0]
        if len(features.shape) != 2 or features.shape[-1] != num_features:
            raise ValueError(
                f"`features` must have shape (items, {num_features}). Received: shape {tuple(features.shape)}"
            )
        return features
