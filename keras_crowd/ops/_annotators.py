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


def slot_gradients(channel: Any, annotators: Any, row_shape: Any) -> tuple[Any, Any]:
    """Zeros for the rows of the slots `(batch, S, *row_shape)`, and a 0 for the loss.

    With both in a training step the gradient of `channel` `(N, 1 + row size)`, `N >= batch * S`, holds a slot
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
    rows = ops.reshape(silent[:, 1:], (*ops.shape(annotators), *row_shape))
    return rows, ops.sum(silent[:, 0] * ops.cast(ops.maximum(ids, -1) + 1, silent.dtype))


def annotator_sums(slots: Any, row_shape: Any) -> tuple[Any, Any, Any]:
    """Gradients of slots, as `slot_gradients` brings them, added up for each annotator.

    Returns:
        Annotators `(N,)`, each of the batch once; whether there is one, `(N, 1, ...)` against the rows (at other
        places the annotator is 0); and the sums `(N, *row_shape)`.
    """
    ids = ops.cast(ops.round(slots[:, 0]), "int32")
    order = ops.argsort(ids)
    ids, num_slots = ops.take(ids, order), slots.shape[0]
    first = ops.concatenate([ops.ones_like(ids[:1]), ops.cast(ids[1:] != ids[:-1], "int32")])
    group = ops.cumsum(first) - 1
    sums = ops.segment_sum(ops.take(slots[:, 1:], order, axis=0), group, num_segments=num_slots)
    annotators = ops.segment_sum(first * ids, group, num_segments=num_slots)
    known = ops.reshape(annotators > 0, (-1, *[1] * len(row_shape)))
    return ops.maximum(annotators - 1, 0), known, ops.reshape(sums, (num_slots, *row_shape))


def add_rows(parameter: Any, annotators: Any, rows: Any) -> Any:
    """The parameter `(R, ...)` with `rows` `(N, ...)` added at the annotators `(N,)`."""
    return ops.scatter_update(
        ops.convert_to_tensor(parameter), ops.expand_dims(annotators, -1), rows, reduction="add"
    )
