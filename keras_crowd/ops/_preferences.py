"""Preferences between two items: log odds of the first, ties, priors of annotators."""

from keras import ops as kops

from .._typing import Tensor


def preference_logits(d: Tensor, beta: Tensor, position: Tensor, log_nu: Tensor | None = None) -> Tensor:
    """Davidson's logits `(u, -u, log nu_r)` with `u = (beta_r d + p_r) / 2`, without ties the first two.

    `d` is the first score less the second `(batch, 1)`; the others are `(R,)` or `(batch, S)`.
    """
    u = 0.5 * (beta * d + position)
    if log_nu is None:
        return kops.stack([u, -u], axis=-1)
    return kops.stack([u, -u, kops.broadcast_to(log_nu, kops.shape(u))], axis=-1)


def normal_penalty(deviation: Tensor, precision: Tensor, shares: Tensor | float = 1.0) -> Tensor:
    """`sum_r d_r^2 / (2 sigma^2)`: minus the log of a normal prior; `shares` are `1 / n_r` for the rows of slots."""
    return 0.5 * precision * kops.sum(shares * kops.square(deviation))
