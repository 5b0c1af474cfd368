"""Checks of arguments, and the generators that seeds become."""

from __future__ import annotations

import zlib

import numpy as np


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
