"""A table of annotators: columns from a posterior beside each annotator's id."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._arguments import confusions, whole_number
from ..annotations import (
    Annotations,
    Answers,
    are_ratings,
    are_sets,
    as_label_sets,
    classes_per_annotator,
    share,
)
from ._annotators import agreement, annotator_accuracy, annotator_class_prior
from ._answer_sums import expected_counts
from ._draws import draw_crowd
from ._given_answers import (
    answers_and_probabilities,
    answers_and_truth,
    confusion_shape,
)
from ._label_set_tables import annotator_columns
from ._ratings import deviations

_DRAWS = 400


def annotator_table(
    answers: Answers,
    posterior: npt.ArrayLike,
    confusion: npt.ArrayLike | None = None,
    min_answers: int = 5,
    *,
    intervals: bool = False,
) -> dict[str, np.ndarray]:
    """Judges each annotator: `pandas.DataFrame(annotator_table(annotations, q))`.

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats `(items,
            annotators, classes)` with zeros. Soft answers count by their probabilities, or by their likeliest class
            where one class is needed. Or ratings: `Annotations` of numbers, or floats `(items, annotators)` with `NaN`.
            Or `Annotations` of sets of labels.
        posterior: Class probabilities `(items, classes)`, as of `EMTrainer.posterior`, `aggregation.posterior` or
            `aggregation.dawid_skene`; rows sum to 1. It includes the annotator's own answers. A data frame is read by
            its ids, as in `label_table`.
        confusion: Learned confusions, `(annotators, true, answer)`. Defaults to `None`: they are counted from the
            posterior and the answers, without smoothing.
        min_answers: Integer. Number of answers from which on an annotator is suspect if all are of one class (for sets:
            all with every label, or all without any). Defaults to 5.
        intervals: Boolean. Whether answers of classes get 95 percent intervals of the accuracy, from 400 draws of the
            true classes and the confusions, seed 0, that begin at the posterior. The draws need memory for `400 *
            annotators * classes` numbers, and 530 passes over the answers. Defaults to `False`.

    Returns:
        The columns `"annotator"` (ids), `"answers"` (how many it gave), `"agreement"` (the share of them that is the
        item's most probable class), `"accuracy"` (how often it is right on the items it answered:
        `annotator_accuracy`), `"one_class"` (whether it gave `min_answers` or more, all of one class), and for each
        class `"confusion[k,k]"`, how often it knows class `k` when it sees one; each `(annotators,)`. `NaN` where
        nothing is known. With `intervals`, after `"accuracy"`, `"accuracy_mean"` of the draws and the ends of their
        interval, `"accuracy_low"` and `"accuracy_high"`. They allow for true classes that are not known and draw
        annotators with few answers towards the crowd, so that `"accuracy"` may be outside.

        Of ratings the posterior is as for `label_table`; the columns are `"annotator"`, `"answers"`, `"bias"` and
        `"rmse"` (see `deviations`), and there is no `confusion`.

        Of sets of labels likewise; the columns are `"annotator"`, `"answers"`, `"ticks"` and `"shown"` (labels ticked,
        and labels shown, per answer), `"sensitivity"` and `"specificity"` (shares of the labels there that were
        ticked, and of the others that were not, over all labels), `"informedness"` (of a single label, sensitivity
        plus specificity minus 1; over all labels, covariances of ticks and truth over variances of the truth: 1 is
        perfect, and 0 is whoever ticks one set whatever the item), `"ticks_all"` and `"ticks_none"` (whether all of
        `min_answers` or more answers have every label, or none), `"rank"` (1 is the most informed; those two kinds are
        last), and for each label `"sensitivity[label]"` and `"specificity[label]"`.

    Raises:
        ValueError: When shapes disagree, rows are not distributions, or `intervals` are asked for of anything but
            classes.

    Example:

    >>> annotations = keras_crowd.Annotations.from_coo(
    ...     ["a", "b", "a"], ["ann", "ann", "bob"], ["cat", "dog", "dog"])
    >>> table = annotator_table(annotations, [[0.75, 0.25], [0.0, 1.0]])
    >>> table["agreement"], table["accuracy"]
    (array([1., 0.]), array([0.875, 0.25 ]))
    """
    whole_number("min_answers", min_answers)
    if are_ratings(answers) or are_sets(answers):
        _refuse_confusion(confusion)
        _refuse_intervals(intervals)
    if are_sets(answers):
        return annotator_columns(as_label_sets(answers), posterior, min_answers)
    if are_ratings(answers):
        return _of_ratings(answers, posterior)
    annotations, q = answers_and_probabilities(answers, posterior, "posterior")
    counts = expected_counts(annotations, (q_k[annotations.item_index] for q_k in q.T))
    given = annotations.answers_per_annotator()
    if confusion is None:
        right = np.diagonal(counts, axis1=1, axis2=2)
        diagonal = share(right, counts.sum(axis=2))
        accuracy = share(right.sum(axis=1), given)
    else:
        confusion = confusions("confusion", confusion, confusion_shape(annotations))
        diagonal = np.diagonal(confusion, axis1=1, axis2=2)
        accuracy = annotator_accuracy(confusion, annotator_class_prior(annotations, q))
    table = {
        "annotator": np.asarray(annotations.annotators),
        "answers": given,
        "agreement": agreement(annotations, q.argmax(axis=1)),
        "accuracy": accuracy,
        **(_intervals(annotations, q) if intervals else {}),
        "one_class": (classes_per_annotator(annotations) == 1) & (given >= min_answers),
    }
    classes = np.asarray(annotations.classes).tolist()
    return table | {f"confusion[{k},{k}]": column for k, column in zip(classes, diagonal.T, strict=True)}


def _intervals(annotations: Annotations, q: np.ndarray) -> dict[str, np.ndarray]:
    """Accuracy on the items that each annotator answered, as draws have it; NaN of those without answers."""
    recall = draw_crowd(annotations.hard(), q, draws=_DRAWS).recall
    drawn = np.einsum("drk,rk->dr", recall, annotator_class_prior(annotations, q))
    drawn = np.where(annotations.answers_per_annotator() > 0, drawn, np.nan)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0, method="weibull")
    return {"accuracy_mean": drawn.mean(axis=0), "accuracy_low": low, "accuracy_high": high}


def _refuse_intervals(intervals: bool) -> None:
    if intervals:
        raise ValueError(
            "`intervals` are for answers of classes; the answers are ratings or sets of labels. "
            f"Received: intervals={intervals!r}"
        )


def _refuse_confusion(confusion: npt.ArrayLike | None) -> None:
    if confusion is not None:
        raise ValueError(
            "`confusion` is for classes; the answers are ratings or sets of labels. "
            f"Received: confusion of shape {np.shape(confusion)}"
        )


def _of_ratings(answers: Answers, posterior: npt.ArrayLike) -> dict[str, np.ndarray]:
    ratings, truth, _ = answers_and_truth(answers, posterior)
    found = deviations(ratings, truth)
    columns = {"annotator": np.asarray(ratings.annotators), "answers": ratings.answers_per_annotator()}
    return columns | {"bias": found.bias, "rmse": found.rmse}
