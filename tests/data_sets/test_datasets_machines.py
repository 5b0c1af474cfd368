"""Annotators that are weak scikit-learn classifiers."""

import sys
import warnings

import numpy as np
import pytest

from keras_crowd.datasets import machine_annotators


@pytest.fixture(scope="module")
def digits():
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    x, labels = sklearn_datasets.load_digits(return_X_y=True)
    return x[:600] / 16, labels[:600]


@pytest.mark.parametrize("scale", [1, 16])
@pytest.mark.parametrize("train_size", [2, 30, 100])
def test_machines_are_weak_better_than_chance_and_silent(digits, train_size, scale):
    x, labels = digits
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        annotations = machine_annotators(x * scale, labels, 8, train_size=train_size, seed=0)
    accuracy = np.mean(annotations.dense() == labels[:, None], axis=0)
    low, high = {2: (0.05, 0.3), 30: (0.2, 0.9), 100: (0.4, 0.97)}[train_size]
    assert low < accuracy.min() <= accuracy.max() < high
    assert (annotations.num_items, annotations.num_annotators, annotations.num_classes) == (600, 8, 10)


def test_machines_answer_under_the_budget_as_they_would_without(digits):
    x, labels = digits
    budgeted = machine_annotators(x, labels, 5, train_size=40, answers_per_item=2, seed=0)
    np.testing.assert_array_equal(budgeted.answers_per_item(), 2)
    each = machine_annotators(x, labels, 5, train_size=40, answers_per_annotator=10, seed=0)
    np.testing.assert_array_equal(each.answers_per_annotator(), 10)
    some = machine_annotators(x, labels, 5, train_size=40, probability=0.5, seed=0)
    assert len(some) == pytest.approx(1500, rel=0.1)
    accuracy = np.mean(some.answers == labels[some.item_index])
    assert 0.3 < accuracy < 0.95


class Recorder:
    """A classifier that remembers what it was trained on and answers the smallest class it saw."""

    trained: list = []  # noqa: RUF012

    def get_params(self, deep=True):
        return {}

    def set_params(self):
        return self

    def fit(self, x, labels):
        self.answer = labels.min()
        self.trained.append((x, labels))
        return self

    def predict(self, x):
        return np.full(len(x), self.answer)


@pytest.fixture
def trained(monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.setattr(Recorder, "trained", [])
    return lambda *args, **kwargs: (
        machine_annotators(*args, classifiers=[Recorder()], **kwargs),
        Recorder.trained,
    )


def test_each_machine_is_trained_on_its_own_distinct_items(trained):
    x = np.arange(50)[:, None]
    annotations, seen = trained(x, np.arange(50) % 3, 3, train_size=[2, 10, 50], seed=0)
    assert [len(np.unique(features)) for features, _ in seen] == [2, 10, 50]
    for features, labels in seen:
        np.testing.assert_array_equal(features[:, 0] % 3, labels)
    smallest = [labels.min() for _, labels in seen]
    np.testing.assert_array_equal(annotations.dense(), np.tile(smallest, (50, 1)))


def test_machines_see_two_classes_however_rare_one_is(trained):
    labels = np.zeros(500, int)
    labels[77] = 1
    _, seen = trained(np.arange(500)[:, None], labels, 20, train_size=5, seed=0)
    assert all(sorted(labels) == [0, 0, 0, 0, 1] for _, labels in seen)
    assert all(len(np.unique(features)) == 5 for features, _ in seen)


def test_images_are_flattened(trained):
    _, seen = trained(np.zeros((6, 4, 4, 3)), np.arange(6) % 2, 1, train_size=6)
    assert seen[0][0].shape == (6, 48)


def test_user_classifiers_are_cloned_and_taken_in_turn(digits):
    sklearn_dummy = pytest.importorskip("sklearn.dummy")
    mine = [sklearn_dummy.DummyClassifier(strategy="constant", constant=k) for k in (0, 1)]
    # A constant must have been seen: 400 of 600 items hold every digit.
    annotations = machine_annotators(*digits, 5, train_size=400, classifiers=mine, seed=0)
    np.testing.assert_array_equal(annotations.dense(), np.tile([0, 1, 0, 1, 0], (600, 1)))
    assert not hasattr(mine[0], "classes_")


def test_a_seed_gives_the_same_machines_and_another_seed_others(digits):
    first, again, other = (
        machine_annotators(*digits, 6, train_size=30, answers_per_item=2, seed=seed).dense()
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


def test_a_random_state_that_is_set_stays(digits):
    sklearn_dummy = pytest.importorskip("sklearn.dummy")
    mine = [sklearn_dummy.DummyClassifier(strategy="uniform", random_state=state) for state in (7, None)]
    # Every machine is trained on everything: only their random states can differ.
    answers = machine_annotators(*digits, 4, train_size=600, classifiers=mine, seed=0).dense()
    np.testing.assert_array_equal(answers[:, 0], answers[:, 2])
    assert np.any(answers[:, 1] != answers[:, 3])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": np.zeros((5, 2))}, r"`x` must have .* as many rows as `labels`.*\(5, 2\), 6 labels"),
        ({"x": np.zeros(6)}, r"`x` must have shape \(items, \.\.\.\)"),
        ({"labels": [2] * 6}, "`labels` must have at least two classes. Received: only class 2"),
        ({"labels": [-1, 0, 1, 0, 1, 0]}, r"`labels` must be class codes at least 0 .*Received: -1"),
        ({"num_annotators": 0}, "`num_annotators` must be a positive integer"),
        ({"train_size": 7}, "`train_size` must be an integer from 2 to 6"),
        ({"train_size": 1}, "`train_size` must be an integer from 2 to 6"),
        ({"train_size": [2, 2]}, "one for each of the 3 annotators. Received: 2"),
        ({"classifiers": []}, "`classifiers` must hold at least one"),
        ({"answers_per_item": 4}, "`answers_per_item` must be an integer from 1 to 3"),
    ],
)
def test_arguments_of_machines_are_checked(changed, message):
    pytest.importorskip("sklearn")
    arguments = {"x": np.zeros((6, 2)), "labels": [0, 1] * 3, "num_annotators": 3, "train_size": 3}
    with pytest.raises(ValueError, match=message):
        machine_annotators(**{**arguments, **changed})


def test_without_scikit_learn_machines_say_how_to_get_it(monkeypatch):
    for name in ("sklearn", "sklearn.base"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        machine_annotators(np.zeros((6, 2)), [0, 1] * 3, 3, train_size=3)
