"""Answers that are sets of labels: logits of a tick, targets, likelihoods."""

from keras import ops as kops

from .._typing import Tensor
from ._annotators import is_somebody

_TINY = 1e-37  # above the smallest normal float32


def log_odds(p: Tensor) -> Tensor:
    """`log p - log(1 - p)`, finite for 0 and 1."""
    return kops.log(kops.maximum(p, _TINY)) - kops.log(kops.maximum(1.0 - p, _TINY))


def tick_logits(z: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Log odds of `P(tick) = p s + (1 - p)(1 - c)`, with `p = sigmoid(z)`, `s = sigmoid(a)` and `c = sigmoid(b)`.

    Both probabilities over `1 - p`, in logs, so that nothing cancels or underflows. `z` is `(batch, L)`; `a` and `b`
    are `(R, L or 1)` or `(batch, S, L or 1)`.
    """
    z = kops.expand_dims(z, -2)
    ticked = kops.logaddexp(z + kops.log_sigmoid(a), kops.log_sigmoid(-b))
    not_ticked = kops.logaddexp(z + kops.log_sigmoid(-a), kops.log_sigmoid(b))
    return ticked - not_ticked


def label_targets(answers: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Ticks and where a label was judged, both `(batch, R L)`: all labels of all annotators of an item in a row.

    A label is not judged where the answer is negative or `NaN`, and in empty slots.
    """
    known = [(i, j) for i, j in zip(answers.shape, logits.shape, strict=False) if None not in (i, j)]
    if len(answers.shape) != 3 or len(logits.shape) != 3 or any(i != j for i, j in known):
        raise ValueError(
            "Answers must be sets of labels, (batch, annotators or slots, labels), as the predictions, which have "
            f"shape {tuple(logits.shape)}. Received: answers of shape {tuple(answers.shape)}"
        )
    judged = kops.logical_and(answers >= 0, is_somebody(logits))
    return side_by_side(kops.where(judged, answers, 0)), side_by_side(judged)


def side_by_side(values: Tensor) -> Tensor:
    """`(batch, R, L)` as `(batch, R L)`."""
    width = values.shape[1] * values.shape[2] if None not in values.shape[1:] else -1
    rows = values.shape[0] or (-1 if width != -1 else kops.shape(values)[0])
    return kops.reshape(values, (rows, width))


def binary_cross_entropy(targets: Tensor, judged: Tensor, logits: Tensor) -> Tensor:
    """`log(1 + exp(z)) - y z` where a label was judged, 0 elsewhere; logits `(batch, R, L)`, the others in a row."""
    z = kops.where(judged, side_by_side(logits), 0.0)
    return kops.where(judged, kops.softplus(z) - kops.cast(targets, z.dtype) * z, 0.0)
