"""Slots of one annotator brought together, so that the matrix of an annotator is fetched for many answers at once."""

from keras import ops

from .._typing import Tensor

_SIZE = 16  # slots of a group: larger ones are emptier, smaller ones more


def annotator_groups(annotators: Tensor, num_annotators: int) -> tuple[Tensor, Tensor]:
    """Groups of at most 16 slots of the same annotator.

    Args:
        annotators: Annotator of each slot `(batch, S)`, negative for an empty one.
        num_annotators: R.

    Returns:
        The annotator of each group `(G, 1)`, negative for groups that are empty or of empty slots; and the place of
        each slot `(batch, S)` among all of the groups' `16 G`. G follows from shapes alone.
    """
    ids = ops.clip(ops.reshape(annotators, (-1,)), -1, num_annotators)  # one for empty, one for wrong ids
    num_slots = ops.shape(ids)[0]
    num_groups = num_slots // _SIZE + num_annotators + 2
    order = ops.argsort(ids)
    owners = ops.take(ids, order)
    rank = ops.arange(num_slots, dtype="int32") - ops.cast(ops.searchsorted(owners, owners), "int32")
    first = rank % _SIZE == 0
    groups = ops.cumsum(ops.cast(first, "int32")) - 1
    places = ops.scatter(ops.expand_dims(order, -1), groups * _SIZE + rank % _SIZE, (num_slots,))
    annotator = ops.segment_sum(ops.where(first, owners + 1, 0), groups, num_segments=num_groups) - 1
    return ops.expand_dims(annotator, -1), ops.reshape(places, ops.shape(annotators))


def to_groups(f: Tensor, groups: Tensor, places: Tensor) -> Tensor:
    """The item's row of `f` `(batch, K)` at the place of each of its slots, `(G, 16, K)`; zeros elsewhere."""
    num_classes, length = f.shape[1], ops.shape(groups)[0] * _SIZE
    slots = ops.repeat(ops.expand_dims(f, 1), ops.shape(places)[1], axis=1)
    grouped = ops.scatter(
        ops.reshape(places, (-1, 1)), ops.reshape(slots, (-1, num_classes)), (length, num_classes)
    )
    return ops.reshape(grouped, (-1, _SIZE, num_classes))


def from_groups(grouped: Tensor, places: Tensor) -> Tensor:
    """`(G, 16, 1, K)` as `(batch, S, K)`."""
    return ops.take(ops.reshape(grouped, (-1, grouped.shape[-1])), places, axis=0)
