"""Answers that are classes: logits of the crowd layers, targets, likelihoods."""

import math
from typing import cast

import numpy as np
from keras import ops as kops

from .._typing import Shape, Tensor
from ._annotators import NOBODY, annotator_rows, is_somebody

_NO_SHARE = -1e30  # the log of the weight of a slot without an answer
_TINY = 1e-37  # above the smallest normal float32, so that neither the log nor its gradient overflows


def identity_scale(accuracy: float, num_classes: int) -> float:
    """The `a` for which `softmax(a e_k)` puts `accuracy` on class `k`: the log odds times `K - 1`."""
    return math.log(accuracy * (num_classes - 1) / (1.0 - accuracy))


def matrix_logits(f: Tensor, kernel: Tensor) -> Tensor:
    """`z_rl = sum_k f_k W_rkl` (AAAI-18, MW). Kernel `(R, K, L)` or `(batch, S, K, L)`."""
    if len(kernel.shape) == 4 and len(f.shape) == 2:
        return _slot_products(kops.repeat(kops.expand_dims(f, 1), kops.shape(kernel)[1], axis=1), kernel)
    if len(kernel.shape) == 4:
        return kops.einsum("b...k,bskl->b...sl", f, kernel)
    num_annotators, num_true, num_answers = kernel.shape
    side_by_side = kops.reshape(kops.transpose(kernel, (1, 0, 2)), (num_true, -1))  # one product for all
    z = kops.matmul(f, side_by_side)
    return kops.reshape(z, (*kops.shape(f)[:-1], num_annotators, num_answers))


