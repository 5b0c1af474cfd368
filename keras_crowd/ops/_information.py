"""Information that two views of an item share."""

from keras import ops as kops

from .._typing import Tensor

_TINY = 1e-37


def mutual_information_gain(f: Tensor, g: Tensor, prior: Tensor, weight: Tensor) -> Tensor:
    """The f-mutual-information gain of class probabilities `f` and `g` `(B, K)`, for the Kullback-Leibler divergence.

        S_ij = sum_k f_ik g_jk / p_k,    mean_i (1 + log S_ii) - mean_(i != j) S_ij

    a lower bound of the mutual information (Max-MIG, ICLR-19). Means are weighted by `w_i` `(B,)`, those of pairs by
    `w_i w_j`; without a pair (or an item) they are 0.
    """
    products = kops.matmul(f / prior, kops.transpose(g))
    same = kops.sum(f * g / prior, axis=-1)
    of_items = kops.divide_no_nan(
        kops.sum(weight * (1 + kops.log(kops.maximum(same, _TINY)))), kops.sum(weight)
    )
    pairs = kops.expand_dims(weight, 1) * kops.expand_dims(weight, 0)
    pairs = pairs * (1 - kops.eye(pairs.shape[0] or kops.shape(pairs)[0], dtype=pairs.dtype))
    return of_items - kops.divide_no_nan(kops.sum(pairs * products), kops.sum(pairs))
