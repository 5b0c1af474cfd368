"""Parameters of annotators: leading axis `(R, ...)`, or of the slots of each item, `(batch, S, ...)`."""

import keras
import numpy.typing as npt
from keras import ops as kops

from .._older_keras import add_at
from .._typing import Tensor

NOBODY = -1e30  # what is predicted where no annotator answers
SLOT_GRADIENTS = "_slot_gradients"
"""The ending of the names of variables that stand beside parameters and bring the gradients of slots."""

SLOT_IDS = "ids"
"""The name of the one that brings the annotators of the slots, before that ending; it stands beside no parameter."""


def annotator_rows(parameter: Tensor, annotators: Tensor) -> Tensor:
    """The rows of `parameter` `(R, ...)` that belong to each item's annotators, `(batch, S, ...)`.

    An empty slot (a negative id) gets some row, to be masked by its missing answer; an id that does not
    exist gets `NaN`, so that it cannot go unnoticed.
    """
    num_annotators = parameter.shape[0]
    # Times 1, or TensorFlow would give the gradient slot by slot, and Keras's Adam square each before adding up.
    rows = kops.take(parameter * 1.0, kops.clip(annotators, 0, num_annotators - 1), axis=0)
    wrong = kops.cast(kops.where(annotators >= num_annotators, float("nan"), 0.0), rows.dtype)
    return rows + kops.reshape(wrong, (*kops.shape(annotators), *[1] * (len(rows.shape) - 2)))


def with_nobody(parameter: Tensor) -> Tensor:
    """The parameter `(R, ...)` with a row of `NaN` more, for annotators who do not exist."""
    return kops.concatenate([parameter, kops.full_like(parameter[:1], float("nan"))], axis=0)


def rows_of_few(table: Tensor, annotators: Tensor) -> Tensor:
    """The rows of slots in what `with_nobody` gave: where annotators are fewer, cheaper than a test of each slot."""
    return existing_rows(table, kops.clip(annotators, 0, table.shape[0] - 1))


def existing_rows(table: Tensor, places: Tensor) -> Tensor:
    """Rows `(batch, S, ...)` of `table` `(N, ...)` at places between 0 and N - 1."""
    if keras.config.backend() == "jax":  # whose `take` tests every number of every row again
        return table[places]
    return kops.take(table, places, axis=0)


def rows_of_weights(weights: npt.ArrayLike, annotators: Tensor | None) -> Tensor:
    """Weights `(R,)` of the annotators: themselves, or those of the slots, `(batch, S)`; of an empty slot any."""
    values = kops.convert_to_tensor(weights, dtype="float32")
    return values if annotators is None else rows_of_few(values, annotators)


def weighted_log_confusion(log_confusion: Tensor, weights: Tensor | None) -> Tensor:
    """`w_r log A_r`, with weights `(R,)` of the annotators or `(batch, S)` of the slots; `None` for 1 each."""
    if weights is None:
        return log_confusion
    return log_confusion * kops.cast(weights[..., None, None], log_confusion.dtype)


def weighted_count(answered: Tensor, weights: Tensor | None) -> Tensor:
    """Sum of the weights, `(R,)` or `(batch, S)`, of the answers there are: booleans `(batch, ..., R or S)`."""
    count = kops.cast(answered, "float32")
    if weights is None:
        return kops.sum(count)
    for _ in range(len(answered.shape) - 2 if len(weights.shape) > 1 else 0):
        weights = kops.expand_dims(weights, 1)
    return kops.sum(count * weights)


def without_empty_slots(predictions: Tensor, annotators: Tensor, axis: int) -> Tensor:
    """Predictions `(batch, ..., S, ...)`, marked where there is no annotator: answers there are left out.

    `axis` is that of the slots.
    """
    after = len(predictions.shape) - axis - 1
    if (
        axis == 1 and after == 1 and predictions.shape[-1]
    ):  # XLA fetches rows faster than it broadcasts a test
        table = kops.convert_to_tensor([[False] * predictions.shape[-1], [True] * predictions.shape[-1]])
        empty = kops.take(table, 1 - kops.clip(annotators + 1, 0, 1), axis=0)
        return kops.where(empty, kops.cast(NOBODY, predictions.dtype), predictions)
    empty = kops.reshape(annotators < 0, (-1, *[1] * (axis - 1), kops.shape(annotators)[1], *[1] * after))
    return kops.where(empty, kops.cast(NOBODY, predictions.dtype), predictions)


