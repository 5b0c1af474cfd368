"""`crowd_report`: the door to reports of all kinds of answers."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._arguments import whole_number
from .._typing import Features
from ..annotations import (
    Annotations,
    Answers,
    Classes,
    LabelSets,
    Preferences,
    Ratings,
    Tags,
    as_answers,
    kind_given,
)

if TYPE_CHECKING:
    from ._beside import Beside
    from ._report import CrowdReport
    from ._request import Request
    from ._shown import Show

_MOST_CELLS = 500_000  # of all confusion matrices, which are drawn again and again
_NEEDED = ("jinja2", "matplotlib", "pandas")


def crowd_report(
    answers: Answers,
    *,
    crowd: Any = None,
    classifier: Any = None,
    x: Features | None = None,
    probabilities: npt.ArrayLike | None = None,
    gold: npt.ArrayLike | None = None,
    times: Annotations | npt.ArrayLike | None = None,
    costs: npt.ArrayLike | None = None,
    show: Show = None,
    level: str | None = None,
    title: str = "Crowd report",
    draws: int = 400,
    max_answers: int = 100_000,
    seed: int = 0,
) -> CrowdReport:
    """Reports on a crowd: who can be trusted, which items to look at, how good the labels are.

    Only the answers are needed; everything else adds to the report. For classes, everything is estimated by draws from
    the posterior of Dawid and Skene's model, with each annotator's rows shrunk towards one accuracy, and accuracies
    towards that of the crowd. True classes are drawn as well, so that the intervals allow for their being unknown. Sets
    of labels are treated in the same way label by label, with a quarter of the draws; ratings by `aggregation.raykar`,
    and preferences by `aggregation.bradley_terry`.

    Args:
        answers: `Annotations` of classes, ratings, sets of labels or preferences; or integers `(items, annotators)`
            with `-1` for missing; or floats with `NaN`, ratings; or tags, integers `(items, time, annotators)`. Of soft
            answers the likeliest class counts.
        crowd: A trained model of the annotators: a crowd layer, a `CrowdFit` or an `EMTrainer` (anything with
            `confusion()`). Its confusions are shown, and its posterior gives the labels. For other kinds, the crowd
            layer for them: its scales and biases, sensitivities and specificities, or reliabilities and position biases
            become columns `"learned_..."` of the annotators (of sets: of the rates). Defaults to `None`.
        classifier: A Keras model that predicts class probabilities of `x`; of sets, probabilities of labels, which are
            the labels' prior as well; of ratings, ratings, a column `"predicted"` of the items. There is none for
            preferences. Defaults to that of a `CrowdFit`.
        x: Features of all items, for the classifier. Defaults to `None`.
        probabilities: Predictions, `(items, classes)`, `(items, labels)` or `(items,)`, in place of `classifier` and
            `x`. Defaults to `None`.
        gold: True classes of some items, as in `aggregation.dawid_skene`. They check the estimates and are never used
            for them. Of ratings floats, `NaN` where unknown; of sets integers `(items, labels)`; of preferences the
            class of each pair. Defaults to `None`.
        times: When each answer was given, in seconds: `Annotations` of numbers with the same ids, an array `(items,
            annotators)`, or one number for each answer, sorted by item and annotator. They give `"seconds"` between an
            annotator's answers, `"drift"`, and a picture of both. Of ratings, drift is how much farther the later half
            is from the labels; of other kinds how much more probable it is to be right. Defaults to `None`.
        costs: Costs of the answers: one for all, one for each annotator, or one for each answer. Defaults to `None`.
        show: What to show of each item: texts, paths of image files or arrays of pixels, in the order of the items; or
            a mapping, or a function, from ids of items to such (the only way for preferences). Defaults to `None`, ids.
        level: String. Of Krippendorff's alpha, as in `evaluation.krippendorff_alpha`. With `"ordinal"`, classes are
            grades in the order of `annotations.classes`, and annotators have a `"grade_bias"` and a `"grade_error"`.
            Defaults to `None`.
        title: String. Title of the page. Defaults to `"Crowd report"`.
        draws: Integer. Number of draws from the posterior. Defaults to 400.
        max_answers: Integer. Items are sampled where there are more answers than this, or very many
            annotators, and the report says so. Defaults
            to 100,000.
        seed: Integer. Seed of the draws and of the sample. Defaults to 0.

    Returns:
        A `CrowdReport`. Its tables are `"summary"`, `"annotators"` (accuracy with a 95 percent interval, and for two
        classes sensitivity and specificity, class 1 being positive; `"informedness"`, 0 for annotators whose answers do
        not depend on the item; `"gold_..."`, `"seconds"` between answers, `"drift"` with an interval and
        `"cost_per_right_answer"` where known), `"recall"` (per annotator and class), `"items"` (label, `"confidence"`,
        `"gain"` of one more answer and `"status"`), `"answers"` (probability that each is right), `"classes"` and
        `"pairs"` (annotators who err together). Of ratings: `"annotators"` (bias with an interval, scale, noise),
        `"items"` and `"answers"`; of sets
        of labels: `"annotators"`, `"rates"` (per annotator and label), `"items"` and `"labels"`; of preferences:
        `"annotators"`, `"items"` (scores with intervals) and `"answers"`.

    Raises:
        ImportError: When pandas, matplotlib or jinja2 is not installed.
        ValueError: When shapes disagree.

    Example:

    >>> annotations = keras_crowd.Annotations.from_coo(
    ...     ["a", "a", "b", "b"], ["ann", "bob", "ann", "bob"], ["cat", "cat", "dog", "cat"])
    >>> report = keras_crowd.report.crowd_report(annotations, gold=["cat", "dog"], draws=20)
    >>> report.tables["annotators"][["annotator", "gold_accuracy"]].to_numpy().tolist()
    [['ann', 1.0], ['bob', 0.5]]

    Reference:
        A. P. Dawid, A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm",
        Applied Statistics 28, 1979, for the model; E. B. Wilson, "Probable inference, the law of succession, and
        statistical inference", Journal of the American Statistical Association 22, 1927, for intervals by gold labels.
    """
    _check_installed()
    for name, value in (("draws", draws), ("max_answers", max_answers)):
        whole_number(name, value)
    whole_number("seed", seed, low=0)
    from ._beside import beside
    from ._class_report import class_report
    from ._given import given_classes, of_some_items
    from ._request import Request
    from ._shown import ItemViewer

    annotations = _tokens(answers)
    kept, notes = _sampled(annotations, max_answers, seed)
    request = Request(title, notes, level, ItemViewer(show, annotations, kept), draws, seed)
    if not isinstance(annotations.kind, Classes):
        more = beside(
            annotations,
            crowd=crowd,
            classifier=classifier,
            x=x,
            probabilities=probabilities,
            gold=gold,
            times=times,
            costs=costs,
        )
        if kept is not None:
            more = more.of_items(kept, annotations)
            annotations = of_some_items(annotations, kept)
        return _of_other_kinds(annotations, more, request)
    annotations = annotations.hard()
    given = given_classes(annotations, crowd, classifier, x, probabilities, gold, times, costs)
    if kept is not None:
        given = given.of_items(kept)
    return class_report(given, request)


def _of_other_kinds(annotations: Annotations, more: Beside, request: Request) -> CrowdReport:
    from ._preferences import preference_report
    from ._ratings import rating_report
    from ._sets import set_report

    if isinstance(annotations.kind, Ratings):
        return rating_report(annotations, more, request)
    if isinstance(annotations.kind, Preferences):
        return preference_report(annotations, more, request)
    return set_report(annotations, more, request)


def _tokens(answers: Answers) -> Annotations:
    """The answers as `Annotations`; the tags of a sequence are those of its tokens."""
    if not isinstance(answers, Annotations) and isinstance(kind_given(answers), Tags):
        table = np.asarray(answers)
        return as_answers(table.reshape(table.shape[0] * table.shape[1], *table.shape[2:]))
    annotations = as_answers(answers)
    if not isinstance(annotations.kind, Classes | LabelSets | Preferences | Ratings):
        raise ValueError(
            "`answers` must be classes, tags, ratings, sets of labels or preferences. "
            f"Received: {annotations!r}"
        )
    return annotations


def _check_installed() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(f"`crowd_report` needs {', '.join(missing)}: pip install 'keras_crowd[report]'")


def _sampled(annotations: Annotations, max_answers: int, seed: int) -> tuple[np.ndarray | None, list[str]]:
    """A mask of items drawn at random that have at most so many answers together, and what to say of it."""
    if len(annotations) <= max_answers and annotations.num_annotators * _cells(annotations) <= _MOST_CELLS:
        return None, []
    order = np.random.default_rng(seed).permutation(annotations.num_items)
    rank = np.argsort(order)[annotations.item_index]
    first = np.full(annotations.num_annotators, annotations.num_items)
    np.minimum.at(first, annotations.annotator_index, rank)
    answers = np.cumsum(annotations.answers_per_item()[order])
    cells = np.cumsum(np.bincount(first, minlength=len(order))[: len(order)]) * _cells(annotations)
    fits = int(np.sum((answers <= max_answers) & (cells <= _MOST_CELLS)))
    kept = np.zeros(annotations.num_items, bool)
    kept[order[: max(fits, 1)]] = True
    note = (
        f"This report is of a sample: {kept.sum():,} of {annotations.num_items:,} items, drawn at random, with "
        f"{kept[annotations.item_index].sum():,} of {len(annotations):,} answers by "
        f"{int(np.sum(first < max(fits, 1))):,} of {annotations.num_annotators:,} annotators. "
        "`max_answers=` sets its size."
    )
    return kept, [note]


def _cells(annotations: Annotations) -> int:
    """The numbers that an annotator's confusion matrix has."""
    return annotations.num_classes**2 if isinstance(annotations.kind, Classes) else 1
