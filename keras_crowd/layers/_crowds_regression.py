"""`CrowdsRegression`: from the model's number to each annotator's rating."""

from typing import Any, Literal

import keras
import numpy as np
from keras import ops as kops

from .. import ops
from .._arguments import number, whole_number
from .._registration import register
from ._annotator_weights import answer_counts, answer_weights
from ._held_layer import HeldLayer
from ._slots import check_annotator_dtype, check_annotators_shape

_CONN_TYPES = ("S", "B", "S+B", "B+S")


@register
class CrowdsRegression(HeldLayer):
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

    A number added to every bias and taken from the model would change nothing, nor would a factor. The
    convention that settles it: with each annotator's share `w_r` of all answers, `sum_r w_r s_r = 1`, and the
    annotators' expected answers, so weighted, have the mean `x` (in `"B"` and `"S+B"`: `sum_r w_r b_r = 0`;
    in `"B+S"`: `sum_r w_r s_r b_r = 0`). It holds at every step, so the model below predicts on the scale
    of the answers, as they are on average. Where the whole crowd is off, so is the model: nothing in the
    answers can tell.

    Give standardized answers (`(answers - mean) / std` over the answers themselves), as for any network.
    The layer computes in the variable dtype of its policy: float32 under a global mixed precision policy.

    Args:
        num_annotators: Number of annotators, R.
        conn_type: Which connection, as above.
        answers_per_annotator: How many answers each gave, as `annotations.answers_per_annotator()`: the
            weights `w_r`. Without it all weigh alike, and annotators with few answers or none move what
            is held.
        learn_variance: Whether to learn a variance an annotator. Needs `answers_per_annotator`.
        initial_variance: Where all variances start, positive: a number, or one for each annotator.
        variance_strength: How many answers with the common variance, learned as well, are imagined for each
            annotator, positive: an annotator with two answers cannot run to variance 0.
        scale_initializer: Start of `s`.
        bias_initializer: Start of `b`; `keras_crowd.initializers.PerAnnotator` for one an annotator.
        scale_regularizer: Penalty on `s - 1`, in training, such as `keras.regularizers.L2(1e-3)`.
        bias_regularizer: Penalty on `b`, in training.
        dtype: Dtype policy of the layer. Defaults to the variable dtype of the global policy.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Call arguments:
        x: The model's predictions `(batch, targets)`, `(batch, 1)` for one number an item.
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
        conn_type: Literal["S", "B", "S+B", "B+S"] = "S+B",
        *,
        answers_per_annotator: Any = None,
        learn_variance: bool = False,
        initial_variance: Any = 1.0,
        variance_strength: float = 4.0,
        scale_initializer: Any = "ones",
        bias_initializer: Any = "zeros",
        scale_regularizer: Any = None,
        bias_regularizer: Any = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype=dtype, **kwargs)
        self.num_annotators = whole_number("num_annotators", num_annotators)
        if conn_type not in _CONN_TYPES:
            raise ValueError(
                f"`conn_type` must be one of {', '.join(map(repr, _CONN_TYPES))}. "
                f"Received: conn_type={conn_type!r}"
            )
        if not isinstance(learn_variance, bool):
            raise ValueError(
                f"`learn_variance` must be a bool. Received: learn_variance={learn_variance!r}"
            )
        if learn_variance and answers_per_annotator is None:
            raise ValueError(
                "`answers_per_annotator` must be given with `learn_variance=True`: the prior of the variances "
                "is weighed against them. Received: answers_per_annotator=None"
            )
        self.conn_type = conn_type
        self.answers_per_annotator = answer_counts(answers_per_annotator, self.num_annotators)
        self.learn_variance = learn_variance
        self.initial_variance = _variances(initial_variance, self.num_annotators)
        self.variance_strength = number("variance_strength", variance_strength, above=0)
        self.scale_initializer = keras.initializers.get(scale_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.scale_regularizer = keras.regularizers.get(scale_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.scale_kernel: Any = None
        self.bias_kernel: Any = None
        self.supports_masking = True

    @property
    def num_targets(self) -> int:
        """Numbers an item, known once the layer is built."""
        if not self.built:
            raise ValueError(f"Layer {self.name!r} must be built (called once) before it has targets.")
        return self._num_targets

    def build(self, x_shape: Any, annotators_shape: Any = None) -> None:
        if len(x_shape) != 2 or x_shape[-1] is None:
            raise ValueError(
                f"`x` must have shape (batch, targets), as from `Dense(1)`. Received: shape {tuple(x_shape)}"
            )
        check_annotators_shape(annotators_shape)
        self._num_targets = int(x_shape[-1])
        shape = (self.num_annotators, self._num_targets)
        if "S" in self.conn_type:
            self.scale_kernel = self.add_weight(
                shape=shape, initializer=self.scale_initializer, name="scale"
            )
        if "B" in self.conn_type:
            self.bias_kernel = self.add_weight(shape=shape, initializer=self.bias_initializer, name="bias")
        if self.learn_variance:
            self._build_variance()
        self._add_released()

    def call(self, x: Any, annotators: Any = None, training: bool = False) -> Any:
        check_annotator_dtype(annotators)
        scale, bias = (self._in_call(p, training) for p in self._scale_and_bias())
        if training:
            self._add_penalties(scale, bias)
        rows = (_rows(scale, annotators), _rows(bias, annotators))
        mean = ops.affine_answers(x, *rows, bias_first=self.conn_type == "B+S")
        if annotators is not None:
            mean = ops.without_empty_slots(mean, annotators)
        if not self.learn_variance:
            return self._one_target(mean)
        log_variance = _rows(self._in_call(self._log_variance(), training), annotators)
        log_variance = kops.broadcast_to(log_variance, kops.shape(mean))
        return kops.stack([self._one_target(mean), self._one_target(log_variance)], axis=-1)

    def compute_output_shape(self, x_shape: Any, annotators_shape: Any = None) -> tuple:
        width = self.num_annotators if annotators_shape is None else annotators_shape[-1]
        targets = () if x_shape[-1] == 1 else (x_shape[-1],)
        return (x_shape[0], width, *targets, *([2] if self.learn_variance else []))

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        return None

    def scale(self) -> np.ndarray:
        """Factor of each annotator, `s`: NumPy `(num_annotators,)` or `(num_annotators, targets)`."""
        return self._as_numpy(self._scale_and_bias()[0], 1.0)

    def bias(self) -> np.ndarray:
        """What each annotator adds, `b` (in `"B+S"` before the factor), in the shape of `scale()`."""
        return self._as_numpy(self._scale_and_bias()[1], 0.0)

    def variance(self) -> np.ndarray:
        """Variance of each annotator's answers around what is expected of it, in the shape of `scale()`."""
        if not self.learn_variance:
            raise ValueError("Variances need `learn_variance=True`. Received: learn_variance=False")
        return np.exp(self._as_numpy(self._log_variance(), 0.0))

    def precision(self) -> np.ndarray:
        """One over the variance of each annotator, in the shape of `scale()`."""
        return 1.0 / self.variance()

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_annotators": self.num_annotators,
            "conn_type": self.conn_type,
            "answers_per_annotator": self.answers_per_annotator,
            "learn_variance": self.learn_variance,
            "initial_variance": self.initial_variance,
            "variance_strength": self.variance_strength,
            "scale_initializer": keras.initializers.serialize(self.scale_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "scale_regularizer": keras.regularizers.serialize(self.scale_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
        }

    def _weights(self) -> np.ndarray:
        """`w_r`, (R, 1)."""
        return answer_weights(self.answers_per_annotator, self.num_annotators, self.variable_dtype)

    def _scale_and_bias(self) -> tuple[Any, Any]:
        """`s` and `b` as the convention has them, (R, T)."""
        scale, bias = self.scale_kernel, self.bias_kernel
        weights = kops.convert_to_tensor(self._weights(), dtype=self.compute_dtype)
        if scale is not None:
            scale = ops.centered(kops.cast(scale, self.compute_dtype), weights, 1.0)
        if bias is not None:
            bias = kops.cast(bias, self.compute_dtype)
            bias = ops.centered(bias, weights * scale if self.conn_type == "B+S" else weights)
        return scale, bias

    def _build_variance(self) -> None:
        log_variance = np.log(np.broadcast_to(self.initial_variance, self.num_annotators))
        common = float(np.sum(self._weights()[:, 0] * log_variance))
        offsets = np.repeat((log_variance - common)[:, None], self._num_targets, axis=1)
        self.common_log_variance = self.add_weight(
            shape=(self._num_targets,), initializer=keras.initializers.Constant(common), name="log_variance"
        )
        self.log_variance_offset = self.add_weight(
            shape=offsets.shape,
            initializer=lambda shape, dtype=None: kops.convert_to_tensor(offsets, dtype),
            name="log_variance_offset",
        )

    def _log_variance(self) -> Any:
        return kops.cast(self.common_log_variance + self.log_variance_offset, self.compute_dtype)

    def _add_penalties(self, scale: Any, bias: Any) -> None:
        if scale is not None and self.scale_regularizer is not None:
            self.add_loss(self.scale_regularizer(scale - 1.0))
        if bias is not None and self.bias_regularizer is not None:
            self.add_loss(self.bias_regularizer(bias))
        if self.learn_variance:
            offset = ops.held(self.log_variance_offset, self.released)
            penalty = ops.variance_penalty(offset, self.variance_strength)
            self.add_loss(penalty / (sum(self.answers_per_annotator or ()) * self._num_targets))

    def _in_call(self, parameter: Any, training: bool) -> Any:
        return parameter if parameter is None or not training else ops.held(parameter, self.released)

    def _one_target(self, values: Any) -> Any:
        return values[..., 0] if self._num_targets == 1 else values

    def _as_numpy(self, parameter: Any, default: float) -> np.ndarray:
        if parameter is None:
            parameter = kops.full((self.num_annotators, self.num_targets), default)
        return kops.convert_to_numpy(self._one_target(parameter))


def _rows(parameter: Any, annotators: Any) -> Any:
    if parameter is None or annotators is None:
        return parameter
    return ops.annotator_rows(parameter, annotators)


def _variances(variance: Any, num_annotators: int) -> Any:
    values = np.empty(0) if isinstance(variance, str) else np.asarray(variance, float)
    if values.shape not in ((), (num_annotators,)) or not np.all((values > 0) & (values < np.inf)):
        raise ValueError(
            f"`initial_variance` must be positive: a number, or {num_annotators} of them. "
            f"Received: initial_variance={variance!r}"
        )
    return values.tolist()
