"""The mathematics of both papers as pure functions over `keras.ops`.

Symbols: `x` are predictions of numbers `(batch, T)` for T targets, `s` and `b` an annotator's scale and bias;
`f` are class probabilities `(..., K)`, `k` a true class, `l` an answer, `r` one of R annotators.
Parameters come for all annotators, leading axis `(R, ...)`, or for the slots of each item,
leading axes `(batch, S, ...)`; results have the annotators or slots as their axis before the last.
"""

import math
from typing import Any

from keras import ops

_TINY = 1e-37  # above the smallest normal float32, so that neither the log nor its gradient overflows


_PADDING = -1e30  # all logits of a masked token: no annotator answers there


def identity_scale(accuracy: float, num_classes: int) -> float:
    """The `a` for which `softmax(a e_k)` puts `accuracy` on class `k`: the log odds times `K - 1`."""
    return math.log(accuracy * (num_classes - 1) / (1.0 - accuracy))


def annotator_rows(parameter: Any, annotators: Any) -> Any:
    """The rows of `parameter` `(R, ...)` that belong to each item's annotators, `(batch, S, ...)`.

    An empty slot (a negative id) gets some row, to be masked by its missing answer; an id that does not
    exist gets `NaN`, so that it cannot go unnoticed.
    """
    num_annotators = parameter.shape[0]
    rows = ops.take(parameter, ops.clip(annotators, 0, num_annotators - 1), axis=0)
    unknown = ops.reshape(
        annotators >= num_annotators, (*ops.shape(annotators), *[1] * (len(rows.shape) - 2))
    )
    return ops.where(unknown, float("nan"), rows)


def matrix_logits(f: Any, kernel: Any) -> Any:
    """`z_rl = sum_k f_k W_rkl` (AAAI-18, MW). Kernel `(R, K, L)` or `(batch, S, K, L)`."""
    if len(kernel.shape) == 3:
        return ops.einsum("...k,rkl->...rl", f, kernel)
    return ops.einsum("b...k,bskl->b...sl", f, kernel)


def vector_logits(f: Any, scale: Any | None = None, bias: Any | None = None) -> Any:
    """`z_rl = w_rl f_l + b_rl` (AAAI-18: VW, VB, VW+B; with one `w_r` for all classes, SW).

    `scale` and `bias` are `(R, K or 1)` or `(batch, S, K or 1)`.
    """
    z = ops.expand_dims(f, -2)
    if scale is not None:
        z = z * _against_items(scale, len(z.shape))
    if bias is not None:
        z = z + _against_items(bias, len(z.shape))
    return z


def mixture_logits(f: Any, log_confusion: Any) -> Any:
    """`z_rl = log sum_k f_k A_rkl` (ICLR-23, CCEM), finite also where `f_k = 0` or `A_rkl` underflows.

    Each column of `A` is divided by its largest entry before the product and multiplied back in the log.
    """
    largest = ops.stop_gradient(ops.max(log_confusion, axis=-2, keepdims=True))
    product = matrix_logits(f, ops.exp(log_confusion - largest))
    shift = _against_items(ops.squeeze(largest, -2), len(product.shape))
    return ops.log(ops.maximum(product, _TINY)) + shift


def answer_targets(answers: Any, logits: Any) -> tuple[Any, Any]:
    """Answers as distributions `(..., R, K)`, and where there is an answer at all, `(..., R)`.

    Hard answers `(..., R)` are class codes, missing where negative (or `NaN`); soft answers, of the logits'
    rank, are missing where nothing is positive. A code that is no class becomes `NaN`. At padding,
    marked by `without_padding`, all are missing.
    """
    check_answer_shape(answers.shape, logits.shape)
    num_classes = logits.shape[-1]
    real = ops.logical_not(ops.all(logits <= _PADDING, axis=-1))
    if len(answers.shape) == len(logits.shape):
        observed = ops.logical_and(ops.any(answers > 0, axis=-1), real)
        return ops.where(ops.expand_dims(observed, -1), answers, 0), observed
    answers = ops.where(real, answers, -1)
    return one_hot_answers(answers, num_classes), answers >= 0


def one_hot_answers(answers: Any, num_classes: int) -> Any:
    """Class codes `(..., R)` as `(..., R, K)`: zeros where negative or `NaN`, `NaN` where it is no class."""
    codes = ops.cast(ops.where(answers >= 0, answers, -1), "int32")
    targets = ops.one_hot(ops.minimum(codes, num_classes - 1), num_classes, dtype="float32")
    wrong = codes >= num_classes
    if "float" in str(answers.dtype):
        wrong = ops.logical_or(wrong, answers != ops.floor(answers))
        wrong = ops.logical_and(wrong, answers >= 0)
    return ops.where(ops.expand_dims(wrong, -1), float("nan"), targets)


