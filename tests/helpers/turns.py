"""Which cases run under one backend alone: what they show does not depend on it, and a run under each is dear.

`pytest.mark.by_turns` sends the cases of a test round the backends, or round those named;
`pytest.mark.only_under("torch")` sends a test to one. `KERAS_CROWD_EVERY_TURN=1` runs all of them everywhere. Values of
layers, losses and ops, the contracts and what is compiled by XLA are never sent round.
"""

import os
import zlib

import keras
import pytest

BACKENDS = ("tensorflow", "jax", "torch")


def turn(item: pytest.Item) -> str | None:
    """The backend of a case that runs under one alone."""
    named = [mark.args for mark in item.iter_markers("only_under")]
    round_ = [mark.args or BACKENDS for mark in item.iter_markers("by_turns")]
    if not named + round_ or os.environ.get("KERAS_CROWD_EVERY_TURN"):
        return None
    backends = (named + round_)[0]
    if not set(backends) <= set(BACKENDS):
        raise pytest.UsageError(f"{item.nodeid} is sent to {backends}. There are {BACKENDS}")
    case = sum(item.callspec.indices.values()) if hasattr(item, "callspec") else 0
    backend = backends[(case + zlib.crc32(item.originalname.encode())) % len(backends)]
    if backend == keras.backend.backend() and any(mark.args[0] for mark in item.iter_markers("skipif")):
        raise pytest.UsageError(f"{item.nodeid} has its turn under {backend}, where it is skipped")
    return backend
