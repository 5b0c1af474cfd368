"""`CrowdsRegression`: from the model's number to each annotator's rating."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops as kops

from .._arguments import number
from .._registration import register
from .._typing import Config, DType, Initializer, Regularizer, Shape, Tensor
from ..annotations import Answers, Ratings
from ..losses import MaskedCrowdGaussian
from ..metrics import CrowdGaussianCrossEntropy
from . import connections
from ._adapting import check_targets, lines_of_targets, rating_answers
from ._annotator_weights import answer_counts, answer_weights
from ._built import check_built
from ._crowd_layer import CrowdLayer
from ._shapes import width_of_rows
from ._variances import check_learned, initial_variances, log_variances, penalty_of_offsets
from .connections import RatingConnection

_OFFSET = "log_variance_offset"


@register
class CrowdsRegression(CrowdLayer):
    """Predicts what number each annotator gives, from the model's number.

    With the model's prediction `x` of an item, annotator `r` is expected to answer

    | `conn_type` | answer | who is it |
    |---|---|---|
    | `"S"` | `x s_r` | some use more of the scale than others |
    | `"B"` | `x + b_r` | some are milder than others |
    | `"S+B"` | `x s_r + b_r` | both |
    | `"B+S"` | `(x + b_r) s_r` | both; with few answers another start and path |

    Train on raw ratings with `keras_crowd.losses.MaskedCrowdMeanSquaredError` (or absolute error, or Huber).
    With `learn_variance=True` the layer also learns how precise each annotator is: train with
    `keras_crowd.losses.MaskedCrowdGaussian`, and careless annotators count for less.

    A number added to every bias and subtracted from the model's predictions would change nothing, nor would a factor. A
    convention settles this: with each annotator's share `w_r` of all answers, `sum_r w_r s_r = 1`, and the annotators'
    expected answers, so weighted, have the mean `x` (in `"B"` and `"S+B"`: `sum_r w_r b_r = 0`; in `"B+S"`: `sum_r w_r
    s_r b_r = 0`). It holds at every step, so the model below predicts on the scale of the answers, as they are on
    average. `adapt(answers)` weights annotators by how informative they are. Where the whole crowd is off, so is the
    model, because nothing in the answers can reveal it. `adapt(answers, gold)` corrects that by the truth of a few
    items: `x` in the table is then a linear function of the model's prediction.

    Give standardized answers (`(answers - mean) / std` over the answers themselves), as for any network.
    The layer computes in the variable dtype of its policy: float32 under a global mixed precision policy.

    Args:
        num_annotators: Integer. Number of annotators, R.
        conn_type: String, or instance of `keras_crowd.layers.connections.RatingConnection`. The connection, as above.
            Defaults to `"S+B"`.
        answers_per_annotator: Integers `(num_annotators,)`. Number of answers of each annotator, as
            `annotations.answers_per_annotator()` counts them: the weights `w_r`. Defaults to equal weights; annotators
            with few answers or none then count as much as others.
        learn_variance: Boolean. Learns a variance per annotator; needs `answers_per_annotator`. Defaults to `False`.
        initial_variance: Positive float, or one per annotator. Where the variances start. Defaults to 1.0.
        variance_strength: Positive float. Pseudo-answers of each annotator with the common variance, which is learned
            as well; they keep the variance of an annotator with two answers from running to 0. Defaults to 4.0.
        scale_initializer: Initializer of `s`. Defaults to the connection's, 1.
        bias_initializer: Initializer of `b`, such as `keras_crowd.initializers.PerAnnotator`. Defaults to 0.
        scale_regularizer: Regularizer of `s - 1` in training, as `keras.regularizers.L2(1e-3)`. Defaults to `None`.
        bias_regularizer: Regularizer of `b`, in training. Defaults to `None`.
        max_batch_slots: Integer. For very many annotators: the most slots that a training batch has, as for
            `CrowdsClassification`. Training is on slots then, without regularizers of `s` and `b`, and the convention
            moves all annotators without a gradient. Defaults to `None`.
        dtype: String or `keras.DTypePolicy`. Defaults to the variable dtype of the global policy.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Call arguments:
        x: The model's predictions, floats `(batch, targets)`; `(batch, 1)` for one number per item.
        annotators: Annotator of each slot, integers `(batch, slots)`, negative for an empty slot, where
            the means are -1e30 and answers are left out. Without it the answers of all annotators are predicted.

    Output shape:
        `(batch, num_annotators)`, with several targets `(batch, num_annotators, targets)`; with `annotators`,
        slots in place of `num_annotators`. With `learn_variance=True` one axis more, `(..., 2)`: mean
        and log variance.

    Example:

    >>> regressor = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)])
    >>> crowd = keras_crowd.layers.CrowdsRegression(num_annotators=5, conn_type="S+B")
    >>> keras.Sequential([regressor, crowd]).output_shape
    (None, 5)
    >>> crowd.bias()
    array([0., 0., 0., 0., 0.], dtype=float32)

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, section "Crowd layer" (regression);
        the variances as in V. C. Raykar et al., "Learning from crowds", JMLR 11, 2010.
    """

    def __init__(
        self,
        num_annotators: int,
        conn_type: connections.RatingConnType = "S+B",
        *,
        answers_per_annotator: npt.ArrayLike | None = None,
        learn_variance: bool = False,
        initial_variance: npt.ArrayLike = 1.0,
        variance_strength: float = 4.0,
        scale_initializer: Initializer = None,
        bias_initializer: Initializer = None,
        scale_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        max_batch_slots: int | None = None,
        dtype: DType = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_annotators, max_batch_slots=max_batch_slots, dtype=dtype, **kwargs)
        self.connection = connections.get(conn_type, RatingConnection)
        check_learned(learn_variance, answers_per_annotator)
        if max_batch_slots is not None and (scale_regularizer or bias_regularizer):
            raise ValueError(
                "`scale_regularizer` and `bias_regularizer` are over all annotators and cannot go with "
                f"`max_batch_slots`. Received: {scale_regularizer!r} and {bias_regularizer!r}"
            )
        self.answers_per_annotator = answer_counts(answers_per_annotator, self.num_annotators)
        self.learn_variance = learn_variance
        self._num_targets = 1
        self.initial_variance = initial_variances(initial_variance, self.num_annotators)
        self.variance_strength = number("variance_strength", variance_strength, above=0)
        self.scale_initializer = keras.initializers.get(scale_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.scale_regularizer = keras.regularizers.get(scale_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)

    @property
    def conn_type(self) -> str:
        """Name of the connection."""
        return self.connection.name

    @property
    def answer_kind(self) -> Ratings:
        return Ratings(() if self._num_targets == 1 else (self._num_targets,))

    @property
    def answer_losses(self) -> tuple[type, ...]:
        return (MaskedCrowdGaussian,) if self.learn_variance else super().answer_losses

    @property
    def answer_metrics(self) -> tuple[type, ...]:
        gaussian = (CrowdGaussianCrossEntropy,) if self.learn_variance else ()
        return (*super().answer_metrics, *gaussian)

    @property
    def num_targets(self) -> int:
        """Number of targets per item, known once the layer is built."""
        check_built(self, "targets")
        return self._num_targets

    def build_annotators(self, predictions_shape: Shape) -> None:
        self._num_targets = width_of_rows("x", predictions_shape, "(batch, targets), as from `Dense(1)`")
        given = {"scale": self.scale_initializer, "bias": self.bias_initializer}
        for name, parameter in self.connection.parameters(self._num_targets).items():
            self.add_parameter(name, parameter.shape, given.get(name) or parameter.initializer)
        self.add_penalty("scale", self.scale_regularizer)
        self.add_penalty("bias", self.bias_regularizer)
        self.annotators.add_fixed("shares", np.repeat(self._weights(), self._num_targets, axis=1))
        start = keras.initializers.Constant(np.array([[1.0], [0.0]]))
        self.crowd_line = self.add_weight(
            shape=(2, self._num_targets), initializer=start, trainable=False, name="crowd_line"
        )
        if self.learn_variance:
            self._build_variance()

    def predict_answers(
        self, predictions: Tensor, annotators: Tensor | None, training: bool, mask: Tensor | None
    ) -> Tensor:
        rows = self.rows(annotators, training)
        offset = rows.pop(_OFFSET, None)
        shifts = self._shifts(training)
        rows = {name: row + shifts[name] if name in shifts else row for name, row in rows.items()}
        if training:
            self._add_penalties(shifts, offset, annotators)
        line = kops.cast(self.crowd_line, self.compute_dtype)
        mean = self.connection.answers(line[0] * predictions + line[1], **rows)
        if offset is None:
            return self._one_target(mean)
        common = self.held(kops.cast(self.common_log_variance, self.compute_dtype), training)
        log_variance = kops.broadcast_to(common + offset, kops.shape(mean))
        return kops.stack([self._one_target(mean), self._one_target(log_variance)], axis=-1)

    def predicted_shape(self, predictions_shape: Shape) -> tuple[int | None, ...]:
        targets = () if predictions_shape[-1] == 1 else (predictions_shape[-1],)
        return (*targets, *((2,) if self.learn_variance else ()))

    def adapt(self, answers: Answers, gold: npt.ArrayLike | None = None) -> None:
        """Starts from the annotators that `aggregation.raykar` estimates, and sets the scale of the model below.

        That scale is the one of the informative annotators, not of those who answer without looking; with gold, it is
        the scale of gold.

        Args:
            answers: `Annotations` of numbers, or floats `(items, annotators)`, `(items, annotators, targets)`, with
                `NaN` for missing, on the scale that the layer is trained on.
            gold: True numbers of some items, floats `(items,)` or `(items, targets)`, `NaN` where unknown, on the
                scale of the answers. Defaults to `None`, nothing known.
        """
        targets = rating_answers(answers, self.num_annotators)
        if not self.built:
            self.build((None, len(targets)))
        check_targets(len(targets), self._num_targets)
        if self.answers_per_annotator is None:
            counts = targets[0].answers_per_annotator()
            self.answers_per_annotator = answer_counts(counts, self.num_annotators)
        names = self.connection.parameters(self._num_targets)
        found = lines_of_targets(targets, gold, "scale" in names, "bias" in names)
        for name, values in self.connection.of_lines(found.scale, found.bias).items():
            self.annotators.assign(name, values)
        self.annotators["shares"].assign(found.weights)
        self.crowd_line.assign(np.stack([found.crowd_scale, found.crowd_bias]))
        if self.learn_variance:
            common, offsets = log_variances(found.variance, self._weights())
            self.common_log_variance.assign(common)
            self.annotators.assign(_OFFSET, offsets)

    def scale(self) -> np.ndarray:
        """Returns the factor of each annotator, `s`: NumPy `(num_annotators,)` or `(num_annotators, targets)`."""
        return self._as_numpy("scale", 1.0)

    def bias(self) -> np.ndarray:
        """Returns what each annotator adds, `b` (in `"B+S"` before the factor), in the shape of `scale()`."""
        return self._as_numpy("bias", 0.0)

    def variance(self) -> np.ndarray:
        """Returns the variance of each annotator's answers around the expected ones, in the shape of `scale()`."""
        if not self.learn_variance:
            raise ValueError("Variances need `learn_variance=True`. Received: learn_variance=False")
        log_variance = self.common_log_variance + self.annotators.of_all()[_OFFSET]
        return np.exp(kops.convert_to_numpy(self._one_target(log_variance)))

    def precision(self) -> np.ndarray:
        """Returns one over the variance of each annotator, in the shape of `scale()`."""
        return 1.0 / self.variance()

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "conn_type": connections.serialize(self.connection),
            "answers_per_annotator": self.answers_per_annotator,
            "learn_variance": self.learn_variance,
            "initial_variance": self.initial_variance,
            "variance_strength": self.variance_strength,
            "scale_initializer": keras.initializers.serialize(self.scale_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "scale_regularizer": keras.regularizers.serialize(self.scale_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
        }

    def _shifts(self, training: bool) -> dict[str, Tensor]:
        """Returns what the convention adds to the parameters of all annotators, `(1, T)` by name."""
        weights = kops.cast(self.annotators["shares"], self.compute_dtype)
        parameters = {name: of for name, of in self.annotators.of_all().items() if name != _OFFSET}
        shifts = self.connection.shifts(weights, **parameters)
        if self.annotators.lazy(training):  # their gradient is that of all annotators
            return {name: kops.stop_gradient(shift) for name, shift in shifts.items()}
        return {name: self.held(shift, training) for name, shift in shifts.items()}

    def _weights(self) -> np.ndarray:
        return answer_weights(self.answers_per_annotator, self.num_annotators, float)

    def _build_variance(self) -> None:
        size = (self.num_annotators, self._num_targets)
        start = np.broadcast_to(np.reshape(self.initial_variance, (-1, 1)), size)
        common, offsets = (keras.initializers.Constant(of) for of in log_variances(start, self._weights()))
        self.common_log_variance = self.add_weight(shape=size[1:], initializer=common, name="log_variance")
        self.add_parameter(_OFFSET, size[1:], offsets)

    def _add_penalties(
        self, shifts: dict[str, Tensor], offset: Tensor | None, annotators: Tensor | None
    ) -> None:
        if self.penalties:
            rows = self.rows(None, True)
            for name, neutral in {"scale": 1.0, "bias": 0.0}.items():
                if name in rows:
                    self.penalize(name, rows[name] + shifts[name] - neutral)
        if offset is not None:
            if not self.annotators.lazy(True):
                offset, annotators = self.rows(None, True)[_OFFSET], None
            counts = self.answers_per_annotator or []
            self.add_loss(penalty_of_offsets(offset, self.variance_strength, counts, annotators))

    def _one_target(self, values: Tensor) -> Tensor:
        return values[..., 0] if self._num_targets == 1 else values

    def _as_numpy(self, name: str, default: float) -> np.ndarray:
        if name not in self.connection.parameters(self.num_targets):
            values = np.full((self.num_annotators, self.num_targets), default, self.compute_dtype)
        else:
            values = kops.convert_to_numpy(self.annotators.of_all()[name] + self._shifts(False)[name])
        return self._one_target(values)