def without_padding(logits: Any, mask: Any) -> Any:
    """Logits `(batch, time, S, K)`, marked where the mask `(batch, time)` says that there is no token."""
    return ops.where(ops.reshape(mask, (*ops.shape(mask), 1, 1)), logits, _PADDING)


def as_if_real(f: Any, mask: Any) -> Any:
    """`f` `(batch, time, K)` with zeros at padding, scaled so that `F'F / n` is that of the real tokens."""
    real = ops.cast(ops.expand_dims(mask, -1), f.dtype)
    share = ops.maximum(ops.mean(real), _TINY)
    return ops.where(real > 0, f / ops.sqrt(share), 0.0)


def check_answer_shape(answers: Any, logits: Any) -> None:
    """Refuses shapes that would broadcast one answer over all annotators, or fail deep in a backend."""
    expected = logits if len(answers) == len(logits) else logits[:-1]
    known = [(i, j) for i, j in zip(answers[1:], expected[1:], strict=False) if None not in (i, j)]
    if len(answers) != len(expected) or any(i != j for i, j in known):
        raise ValueError(
            "Answers must have shape (batch, ..., annotators or slots), or (batch, ..., annotators or slots, "
            f"classes) for soft answers; the answer logits have shape {tuple(logits)}. "
            f"Received: answers of shape {tuple(answers)}"
        )


def crowd_cross_entropy(targets: Any, observed: Any, logits: Any) -> Any:
    """`-sum_l y_rl log softmax(z_r)_l` where observed, 0 elsewhere: `(..., R)`.

    Logits without an answer are replaced before the logarithm, so whatever stands there (`NaN` too)
    reaches neither the value nor the gradient.
    """
    logits = ops.where(ops.expand_dims(observed, -1), logits, 0.0)
    return -ops.sum(ops.cast(targets, logits.dtype) * ops.log_softmax(logits, axis=-1), axis=-1)


def item_sums(values: Any) -> Any:
    """Values `(..., R)` summed over an item's answers, `(...)`."""
    return ops.sum(values, axis=-1)


def mean_over_observed(values: Any, observed: Any) -> Any:
    """Values `(..., R)`, 0 where not observed, as one value an item `(...)`.

    Scaled so that their plain mean is the sum of all values over the number of observed answers, |S|.
    """
    per_item = item_sums(values)
    count = ops.sum(ops.cast(observed, per_item.dtype))
    return per_item * (ops.cast(ops.size(per_item), per_item.dtype) / ops.maximum(count, 1.0))


def _against_items(parameter: Any, rank: int) -> Any:
    """`(batch, S, K)` as `(batch, 1, ..., S, K)` of the given rank; `(R, K)` broadcasts as it is."""
    if len(parameter.shape) == 2:
        return parameter
    for _ in range(rank - 3):
        parameter = ops.expand_dims(parameter, 1)
    return parameter


def centered(parameter: Any, weights: Any, mean: float = 0.0) -> Any:
    """The parameter `(R, T)` moved so that its mean, weighted by `weights` `(R, 1)` that sum to 1, is `mean`."""
    weights = ops.convert_to_tensor(weights, dtype=parameter.dtype)
    return parameter + (mean - ops.sum(weights * parameter, axis=0, keepdims=True))


def affine_answers(x: Any, scale: Any | None, bias: Any | None, bias_first: bool = False) -> Any:
    """`x s_r + b_r` (AAAI-18: S, B, S+B), or `(x + b_r) s_r` (B+S): `(batch, R or S, T)`.

    `scale` and `bias` are `(R, T)` or `(batch, S, T)`.
    """
    y = ops.expand_dims(x, -2)
    if bias_first:
        return (y + bias) * scale
    if scale is not None:
        y = y * scale
    return y if bias is None else y + bias


def variance_penalty(offset: Any, strength: float) -> Any:
    """`sum_r n_0 / 2 (d_r + exp(-d_r) - 1)` of `v_r = v exp(d_r)`: minus the log of an inverse gamma prior.

    With the likelihood of `n_r` answers its lowest point is `v_r = (n_0 v + sum of squares) / (n_0 + n_r)`.
    """
    return 0.5 * strength * ops.sum(offset + ops.exp(-offset) - 1.0)


