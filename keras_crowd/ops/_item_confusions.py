"""Answers that depend on the item beyond its class: features of the item `(batch, ..., D)` beside `f`."""

from keras import ops as kops

from .._typing import Tensor
from ._classes import _against_items, mixture_logits

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


def item_annotator_hidden(features: Tensor, hidden: Tensor, hidden_bias: Tensor, v: Tensor) -> Tensor:
    """`h_ir = relu(x_i H + b + v_r)`, `(batch, ..., R or S, E)`: a layer on features and annotator side by side.

    `v` `(R, E)` or `(batch, S, E)`, what a one-hot annotator contributes.
    """
    items = kops.expand_dims(kops.matmul(features, hidden) + hidden_bias, -2)
    return kops.relu(items + _against_items(v, len(items.shape)))


def item_confusion_logits(f: Tensor, base: Tensor, h: Tensor, out: Tensor) -> Tensor:
    """`z_rl = log sum_k f_k A_irkl`, `A_ir = softmax(B_r + h_ir M)` over answers: a confusion per item and annotator.

    `base` `(R, K, K)`, `(batch, S, K, K)` or `(1, K, K)`, `h` `(batch, ..., R or S, E)`, `out` `(E, K * K)`.
    """
    width, num_classes = h.shape[-1], f.shape[-1]
    num_slots, lead = kops.shape(h)[-2], kops.shape(f)[:-1]
    h = kops.reshape(h, (-1, width))  # one product: XLA is slow with several batch axes
    kernel = kops.reshape(kops.matmul(h, out), (*lead, num_slots, num_classes**2))
    base = kops.reshape(base, (*kops.shape(base)[:-2], num_classes**2))
    kernel = kernel + _against_items(base, len(kernel.shape))
    kernel = kops.reshape(kernel, (-1, num_slots, num_classes, num_classes))
    z = mixture_logits(kops.reshape(f, (-1, num_classes)), kernel)
    return kops.reshape(z, (*lead, num_slots, num_classes))


def outlier_logits(f: Tensor, own: Tensor, gate: Tensor, outlier: Tensor) -> Tensor:
    """`z_rl = log [(1 - s_ir) sum_k f_k A_rkl + s_ir q_irl]`, `s = sigmoid(gate)`, `q = softmax(outlier)`.

    `own` `(R, K, K)` or `(batch, S, K, K)`, `gate` `(batch, ..., R or S, 1)`, `outlier` `(batch, ..., R or S, K)`.
    """
    regular = kops.log_sigmoid(-gate) + mixture_logits(f, own)
    return kops.logaddexp(regular, kops.log_sigmoid(gate) + kops.log_softmax(outlier, axis=-1))


def outlier_penalty(e: Tensor, real: Tensor | None, power: float, epsilon: float) -> Tensor:
    """`(|E_i|_F^2 + zeta)^(q / 2)` of what outliers add to answers, `e` `(batch, ..., S, K)`, a mean over items.

    Slots without an annotator, where `real` `(batch, S)` is false, are left out.
    """
    squares = kops.sum(kops.square(e), axis=-1)
    if real is not None:
        weights = kops.expand_dims(kops.cast(real, e.dtype), -1)
        squares = squares * kops.squeeze(_against_items(weights, len(e.shape)), -1)
    return kops.mean(kops.power(kops.sum(squares, axis=-1) + epsilon, power / 2))
