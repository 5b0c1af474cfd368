"""Parameters of annotators: leading axis `(R, ...)`, or of the slots of each item, `(batch, S, ...)`."""

from typing import Any

from keras import ops


def annotator_rows(parameter: Any, annotators: Any) -> Any:
    """The rows of `parameter` `(R, ...)` that belong to each item's annotators, `(batch, S, ...)`.

    An empty slot (a negative id) gets some row, to be masked by its missing answer; an id that does not
    exist gets `NaN`, so that it cannot go unnoticed.
    """
    num_annotators = parameter.shape[0]
    # Times 1, or TensorFlow would give the gradient slot by slot, and Keras's Adam square each before adding up.
    rows = ops.take(parameter * 1.0, ops.clip(annotators, 0, num_annotators - 1), axis=0)
    wrong = ops.cast(ops.where(annotators >= num_annotators, float("nan"), 0.0), rows.dtype)
    return rows + ops.reshape(wrong, (*ops.shape(annotators), *[1] * (len(rows.shape) - 2)))


def held(parameter: Any, released: Any) -> Any:
    """The same, with a gradient times `released`, 1 or 0: a variable, so that `CrowdFreeze` needs no retrace."""
    parameter = ops.convert_to_tensor(parameter)
    still = ops.stop_gradient(parameter)
    return still + released * (parameter - still)


def centered(parameter: Any, weights: Any, mean: float = 0.0) -> Any:
    """The parameter `(R, T)` moved so that its mean, weighted by `weights` `(R, 1)` that sum to 1, is `mean`."""
    weights = ops.convert_to_tensor(weights, dtype=parameter.dtype)
    return parameter + (mean - ops.sum(weights * parameter, axis=0, keepdims=True))


def slot_gradients(channel: Any, annotators: Any) -> tuple[Any, Any]:
    """Zeros for the rows of the slots `(batch, S, n)`, and a 0 for the loss.

    With both in a training step the gradient of `channel` `(N, 1 + n)`, `N >= batch * S`, holds a slot
    a row: the id of its annotator + 1 (0 for an empty slot), and the gradient of its parameters.
    """
    ids = ops.reshape(annotators, (-1,))
    if isinstance(ids.shape[0], int) and ids.shape[0] > channel.shape[0]:
        raise ValueError(
            f"`max_batch_slots` must be at least the batch size times the slots of an item, {ids.shape[0]}. "
            f"Received: max_batch_slots={channel.shape[0]}"
        )
    channel = ops.convert_to_tensor(channel)
    silent = (channel - ops.stop_gradient(channel))[: ops.shape(ids)[0]]
    rows = ops.reshape(silent[:, 1:], (*ops.shape(annotators), channel.shape[1] - 1))
    return rows, ops.sum(silent[:, 0] * ops.cast(ops.maximum(ids, -1) + 1, silent.dtype))


def annotator_sums(slots: Any, owners: Any) -> tuple[Any, Any, Any, Any]:
    """Gradients of slots, as `slot_gradients` brings them, added up for each annotator.

    One of an annotator's slots is its owner: whichever wrote its place last into `owners` `(R + 1,)`, of which
    nothing is read that was not written just now.

    Returns:
        Annotators `(N,)` of the slots; which slots are owners, `(N, 1)`; the sums `(N, n)`, zeros at
        others; and `owners`.
    """
    ids, places = ops.cast(ops.round(slots[:, 0]), "int32"), ops.arange(slots.shape[0], dtype="int32")
    owners = ops.scatter_update(
        ops.convert_to_tensor(owners), ops.expand_dims(ids, -1), ops.cast(places, owners.dtype)
    )
    owner = ops.cast(ops.take(owners, ids), "int32")
    sums = ops.segment_sum(slots[:, 1:], owner, num_segments=slots.shape[0])
    owning = ops.logical_and(owner == places, ids > 0)
    return ops.maximum(ids - 1, 0), ops.expand_dims(owning, -1), sums, owners


def add_rows(parameter: Any, annotators: Any, rows: Any) -> Any:
    """The parameter `(R, ...)` with `rows` `(N, ...)` added at the annotators `(N,)`."""
    return ops.scatter_update(
        ops.convert_to_tensor(parameter), ops.expand_dims(annotators, -1), rows, reduction="add"
    )
