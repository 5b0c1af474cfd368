"""Answers of all annotators together: as a union, and the mean of the heads of others."""

from keras import ops as kops

from .._typing import Tensor
from ._classes import crowd_cross_entropy

_TINY = 1e-37


def union_cross_entropy(targets: Tensor, observed: Tensor, logits: Tensor) -> Tensor:
    """`-sum_l y_rl (z_rl - log sum_sm exp z_sm)` where observed, 0 elsewhere: `(..., R)` (UnionNet-B).

    One softmax over the answers of all annotators, those missing too. Targets are class codes or distributions.
    """
    of_one = crowd_cross_entropy(targets, observed, logits)
    total = kops.logsumexp(logits, axis=(-2, -1))
    of_annotator = kops.expand_dims(total, -1) - kops.logsumexp(logits, axis=-1)
    soft = len(targets.shape) == len(logits.shape)
    weight = kops.cast(kops.sum(targets, axis=-1) if soft else observed, logits.dtype)
    return of_one + kops.where(observed, of_annotator * weight, 0.0)


def mean_of_others(answers: Tensor, logits: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the mean answer to each item and the mean of the heads of those who did not answer it.

        -sum_l t_il log sum_r a_ir softmax(z_ir)_l,    a_ir ~ softmax(v)_r where r did not answer i, else 0

    Args:
        answers: Distributions `(batch, R, K)`, zeros for missing.
        logits: Answer logits of the heads `(batch, R, K)`.
        scores: `v`, `(R,)`.

    Returns:
        The values `(batch,)`, and which items they are of, `(batch,)`: at others, that nobody or everybody answered, 0.
    """
    answers = kops.cast(answers, logits.dtype)
    observed = kops.any(answers > 0, axis=-1)
    total = kops.sum(answers, axis=(1, 2))
    target = kops.sum(answers, axis=1) / kops.expand_dims(kops.maximum(total, _TINY), -1)
    has_others = kops.logical_and(
        kops.any(observed, axis=-1), kops.logical_not(kops.all(observed, axis=-1))
    )
    weight = kops.where(observed, 0.0, kops.softmax(kops.convert_to_tensor(scores)))
    weight = weight / kops.maximum(kops.sum(weight, axis=-1, keepdims=True), _TINY)
    predicted = kops.einsum("br,brk->bk", weight, kops.softmax(logits, axis=-1))
    predicted = kops.where(kops.expand_dims(has_others, -1), kops.maximum(predicted, _TINY), 1.0)
    return -kops.sum(target * kops.log(predicted), axis=-1), has_others
