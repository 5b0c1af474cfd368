"""The model of preferences: scores of items, annotators around their population, and steps towards their maximum."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .._arguments import given_weights
from ..annotations import Annotations, pair_index
from ._graphs import conjugate_gradients, connected

PARAMETERS = ("reliability", "position_bias", "tie")
_MOST_ITEMS = 2000  # of a group whose matrix is inverted
_SMALLEST = 1e-4  # variance
_STEP = 2.0  # the farthest that a score or a parameter goes at once


@dataclass(frozen=True)
class Comparisons:
    """Answers as numbers: which items, which annotator, and the answer as a distribution.

    Attributes:
        items: Ids of the items.
        first, second: Of each pair the position in `items` of the item shown first and second.
        pair: Of each answer the position of its pair.
        annotator: Of each answer the position of its annotator.
        answers: `(2 or 3, answers)`: first, second, tie.
        weight: Of each answer how much it counts, `(answers,)`.
        num_annotators: Number of annotators.
        groups: Of each item its group: items compared with each other, by way of others, are of one.
    """

    items: np.ndarray
    first: np.ndarray
    second: np.ndarray
    pair: np.ndarray
    annotator: np.ndarray
    answers: np.ndarray
    weight: np.ndarray
    num_annotators: int
    groups: np.ndarray

    @classmethod
    def of(cls, annotations: Annotations, weights: npt.ArrayLike | None = None) -> Comparisons:
        """The answers of annotations of preferences, all of weight 1 unless `weights` says more."""
        items, index = pair_index(annotations.items)
        first, second = index.T
        compared = annotations.answers_per_item() > 0
        groups = connected(len(items), first[compared], second[compared])
        said = annotations.soft().answers.T.astype(float)
        who, size = annotations.annotator_index, annotations.num_annotators
        weight = given_weights("weights", weights, len(annotations), "answer")
        return cls(items, first, second, annotations.item_index, who, said, weight, size, groups)

    @property
    def ties(self) -> bool:
        """Whether a tie can be answered."""
        return len(self.answers) == 3

    def by_pair(self, values: np.ndarray) -> np.ndarray:
        """Sums over the answers to each pair."""
        return np.bincount(self.pair, values, len(self.first))

    def by_item(self, values: np.ndarray) -> np.ndarray:
        """Sums over the pairs: plus for the first item, minus for the second."""
        size = len(self.items)
        return np.bincount(self.first, values, size) - np.bincount(self.second, values, size)

    def by_annotator(self, values: np.ndarray) -> np.ndarray:
        """Sums over the answers of each annotator."""
        return np.bincount(self.annotator, values, self.num_annotators)


@dataclass
class PairModel:
    """Maximum of the posterior by Newton's steps, by turns of scores and annotators.

    Attributes:
        given: The comparisons.
        own: Which of `PARAMETERS` each annotator has.
        fixed: Variance of the scores, `None` where it is learned.
        score: `(items,)`.
        raters: `(annotators, 3)`, the `PARAMETERS`.
        mean: Those of the population, `(3,)`.
        variance: Their variances, `(3,)`.
        score_variance: That of the scores.
    """

    given: Comparisons
    own: tuple[bool, bool, bool]
    fixed: float | None
    score: np.ndarray = field(init=False)
    raters: np.ndarray = field(init=False)
    mean: np.ndarray = field(init=False)
    variance: np.ndarray = field(init=False)
    score_variance: float = field(init=False)

    def __post_init__(self) -> None:
        of_ties = np.average(self.given.answers[2], weights=self.given.weight) if self.given.ties else 0.5
        of_ties = np.clip(of_ties, 1e-3, 1 - 1e-3)
        self.mean = np.array([1.0, 0.0, np.log(2 * of_ties / (1 - of_ties))])
        self.variance = np.array([0.1, 0.1, 0.5])
        self.score_variance = 1.0 if self.fixed is None else self.fixed
        self.score = np.zeros(len(self.given.items))
        self.raters = np.tile(self.mean, (self.given.num_annotators, 1))

    def step(self) -> float:
        """One round of steps; returns by how much the log odds of an answer changed at most."""
        before = self.half_odds()
        self._move_scores()
        self._move_population()
        if self._free():
            self._move_raters()
        if self.own[0]:
            self._fix_scale()
        if self.fixed is None:
            uncertain = np.concatenate(self.score_variances()[0])
            self.score_variance = float(learned_variance(self.score**2, uncertain, self.score_variance))
        return float(np.max(np.abs(self.half_odds() - before)))

    def half_odds(self) -> np.ndarray:
        """Half the log odds of the first item against the second, of each answer."""
        return half_odds(self.score, self.raters, self.given)

    def probabilities(self) -> np.ndarray:
        """Of each answer that could have been given, `(2 or 3, answers)`."""
        return answer_probabilities(self.half_odds(), self.raters[self.given.annotator, 2], self.given.ties)

    def _derivatives(self) -> tuple[np.ndarray, np.ndarray]:
        """Of minus the log-likelihood in half the odds and in the log of the tie: gradient, and curvature."""
        gradient, curvature = self._derivatives_of_answers()
        return self.given.weight * gradient, self.given.weight * curvature

    def _derivatives_of_answers(self) -> tuple[np.ndarray, np.ndarray]:
        """The same where all answers weigh 1."""
        p = self.probabilities()
        lead = p[0] - p[1]
        error = lead - (self.given.answers[0] - self.given.answers[1])
        if not self.given.ties:
            zero = np.zeros_like(lead)
            return np.stack([error, zero]), np.stack([1 - lead**2, zero, zero])
        tie = p[2]
        curvature = [1 - tie - lead**2, -lead * tie, tie * (1 - tie)]
        return np.stack([error, tie - self.given.answers[2]]), np.stack(curvature)

    def _move_scores(self) -> None:
        error, curvature = self._derivatives()
        half = 0.5 * self.raters[self.given.annotator, 0]
        gradient = (
            self.given.by_item(self.given.by_pair(half * error[0])) + self.score / self.score_variance
        )
        weights = self.given.by_pair(half**2 * curvature[0])

        def times(v: np.ndarray) -> np.ndarray:
            between = weights * (v[self.given.first] - v[self.given.second])
            return self.given.by_item(between) + v / self.score_variance

        step = conjugate_gradients(times, gradient, self._diagonal(weights))
        self.score = self.score - np.clip(step, -_STEP, _STEP)

    def _diagonal(self, weights: np.ndarray) -> np.ndarray:
        size = len(self.given.items)
        both = np.bincount(self.given.first, weights, size) + np.bincount(self.given.second, weights, size)
        return both + 1 / self.score_variance

    def score_variances(self) -> tuple[list[np.ndarray], np.ndarray]:
        """Variance of each score given the annotators, group by group; and the items in that order.

        Of a group of very many items it is that with all others held, which is too small.
        """
        curvature = self._derivatives()[1][0]
        weights = self.given.by_pair((0.5 * self.raters[self.given.annotator, 0]) ** 2 * curvature)
        return _variances(self.given, weights, self._diagonal(weights))

    def _free(self) -> list[int]:
        """Tells which of `PARAMETERS` differ between annotators."""
        return [i for i in range(3) if self.own[i] and (i < 2 or self.given.ties)]

    def _design(self) -> np.ndarray:
        """Derivatives of half the odds and of the log of the tie by the parameters: reliability, position, tie."""
        distance = 0.5 * (self.score[self.given.first] - self.score[self.given.second])[self.given.pair]
        return np.stack([distance, np.full_like(distance, 0.5), np.ones_like(distance)])

    def _slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """Of each answer the gradient in the three parameters `(3, answers)` and the curvature `(3, 3, answers)`."""
        error, (of_odds, mixed, of_tie) = self._derivatives()
        x = self._design()
        gradient = np.stack([x[0] * error[0], x[1] * error[0], error[1]])
        curvature = np.empty((3, 3, len(mixed)))
        for i in range(3):
            for j in range(3):
                kind = of_tie if i == j == 2 else mixed if 2 in (i, j) else of_odds
                curvature[i, j] = x[i] * x[j] * kind
        return gradient, curvature

    def _move_population(self) -> None:
        """All annotators together, in position and ties."""
        free = [i for i in (1, 2) if (self.own[i] if i == 1 else self.given.ties)]
        if not free:
            return
        gradient, curvature = self._slopes()
        total = curvature.sum(axis=2)[np.ix_(free, free)] + 1e-6 * np.eye(len(free))
        step = np.linalg.solve(total, gradient.sum(axis=1)[free])
        step = np.clip(step, -_STEP, _STEP)
        self.mean[free] -= step
        self.raters[:, free] -= step

    def _move_raters(self) -> None:
        """Each annotator around the population, and the population's means and variances."""
        free = self._free()
        gradient, curvature = self._slopes()
        precision = np.diag(1 / self.variance[free])
        slope = np.stack([self.given.by_annotator(gradient[i]) for i in free], axis=1)
        slope = slope + (self.raters[:, free] - self.mean[free]) @ precision
        bend = [[self.given.by_annotator(curvature[i, j]) for j in free] for i in free]
        covariance = np.linalg.inv(np.moveaxis(np.array(bend), 2, 0) + precision)
        step = np.einsum("rij,rj->ri", covariance, slope)
        self.raters[:, free] -= np.clip(step, -_STEP, _STEP)
        means = [i for i in free if i > 0]
        self.mean[means] = self.raters[:, means].mean(axis=0)
        spread = (self.raters[:, free] - self.mean[free]) ** 2
        uncertain = np.diagonal(covariance, axis1=1, axis2=2)
        self.variance[free] = learned_variance(spread, uncertain, self.variance[free])

    def _fix_scale(self) -> None:
        """A factor of all scores is one of all reliabilities: over all answers these have the mean 1."""
        mean = float(np.average(self.raters[self.given.annotator, 0], weights=self.given.weight))
        if abs(mean) > 0.05:
            self.raters[:, 0] /= mean
            self.score = self.score * mean

    def log_likelihood(self) -> float:
        """That of the answers given the estimates."""
        return float(np.sum(self.given.weight * self.given.answers * np.log(self.probabilities())))


