"""Batches in an order that only seed and epoch decide."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops as kops

from .._typing import Features


class Shuffled(keras.utils.PyDataset):
    """Batches of arrays for `fit(..., shuffle=False)`; Keras's own order would be another after an interruption.

    Args:
        x: An array, or a list, tuple or dict of arrays.
        y: An array.
        batch_size: Integer. Items in a batch.
        seed: Integer. Seed of the orders.
        epoch: Integer. The first epoch. Defaults to 0.
    """

    def __init__(self, x: Features, y: np.ndarray, batch_size: int, seed: int, epoch: int = 0) -> None:
        super().__init__()
        self.x, self.y = keras.tree.map_structure(np.asarray, x), y
        self.batch_size, self.seed = batch_size, seed
        self._epoch = epoch - 1
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self.y) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, np.ndarray]:
        rows = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        return keras.tree.map_structure(lambda array: as_batch(array[rows]), self.x), self.y[rows]

    def on_epoch_end(self) -> None:
        """The order of the next epoch."""
        self._epoch += 1
        self._order = np.random.default_rng([self.seed, self._epoch]).permutation(len(self.y))


def as_batch(array: np.ndarray) -> Any:
    """Strings as a tensor: Keras takes arrays of them from `fit(x)`, but not from batches."""
    return kops.convert_to_tensor(array.tolist(), "string") if array.dtype.kind in "OU" else array
