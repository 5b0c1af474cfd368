"""`CrowdBatches`: features and answers in batches, as Keras takes them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from .._arguments import whole_number
from .._typing import Features
from ..annotations import Answers
from ._answer_rows import Form
from ._batch_rows import BatchRows


class CrowdBatches(keras.utils.PyDataset):
    """Batches of features and answers for `fit`, whose features are read as they are needed.

    Memory grows with the number of answers, but not with the number of annotators or the size of the features. Answers
    are `"slots"`, `((x, annotators), answers)`; `"dense"`, `(x, answers)`; or none but the rows of the items, `(x,
    items)`, as `EMTrainer` takes them. A dict of features gets the annotators under `"annotators"`.

    Items that nobody answered are left out, except with `"items"`. To compare models on held-out answers, make batches
    of each part of `annotations.split()`.

    `torch_data` and `grain_data` give the same batches, and so does `tf_data`, whose slots are only as wide as each
    batch needs.

    Args:
        x: Features, row `i` of which is item `i`: an array in memory or on disk (`numpy.load(...,
            mmap_mode="r")`, HDF5, Zarr: whatever takes increasing positions), a list or dict of such; or a
            function that gives the features of the items at such positions. Rows of a data frame are matched
            to the items by its index, unless that is a plain range; an index that names other items is refused.
        annotations: `Annotations`, or a dense array of answers, hard or soft.
        batch_size: Integer. Number of items per batch. Defaults to 32.
        form: `"slots"`, `"dense"` or `"items"`. Defaults to `"slots"`.
        num_slots: Integer. Width of slots. Defaults to the highest number of answers to one item.
        shuffle: Boolean. Whether items are in another order each epoch. Defaults to `True`.
        seed: Integer. Seed of the orders. Defaults to 0.
        sample_weight: A weight for each item, `(items,)`, the third element of batches. A series is matched as `x`.
            Defaults to `None`.
        **kwargs: `workers=`, `use_multiprocessing=` and `max_queue_size=` of `keras.utils.PyDataset`.

    Raises:
        ValueError: When features and answers disagree, or an argument is out of range.

    Example:

    >>> x = np.arange(6).reshape(3, 2)
    >>> batches = keras_crowd.pipelines.CrowdBatches(x, [[0, 1], [-1, -1], [-1, 1]], 2, shuffle=False)
    >>> (features, annotators), answers = batches[0]
    >>> features.tolist(), annotators.tolist(), answers.tolist()
    ([[0, 1], [4, 5]], [[0, 1], [1, -1]], [[0, 1], [1, -1]])
    """

    def __init__(
        self,
        x: Features,
        annotations: Answers,
        batch_size: int = 32,
        *,
        form: Form = "slots",
        num_slots: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        sample_weight: npt.ArrayLike | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.batch_size = whole_number("batch_size", batch_size)
        self.form, self.num_slots, self.shuffle = form, num_slots, shuffle
        self.seed = whole_number("seed", seed, low=0)
        self._rows = BatchRows(x, annotations, form, num_slots, sample_weight)
        self.annotations = self._rows.annotations
        self._items = self._rows.used()
        self._epoch = -1
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self._items) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        if not 0 <= index < len(self):
            raise IndexError(f"`index` must be from 0 to {len(self) - 1}. Received: {index}")
        return self._rows[self._order[index * self.batch_size : (index + 1) * self.batch_size]]

    def on_epoch_end(self) -> None:
        """Draws another order, if items are shuffled."""
        self._epoch += 1
        rng = np.random.default_rng([self.seed, self._epoch])
        self._order = rng.permutation(self._items) if self.shuffle else self._items
