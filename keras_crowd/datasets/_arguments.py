"""Checks of arguments, and the generators that seeds become."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt


def generator(seed: int | None, purpose: str) -> np.random.Generator:
    """A generator of random numbers for one purpose.

    Users give the same seed to everything: without a stream of its own, an answer would be drawn with
    the very number that decided its label or its annotator's confusion.
    """
    stream = zlib.crc32(purpose.encode())
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream,)))


def fraction(name: str, value: float) -> float:
    """`value` as a float between 0 and 1."""
    if np.ndim(value) != 0 or np.asarray(value).dtype.kind not in "iuf" or not 0 <= value <= 1:
        raise ValueError(f"`{name}` must be a number between 0 and 1. Received: {name}={value!r}")
    return float(value)


def class_labels(labels: npt.ArrayLike, num_classes: int | None = None) -> np.ndarray:
    """`labels` as class codes, int64 `(items,)`, below `num_classes`."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or len(labels) == 0:
        raise ValueError(
            "`labels` must be integers of shape (items,), at least one. "
            f"Received: shape {labels.shape}, dtype {labels.dtype}"
        )
    wrong = (labels < 0) | (labels >= (labels.max() + 1 if num_classes is None else num_classes))
    if np.any(wrong):
        limits = "at least 0" if num_classes is None else f"from 0 to {num_classes - 1}"
        raise ValueError(
            f"`labels` must be class codes {limits}. "
            f"Received: {labels[wrong][0]}, and {int(wrong.sum()) - 1} more that are not"
        )
    return labels.astype(np.int64)
