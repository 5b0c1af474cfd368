"""Curves of accuracy against answers bought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import number, whole_number
from .._repr import one_line
from .._student import student_quantile
from ..aggregation import DawidSkene, dawid_skene, draw_states, gold_classes
from ..annotations import Annotations, Answers, as_annotations, some_answers
from ._drawn import num_left, with_drawn_answers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FEWEST_POINTS = _FEWEST_SPLITS = 2


class AccuracyCurve(NamedTuple):
    """Result of `accuracy_curve`.

    Attributes:
        num_answers: Number of answers at each point, ascending, `(points,)`; the last point has all answers.
        accuracy: Accuracy of the labels, the mean of the subsamples, `(points,)`.
        standard_deviation: Standard deviation over the subsamples, `(points,)`; 0 at the last point, which is a single
            one.
        next_answers: Number of answers that come next.
        next_gain: The accuracy that they are expected to add.
        next_low: Lower end of a 95 % interval of what they add. It allows for unknown true classes and confusions, but
            not for errors of the model.
        next_high: Upper end of that interval.

    Example:

    >>> truth = np.random.default_rng(0).integers(2, size=200)
    >>> crowd = keras_crowd.datasets.hammer_spammer(10, 2, hammer_fraction=0.8, accuracy=0.8, seed=0)
    >>> answers = keras_crowd.datasets.simulate_answers(truth, crowd, answers_per_item=3, seed=0)
    >>> curve = keras_crowd.acquisition.accuracy_curve(answers, next_answers=100, num_splits=2)
    >>> int(curve.num_answers[-1]), curve.next_answers
    (600, 100)
    """

    num_answers: np.ndarray
    accuracy: np.ndarray
    standard_deviation: np.ndarray
    next_answers: int
    next_gain: float
    next_low: float
    next_high: float

    def __repr__(self) -> str:
        return one_line(self)

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draws the curve and the expected gain of the next answers. Needs matplotlib.

        Args:
            axes: Where to draw. Defaults to `None`, new axes.

        Returns:
            The axes.
        """
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise ImportError("`AccuracyCurve.plot` needs matplotlib: pip install matplotlib") from error
        drawn: Any = pyplot.subplots()[1] if axes is None else axes
        drawn.errorbar(self.num_answers, self.accuracy, self.standard_deviation, marker="o", label="held")
        ends = self.num_answers[-1], self.num_answers[-1] + self.next_answers
        below, above = (self.next_gain - self.next_low, self.next_high - self.next_gain)
        drawn.errorbar(
            ends,
            self.accuracy[-1] + np.array([0, self.next_gain]),
            [[0, below], [0, above]],
            linestyle="--",
            marker="s",
            label=f"next {self.next_answers:,}",
        )
        drawn.set_xlabel("answers")
        drawn.set_ylabel("accuracy of the labels")
        drawn.legend()
        return drawn


