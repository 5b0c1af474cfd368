"""`CrowdsClassification`: from the classifier's classes to each annotator's answers."""

from typing import Any, Literal

import keras
import numpy as np
from keras import ops as kops

from .. import ops
from .._arguments import number, whole_number
from .._registration import register
from ..initializers import CrowdIdentity, FromConfusion
from ._penalized_layer import PenalizedLayer, check_regularizers
from ._slots import check_annotator_dtype, check_annotators_shape, check_lazy

_KERNEL_AXES = {"MW": 2, "CM": 2, "VW": 1, "VW+B": 1, "SW": 0, "VB": None}  # class axes of the kernel
_MANY_CLASSES = 20  # from here on it pays to bring the slots of an annotator together,
_SLOTS_TO_GROUP = 8  # if there are as many
_NUMBERS_AT_ONCE = 2**22  # of confusions read out, so that nothing else grows with the annotators


@register
class CrowdsClassification(PenalizedLayer):
    """Predicts what each annotator answers, from the classifier's class probabilities.

    With class probabilities `f` of an item, the logits of annotator `r` for answer `l` are

    | `conn_type` | logits | parameters an annotator | paper |
    |---|---|---|---|
    | `"MW"` | `sum_k f_k W_rkl` | K x K | AAAI-18 |
    | `"VW"` | `w_rl f_l` | K | AAAI-18 |
    | `"VB"` | `f_l + b_rl` | K | AAAI-18 |
    | `"VW+B"` | `w_rl f_l + b_rl` | 2 K | AAAI-18 |
    | `"SW"` | `s_r f_l` | 1 | AAAI-18 |
    | `"CM"` | `log sum_k f_k A_rkl`, `A_r = softmax(W_r)` over answers | K x K | ICLR-23 |

    and `softmax` over the last axis is the predicted answer. Train on raw answers with
    `keras_crowd.losses.MaskedCrowdCrossEntropy`; the classifier below stays a plain Keras model.

    After the layer is built `kernel` has a row an annotator, `W_r` as one row of K K numbers, and `bias` one of K.

    The layer computes in the variable dtype of its policy: float32 under a global mixed precision policy.
    Keras masks end here; mark padding as missing answers.

    Args:
        num_annotators: Number of annotators, R.
        conn_type: Which connection, as above.
        from_logits: Whether the inputs are logits, to be turned into probabilities by a softmax.
        initial_accuracy: Probability, in (0, 1), with which every annotator starts to repeat a class that
            the classifier is sure of. Defaults to the papers' identity start, `e / (e + K - 1)`: .28
            for 10 classes, .027 for 100. Not for `"VB"`.
        kernel_initializer: Start of `W`, `w` or `s`, in place of `initial_accuracy`.
        bias_initializer: Start of `b`.
        classifier_regularizer: Penalty on the class probabilities of the batch, in training:
            `keras_crowd.regularizers.ClassifierLogDet`.
        confusion_regularizer: Penalty on the confusions, in training, for `"CM"`:
            `keras_crowd.regularizers.ConfusionLogDet` or `ConfusionTrace`.
        max_batch_slots: For very many annotators: the most slots that a training batch has (batch size times
            slots of an item). Then `keras_crowd.optimizers.crowd_optimizer` touches in each step only the
            annotators of the batch, by `LazyAdam`; with other optimizers nothing changes. Training is on slots
            then, without `confusion_regularizer`. Adds that many rows of parameters, which have no effect.
        dtype: Dtype policy of the layer. Defaults to the variable dtype of the global policy.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Call arguments:
        probabilities: Class probabilities `(batch, ..., classes)`.
        annotators: Annotator of each slot, integers `(batch, slots)`, negative for an empty slot, where
            the logits are -1e30 and answers are left out. Without it the answers of all annotators are predicted.

    Input shape:
        `(batch, classes)`, or `(batch, ..., classes)` of any rank.

    Output shape:
        `(batch, ..., num_annotators, classes)`; with `annotators`, `(batch, ..., slots, classes)`.

    Example:

    >>> classifier = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, "softmax")])
    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=5, conn_type="MW")
    >>> model = keras.Sequential([classifier, crowd])
    >>> model.output_shape
    (None, 5, 10)
    >>> crowd.confusion().shape
    (5, 10, 10)

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, section "Crowd layer";
        S. Ibrahim, T. Nguyen, X. Fu, "Deep learning from crowdsourced labels: coupled cross-entropy
        minimization, identifiability, and regularization", ICLR 2023.
    """

    def __init__(
        self,
        num_annotators: int,
        conn_type: Literal["MW", "VW", "VB", "VW+B", "SW", "CM"] = "MW",
        *,
        from_logits: bool = False,
        initial_accuracy: float | None = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = "zeros",
        classifier_regularizer: Any = None,
        confusion_regularizer: Any = None,
        max_batch_slots: int | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype=dtype, **kwargs)
        whole_number("num_annotators", num_annotators)
        if not isinstance(from_logits, bool):
            raise ValueError(f"`from_logits` must be a bool. Received: from_logits={from_logits!r}")
        if not isinstance(conn_type, str) or conn_type not in _KERNEL_AXES:
            raise ValueError(
                f"`conn_type` must be one of {', '.join(map(repr, _KERNEL_AXES))}. "
                f"Received: conn_type={conn_type!r}"
            )
        _check_start(conn_type, initial_accuracy, kernel_initializer)
        if confusion_regularizer is not None and conn_type != "CM":
            raise ValueError(
                f'`confusion_regularizer` must go with conn_type="CM". Received: conn_type={conn_type!r}'
            )
        check_regularizers(classifier_regularizer, confusion_regularizer)
        if max_batch_slots is not None:
            whole_number("max_batch_slots", max_batch_slots)
            check_lazy(num_annotators, confusion_regularizer)
        self.max_batch_slots = max_batch_slots
        self.num_annotators = int(num_annotators)
        self.conn_type = conn_type
        self.from_logits = from_logits
        self.initial_accuracy = initial_accuracy
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.classifier_regularizer = keras.regularizers.get(classifier_regularizer)
        self.confusion_regularizer = keras.regularizers.get(confusion_regularizer)
        self.supports_masking = True

    @property
    def num_classes(self) -> int:
        """Number of classes, known once the layer is built."""
        if not self.built:
            raise ValueError(f"Layer {self.name!r} must be built (called once) before it has classes.")
        return self._num_classes

    def build(self, probabilities_shape: Any, annotators_shape: Any = None) -> None:
        self._check_shapes(probabilities_shape, annotators_shape)
        self._num_classes = num_classes = int(probabilities_shape[-1])
        kernel_axes = _KERNEL_AXES[self.conn_type]
        if kernel_axes is not None:
            start = self.kernel_initializer or CrowdIdentity(self._initial_scale(num_classes))
            self._add_kernel((num_classes,) * kernel_axes or (1,), start)
        if self.conn_type.endswith("B"):
            self._add_bias(num_classes, self.bias_initializer)
        self._add_slot_gradients()
        self._build_regularizers(num_classes)
        self._add_released()

    def call(self, probabilities: Any, annotators: Any = None, training: bool = False) -> Any:
        check_annotator_dtype(annotators)
        if self.from_logits:
            probabilities = kops.softmax(probabilities, axis=-1)
        if training:
            for penalty in self.penalties(probabilities):
                self.add_loss(penalty)
        logits = self._answer_logits(probabilities, annotators, training)
        return logits if annotators is None else ops.without_empty_slots(logits, annotators)

    def compute_output_shape(self, probabilities_shape: Any, annotators_shape: Any = None) -> tuple:
        *items, num_classes = probabilities_shape
        width = self.num_annotators if annotators_shape is None else annotators_shape[-1]
        return (*items, width, num_classes)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        return None

    def confusion(self) -> np.ndarray:
        """What each annotator answers to each class, as the layer has learned it.

        Returns:
            NumPy `(num_annotators, true, answer)`; each row `[r, k, :]` is a distribution and sums to 1.
        """
        certain = kops.eye(self.num_classes, dtype=self.compute_dtype)
        shape = (self.num_annotators, self.num_classes, self.num_classes)
        confusion = np.empty(shape, keras.backend.standardize_dtype(self.compute_dtype))
        at_once = max(1, _NUMBERS_AT_ONCE // self.num_classes**2)
        for begin in range(0, self.num_annotators, at_once):
            some = slice(begin, begin + at_once)
            kernel, bias = (None if p is None else p[some] for p in (self.kernel, self.bias))
            logits = self._logits(certain, *self._shaped(kernel, bias))  # (true, annotators, answer)
            answers = kops.convert_to_numpy(kops.softmax(logits, axis=-1))
            confusion[some] = answers.transpose(1, 0, 2)
        return confusion

    def set_confusion(self, confusion: Any) -> None:
        """Makes `confusion()` this, for `"MW"` and `"CM"`.

        Args:
            confusion: `(num_annotators, true, answer)`, positive, rows summing to 1.

        Example:

        >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=3, conn_type="CM")
        >>> crowd.build((None, 4))
        >>> crowd.set_confusion(keras_crowd.warm_start.from_accuracy(0.8, num_classes=4, num_annotators=3))
        >>> bool(abs(crowd.confusion()[0, 1, 1] - 0.8) < 1e-6)
        True
        """
        if self.conn_type not in ("MW", "CM"):
            raise ValueError(
                f'`conn_type` must be "MW" or "CM", to take any confusion. Received: conn_type={self.conn_type!r}'
            )
        shape = (self.num_annotators, self.num_classes, self.num_classes)
        self.kernel.assign(kops.reshape(FromConfusion(confusion)(shape), self.kernel.shape))

    def log_confusion(self, annotators: Any = None, training: bool = False) -> Any:
        """`log A_rkl` of all annotators `(R, K, K)`, or of the slots `(batch, slots, K, K)`; for `"CM"`."""
        if self.conn_type != "CM":
            raise ValueError(f'`conn_type` must be "CM". Received: conn_type={self.conn_type!r}')
        if self._lazy(training):
            raise ValueError(
                "`max_batch_slots` is for models compiled with a crowd loss. "
                f"Received: max_batch_slots={self.max_batch_slots}"
            )
        return kops.log_softmax(self._rows(annotators, training)[0], axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_annotators": self.num_annotators,
            "conn_type": self.conn_type,
            "from_logits": self.from_logits,
            "initial_accuracy": self.initial_accuracy,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "classifier_regularizer": keras.regularizers.serialize(self.classifier_regularizer),
            "confusion_regularizer": keras.regularizers.serialize(self.confusion_regularizer),
            "max_batch_slots": self.max_batch_slots,
        }

    def _answer_logits(self, f: Any, annotators: Any, training: bool = False) -> Any:
        if not self._worth_grouping(f, annotators, training):
            return self._row_logits(f, annotators, training)
        groups, places = ops.annotator_groups(annotators, self.num_annotators)
        grouped = self._row_logits(ops.to_groups(f, groups, places), groups, training)
        return ops.from_groups(grouped, places)

    def _row_logits(self, f: Any, annotators: Any, training: bool) -> Any:
        if self.conn_type == "CM" and self._fewer_annotators(annotators, 2, training):
            return ops.mixture_logits(f, self._rows(None, training)[0], annotators)
        return self._logits(f, *self._rows(annotators, training))

    def _worth_grouping(self, f: Any, annotators: Any, training: bool) -> bool:
        matrices = _KERNEL_AXES[self.conn_type] == 2 and self.num_classes >= _MANY_CLASSES
        one_device = keras.distribution.distribution() is None  # or the slots would change devices
        return (
            matrices
            and one_device
            and len(f.shape) == 2
            and self._fewer_annotators(annotators, _SLOTS_TO_GROUP, training)
        )

    def _logits(self, f: Any, kernel: Any, bias: Any) -> Any:
        if self.conn_type == "CM":
            return ops.mixture_logits(f, kernel)
        if self.conn_type == "MW":
            return ops.matrix_logits(f, kernel)
        return ops.vector_logits(f, kernel, bias)

    def _initial_scale(self, num_classes: int) -> float:
        if self.initial_accuracy is None:
            return 1.0
        return ops.identity_scale(self.initial_accuracy, num_classes)

    def _check_shapes(self, probabilities_shape: Any, annotators_shape: Any) -> None:
        if len(probabilities_shape) < 2 or probabilities_shape[-1] is None or probabilities_shape[-1] < 2:
            raise ValueError(
                "`probabilities` must have shape (batch, ..., classes) with at least 2 classes. "
                f"Received: shape {tuple(probabilities_shape)}"
            )
        check_annotators_shape(annotators_shape)


def _check_start(conn_type: str, initial_accuracy: float | None, kernel_initializer: Any) -> None:
    if initial_accuracy is None:
        return
    if conn_type == "VB" or kernel_initializer is not None:
        raise ValueError(
            '`initial_accuracy` sets the start of the kernel: leave it out for conn_type="VB", which has '
            f"none, or with `kernel_initializer`. Received: initial_accuracy={initial_accuracy}"
        )
    number("initial_accuracy", initial_accuracy, above=0, below=1)
