"""Checks of the annotators of slots, common to the crowd layers."""

from typing import Any

# How the names of variables end that stand beside the parameters and bring the gradients of slots.
SLOT_GRADIENTS = "_slot_gradients"
SLOT_IDS = "annotators"  # beside no parameter, the first of them


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


def check_lazy(num_annotators: int, confusion_regularizer: Any) -> None:
    """Refuses what cannot go with `max_batch_slots`."""
    if confusion_regularizer is not None:
        raise ValueError(
            "`confusion_regularizer` is over all annotators and cannot go with `max_batch_slots`. "
            f"Received: {confusion_regularizer!r}"
        )
    if num_annotators >= 2**24:
        raise ValueError(
            "`num_annotators` must be below 2^24 with `max_batch_slots`: ids go through float32. "
            f"Received: num_annotators={num_annotators}"
        )
