"""`SpanValidation`: spans of a tagger against gold tags after each epoch."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from .._typing import Features
from ..annotations import rows_like
from ..evaluation import span_scores
from ._classifier import predictions


class SpanValidation(keras.callbacks.Callback):
    """Measures precision, recall and F1 of a tagger's spans against gold tags after each epoch.

    Adds `val_gold_span_precision`, `val_gold_span_recall` and `val_gold_span_f1` to the logs of the epoch. Put it
    before the callbacks that use them.

    Args:
        tagger: A built Keras model that gives tags `(batch, time)`, as `HiddenCRF.tagger()`, or scores or
            probabilities `(batch, time, classes)`, of which the highest counts.
        x: Features of the gold sequences: an array, or a list or dict of arrays for several inputs.
        y: Gold tags, class codes `(items, time)`, negative at padding.
        labels: Names of the classes in the BIO scheme, in the order of their codes.
        batch_size: Integer. Number of sequences per batch. Defaults to 256.
        prefix: String. Put before each name in the logs. Defaults to `"val_gold_span_"`.

    Example:

    >>> encoder = keras.Sequential([keras.Input((None, 8)), keras.layers.Dense(3)])
    >>> crowd = keras_crowd.layers.CrowdsSequenceLabeling(5, "CM", initial_accuracy=0.7)
    >>> model = keras_crowd.models.HiddenCRF(encoder, crowd)
    >>> model.compile("adam")
    >>> x, tags = np.zeros((4, 6, 8), "float32"), np.zeros((4, 6), "int32")
    >>> spans = keras_crowd.callbacks.SpanValidation(model.tagger(), x, tags, ["O", "B-PER", "I-PER"])
    >>> history = model.fit(x, np.zeros((4, 6, 5), "int32"), callbacks=[spans], verbose=0)
    >>> sorted(history.history)
    ['loss', 'val_gold_span_f1', 'val_gold_span_precision', 'val_gold_span_recall']
    """

    def __init__(
        self,
        tagger: keras.Model,
        x: Features,
        y: npt.ArrayLike,
        labels: Sequence[str],
        *,
        batch_size: int = 256,
        prefix: str = "val_gold_span_",
    ) -> None:
        super().__init__()
        x = keras.tree.map_structure(lambda part: rows_like("x", part, "y", y), x)
        y = np.asarray(y)
        lengths = {len(array) for array in keras.tree.flatten(x)}
        if y.ndim != 2 or lengths != {len(y)}:
            raise ValueError(
                "`y` must be gold tags of shape (items, time), of as many items as `x`. "
                f"Received: shape {y.shape}, {sorted(lengths)} items"
            )
        if y.dtype.kind not in "iu" or y.max(initial=0) >= len(labels):
            raise ValueError(
                f"`y` must be codes of the {len(labels)} `labels`. Received: dtype {y.dtype}, highest {y.max()}"
            )
        self.tagger = tagger
        self.x = x
        self.y = y
        self.labels = list(labels)
        self.batch_size = batch_size
        self.prefix = prefix

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is None:
            return
        batches = predictions(self.tagger, self.x, len(self.y), self.batch_size)
        tags = np.concatenate([output for _, output in batches])
        tags = tags.argmax(axis=-1) if tags.ndim == 3 else tags
        scores = span_scores(self.y, tags, self.labels)
        logs.update({self.prefix + name: value for name, value in scores._asdict().items()})
