"""`DoctorNet`: a head per annotator, and a learned mean of the heads."""

from typing import Any

import keras
import numpy as np
from keras import ops as kops

from .. import ops
from .._arguments import whole_number
from .._registration import register
from .._typing import Features, Shape, Tensor, Tensors
from ._functional import as_functional, check_one_output, check_strings_work, warn_of_own_training
from ._likelihood_model import LikelihoodModel


@register
class _MeanHead(keras.layers.Layer):
    """`sum_r a_r softmax(z_r)`, `a = softmax(v)`, from the logits of the heads `(batch, R, K)`."""

    def build(self, logits_shape: Shape) -> None:
        self.scores = self.add_weight(shape=(logits_shape[1],), initializer="zeros", name="scores")

    def call(self, logits: Tensor) -> Tensor:
        return kops.einsum("r,brk->bk", kops.softmax(self.scores), kops.softmax(logits, axis=-1))

    def compute_output_shape(self, logits_shape: Shape) -> tuple[int | None, ...]:
        return (logits_shape[0], logits_shape[-1])


@register
class DoctorNet(LikelihoodModel):
    """A head per annotator on shared features, and a mean of the heads whose weights are learned.

    Head `r` predicts the answers of annotator `r`, `z_r = W_r h + b_r` from the features `h` of an item, and is trained
    on them alone. The classifier is the weighted mean of all heads:

        f = sum_r a_r softmax(z_r),    a = softmax(v)

    The weights are trained to predict, for each item, the mean of its answers by the heads of those who did *not*
    answer it, the heads held still. Compile the model with an optimizer and without a loss: it is the mean
    cross-entropy of the answers plus that of these means. The model gives each annotator's answer logits `(batch,
    annotators, classes)`, as `crowd_model` does; `classifier` is a plain Keras model of the class probabilities, to be
    exported.

    Each annotator needs enough answers to train a head; with few answers, a crowd layer shares more. Only the features
    relate the heads, so the model follows annotators who make the same errors.

    Args:
        encoder: A Keras model of one output from features to `(batch, width)`, without a head. Sequential with an
            `Input`, or functional.
        num_annotators: Integer. Number of annotators, R, at least 2.
        num_classes: Integer. Number of classes, K.
        **kwargs: `name`, as for every Keras model.

    Call arguments:
        inputs: Those of `encoder`. In `fit`, `y` are answers `(batch, annotators)`, `-1` for missing, or soft answers
            `(batch, annotators, classes)`, zeros for missing; `sample_weight` is `(batch,)`.

    Example:

    >>> encoder = keras.Sequential([keras.Input((64,)), keras.layers.Dense(16, "relu")])
    >>> model = keras_crowd.models.DoctorNet(encoder, num_annotators=5, num_classes=10)
    >>> model.compile("adam")
    >>> history = model.fit(x, answers, verbose=0)
    >>> model.classifier.predict(x, verbose=0).shape, model.averaging().shape
    ((20, 10), (5,))

    Reference:
        M. Guan, V. Gulshan, A. Dai, G. Hinton, "Who said what: modeling individual labelers improves classification",
        AAAI 2018 (the weighted doctor net, WDN). There the weights are learned after the heads; here in the same `fit`,
        and neither moves the other.
    """

    def __init__(self, encoder: keras.Model, num_annotators: int, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_annotators = whole_number("num_annotators", num_annotators, low=2)
        self.num_classes = whole_number("num_classes", num_classes, low=2)
        check_strings_work(encoder)
        below = as_functional(encoder)
        check_one_output(below)
        if len(below.outputs[0].shape) != 2:
            raise ValueError(
                "`encoder` must give features (batch, width). "
                f"Received: output of shape {tuple(below.outputs[0].shape)}"
            )
        warn_of_own_training(encoder, "`DoctorNet`")
        heads = keras.layers.Dense(self.num_annotators * self.num_classes, dtype="float32", name="heads")
        logits = keras.layers.Reshape(
            (self.num_annotators, self.num_classes), dtype="float32", name="answers"
        )(heads(below.outputs[0]))
        self._mean = _MeanHead(dtype="float32", name="mean_head")
        self.encoder = encoder
        self.answers = keras.Model(below.input, logits, name="answers_of_annotators")
        self.classifier = keras.Model(below.input, self._mean(logits), name="classifier")
        self.built = True

    def call(self, inputs: Tensors, training: bool = False) -> Any:
        return self.answers(inputs, training=training)

    def averaging(self) -> np.ndarray:
        """Returns the weight of each annotator's head, NumPy `(annotators,)`; they sum to 1."""
        return kops.convert_to_numpy(kops.softmax(self._mean.scores))

    def likelihood_loss(
        self, x: Features, y: Tensor, y_pred: Tensors, sample_weight: Tensor | None, training: bool
    ) -> Tensor:
        targets, observed = ops.answer_targets(y, y_pred)
        of_answers = ops.crowd_cross_entropy(targets, observed, y_pred)
        answers = ops.answer_distributions(y, tuple(y_pred.shape))
        of_means, others = ops.mean_of_others(answers, kops.stop_gradient(y_pred), self._mean.scores)
        return self._mean_loss(
            -ops.item_sums(of_answers), kops.sum(kops.cast(observed, "float32")), sample_weight
        ) + self._mean_loss(-of_means, kops.sum(kops.cast(others, "float32")), sample_weight)

    def get_config(self) -> dict[str, Any]:
        own = {"num_annotators": self.num_annotators, "num_classes": self.num_classes}
        return {**super().get_config(), **self._config_of("encoder"), **own}
