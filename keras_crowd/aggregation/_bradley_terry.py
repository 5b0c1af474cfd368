"""Scores of items from preferences: Bradley and Terry's model, with ties and with annotators who differ."""

from __future__ import annotations

import functools
import warnings
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import flag, number, whole_number
from .._repr import one_line
from ..annotations import Annotations, as_preferences, encode, pair_index, share
from ._comparisons import Comparisons, refuse_grades
from ._pairs import PARAMETERS, Own, PairModel
from ._preference_answers import answer_probabilities


class BradleyTerry(NamedTuple):
    """Result of `bradley_terry`.

    Attributes:
        items: Ids of the items, sorted, `(items,)`.
        scores: Score of each item, `(items,)`, in log odds of the typical annotator; the mean of each group is 0.
        standard_error: Standard error of each score given the annotators, `(items,)`.
        groups: Group of each item, integers `(items,)`: scores of different groups cannot be compared.
        annotators: Ids of the annotators, `(annotators,)`.
        reliability: How strongly each annotator's answers follow the difference of scores, `(annotators,)`: 1 is
            typical, 0 answers at random, and a negative one answers the other way round.
        position_bias: Log odds of the item shown first between equally good items, `(annotators,)`.
        tie: Log of Davidson's `nu`, `(annotators,)`: two equally good items tie with probability `nu / (2 + nu)`.
        random_rate: Probability of a random answer, `(annotators,)`, 0 without `random_rates=True`.
        spread: Standard deviations over annotators of the last four (of the log odds of random answers), and of the
            `"scores"`, by name.
        log_likelihood: Log-likelihood of the answers given all of these.
        converged: Whether the tolerance was reached.
    """

    items: np.ndarray
    scores: np.ndarray
    standard_error: np.ndarray
    groups: np.ndarray
    annotators: np.ndarray
    reliability: np.ndarray
    position_bias: np.ndarray
    tie: np.ndarray
    random_rate: np.ndarray
    spread: dict[str, float]
    log_likelihood: float
    converged: bool

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def tie_rate(self) -> np.ndarray:
        """Probability of a tie between equally good items where the answer is not random, `(annotators,)`."""
        nu = np.exp(self.tie)
        return nu / (2 + nu)

    def annotator_table(self, answers: Annotations) -> dict[str, np.ndarray]:
        """Describes each annotator: `pandas.DataFrame(found.annotator_table(answers))`.

        Args:
            answers: `Annotations` of preferences between these items, by these annotators.

        Returns:
            The columns `"annotator"`, `"answers"` (how many), `"agreement"` (share of the answers other than ties that
            are for the item of the higher score, `NaN` where there are none), `"reliability"`, `"position_bias"`,
            `"tie_rate"` and `"random_rate"`, each `(annotators,)`.

        Raises:
            ValueError: When there are other items or annotators.

        Example:

        >>> answers = keras_crowd.Annotations.from_preferences(["a", "b"], ["b", "c"], [0, 0], ["a", "c"])
        >>> keras_crowd.aggregation.bradley_terry(answers).annotator_table(answers)["answers"]
        array([2])
        """
        annotations, difference, who = self._placed(answers)
        said = annotations.hard().answers
        count = functools.partial(np.bincount, minlength=len(self.annotators))
        right = count(who, (said < 2) & ((said == 0) == (difference > 0)))
        return {
            "annotator": self.annotators,
            "answers": count(who),
            "agreement": share(right, count(who, said < 2)),
            "reliability": self.reliability,
            "position_bias": self.position_bias,
            "tie_rate": self.tie_rate,
            "random_rate": self.random_rate,
        }

    def answer_probabilities(self, answers: Annotations) -> np.ndarray:
        """Returns the probability of each possible answer of the annotator who gave it, for held-out answers.

        Args:
            answers: `Annotations` of preferences between these items, by these annotators.

        Returns:
            `(num_answers, 2 or 3)`, in the order of `answers.answers`: first, second, tie.

        Raises:
            ValueError: When there are other items or annotators.

        Example:

        >>> answers = keras_crowd.Annotations.from_preferences(["a", "b"], ["b", "c"], [0, 0], ["a", "c"])
        >>> keras_crowd.aggregation.bradley_terry(answers).answer_probabilities(answers).shape
        (2, 2)
        """
        annotations, difference, who = self._placed(answers)
        u = 0.5 * (self.reliability[who] * difference + self.position_bias[who])
        ties = annotations.num_classes == 3
        return answer_probabilities(u, self.tie[who], ties, self.random_rate[who]).T

    def _placed(self, answers: Annotations) -> tuple[Annotations, np.ndarray, np.ndarray]:
        """Checks answers, and finds the difference of the scores and the place of the annotator of each."""
        annotations = as_preferences(answers)
        refuse_grades(annotations)
        _, index = pair_index(annotations.items, self.items.tolist())
        _, place = encode(
            "answers.annotators", annotations.annotators, "annotators", self.annotators.tolist()
        )
        a, b = self.scores[index[annotations.item_index]].T
        return annotations, a - b, place[annotations.annotator_index]


