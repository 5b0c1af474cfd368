"""Slots of one annotator brought together, so that the matrix of an annotator is fetched for many answers at once."""

from keras import ops as kops

from .._typing import Tensor

_SIZE = 16  # slots of a group: larger ones are emptier, smaller ones more


def annotator_groups(annotators: Tensor, num_annotators: int) -> tuple[Tensor, Tensor]:
    """Groups of at most 16 slots of the same annotator.

    Args:
        annotators: Annotator of each slot `(batch, S)`, negative for an empty one.
        num_annotators: Integer. R.

    Returns:
        The annotator of each group `(G, 1)`, negative for groups that are empty or of empty slots; and the place of
        each slot `(batch, S)` among all of the groups' `16 G`. G follows from shapes alone.
    """
    ids = kops.clip(kops.reshape(annotators, (-1,)), -1, num_annotators)  # one for empty, one for wrong ids
    num_slots = kops.shape(ids)[0]
    num_groups = num_slots // _SIZE + num_annotators + 2
    order = kops.argsort(ids)
    owners = kops.take(ids, order)
    rank = kops.arange(num_slots, dtype="int32") - kops.cast(kops.searchsorted(owners, owners), "int32")
    first = rank % _SIZE == 0
    groups = kops.cumsum(kops.cast(first, "int32")) - 1
    places = kops.scatter(kops.expand_dims(order, -1), groups * _SIZE + rank % _SIZE, (num_slots,))
    annotator = kops.segment_sum(kops.where(first, owners + 1, 0), groups, num_segments=num_groups) - 1
    return kops.expand_dims(annotator, -1), kops.reshape(places, kops.shape(annotators))


def to_groups(f: Tensor, groups: Tensor, places: Tensor) -> Tensor:
    """The item's row of `f` `(batch, K)` at the place of each of its slots, `(G, 16, K)`; zeros elsewhere."""
    num_classes, length = f.shape[1], kops.shape(groups)[0] * _SIZE
    slots = kops.repeat(kops.expand_dims(f, 1), kops.shape(places)[1], axis=1)
    grouped = kops.scatter(
        kops.reshape(places, (-1, 1)), kops.reshape(slots, (-1, num_classes)), (length, num_classes)
    )
    return kops.reshape(grouped, (-1, _SIZE, num_classes))


def from_groups(grouped: Tensor, places: Tensor) -> Tensor:
    """`(G, 16, 1, K)` as `(batch, S, K)`."""
    return kops.take(kops.reshape(grouped, (-1, grouped.shape[-1])), places, axis=0)