def vector_logits(f: Tensor, scale: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    """`z_rl = w_rl f_l + b_rl` (AAAI-18: VW, VB, VW+B; with one `w_r` for all classes, SW).

    `scale` and `bias` are `(R, K or 1)` or `(batch, S, K or 1)`.
    """
    z = kops.expand_dims(f, -2)
    if scale is not None:
        z = z * _against_items(scale, len(z.shape))
    if bias is not None:
        z = z + _against_items(bias, len(z.shape))
    return z


def mixture_logits(f: Tensor, kernel: Tensor, annotators: Tensor | None = None) -> Tensor:
    """`z_rl = log sum_k f_k A_rkl`, `A_r = softmax(W_r)` over answers (ICLR-23, CCEM). Kernel as above.

    With `annotators` `(batch, S)` the kernel is that of all annotators `(R, K, L)`, the result that of the slots:
    less work than their rows of the kernel where there are fewer annotators than slots.

    Finite also where `f_k = 0` or `A_rkl` underflows: with `e_kl = exp(W_kl - m_k - c_l)`, `m_k` the largest of
    its row and `c_l` of what is left in its column, `A_kl = e_kl exp(c_l) / s_k`, `s_k = sum_l e_kl exp(c_l)`.
    One exponential a parameter; the product is taken of `e / s`, or of `f / s` where an item has parameters of its
    own, and `c_l` added to its log.
    """
    m = kops.stop_gradient(kops.max(kernel, axis=-1, keepdims=True))
    c = kops.stop_gradient(kops.max(kernel - m, axis=-2))
    e = kops.exp(kernel - m - kops.expand_dims(c, -2))
    s = kops.matmul(e, kops.expand_dims(kops.exp(c), -1))
    if len(kernel.shape) == 4:
        share = kops.expand_dims(f, -2)
        product = _slot_products(share / _against_items(kops.squeeze(s, -1), len(share.shape)), e)
    elif annotators is None:
        product = matrix_logits(f, e / s)
    else:
        product = matrix_logits(f, annotator_rows(e / s, annotators))
        c = annotator_rows(c, annotators)
    return kops.log(kops.maximum(product, _TINY)) + _against_items(c, len(product.shape))


def _slot_products(f: Tensor, kernel: Tensor) -> Tensor:
    """`sum_k f_sk W_skl` of each slot: `(batch, ..., S, K)` times `(batch, S, K, L)`."""
    if len(f.shape) > 3:
        return kops.einsum("b...sk,bskl->b...sl", f, kernel)
    *_, num_true, num_answers = kernel.shape  # one batch axis: XLA is slow with two
    z = kops.matmul(kops.reshape(f, (-1, 1, num_true)), kops.reshape(kernel, (-1, num_true, num_answers)))
    return kops.reshape(z, (*kops.shape(f)[:-1], num_answers))


def _against_items(parameter: Tensor, rank: int) -> Tensor:
    """`(batch, S, K)` as `(batch, 1, ..., S, K)` of the given rank; `(R, K)` broadcasts as it is."""
    if len(parameter.shape) == 2:
        return parameter
    for _ in range(rank - 3):
        parameter = kops.expand_dims(parameter, 1)
    return parameter


def answer_targets(answers: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Answers, and where there is one, `(..., R)`.

    Hard answers `(..., R)` are class codes, missing where negative (or `NaN`); soft answers `(..., R, K)`, of the
    logits' rank, are missing where nothing is positive, and zeros there. At padding and in empty
    slots, marked by `without_padding` and `without_empty_slots`, all are missing.
    """
    check_answer_shape(answers.shape, logits.shape)
    real = is_somebody(kops.max(logits, axis=-1))
    if len(answers.shape) == len(logits.shape):
        observed = kops.logical_and(kops.any(answers > 0, axis=-1), real)
        return kops.where(kops.expand_dims(observed, -1), answers, 0), observed
    return answers, kops.logical_and(answers >= 0, real)


def answered_classes(targets: Tensor, logits: Tensor) -> Tensor:
    """The class of each answer `(..., R)`, the likeliest of a soft one."""
    soft = len(targets.shape) == len(logits.shape)
    return kops.cast(kops.argmax(targets, axis=-1) if soft else targets, "int32")


def class_codes(answers: Tensor) -> Tensor:
    """Answers as int32, -1 where they are missing: negative or `NaN`, of which every backend makes another integer."""
    return kops.cast(kops.where(answers >= 0, answers, -1), "int32")


def answers_of_somebody(answers: Tensor, annotators: Tensor | None, soft: bool = False) -> Tensor:
    """Class codes `(batch, ..., S)`, or soft answers with an axis more, -1 in empty slots."""
    if annotators is None:
        return answers
    shape = (-1, *[1] * (len(answers.shape) - 2 - soft), kops.shape(annotators)[1], *[1] * soft)
    return kops.where(kops.reshape(annotators, shape) >= 0, answers, -1)


def one_hot_answers(answers: Tensor, num_classes: int) -> Tensor:
    """Class codes `(..., R)` as `(..., R, K)`: zeros where negative or `NaN`, `NaN` where it is no class."""
    targets = kops.one_hot(
        kops.minimum(class_codes(answers), num_classes - 1), num_classes, dtype="float32"
    )
    wrong = kops.expand_dims(is_no_class(answers, num_classes), -1)
    return kops.where(wrong, float("nan"), targets)


def answer_distributions(answers: Tensor, logits: Shape) -> Tensor:
    """Answers, hard or soft, as distributions of the shape `logits`, zeros where there is none."""
    check_answer_shape(answers.shape, logits)
    if len(answers.shape) < len(logits):
        return one_hot_answers(answers, cast(int, logits[-1]))
    return kops.where(kops.any(answers > 0, axis=-1, keepdims=True), answers, 0)


def is_answered(answers: Tensor, soft: bool) -> Tensor:
    """Marks where there is an answer: a code that is not negative, or a distribution with something positive."""
    return kops.any(answers > 0, axis=-1) if soft else answers >= 0


def is_no_class(answers: Tensor, num_classes: int) -> Tensor:
    """Marks codes that are not negative and yet no class: too large, or not whole."""
    wrong = answers >= num_classes
    if "float" not in str(answers.dtype):
        return wrong
    return kops.logical_or(wrong, kops.logical_and(answers >= 0, answers != kops.floor(answers)))


def without_padding(logits: Tensor, mask: Tensor) -> Tensor:
    """Logits `(batch, time, S, K)`, marked where the mask `(batch, time)` says that there is no token."""
    return kops.where(kops.reshape(mask, (*kops.shape(mask), 1, 1)), logits, NOBODY)


def as_if_real(f: Tensor, mask: Tensor) -> Tensor:
    """`f` `(batch, time, K)` with zeros at padding, scaled so that `F'F / n` is that of the real tokens."""
    real = kops.cast(kops.expand_dims(mask, -1), f.dtype)
    share = kops.maximum(kops.mean(real), _TINY)
    return kops.where(real > 0, f / kops.sqrt(share), 0.0)


def check_answer_shape(answers: Shape, logits: Shape) -> None:
    """Refuses shapes that would broadcast one answer over all annotators, or fail deep in a backend."""
    expected = logits if len(answers) == len(logits) else logits[:-1]
    known = [(i, j) for i, j in zip(answers[1:], expected[1:], strict=False) if None not in (i, j)]
    if len(answers) != len(expected) or any(i != j for i, j in known):
        raise ValueError(
            "Answers must have shape (batch, ..., annotators or slots), or (batch, ..., annotators or slots, "
            f"classes) for soft answers; the answer logits have shape {tuple(logits)}. "
            f"Received: answers of shape {tuple(answers)}"
        )


def crowd_cross_entropy(targets: Tensor, observed: Tensor, logits: Tensor) -> Tensor:
    """`-sum_l y_rl log softmax(z_r)_l` where observed, 0 elsewhere: `(..., R)`; `NaN` for a code that is no class.

    Targets are class codes or distributions. Logits without an answer are replaced before the logarithm, so
    whatever stands there (`NaN` too) reaches neither the value nor the gradient. Sums over few classes are
    written as products, which XLA does faster.
    """
    largest = kops.stop_gradient(kops.max(logits, axis=-1, keepdims=True))
    z = kops.where(kops.expand_dims(observed, -1), logits - largest, 0.0)
    ones = kops.ones((logits.shape[-1],), dtype=z.dtype)
    log_sum = kops.log(kops.matmul(kops.exp(z), ones))
    if len(targets.shape) == len(logits.shape):
        targets = kops.cast(targets, z.dtype)
        return log_sum * kops.sum(targets, axis=-1) - kops.matmul(targets * z, ones)
    num_classes = logits.shape[-1]
    codes = kops.minimum(kops.cast(kops.where(observed, targets, -1), "int32"), num_classes - 1)
    values = log_sum - kops.matmul(kops.one_hot(codes, num_classes, dtype=z.dtype) * z, ones)
    values = kops.where(is_no_class(targets, num_classes), float("nan"), values)
    return kops.where(observed, values, 0.0)


def mixed_cross_entropy(targets: Tensor, logits: Tensor) -> Tensor:
    """`-sum_l (sum_r t_rl) log sum_r w_r softmax(z_r)_l`, `w_r = sum_l t_rl`, of `t / sum_r w_r`: `(..., 1)`.

    Targets are weighted distributions `(..., R, K)`, zeros where there is no answer, whatever the logits there are.
    """
    weight = kops.cast(kops.sum(targets, axis=-1, keepdims=True), logits.dtype)
    total = kops.maximum(kops.sum(weight, axis=-2, keepdims=True), _TINY)
    share, given = weight / total, weight > 0
    log_answer = kops.log_softmax(kops.where(given, logits, 0.0), axis=-1)
    log_share = kops.where(given, kops.log(kops.where(given, share, 1.0)), _NO_SHARE)
    log_mixed = kops.logsumexp(log_share + log_answer, axis=-2)
    mixed = kops.sum(kops.cast(targets, logits.dtype) / total, axis=-2)
    return -kops.sum(mixed * kops.where(mixed > 0, log_mixed, 0.0), axis=-1, keepdims=True)


def two_classes(outputs: Tensor, from_logits: bool) -> Tensor:
    """Probabilities (or logits) of class 1 `(..., 1)` as those of both classes `(..., 2)`."""
    of_class_0 = kops.zeros_like(outputs) if from_logits else 1 - outputs
    return kops.concatenate([of_class_0, outputs], axis=-1)


def class_probabilities(outputs: Tensor, from_logits: bool) -> np.ndarray:
    """Converts a classifier's outputs, probabilities or logits, to probabilities of at least two classes in NumPy."""
    if outputs.shape[-1] == 1:
        outputs = two_classes(outputs, from_logits)
    return kops.convert_to_numpy(kops.softmax(outputs, axis=-1) if from_logits else outputs)


def answer_evidence(targets: Tensor, log_confusion: Tensor) -> Tensor:
    """`sum_r log A_r[k, y_r]`, `(batch, K)`, or `(batch, time, K)` of tokens.

    Answers are distributions `(batch, ..., R or S, L)`, zeros for missing; `log A` is `(R, K, L)`, or that of
    the slots `(batch, S, K, L)`.
    """
    if len(log_confusion.shape) == 3:
        return kops.einsum("...rl,rkl->...k", targets, log_confusion)
    return kops.einsum("b...sl,bskl->b...k", targets, log_confusion)


def log_joint(f: Tensor, answers: Tensor, log_confusion: Tensor) -> Tensor:
    """`log f_k + sum_rl y_rl log A_rkl`, `(batch, ..., K)`, of answers `(batch, ..., R or S)`, hard or soft."""
    width, _, num_classes = log_confusion.shape[-3:]
    targets = answer_distributions(answers, (*f.shape[:-1], width, num_classes))
    targets = kops.cast(targets, log_confusion.dtype)
    return kops.log(kops.maximum(kops.cast(f, log_confusion.dtype), _TINY)) + answer_evidence(
        targets, log_confusion
    )


def at_class(values: Tensor, classes: Tensor) -> Tensor:
    """Returns the values `(..., K)` at the classes `(...)`; an arbitrary one where a class is missing."""
    index = kops.expand_dims(kops.maximum(class_codes(classes), 0), -1)
    return kops.squeeze(kops.take_along_axis(values, index, axis=-1), -1)
