"""Answers that depend on the item beyond its class: features of the item `(batch, ..., D)` beside `f`."""

from keras import ops as kops

from .._typing import Tensor
from ._classes import mixture_logits

_TINY = 1e-12  # under a root or a quotient


def item_embedding(features: Tensor, hidden: Tensor, hidden_bias: Tensor, out: Tensor) -> Tensor:
    """`u = h / |h|`, `h = relu(x H + b) O`, `(batch, ..., E)`: an embedding of each item of length 1."""
    h = kops.matmul(kops.relu(kops.matmul(features, hidden) + hidden_bias), out)
    return h / kops.sqrt(kops.sum(kops.square(h), axis=-1, keepdims=True) + _TINY)


def embedding_products(u: Tensor, v: Tensor) -> Tensor:
    """`u_i . v_r`, `(batch, ..., R or S)`, of items and annotators, `v` `(R, E)` or `(batch, S, E)`."""
    if len(v.shape) == 2:
        return kops.matmul(u, kops.transpose(v))
    return kops.einsum("b...e,bse->b...s", u, v)


def common_logits(f: Tensor, own: Tensor, common: Tensor, scores: Tensor) -> Tensor:
    """`z_rl = log [w_r sum_k f_k C_kl + (1 - w_r) sum_k f_k A_rkl]`, `w_r = sigmoid(scores_r)` (CoNAL).

    `A_r = softmax(own_r)` and `C = softmax(common)` over answers: `own` `(R, K, K)` or `(batch, S, K, K)`, `common`
    `(K, K)`, `scores` `(batch, ..., R or S)`.
    """
    of_all = mixture_logits(f, kops.expand_dims(common, 0))
    scores = kops.expand_dims(scores, -1)
    return kops.logaddexp(
        kops.log_sigmoid(scores) + of_all, kops.log_sigmoid(-scores) + mixture_logits(f, own)
    )


def distance_from_common(own: Tensor, common: Tensor) -> Tensor:
    """`|C - A_r|`, Frobenius, `(R,)` or `(batch, S)`."""
    difference = kops.softmax(own, axis=-1) - kops.softmax(common, axis=-1)
    return kops.sqrt(kops.sum(kops.square(difference), axis=(-2, -1)) + _TINY)


def mean_over_real(values: Tensor, real: Tensor | None) -> Tensor:
    """The mean of values `(batch, S)` over the slots that have an annotator; of all where `real` is `None`."""
    if real is None:
        return kops.mean(values)
    weights = kops.cast(real, values.dtype)
    return kops.sum(weights * values) / kops.maximum(kops.sum(weights), 1.0)
