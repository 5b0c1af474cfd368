"""The features that `fit_crowd` trains on again and again: in memory, or in the batches of a data set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops as kops

from ._data_set_items import (
    ByContent,
    ByOrder,
    ByPosition,
    check_each_once,
    predict_items,
    row_checksums,
)
from ._typing import Features
from .annotations import Annotations
from .models import one_epoch, validate
from .pipelines import Shuffled, as_batch, with_annotators


class Arrays:
    """Features in memory, shuffled by seed and epoch.

    Attributes:
        batch_size: Items in a batch.
        few: Some of the features, in the structure of all.
        few_items: Their items.
        given: What the result depends on.
    """

    def __init__(self, x: Features, batch_size: int, seed: int) -> None:
        self.x, self.batch_size, self.seed = x, batch_size, seed
        self.few = keras.tree.map_structure(lambda part: np.asarray(part[:batch_size]), x)
        self.few_items = np.arange(len(keras.tree.flatten(self.few)[0]))
        self.given = {"features": x, "batch_size": batch_size}

    def __len__(self) -> int:
        return -(-len(keras.tree.flatten(self.x)[0]) // self.batch_size)

    def read(self, annotations: Annotations | None, num_classes: int) -> Annotations:
        """The answers, which must be there."""
        if annotations is None:
            raise ValueError("`answers` must be given where `x` is no data set. Received: answers=None")
        return annotations

    def check(self, model: keras.Model, ids: np.ndarray, answers: np.ndarray) -> None:
        """Refuses what does not fit the model."""
        validate(model, with_annotators(self.x, ids), answers)

    def answered(
        self, ids: np.ndarray, answers: np.ndarray, epoch: int, replica: int | None = None
    ) -> keras.utils.PyDataset:
        """Batches for `fit`, from an epoch on; each replica has an order of its own."""
        seed = self.seed if replica is None else self.seed + (1 + replica) * 2**32
        return Shuffled(with_annotators(self.x, ids), answers, self.batch_size, seed, epoch)

    def predict(self, classifier: keras.Model) -> np.ndarray:
        """The classifier's output for every item."""
        return classifier.predict(self.x, batch_size=self.batch_size, verbose=0)


