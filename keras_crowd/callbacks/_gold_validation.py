"""`GoldValidation`: the classifier against gold labels after each epoch."""

from collections.abc import Hashable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops as kops

from .._arguments import whole_number
from .._typing import Features
from ..annotations import id_array, labels_as_codes, rows_like
from ..ops import two_classes
from ._classifier import check_classifier, predictions


class GoldValidation(keras.callbacks.Callback):
    """Evaluates the classifier, without the crowd layer, on gold labels after each epoch.

    Adds `val_gold_loss`, `val_gold_accuracy` (or the metrics given) to the logs of the epoch. Put it before
    the callbacks that use them, as `EarlyStopping("val_gold_accuracy", mode="max")` and `ModelCheckpoint`.

    Args:
        classifier: The classifier below the crowd layer, a built Keras model of one output; `(batch, 1)`, a sigmoid,
            is the probability of class 1 of two.
        x: Features of the gold items: an array, or a list or dict of arrays for several inputs.
        y: Gold labels; for the default metrics class codes `(items,)`, `-1` where unknown: such items are left out.
            A series is matched to a data frame `x` by their indices, unless one of them is a plain range.
        batch_size: Integer. Number of items per batch. Defaults to 256.
        metrics: Keras metrics over `(y, classifier's output)`. Defaults to `SparseCategoricalAccuracy` and
            `SparseCategoricalCrossentropy`, named `accuracy` and `loss`.
        from_logits: Boolean. Whether the classifier gives logits; for the default loss.
        classes: Ids of the classes in the order of the classifier's outputs (`annotations.classes`), where `y` are such
            ids, `None` where unknown. Defaults to `None`.
        prefix: String. Put before each metric's name in the logs. Defaults to `"val_gold_"`.

    Example:

    >>> gold = keras_crowd.callbacks.GoldValidation(classifier, x_valid, y_valid)
    >>> history = model.fit(x, answers, epochs=2, callbacks=[gold], verbose=0)
    """

    def __init__(
        self,
        classifier: keras.Model,
        x: Features,
        y: npt.ArrayLike,
        *,
        batch_size: int = 256,
        metrics: list[Any] | None = None,
        from_logits: bool = False,
        classes: Sequence[Hashable] | None = None,
        prefix: str = "val_gold_",
    ) -> None:
        super().__init__()
        x = keras.tree.map_structure(lambda part: rows_like("x", part, "y", y), x)
        num_labels = len(np.asarray(y))
        lengths = {len(array) for array in keras.tree.flatten(x)}
        if lengths != {num_labels}:
            raise ValueError(
                f"`x` and `y` must have the same length. Received: {sorted(lengths)} items, {num_labels} labels"
            )
        if classes is not None:
            y = labels_as_codes("y", y, id_array("classes", classes), are_ids=True)
        y = np.asarray(y)
        if metrics is None and (y.ndim != 1 or y.dtype.kind not in "iu"):
            raise ValueError(
                "`y` must be class codes of shape (items,), unless `metrics` are given (names of classes with "
                "`classes=annotations.classes`). "
                f"Received: shape {y.shape}, dtype {y.dtype}"
            )
        check_classifier(classifier)
        if metrics is None:
            x, y = _known(x, y)
        self.classifier = classifier
        self.x = x
        self.y = y
        self.batch_size = whole_number("batch_size", batch_size)
        self.prefix = prefix
        self.from_logits = from_logits
        self._two_classes = metrics is None and classifier.output_shape[-1] == 1
        self.metrics = metrics or [
            keras.metrics.SparseCategoricalCrossentropy(name="loss", from_logits=from_logits),
            keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
        ]

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is None:
            return
        for metric in self.metrics:
            metric.reset_state()
        for batch, output in predictions(self.classifier, self.x, len(self.y), self.batch_size):
            if self._two_classes:
                output = two_classes(output, self.from_logits)
            for metric in self.metrics:
                metric.update_state(self.y[batch], output)
        for metric in self.metrics:
            logs[self.prefix + metric.name] = float(kops.convert_to_numpy(metric.result()))


def _known(x: Features, y: np.ndarray) -> tuple[Any, np.ndarray]:
    """The items with a gold label."""
    known = y >= 0
    if not known.any():
        raise ValueError("`y` must hold at least one gold label. Received: all negative")
    if known.all():  # features on disk stay there
        return x, y
    return keras.tree.map_structure(lambda array: np.asarray(array)[known], x), y[known]
