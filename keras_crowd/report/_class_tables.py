"""Tables of answers of classes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..aggregation import (
    CrowdDraws,
    agreement,
    annotator_table,
    calibrated_posterior,
    label_table,
    majority_vote,
)
from ..annotations import share
from ..evaluation import annotator_dependence
from ._given import Given
from ._intervals import of_draws, wilson
from ._over_time import pace

_SETTLED, _SURPRISING, _RUNNER_UP = 0.9, 0.05, 0.3
_FEWEST_GOLD = 20
_COMPARED, _FEWEST_COMMON, _NEGLIGIBLE = 100, 5, 0.2  # annotators, items, correlation


def informedness(confusion: np.ndarray) -> np.ndarray:
    """Mean distance of two rows of each confusion matrix: 0 for a spammer, 1 for who is always right."""
    num_classes = confusion.shape[1]
    distance = np.zeros(len(confusion))
    for k in range(num_classes):
        distance += np.abs(confusion - confusion[:, k : k + 1]).sum(axis=(1, 2)) / 2
    return distance / max(num_classes * (num_classes - 1), 1)


def annotators(
    given: Given, draws: CrowdDraws, posterior: np.ndarray, min_answers: int = 5
) -> pd.DataFrame:
    """One row per annotator."""
    found = annotator_table(given.annotations, posterior, min_answers=min_answers)
    table = pd.DataFrame({name: found[name] for name in ("annotator", "answers", "agreement")})
    table["accuracy"] = draws.accuracy.mean(axis=0)
    table["accuracy_low"], table["accuracy_high"] = of_draws(draws.accuracy)
    if given.annotations.num_classes == 2:
        for k, name in ((1, "sensitivity"), (0, "specificity")):
            table[name] = draws.recall[:, :, k].mean(axis=0)
            table[f"{name}_low"], table[f"{name}_high"] = of_draws(draws.recall[:, :, k])
    table["informedness"] = informedness(draws.confusion)
    table["one_class"] = found["one_class"]
    if given.learned is not None:
        table["learned_accuracy"] = np.diagonal(given.learned, axis1=1, axis2=2) @ posterior.mean(axis=0)
    if given.has_gold:
        _add_gold(table, given)
    return _with_work(table, given, posterior)


def add_grades(table: pd.DataFrame, given: Given, posterior: np.ndarray) -> None:
    """Adds how far each annotator's grades are from the true ones, in places of `classes`."""
    annotations, who = given.annotations, given.annotations.annotator_index
    far = annotations.answers[:, None] - np.arange(annotations.num_classes)
    q = posterior[annotations.item_index]
    counts = annotations.answers_per_annotator()
    for name, distance in (("grade_bias", far), ("grade_error", np.abs(far))):
        table[name] = share(np.bincount(who, (q * distance).sum(axis=1), len(counts)), counts)


def _add_gold(table: pd.DataFrame, given: Given) -> None:
    annotations = given.annotations
    known = given.gold[annotations.item_index] >= 0
    size = annotations.num_annotators
    counted = np.bincount(annotations.annotator_index[known], minlength=size)
    accuracy = agreement(annotations, given.gold)
    table["gold_answers"], table["gold_accuracy"] = counted, accuracy
    right = np.nan_to_num(accuracy) * counted
    table["gold_low"], table["gold_high"] = wilson(right, counted)


def _with_work(table: pd.DataFrame, given: Given, posterior: np.ndarray) -> pd.DataFrame:
    """Speed and drift if times are known, and what a right answer costs."""
    annotations, who = given.annotations, given.annotations.annotator_index
    right = posterior[annotations.item_index, annotations.answers]
    if given.times is not None:
        for name, column in pace(who, given.times, right, annotations.num_annotators).items():
            table[name] = column
    if given.costs is not None:
        table["cost"] = np.bincount(who, given.costs, annotations.num_annotators)
        expected = np.bincount(who, right, annotations.num_annotators)
        table["cost_per_right_answer"] = share(table["cost"].to_numpy(), expected)
    return table


def recall(given: Given, draws: CrowdDraws, posterior: np.ndarray) -> pd.DataFrame:
    """One row per annotator and class."""
    annotations, (size, num_classes) = given.annotations, draws.recall.shape[1:]
    seen = np.stack(
        [np.bincount(annotations.annotator_index, q[annotations.item_index], size) for q in posterior.T]
    )
    low, high = of_draws(draws.recall)
    return pd.DataFrame(
        {
            "annotator": np.repeat(annotations.annotators, num_classes),
            "class": np.tile(given.classes, size),
            "items": seen.T.reshape(-1),
            "recall": draws.recall.mean(axis=0).reshape(-1),
            "recall_low": low.reshape(-1),
            "recall_high": high.reshape(-1),
        }
    )


def items(given: Given, draws: CrowdDraws, posterior: np.ndarray) -> pd.DataFrame:
    """One row per item."""
    annotations = given.annotations
    table = pd.DataFrame(label_table(annotations, posterior))
    votes = majority_vote(annotations)
    names = np.array([*given.classes.tolist(), None], object)
    table["vote"] = names[votes]
    table["runner_up_share"] = _runner_up(given)
    table["surprise"] = np.where(table["answers"] > 0, draws.surprise, np.nan)
    table["gain"] = expected_gain(posterior, crowd_confusion(given, draws))
    table["status"] = _status(table)
    if given.has_gold:
        table["gold"] = names[given.gold]
        _add_calibrated(table, given, posterior)
    return table


