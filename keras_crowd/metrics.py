"""Metrics over the answers that were given, exact over any number of batches."""

import keras
from keras import ops as kops

from . import ops
from ._registration import default_name, register
from ._typing import DType, Tensor


class _ObservedMean(keras.metrics.Metric):
    """The mean of a value per answer over all observed answers, weighted by item. Abstract."""

    def __init__(self, name: str | None = None, dtype: DType = None) -> None:
        super().__init__(name=name or default_name(type(self)), dtype=dtype)
        self.total = self.add_weight(shape=(), initializer="zeros", name="total")
        self.count = self.add_weight(shape=(), initializer="zeros", name="count")

    def targets(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
        """Answers as `values` wants them, and where there is one."""
        return ops.answer_targets(y_true, y_pred)

    def values(self, targets: Tensor, observed: Tensor, y_pred: Tensor) -> Tensor:
        """The value of each answer, in the shape of `observed`."""
        raise NotImplementedError

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        y_true, y_pred = kops.convert_to_tensor(y_true), kops.convert_to_tensor(y_pred)
        targets, observed = self.targets(y_true, y_pred)
        weights = kops.cast(observed, self.dtype)
        if sample_weight is not None:
            sample_weight = kops.cast(sample_weight, self.dtype)
            for _ in range(len(weights.shape) - len(sample_weight.shape)):
                sample_weight = kops.expand_dims(sample_weight, -1)
            weights = weights * sample_weight
        values = kops.cast(self.values(targets, observed, y_pred), self.dtype)
        self.total.assign_add(kops.sum(values * weights))
        self.count.assign_add(kops.sum(weights))

    def result(self) -> Tensor:
        return kops.divide_no_nan(self.total, self.count)


@register
class CrowdAccuracy(_ObservedMean):
    """Share of the observed answers that are the predicted answer of their annotator.

    This is agreement with the annotators, not accuracy against the truth: where annotators err, it stays below 1 even
    for a perfect model.

    Args:
        name: String. Name of the metric. Defaults to that of the class, as `"crowd_accuracy"`.
        dtype: String. Dtype of the result.

    Call arguments:
        y_true, y_pred: As for `keras_crowd.losses.MaskedCrowdCrossEntropy`.
        sample_weight: One weight per item, `(batch,)` (or token, `(batch, time)`).

    Example:

    >>> metric = keras_crowd.metrics.CrowdAccuracy()
    >>> metric.update_state(np.array([[0, -1], [1, 1]]), np.array([[[2.0, 1.0]] * 2] * 2))
    >>> float(metric.result())
    0.3333333432674408
    """

    def values(self, targets: Tensor, observed: Tensor, logits: Tensor) -> Tensor:
        return kops.cast(kops.argmax(logits, axis=-1), "int32") == ops.answered_classes(targets, logits)


@register
class CrowdCrossEntropy(_ObservedMean):
    """Negative log-likelihood of an observed answer, in nats: how well held-out answers are predicted.

    Unlike a loss averaged over batches, it gives every answer the same weight, whatever the batches.

    Args:
        name: String. Name of the metric. Defaults to that of the class, as `"crowd_accuracy"`.
        dtype: String. Dtype of the result.

    Call arguments:
        y_true, y_pred: As for `keras_crowd.losses.MaskedCrowdCrossEntropy`.
        sample_weight: One weight per item, `(batch,)` (or token, `(batch, time)`).

    Example:

    >>> metric = keras_crowd.metrics.CrowdCrossEntropy()
    >>> metric.update_state(np.array([[0, -1]]), np.zeros((1, 2, 4)))  # log 4
    >>> float(metric.result())
    1.3862943649291992
    """

    def values(self, targets: Tensor, observed: Tensor, logits: Tensor) -> Tensor:
        return ops.crowd_cross_entropy(targets, observed, logits)


class _LabelMean(_ObservedMean):
    """The same over the labels of sets. Abstract."""

    def targets(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
        return ops.label_targets(kops.cast(y_true, self.dtype), y_pred)


@register
class CrowdBinaryAccuracy(_LabelMean):
    """Share of the judged labels of sets that are as predicted, ticked or not.

    This is agreement with the annotators, not accuracy against the truth.

    Args:
        name: String. Name of the metric. Defaults to that of the class, as `"crowd_accuracy"`.
        dtype: String. Dtype of the result.

    Call arguments:
        y_true, y_pred: As for `keras_crowd.losses.MaskedCrowdBinaryCrossEntropy`.
        sample_weight: One weight per item, `(batch,)`.

    Example:

    >>> metric = keras_crowd.metrics.CrowdBinaryAccuracy()
    >>> metric.update_state(np.array([[[1, 0], [-1, 0]]]), np.array([[[2.0, 1.0], [0.0, -1.0]]]))
    >>> float(metric.result())
    0.6666666865348816
    """

    def values(self, targets: Tensor, observed: Tensor, logits: Tensor) -> Tensor:
        return (ops.side_by_side(logits) > 0) == (targets > 0)


@register
class CrowdBinaryCrossEntropy(_LabelMean):
    """Negative log-likelihood of a judged label of a set, in nats: how well held-out answers are predicted.

    Args:
        name: String. Name of the metric. Defaults to that of the class, as `"crowd_accuracy"`.
        dtype: String. Dtype of the result.

    Call arguments:
        y_true, y_pred: As for `keras_crowd.losses.MaskedCrowdBinaryCrossEntropy`.
        sample_weight: One weight per item, `(batch,)`.

    Example:

    >>> metric = keras_crowd.metrics.CrowdBinaryCrossEntropy()
    >>> metric.update_state(np.array([[[1, 0], [-1, -1]]]), np.zeros((1, 2, 2)))  # log 2
    >>> float(metric.result())
    0.6931471824645996
    """

    def values(self, targets: Tensor, observed: Tensor, logits: Tensor) -> Tensor:
        return ops.binary_cross_entropy(targets, observed, logits)


class _RatingMean(_ObservedMean):
    """The same over numeric answers. Abstract."""

    def targets(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
        return ops.rating_targets(kops.cast(y_true, self.dtype), y_pred)


@register
class CrowdRootMeanSquaredError(_RatingMean):
    """Root of the mean squared error of the predicted answers, over the answers that were given.

    This is the error against the annotators, not the truth: with their noise, it stays above 0 even for a perfect
    model.

    Args:
        name: String. Name of the metric. Defaults to that of the class, as `"crowd_accuracy"`.
        dtype: String. Dtype of the result.

    Call arguments:
        y_true, y_pred: As for `keras_crowd.losses.MaskedCrowdMeanSquaredError`.
        sample_weight: One weight per item, `(batch,)`.

    Example:

    >>> metric = keras_crowd.metrics.CrowdRootMeanSquaredError()
    >>> metric.update_state(np.array([[1.0, np.nan], [3.0, 0.0]]), np.array([[1.0, 9.0], [5.0, 2.0]]))
    >>> float(metric.result())  # sqrt(8/3)
    1.632993221282959
    """

    def values(self, targets: Tensor, observed: Tensor, y_pred: Tensor) -> Tensor:
        means = ops.predicted_means(targets, y_pred)
        return kops.square(ops.rating_errors(targets, observed, means))

    def result(self) -> Tensor:
        return kops.sqrt(super().result())


@register
class CrowdGaussianCrossEntropy(_RatingMean):
    """Negative log-likelihood of a numeric answer, in nats: how well held-out answers are predicted.

    For `keras_crowd.layers.CrowdsRegression(..., learn_variance=True)`. Nats of answers in other units (not
    standardized, say) differ by a constant.

    Args:
        name: String. Name of the metric. Defaults to that of the class, as `"crowd_accuracy"`.
        dtype: String. Dtype of the result.

    Call arguments:
        y_true, y_pred: As for `keras_crowd.losses.MaskedCrowdGaussian`.
        sample_weight: One weight per item, `(batch,)`.

    Example:

    >>> metric = keras_crowd.metrics.CrowdGaussianCrossEntropy()
    >>> metric.update_state(np.array([[1.0, np.nan]]), np.array([[[1.0, 0.0], [5.0, 0.0]]]))
    >>> float(metric.result())  # 1/2 log 2 pi
    0.9189385175704956
    """

    def values(self, targets: Tensor, observed: Tensor, y_pred: Tensor) -> Tensor:
        return ops.gaussian_cross_entropy(targets, observed, y_pred)


def __dir__() -> list[str]:
    return [
        "CrowdAccuracy",
        "CrowdBinaryAccuracy",
        "CrowdBinaryCrossEntropy",
        "CrowdCrossEntropy",
        "CrowdGaussianCrossEntropy",
        "CrowdRootMeanSquaredError",
    ]
