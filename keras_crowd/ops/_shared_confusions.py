"""Confusions of which annotators share a part: errors, or a few whole matrices."""

import numpy as np
from keras import ops as kops

from .._typing import Tensor
from ._classes import _TINY, _against_items, matrix_logits


def coin_logits(f: Tensor, kernel: Tensor, errors: Tensor) -> Tensor:
    """`z_rl = log(f_l p_rl + sum_k f_k (1 - p_rk) E_kl)`, `p_rk = e^s_rk / (e^s_rk + K - 1)`.

    Kernel `(R, K or 1)` or `(batch, S, K or 1)`, one number for all classes or one for each; `errors` `(K, K)`,
    whose rows without the diagonal are the logits of `E`.
    """
    items = kops.expand_dims(f, -2)
    right, wrong = (_against_items(p, len(items.shape)) for p in _right_and_wrong(kernel, f.shape[-1]))
    if kernel.shape[-1] == 1:
        mistaken = wrong * kops.matmul(items, _error_shares(errors))
    else:
        mistaken = kops.matmul(wrong * items, _error_shares(errors))
    return kops.log(kops.maximum(right * items + mistaken, _TINY))


def coin_log_confusion(kernel: Tensor, errors: Tensor) -> Tensor:
    """`log A_rkl` of the same, `(..., K, K)`."""
    num_classes = errors.shape[-1]
    right, wrong = (kops.expand_dims(p, -1) for p in _right_and_wrong(kernel, num_classes))
    confusion = right * kops.eye(num_classes, dtype=errors.dtype) + wrong * _error_shares(errors)
    return kops.log(kops.maximum(confusion, _TINY))


def prototype_logits(f: Tensor, mixture: Tensor, prototypes: Tensor) -> Tensor:
    """`z_rl = log sum_p w_rp sum_k f_k B_pkl`, `w_r = softmax(m_r)` and `B_p = softmax(W_p)` over answers.

    `mixture` `(R, P)` or `(batch, S, P)`, `prototypes` `(P, K, K)`.
    """
    answers = matrix_logits(f, kops.softmax(prototypes, axis=-1))  # (batch, ..., P, K)
    shares = _against_items(kops.softmax(mixture, axis=-1), len(answers.shape))
    return kops.log(kops.maximum(kops.matmul(shares, answers), _TINY))


def prototype_log_confusion(mixture: Tensor, prototypes: Tensor) -> Tensor:
    """`log A_rkl` of the same, `(..., K, K)`."""
    shares = kops.softmax(mixture, axis=-1)
    confusion = kops.tensordot(shares, kops.softmax(prototypes, axis=-1), axes=1)
    return kops.log(kops.maximum(confusion, _TINY))


def _right_and_wrong(kernel: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    """`p` and `1 - p`, each without the rounding of the other."""
    odds = kernel - float(np.log(num_classes - 1))
    return kops.sigmoid(odds), kops.sigmoid(-odds)


def _error_shares(errors: Tensor) -> Tensor:
    """`E_kl`: which wrong answer an error is, rows that sum to 1 with 0 on the diagonal."""
    diagonal = kops.eye(errors.shape[-1], dtype="bool")
    return kops.softmax(kops.where(diagonal, -1e30, errors), axis=-1)
