"""Dawid and Skene's expectation maximization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import checked_annotator_weights, flag, number, whole_number
from .._repr import one_line
from ..annotations import Annotations, Answers, as_annotations
from ._annotator_regression import AnnotatorPopulation, AnnotatorRegression, AnnotatorTable
from ._answer_sums import TINY, AnswerSums
from ._given_answers import gold_classes
from ._known_items import informed, ruled_out, vote_shares
from ._maximization import maximization, normalized_log
from ._two_optima import MOST_NUMBERS, Solution, chosen, second_start


class DawidSkene(NamedTuple):
    """Result of `dawid_skene`.

    Attributes:
        posterior: Probability of each class for each item, `(items, classes)`; rows sum to 1. An item
            nobody answered has the class prior.
        confusion: `(annotators, true, answer)`; rows `[r, k, :]` sum to 1.
        class_prior: `(classes,)`, sums to 1.
        log_likelihood: The objective after each iteration (log-likelihood of the answers plus the log of the Dirichlet
            priors, up to a constant). It never falls, except with `confusion="hierarchical"`, whose priors follow the
            annotators.
        converged: Whether the tolerance was reached.
        population: With `annotator_features` an `AnnotatorPopulation`, which predicts the confusion of anyone from
            features; else `None`.
    """

    posterior: np.ndarray
    confusion: np.ndarray
    class_prior: np.ndarray
    log_likelihood: np.ndarray
    converged: bool
    population: AnnotatorPopulation | None = None

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
    gold: npt.ArrayLike | None = None,
    annotator_weights: npt.ArrayLike | None = None,
    annotator_features: AnnotatorTable | None = None,
    confusion: Literal["hierarchical", "full", "class_wise", "one_coin"] = "hierarchical",
    strength: float | np.ndarray | None = None,
    class_strength: float = 0.01,
    iterations: int = 100,
    tolerance: float = 1e-6,
    start: DawidSkene | None = None,
    check_optima: bool | None = None,
) -> DawidSkene:
    """Estimates true classes and annotators' confusions from the answers alone, by expectation maximization.

    With responsibilities `q_ik`, answers `y_irl` (1 for the class answered, 0 for the others) and confusions `A_rkl`:

        E:  log q_ik = log pi_k + sum_rl w_r y_irl log A_rkl + const
        M:  A_rkl ~ s C_rkl + sum_i q_ik y_irl,   pi_k ~ t_k + sum_i q_ik

    started from the shares of the votes. Time and memory follow the number of answers. The weights `w_r` are 1 unless
    `annotator_weights` are given. For an item with a `gold` label, `q_i` is that class throughout. Such items inform
    the confusions of the annotators who answered them, and through these the other items. Expectation maximization then
    starts from the gold labels as well as from the votes.

    Annotators who err together allow a second explanation of the answers. Where some depart together from the labels
    found, expectation maximization starts once more, from their votes. The likelier solution is returned. If both are
    about equally likely, the one that agrees better with the gold labels is returned; if these do not decide, a warning
    says so.

    Few annotators give enough answers for a K x K matrix of their own; Dawid and Skene's maximum likelihood (`"full"`)
    then falls below the majority vote. `"hierarchical"` adds `s` pseudo-answers to each row, spread as the annotator's
    one coin has it: `C_rkk = a_r`, errors even, where `a_r` is the annotator's accuracy, itself drawn towards that of
    all. So annotators with few answers are close to one coin, and those with many have a matrix of their own. The class
    prior is drawn half-way to the shares of the votes (`t_k` sum to the number of answered items); otherwise one class
    could take over where most annotators are poor.

    For a soft answer, `y_ir` is its distribution, and the log-likelihood is averaged over it. An answer that is the
    same for all classes is evidence only as far as `log A_r` differs by class on average.

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        num_classes: Integer. Number of classes, as in `majority_vote`. Defaults to `None`.
        gold: True classes of some items, integers `(items,)`, `-1` where unknown; or ids of the classes, `None` where
            unknown. A series is matched to the items by its index. They are taken as the truth. Defaults to `None`,
            nothing is known.
        annotator_weights: How many independent annotators each one counts for, positive, `(annotators,)`; less than 1
            for annotators who err together. An annotator of weight 2 counts as two who gave the same answers, and
            twenty copies of weight 1/20 count as one. Defaults to `None`, all count as one.
        annotator_features: What is known of the annotators, such as model family, prompt or years of practice: numbers
            `(annotators, features)`, or a dict of columns `(annotators,)` of numbers or of text, as of a data frame in
            the order of the annotators. An annotator's one coin is then drawn towards what a regression on the features
            predicts, the more strongly the better it predicts annotators with many answers. Defaults to `None`.
        confusion: What describes an annotator: a `"hierarchical"` confusion matrix, drawn towards the annotator's one
            coin; a `"full"` confusion matrix; `"class_wise"`, an accuracy for each true class, errors even over the
            other answers; `"one_coin"`, one accuracy for all classes. Defaults to `"hierarchical"`.
        strength: Pseudo-counts of each annotator's answers. For `"hierarchical"`, how many in each row,
            a positive number; defaults to 10. For the others how many in each cell (the Dirichlet prior's parameters
            minus one), a positive number, or what you know of the annotators as anything that broadcasts to
            `(annotators, true, answer)`; defaults to 0.01.
        class_strength: Float. Pseudo-counts of the items of each class, a positive number; for `"hierarchical"` beside
            those of the votes. Defaults to 0.01.
        iterations: Integer. Largest number of iterations. Defaults to 100.
        tolerance: Float. Stop when the objective, per answer, changes by less than this. Defaults to 1e-06.
        start: An earlier result, to go on from once there are more answers: its confusions and its class prior take
            the place of the votes and the gold labels as the start. Its annotators are the first of these, in their
            order, as `Annotations.concat([earlier, new])` has them; those who came later start as the mean of them.
            The items may be any. Defaults to `None`.
        check_optima: Boolean. Whether to look for a second solution, which takes about as long again. Defaults to
            `None`: unless there is a `start`, answers times classes are more than a million, or the iterations end
            before convergence.

    Returns:
        `DawidSkene(posterior, confusion, class_prior, log_likelihood, converged)`, float64.

    Reference:
        A. P. Dawid, A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM
        algorithm", Applied Statistics 28, 1979, eq. 2.3 to 2.5. Annotators drawn towards what is common:
        S. Paun et al., "Comparing Bayesian models of annotation", Transactions of the ACL 6, 2018; towards the
        annotator's one coin is an addition.

    Example:

    >>> answers = np.array([[0, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, -1]])
    >>> dawid_skene(answers).labels
    array([0, 1, 0, 1], dtype=int32)
    """
    annotations = as_annotations(answers, num_classes)
    number("tolerance", tolerance)
    whole_number("iterations", iterations)
    known = gold_classes(gold, annotations)
    weights = checked_annotator_weights(annotator_weights, annotations.num_annotators)
    regression = AnnotatorRegression.of(annotator_features, annotations)
    maximize = maximization(confusion, strength, annotations, weights, regression)
    number("class_strength", class_strength, above=0)
    steps = _Steps(annotations, known, weights, maximize, regression)
    votes = vote_shares(annotations, known, weights)[steps.sums.order].T
    imagined_items = class_strength + (votes @ steps.informed) * (confusion == "hierarchical")
    if start is not None:
        starts = [steps.posterior_from(start)]
    else:
        starts = [votes] if np.all(known < 0) else [votes, steps.posterior_from_gold()]
    runs = [steps.run(start, imagined_items, iterations, tolerance) for start in starts]
    found = max(runs, key=lambda run: run[1])[0]
    if check_optima is None:
        few = len(annotations) * annotations.num_classes <= MOST_NUMBERS
        check_optima = start is None and few and found.converged
    other = second_start(annotations, *found[:2]) if flag("check_optima", check_optima) else None
    if other is None:
        return found
    again = np.where(steps.known < 0, other[steps.sums.order].T, votes)
    runs.append(steps.run(again, imagined_items, iterations, tolerance))
    return runs[chosen([steps.solution(*run) for run in runs], steps.num_answers)][0]


class _Steps:
    """Both steps of expectation maximization; items in the order of `sums`."""

    def __init__(
        self,
        annotations: Annotations,
        known: np.ndarray,
        weights: np.ndarray,
        maximize: Callable[[np.ndarray], tuple[np.ndarray, float]],
        regression: AnnotatorRegression | None,
    ) -> None:
        self.regression = regression
        self.sums, self.maximize, self.weights = AnswerSums(annotations), maximize, weights[:, None, None]
        self.num_answers = float(weights[annotations.annotator_index].sum())
        self.known = known[self.sums.order]
        self.informed = informed(annotations, known)[self.sums.order]
        self.ruled_out = ruled_out(self.known, annotations.num_classes)

    def posterior_from_gold(self) -> np.ndarray:
        """Returns what annotators say of whom the gold labels alone are known, `(classes, items)`."""
        num_classes = self.sums.shape[1]
        given = (self.known == np.arange(num_classes)[:, None]).astype(float)
        log_confusion, _ = self.maximize(self.sums.counts_by_class(given))
        return self._expect(log_confusion, np.full(num_classes, -np.log(num_classes)))[0]

    def posterior_from(self, start: DawidSkene) -> np.ndarray:
        """Returns what an earlier result says of these answers, `(classes, items)`."""
        earlier, (size, num_classes, _) = np.asarray(start.confusion), self.sums.shape
        if earlier.shape[1:] != (num_classes, num_classes) or not 0 < len(earlier) <= size:
            raise ValueError(
                f"`start` must be a result for at most {size} annotators and for {num_classes} classes. "
                f"Received: start.confusion of shape {earlier.shape}"
            )
        later = np.repeat(earlier.mean(axis=0, keepdims=True), size - len(earlier), axis=0)
        log_confusion = np.log(np.maximum(np.concatenate([earlier, later]), TINY))
        return self._expect(log_confusion, np.log(np.maximum(start.class_prior, TINY)))[0]

    def solution(self, found: DawidSkene, log_likelihood: float) -> Solution:
        """Returns what is compared of a run."""
        log_confusion, log_prior = np.log(np.maximum(found.confusion, TINY)), np.log(found.class_prior)
        alone, _ = self.sums.expectation(self.weights * log_confusion, log_prior)
        there = self.known >= 0
        right = alone.argmax(axis=0)[there] == self.known[there]
        return Solution(found.labels, log_likelihood, right)

    def run(
        self, posterior: np.ndarray, imagined_items: np.ndarray, iterations: int, tolerance: float
    ) -> tuple[DawidSkene, float]:
        """Returns what is found from this start, and how likely the answers then are."""
        objective: list[float] = []
        converged = False
        if self.regression is not None:
            self.regression.forget()
        while not converged and len(objective) < iterations:
            log_confusion, log_prior_of_confusion = self.maximize(self.sums.counts_by_class(posterior))
            log_prior = normalized_log(posterior @ self.informed + imagined_items)
            posterior, evidence = self._expect(log_confusion, log_prior)
            log_likelihood = float(self.informed @ evidence)
            objective.append(log_likelihood + log_prior_of_confusion + np.sum(imagined_items * log_prior))
            rises = np.diff(objective[-2:])
            converged = bool(np.any(np.abs(rises) < tolerance * self.num_answers))
        found = self.sums.as_given(posterior), np.exp(log_confusion), np.exp(log_prior)
        population = None if self.regression is None else self.regression.result()
        return DawidSkene(*found, np.asarray(objective), converged, population), log_likelihood

    def _expect(self, log_confusion: np.ndarray, log_prior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.sums.expectation(self.weights * log_confusion, log_prior + self.ruled_out)
