"""Values of answers, over an item and over a batch."""

from keras import ops as kops

from .._typing import Tensor
from ._replicas import with_gradient_of_whole_batch


def item_sums(values: Tensor) -> Tensor:
    """Values `(..., R)` summed over an item's answers, `(...)`."""
    return kops.sum(values, axis=-1)


def mean_over_observed(values: Tensor, observed: Tensor) -> Tensor:
    """Values `(..., R)`, 0 where not observed, as one value per item `(...)`.

    Scaled so that their plain mean is the sum of all values over the number of observed answers, |S|.
    """
    per_item = item_sums(values)
    count = kops.sum(kops.cast(observed, per_item.dtype))
    scaled = per_item * (kops.cast(kops.size(per_item), per_item.dtype) / kops.maximum(count, 1.0))
    return with_gradient_of_whole_batch(scaled, count)


def weighted_mean(item_sums: Tensor, observed: Tensor, weights: Tensor | None = None) -> Tensor:
    """`sum_i w_i sum_r v_ir / sum_i w_i n_i`, with the number of answers `n_i`; 0 without any.

    Item sums and weights are `(batch,)` or `(batch, time)`, weights also `(batch, 1)`, or `(batch,)` for all tokens.
    """
    counts = kops.cast(observed, item_sums.dtype)
    while len(counts.shape) > len(item_sums.shape):
        counts = kops.sum(counts, axis=-1)
    if weights is not None:
        weights = kops.cast(weights, item_sums.dtype)
        if len(weights.shape) > len(item_sums.shape):
            weights = kops.squeeze(weights, -1)
        while len(weights.shape) < len(item_sums.shape):
            weights = kops.expand_dims(weights, -1)
        item_sums, counts = item_sums * weights, counts * weights
    count = kops.sum(counts)
    return with_gradient_of_whole_batch(kops.divide_no_nan(kops.sum(item_sums), count), count)
