"""Preferences between two items: log odds of the first, ties, grades, random answers, priors of annotators."""

import math

from keras import ops as kops

from .._typing import Tensor
from ._ratings import cumulative_log_probabilities

_COLUMNS = 64


def preference_logits(odds: Tensor, log_nu: Tensor | None = None) -> Tensor:
    """Davidson's logits `(u, -u, log nu_r)` of `u` half the log odds of the first item; without ties the first two.

    `odds` are `(batch, R or S)`, `log_nu` is `(R,)` or `(batch, S)`.
    """
    u = 0.5 * odds
    if log_nu is None:
        return kops.stack([u, -u], axis=-1)
    return kops.stack([u, -u, kops.broadcast_to(log_nu, kops.shape(u))], axis=-1)


def graded_logits(odds: Tensor, thresholds: Tensor) -> Tensor:
    """Log-probabilities of the grades by cumulative logits, `P(y <= l) = sigmoid(odds + t_l)`, the first item's first.

    `thresholds` rise, `(K - 1,)`, `(R, K - 1)` or `(batch, S, K - 1)`.
    """
    return cumulative_log_probabilities(kops.expand_dims(odds, -1) + thresholds)


def symmetric_thresholds(log_gaps: Tensor, log_width: Tensor | float, center: bool) -> Tensor:
    """Thresholds `-t_m, ..., -t_1, (0,) t_1, ..., t_m` with `t_j = exp(width_r) sum_i<=j exp(gap_i)`, `(..., K - 1)`.

    `center` says whether there is one at 0, that is, no tie.
    """
    upper = kops.cumsum(kops.exp(log_gaps))
    parts = [-kops.flip(upper), upper[:0] if not center else kops.zeros_like(upper[:1]), upper]
    return kops.expand_dims(kops.exp(log_width), -1) * kops.concatenate(parts)


def with_random_answers(logits: Tensor, rate_odds: Tensor) -> Tensor:
    """Log-probabilities where an answer is, at a rate of the given log odds, one of the C alike.

    `log((1 - e_r) softmax(logits) + e_r / C)`; `rate_odds` are those of `e_r`, `(R,)` or `(batch, S)`.
    """
    meant = kops.log_softmax(logits, axis=-1) + kops.expand_dims(kops.log_sigmoid(-rate_odds), -1)
    random = kops.log_sigmoid(rate_odds) - math.log(logits.shape[-1])
    return kops.logaddexp(meant, kops.expand_dims(random, -1))


def normal_penalty(deviation: Tensor, precision: Tensor, shares: Tensor | float = 1.0) -> Tensor:
    """`sum_r d_r^2 / (2 sigma^2)`: minus the log of a normal prior; `shares` are `1 / n_r` for the rows of slots."""
    return 0.5 * precision * kops.sum(shares * kops.square(deviation))


def long_dot(weights: Tensor, values: Tensor) -> Tensor:
    """`sum_r w_r x_r` of two vectors `(R,)`, which may be long.

    In columns, which XLA adds up side by side: along one axis it adds number by number, ten times as slowly.
    """
    products = weights * values
    rows = products.shape[0] // _COLUMNS
    whole = rows * _COLUMNS
    columns = kops.sum(kops.reshape(products[:whole], (rows, _COLUMNS)), axis=0)
    return kops.sum(columns) + kops.sum(products[whole:])
