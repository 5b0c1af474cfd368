"""Annotators who err together, by subtypes of the classes: variational inference."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import number, whole_number
from .._repr import one_line
from ..annotations import Annotations, Answers, as_annotations
from ._answer_sums import AnswerSums
from ._dirichlet import divergence, expected_log
from ._given_answers import gold_classes, imagined_answers
from ._known_items import informed, ruled_out, vote_shares

_RIGHT, _WRONG = 4.0, 1.0  # the paper's


class EBCC(NamedTuple):
    """Result of `ebcc`.

    Attributes:
        posterior: Probability of each class for each item, `(items, classes)`; rows sum to 1. An item
            nobody answered has the class prior.
        confusion: `(annotators, true, answer)`, the mean over the subtypes of the true class; rows sum to 1.
        class_prior: `(classes,)`, sums to 1.
        subtype_posterior: Probability of each class and subtype for each item, `(items, classes, subtypes)`.
        subtype_prior: Share of each subtype of a class, `(classes, subtypes)`; rows sum to 1.
        subtype_confusion: `(annotators, true, subtypes, answer)`, the confusions of the annotators on items of each
            subtype.
        evidence: Lower bound of the log evidence of the answers after each iteration; it never falls.
        converged: Whether the tolerance was reached.
    """

    posterior: np.ndarray
    confusion: np.ndarray
    class_prior: np.ndarray
    subtype_posterior: np.ndarray
    subtype_prior: np.ndarray
    subtype_confusion: np.ndarray
    evidence: np.ndarray
    converged: bool

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def labels(self) -> np.ndarray:
        """The most probable class of each item, int32 `(items,)`."""
        return self.posterior.argmax(axis=1).astype(np.int32)


def ebcc(
    answers: Answers,
    num_classes: int | None = None,
    *,
    gold: npt.ArrayLike | None = None,
    num_subtypes: int = 10,
    strength: npt.ArrayLike | None = None,
    class_strength: float = 1.0,
    subtype_strength: float = 0.1,
    num_starts: int = 10,
    seed: int = 0,
    iterations: int = 500,
    tolerance: float = 1e-6,
) -> EBCC:
    """Estimates true classes and confusions of annotators who err together, by variational inference.

    The items of a class are of several subtypes, such as easy and misleading ones, and an annotator has a confusion
    matrix for each subtype. Given the class alone, the answers to an item then depend on each other:

        z_i ~ tau,   g_i | z_i = k ~ pi_k,   y_ir | z_i = k, g_i = m ~ A_rkm
        tau ~ Dir(t),   pi_k ~ Dir(a / M),   A_rkm ~ Dir(B_k)

    with `M` subtypes. The posterior is approximated by the product of one of the items' classes and subtypes and one of
    the parameters. Classes start from the votes and subtypes at random; the start that ends with the best evidence is
    returned. With one subtype this is Bayesian Dawid-Skene. Time and memory follow the number of answers, times the
    subtypes and the starts.

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        num_classes: Integer. Number of classes, as in `majority_vote`. Defaults to `None`.
        gold: True classes of some items, as in `dawid_skene`. Defaults to `None`, nothing is known.
        num_subtypes: Positive integer. Number of subtypes of each class, `M`. Defaults to 10.
        strength: Dirichlet parameters `B` of the confusions, positive, as anything that broadcasts to `(annotators,
            true, answer)`. Defaults to `None`: 4 for the true class, 1 for the others.
        class_strength: Float. Dirichlet parameter `t` of the class prior, positive. Defaults to 1.
        subtype_strength: Float. Dirichlet parameters `a` of the subtypes of a class, all of them together, positive.
            The smaller it is, the fewer subtypes are used. Defaults to 0.1.
        num_starts: Positive integer. Number of starts. Defaults to 10.
        seed: Integer. Seed of the starts. Defaults to 0.
        iterations: Integer. Largest number of iterations. Defaults to 500.
        tolerance: Float. Stop when the bound, per answer, changes by less than this. Defaults to 1e-06.

    Returns:
        `EBCC(posterior, confusion, class_prior, subtype_posterior, subtype_prior, subtype_confusion, evidence,
        converged)`, float64.

    Reference:
        Y. Li, B. Rubinstein, T. Cohn, "Exploiting worker correlation for label aggregation in crowdsourcing", ICML
        2019.

    Example:

    >>> answers = np.array([[0, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, -1]])
    >>> ebcc(answers, num_subtypes=2).labels
    array([0, 1, 0, 1], dtype=int32)
    """
    annotations = as_annotations(answers, num_classes)
    size = whole_number("num_subtypes", num_subtypes)
    whole_number("iterations", iterations)
    number("tolerance", tolerance)
    known = gold_classes(gold, annotations)
    if strength is None:
        strength = np.where(np.eye(annotations.num_classes, dtype=bool), _RIGHT, _WRONG)
    prior = _Dirichlets(
        np.full(annotations.num_classes, number("class_strength", class_strength, above=0)),
        np.full(
            (annotations.num_classes, size), number("subtype_strength", subtype_strength, above=0) / size
        ),
        imagined_answers("strength", strength, annotations)[..., None, :],
    )
    steps = _Steps(annotations, known, prior)
    votes = vote_shares(annotations, known)[steps.sums.order].T
    best: EBCC | None = None
    for one in np.random.SeedSequence(seed).spawn(whole_number("num_starts", num_starts)):
        rng = np.random.default_rng(one)
        subtypes = rng.dirichlet(np.ones(size), votes.T.shape).transpose(1, 2, 0)
        found = steps.run(votes[:, None] * subtypes, iterations, tolerance)
        if best is None or found.evidence[-1] > best.evidence[-1]:
            best = found
    assert best is not None
    return best


class _Dirichlets(NamedTuple):
    """Dirichlet parameters of the classes `(classes,)`, subtypes `(classes, subtypes)` and confusions.

    Those of the confusions broadcast to `(annotators, classes, subtypes, classes)`.
    """

    classes: np.ndarray
    subtypes: np.ndarray
    confusion: np.ndarray


class _Steps:
    """Both steps of variational inference; items in the order of `sums`, a true class for each class and subtype."""

    def __init__(self, annotations: Annotations, known: np.ndarray, prior: _Dirichlets) -> None:
        self.sums, self.prior = AnswerSums(annotations), prior
        self.shape = prior.subtypes.shape  # classes, subtypes
        self.num_answers = len(annotations)
        self.informed = informed(annotations, known)[self.sums.order]
        out = ruled_out(known[self.sums.order], annotations.num_classes)
        self.ruled_out = np.repeat(out, self.shape[1], axis=1) if np.ndim(out) else out

    def run(self, posterior: np.ndarray, iterations: int, tolerance: float) -> EBCC:
        """Returns what is found from a start `(classes, subtypes, items)`."""
        evidence: list[float] = []
        converged = False
        while not converged and len(evidence) < iterations:
            counts = self._maximize(posterior)
            posterior, bound = self._expect(counts)
            evidence.append(bound)
            converged = (
                len(evidence) > 1 and abs(evidence[-1] - evidence[-2]) < tolerance * self.num_answers
            )
        return self._found(posterior, counts, np.asarray(evidence), converged)

    def _maximize(self, posterior: np.ndarray) -> _Dirichlets:
        """Parameters of the Dirichlet posteriors, from the prior's and expected counts."""
        given = self.sums.counts_by_class(posterior.reshape(-1, posterior.shape[-1]))
        num_annotators, num_classes = len(given), given.shape[-1]
        items = posterior @ self.informed
        return _Dirichlets(
            self.prior.classes + items.sum(axis=1),
            self.prior.subtypes + items,
            self.prior.confusion + given.reshape(num_annotators, *self.shape, num_classes),
        )

    def _expect(self, counts: _Dirichlets) -> tuple[np.ndarray, float]:
        """Classes and subtypes of the items, and the bound."""
        logs = _Dirichlets(*map(expected_log, counts))
        log_prior = logs.classes[:, None] + logs.subtypes
        flat = logs.confusion.reshape(len(logs.confusion), -1, logs.confusion.shape[-1])
        posterior, evidence = self.sums.expectation(flat, log_prior.reshape(-1) + self.ruled_out)
        lost = sum(map(divergence, counts, self.prior, logs))
        return posterior.reshape(*self.shape, -1), float(self.informed @ evidence) - lost

    def _found(
        self, posterior: np.ndarray, counts: _Dirichlets, evidence: np.ndarray, converged: bool
    ) -> EBCC:
        tau, pi, confusion = (values / values.sum(axis=-1, keepdims=True) for values in counts)
        of_items = self.sums.as_given(posterior.reshape(-1, posterior.shape[-1])).reshape(-1, *self.shape)
        mean = np.einsum("km,rkml->rkl", pi, confusion)
        return EBCC(of_items.sum(axis=2), mean, tau, of_items, pi, confusion, evidence, converged)
