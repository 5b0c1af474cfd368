"""A table of items: columns from a posterior beside each item's id."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..annotations import Annotations, Answers, are_ratings, are_sets, as_label_sets
from ._given_answers import answers_and_probabilities, answers_and_truth
from ._label_set_tables import label_columns


def label_table(
    answers: Answers, posterior: npt.ArrayLike, threshold: npt.ArrayLike | None = None
) -> dict[str, np.ndarray]:
    """Tabulates label, confidence and entropy of each item: `pandas.DataFrame(label_table(annotations, q))`.

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
            Or ratings: `Annotations` of numbers, or floats `(items, annotators)` with `NaN`. Or `Annotations` of sets
            of labels.
        posterior: Class probabilities `(items, classes)`, as of `EMTrainer.posterior`, `aggregation.posterior`
            or `aggregation.dawid_skene`; rows sum to 1. A data frame, as of crowd-kit's
            `fit_predict_proba`, is read by its ids: items are its index, classes its columns.
        threshold: Of sets of labels, how probable a label must be to be taken for present: a float between 0 and 1, or
            one for each label, `(labels,)`. Defaults to 0.5.

    Returns:
        The columns `"item"` (ids), `"label"` (the most probable class), `"confidence"` (its probability),
        `"entropy"` (in nats: 0 when sure, `log(classes)` when nothing is known) and `"answers"` (how many
        the item has), each `(items,)`.

        Of ratings the posterior is the mean and the variance of each truth `(items, 2)`, as of
        `EMTrainer.posterior`, or the truth alone `(items,)`, as of `mean_rating`; the columns are `"item"`,
        `"label"` (the mean), `"standard_deviation"` (if there are variances) and `"answers"`.

        Of sets of labels the posterior is the probability of each label `(items, labels)`, as of `label_posterior`,
        `dawid_skene_labels` or `EMTrainer.posterior`. The table has a row for each item and label: the columns are
        `"item"`, `"label"`, `"confidence"` (the probability), `"threshold"`, `"present"` (whether the confidence is
        above it) and `"answers"` (how many annotators were shown the label of the item), each `(items * labels,)`.

    Raises:
        ValueError: When shapes disagree, rows are not distributions, or a threshold is out of range or given for
            answers that are no sets.

    Example:

    >>> annotations = keras_crowd.Annotations.from_coo(["a", "b"], ["ann", "ann"], ["cat", "dog"])
    >>> table = label_table(annotations, [[0.75, 0.25], [0.5, 0.5]])
    >>> table["confidence"], table["entropy"].round(2)
    (array([0.75, 0.5 ]), array([0.56, 0.69]))
    """
    if are_sets(answers):
        return label_columns(as_label_sets(answers), posterior, 0.5 if threshold is None else threshold)
    if threshold is not None:
        raise ValueError(f"`threshold` is for sets of labels. Received: threshold={threshold!r}")
    if are_ratings(answers):
        return _of_ratings(*answers_and_truth(answers, posterior))
    annotations, q = answers_and_probabilities(answers, posterior, "posterior")
    return {
        "item": np.asarray(annotations.items),
        "label": np.asarray(annotations.classes)[q.argmax(axis=1)],
        "confidence": q.max(axis=1),
        "entropy": -np.sum(q * np.log(np.maximum(q, np.finfo(float).tiny)), axis=1),
        "answers": annotations.answers_per_item(),
    }


def _of_ratings(
    ratings: Annotations, truth: np.ndarray, variance: np.ndarray | None
) -> dict[str, np.ndarray]:
    spread = {} if variance is None else {"standard_deviation": np.sqrt(variance)}
    columns = {"item": np.asarray(ratings.items), "label": truth}
    return columns | spread | {"answers": ratings.answers_per_item()}
