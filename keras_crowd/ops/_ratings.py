"""Answers that are numbers or grades."""

import math

from keras import ops as kops

from .._typing import Shape, Tensor
from ._annotators import is_somebody


def affine_answers(
    x: Tensor, scale: Tensor | None, bias: Tensor | None, bias_first: bool = False
) -> Tensor:
    """`x s_r + b_r` (AAAI-18: S, B, S+B), or `(x + b_r) s_r` (B+S): `(batch, R or S, T)`.

    `scale` and `bias` are `(R, T)` or `(batch, S, T)`.
    """
    y = kops.expand_dims(x, -2)
    if bias_first:
        return (y + bias) * scale
    if scale is not None:
        y = y * scale
    return y if bias is None else y + bias


def variance_penalty(offset: Tensor, strength: float, shares: Tensor | float = 1.0) -> Tensor:
    """`sum_r n_0 / 2 (d_r + exp(-d_r) - 1)` of `v_r = v exp(d_r)`: minus the log of an inverse gamma prior.

    With the likelihood of `n_r` answers its lowest point is `v_r = (n_0 v + sum of squares) / (n_0 + n_r)`. With the
    annotators of slots, who stand there as often as they answered, `shares` are `1 / n_r`.
    """
    return 0.5 * strength * kops.sum(shares * (offset + kops.exp(-offset) - 1.0))


def rating_targets(answers: Tensor, predictions: Tensor) -> tuple[Tensor, Tensor]:
    """Numeric answers with something finite where they are missing (`NaN`), and where they are not."""
    check_rating_shape(answers.shape, predictions.shape)
    known = is_somebody(predicted_means(answers, predictions))
    observed = kops.logical_and(known, kops.logical_not(kops.isnan(answers)))
    return kops.where(observed, answers, 0.0), observed


def rating_errors(targets: Tensor, observed: Tensor, predictions: Tensor) -> Tensor:
    """`prediction - answer` where observed, 0 elsewhere.

    A prediction without an answer is replaced before the difference, so that whatever stands there (`NaN`
    too) reaches neither the value nor the gradient.
    """
    targets = kops.cast(targets, predictions.dtype)
    return kops.where(observed, predictions, targets) - targets


def predicted_means(answers: Tensor, predictions: Tensor) -> Tensor:
    """Returns the means of predictions with a last axis (mean, log variance); others as they are."""
    return predictions[..., 0] if len(predictions.shape) == len(answers.shape) + 1 else predictions


def gaussian_cross_entropy(targets: Tensor, observed: Tensor, predictions: Tensor) -> Tensor:
    """`1/2 (log 2 pi v_r + (y_r - m_r)^2 / v_r)` where observed, 0 elsewhere; predictions are `m, log v`."""
    if len(predictions.shape) != len(targets.shape) + 1:
        raise ValueError(
            "Predictions must have a last axis (mean, log variance), as from "
            "`CrowdsRegression(..., learn_variance=True)`. "
            f"Received: shape {tuple(predictions.shape)} for answers of shape {tuple(targets.shape)}"
        )
    error = rating_errors(targets, observed, predictions[..., 0])
    log_variance = kops.where(observed, predictions[..., 1], 0.0)
    nats = 0.5 * (math.log(2 * math.pi) + log_variance + kops.square(error) * kops.exp(-log_variance))
    return kops.where(observed, nats, 0.0)


def huber(error: Tensor, delta: float) -> Tensor:
    """`e^2 / 2` up to `delta`, and from there on the straight line that goes on from it."""
    size = kops.abs(error)
    near = kops.minimum(size, delta)
    return near * (size - 0.5 * near)


def over_targets(values: Tensor) -> Tensor:
    """Values `(batch, R)` as they are, `(batch, R, T)` summed over the targets."""
    return kops.sum(values, axis=-1) if len(values.shape) == 3 else values


def check_rating_shape(answers: Shape, predictions: Shape) -> None:
    """Refuses shapes that would broadcast one answer over all annotators."""
    gaussian = len(predictions) == len(answers) + 1 and predictions[-1] == 2
    expected = predictions[:-1] if gaussian else predictions
    known = [(i, j) for i, j in zip(answers[1:], expected[1:], strict=False) if None not in (i, j)]
    if len(answers) not in (2, 3) or len(answers) != len(expected) or any(i != j for i, j in known):
        raise ValueError(
            "Answers must have shape (batch, annotators or slots) or, of several targets, (batch, annotators "
            f"or slots, targets); the predictions have shape {tuple(predictions)}. "
            f"Received: answers of shape {tuple(answers)}"
        )


def cumulative_log_probabilities(z: Tensor) -> Tensor:
    """`log P(l)` from the logits `z_1 < ... < z_K-1` of `P(answer < l)`: `(..., K - 1)` to `(..., K)`.

    Between two of them `sigmoid(u) - sigmoid(v) = sigmoid(u) sigmoid(-v) (1 - exp(v - u))`, which neither
    cancels nor underflows in the log.
    """
    below, above = kops.log_sigmoid(z), kops.log_sigmoid(-z)
    if z.shape[-1] == 1:
        return kops.concatenate([below, above], axis=-1)
    gap = kops.maximum(z[..., 1:] - z[..., :-1], 1e-6)
    between = below[..., 1:] + above[..., :-1] + kops.log(-kops.expm1(-gap))
    return kops.concatenate([below[..., :1], between, above[..., -1:]], axis=-1)
