"""Checks of the annotators of slots, common to the crowd layers."""

from typing import Any


def check_annotator_dtype(annotators: Any) -> None:
    """Refuses ids that are not integers, as `keras.Input((None,))` makes them by default."""
    if annotators is not None and "int" not in str(annotators.dtype):
        raise ValueError(
            "`annotators` must be integers (use `keras.Input((None,), dtype='int32')`). "
            f"Received: dtype {annotators.dtype}"
        )


def check_annotators_shape(annotators_shape: Any) -> None:
    """Refuses ids that are not `(batch, slots)`."""
    if annotators_shape is not None and len(annotators_shape) != 2:
        raise ValueError(
            f"`annotators` must have shape (batch, slots). Received: shape {tuple(annotators_shape)}"
        )
