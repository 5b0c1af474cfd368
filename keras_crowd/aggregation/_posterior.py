"""Posteriors of the classes from classifier and answers together, and scores of held-out answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._arguments import checked_annotator_weights, confusions
from ..annotations import Annotations, Answers, Votes
from ._answer_sums import TINY, AnswerSums, annotator_answer, log_normalize
from ._given_answers import answers_and_probabilities, confusion_shape


def posterior(
    answers: Answers,
    probabilities: npt.ArrayLike,
    confusion: npt.ArrayLike,
    *,
    annotator_weights: npt.ArrayLike | None = None,
) -> np.ndarray:
    """Computes the probability of each class, given the features of an item and its answers.

    With class probabilities `f`, confusions `A` and answers `y` (`y_irl` is 1 for the class answered, 0 for the
    others; of a soft answer its distribution), and weights `w` of the annotators:

        q_ik ~ f_ik prod_rl A_rkl ^ (w_r y_irl)

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        probabilities: The classifier's prediction `f`, `(items, classes)`; rows sum to 1; or that of class 1 of two,
            `(items, 1)`. A data frame is read by
            its ids, as in `label_table`.
        confusion: `A`, `(annotators, true, answer)`, from a crowd layer's `.confusion()`.
        annotator_weights: How many independent annotators each one counts for, positive, `(annotators,)`, as in
            `dawid_skene`. Defaults to `None`, all count as one.

    Returns:
        float64 `(items, classes)`; rows sum to 1. An item nobody answered keeps `f`.

    Raises:
        ValueError: When shapes disagree, or rows are not distributions.

    Example:

    >>> confusion = [[[0.9, 0.1], [0.1, 0.9]]]
    >>> posterior([[0], [1], [-1]], [[0.5, 0.5], [0.9, 0.1], [0.3, 0.7]], confusion)
    array([[0.9, 0.1],
           [0.5, 0.5],
           [0.3, 0.7]])

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, eq. 2 (E-step).
    """
    annotations, probabilities = answers_and_probabilities(answers, probabilities)
    given = confusions("confusion", confusion, confusion_shape(annotations))
    return _posterior(
        annotations,
        probabilities,
        given,
        checked_annotator_weights(annotator_weights, annotations.num_annotators),
    )


def held_out_cross_entropy(
    held_out: Answers, answers: Answers, probabilities: npt.ArrayLike, confusion: npt.ArrayLike
) -> np.ndarray:
    """Computes the nats of held-out answers, given the features and the *other* answers to the same item.

    With the `posterior` `q` of the answers that were kept:

        -log sum_k q_ik A_r,k,y_ir

    For a soft answer, it is the cross-entropy `-sum_l y_irl log sum_k q_ik A_rkl`, as in the loss of the crowd layer.

    Given only the features, predictions of answers hardly distinguish the solutions among which regularizers choose,
    because classifier and confusions can err together. The dependence between answers to one item does: a model that
    mistakes the classes cannot predict it.

    Args:
        held_out: The answers held out: `Annotations`, or an array as for `posterior`, as
            `Annotations.split` gives them.
        answers: The answers kept, of the same items and annotators.
        probabilities: Predictions of a classifier that was trained on the answers kept, `(items, classes)`.
        confusion: The confusions learned with it, `(annotators, true, answer)`.

    Returns:
        float64 `(held-out answers,)`, in the order of `Annotations.answers`.

    Raises:
        ValueError: When shapes disagree, or rows are not distributions.

    Example:

    >>> confusion = [[[0.9, 0.1], [0.1, 0.9]]] * 2
    >>> held_out_cross_entropy([[-1, 0]], [[0, -1]], [[0.5, 0.5]], confusion).round(3)
    array([0.198])
    """
    kept, probabilities = answers_and_probabilities(answers, probabilities)
    held_out, _ = answers_and_probabilities(held_out, probabilities)
    confusion = confusions("confusion", confusion, confusion_shape(kept))
    confusions("confusion", confusion, confusion_shape(held_out))
    return nats_given(
        held_out, _posterior(kept, probabilities, confusion, np.ones(len(confusion))), confusion
    )


def nats_given(held_out: Annotations, q: np.ndarray, confusion: np.ndarray) -> np.ndarray:
    """`-log sum_k q_ik A_r,k,y_ir` of each answer, of what is known `(items, classes)` without it."""
    answer_given_class = confusion.transpose(0, 2, 1).reshape(-1, q.shape[1])  # (annotator answer, k)
    votes = Votes(held_out)
    given = answer_given_class[annotator_answer(held_out, votes)]
    predicted = np.sum(votes.of(q[held_out.item_index]) * given, axis=1)
    return votes.sums(-np.log(np.maximum(predicted, TINY)))


def _posterior(
    annotations: Annotations, probabilities: np.ndarray, confusion: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    log_f, log_a = (np.log(np.maximum(p, TINY)) for p in (probabilities, confusion))
    log_a *= weights[:, None, None]
    return log_normalize(log_f + AnswerSums(annotations).log_likelihood(log_a))[0]
