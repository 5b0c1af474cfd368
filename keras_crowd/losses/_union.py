"""`UnionCrossEntropy`: the answers of all annotators as those of one."""

from .. import ops
from .._registration import register
from .._typing import Tensor
from ._masked import MaskedCrowdLoss


@register
class UnionCrossEntropy(MaskedCrowdLoss):
    """Cross-entropy of the answers given, under one distribution over the answers of all annotators together.

        loss = 1/|S| sum over (i, r) in S of -z_ir[y_ir] + log sum_sl exp z_isl

    where `S` holds the answers of the batch that were given, and the sum in the logarithm is over all annotators `s`
    and answers `l`. On `keras_crowd.layers.CrowdsClassification(R, "MW")`, whose kernel starts at the identity for
    each annotator, it trains UnionNet-B: a transition matrix from K classes to R K answers, and one softmax after it.
    To `MaskedCrowdCrossEntropy` it adds minus the log of how likely annotator `r`, among all, is to have answered the
    item, so that the model learns who answers what as well.

    With the matrix applied to probabilities and its columns normalized (UnionNet-A) the loss is that of `"CM"` up to a
    constant where each annotator's share of the answers is the same in all classes: use `"CM"` for it.

    Args:
        reduction: String. As for every Keras loss.
        name: String. Name of the loss. Defaults to that of the class, as `"union_cross_entropy"`.
        dtype: String. Dtype of the computation. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true: Answers `(batch, annotators)` or `(batch, annotators, classes)`, as for `MaskedCrowdCrossEntropy`. On
            slots the union would be that of the annotators who answered: train on dense answers.
        y_pred: Answer logits of all annotators, `(batch, annotators, classes)`.

    Example:

    >>> loss = keras_crowd.losses.UnionCrossEntropy()
    >>> float(loss(np.array([[0, -1]]), np.zeros((1, 2, 2))))  # log 4
    1.3862943649291992

    Reference:
        H. Wei, R. Xie, L. Feng, B. Han, B. An, "Deep learning from multiple noisy annotators as a union", IEEE
        Transactions on Neural Networks and Learning Systems, 2022.
    """

    def values(self, targets: Tensor, observed: Tensor, y_pred: Tensor) -> Tensor:
        return ops.union_cross_entropy(targets, observed, y_pred)