def rating_targets(answers: Any, predictions: Any) -> tuple[Any, Any]:
    """Numeric answers with something finite where they are missing (`NaN`), and where they are not."""
    check_rating_shape(answers.shape, predictions.shape)
    observed = ops.logical_not(ops.isnan(answers))
    return ops.where(observed, answers, 0.0), observed


def rating_errors(targets: Any, observed: Any, predictions: Any) -> Any:
    """`prediction - answer` where observed, 0 elsewhere.

    A prediction without an answer is replaced before the difference, so that whatever stands there (`NaN`
    too) reaches neither the value nor the gradient.
    """
    targets = ops.cast(targets, predictions.dtype)
    return ops.where(observed, predictions, targets) - targets


def predicted_means(answers: Any, predictions: Any) -> Any:
    """Of predictions with a last axis (mean, log variance) the means; others as they are."""
    return predictions[..., 0] if len(predictions.shape) == len(answers.shape) + 1 else predictions


def gaussian_cross_entropy(targets: Any, observed: Any, predictions: Any) -> Any:
    """`1/2 (log 2 pi v_r + (y_r - m_r)^2 / v_r)` where observed, 0 elsewhere; predictions are `m, log v`."""
    if len(predictions.shape) != len(targets.shape) + 1:
        raise ValueError(
            "Predictions must have a last axis (mean, log variance), as from "
            "`CrowdsRegression(..., learn_variance=True)`. "
            f"Received: shape {tuple(predictions.shape)} for answers of shape {tuple(targets.shape)}"
        )
    error = rating_errors(targets, observed, predictions[..., 0])
    log_variance = ops.where(observed, predictions[..., 1], 0.0)
    nats = 0.5 * (math.log(2 * math.pi) + log_variance + ops.square(error) * ops.exp(-log_variance))
    return ops.where(observed, nats, 0.0)


def huber(error: Any, delta: float) -> Any:
    """`e^2 / 2` up to `delta`, and from there on the straight line that goes on from it."""
    size = ops.abs(error)
    near = ops.minimum(size, delta)
    return near * (size - 0.5 * near)


def over_targets(values: Any) -> Any:
    """Values `(batch, R)` as they are, `(batch, R, T)` summed over the targets."""
    return ops.sum(values, axis=-1) if len(values.shape) == 3 else values


def check_rating_shape(answers: Any, predictions: Any) -> None:
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


def cumulative_log_probabilities(z: Any) -> Any:
    """`log P(l)` from the logits `z_1 < ... < z_K-1` of `P(answer < l)`: `(..., K - 1)` to `(..., K)`.

    Between two of them `sigmoid(u) - sigmoid(v) = sigmoid(u) sigmoid(-v) (1 - exp(v - u))`, which neither
    cancels nor underflows in the log.
    """
    below, above = ops.log_sigmoid(z), ops.log_sigmoid(-z)
    if z.shape[-1] == 1:
        return ops.concatenate([below, above], axis=-1)
    gap = ops.maximum(z[..., 1:] - z[..., :-1], 1e-6)
    between = below[..., 1:] + above[..., :-1] + ops.log(-ops.expm1(-gap))
    return ops.concatenate([below[..., :1], between, above[..., -1:]], axis=-1)


def gram(f: Any) -> Any:
    """`F'F / n` of the class probabilities `(..., K)` of `n` items: `(K, K)`, float32 at least."""
    f = ops.reshape(f, (-1, f.shape[-1]))
    if "16" in str(f.dtype):
        f = ops.cast(f, "float32")
    return ops.matmul(ops.transpose(f), f) / ops.cast(ops.shape(f)[0], f.dtype)


def confusion_gram(confusion: Any) -> Any:
    """`1/R sum_r A_r A_r'` of confusions `(R, true, answer)`: `(true, true)`."""
    num_annotators, num_classes, _ = confusion.shape
    if "16" in str(confusion.dtype):
        confusion = ops.cast(confusion, "float32")
    by_class = ops.reshape(ops.transpose(confusion, (1, 0, 2)), (num_classes, -1))
    return ops.matmul(by_class, ops.transpose(by_class)) / num_annotators


def mean_log_eigenvalue(matrix: Any, epsilon: float) -> Any:
    """`1/K log det(M + epsilon I)` of a positive semi-definite matrix, by Cholesky.

    `det` and `slogdet` have no XLA kernel, and `cholesky` of a singular matrix raises or gives NaN;
    `epsilon` keeps it regular where a batch has fewer items than classes.
    """
    size = matrix.shape[-1]
    factor = ops.cholesky(matrix + epsilon * ops.eye(size, dtype=matrix.dtype))
    return 2.0 * ops.sum(ops.log(ops.diagonal(factor))) / size