def is_somebody(predictions: Tensor) -> Tensor:
    """Marks the predictions that belong to somebody."""
    return kops.logical_not(predictions <= 0.5 * NOBODY)  # which may have been rounded


def held(parameter: Tensor, released: Tensor) -> Tensor:
    """The same, with a gradient times `released`, 1 or 0: a variable, so that `CrowdFreeze` needs no retrace."""
    parameter = kops.convert_to_tensor(parameter)
    still = kops.stop_gradient(parameter)
    return still + released * (parameter - still)


def centered(parameter: Tensor, weights: Tensor, mean: float = 0.0) -> Tensor:
    """The parameter `(R, T)` moved so that its mean, weighted by `weights` `(R, 1)` that sum to 1, is `mean`."""
    weights = kops.convert_to_tensor(weights, dtype=parameter.dtype)
    return parameter + (mean - kops.sum(weights * parameter, axis=0, keepdims=True))


def slot_ids(channel: Tensor, annotators: Tensor) -> Tensor:
    """A 0 for the loss; with it the gradient of `channel` `(N,)`, `N >= batch * S`, holds the annotators of the slots.

    They are ids + 1, and 0 for an empty slot.
    """
    ids = kops.reshape(annotators, (-1,))
    if isinstance(ids.shape[0], int) and ids.shape[0] > channel.shape[0]:
        raise ValueError(
            f"`max_batch_slots` must be at least the batch size times the slots of an item, {ids.shape[0]}. "
            f"Received: max_batch_slots={channel.shape[0]}"
        )
    silent = _silent(channel, ids)
    return kops.sum(silent * kops.cast(kops.maximum(ids, -1) + 1, silent.dtype))


def slot_gradients(channel: Tensor, annotators: Tensor) -> Tensor:
    """Zeros for the rows of the slots `(batch, S, n)`: the gradient of `channel` `(N, n)` holds theirs, one by one."""
    silent = _silent(channel, kops.reshape(annotators, (-1,)))
    return kops.reshape(silent, (*kops.shape(annotators), channel.shape[1]))


def _silent(channel: Tensor, ids: Tensor) -> Tensor:
    channel = kops.convert_to_tensor(channel)
    return (channel - kops.stop_gradient(channel))[: kops.shape(ids)[0]]


def slot_owners(ids: Tensor, owners: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Finds the slots that speak for their annotator, from the gradient `(N,)` that `slot_ids` brings.

    One of an annotator's slots is its owner: whichever wrote its place last into `owners` `(R + 1,)`, of which
    nothing is read that was not written just now.

    Returns:
        Annotators `(N,)` of the slots; the place of the owner of each, `(N,)`; which slots are owners, `(N, 1)`; and
        `owners`.
    """
    ids, places = kops.cast(kops.round(ids), "int32"), kops.arange(ids.shape[0], dtype="int32")
    owners = kops.scatter_update(
        kops.convert_to_tensor(owners), kops.expand_dims(ids, -1), kops.cast(places, owners.dtype)
    )
    owner = kops.cast(kops.take(owners, ids), "int32")
    owning = kops.expand_dims(kops.logical_and(owner == places, ids > 0), -1)
    return kops.maximum(ids - 1, 0), owner, owning, owners


def add_rows(parameter: Tensor, annotators: Tensor, rows: Tensor) -> Tensor:
    """The parameter `(R, ...)` with `rows` `(N, ...)` added at the annotators `(N,)`."""
    return add_at(kops.convert_to_tensor(parameter), annotators, rows)
