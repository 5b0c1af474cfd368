"""`out_of_sample_predictions`: each item predicted by a classifier that has not seen its answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._arguments import whole_number
from .._backup import Backup
from ..annotations import Annotations, Answers, as_answers, checksum, refuse_preferences, some_answers


def out_of_sample_predictions(
    train: Callable[[Annotations, int], Any],
    answers: Answers,
    *,
    num_splits: int = 5,
    seed: int = 0,
    backup_dir: str | os.PathLike[str] | None = None,
    given: Mapping[str, Any] | None = None,
) -> np.ndarray:
    """Predicts each item by a classifier that was trained without the answers to it.

    A classifier can learn the answers to its training items by heart. What it predicts for these items is then no
    evidence beside the answers: `aggregation.posterior` counts them twice, and `aggregation.crowdlab` trusts the
    classifier too much. Here the items are divided into folds, and the answers to each fold are left out of one
    training. It costs `num_splits` trainings.

    Args:
        train: Callable. Called as `train(annotations, fold)` with the answers that are left, of all items and
            annotators, and the number of the fold from 0; trains a *new* classifier and returns its predictions of all
            items, an array `(items, ...)`.
        answers: `Annotations` of any kind but preferences; integers `(items, annotators)` with `-1` for missing;
            ratings, floats `(items, annotators)` with `NaN`; or soft answers, floats `(items, annotators, classes)`
            with zeros.
        num_splits: Integer, at least 2. Number of folds, of items that have answers. Items without answers are
            divided likewise. Defaults to 5.
        seed: Integer. Seed of the folds. Defaults to 0.
        backup_dir: Path. Folder in which to keep the predictions of finished folds, as `folds.npz`: an interrupted
            call goes on from there. The file stays when all is predicted. Defaults to `None`, no backup.
        given: Mapping. What else `train` depends on, by name: features, settings. A backup made with anything else is
            refused. Defaults to `None`.

    Returns:
        The predictions, with the shape and dtype of those that `train` returns.

    Raises:
        ValueError: When an argument is out of range, fewer items than `num_splits` have answers, answers are
            preferences, what `train` returns is not one finite prediction per item, or `backup_dir` holds the backup
            of another call.

    Example:

    >>> def train(annotations, fold):
    ...     labels = keras_crowd.aggregation.majority_vote(annotations, soft=True)  # a stand-in for a classifier
    ...     return np.tile(np.nanmean(labels, axis=0), (6, 1))
    >>> answers = [[0, 0], [0, 1], [1, 1], [0, 0], [0, -1], [1, 0]]
    >>> keras_crowd.selection.out_of_sample_predictions(train, answers, num_splits=3).shape
    (6, 2)
    """
    whole_number("num_splits", num_splits, low=2)
    whole_number("seed", seed, low=0)
    refuse_preferences(answers)
    annotations = as_answers(answers)
    settings = {"answers": checksum(annotations), "num_splits": num_splits, "seed": seed}
    backup = Backup.within(backup_dir, "folds.npz", {**settings, **(given or {})})
    return predictions_by_fold(train, annotations, num_splits, seed, backup)


def predictions_by_fold(
    train: Callable[[Annotations, int], Any],
    annotations: Annotations,
    num_splits: int,
    seed: int,
    backup: Backup,
) -> np.ndarray:
    """`out_of_sample_predictions`, with a backup of the finished folds wherever it may be."""
    folds = _folds(annotations, num_splits, seed)
    kept = backup.load()
    predictions = kept.get("predictions", np.empty(0))
    for fold in range(int(kept.get("finished", 0)), num_splits):
        left = some_answers(annotations, folds[annotations.item_index] != fold)
        found = _checked(train(left, fold), annotations, predictions.shape[1:] if fold else None)
        if fold == 0:
            predictions = np.zeros_like(found)
        predictions[folds == fold] = found[folds == fold]
        backup.save(predictions=predictions, finished=fold + 1)
    return predictions


def _folds(annotations: Annotations, num_splits: int, seed: int) -> np.ndarray:
    """The fold of each item; folds differ by at most one item with answers, and by one without."""
    answered = annotations.answers_per_item() > 0
    if answered.sum() < num_splits:
        raise ValueError(
            f"`num_splits` must be at most the number of items with answers. Received: num_splits={num_splits}, "
            f"{answered.sum()} items with answers"
        )
    rng = np.random.default_rng(seed)
    folds = np.empty(annotations.num_items, int)
    for group in (answered, ~answered):
        folds[group] = rng.permutation(np.arange(group.sum()) % num_splits)
    return folds


def _checked(predictions: Any, annotations: Annotations, like: tuple[int, ...] | None) -> np.ndarray:
    """Predictions of one shape `(items, *like)`, if one is known, in every fold."""
    found = np.asarray(predictions)
    numbers = found.dtype.kind in "fiu" and np.all(np.isfinite(found))
    if not numbers or found.shape[:1] != (annotations.num_items,) or like not in (None, found.shape[1:]):
        raise ValueError(
            f"`train` must return one finite prediction for each of the {annotations.num_items} items, of the same "
            f"shape in every fold. Received: an array of shape {found.shape} and dtype {found.dtype}"
        )
    return found
