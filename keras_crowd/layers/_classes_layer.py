"""Base of the crowd layers of classes, of items and of the tokens of sequences."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops as kops

from .. import ops
from .._arguments import flag
from .._class_shares import class_shares
from .._typing import Config, DType, Initializer, Regularizer, Shape, Tensor
from ..aggregation import AnnotatorTable, dawid_skene_start
from ..annotations import Answers
from ..initializers import CrowdIdentity
from . import connections
from ._adapted_log_det import AdaptedLogDet
from ._adapting import Adapted, class_answers
from ._class_arguments import (
    check_confusion_regularizer,
    check_regularizers,
    check_start,
    checked_confusion,
    classifier_penalty,
    serialized_penalty,
)
from ._class_counts import ClassCounts
from ._connected_layer import ConnectedLayer
from .connections import ClassConnection, Parameter

_MANY_CLASSES = 20  # from here on it pays to bring the slots of an annotator together,
_SLOTS_TO_GROUP = 8  # if there are as many


class ClassesLayer(ConnectedLayer):
    """Predicts the logits of each annotator's answer from class probabilities by a `ClassConnection`. Abstract."""

    prediction_kind = "probabilities"
    # Whether `adapt` settles `classifier_regularizer="auto"`, which is none otherwise.
    adapts_regularizer = False

    def __init__(
        self,
        num_annotators: int,
        conn_type: connections.ClassConnType = "CM",
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
        connection = connections.get(conn_type, ClassConnection)
        super().__init__(num_annotators, connection, max_batch_slots=max_batch_slots, dtype=dtype, **kwargs)
        self._adapted: Adapted | None = None
        check_start(self.connection, initial_accuracy, kernel_initializer)
        check_regularizers(classifier_regularizer, confusion_regularizer)
        check_confusion_regularizer(confusion_regularizer, self.connection, max_batch_slots)
        self.from_logits = flag("from_logits", from_logits)
        self.initial_accuracy = initial_accuracy
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.classifier_regularizer = classifier_penalty(classifier_regularizer)
        self.confusion_regularizer = keras.regularizers.get(confusion_regularizer)

    def build_annotators(self, predictions_shape: Shape) -> None:
        self.add_connection(predictions_shape)
        if self.classifier_regularizer != "auto":
            self.add_penalty("classifier", self.classifier_regularizer, self._num_classes)
        elif self.adapts_regularizer and self.has_confusions and self.confusion_regularizer is None:
            self._penalties["classifier"] = AdaptedLogDet(
                name="classifier_penalty", dtype=self.dtype_policy
            )
        self.add_penalty("confusion", self.confusion_regularizer)
        self.class_counts = ClassCounts(self.num_classes, name="class_counts", dtype=self.dtype_policy)
        self._take_adapted()

    def adapt(
        self,
        answers: Answers,
        gold: npt.ArrayLike | None = None,
        *,
        annotator_weights: npt.ArrayLike | None = None,
        annotator_features: AnnotatorTable | None = None,
    ) -> None:
        """Starts from the confusions of hierarchical Dawid-Skene, `aggregation.dawid_skene`.

        Args:
            answers: The answers to train on, of all items: `Annotations`, or a dense array as for `fit`.
            gold: True classes of some items, integers `(items,)` or `(items, time)`, `-1` where unknown; or ids of the
                classes. They tell annotators apart where the answers alone do not. Defaults to `None`.
            annotator_weights: How many independent annotators each one counts for, `(annotators,)`, where some err
                together, as `selection.annotator_weights` finds. Defaults to `None`, 1 each.
            annotator_features: What is known of the annotators beforehand, `(annotators, features)` or columns by name,
                as in `aggregation.dawid_skene`: towards what it predicts of them those with few answers are drawn.
                Defaults to `None`.

        Raises:
            ValueError: When the answers are of another kind or number of annotators than those of the layer, or `gold`
                is not of these items and classes. Below an `ItemConnection` a layer that is not in a model yet takes
                the confusions once it is.
        """
        annotations = class_answers(answers, self._num_classes, self.answer_kind, self.num_annotators)
        if gold is not None and len(self.answer_kind.axes):
            gold = np.ravel(gold)  # of tokens
        confusion, shares = dawid_skene_start(
            annotations,
            gold=gold,
            annotator_weights=annotator_weights,
            annotator_features=annotator_features,
        )
        self._adapted = Adapted(confusion, shares, class_shares(annotations))
        if self.built:
            self._take_adapted()
        elif not self.takes_features:  # whose number tells the first call
            self.build((None,) * (1 + len(self.answer_kind.axes)) + (annotations.num_classes,))

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
            mask: Which of them are of real tokens, booleans `(batch, time)`. Defaults to `None`.
        """
        if mask is not None:
            f = ops.as_if_real(f, mask)
        return self.penalty("classifier", f) + self.confusion_penalty()

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

    def logits(
        self,
        f: Tensor,
        annotators: Tensor | None,
        training: bool,
        mask: Tensor | None,
        features: Tensor | None = None,
    ) -> Tensor:
        """Logits of the answers from what the classifier gives; in training the penalties are added to the losses."""
        if self.from_logits:
            f = kops.softmax(f, axis=-1)
        if training:
            self.class_counts.count(f, mask)
            if self.penalties:
                self.add_loss(self.class_penalties(f, mask))
        if features is not None:
            return self.item_logits(f, annotators, training, mask, features)
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

    def _take_adapted(self) -> None:
        if self._adapted is None:
            return
        confusion, shares, self.class_counts.lost.shares = self._adapted
        self._adapted = None
        confusion = checked_confusion(confusion, self.num_annotators, self.num_classes)
        self._assign(self.connection.closest_to(confusion))
        for penalty in self._penalties.values():
            penalty.adapt(shares)

    def _worth_grouping(self, f: Tensor, annotators: Tensor | None, training: bool) -> bool:
        one_device = keras.distribution.distribution() is None  # or the slots would change devices
        return (
            self._has_matrices
            and self.num_classes >= _MANY_CLASSES
            and one_device
            and len(f.shape) == 2
            and self.few_annotators(annotators, _SLOTS_TO_GROUP, training)
        )

    def start(self, name: str, parameter: Parameter) -> Initializer:
        if name == "kernel" and self.initial_accuracy is not None:
            return CrowdIdentity(ops.identity_scale(self.initial_accuracy, self.num_classes))
        given = {"bias": self.bias_initializer, "kernel": self.kernel_initializer}
        return given.get(name) or parameter.initializer
