"""Annotators who know the class or answer whatever they like: MACE, by variational inference."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import number, whole_number
from .._repr import one_line
from ..annotations import Annotations, Answers, as_annotations
from ._answer_sums import AnswerSums
from ._dirichlet import divergence, expected_log
from ._given_answers import gold_classes
from ._known_items import informed, ruled_out, vote_shares


class MACE(NamedTuple):
    """Result of `mace`.

    Attributes:
        posterior: Probability of each class for each item, `(items, classes)`; rows sum to 1. An item
            nobody answered has the same for all classes.
        confusion: `(annotators, true, answer)`, as competence and habits imply; rows sum to 1.
        competence: Probability that each annotator knows and gives the true class, `(annotators,)`.
        habits: Distribution of each annotator's other answers, `(annotators, classes)`; rows sum to 1.
        evidence: Lower bound of the log evidence of the answers after each iteration; it never falls.
        converged: Whether the tolerance was reached.
    """

    posterior: np.ndarray
    confusion: np.ndarray
    competence: np.ndarray
    habits: np.ndarray
    evidence: np.ndarray
    converged: bool

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def labels(self) -> np.ndarray:
        """The most probable class of each item, int32 `(items,)`."""
        return self.posterior.argmax(axis=1).astype(np.int32)


def mace(
    answers: Answers,
    num_classes: int | None = None,
    *,
    gold: npt.ArrayLike | None = None,
    competence_strength: float = 0.5,
    strength: float = 10.0,
    num_starts: int = 10,
    seed: int = 0,
    iterations: int = 50,
    tolerance: float = 1e-6,
) -> MACE:
    """Estimates true classes, and how often each annotator knows them, by variational inference.

    With probability `c_r`, the competence, an annotator gives the true class; otherwise he or she answers out of habit,
    whatever the class:

        P(y_ir = l | z_i = k) = c_r [k = l] + (1 - c_r) h_rl
        z_i ~ uniform,   c_r ~ Beta(a, a),   h_r ~ Dir(s)

    The posterior is approximated by the product of one of the items' classes and of who knew them, and one of the
    parameters. The first start is from the votes, and the others are drawn around them; the start that ends with the
    best evidence is returned. Time and memory follow the number of answers, times the starts.

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        num_classes: Integer. Number of classes, as in `majority_vote`. Defaults to `None`.
        gold: True classes of some items, as in `dawid_skene`. Defaults to `None`, nothing is known.
        competence_strength: Float. Parameter `a` of the competences' prior, positive. Below 1, annotators tend to be
            either good or bad. Defaults to 0.5.
        strength: Float. Dirichlet parameter `s` of the habits, positive, for each class. Defaults to 10.
        num_starts: Positive integer. Number of starts. Defaults to 10.
        seed: Integer. Seed of the starts. Defaults to 0.
        iterations: Integer. Largest number of iterations. Defaults to 50.
        tolerance: Float. Stop when the bound, per answer, changes by less than this. Defaults to 1e-06.

    Returns:
        `MACE(posterior, confusion, competence, habits, evidence, converged)`, float64.

    Reference:
        D. Hovy, T. Berg-Kirkpatrick, A. Vaswani, E. Hovy, "Learning whom to trust with MACE", NAACL-HLT 2013.

    Example:

    >>> answers = np.array([[0, 0, 1], [1, 1, 1], [0, 0, 1], [1, 1, -1]])
    >>> found = mace(answers)
    >>> found.labels, int(found.competence.argmin())
    (array([0, 1, 0, 1], dtype=int32), 2)
    """
    annotations = as_annotations(answers, num_classes)
    number("tolerance", tolerance)
    whole_number("iterations", iterations)
    known = gold_classes(gold, annotations)
    prior = _Knowledge(
        np.full(2, number("competence_strength", competence_strength, above=0)),
        np.full(annotations.num_classes, number("strength", strength, above=0)),
    )
    steps = _Steps(annotations, known, prior)
    votes = vote_shares(annotations, known)[steps.sums.order].T
    best = steps.run(votes, iterations, tolerance)
    for one in np.random.SeedSequence(seed).spawn(whole_number("num_starts", num_starts) - 1):
        start = votes * np.random.default_rng(one).random(votes.T.shape).T
        start /= np.maximum(start.sum(axis=0), np.finfo(float).tiny)
        found = steps.run(start, iterations, tolerance)
        best = max(best, found, key=lambda run: run.evidence[-1])
    return best


class _Knowledge(NamedTuple):
    """Dirichlet parameters of knowing and not knowing `(annotators, 2)`, and of the habits `(annotators, classes)`."""

    competence: np.ndarray
    habits: np.ndarray


class _Steps:
    """Both steps of variational inference; items in the order of `sums`."""

    def __init__(self, annotations: Annotations, known: np.ndarray, prior: _Knowledge) -> None:
        self.sums, self.prior, self.num_answers = AnswerSums(annotations), prior, len(annotations)
        self.informed = informed(annotations, known)[self.sums.order]
        uniform = np.full(annotations.num_classes, -np.log(annotations.num_classes))
        self.log_prior = uniform + ruled_out(known[self.sums.order], annotations.num_classes)

    def run(self, posterior: np.ndarray, iterations: int, tolerance: float) -> MACE:
        """Returns what is found from a start `(classes, items)`."""
        num_annotators, num_classes, _ = self.sums.shape
        knows, guesses = (
            np.full((num_annotators, 1), 0.5),
            np.full((num_annotators, num_classes), 0.5 / num_classes),
        )
        evidence: list[float] = []
        converged = False
        while not converged and len(evidence) < iterations:
            found = self._maximize(posterior, knows, guesses)
            logs = _Knowledge(*map(expected_log, found))
            knows = np.exp(logs.competence[:, :1])
            guesses = np.exp(logs.competence[:, 1:] + logs.habits)
            posterior, of_items = self.sums.expectation(np.log(_mixed(knows, guesses)), self.log_prior)
            lost = sum(map(divergence, found, self.prior, logs))
            evidence.append(float(self.informed @ of_items) - lost)
            converged = (
                len(evidence) > 1 and abs(evidence[-1] - evidence[-2]) < tolerance * self.num_answers
            )
        competence, habits = (counts / counts.sum(axis=-1, keepdims=True) for counts in found)
        confusion = _mixed(competence[:, :1], competence[:, 1:] * habits)
        values = self.sums.as_given(posterior), confusion, competence[:, 0], habits
        return MACE(*values, np.asarray(evidence), converged)

    def _maximize(self, posterior: np.ndarray, knows: np.ndarray, guesses: np.ndarray) -> _Knowledge:
        """Counts the answers that were known, and those out of habit by their class, on top of the prior."""
        counts = self.sums.counts_by_class(posterior)
        known = np.diagonal(counts, axis1=1, axis2=2) * knows / (knows + guesses)
        habit = counts.sum(axis=1) - known
        totals = np.stack([known.sum(axis=1), habit.sum(axis=1)], axis=1)
        return _Knowledge(self.prior.competence + totals, self.prior.habits + habit)


def _mixed(knows: np.ndarray, guesses: np.ndarray) -> np.ndarray:
    """`c [k = l] + (1 - c) h_l`, `(annotators, true, answer)`, of its two parts."""
    return knows[..., None] * np.eye(guesses.shape[-1]) + guesses[:, None]