class Batches:
    """Features in the batches of a data set, which stays where it is and is read anew for each epoch.

    Args:
        data: The data set.
        has_answers: Boolean. Whether the answers to the items are given beside it.
        prepare: What the features of each batch go through first.
        num_inputs: Integer. Of the classifier, `None` where they are not known.

    Attributes: As those of `Arrays`.
    """

    given: dict[str, Any]
    batch_size: int

    def __init__(
        self,
        data: Features,
        has_answers: bool,
        prepare: Callable[[Features], Features],
        num_inputs: int | None,
    ) -> None:
        self._data, self._prepare = data, prepare
        batch = next(one_epoch(data), None)
        if batch is None:
            raise ValueError("A data set must have a batch. Received: none")
        self._kind = _kind(_as_numpy(batch), has_answers, num_inputs)
        self.few, _ = self._split(batch)
        self._epoch, self._next = iter(()), 0

    def __len__(self) -> int:
        return self._num_batches

    def __getitem__(self, index: int) -> tuple[Any, np.ndarray]:
        features, rest = self._split(self._batch(index))
        items = self._kind.items(index, features, rest)
        return keras.tree.map_structure(as_batch, features), items

    def read(self, annotations: Annotations | None, num_classes: int) -> Annotations:
        """Reads it once, numbers its items, and returns the answers to them."""
        size = None if annotations is None else annotations.num_items
        items, checksums = [], []
        for batch in one_epoch(self._data):
            features, rest = self._split(batch)
            items.append(self._kind.number(features, rest))
            checksums.append(row_checksums(features))
            if size is not None and sum(map(len, items)) > size:
                break
        self._num_batches, self.few_items = len(items), items[0]
        self.batch_size = max(map(len, items))
        if annotations is None:
            annotations = self._kind.annotations(num_classes)  # type: ignore[union-attr]
        order = np.concatenate(items)
        check_each_once(order, annotations.num_items)
        by_item = np.zeros(len(order), np.uint64)
        by_item[order] = np.concatenate(checksums)
        self.given = {"features": by_item, "batch_size": None}
        self.on_epoch_end()
        return annotations

    def check(self, model: keras.Model, ids: np.ndarray, answers: np.ndarray) -> None:
        """Refuses what does not fit the model, or another epoch that is not of the same rows."""
        validate(model, self.answered(ids, answers, 0))

    def answered(
        self, ids: np.ndarray, answers: np.ndarray, epoch: int, replica: int | None = None
    ) -> keras.utils.PyDataset:
        """Batches for `fit`; in which order, the data set says."""
        return _Answered(self, ids, answers)

    def predict(self, classifier: keras.Model) -> np.ndarray:
        """The classifier's output for every item."""
        batches = (self[i] for i in range(len(self)))
        return predict_items(classifier, batches, len(self.given["features"]))

    def on_epoch_end(self) -> None:
        """Tells the data set."""
        if isinstance(self._data, keras.utils.PyDataset):
            self._data.on_epoch_end()

    def workers(self) -> dict[str, Any]:
        """Reads batches beside training, from a data set that knows them by index."""
        names = ("workers", "use_multiprocessing", "max_queue_size")
        known = isinstance(self._data, keras.utils.PyDataset)
        return {name: getattr(self._data, name) for name in names} if known else {}

    def _split(self, batch: Any) -> tuple[Any, Any]:
        features, rest = self._kind.split(_as_numpy(batch))
        return self._prepare(features), rest

    def _batch(self, index: int) -> Any:
        """The batch at an index, of data sets that only know the next one by reading on."""
        if isinstance(self._data, keras.utils.PyDataset):
            return self._data[index]
        if index == 0:
            self._epoch, self._next = one_epoch(self._data), 0
        batch = next(self._epoch, None) if index == self._next else None
        self._next += 1
        if batch is None:
            raise ValueError(
                f"A data set must give as many batches each time, {len(self)}. Received: none at {index}"
            )
        return batch


class _Answered(keras.utils.PyDataset):
    """Batches with the answers to their items."""

    def __init__(self, features: Batches, ids: np.ndarray, answers: np.ndarray) -> None:
        super().__init__(**features.workers())
        self._features, self._ids, self._answers = features, ids, answers

    def __len__(self) -> int:
        return len(self._features)

    def __getitem__(self, index: int) -> tuple[Any, np.ndarray]:
        x, items = self._features[index]
        return with_annotators(x, self._ids[items]), self._answers[items]

    def on_epoch_end(self) -> None:
        self._features.on_epoch_end()


def _kind(
    batch: tuple[Any, ...], has_answers: bool, num_inputs: int | None
) -> ByPosition | ByOrder | ByContent:
    """Decides from the first batch how items are recognized."""
    if not has_answers and len(batch) == 2:
        return ByContent(num_inputs)
    if has_answers and len(batch) == 1:
        return ByOrder()
    second = batch[1] if len(batch) == 2 else None
    if isinstance(second, np.ndarray) and second.ndim == 1 and second.dtype.kind in "iu":
        return ByPosition()
    raise ValueError(
        "Batches of a data set must be features alone, in the order of the answers' items, or (features, items), items "
        "their positions; and where `answers` is left out (features, answers). "
        f"Received: batches of {len(batch)} parts, `answers` {'given' if has_answers else 'left out'}"
    )


def _as_numpy(batch: Any) -> tuple[Any, ...]:
    """A batch as the parts that `fit` would see."""
    parts = tuple(batch) if isinstance(batch, list | tuple) else (batch,)
    return tuple(keras.tree.map_structure(kops.convert_to_numpy, parts))
