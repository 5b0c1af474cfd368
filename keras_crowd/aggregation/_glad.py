"""Annotators of different ability, and items of different difficulty: GLAD, by expectation maximization."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import number, whole_number
from .._repr import one_line
from ..annotations import Annotations, Answers, Votes, as_annotations, share
from ._answer_sums import log_normalize
from ._given_answers import gold_classes
from ._known_items import informed, ruled_out
from ._one_coin import one_coin_confusion

_PRIOR_MEAN = 1.0  # of abilities, and of the log of the easiness
_NEWTON_STEPS, _HALVINGS = 2, 8


class GLAD(NamedTuple):
    """Result of `glad`.

    Attributes:
        posterior: Probability of each class for each item, `(items, classes)`; rows sum to 1. An item
            nobody answered has the same for all classes.
        confusion: `(annotators, true, answer)`: on the diagonal how often the annotator is right on the items it
            answered, errors even; rows sum to 1.
        ability: Ability of each annotator, `(annotators,)`: one of 0 is right half of the time, and a negative one less
            often.
        difficulty: Difficulty of each item, `(items,)`, positive: the log odds of a right answer are the ability
            divided by it.
        log_likelihood: The objective after each iteration (log-likelihood of the answers plus the log of the priors, up
            to a constant); it never falls.
        converged: Whether the tolerance was reached.
    """

    posterior: np.ndarray
    confusion: np.ndarray
    ability: np.ndarray
    difficulty: np.ndarray
    log_likelihood: np.ndarray
    converged: bool

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def labels(self) -> np.ndarray:
        """The most probable class of each item, int32 `(items,)`."""
        return self.posterior.argmax(axis=1).astype(np.int32)


def glad(
    answers: Answers,
    num_classes: int | None = None,
    *,
    gold: npt.ArrayLike | None = None,
    ability_variance: float = 1.0,
    easiness_variance: float = 1.0,
    iterations: int = 200,
    tolerance: float = 1e-6,
) -> GLAD:
    """Estimates true classes, annotators' abilities and items' difficulties, by expectation maximization.

    With the ability `a_r` and the easiness `exp(b_i)`, one over the difficulty:

        P(y_ir = z_i) = sigmoid(a_r exp(b_i)),   errors even
        z_i ~ uniform,   a_r ~ N(1, v_a),   b_i ~ N(1, v_b)

    The M-step takes Newton steps, first on all abilities at once and then on all items, and only steps that raise the
    objective. Time and memory follow the number of answers.

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        num_classes: Integer. Number of classes, as in `majority_vote`. Defaults to `None`.
        gold: True classes of some items, as in `dawid_skene`. Defaults to `None`, nothing is known.
        ability_variance: Float. Variance `v_a` of the abilities, positive. Defaults to 1.
        easiness_variance: Float. Variance `v_b` of the logarithm of the easiness, positive. Near 0, all items are
            equally difficult. Defaults to 1.
        iterations: Integer. Largest number of iterations. Defaults to 200.
        tolerance: Float. Stop when the objective, per answer, changes by less than this. Defaults to 1e-06.

    Returns:
        `GLAD(posterior, confusion, ability, difficulty, log_likelihood, converged)`, float64.

    Reference:
        J. Whitehill, P. Ruvolo, T. Wu, J. Bergsma, J. Movellan, "Whose vote should count more: optimal integration of
        labels from labelers of unknown expertise", NIPS 2009.

    Example:

    >>> answers = np.array([[0, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, -1]])
    >>> found = glad(answers)
    >>> found.labels, int(found.ability.argmin())
    (array([0, 1, 0, 1], dtype=int32), 2)
    """
    annotations = as_annotations(answers, num_classes)
    whole_number("iterations", iterations)
    number("tolerance", tolerance)
    steps = _Steps(
        annotations,
        gold_classes(gold, annotations),
        number("ability_variance", ability_variance, above=0),
        number("easiness_variance", easiness_variance, above=0),
    )
    a, b = np.full(annotations.num_annotators, _PRIOR_MEAN), np.full(annotations.num_items, _PRIOR_MEAN)
    posterior, objective = steps.expect(a, b)
    found, converged = [objective], False
    while not converged and len(found) <= iterations:
        a, b = steps.maximize(posterior, a, b)
        posterior, objective = steps.expect(a, b)
        found.append(objective)
        converged = abs(found[-1] - found[-2]) < tolerance * len(annotations)
    accuracy = one_coin_confusion(steps.accuracy(a, b), annotations.num_classes)
    return GLAD(posterior, accuracy, a, np.exp(-b), np.asarray(found[1:]), converged)


class _Steps:
    """Both steps of expectation maximization."""

    def __init__(
        self, annotations: Annotations, known: np.ndarray, ability_variance: float, easiness_variance: float
    ) -> None:
        votes = Votes(annotations)
        weight = votes.weights()
        self.item, self.annotator = votes.of(annotations.item_index), votes.of(annotations.annotator_index)
        self.weight = np.ones(len(self.item)) if weight is None else weight
        self.num_annotators, self.num_classes = annotations.num_annotators, annotations.num_classes
        self.num_items = annotations.num_items
        self.cell = self.item.astype(np.intp) * self.num_classes + votes.code
        self.variances = ability_variance, easiness_variance
        self.log_others = np.log(max(self.num_classes - 1, 1))
        self.informed = informed(annotations, known)
        self.log_prior = ruled_out(known, self.num_classes) - np.log(self.num_classes)

    def expect(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, float]:
        """Posterior of the items, and the objective. The log odds of a right answer are what its class gains."""
        x = a[self.annotator] * np.exp(b[self.item])
        gain = np.bincount(
            self.cell, self.weight * (x + self.log_others), self.num_items * self.num_classes
        )
        posterior, evidence = log_normalize(gain.reshape(self.num_items, -1) + self.log_prior)
        wrong = self.weight @ (-_softplus(x) - self.log_others)
        priors = sum(_log_prior(values, v).sum() for values, v in zip((a, b), self.variances, strict=True))
        return posterior, float(self.informed @ evidence + wrong + priors)

    def maximize(
        self, posterior: np.ndarray, a: np.ndarray, b: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Abilities and easiness that explain the posterior better."""
        right = posterior.reshape(-1)[self.cell]  # how probably each answer is
        for _ in range(_NEWTON_STEPS):
            a = self._improved(a, self.annotator, self.variances[0], right, np.exp(b[self.item]))
            b = self._improved(b, self.item, self.variances[1], right, a[self.annotator], is_log=True)
        return a, b

    def _improved(
        self,
        values: np.ndarray,
        index: np.ndarray,
        variance: float,
        right: np.ndarray,
        factor: np.ndarray,
        is_log: bool = False,
    ) -> np.ndarray:
        """Values after one scoring step each, halved as long as it does not help.

        Args:
            values: Abilities, or logs of the easiness.
            index: Which of them each answer has.
            variance: Their prior's.
            right: How probably each answer is right.
            factor: What the value is multiplied by, to be the log odds of each answer.
            is_log: Whether the exponential of the value is.
        """

        def log_odds(values: np.ndarray) -> np.ndarray:
            of_answers = values[index]
            return factor * (np.exp(of_answers) if is_log else of_answers)

        def objective(values: np.ndarray) -> np.ndarray:
            x = log_odds(values)
            return self._sum(index, right * x - _softplus(x), len(values)) + _log_prior(values, variance)

        x = log_odds(values)
        p, slope = np.exp(-_softplus(-x)), x if is_log else factor
        gradient = self._sum(index, slope * (right - p), len(values)) - (values - _PRIOR_MEAN) / variance
        step = gradient / (self._sum(index, slope**2 * p * (1 - p), len(values)) + 1 / variance)
        before = objective(values)
        for _ in range(_HALVINGS):
            worse = objective(values + step) < before
            if not worse.any():
                return values + step
            step[worse] /= 2
        step[objective(values + step) < before] = 0
        return values + step

    def _sum(self, index: np.ndarray, of_answers: np.ndarray, size: int) -> np.ndarray:
        return np.bincount(index, self.weight * of_answers, size)

    def accuracy(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Returns how often each annotator is right at the items it answered; at a typical one without answers."""
        p = np.exp(-_softplus(-a[self.annotator] * np.exp(b[self.item])))
        size = self.num_annotators
        mean = share(self._sum(self.annotator, p, size), self._sum(self.annotator, np.ones(len(p)), size))
        return np.where(np.isnan(mean), np.exp(-_softplus(-a * np.exp(_PRIOR_MEAN))), mean)


def _softplus(x: np.ndarray) -> np.ndarray:
    """`log(1 + exp(x))`."""
    return np.logaddexp(0, x)


def _log_prior(values: np.ndarray, variance: float) -> np.ndarray:
    return -0.5 * (values - _PRIOR_MEAN) ** 2 / variance
