"""`CrowdsOrdinal`: from the model's score to each annotator's grade."""

from typing import Any

import keras
import numpy as np
from keras import ops as kops

from .. import ops
from .._arguments import number, whole_number
from .._registration import register
from ._annotator_weights import answer_counts, answer_weights
from ._held_layer import HeldLayer
from ._slots import check_annotator_dtype, check_annotators_shape


@register
class CrowdsOrdinal(HeldLayer):
    """Predicts which of K ordered grades (stars, marks) each annotator gives, from the model's score.

    With the score `x` of an item, annotator `r` has thresholds `t_r1 < ... < t_r,K-1` and answers, by
    cumulative logits,

        P(answer <= l) = sigmoid(a (t_r,l+1 - x)),   l = 0, ..., K - 2

    One annotator who is strict has all thresholds high, another who avoids the ends has the first low and the
    last high. The slope `a`, learned as well, is common to all.

    A number added to every threshold and to the score would change nothing, nor would a factor. The
    convention: weighted by each annotator's share of all answers, the mean of all thresholds is
    `(K - 1) / 2` and, for more than two grades, the last is `K - 2` above the first. So the thresholds lie
    between the codes 0, ..., K - 1 on average, and the model below predicts on their scale.

    Train on raw grades (codes 0 to K - 1, `-1` for missing) with `keras_crowd.losses.MaskedCrowdCrossEntropy`.
    The layer computes in the variable dtype of its policy.

    Args:
        num_annotators: Number of annotators, R.
        num_classes: Number of grades, K, at least 2.
        answers_per_annotator: How many answers each gave, as `annotations.answers_per_annotator()`; without
            it all weigh alike.
        initial_slope: Start of `a`, positive.
        dtype: Dtype policy of the layer. Defaults to the variable dtype of the global policy.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Call arguments:
        x: Scores `(batch, 1)`, as from `Dense(1)`.
        annotators: Annotator of each slot, integers `(batch, slots)`, negative for an empty slot, where
            the logits are -1e30 and answers are left out. Without it the answers of all annotators are predicted.

    Output shape:
        Log-probabilities of the grades, `(batch, num_annotators or slots, num_classes)`.

    Example:

    >>> model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)])
    >>> model.add(keras_crowd.layers.CrowdsOrdinal(num_annotators=3, num_classes=5))
    >>> model.output_shape
    (None, 3, 5)
    >>> model.layers[-1].thresholds()[0]
    array([0.5, 1.5, 2.5, 3.5], dtype=float32)

    Reference:
        P. McCullagh, "Regression models for ordinal data", Journal of the Royal Statistical Society B 42,
        1980 (cumulative logits); thresholds an annotator are an addition.
    """

    def __init__(
        self,
        num_annotators: int,
        num_classes: int,
        *,
        answers_per_annotator: Any = None,
        initial_slope: float = 2.0,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype=dtype, **kwargs)
        self.num_annotators = whole_number("num_annotators", num_annotators)
        self.num_classes = whole_number("num_classes", num_classes, low=2)
        self.answers_per_annotator = answer_counts(answers_per_annotator, self.num_annotators)
        self.initial_slope = number("initial_slope", initial_slope, above=0)
        self.supports_masking = True

    def build(self, x_shape: Any, annotators_shape: Any = None) -> None:
        if len(x_shape) != 2 or x_shape[-1] != 1:
            raise ValueError(
                f"`x` must have shape (batch, 1), as from `Dense(1)`. Received: shape {tuple(x_shape)}"
            )
        check_annotators_shape(annotators_shape)
        self.level = self.add_weight(shape=(self.num_annotators, 1), initializer="zeros", name="level")
        self.log_gaps: Any = None
        if self.num_classes > 2:
            shape = (self.num_annotators, self.num_classes - 2)
            self.log_gaps = self.add_weight(shape=shape, initializer="zeros", name="log_gaps")
        start = keras.initializers.Constant(float(np.log(self.initial_slope)))
        self.log_slope = self.add_weight(shape=(), initializer=start, name="log_slope")
        self._add_released()

    def call(self, x: Any, annotators: Any = None, training: bool = False) -> Any:
        check_annotator_dtype(annotators)
        thresholds = self._thresholds()
        if training:
            thresholds = ops.held(thresholds, self.released)
        if annotators is not None:
            thresholds = ops.annotator_rows(thresholds, annotators)
        slope = kops.exp(kops.cast(self.log_slope, self.compute_dtype))
        logits = ops.cumulative_log_probabilities(slope * (thresholds - kops.expand_dims(x, -1)))
        return logits if annotators is None else ops.without_empty_slots(logits, annotators)

    def compute_output_shape(self, x_shape: Any, annotators_shape: Any = None) -> tuple:
        width = self.num_annotators if annotators_shape is None else annotators_shape[-1]
        return (x_shape[0], width, self.num_classes)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        return None

    def thresholds(self) -> np.ndarray:
        """Scores at which each annotator goes on to the next grade, NumPy `(num_annotators, num_classes - 1)`."""
        if not self.built:
            raise ValueError(f"Layer {self.name!r} must be built (called once) before it has thresholds.")
        return kops.convert_to_numpy(self._thresholds())

    def grade_probabilities(self, scores: Any) -> np.ndarray:
        """Returns the probability of each grade from the typical annotator, for scores of the model below.

        The typical annotator has the mean of all thresholds, each annotator weighted by the share of all answers, as
        in the convention above.

        Args:
            scores: The model's predictions, `(items, 1)` or `(items,)`.

        Returns:
            `(items, num_classes)`; rows sum to 1.

        Example:

        >>> crowd = keras_crowd.layers.CrowdsOrdinal(num_annotators=3, num_classes=3)
        >>> crowd.build((None, 1))
        >>> crowd.grade_probabilities([[1.0]]).round(2)
        array([[0.27, 0.46, 0.27]])
        """
        weights = answer_weights(self.answers_per_annotator, self.num_annotators, float)
        thresholds = np.sum(weights * self.thresholds(), axis=0)
        slope = float(np.exp(kops.convert_to_numpy(self.log_slope)))
        below = 0.5 * (1 + np.tanh(0.5 * slope * (thresholds - _column(scores))))
        ends = np.zeros((len(below), 1)), np.ones((len(below), 1))
        return np.diff(np.concatenate([ends[0], below, ends[1]], axis=1), axis=1)

    def grades(self, scores: Any) -> np.ndarray:
        """Returns the most probable grade from the typical annotator, codes `(items,)`; see `grade_probabilities`."""
        return self.grade_probabilities(scores).argmax(axis=1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_annotators": self.num_annotators,
            "num_classes": self.num_classes,
            "answers_per_annotator": self.answers_per_annotator,
            "initial_slope": self.initial_slope,
        }

    def _thresholds(self) -> Any:
        weights = answer_weights(self.answers_per_annotator, self.num_annotators, self.variable_dtype)
        weights = kops.convert_to_tensor(weights, dtype=self.compute_dtype)
        level = kops.cast(self.level, self.compute_dtype)
        middle = 0.5 * (self.num_classes - 1)
        if self.log_gaps is None:
            return ops.centered(level, weights, middle)
        gaps = kops.exp(kops.cast(self.log_gaps, self.compute_dtype))
        width = kops.sum(weights * kops.sum(gaps, axis=-1, keepdims=True))
        gaps = gaps * ((self.num_classes - 2) / width)
        steps = kops.cumsum(kops.concatenate([kops.zeros_like(level), gaps], axis=-1), axis=-1)
        steps = steps - kops.mean(steps, axis=-1, keepdims=True)
        return steps + ops.centered(level, weights, middle)


def _column(scores: Any) -> np.ndarray:
    values = np.asarray(scores, float)
    if values.ndim not in (1, 2) or values.shape[1:] not in ((), (1,)) or not np.isfinite(values).all():
        raise ValueError(
            f"`scores` must be finite numbers (items, 1), as the model predicts. Received: shape {values.shape}"
        )
    return values.reshape(-1, 1)
