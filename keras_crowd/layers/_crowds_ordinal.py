"""`CrowdsOrdinal`: from the model's score to each annotator's grade."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops as kops

from .. import ops
from .._arguments import number, whole_number
from .._registration import register
from .._typing import Config, DType, Shape, Tensor
from ..annotations import Answers, Classes
from ._adapting import class_answers, grades_as_ratings, lines
from ._annotator_weights import answer_counts, answer_weights
from ._built import check_built
from ._crowd_layer import CrowdLayer


@register
class CrowdsOrdinal(CrowdLayer):
    """Predicts which of K ordered grades (stars, marks) each annotator gives, from the model's score.

    With the score `x` of an item, annotator `r` has thresholds `t_r1 < ... < t_r,K-1` and answers, by
    cumulative logits,

        P(answer <= l) = sigmoid(a (t_r,l+1 - x)),   l = 0, ..., K - 2

    A strict annotator has high thresholds; one who avoids the ends has a low first and a high last threshold. The slope
    `a`, which is learned as well, is common to all.

    A number added to every threshold and to the score would change nothing, nor would a factor. By convention, weighted
    by each annotator's share of all answers, the mean of all thresholds is `(K - 1) / 2` and, for more than two grades,
    the last is `K - 2` above the first. So the thresholds lie between the codes 0, ..., K - 1 on average, and the model
    below predicts on their scale.

    Train on raw grades (codes 0 to K - 1, `-1` for missing) with `keras_crowd.losses.MaskedCrowdCrossEntropy`.
    The layer computes in the variable dtype of its policy.

    Args:
        num_annotators: Integer. Number of annotators, R.
        num_classes: Integer, at least 2. Number of grades, K.
        answers_per_annotator: Integers `(num_annotators,)`. Number of answers of each annotator, as
            `annotations.answers_per_annotator()` counts them. Defaults to equal weights.
        initial_slope: Positive float. Where `a` starts. Defaults to 2.0.
        max_batch_slots: Integer. For very many annotators: the most slots that a training batch has, as for
            `CrowdsClassification`. Training is on slots then, and the convention moves all annotators without a
            gradient. Defaults to `None`.
        dtype: String or `keras.DTypePolicy`. Dtype policy of the layer. Defaults to the variable dtype of the global
            policy.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Call arguments:
        x: Scores, floats `(batch, 1)`, as from `Dense(1)`.
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
        1980 (cumulative logits); thresholds per annotator are an addition.
    """

    def __init__(
        self,
        num_annotators: int,
        num_classes: int,
        *,
        answers_per_annotator: npt.ArrayLike | None = None,
        initial_slope: float = 2.0,
        max_batch_slots: int | None = None,
        dtype: DType = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_annotators, max_batch_slots=max_batch_slots, dtype=dtype, **kwargs)
        self.num_classes = whole_number("num_classes", num_classes, low=2)
        self.answers_per_annotator = answer_counts(answers_per_annotator, self.num_annotators)
        self.initial_slope = number("initial_slope", initial_slope, above=0)

    @property
    def answer_kind(self) -> Classes:
        return Classes(self.num_classes)

    def build_annotators(self, predictions_shape: Shape) -> None:
        if len(predictions_shape) != 2 or predictions_shape[-1] != 1:
            raise ValueError(
                "`x` must have shape (batch, 1), as from `Dense(1)`. "
                f"Received: shape {tuple(predictions_shape)}"
            )
        self.add_parameter("level", (1,), "zeros")
        if self.num_classes > 2:
            self.add_parameter("log_gaps", (self.num_classes - 2,), "zeros")
        start = keras.initializers.Constant(float(np.log(self.initial_slope)))
        self.log_slope = self.add_weight(shape=(), initializer=start, name="log_slope")

    def predict_answers(
        self, predictions: Tensor, annotators: Tensor | None, training: bool, mask: Tensor | None
    ) -> Tensor:
        thresholds = self._thresholds(annotators, training)
        slope = kops.exp(kops.cast(self.log_slope, self.compute_dtype))
        return ops.cumulative_log_probabilities(slope * (thresholds - kops.expand_dims(predictions, -1)))

    def predicted_shape(self, predictions_shape: Shape) -> tuple[int | None, ...]:
        return (self.num_classes,)

    def adapt(self, answers: Answers) -> None:
        given = class_answers(answers, self.num_classes, self.answer_kind, self.num_annotators)
        annotations = given.hard()
        if not self.built:
            self.build((None, 1))
        if self.answers_per_annotator is None:
            counts = annotations.answers_per_annotator()
            self.answers_per_annotator = answer_counts(counts, self.num_annotators)
        milder = lines(grades_as_ratings(annotations), scale=False).bias
        self.annotators.assign("level", -milder[:, None])
        if self.num_classes > 2:
            often = np.bincount(annotations.answers, minlength=self.num_classes) + 1.0
            below = np.cumsum(often)[:-1] / often.sum()
            gaps = np.diff(np.log(below / (1 - below)))
            self.annotators.assign("log_gaps", np.tile(np.log(gaps), (self.num_annotators, 1)))

    def thresholds(self) -> np.ndarray:
        """Returns the scores at which annotators go on to the next grade, `(num_annotators, num_classes - 1)`."""
        check_built(self, "thresholds")
        return kops.convert_to_numpy(self._thresholds(None, False))

    def grade_probabilities(self, scores: npt.ArrayLike) -> np.ndarray:
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

    def grades(self, scores: npt.ArrayLike) -> np.ndarray:
        """Returns the most probable grade from the typical annotator, codes `(items,)`; see `grade_probabilities`."""
        return self.grade_probabilities(scores).argmax(axis=1)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "answers_per_annotator": self.answers_per_annotator,
            "initial_slope": self.initial_slope,
        }

    def _thresholds(self, annotators: Tensor | None, training: bool) -> Tensor:
        """Thresholds as the convention has them, of all annotators or of the slots."""
        rows = self.rows(annotators, training)
        shift, factor = self._convention(training)
        level = rows["level"] + shift
        if self.num_classes == 2:
            return level
        gaps = kops.exp(rows["log_gaps"]) * factor
        steps = kops.cumsum(kops.concatenate([kops.zeros_like(level), gaps], axis=-1), axis=-1)
        return steps - kops.mean(steps, axis=-1, keepdims=True) + level

    def _convention(self, training: bool) -> tuple[Tensor, Tensor | None]:
        """Returns the number that is added to every level, and the factor of every gap."""
        weights = answer_weights(self.answers_per_annotator, self.num_annotators, self.variable_dtype)
        weights = kops.convert_to_tensor(weights, dtype=self.compute_dtype)
        lazy = self.annotators.lazy(training)
        rows = self.annotators.of_all() if lazy else self.rows(None, training)
        shift = 0.5 * (self.num_classes - 1) - kops.sum(weights * rows["level"])
        if self.num_classes == 2:
            return (kops.stop_gradient(shift) if lazy else shift), None
        width = kops.sum(weights * kops.sum(kops.exp(rows["log_gaps"]), axis=-1, keepdims=True))
        factor = (self.num_classes - 2) / width
        return (kops.stop_gradient(shift), kops.stop_gradient(factor)) if lazy else (shift, factor)


def _column(scores: npt.ArrayLike) -> np.ndarray:
    values = np.asarray(scores, float)
    if values.ndim not in (1, 2) or values.shape[1:] not in ((), (1,)) or not np.isfinite(values).all():
        raise ValueError(
            f"`scores` must be finite numbers (items, 1), as the model predicts. Received: shape {values.shape}"
        )
    return values.reshape(-1, 1)
