"""The classifier of expectation maximization with a penalty on its class probabilities."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops as kops

from .. import ops
from .._registration import register
from .._typing import Tensor


@register
class RegularizedClassifier(keras.Model):
    """A classifier whose loss has a penalty on the class probabilities of the batch. Shares all weights.

    It is trained in the classifier's place, with its optimizer and loss, so that the classifier stays as it was given.

    Args:
        classifier: A compiled Keras model of output `(batch, classes)` or `(batch, 1)`.
        regularizer: Takes class probabilities `(batch, classes)` and gives a scalar.
        from_logits: Boolean. Whether the classifier gives logits.
    """

    def __init__(self, classifier: keras.Model, regularizer: Any, from_logits: bool) -> None:
        super().__init__()
        self.classifier, self.regularizer, self.from_logits = classifier, regularizer, from_logits
        self.share = self.add_weight(shape=(), initializer="ones", trainable=False, name="share")
        self.compile(
            classifier.optimizer,
            classifier.loss,
            run_eagerly=classifier.run_eagerly,
            jit_compile=classifier.jit_compile,
        )

    def call(self, x: Any, training: bool | None = None) -> Tensor:
        return self.classifier(x, training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        return loss + kops.cast(self.share * self.regularizer(self._probabilities(y_pred)), loss.dtype)

    def _probabilities(self, outputs: Tensor) -> Tensor:
        f = kops.cast(outputs, "float32")
        if f.shape[-1] == 1:
            f = ops.two_classes(f, self.from_logits)
        return kops.softmax(f, axis=-1) if self.from_logits else f
