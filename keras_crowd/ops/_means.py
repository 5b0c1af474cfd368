"""Values of answers, over an item and over a batch."""

from typing import Any

from keras import ops

from ._replicas import with_gradient_of_whole_batch


def item_sums(values: Any) -> Any:
    """Values `(..., R)` summed over an item's answers, `(...)`."""
    return ops.sum(values, axis=-1)


def mean_over_observed(values: Any, observed: Any) -> Any:
    """Values `(..., R)`, 0 where not observed, as one value an item `(...)`.

    Scaled so that their plain mean is the sum of all values over the number of observed answers, |S|.
    """
    per_item = item_sums(values)
    count = ops.sum(ops.cast(observed, per_item.dtype))
    scaled = per_item * (ops.cast(ops.size(per_item), per_item.dtype) / ops.maximum(count, 1.0))
    return with_gradient_of_whole_batch(scaled, count)
