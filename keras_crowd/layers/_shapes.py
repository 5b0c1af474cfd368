"""Shapes of what the model below predicts."""

from .._typing import Shape


def width_of_rows(name: str, shape: Shape, expected: str) -> int:
    """The last axis of a shape `(batch, width)`; refuses others."""
    if len(shape) != 2 or shape[-1] is None:
        raise ValueError(f"`{name}` must have shape {expected}. Received: shape {tuple(shape)}")
    return int(shape[-1])
