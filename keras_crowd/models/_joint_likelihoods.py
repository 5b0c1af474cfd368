"""The joint likelihoods of `JointCrowdModel`: of classes, and of sets of labels."""

from __future__ import annotations

from typing import NamedTuple

from keras import ops as kops

from .. import ops
from .._typing import Tensor
from ..layers import CrowdLayer


class Joint(NamedTuple):
    """The truth and the answers to an item together.

    Attributes:
        log: Log-probability of each truth together with the answers, `(batch, ..., classes)`; of each label that it is
            absent or there, `(batch, labels, 2)`.
        answered: Where there is an answer, `(batch, ..., annotators or slots)`; of a label, where it was judged,
            `(batch, labels, annotators or slots)`.
        probabilities: Of the classes or labels, as the classifier predicts them.
    """

    log: Tensor
    answered: Tensor
    probabilities: Tensor


def of_classes(
    crowd: CrowdLayer,
    y_pred: Tensor,
    answers: Tensor,
    annotators: Tensor | None,
    training: bool,
    weights: Tensor | None = None,
) -> Joint:
    """`log f_k + sum_r w_r sum_l y_rl log A_rkl`, with weights `(R,)` or `(batch, S)` of the annotators."""
    f = kops.softmax(y_pred, axis=-1) if crowd.from_logits else y_pred
    soft = len(answers.shape) > len(f.shape)
    log_confusion = ops.weighted_log_confusion(crowd.log_confusion(annotators, training), weights)
    ops.check_answer_shape(answers.shape, (*f.shape[:-1], *log_confusion.shape[-3::2]))
    answers = ops.answers_of_somebody(answers, annotators, soft)
    return Joint(ops.log_joint(f, answers, log_confusion), ops.is_answered(answers, soft), f)


def of_labels(
    crowd: CrowdLayer,
    y_pred: Tensor,
    answers: Tensor,
    annotators: Tensor | None,
    training: bool,
    weights: Tensor | None = None,
) -> Joint:
    """`log f_l + sum_r w_r (y_rl log s_rl + (1 - y_rl) log (1 - s_rl))`, and of a label that is absent likewise."""
    f = kops.sigmoid(y_pred) if crowd.from_logits else y_pred
    rates = crowd.rate_logits(annotators, training)
    ops.check_set_shape(answers.shape, (f.shape[0], *rates.shape[-3::2]))
    judged = answers >= 0
    if annotators is not None:
        judged = kops.logical_and(judged, kops.expand_dims(annotators >= 0, -1))
    log_f = ops.log_probabilities(y_pred, crowd.from_logits)
    log = ops.label_log_joint(*log_f, answers, judged, rates, weights)
    return Joint(log, kops.swapaxes(judged, 1, 2), f)


JOINT_LIKELIHOODS = {"probabilities": of_classes, "labels": of_labels}