def half_odds(score: np.ndarray, raters: np.ndarray, given: Comparisons) -> np.ndarray:
    """`(beta_r (s_first - s_second) + position_r) / 2` of each answer."""
    beta, position = raters[given.annotator, 0], raters[given.annotator, 1]
    return 0.5 * (beta * (score[given.first] - score[given.second])[given.pair] + position)


def answer_probabilities(u: np.ndarray, tie: np.ndarray, ties: bool) -> np.ndarray:
    """Davidson's model: `exp(u)`, `exp(-u)` and, where a tie can be answered, `exp(tie)`, over their sum."""
    z = np.stack([u, -u, tie][: 2 + ties])
    p = np.exp(z - z.max(axis=0))
    return p / p.sum(axis=0)


def learned_variance(squares: np.ndarray, uncertain: np.ndarray, before: np.ndarray | float) -> np.ndarray:
    """Variance of a prior, from squared distances to its mean and the variances of the estimates, `(n, ...)`.

    MacKay's step, which has the fixed point of expectation maximization, the mean of both together, and gets there
    in fewer rounds.
    """
    known = np.maximum(1 - np.mean(uncertain / before, axis=0), 1e-3)
    return np.maximum(np.mean(squares, axis=0) / known, _SMALLEST)


def _variances(
    given: Comparisons, weights: np.ndarray, diagonal: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    order = np.argsort(given.groups, kind="stable")
    sizes = np.bincount(given.groups)
    place = np.empty(len(order), int)
    place[order] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    by_group = np.argsort(given.groups[given.first], kind="stable")
    ends = np.cumsum(np.bincount(given.groups[given.first], minlength=len(sizes)))
    found, start, begin = [], 0, 0
    for size, end in zip(sizes.tolist(), ends.tolist(), strict=True):
        members, rows = order[start : start + size], by_group[begin:end]
        start, begin = start + size, end
        if size > _MOST_ITEMS:
            found.append(1 / diagonal[members])
            continue
        cells = place[given.first[rows]] * size + place[given.second[rows]]
        between = np.bincount(cells, weights[rows], size * size).reshape(size, size)
        matrix = np.diag(diagonal[members]) - between - between.T
        found.append(np.diagonal(np.linalg.inv(matrix)))
    return found, order
