"""Base of the crowd layers of classes, of items and of the tokens of sequences."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops as kops

from .. import ops
from .._arguments import flag
from .._lost_classes import class_shares
from .._typing import Config, DType, Initializer, Regularizer, Shape, Tensor
from ..aggregation import dawid_skene_start
from ..annotations import Answers
from ..initializers import CrowdIdentity
from . import connections
from ._adapted_log_det import AdaptedLogDet
from ._adapting import class_answers
from ._class_arguments import (
    check_confusion_regularizer,
    check_regularizers,
    check_start,
    classifier_penalty,
    serialized_penalty,
)
from ._class_counts import ClassCounts
from ._crowd_layer import CrowdLayer
from .connections import ClassConnection, Parameter

_MANY_CLASSES = 20  # from here on it pays to bring the slots of an annotator together,
_SLOTS_TO_GROUP = 8  # if there are as many
_NUMBERS_AT_ONCE = 2**22  # of confusions read out, so that nothing else grows with the annotators


class ClassesLayer(CrowdLayer):
    """Predicts the logits of each annotator's answer from class probabilities by a `ClassConnection`. Abstract."""

    prediction_kind = "probabilities"
    # Whether `adapt` settles `classifier_regularizer="auto"`, which is none otherwise.
    adapts_regularizer = False

    def __init__(
        self,
        num_annotators: int,
        conn_type: connections.ClassConnType = "MW",
        *,
        from_logits: bool = False,
        initial_accuracy: float | None = None,
        kernel_initializer: Initializer = None,
        bias_initializer: Initializer = None,
        classifier_regularizer: Regularizer = None,
        confusion_regularizer: Regularizer = None,
        max_batch_slots: int | None = None,
        dtype: DType = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_annotators, max_batch_slots=max_batch_slots, dtype=dtype, **kwargs)
        self._num_classes: int | None = None
        self.connection = connections.get(conn_type, ClassConnection)
        check_start(self.connection, initial_accuracy, kernel_initializer)
        check_regularizers(classifier_regularizer, confusion_regularizer)
        check_confusion_regularizer(confusion_regularizer, self.connection, max_batch_slots)
        self.from_logits = flag("from_logits", from_logits)
        self.initial_accuracy = initial_accuracy
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.classifier_regularizer = classifier_penalty(classifier_regularizer)
        self.confusion_regularizer = keras.regularizers.get(confusion_regularizer)

    @property
    def conn_type(self) -> str:
        """Name of the connection."""
        return self.connection.name

    @property
    def permutable(self) -> bool:
        """Whether the connection can put its true classes in another order."""
        return self.connection.permutable

    @property
    def has_confusions(self) -> bool:
        """Whether the connection is a confusion matrix per annotator."""
        return self.connection.is_confusion

    @property
    def num_classes(self) -> int:
        """Number of classes, known once the layer is built."""
        if self._num_classes is None:
            raise ValueError(f"Layer {self.name!r} must be built (called once) before it has classes.")
        return self._num_classes

    @property
    def kernel(self) -> Any:
        """The variable of `W`, `w` or `s`, a row per annotator; `None` where there is none."""
        return self.annotators["kernel"] if "kernel" in self.annotators.names() else None

    @property
    def bias(self) -> Any:
        """The variable of `b`, a row per annotator; `None` where there is none."""
        return self.annotators["bias"] if "bias" in self.annotators.names() else None

    def build_annotators(self, predictions_shape: Shape) -> None:
        num_classes = predictions_shape[-1]
        if len(predictions_shape) < 2 or num_classes is None or num_classes < 2:
            raise ValueError(
                "`probabilities` must have shape (batch, ..., classes) with at least 2 classes. "
                f"Received: shape {tuple(predictions_shape)}"
            )
        self._num_classes = int(num_classes)
        parameters = self.connection.parameters(self._num_classes)
        for name, parameter in parameters.items():
            self.add_parameter(name, parameter.shape, self._start(name, parameter))
        self._shared = {
            name: self.add_weight(shape=parameter.shape, initializer=parameter.initializer, name=name)
            for name, parameter in self.connection.shared_parameters(self._num_classes).items()
        }
        self._has_matrices = any(len(parameter.shape) == 2 for parameter in parameters.values())
        if self.classifier_regularizer != "auto":
            self.add_penalty("classifier", self.classifier_regularizer, self._num_classes)
        elif self.adapts_regularizer and self.has_confusions and self.confusion_regularizer is None:
            self._penalties["classifier"] = AdaptedLogDet(
                name="classifier_penalty", dtype=self.dtype_policy
            )
        self.add_penalty("confusion", self.confusion_regularizer)
        self.class_counts = ClassCounts(self._num_classes, name="class_counts", dtype=self.dtype_policy)

    def predicted_shape(self, predictions_shape: Shape) -> tuple[int | None, ...]:
        return (predictions_shape[-1],)

    def confusion(self) -> np.ndarray:
        """Returns what each annotator answers to each class, as the layer has learned it.

        Returns:
            NumPy `(num_annotators, true, answer)`; each row `[r, k, :]` is a distribution and sums to 1.
        """
        certain = kops.eye(self.num_classes, dtype=self.compute_dtype)
        shape = (self.num_annotators, self.num_classes, self.num_classes)
        confusion = np.empty(shape, keras.backend.standardize_dtype(self.compute_dtype))
        at_once = max(1, _NUMBERS_AT_ONCE // self.num_classes**2)
        for begin in range(0, self.num_annotators, at_once):
            some = slice(begin, begin + at_once)
            logits = self.connection.logits(certain, **self.annotators.of_all(some), **self._common(False))
            answers = kops.convert_to_numpy(kops.softmax(logits, axis=-1))  # (true, annotators, answer)
            confusion[some] = answers.transpose(1, 0, 2)
        return confusion

    def set_confusion(self, confusion: np.ndarray) -> None:
        """Makes `confusion()` this, for connections that can have any confusion: `"MW"` and `"CM"`.

        Args:
            confusion: `(num_annotators, true, answer)`, positive, rows summing to 1.

        Example:

        >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=3, conn_type="CM")
        >>> crowd.build((None, 4))
        >>> crowd.set_confusion(keras_crowd.warm_start.from_accuracy(0.8, num_classes=4, num_annotators=3))
        >>> bool(abs(crowd.confusion()[0, 1, 1] - 0.8) < 1e-6)
        True
        """
        confusion = np.asarray(confusion, float)
        shape = (self.num_annotators, self.num_classes, self.num_classes)
        if confusion.shape != shape:
            raise ValueError(f"`confusion` must have shape {shape}. Received: {confusion.shape}")
        parameters = self.connection.from_confusion(confusion)
        if parameters is None:
            raise ValueError(
                '`conn_type` must be "MW" or "CM", to take any confusion. '
                f"Received: conn_type={self.conn_type!r}"
            )
        self._assign(parameters)

    def adapt(self, answers: Answers, gold: npt.ArrayLike | None = None) -> None:
        """Starts from the confusions of hierarchical Dawid-Skene, `aggregation.dawid_skene`.

        Args:
            answers: The answers to train on, of all items: `Annotations`, or a dense array as for `fit`.
            gold: True classes of some items, integers `(items,)` or `(items, time)`, `-1` where unknown; or ids of the
                classes. They tell annotators apart where the answers alone do not. Defaults to `None`.

        Raises:
            ValueError: When the answers are of another kind or number of annotators than those of the layer, or `gold`
                is not of these items and classes.
        """
        annotations = class_answers(answers, self._num_classes, self.answer_kind, self.num_annotators)
        if gold is not None and len(self.answer_kind.axes):
            gold = np.ravel(gold)  # of tokens
        confusion, shares = dawid_skene_start(annotations, gold=gold)
        if not self.built:
            self.build((None,) * (1 + len(self.answer_kind.axes)) + (annotations.num_classes,))
        self._assign(self.connection.closest_to(confusion))
        for penalty in self._penalties.values():
            penalty.adapt(shares)
        self.class_counts.lost.shares = class_shares(annotations)

    def log_confusion(self, annotators: Tensor | None = None, training: bool = False) -> Tensor:
        """`log A_rkl` of all annotators `(R, K, K)`, or of the slots `(batch, slots, K, K)`; for `"CM"`."""
        if not self.connection.is_confusion:
            raise ValueError(f'`conn_type` must be "CM". Received: conn_type={self.conn_type!r}')
        if self.annotators.lazy(training):
            raise ValueError(
                "`max_batch_slots` is for models compiled with a crowd loss. "
                f"Received: max_batch_slots={self.max_batch_slots}"
            )
        return self.connection.log_confusion(**self.rows(annotators, training), **self._common(training))

    def confusion_penalty(self) -> Tensor | float:
        """The weighed penalty on the confusions, 0 without `confusion_regularizer`."""
        if "confusion" not in self.penalties:
            return 0.0
        log_confusion = self.connection.log_confusion(**self.rows(None, True), **self._common(True))
        return self.penalty("confusion", kops.exp(log_confusion))

    def class_penalties(self, f: Tensor, mask: Tensor | None = None) -> Tensor | float:
        """The weighed penalties on class probabilities `(batch, ..., K)` and on the confusions, added up.

        Args:
            f: Class probabilities of a batch.
            mask: Which of them are of real tokens, booleans `(batch, time)`.
        """
        if mask is not None:
            f = ops.as_if_real(f, mask)
        return self.penalty("classifier", f) + self.confusion_penalty()

    def permute_classes(self, order: np.ndarray) -> None:
        if not self.permutable:
            super().permute_classes(order)
        parameters = {**self.annotators.of_all(), **self._common(False)}
        arrays = {name: kops.convert_to_numpy(parameter) for name, parameter in parameters.items()}
        self._assign(self.connection.permuted(order, **arrays))
        for penalty in self.penalties.values():
            penalty.permute_classes(order)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "conn_type": connections.serialize(self.connection),
            "from_logits": self.from_logits,
            "initial_accuracy": self.initial_accuracy,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "classifier_regularizer": serialized_penalty(self.classifier_regularizer),
            "confusion_regularizer": keras.regularizers.serialize(self.confusion_regularizer),
        }

    def logits(self, f: Tensor, annotators: Tensor | None, training: bool, mask: Tensor | None) -> Tensor:
        """Logits of the answers from what the classifier gives; in training the penalties are added to the losses."""
        if self.from_logits:
            f = kops.softmax(f, axis=-1)
        if training:
            self.class_counts.count(f, mask)
            if self.penalties:
                self.add_loss(self.class_penalties(f, mask))
        if not self._worth_grouping(f, annotators, training):
            return self._row_logits(f, annotators, training)
        groups, places = ops.annotator_groups(annotators, self.num_annotators)
        grouped = self._row_logits(ops.to_groups(f, groups, places), groups, training)
        return ops.from_groups(grouped, places)

    def _row_logits(self, f: Tensor, annotators: Tensor | None, training: bool) -> Tensor:
        common = self._common(training)
        if self.few_annotators(annotators, 2, training):
            return self.connection.slot_logits(f, annotators, **self.rows(None, training), **common)
        return self.connection.logits(f, **self.rows(annotators, training), **common)

    def _common(self, training: bool) -> dict[str, Tensor]:
        """The parameters that all annotators share."""
        return {name: self.held(variable, training) for name, variable in self._shared.items()}

    def _assign(self, parameters: dict[str, Any]) -> None:
        for name, values in parameters.items():
            if name in self._shared:
                self._shared[name].assign(values)
            else:
                self.annotators.assign(name, values)

    def _worth_grouping(self, f: Tensor, annotators: Tensor | None, training: bool) -> bool:
        one_device = keras.distribution.distribution() is None  # or the slots would change devices
        return (
            self._has_matrices
            and self.num_classes >= _MANY_CLASSES
            and one_device
            and len(f.shape) == 2
            and self.few_annotators(annotators, _SLOTS_TO_GROUP, training)
        )

    def _start(self, name: str, parameter: Parameter) -> Initializer:
        if name == "bias" and self.bias_initializer is not None:
            return self.bias_initializer
        if name != "kernel":
            return parameter.initializer
        if self.initial_accuracy is not None:
            return CrowdIdentity(ops.identity_scale(self.initial_accuracy, self.num_classes))
        return self.kernel_initializer or parameter.initializer
