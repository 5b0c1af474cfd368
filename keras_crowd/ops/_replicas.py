"""Gradients of the whole batch where `tf.distribute` gives each replica a part of it.

There Keras divides the loss of every replica by their number and adds up their gradients: a mean of means, which is not
the mean over the whole batch if the parts hold different numbers of answers. So what is a mean comes with its count.

Replicas talk to each other in the backward pass only. Those of one process are threads that take turns wherever they
wait for each other, and in the forward pass Keras would mix up what their layers gave to `add_loss`. A value is thus
that of the replica's own part. Under JAX and `keras.distribution` every batch is whole.
"""

from collections.abc import Callable

import keras
from keras import ops as kops

from .._typing import Tensor


def with_gradient_of_whole_batch(mean: Tensor, count: Tensor) -> Tensor:
    """A mean over `count` things, with this replica's share of the gradient of the mean over all replicas'."""
    return at_whole_batch(lambda mean: mean, None, mean, count)


def at_whole_batch(function: Callable, gradient: Callable | None, mean: Tensor, count: Tensor) -> Tensor:
    """`function` of a mean over `count` things, with its gradient at the mean over those of all replicas.

    `gradient` is that of `function`, which must be a scalar's; `None` for 1.
    """
    if keras.config.backend() != "tensorflow":
        return function(mean)
    count = kops.cast(count, mean.dtype)

    @kops.custom_gradient
    def with_gradient(mean: Tensor) -> tuple[Tensor, Callable]:
        def pull(upstream: Tensor) -> Tensor:
            average = _over_replicas(count)
            share = upstream * kops.divide_no_nan(count, average)
            if gradient is None:
                return share
            return share * gradient(kops.divide_no_nan(_over_replicas(mean * count), average))

        return function(mean), pull

    return with_gradient(mean)


def _over_replicas(values: Tensor) -> Tensor:
    """The mean over all replicas, in all processes."""
    return kops.moments(kops.expand_dims(values, 0), axes=[0], synchronized=True)[0]
