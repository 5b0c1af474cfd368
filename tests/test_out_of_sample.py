"""Predictions of items by classifiers that have not seen their answers."""

import numpy as np
import pytest

from keras_crowd import Annotations
from keras_crowd.selection import out_of_sample_predictions

RNG = np.random.default_rng(0)
ANSWERS = np.where(RNG.random((23, 4)) < 0.6, RNG.integers(0, 3, (23, 4)), -1)
ANSWERS[:3] = -1  # nobody answered


def counting(answers):
    """A training that tells how many answers to each item it saw and in which fold, and what it was called with."""
    calls = []

    def train(annotations, fold):
        calls.append(annotations)
        return np.stack([annotations.answers_per_item(), np.full(len(answers), fold)], axis=1)

    return train, calls


def test_no_item_is_predicted_by_a_training_that_saw_its_answers():
    train, calls = counting(ANSWERS)
    found = out_of_sample_predictions(train, ANSWERS, num_splits=4)
    np.testing.assert_array_equal(found[:, 0], 0)
    assert len(calls) == 4
    for fold, left in enumerate(calls):
        of_fold = found[:, 1] == fold
        np.testing.assert_array_equal(left.dense(), np.where(of_fold[:, None], -1, ANSWERS))
    sizes = np.bincount(found[3:, 1])
    assert sizes.max() - sizes.min() <= 1
    assert len(np.unique(found[:3, 1])) == 3


def test_folds_are_those_of_the_seed():
    folds = [out_of_sample_predictions(counting(ANSWERS)[0], ANSWERS, seed=s)[:, 1] for s in (0, 0, 1)]
    np.testing.assert_array_equal(folds[0], folds[1])
    assert np.any(folds[0] != folds[2])


def test_answers_of_any_kind():
    ratings = Annotations.from_dense(np.where(ANSWERS < 0, np.nan, ANSWERS + 0.5))
    train, calls = counting(ANSWERS)
    out_of_sample_predictions(train, ratings, num_splits=2)
    assert all(left.kind is ratings.kind for left in calls)


def test_goes_on_after_an_interruption(tmp_path):
    whole = out_of_sample_predictions(counting(ANSWERS)[0], ANSWERS, num_splits=3)
    first, _ = counting(ANSWERS)

    def interrupted(annotations, fold):
        if fold == 2:
            raise KeyboardInterrupt
        return first(annotations, fold)

    with pytest.raises(KeyboardInterrupt):
        out_of_sample_predictions(interrupted, ANSWERS, num_splits=3, backup_dir=tmp_path)
    again, calls = counting(ANSWERS)
    found = out_of_sample_predictions(again, ANSWERS, num_splits=3, backup_dir=tmp_path)
    np.testing.assert_array_equal(found, whole)
    assert len(calls) == 1
    with pytest.raises(ValueError, match=r"`backup_dir` .* differs in: seed$"):
        out_of_sample_predictions(again, ANSWERS, num_splits=3, seed=1, backup_dir=tmp_path)


@pytest.mark.parametrize(
    "predictions",
    [np.zeros((22, 2)), np.full((23, 2), np.nan), np.full((23, 2), "a"), 0.5],
    ids=["items", "nan", "text", "number"],
)
def test_predictions_of_another_kind_are_refused(predictions):
    with pytest.raises(
        ValueError, match=r"`train` must return one finite prediction for each of the 23 items"
    ):
        out_of_sample_predictions(lambda annotations, fold: predictions, ANSWERS)


def test_predictions_of_another_shape_in_another_fold_are_refused():
    with pytest.raises(
        ValueError, match=r"same shape in every fold\. Received: an array of shape \(23, 3\)"
    ):
        out_of_sample_predictions(lambda annotations, fold: np.zeros((23, 2 + fold)), ANSWERS)


def test_fewer_items_with_answers_than_folds_are_refused():
    with pytest.raises(
        ValueError, match=r"`num_splits` must be at most .* Received: num_splits=21, 20 items"
    ):
        out_of_sample_predictions(counting(ANSWERS)[0], ANSWERS, num_splits=21)