def accuracy_curve(
    answers: Answers,
    *,
    next_answers: int = 1000,
    gold: npt.ArrayLike | None = None,
    num_points: int = 8,
    num_splits: int = 10,
    smallest: float = 0.2,
    seed: int = 0,
) -> AccuracyCurve:
    """Estimates the accuracy of the labels by the number of answers, and the gain of the next answers.

    Dawid-Skene's model labels all items from random subsamples of the answers. Without gold labels the accuracy is the
    mean of the posterior's highest probability. This is an estimate of the model itself, and far too high where
    annotators err together or items differ in difficulty. With gold labels, it is the share of them that the labels
    match.

    The gain of the next answers is simulated: true classes and confusions are drawn together from their posterior, as
    in `report.crowd_report`; answers to random items are drawn from the confusions, each annotator as busy as before;
    and the model is fitted again. The gain is the rise of the share of labels that are the drawn classes, the mean of
    `num_splits` draws. It is what the model expects, with or without gold labels, for questions in random order; those
    of `next_questions` bring more.

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        next_answers: Integer. Number of further answers that you consider buying, at most the number of pairs of an
            item and an annotator without an answer. Defaults to 1000.
        gold: True classes of some items, integers `(items,)`, `-1` where unknown; or ids of the classes, `None` where
            unknown. They are used only to measure. Defaults to `None`.
        num_points: Integer, at least 2. Number of sizes of subsamples, the last being all answers. Defaults to 8.
        num_splits: Integer, at least 2. Number of subsamples of each size, and of draws of the next answers. Defaults
            to 10.
        smallest: Float between 0 and 1. Fraction of the answers in the smallest subsamples. Defaults to 0.2.
        seed: Integer. Seed of the subsamples and of the draws. Defaults to 0.

    Returns:
        `AccuracyCurve(num_answers, accuracy, standard_deviation, next_answers, next_gain, next_low, next_high)`.

    Raises:
        ValueError: When there are too few answers, no gold label is known where gold is given, or an argument is out
            of range.

    Example:

    >>> truth = np.random.default_rng(0).integers(2, size=100)
    >>> confusion = keras_crowd.datasets.hammer_spammer(8, 2, accuracy=0.8, seed=0)
    >>> answers = keras_crowd.datasets.simulate_answers(truth, confusion, answers_per_item=4, seed=0)
    >>> curve = accuracy_curve(answers, next_answers=200, num_splits=3)
    >>> curve.num_answers[-1], len(curve.accuracy)
    (np.int64(400), 8)
    """
    annotations = as_annotations(answers)
    whole_number("next_answers", next_answers)
    whole_number("num_points", num_points, _FEWEST_POINTS)
    whole_number("num_splits", num_splits, _FEWEST_SPLITS)
    number("smallest", smallest, above=0, below=1)
    truth = gold_classes(gold, annotations)
    if gold is not None and np.all(truth < 0):
        raise ValueError(f"`gold` must know at least one item. Received: {len(truth)} items, none known")
    sizes = np.round(np.geomspace(smallest, 1, num_points) * len(annotations)).astype(int)
    if np.any(np.diff(sizes) < 1) or sizes[0] < 1:
        raise ValueError(
            f"`answers` must be enough for {num_points} sizes of subsamples. Received: {annotations!r}"
        )
    rng = np.random.default_rng(whole_number("seed", seed, low=0))
    found = dawid_skene(annotations)
    runs = np.empty((num_splits, num_points))
    runs[:, -1] = _accuracy(found, truth)
    for run in runs:
        order = rng.permutation(len(annotations))
        some = (dawid_skene(some_answers(annotations, np.sort(order[:size]))) for size in sizes[:-1])
        run[:-1] = [_accuracy(of, truth) for of in some]
    count = min(next_answers, num_left(annotations))
    gains = _next_gains(annotations, found, count, num_splits, rng)
    return AccuracyCurve(
        sizes,
        runs.mean(axis=0),
        runs.std(axis=0),
        count,
        *_predicted(gains),
    )


def _next_gains(
    annotations: Annotations, found: DawidSkene, count: int, num_draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Rise of the share of labels that are right, if the truth and the confusions are as drawn, `(draws,)`."""
    if count == 0:
        return np.zeros(num_draws)
    gains = []
    states = draw_states(annotations.hard(), found.posterior, num_draws, seed=int(rng.integers(2**31)))
    for truth, confusion in states:
        more = with_drawn_answers(annotations, truth, confusion, count, rng)
        later = dawid_skene(more, start=found).labels
        gains.append(np.mean(later == truth) - np.mean(found.labels == truth))
    return np.array(gains)


def _predicted(draws: np.ndarray) -> tuple[float, float, float]:
    """Mean of the draws, and the interval that contains one more of them with a probability of 95 percent."""
    mean, size = float(draws.mean()), len(draws)
    margin = student_quantile(0.975, size - 1) * float(draws.std(ddof=1)) * np.sqrt(1 + 1 / size)
    return mean, float(mean - margin), float(mean + margin)


def _accuracy(found: DawidSkene, truth: np.ndarray) -> float:
    known = truth >= 0
    if known.any():
        return float(np.mean(found.labels[known] == truth[known]))
    return float(found.posterior.max(axis=1).mean())
