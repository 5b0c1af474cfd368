"""Base of the models whose loss is a likelihood of their own."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops as kops

from .. import ops
from .._arguments import checked_annotator_weights
from .._typing import Features, Tensor, Tensors
from ..layers import CrowdLayer


class _OfReplica(keras.losses.Loss):
    """A loss as it is, over the number of replicas, as Keras has it of its losses: it sums their gradients."""

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return y_pred


def check_confusions(crowd: CrowdLayer) -> None:
    """Refuses a crowd layer that has no confusion matrix per annotator."""
    if not isinstance(crowd, CrowdLayer) or not crowd.has_confusions:
        raise ValueError(
            '`crowd` must be a crowd layer with confusions, as `CrowdsClassification(..., "CM")`. For other answers, '
            "`EMTrainer` maximizes the joint likelihood of all answers to an item. "
            f"Received: {type(crowd).__name__}, conn_type={getattr(crowd, 'conn_type', None)!r}"
        )


def checked_weights(annotator_weights: npt.ArrayLike | None, crowd: CrowdLayer) -> np.ndarray | None:
    """Returns how many independent annotators each one counts for, `(annotators,)`; `None` for 1 each."""
    if annotator_weights is None:
        return None
    return checked_annotator_weights(annotator_weights, crowd.num_annotators)


def weights_of(annotator_weights: np.ndarray | None, annotators: Tensor | None) -> Tensor | None:
    """Returns weights of the annotators, `(R,)`, or of those of the slots, `(batch, S)`; `None` for 1 each."""
    return None if annotator_weights is None else ops.rows_of_weights(annotator_weights, annotators)


def listed(annotator_weights: np.ndarray | None) -> list[float] | None:
    """Returns the weights as a config has them."""
    return None if annotator_weights is None else annotator_weights.tolist()


class LikelihoodModel(keras.Model):
    """A model compiled without a loss: minus a log-likelihood is minimized. Abstract."""

    def likelihood_loss(
        self, x: Features, y: Tensor, y_pred: Tensors, sample_weight: Tensor | None, training: bool
    ) -> Tensor:
        """The loss of a batch, with what is penalized."""
        raise NotImplementedError

    def check_loss(self) -> None:
        """Whether the model was compiled without a loss, if it is compiled."""
        if self.compiled and self.loss is not None:
            raise ValueError(
                f"{type(self).__name__} must be compiled without a loss: it has its own, a likelihood. "
                f"Received: loss={self.loss!r}"
            )

    def compute_loss(
        self,
        x: Features | None = None,
        y: Tensor | None = None,
        y_pred: Tensors | None = None,
        sample_weight: Tensor | None = None,
        training: bool = True,
    ) -> Any:
        self.check_loss()
        loss = self.likelihood_loss(x, y, y_pred, sample_weight, training) + sum(self.losses)
        loss = kops.reshape(loss, (1,))
        return _OfReplica(name="of_replica")(loss, loss)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        parts = {
            name: keras.saving.deserialize_keras_object(part, custom_objects=custom_objects)
            for name, part in config.items()
            if isinstance(part, dict) and "class_name" in part
        }
        return cls(**{**config, **parts})

    def _config_of(self, *parts: str) -> dict[str, Any]:
        """The models and layers that the constructor takes, serialized."""
        return {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in parts}

    def _mean_loss(
        self, log_likelihood: Tensor, count: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Minus the sum of `log_likelihood`, weighed, over the count."""
        if sample_weight is not None:
            log_likelihood = log_likelihood * _of_items(sample_weight, log_likelihood)
        loss = -kops.sum(log_likelihood) / kops.maximum(kops.cast(count, log_likelihood.dtype), 1.0)
        return ops.with_gradient_of_whole_batch(loss, count)


def _of_items(sample_weight: Tensor, values: Tensor) -> Tensor:
    """Weights `(batch,)` or `(batch, time)`, so that they multiply values `(batch,)` or `(batch, time)`."""
    if len(sample_weight.shape) > len(values.shape):
        raise ValueError(
            f"`sample_weight` must have shape (batch,){' or (batch, time)' * (len(values.shape) - 1)}. "
            f"Received: shape {tuple(sample_weight.shape)}"
        )
    for _ in range(len(values.shape) - len(sample_weight.shape)):
        sample_weight = kops.expand_dims(sample_weight, -1)
    return kops.cast(sample_weight, values.dtype)
