"""`MixedCrowdCrossEntropy`: the answer of a mixture of annotators."""

from keras import ops as kops

from .. import ops
from .._registration import register
from .._typing import Tensor
from ._masked import MaskedCrowdLoss


@register
class MixedCrowdCrossEntropy(MaskedCrowdLoss):
    """Cross-entropy between the mixed answer to an item and the answer that a mixture of its annotators is predicted.

        loss = mean over i of -sum_l (sum_r w_ir y_irl) log sum_r w_ir softmax(z_ir)_l

    where the weights `w_ir` of the annotators of an item sum to 1, and answers `y_ir` are distributions. With two
    answers per row this is Annot-Mix with confusions that are linear in the annotators' one-hot vectors: the mixture
    of two annotators answers by the mixture of their confusion matrices. Train on batches of
    `keras_crowd.pipelines.MixUp(..., form="answers")`. A batch without answers has loss 0 and zero gradient.

    Args:
        reduction: String. As for every Keras loss.
        name: String. Name of the loss. Defaults to that of the class, as `"mixed_crowd_cross_entropy"`.
        dtype: String. Dtype of the computation. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true: Weighted answers `w_ir y_ir`, `(batch, slots, classes)`, a row of zeros (or `NaN`) for missing. Class
            codes `(batch, slots)`, negative for missing, have equal weights.
        y_pred: Answer logits of a crowd layer, `(batch, slots, classes)`.

    Example:

    >>> loss = keras_crowd.losses.MixedCrowdCrossEntropy()
    >>> halves = np.array([[[0.5, 0.0], [0.5, 0.0]]])  # two annotators of equal weight say the first class
    >>> round(float(loss(halves, np.array([[[0.0, 0.0], [99.0, 0.0]]]))), 3)  # -log (1/2 1/2 + 1/2 1)
    0.288

    Reference:
        M. Herde, L. Lührs, D. Huseljic, B. Sick, "Annot-Mix: Learning with noisy class labels from multiple annotators
        via a mixup extension", ECAI 2024.
    """

    def targets(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
        answers, observed = ops.answer_targets(y_true, y_pred)
        if len(answers.shape) < len(y_pred.shape):
            answers = ops.one_hot_answers(kops.where(observed, answers, -1), y_pred.shape[-1])
        return answers, kops.any(observed, axis=-1, keepdims=True)

    def values(self, targets: Tensor, observed: Tensor, y_pred: Tensor) -> Tensor:
        return ops.mixed_cross_entropy(targets, y_pred)
