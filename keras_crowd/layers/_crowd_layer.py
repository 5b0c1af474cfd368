"""`CrowdLayer`: a model's prediction of the truth in, the predicted answer of every annotator out."""

import re
from typing import Any, Literal

import keras
import numpy as np

from .. import ops
from .._arguments import whole_number
from .._typing import Config, DType, Initializer, Regularizer, Shape, Tensor
from ..annotations import AnswerKind, Answers
from ._annotator_parameters import AnnotatorParameters, checked_slots
from ._penalty import Penalty, penalty_of
from ._policy import wide_enough
from ._shapes import check_call, check_ids_shape, width_of_features

_USUAL_BATCH_SIZE = 256  # where it is not known before the step


class CrowdLayer(keras.layers.Layer):
    """Predicts what each annotator answers, from what a model predicts of the truth. Abstract.

    It provides what every crowd layer has: parameters with a row per annotator, which are fetched for the slots of a
    batch and can be held fixed, and penalties whose weights schedules can change. `keras_crowd.strip`, `validate`, the
    callbacks, `optimizers.crowd_optimizer` and `distribution.layout_map` work with every subclass.

    To write your own, define

    - `build_annotators(predictions_shape)`, which calls `add_parameter` for each parameter that annotators have;
    - `predict_answers(predictions, annotators, training, mask)`, which asks `rows(annotators, training)` for them;
    - `predicted_shape(predictions_shape)`, the shape of one predicted answer;
    - `answer_kind`: which answers the layer takes, an `AnswerKind` of `keras_crowd.annotations` or one of your own. It
      names the losses that train on them, unless `answer_losses` does; and
    - `adapt(answers)`, if answers alone reveal something about the annotators.

    Args:
        num_annotators: Integer. Number of annotators, R.
        max_batch_slots: Integer. The most slots that a training batch has (batch size times slots per item), for very
            many annotators: `keras_crowd.optimizers.crowd_optimizer` then touches in each step only the annotators
            of the batch. Defaults to `None`, steps over all annotators.
        dtype: Dtype policy of the layer. Defaults to the variable dtype of the global policy, float32 under mixed
            precision.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Call arguments:
        predictions: The model's prediction of the truth, `(batch, ..., width)`.
        annotators: Annotator of each slot, integers `(batch, slots)`, negative for an empty slot. Without it the
            answers of all annotators are predicted.
        features: Features of the items, floats `(batch, ..., num_features)`, where `takes_features`.
        mask: Which parts of a sequence are real, booleans. Defaults to the Keras mask, which ends here.

    Output shape:
        `(batch, ..., num_annotators or slots, *predicted_shape)`.

    Example:

    >>> class Offsets(keras_crowd.layers.CrowdLayer):
    ...     answer_kind = keras_crowd.annotations.Ratings()
    ...     def build_annotators(self, predictions_shape):
    ...         self.add_parameter("offset", (), "zeros")
    ...     def predict_answers(self, predictions, annotators, training, mask):
    ...         return predictions + self.rows(annotators, training)["offset"]
    ...     def predicted_shape(self, predictions_shape):
    ...         return ()
    >>> model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1), Offsets(num_annotators=5)])
    >>> model.output_shape
    (None, 5)
    """

    from_logits: bool = False
    """Whether the model below predicts logits of class probabilities."""

    takes_features: bool = (
        False  # whether a call takes features of the items, beside predictions of their truth
    )
    num_features: int | None = None  # known once such a layer is built
    num_predictions: int = 1  # that a call takes before the annotators
    prediction_kind: Literal["probabilities", "labels", "numbers"] = "numbers"
    """What the model below predicts: class probabilities, the probability of each of several labels, or numbers."""

    def __init__(
        self, num_annotators: int, *, max_batch_slots: int | None = None, dtype: DType = None, **kwargs: Any
    ) -> None:
        super().__init__(dtype=wide_enough(dtype), **kwargs)
        self.num_annotators = whole_number("num_annotators", num_annotators)
        self.max_batch_slots = checked_slots(max_batch_slots, self.num_annotators)
        self.annotators = AnnotatorParameters(
            self.num_annotators, self.max_batch_slots, name="annotators", dtype=self.dtype_policy
        )
        self._penalties: dict[str, Penalty] = {}
        self.supports_masking = True

    def build_annotators(self, predictions_shape: Shape) -> None:
        """Checks the shape of the predictions and adds the parameters of the annotators.

        Args:
            predictions_shape: `(batch, ..., width)`.
        """
        raise NotImplementedError

    def predict_answers(
        self, predictions: Tensor, annotators: Tensor | None, training: bool, mask: Tensor | None
    ) -> Tensor:
        """Returns predicted answers, `(batch, ..., annotators or slots, *predicted_shape)`; arguments as for a call.

        Where `takes_features` there is one more, `features`.
        """
        raise NotImplementedError

    def predicted_shape(self, predictions_shape: Shape) -> tuple[int | None, ...]:
        """Returns the shape of one predicted answer, `(K,)` for logits of classes."""
        raise NotImplementedError

    @property
    def answer_kind(self) -> AnswerKind:
        """Kind of the answers that the layer takes."""
        raise NotImplementedError

    @property
    def answer_losses(self) -> tuple[type, ...]:
        """Classes of losses that the layer can be trained with, the usual one first. Defaults to those of the kind."""
        return tuple(keras.saving.get_registered_object(name) for name in self.answer_kind.losses)

    @property
    def answer_metrics(self) -> tuple[type, ...]:
        """Classes of metrics over the answers of the layer, likewise."""
        return tuple(keras.saving.get_registered_object(name) for name in self.answer_kind.metrics)

    def adapt(self, answers: Answers) -> None:
        """Starts the annotators from what the answers alone reveal about them.

        It may be called before the layer is in a model or afterwards. Training goes on from there.

        Args:
            answers: The answers to train on, of all items: `Annotations`, or a dense array as for `fit`.

        Raises:
            ValueError: When the answers are of another kind or number of annotators than those of the layer.

        Example:

        >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=3, conn_type="CM")
        >>> crowd.adapt(np.array([[0, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, -1]] * 10))
        >>> crowd.confusion()[2, 0].round(1)
        array([0.5, 0.5], dtype=float32)
        """
        raise ValueError(
            "This crowd layer cannot adapt to answers: it does not define `adapt`. "
            f"Received: {type(self).__name__} {self.name!r}"
        )

    def permute_classes(self, order: np.ndarray) -> None:
        """Reorders the true classes: class `k` becomes what class `order[k]` was, where the layer is `permutable`.

        Args:
            order: Integers `(classes,)`, a permutation.

        Raises:
            ValueError: When the layer has no such classes.
        """
        raise ValueError(
            "The true classes of this crowd layer cannot be put in another order. "
            f"Received: {type(self).__name__} {self.name!r}"
        )

    def build(
        self,
        predictions_shape: Shape,
        annotators_shape: Shape | None = None,
        features_shape: Shape | None = None,
    ) -> None:
        check_ids_shape(annotators_shape)
        self.predictions_shape = tuple(predictions_shape)
        if self.takes_features:
            self.num_features = width_of_features(features_shape, predictions_shape)
        self.build_annotators(predictions_shape)
        self.annotators.add_slot_gradients()

    def call(
        self,
        predictions: Tensor,
        annotators: Tensor | None = None,
        features: Tensor | None = None,
        training: bool = False,
        mask: Tensor | None = None,
        predictions_mask: Tensor | None = None,  # so Keras calls the mask where there are annotators
    ) -> Tensor:
        check_call(annotators, features, self.takes_features)
        mask = predictions_mask if mask is None else mask
        also = {"features": features} if self.takes_features else {}
        answers = self.predict_answers(predictions, annotators, training, mask, **also)
        if annotators is None:
            return answers
        return ops.without_empty_slots(answers, annotators, len(predictions.shape) - 1)

    def compute_output_shape(
        self,
        predictions_shape: Shape,
        annotators_shape: Shape | None = None,
        features_shape: Shape | None = None,
    ) -> tuple:
        width = self.num_annotators if annotators_shape is None else annotators_shape[-1]
        return (*predictions_shape[:-1], width, *self.predicted_shape(predictions_shape))

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor) -> None: ...

    def add_parameter(self, name: str, shape: tuple[int, ...], initializer: Initializer) -> None:
        """Gives every annotator an array; in `build_annotators`.

        Args:
            name: String. Name of the parameter, by which `rows` gives it.
            shape: Tuple of integers. Shape of one annotator's array, `()` for a number.
            initializer: Keras initializer of the arrays of all annotators, `(num_annotators, *shape)`.
        """
        self.annotators.add(name, shape, initializer)

    def rows(self, annotators: Tensor | None, training: bool) -> dict[str, Tensor]:
        """Returns the parameters by name, for use in a call.

        Args:
            annotators: Annotator of each slot, `(batch, slots)`, or `None`.
            training: Boolean. Whether the model is being trained.

        Returns:
            Those of the slots `(batch, slots, *shape)`, or of all annotators `(num_annotators, *shape)`. In training
            they can be held fixed, and with `max_batch_slots` their gradients are computed slot by slot.
        """
        return self.annotators.rows(annotators, training)

    def held(self, parameter: Tensor, training: bool) -> Tensor:
        """Returns a tensor made of parameters, without gradient in training while the layer is held."""
        return self.annotators.held(parameter, training)

    def add_penalty(self, name: str, regularizer: Regularizer, num_classes: int | None = None) -> None:
        """Gives the layer a regularizer whose weight schedules can change; in `build_annotators`.

        Args:
            name: String. Name of the penalty, by which `penalty` gives its value.
            regularizer: A Keras regularizer, or `None` for none.
            num_classes: Integer. Number of classes, for a regularizer of class probabilities. Defaults to `None`.
        """
        regularizer = keras.regularizers.get(regularizer)
        if regularizer is not None:
            self._penalties[name] = penalty_of(regularizer, num_classes, name, self.dtype_policy)

    def penalty(self, name: str, x: Tensor) -> Tensor | float:
        """Returns the weighted penalty of `x`, a scalar; 0 where there is no such regularizer."""
        return self._penalties[name](x) if name in self._penalties else 0.0

    def penalize(self, name: str, x: Tensor) -> None:
        """Adds the weighed penalty of `x` to the losses of the model, if there is such a regularizer; in training."""
        if name in self._penalties:
            self.add_loss(self._penalties[name](x))

    @property
    def penalties(self) -> dict[str, Penalty]:
        """The penalties of the layer by name; `penalty.scale(factor)` changes the weight of one."""
        return dict(self._penalties)

    @property
    def permutable(self) -> bool:
        """Whether the true classes can be put in another order, by `permute_classes`."""
        return False

    @property
    def has_confusions(self) -> bool:
        """Whether `log_confusion` gives confusions, from which a likelihood of all answers to an item can be had."""
        return False

    @property
    def released(self) -> keras.Variable:
        """1, or 0 while the annotators are held."""
        return self.annotators.released

    def hold(self) -> None:
        """Holds the parameters of the annotators fixed in training, until `release`."""
        self.annotators.released.assign(0.0)

    def release(self) -> None:
        """Lets the parameters of the annotators be trained."""
        self.annotators.released.assign(1.0)

    def annotator_paths(self) -> str:
        """Returns a regular expression of the paths of variables with a row per annotator."""
        return rf"(.*/)?{re.escape(self.name)}/{self.annotators.name}/(?!released$).*"

    def few_annotators(self, annotators: Tensor | None, times: int, training: bool) -> bool:
        """Returns whether a batch has so many slots per annotator that work on all annotators is less than on slots."""
        if annotators is None or self.annotators.lazy(training):
            return False
        batch_size, num_slots = annotators.shape
        return times * self.num_annotators <= (batch_size or _USUAL_BATCH_SIZE) * (num_slots or 1)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_annotators": self.num_annotators,
            "max_batch_slots": self.max_batch_slots,
        }