def bradley_terry(
    answers: Annotations,
    *,
    reliability: bool = True,
    position_bias: bool = True,
    tie_rates: bool = True,
    random_rates: bool = False,
    weights: npt.ArrayLike | None = None,
    score_variance: float | None = None,
    iterations: int = 200,
    tolerance: float = 1e-3,
) -> BradleyTerry:
    """Estimates scores of items, and what annotators are like, from preferences alone.

    Annotator `r`, shown item `i` first and item `j` second, answers "first", "second" or "tie" with probabilities
    in proportion to

        exp(u),  exp(-u),  nu_r,      u = (beta_r (s_i - s_j) + p_r) / 2

    which is Bradley and Terry's model, with Davidson's ties, for `beta_r = 1` and `p_r = 0`. Scores are drawn to 0, and
    `p_r`, `log nu_r` and `beta_r` to the means of all annotators, by normal priors whose variances are estimated along
    the way, so that everything is finite and annotators with a few answers are near the typical one. Over all answers
    the mean of `beta_r` is 1. A negative `beta_r` is an annotator who answers the other way round: their answers count
    turned. Fitted by Newton's steps, by turns of the scores and the annotators.

    With `random_rates=True` an annotator answers at random with a probability `e_r` of their own (of two or three
    answers each alike), and by the model above otherwise: without ties that is the annotator of Chen et al., who is
    right with a probability of `1 - e_r / 2` where the items are far apart. The log odds of `e_r` are drawn to their
    mean in the same way. A small `beta_r` and a large `e_r` differ in the answers to pairs that are far apart only,
    so compare both on held-out answers.

    Args:
        answers: `Annotations` of preferences, as `Annotations.from_preferences` reads them; soft ones as well, graded
            ones by way of `annotations.without_grades`.
        reliability: Boolean. Whether annotators have a `beta_r` of their own. Defaults to `True`.
        position_bias: Boolean. Whether annotators lean to a position, each with a `p_r`. Defaults to `True`.
        tie_rates: Boolean. Whether annotators have a `nu_r` of their own. Defaults to `True`. With all three
            `False` this is the plain model, in which who answered does not matter.
        random_rates: Boolean. Whether annotators answer at random at times, each at a rate `e_r`. Defaults to `False`.
        weights: How much each answer counts, `(num_answers,)`, in the order of `answers.answers`, as the `weights` of
            `annotations.from_rankings`. Defaults to `None`, 1 each.
        score_variance: Number. Variance of the prior of the scores. Defaults to `None`, estimated.
        iterations: Integer. Largest number of rounds. Defaults to 200.
        tolerance: Number. Stop when no log odds of an answer change by more. Defaults to 1e-3.

    Returns:
        `BradleyTerry(items, scores, standard_error, groups, annotators, reliability, position_bias, tie,
        random_rate, spread, log_likelihood, converged)`.

    Raises:
        ValueError: When the answers are no preferences or have grades, or another argument is out of range.

    Warns:
        UserWarning: When some items were never compared with others, not even by way of third ones; or when all answers
            are for one position and `position_bias=True`.

    Reference:
        R. A. Bradley, M. E. Terry, "Rank analysis of incomplete block designs", Biometrika 39, 1952; R. R. Davidson,
        "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments", Journal of the
        American Statistical Association 65, 1970; X. Chen, P. N. Bennett, K. Collins-Thompson, E. Horvitz, "Pairwise
        ranking aggregation in a crowdsourced setting", WSDM 2013 (annotators of different reliability).

    Example:

    >>> answers = keras_crowd.Annotations.from_preferences(
    ...     ["a", "b", "a", "c"], ["b", "c", "c", "a"], [0, 0, 1, 1], ["a", "b", "a", "a"])
    >>> found = keras_crowd.aggregation.bradley_terry(answers)
    >>> found.items[np.argsort(-found.scores)].tolist()
    ['a', 'b', 'c']
    """
    given = Comparisons.of(as_preferences(answers), weights)
    own = (
        flag("reliability", reliability),
        flag("position_bias", position_bias),
        flag("tie_rates", tie_rates),
        flag("random_rates", random_rates),
    )
    if score_variance is not None:
        score_variance = number("score_variance", score_variance, above=0)
    whole_number("iterations", iterations)
    number("tolerance", tolerance)
    _warn_of_groups(given)
    model, converged = fitted_pairs(given, own, score_variance, iterations, tolerance)
    variances, order = model.score_variances()
    error = np.empty(len(order))
    error[order] = np.sqrt(np.concatenate(variances))
    kept = [i for i in range(4) if own[i] and (i != 2 or given.ties)]
    spread = {PARAMETERS[i]: float(np.sqrt(model.variance[i])) for i in kept}
    return BradleyTerry(
        given.items,
        model.score,
        error,
        given.groups,
        np.asarray(answers.annotators),
        model.raters[:, 0],
        model.raters[:, 1],
        model.raters[:, 2],
        model.random_rate(),
        {"scores": float(np.sqrt(model.score_variance)), **spread},
        model.log_likelihood(),
        converged,
    )


def fitted_pairs(
    given: Comparisons,
    own: Own,
    score_variance: float | None = None,
    iterations: int = 200,
    tolerance: float = 1e-3,
) -> tuple[PairModel, bool]:
    """The model at the maximum of its posterior, and whether that was reached; arguments as for `bradley_terry`."""
    if own[1] and np.max(given.answers[:2].mean(axis=1)) == 1:
        warnings.warn(
            "All answers are for the same position, which a position bias explains as well as scores do. If the order "
            "in the table is not the one shown, as of chosen and rejected, leave position biases out. "
            f"Received: {given.answers.shape[1]:,} such answers",
            stacklevel=3,
        )
    model = PairModel(given, own, score_variance)
    for _ in range(iterations):
        if 2 * model.step() < tolerance:
            return model, True
    return model, False


def _warn_of_groups(given: Comparisons) -> None:
    sizes = np.bincount(given.groups)
    if len(sizes) > 1:
        shown = given.items[np.argsort(given.groups, kind="stable")[[0, -1]]].tolist()
        warnings.warn(
            f"The {len(given.items):,} items fall into {len(sizes):,} groups that were never compared with each other, "
            f"not even by way of other items; {shown[0]!r} and {shown[1]!r} are of different ones. Compare scores "
            f"within a group only. Received: groups of {sizes.min():,} to {sizes.max():,} items",
            stacklevel=3,
        )
