"""Losses over the answers that were given. What is missing weighs nothing."""

from typing import Any

import keras
from keras import ops as kops

from .. import ops
from .._arguments import number
from .._registration import default_name, register
from .._typing import DType, Tensor

_WEIGHTED = "mean_with_sample_weight"


class MaskedCrowdLoss(keras.losses.Loss):
    """A value of each answer, averaged over the answers given. Abstract."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(name=name or default_name(type(self)), reduction=reduction, dtype=dtype)

    def targets(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
        """Answers as `values` wants them, and where there is one."""
        return ops.answer_targets(y_true, y_pred)

    def values(self, targets: Tensor, observed: Tensor, y_pred: Tensor) -> Tensor:
        """The loss of each answer, `(..., annotators or slots)`, 0 where there is none; or other parts of its sum."""
        raise NotImplementedError

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        targets, observed = self.targets(y_true, y_pred)
        values = self.values(targets, observed, y_pred)
        if self.reduction in ("sum", "none", None, _WEIGHTED):
            return ops.item_sums(values)
        return ops.mean_over_observed(values, self.counts(observed, y_pred))

    def counts(self, observed: Tensor, y_pred: Tensor) -> Tensor:
        """Numbers that add up to how many answers were given."""
        return observed

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        if self.reduction != _WEIGHTED:
            return super().__call__(y_true, y_pred, sample_weight)
        y_true, y_pred = (kops.convert_to_tensor(y, dtype=self.dtype) for y in (y_true, y_pred))
        weights = None if sample_weight is None else kops.convert_to_tensor(sample_weight, dtype=self.dtype)
        return ops.weighted_mean(self.call(y_true, y_pred), self.targets(y_true, y_pred)[1], weights)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dtype": self.dtype}


@register
class MaskedCrowdCrossEntropy(MaskedCrowdLoss):
    """Cross-entropy between the answers given and the answers predicted, averaged over observed answers.

        loss = 1/|S| sum over (i, r) in S of -log softmax(z_ir)[y_ir]

    where `S` holds the answers of the batch that were given (ICLR-23's 1/|S|). A batch without answers has
    loss 0 and zero gradient.

    It returns one value per item (or token), so `sample_weight` of shape `(batch,)` or `(batch, time)` weights items.
    Those values are scaled so that their mean is the mean over observed answers; with `reduction="sum"` and `"none"`
    they are the plain sums over an item's answers. Under `keras.Model.fit`, Keras averages the batches' losses;
    `keras_crowd.metrics.CrowdCrossEntropy` is the exact mean over an epoch.

    Weight items by `sample_weight`. Do not use Keras's `class_weight` with crowd answers, because it would take an
    argmax over the annotators.

    Args:
        reduction: String. As for every Keras loss; `"mean_with_sample_weight"` divides by the sum of the weights of the
            answers.
        name: String. Name of the loss. Defaults to that of the class, as `"masked_crowd_huber"`.
        dtype: String. Dtype of the computation. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true: Hard answers `(..., annotators or slots)`, class codes with `-1` (anything negative, or
            `NaN`) for missing; or soft answers `(..., annotators or slots, classes)`, a row of zeros (or
            `NaN`) for missing. A code that is no class makes the loss `NaN`; `keras_crowd.validate` finds it before.
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

    def values(self, targets: Tensor, observed: Tensor, y_pred: Tensor) -> Tensor:
        return ops.crowd_cross_entropy(targets, observed, y_pred)


@register
class MaskedCrowdBinaryCrossEntropy(MaskedCrowdLoss):
    """Binary cross-entropy of sets of labels, averaged over the labels that were judged.

        loss = 1/|S| sum over (i, r, l) in S of log(1 + exp(z_irl)) - y_irl z_irl

    One value per item, `sample_weight` and `reduction` are as for `MaskedCrowdCrossEntropy`; a batch without answers
    has loss 0 and zero gradient.

    Args:
        reduction: String. As for every Keras loss.
        name: String. Name of the loss. Defaults to that of the class, as `"masked_crowd_huber"`.
        dtype: String. Dtype of the computation. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true: Sets of labels `(batch, annotators or slots, labels)`: 1 ticked, 0 not ticked, negative (or `NaN`) for
            a label that was not shown, and where there is no answer.
        y_pred: Logits of a tick, of the same shape, as `keras_crowd.layers.CrowdsMultiLabel` gives.

    Example:

    >>> loss = keras_crowd.losses.MaskedCrowdBinaryCrossEntropy()
    >>> float(loss(np.array([[[1, 0], [-1, -1]]]), np.zeros((1, 2, 2))))  # log 2
    0.6931471824645996
    """

    def targets(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
        return ops.label_targets(y_true, y_pred)

    def values(self, targets: Tensor, observed: Tensor, y_pred: Tensor) -> Tensor:
        return ops.item_binary_cross_entropy(targets, observed, y_pred)

    def counts(self, observed: Tensor, y_pred: Tensor) -> Tensor:
        return ops.judged_by_label(observed, y_pred)


class _MaskedRatingLoss(MaskedCrowdLoss):
    """The same over numeric answers. Abstract."""

    def targets(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
        return ops.rating_targets(y_true, y_pred)


class _MaskedErrorLoss(_MaskedRatingLoss):
    """A value of each answer's error, `prediction - answer`. Abstract."""

    def of_errors(self, error: Tensor) -> Tensor:
        """The loss of each error, 0 for none."""
        raise NotImplementedError

    def values(self, targets: Tensor, observed: Tensor, y_pred: Tensor) -> Tensor:
        means = ops.predicted_means(targets, y_pred)
        return ops.over_targets(self.of_errors(ops.rating_errors(targets, observed, means)))


@register
class MaskedCrowdMeanSquaredError(_MaskedErrorLoss):
    """Squared error of the predicted answers, averaged over the answers that were given.

        loss = 1/|S| sum over (i, r) in S of (y_ir - m_ir)^2

    One value per item, `sample_weight` and `reduction` are as for `MaskedCrowdCrossEntropy`; a batch without
    answers has loss 0 and zero gradient.

    Args:
        reduction: String. As for every Keras loss.
        name: String. Name of the loss. Defaults to that of the class, as `"masked_crowd_huber"`.
        dtype: String. Dtype of the computation. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true: Numeric answers `(batch, annotators or slots)`, or `(batch, annotators or slots, targets)`,
            `NaN` where missing.
        y_pred: Predicted answers of the same shape; or, from a layer with `learn_variance=True`, with a last
            axis (mean, log variance), of which the mean is used.

    Example:

    >>> loss = keras_crowd.losses.MaskedCrowdMeanSquaredError()
    >>> float(loss(np.array([[1.0, np.nan], [3.0, 0.0]]), np.array([[2.0, 9.0], [3.0, 1.0]])))  # 2/3
    0.6666666865348816

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018 (regression).
    """

    def of_errors(self, error: Tensor) -> Tensor:
        return kops.square(error)


@register
class MaskedCrowdMeanAbsoluteError(_MaskedErrorLoss):
    """Absolute error of the predicted answers, averaged over the answers that were given.

        loss = 1/|S| sum over (i, r) in S of |y_ir - m_ir|

    Args:
        reduction: String. As for every Keras loss.
        name: String. Name of the loss. Defaults to that of the class, as `"masked_crowd_huber"`.
        dtype: String. Dtype of the computation. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true, y_pred: As for `MaskedCrowdMeanSquaredError`.

    Example:

    >>> loss = keras_crowd.losses.MaskedCrowdMeanAbsoluteError()
    >>> float(loss(np.array([[1.0, np.nan], [3.0, 0.0]]), np.array([[4.0, 9.0], [3.0, 0.0]])))
    1.0
    """

    def of_errors(self, error: Tensor) -> Tensor:
        return kops.abs(error)


@register
class MaskedCrowdHuber(_MaskedErrorLoss):
    """Huber's loss of the predicted answers, averaged over the answers that were given.

    It is the squared error (halved) up to `delta` and the absolute error beyond, so that single slips have less
    influence.

    Args:
        delta: Float. Positive. Error at which the square turns into a line, in units of the answers. Defaults to 1.0.
        reduction: String. As for every Keras loss. Defaults to `"sum_over_batch_size"`.
        name: String. Name of the loss. Defaults to that of the class, as `"masked_crowd_huber"`.
        dtype: String. Dtype of the computation. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true, y_pred: As for `MaskedCrowdMeanSquaredError`.

    Example:

    >>> loss = keras_crowd.losses.MaskedCrowdHuber(delta=1.0)
    >>> float(loss(np.array([[1.0, np.nan], [3.0, 0.0]]), np.array([[4.0, 9.0], [3.0, 1.0]])))
    1.0

    Reference:
        P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35, 1964.
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.delta = number("delta", delta, above=0)

    def of_errors(self, error: Tensor) -> Tensor:
        return ops.huber(error, self.delta)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "delta": self.delta}


@register
class MaskedCrowdGaussian(_MaskedRatingLoss):
    """Negative log-likelihood of numeric answers with a variance per annotator, averaged over the answers given.

        loss = 1/|S| sum over (i, r) in S of 1/2 (log 2 pi v_r + (y_ir - m_ir)^2 / v_r)

    It is for `keras_crowd.layers.CrowdsRegression(..., learn_variance=True)`: careless annotators get a large variance
    and count less. In nats.

    Args:
        reduction: String. As for every Keras loss.
        name: String. Name of the loss. Defaults to that of the class, as `"masked_crowd_huber"`.
        dtype: String. Dtype of the computation. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true: Numeric answers, as for `MaskedCrowdMeanSquaredError`.
        y_pred: Their predicted means and log variances, with one axis more, `(..., 2)`.

    Example:

    >>> loss = keras_crowd.losses.MaskedCrowdGaussian()
    >>> float(loss(np.array([[1.0, np.nan]]), np.array([[[1.0, 0.0], [5.0, 0.0]]])))  # 1/2 log 2 pi
    0.9189385175704956

    Reference:
        V. C. Raykar et al., "Learning from crowds", JMLR 11, 2010, section on regression.
    """

    def values(self, targets: Tensor, observed: Tensor, y_pred: Tensor) -> Tensor:
        return ops.over_targets(ops.gaussian_cross_entropy(targets, observed, y_pred))