def _add_calibrated(table: pd.DataFrame, given: Given, posterior: np.ndarray) -> None:
    """Adds the confidence that gold labels leave, if there are enough of them, but not of all items."""
    answered = (table["answers"] > 0).to_numpy()
    gold, q = given.gold[answered], posterior[answered]
    known = gold >= 0
    if not _FEWEST_GOLD <= known.sum() < len(gold) or np.all(q[known, gold[known]] == 1):
        return
    table["calibrated_confidence"] = np.nan
    honest = calibrated_posterior(q, gold).posterior[np.arange(len(q)), q.argmax(axis=1)]
    table.loc[answered, "calibrated_confidence"] = honest


def _runner_up(given: Given) -> np.ndarray:
    """The share of the answers that the second most frequent class has."""
    annotations = given.annotations
    key = annotations.item_index.astype(np.int64) * annotations.num_classes + annotations.answers
    cells, counts = np.unique(key, return_counts=True)
    order = np.lexsort((-counts, cells // annotations.num_classes))
    item = (cells // annotations.num_classes)[order]
    first = np.searchsorted(item, np.arange(annotations.num_items))
    second = np.minimum(first + 1, max(len(item) - 1, 0))
    there = (item[second] == np.arange(annotations.num_items)) & (second > first)
    return share(np.where(there, counts[order][second], 0), annotations.answers_per_item())


def expected_gain(posterior: np.ndarray, confusion: np.ndarray) -> np.ndarray:
    """Expected rise of an item's confidence by one more answer of the average annotator."""
    after = sum((posterior * confusion[:, answer]).max(axis=1) for answer in range(confusion.shape[1]))
    return np.maximum(np.round(after - posterior.max(axis=1), 12), 0)


def crowd_confusion(given: Given, draws: CrowdDraws) -> np.ndarray:
    """The confusion of an answer drawn from all, `(true, answer)`."""
    return np.average(draws.confusion, axis=0, weights=given.annotations.answers_per_annotator())


def _status(table: pd.DataFrame) -> np.ndarray:
    ambiguous = (
        (table["surprise"] < _SURPRISING)
        & (table["runner_up_share"] >= _RUNNER_UP)
        & (table["answers"] >= 3)
    )
    choices = [table["answers"] == 0, ambiguous, table["confidence"] < _SETTLED]
    return np.select(choices, ["unanswered", "ambiguous", "undecided"], "settled")


def answers(given: Given, posterior: np.ndarray) -> pd.DataFrame:
    """One row per answer, with the probability that it is right."""
    annotations, item = given.annotations, given.annotations.item_index
    best = posterior.argmax(axis=1)
    return pd.DataFrame(
        {
            "item": annotations.items[item],
            "annotator": annotations.annotators[annotations.annotator_index],
            "answer": given.classes[annotations.answers],
            "probability": posterior[item, annotations.answers],
            "label": given.classes[best[item]],
            "confidence": posterior.max(axis=1)[item],
        }
    )


def classes(given: Given, draws: CrowdDraws) -> pd.DataFrame:
    """One row per class."""
    annotations, crowd = given.annotations, crowd_confusion(given, draws)
    counts = np.bincount(annotations.answers, minlength=annotations.num_classes)
    low, high = of_draws(draws.class_share)
    wrong = np.where(np.eye(len(crowd), dtype=bool), -1, crowd)
    table = pd.DataFrame(
        {
            "class": given.classes,
            "answers": counts,
            "answer_share": counts / max(counts.sum(), 1),
            "true_share": draws.class_share.mean(axis=0),
            "true_share_low": low,
            "true_share_high": high,
            "recall": np.diagonal(crowd),
            "taken_for": given.classes[wrong.argmax(axis=1)],
            "taken_for_share": wrong.max(axis=1),
        }
    )
    if given.has_gold:
        known = given.gold[given.gold >= 0]
        table["gold_share"] = np.bincount(known, minlength=len(table)) / len(known)
    return table


def pairs(given: Given, draws: CrowdDraws, posterior: np.ndarray) -> pd.DataFrame:
    """One row for each two annotators who err together more than chance would have it."""
    annotations = given.annotations
    most = np.sort(np.argsort(-annotations.answers_per_annotator(), kind="stable")[:_COMPARED])
    kept = np.isin(np.arange(annotations.num_annotators), most)
    some = annotations.select(annotators=kept)  # type: ignore[arg-type]
    several = some.answers_per_item() > 1
    columns = ["annotator", "other", "common", "correlation", "p_value"]
    if not several.any():
        return pd.DataFrame(columns=columns)
    some = some.select(items=several)  # type: ignore[arg-type]
    found = annotator_dependence(some, posterior[several], draws.confusion[most])
    enough = (found.common >= _FEWEST_COMMON) & (found.correlation >= _NEGLIGIBLE)
    first, second = np.nonzero(np.triu(found.dependent & enough))
    rows = [
        some.annotators[first],
        some.annotators[second],
        *(values[first, second] for values in (found.common, found.correlation, found.p_value)),
    ]
    table = pd.DataFrame(dict(zip(columns, rows, strict=True)))
    return table.sort_values("correlation", ascending=False, ignore_index=True)
