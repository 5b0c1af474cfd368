"""Answers that are sets of labels: logits of a tick, targets, likelihoods."""

from keras import ops as kops

from .._typing import Shape, Tensor
from ._annotators import is_somebody

_MOST = 40.0  # log odds: the product of two such odds is a float32
_TINY = 1e-37  # as for classes
_FEW = 64  # copies side by side, which XLA makes faster one by one than by `tile`


def odds(logits: Tensor) -> Tensor:
    """`exp(logits)`, kept within `exp(-40)` and `exp(40)`; beyond, the gradient is that of the bound."""
    return kops.exp(logits + kops.stop_gradient(kops.clip(logits, -_MOST, _MOST) - logits))


def tick_logits(p: Tensor, q: Tensor, s: Tensor, c: Tensor) -> Tensor:
    """Log odds of `P(tick) = p s / (1 + s) + q / (1 + c)`, `s` and `c` being odds and `q = 1 - p`.

        P(tick) / P(no tick) = (q + s (1 + p c)) / (p + c (1 + q s)),

    all terms positive, so that nothing cancels. `p` and `q` are `(batch, L)`; `s` and `c` are `(R, L)` or
    `(batch, S, L)`. Labels of all annotators stand in one row: loops over a short last axis are slow.
    """
    *_, width, num_labels = s.shape
    width = kops.shape(s)[-2] if width is None else width
    s, c = (kops.reshape(x, (-1, width * num_labels)) for x in (s, c))
    p, q = _repeated(p, width), _repeated(q, width)
    z = kops.log((q + s * (1.0 + p * c)) / (p + c * (1.0 + q * s)))
    return kops.reshape(z, (-1, width, num_labels))


def _repeated(row: Tensor, times: int | Tensor) -> Tensor:
    """`(batch, L)` as `(batch, times L)`."""
    if isinstance(times, int) and times <= _FEW:
        return kops.concatenate([row] * times, axis=-1)
    return kops.tile(row, (1, times))


def label_targets(answers: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Ticks and where a label was judged, both `(batch, R L)`: all labels of all annotators of an item in a row.

    A label is not judged where the answer is negative or `NaN`, and in empty slots.
    """
    check_set_shape(answers.shape, logits.shape)
    answers, logits = side_by_side(answers), side_by_side(logits)
    judged = kops.logical_and(answers >= 0, is_somebody(logits))
    return kops.where(judged, answers, 0), judged


def check_set_shape(answers: Shape, predictions: Shape) -> None:
    """Refuses answers that are no sets of labels, or of others than the predictions."""
    known = [(i, j) for i, j in zip(answers, predictions, strict=False) if None not in (i, j)]
    if len(answers) != 3 or len(predictions) != 3 or any(i != j for i, j in known):
        raise ValueError(
            "Answers must be sets of labels, (batch, annotators or slots, labels), as the predictions, which have "
            f"shape {tuple(predictions)}. Received: answers of shape {tuple(answers)}"
        )


def log_probabilities(outputs: Tensor, from_logits: bool) -> tuple[Tensor, Tensor]:
    """`log p` and `log (1 - p)` of probabilities, or of their logits."""
    if from_logits:
        return kops.log_sigmoid(outputs), kops.log_sigmoid(-outputs)
    return kops.log(kops.maximum(outputs, _TINY)), kops.log(kops.maximum(1.0 - outputs, _TINY))


def label_log_joint(
    log_p: Tensor,
    log_q: Tensor,
    answers: Tensor,
    judged: Tensor,
    rates: Tensor,
    weights: Tensor | None = None,
) -> Tensor:
    """Log-probability of the answers together with a label being absent, and being there, `(batch, L, 2)`.

        log p + sum_r y_r log s_r + (1 - y_r) log (1 - s_r),    log q + sum_r (1 - y_r) log c_r + y_r log (1 - c_r)

    over the annotators who judged the label, with the logits of `s` and `c` in `rates`, `(R, 2, L)` or
    `(batch, S, 2, L)`: `log s = z - softplus(z)`, and `log (1 - s) = -softplus(z)`. With weights of the annotators,
    `(R,)` or `(batch, S)`, each answer counts that often.
    """
    s, c = rates[..., 0, :], rates[..., 1, :]
    judged = kops.cast(judged, s.dtype)
    if weights is not None:
        judged = judged * kops.expand_dims(kops.cast(weights, s.dtype), -1)
    ticked = judged * kops.cast(answers > 0, s.dtype)
    there = kops.sum(ticked * s - judged * kops.softplus(s), axis=1)
    absent = kops.sum((judged - ticked) * c - judged * kops.softplus(c), axis=1)
    return kops.stack([kops.cast(log_q, s.dtype) + absent, kops.cast(log_p, s.dtype) + there], axis=-1)


def side_by_side(values: Tensor) -> Tensor:
    """`(batch, R, L)` as `(batch, R L)`."""
    width = values.shape[1] * values.shape[2] if None not in values.shape[1:] else -1
    rows = values.shape[0] or (-1 if width != -1 else kops.shape(values)[0])
    return kops.reshape(values, (rows, width))


def binary_cross_entropy(targets: Tensor, judged: Tensor, logits: Tensor) -> Tensor:
    """`log(1 + exp(z)) - y z` where a label was judged, 0 elsewhere; logits `(batch, R, L)`, the others in a row."""
    z = kops.where(judged, side_by_side(logits), 0.0)
    y, at = kops.cast(targets, z.dtype), kops.stop_gradient(z)
    e = kops.exp(-kops.abs(at))
    value = kops.maximum(at, 0.0) + kops.log(1.0 + e) - y * at
    slope = kops.where(at >= 0, 1.0, e) / (1.0 + e) - y  # given as it is: half the work of deriving it
    return kops.where(judged, value + slope * (z - at), 0.0)
