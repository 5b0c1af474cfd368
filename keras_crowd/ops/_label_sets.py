"""Answers that are sets of labels: logits of a tick, targets, likelihoods."""

from collections.abc import Callable

from keras import ops as kops

from .._typing import Shape, Tensor
from ._annotators import NOBODY, is_somebody

_MOST = 20.0  # log odds: the product of four such odds is a float32
_TINY = 1e-37  # as for classes
_FEW = 64  # copies side by side, which XLA makes and adds up faster one by one; numbers below 2 to multiply


def odds(logits: Tensor) -> Tensor:
    """`exp(logits)`, kept within `exp(-20)` and `exp(20)`; beyond, the gradient is that of the bound."""
    return kops.exp(logits + kops.stop_gradient(kops.clip(logits, -_MOST, _MOST) - logits))


def tick_logits(p: Tensor, q: Tensor | None, s: Tensor, c: Tensor) -> Tensor:
    """Log odds of `P(tick) = p s / (1 + s) + q / (1 + c)`, `s` and `c` being odds and `q = 1 - p`.

        P(tick) / P(no tick) = u / v,    u = q + s (1 + p c),    v = p + c (1 + q s),

    all terms positive, so that nothing cancels. With `p + q = 1` the derivatives of the logarithm are

        d/ds = p (1 + c)^2 / u v,    d/dc = -q (1 + s)^2 / u v,    d/dp = (s c - 1) (1 + s) (1 + c) / u v.

    `p` and `q` are `(batch, L)`; `q` is given where it is known better than as `1 - p`. `s` and `c` are `(R, L)` or
    `(batch, S, L)`. Labels of all annotators stand in one row: loops over a short last axis are slow.
    """
    *_, width, num_labels = s.shape
    width = kops.shape(s)[-2] if width is None else width
    of_all = len(s.shape) == 2

    @kops.custom_gradient
    def logits(s: Tensor, c: Tensor, p: Tensor, *given: Tensor) -> tuple[Tensor, Callable]:
        wide_p = _repeated(p, width)
        wide_q = _repeated(given[0], width) if given else 1.0 - wide_p
        u, v = wide_q + s * (1.0 + wide_p * c), wide_p + c * (1.0 + wide_q * s)

        def pull(*args: Tensor, upstream: Tensor | None = None) -> tuple[Tensor, ...]:
            g = (args[0] if upstream is None else upstream) / (u * v)
            minus_q = -wide_q if given else wide_p - 1.0
            to_s, to_c = g * wide_p * kops.square(1.0 + c), g * minus_q * kops.square(1.0 + s)
            to_p = _sum_of_repeated(g * (s * c - 1.0) * ((1.0 + s) * (1.0 + c)), width, num_labels)
            if of_all:
                to_s, to_c = (kops.sum(x, axis=0, keepdims=True) for x in (to_s, to_c))
            if not given:
                return to_s, to_c, to_p
            at_p = p < given[0]  # to the smaller one: beside 1 a sigmoid's own slope is rounded to 0
            return to_s, to_c, kops.where(at_p, to_p, 0.0), kops.where(at_p, 0.0, -to_p)

        return kops.log(u / v), pull

    s, c = (kops.reshape(x, (-1, width * num_labels)) for x in (s, c))
    z = logits(s, c, *(kops.convert_to_tensor(x) for x in (p, q) if x is not None))
    return kops.reshape(z, (-1, width, num_labels))


def _repeated(row: Tensor, times: int | Tensor) -> Tensor:
    """`(batch, L)` as `(batch, times L)`."""
    if isinstance(times, int) and times <= _FEW:
        return kops.concatenate([row] * times, axis=-1)
    return kops.tile(row, (1, times))


def _sum_of_repeated(rows: Tensor, times: int | Tensor, width: int) -> Tensor:
    """`(batch, times L)` summed to `(batch, L)`."""
    if isinstance(times, int) and times <= _FEW:
        return sum(rows[:, k * width : (k + 1) * width] for k in range(times))
    return kops.sum(kops.reshape(rows, (-1, times, width)), axis=1)


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
    value = kops.softplus(z) - kops.cast(targets, z.dtype) * z
    return kops.where(judged, value, 0.0)


def item_binary_cross_entropy(targets: Tensor, judged: Tensor, logits: Tensor) -> Tensor:
    """The sum of the same over each item, `(batch, 1)`, in fewer passes.

    A sum of a few logarithms is the logarithm of a product. The slope, `1 / (1 + exp(-z)) - y`, is given as it is.
    """
    _, width, num_labels = logits.shape
    few = width if isinstance(width, int) and isinstance(num_labels, int) and width <= _FEW else None

    @kops.custom_gradient
    def sums(y: Tensor, z: Tensor) -> tuple[Tensor, Callable]:
        e = kops.exp(-kops.abs(z))
        linear = kops.where(is_somebody(z), kops.maximum(z, 0.0) - y * z, 0.0)
        factors = 1.0 + e  # between 1 and 2
        if few is not None:
            factors = kops.prod(kops.reshape(factors, (-1, few, num_labels)), axis=1)
        value = kops.sum(linear, axis=-1) + kops.sum(kops.log(factors), axis=-1)

        def pull(*args: Tensor, upstream: Tensor | None = None) -> tuple[Tensor, Tensor]:
            g = args[0] if upstream is None else upstream
            return -g * z, g * (kops.where(z >= 0, 1.0, e) / (1.0 + e) - y)

        return kops.expand_dims(value, -1), pull

    z = kops.where(judged, side_by_side(logits), NOBODY)  # whose value and slope are 0
    return sums(kops.cast(targets, z.dtype), z)


def judged_by_label(judged: Tensor, logits: Tensor) -> Tensor:
    """Counts of the annotators of an item who judged each label, `(batch, L)`; logits `(batch, R, L)`."""
    _, width, num_labels = logits.shape
    if None in (width, num_labels):
        return judged
    return kops.sum(kops.reshape(kops.cast(judged, "int32"), (-1, width, num_labels)), axis=1)
