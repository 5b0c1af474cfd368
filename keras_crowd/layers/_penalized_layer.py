"""What a crowd layer of classes does with its regularizers."""

from typing import Any

import keras
import numpy as np
from keras import ops as kops

from .. import ops
from ..regularizers import ClassifierLogDet, ConfusionLogDet, ConfusionTrace
from ._annotator_rows import AnnotatorRows


def check_regularizers(classifier_regularizer: Any, confusion_regularizer: Any) -> None:
    """Whether each penalty is given to what it is of."""
    confusions = (ConfusionLogDet, ConfusionTrace)
    if isinstance(classifier_regularizer, confusions):
        raise ValueError(
            "`classifier_regularizer` must be a penalty on class probabilities, as `ClassifierLogDet`; give this as "
            f"`confusion_regularizer=`. Received: {type(classifier_regularizer).__name__}"
        )
    if isinstance(confusion_regularizer, ClassifierLogDet):
        raise ValueError(
            "`confusion_regularizer` must be a penalty on confusions, as `ConfusionLogDet`; give this one as "
            "`classifier_regularizer=`. Received: ClassifierLogDet"
        )


class PenalizedLayer(AnnotatorRows):
    """Penalties on the class probabilities of a batch and on the confusions. Abstract.

    For a layer with `classifier_regularizer` and `confusion_regularizer`.
    """

    classifier_regularizer: Any
    confusion_regularizer: Any

    def _build_regularizers(self, num_classes: int) -> None:
        """The weights of the penalties are variables, so that schedules change them without a retrace."""
        self.classifier_weight = self._penalty_weight("classifier_weight", self.classifier_regularizer)
        self.confusion_weight = self._penalty_weight("confusion_weight", self.confusion_regularizer)
        if getattr(self.classifier_regularizer, "momentum", 0):
            self.gram = self.add_weight(
                shape=(num_classes, num_classes),
                initializer=keras.initializers.Identity(1.0 / num_classes),
                trainable=False,
                name="gram",
            )

    def _penalty_weight(self, name: str, regularizer: Any) -> Any:
        if regularizer is None:
            return None
        start = keras.initializers.Constant(getattr(regularizer, "weight", 1.0))
        return self.add_weight(shape=(), initializer=start, trainable=False, name=name)

    def penalties(self, f: Any) -> list[Any]:
        """The weighed penalties on the class probabilities of a batch and on the confusions."""
        found = []
        if self.classifier_regularizer is not None:
            found.append(self.classifier_weight * self._classifier_penalty(f))
        if self.confusion_regularizer is not None:
            found.append(self.confusion_penalty())
        return found

    def confusion_penalty(self) -> Any:
        """The weighed penalty on the confusions, 0 without `confusion_regularizer`."""
        if self.confusion_regularizer is None:
            return 0.0
        penalty = getattr(self.confusion_regularizer, "penalty", self.confusion_regularizer)
        return self.confusion_weight * penalty(kops.softmax(self._rows(None, True)[0], axis=-1))

    def reorder_classes(self, order: np.ndarray) -> None:
        """Makes true class `k` what `order[k]` was, in matrices of annotators and in the running Gram matrix."""
        matrices = kops.convert_to_numpy(self._rows(None, False)[0])
        self.kernel.assign(kops.reshape(matrices[:, order], self.kernel.shape))
        if hasattr(self, "gram"):
            self.gram.assign(kops.convert_to_numpy(self.gram)[np.ix_(order, order)])

    def _classifier_penalty(self, f: Any) -> Any:
        if getattr(self.classifier_regularizer, "momentum", 0):
            average, present = self.classifier_regularizer.running_gram(self.gram, f)
            self.gram.assign(average)
            return self.classifier_regularizer.gram_penalty(present, ops.num_rows(f))
        return getattr(self.classifier_regularizer, "penalty", self.classifier_regularizer)(f)
