"""The features that the classifier of expectation maximization learns from, in memory or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import keras
import numpy as np
from keras import ops as kops

from .._arguments import finite_features, one_row_an_item
from .._data_set_items import check_each_once, predict_items, row_checksums
from .._typing import Features
from ..annotations import Annotations, rows_by_id
from ..models import one_epoch


class ArrayFeatures:
    """Features in memory: an array, or a list or dict of arrays."""

    def __init__(
        self, x: Features, num_items: int, batch_size: int, ids: Annotations | None = None
    ) -> None:
        self.x = keras.tree.map_structure(lambda part: np.asarray(rows_by_id("x", part, ids)), x)
        self.batch_size, self.num_items = batch_size, num_items
        one_row_an_item(keras.tree.flatten(self.x), num_items)
        for i, array in enumerate(keras.tree.flatten(self.x)):
            finite_features(f"array {i} of `x`", array)

    def __iter__(self) -> Iterator[tuple[Any, np.ndarray]]:
        yield self.x, np.arange(self.num_items)

    def checksums(self) -> list[np.ndarray]:
        """Returns what is known to be the same in a later call."""
        return keras.tree.flatten(self.x)

    def skip(self, passes: int) -> None:
        """Nothing: each iteration has its own order."""

    def predict(self, classifier: keras.Model) -> np.ndarray:
        """The classifier's output for every item."""
        return classifier.predict(self.x, batch_size=self.batch_size, verbose=0)

    def fit(
        self,
        classifier: keras.Model,
        targets: np.ndarray,
        informed: np.ndarray,
        epochs: int,
        rng: np.random.Generator,
    ) -> float:
        """Trains on the targets of the items (or tokens) of which anything is known; the last epoch's loss.

        Shuffled here, not by Keras, whose order after an interruption would be another.
        """
        items, history = np.flatnonzero(informed.reshape(len(informed), -1).any(axis=1)), None
        for _ in range(epochs):
            order = rng.permutation(items)
            history = classifier.fit(
                keras.tree.map_structure(lambda array, i=order: array[i], self.x),
                targets[order],
                sample_weight=informed[order].astype("float32") if informed.ndim > 1 else None,
                batch_size=self.batch_size,
                shuffle=False,
                verbose=0,
            )
        return history.history["loss"][-1]  # type: ignore[union-attr]


class BatchFeatures:
    """Features in batches `(features, items)`, `items` their rows in the answers, in any order.

    Anything that can be iterated anew for each epoch: `tf.data.Dataset`, `keras.utils.PyDataset`, a PyTorch
    `DataLoader`, a list.
    """

    def __init__(self, batches: Features, num_items: int) -> None:
        self.batches, self.num_items = batches, num_items
        self._checksums = np.zeros(num_items, np.uint64)
        self._check_items()

    def __iter__(self) -> Iterator[tuple[Any, np.ndarray]]:
        for batch in one_epoch(self.batches):
            if not isinstance(batch, list | tuple) or len(batch) != 2:
                raise ValueError(
                    "Batches of `x` must be (features, items), `items` the rows of the features in the "
                    f"answers. Received: {type(batch).__name__}"
                )
            features, items = keras.tree.map_structure(kops.convert_to_numpy, tuple(batch))
            yield features, items
        if isinstance(self.batches, keras.utils.PyDataset):
            self.batches.on_epoch_end()

    def checksums(self) -> list[np.ndarray]:
        """Returns what is known to be the same in a later call, whatever the order: a number for each item."""
        return [self._checksums]

    def skip(self, passes: int) -> None:
        """Goes through the batches so many times, for the order of the next pass may depend on those before."""
        for _ in range(passes):
            if isinstance(self.batches, keras.utils.PyDataset):
                self.batches.on_epoch_end()
            elif not isinstance(self.batches, list | tuple):
                for _ in self.batches:
                    pass

    def predict(self, classifier: keras.Model) -> np.ndarray:
        """The classifier's output for every item."""
        return predict_items(classifier, self, self.num_items)

    def fit(
        self,
        classifier: keras.Model,
        targets: np.ndarray,
        informed: np.ndarray,
        epochs: int,
        rng: np.random.Generator,
    ) -> float:
        """Trains in the order of the batches; the mean loss of the last epoch."""
        logs = {"loss": float("nan")}
        for _ in range(epochs):
            classifier.reset_metrics()
            for features, items in self:
                weight = informed[items].astype("float32")
                logs = classifier.train_on_batch(features, targets[items], weight, return_dict=True)
        return float(logs["loss"])

    def _check_items(self) -> None:
        seen = []
        for features, items in self:
            for i, array in enumerate(keras.tree.flatten(features)):
                finite_features(f"array {i} of a batch of `x`", array)
            wrong = items.ndim != 1 or items.dtype.kind not in "iu"
            if wrong or np.any((items < 0) | (items >= self.num_items)):
                raise ValueError(
                    "Batches of `x` must be (features, items), `items` integers (batch,) from 0 to "
                    f'{self.num_items - 1}, as `pipelines.CrowdBatches(..., form="items")` gives. '
                    f"Received: {items.dtype} of shape {items.shape}: {items.flat[:5]}..."
                )
            seen.append(items)
            self._checksums[items] = row_checksums(features)
        check_each_once(np.concatenate(seen) if seen else np.empty(0, int), self.num_items)


ItemFeatures: TypeAlias = ArrayFeatures | BatchFeatures
"""The features of all items, which can be gone through, predicted from and trained on."""


def is_batches(x: Features) -> bool:
    """Whether `x` gives batches, and is neither an array nor a structure of arrays (or of texts)."""
    if isinstance(x, list) and x and all(isinstance(batch, tuple) for batch in x):
        return True
    if all(hasattr(leaf, "shape") or isinstance(leaf, str | bytes) for leaf in keras.tree.flatten(x)):
        return False
    return hasattr(x, "__iter__") or isinstance(x, keras.utils.PyDataset)


def as_features(
    x: Features, num_items: int, batch_size: int, ids: Annotations | None = None
) -> ItemFeatures:
    """Arrays, their rows matched to the `ids` of the items if they have an index, or what gives batches."""
    if isinstance(x, list) and all(isinstance(batch, tuple) for batch in x):
        return BatchFeatures(x, num_items)
    leaves = keras.tree.flatten(x)
    if all(hasattr(leaf, "shape") for leaf in leaves):
        return ArrayFeatures(x, num_items, batch_size, ids)
    if hasattr(x, "__iter__") or isinstance(x, keras.utils.PyDataset):
        return BatchFeatures(x, num_items)
    raise ValueError(
        "`x` must be an array, a list or dict of arrays, or batches (features, items). "
        f"Received: {type(x).__name__}"
    )
