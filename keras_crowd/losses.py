"""Losses over the answers that were given. What is missing weighs nothing."""

from typing import Any

import keras

from . import ops
from ._registration import register


@register
class MaskedCrowdCrossEntropy(keras.losses.Loss):
    """Cross-entropy between the answers given and the answers predicted, averaged over observed answers.

        loss = 1/|S| sum over (i, r) in S of -log softmax(z_ir)[y_ir]

    where `S` holds the answers of the batch that were given (ICLR-23's 1/|S|). A batch without answers has
    loss 0 and zero gradient.

    It gives one value an item (or token), so `sample_weight` of shape `(batch,)` or `(batch, time)` weighs
    items. Those values are scaled so that their mean is the mean over observed answers; with
    `reduction="sum"` and `"none"` they are the plain sums over an item's answers. Under
    `keras.Model.fit`, Keras averages the batches' losses; `keras_crowd.metrics.CrowdCrossEntropy` is
    the exact mean over an epoch.

    Weigh items by `sample_weight`; Keras's `class_weight` is not for crowd answers (it would take an argmax
    over the annotators).

    Args:
        reduction: As for every Keras loss.
        name: Name of the loss.
        dtype: Dtype of the computation. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true: Hard answers `(..., annotators or slots)`, class codes with `-1` (anything negative, or
            `NaN`) for missing; or soft answers `(..., annotators or slots, classes)` a row of zeros for
            missing. A code that is no class makes the loss `NaN`; `keras_crowd.validate` finds it before.
        y_pred: Answer logits of a crowd layer, `(..., annotators or slots, classes)`.

    Example:

    >>> loss = keras_crowd.losses.MaskedCrowdCrossEntropy()
    >>> float(loss(np.array([[0, -1]]), np.array([[[0.0, 0.0], [9.0, 1.0]]])))  # log 2
    0.6931471824645996

    Reference:
        S. Ibrahim, T. Nguyen, X. Fu, "Deep learning from crowdsourced labels: coupled cross-entropy
        minimization, identifiability, and regularization", ICLR 2023 (the CCEM criterion); F. Rodrigues,
        F. Pereira, "Deep learning from crowds", AAAI 2018 (the masked loss of the crowd layer).
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "masked_crowd_cross_entropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        targets, observed = ops.answer_targets(y_true, y_pred)
        values = ops.crowd_cross_entropy(targets, observed, y_pred)
        if self.reduction in ("sum", "none", None):
            return ops.item_sums(values)
        return ops.mean_over_observed(values, observed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dtype": self.dtype}
