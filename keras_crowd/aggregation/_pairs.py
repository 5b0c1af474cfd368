"""The model of preferences: scores of items, annotators around their population, and steps towards their maximum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ._comparisons import Comparisons
from ._graphs import conjugate_gradients
from ._preference_answers import answer_probabilities, answer_slopes, half_odds

PARAMETERS = ("reliability", "position_bias", "tie", "random_rate")  # the last is a log odds
Own = tuple[bool, bool, bool, bool]
_MOST_ITEMS = 2000  # of a group whose matrix is inverted
_SMALLEST = 1e-4  # variance
_STEP = 2.0  # the farthest that a score or a parameter goes at once
_CHANNEL = (0, 0, 1, 2)  # of `answer_slopes` for each parameter
_RANDOM_RATE, _IMAGINED = (
    0.05,
    20.0,
)  # where the mean rate starts, and the pseudo-answers that hold it there


@dataclass
class PairModel:
    """Maximum of the posterior by Newton's steps, by turns of scores and annotators.

    Attributes:
        given: The comparisons.
        own: Which of `PARAMETERS` each annotator has.
        fixed: Variance of the scores, `None` where it is learned.
        score: `(items,)`.
        raters: `(annotators, 4)`, the `PARAMETERS`.
        mean: Those of the population, `(4,)`.
        variance: Their variances, `(4,)`.
        score_variance: That of the scores.
    """

    given: Comparisons
    own: Own
    fixed: float | None
    score: np.ndarray = field(init=False)
    raters: np.ndarray = field(init=False)
    mean: np.ndarray = field(init=False)
    variance: np.ndarray = field(init=False)
    score_variance: float = field(init=False)

    def __post_init__(self) -> None:
        of_ties = np.average(self.given.answers[2], weights=self.given.weight) if self.given.ties else 0.5
        of_ties = np.clip(of_ties, 1e-3, 1 - 1e-3)
        of_random = np.log(_RANDOM_RATE / (1 - _RANDOM_RATE)) if self.own[3] else -np.inf
        self.mean = np.array([1.0, 0.0, np.log(2 * of_ties / (1 - of_ties)), of_random])
        self.variance = np.array([0.1, 0.1, 0.5, 0.5])
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

    def random_rate(self) -> np.ndarray:
        """Returns the rate of random answers of each annotator."""
        return 1 / (1 + np.exp(-self.raters[:, 3]))

    def probabilities(self) -> np.ndarray:
        """Returns the probability of each answer that could have been given, `(2 or 3, answers)`."""
        return answer_probabilities(*self._of_answers())

    def _of_answers(self) -> tuple[np.ndarray, np.ndarray, bool, np.ndarray]:
        who = self.given.annotator
        return self.half_odds(), self.raters[who, 2], self.given.ties, self.random_rate()[who]

    def _derivatives(self, channels: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Returns gradients and Fisher's information of minus the log-likelihood in channels of `answer_slopes`."""
        p, slopes = answer_slopes(*self._of_answers())
        different = sorted({*channels})
        places = [different.index(channel) for channel in channels]
        gradient = np.stack([-np.sum(self.given.answers * slopes[i], axis=0) for i in different])
        information = np.array(
            [[np.sum(p * slopes[i] * slopes[j], axis=0) for j in different] for i in different]
        )
        weight = self.given.weight
        return weight * gradient[places], weight * information[places][:, places]

    def _move_scores(self) -> None:
        error, information = self._derivatives([0])
        half = 0.5 * self.raters[self.given.annotator, 0]
        gradient = (
            self.given.by_item(self.given.by_pair(half * error[0])) + self.score / self.score_variance
        )
        weights = self.given.by_pair(half**2 * information[0, 0])

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
        information = self._derivatives([0])[1][0, 0]
        weights = self.given.by_pair((0.5 * self.raters[self.given.annotator, 0]) ** 2 * information)
        return _variances(self.given, weights, self._diagonal(weights))

    def _free(self) -> list[int]:
        """Tells which of `PARAMETERS` differ between annotators."""
        return [i for i in range(4) if self.own[i] and (i != 2 or self.given.ties)]

    def _design(self) -> list[np.ndarray | float]:
        """Derivatives of the channels of `answer_slopes` by each of `PARAMETERS`."""
        distance = 0.5 * (self.score[self.given.first] - self.score[self.given.second])[self.given.pair]
        return [distance, 0.5, 1.0, 1.0]

    def _slopes(self, free: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Returns gradients `(p, answers)` and information `(p, p, answers)` in some parameters."""
        channels = [_CHANNEL[i] for i in free]
        x = self._design()
        gradient, information = self._derivatives(channels)
        for place, i in enumerate(free):
            gradient[place] *= x[i]
            information[place] *= x[i]
            information[:, place] *= x[i]
        return gradient, information

    def _move_population(self) -> None:
        """All annotators together, in position, ties and random answers."""
        wanted = (False, self.own[1], self.given.ties, self.own[3])
        free = [i for i in range(4) if wanted[i]]
        if not free:
            return
        gradient, information = self._slopes(free)
        slope = gradient.sum(axis=1)
        total = information.sum(axis=2) + 1e-6 * np.eye(len(free))
        if self.own[3]:
            rate = 1 / (1 + np.exp(-self.mean[3]))
            slope[-1] += _IMAGINED * (rate - _RANDOM_RATE)
            total[-1, -1] += _IMAGINED * rate * (1 - rate)
        step = np.clip(np.linalg.solve(total, slope), -_STEP, _STEP)
        self.mean[free] -= step
        self.raters[:, free] -= step

    def _move_raters(self) -> None:
        """Each annotator around the population, and the population's means and variances."""
        free = self._free()
        gradient, information = self._slopes(free)
        precision = np.diag(1 / self.variance[free])
        slope = np.stack([self.given.by_annotator(row) for row in gradient], axis=1)
        slope = slope + (self.raters[:, free] - self.mean[free]) @ precision
        bend = [[self.given.by_annotator(row) for row in rows] for rows in information]
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
        """Returns the log-likelihood of the answers given the estimates."""
        return float(np.sum(self.given.weight * self.given.answers * np.log(self.probabilities())))


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
