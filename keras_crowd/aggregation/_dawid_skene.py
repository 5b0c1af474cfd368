"""Dawid and Skene's expectation maximization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from .._arguments import number, whole_number
from .._repr import one_line
from ..annotations import Answers, as_annotations
from ._checks import imagined_answers
from ._counts import AnswerSums, vote_counts


class DawidSkene(NamedTuple):
    """What `dawid_skene` found.

    Attributes:
        posterior: Probability of each class for each item, `(items, classes)`; rows sum to 1. An item
            nobody answered has the class prior.
        confusion: `(annotators, true, answer)`; rows `[r, k, :]` sum to 1.
        class_prior: `(classes,)`, sums to 1.
        log_likelihood: The objective after each iteration (log-likelihood of the answers plus the log of
            the Dirichlet priors, up to a constant); it never falls.
        converged: Whether the tolerance was reached.
    """

    posterior: np.ndarray
    confusion: np.ndarray
    class_prior: np.ndarray
    log_likelihood: np.ndarray
    converged: bool

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def labels(self) -> np.ndarray:
        """The most probable class of each item, int32 `(items,)`."""
        return self.posterior.argmax(axis=1).astype(np.int32)


def dawid_skene(
    answers: Answers,
    num_classes: int | None = None,
    *,
    strength: float | np.ndarray = 0.01,
    class_strength: float = 0.01,
    confusion: Literal["full", "class_wise", "one_coin"] = "full",
    iterations: int = 100,
    tolerance: float = 1e-6,
) -> DawidSkene:
    """True classes and annotators' confusions from the answers alone, by expectation maximization.

    With responsibilities `q_ik`, answers `y_irl` (1 for the class answered, 0 for the others) and confusions `A_rkl`:

        E:  log q_ik = log pi_k + sum_rl y_irl log A_rkl + const
        M:  A_rkl ~ strength + sum_i q_ik y_irl,   pi_k ~ class_strength + sum_i q_ik

    started from the shares of the votes. Time and memory follow the number of answers.

    Of a soft answer `y_ir` is its distribution: the log-likelihood of the answers that may be meant, averaged over
    it. One that says nothing, the same for all classes, is evidence only as far as `log A_r` differs by class on
    average.

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        num_classes: Number of classes, as in `majority_vote`.
        strength: Answers of each annotator imagined beforehand (the Dirichlet prior's parameters
            minus one), in numerator and denominator: a positive number, or what you know of the
            annotators as anything that broadcasts to `(annotators, true, answer)`.
        class_strength: Items of each class imagined beforehand, likewise.
        confusion: What an annotator has: a `"full"` confusion matrix; `"class_wise"`, an accuracy for each true
            class, errors even over the other answers; `"one_coin"`, one accuracy for all classes.
        iterations: Stop after so many iterations.
        tolerance: Stop when the objective, per answer, rises by less than this.

    Returns:
        `DawidSkene(posterior, confusion, class_prior, log_likelihood, converged)`, float64.

    Reference:
        A. P. Dawid, A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM
        algorithm", Applied Statistics 28, 1979, eq. 2.3 to 2.5.

    Example:

    >>> answers = np.array([[0, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, -1]])
    >>> dawid_skene(answers).labels
    array([0, 1, 0, 1], dtype=int32)
    """
    annotations = as_annotations(answers, num_classes)
    strengths = imagined_answers("strength", strength, annotations)
    number("class_strength", class_strength, above=0)
    number("tolerance", tolerance)
    whole_number("iterations", iterations)
    if confusion not in _TIES:
        raise ValueError(
            f"`confusion` must be one of {', '.join(map(repr, _TIES))}. Received: confusion={confusion!r}"
        )
    tie = _TIES[confusion]
    sums = AnswerSums(annotations)
    answers_per_item = annotations.answers_per_item()[sums.order]
    answered = (answers_per_item > 0).astype(float)
    posterior = vote_counts(annotations)[sums.order].T / np.maximum(answers_per_item, 1)
    objective: list[float] = []
    converged = False
    while not converged and len(objective) < iterations:
        log_confusion = _log_normalize(tie(sums.counts_by_class(posterior) + strengths))
        log_prior = _log_normalize(posterior @ answered + class_strength)
        posterior, evidence = sums.expectation(log_confusion, log_prior)
        log_priors = np.sum(strengths * log_confusion) + class_strength * log_prior.sum()
        objective.append(float(answered @ evidence + log_priors))
        converged = len(objective) > 1 and objective[-1] - objective[-2] < tolerance * len(annotations)
    return DawidSkene(
        sums.as_given(posterior), np.exp(log_confusion), np.exp(log_prior), np.asarray(objective), converged
    )


def _class_wise(counts: np.ndarray) -> np.ndarray:
    """Errors of each row evened out, their sum kept."""
    right = np.eye(counts.shape[-1], dtype=bool)
    wrong = np.sum(counts, axis=-1, keepdims=True, where=~right)
    return np.where(right, counts, wrong / max(counts.shape[-1] - 1, 1))


def _one_coin(counts: np.ndarray) -> np.ndarray:
    """The rows of an annotator with right and wrong answers of all classes together."""
    right = np.eye(counts.shape[-1], dtype=bool)
    hits = np.sum(counts, axis=(-2, -1), keepdims=True, where=right)
    misses = np.sum(counts, axis=(-2, -1), keepdims=True, where=~right)
    return np.where(right, hits, misses / max(counts.shape[-1] - 1, 1))


_TIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "full": lambda counts: counts,
    "class_wise": _class_wise,
    "one_coin": _one_coin,
}


def _log_normalize(counts: np.ndarray) -> np.ndarray:
    return np.log(counts) - np.log(counts.sum(axis=-1, keepdims=True))
