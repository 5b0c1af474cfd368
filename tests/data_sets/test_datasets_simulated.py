"""Who answers what, and the answers drawn from confusions."""

import tracemalloc

import numpy as np
import pytest

from keras_crowd import datasets
from keras_crowd.datasets import diagonally_dominant, hammer_spammer, simulate_answers
from keras_crowd.datasets._budget import distinct_pairs


def answer_everything(**kwargs):
    """100 items, 40 annotators who are always right."""
    labels = np.arange(100) % 3
    return simulate_answers(labels, np.tile(np.eye(3), (40, 1, 1)), **kwargs)


def test_without_a_budget_everybody_answers_everything():
    assert np.all(answer_everything(seed=0).dense() == np.arange(100)[:, None] % 3)


@pytest.mark.parametrize("each", [1, 3, 20, 39, 40])
def test_answers_per_item_are_exact(each):
    annotations = answer_everything(answers_per_item=each, seed=0)
    np.testing.assert_array_equal(annotations.answers_per_item(), each)
    assert annotations.num_annotators == 40


@pytest.mark.parametrize("each", [1, 7, 50, 100])
def test_answers_per_annotator_are_exact(each):
    annotations = answer_everything(answers_per_annotator=each, seed=0)
    np.testing.assert_array_equal(annotations.answers_per_annotator(), each)
    assert annotations.num_items == 100


def test_items_may_be_left_without_an_answer():
    annotations = answer_everything(answers_per_annotator=1, seed=0)
    assert (annotations.answers_per_item() == 0).sum() >= 60
    np.testing.assert_array_equal(annotations.items, np.arange(100))
    np.testing.assert_array_equal(annotations.classes, np.arange(3))


@pytest.mark.parametrize("probability", [0.05, 0.6])
def test_probability_decides_each_answer_by_itself(probability):
    labels = np.zeros(20_000, int)
    annotations = simulate_answers(labels, np.tile(np.eye(2), (10, 1, 1)), probability=probability, seed=0)
    per_item = annotations.answers_per_item()
    assert per_item.mean() == pytest.approx(10 * probability, rel=0.02)
    assert per_item.var() == pytest.approx(10 * probability * (1 - probability), rel=0.05)
    np.testing.assert_allclose(annotations.answers_per_annotator() / 20_000, probability, rtol=0.1)
    assert len(answer_everything(probability=1.0)) == 4000


@pytest.mark.parametrize("each", [2, 3])
def test_pairs_are_distinct_and_every_subset_as_likely(each):
    """Of 17 both ways of drawing are used: 2 / 17 is below the threshold and 3 / 17 above."""
    rows, population = 40_000, 17
    row, member = distinct_pairs(np.full(rows, each), population, np.random.default_rng(0))
    order = np.lexsort((member, row))
    subsets = member[order].reshape(rows, each)
    assert np.all(np.diff(subsets, axis=1) > 0)
    _, counts = np.unique(subsets, axis=0, return_counts=True)
    num_subsets = {2: 136, 3: 680}[each]
    chi_square = np.sum((counts - rows / num_subsets) ** 2) / (rows / num_subsets)
    assert len(counts) == num_subsets
    assert chi_square == pytest.approx(num_subsets - 1, abs=4 * np.sqrt(2 * num_subsets))


def test_rows_of_one_draw_may_need_few_and_many():
    counts = np.arange(31)
    row, member = distinct_pairs(counts, 30, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(row, minlength=31), counts)
    assert len(set(zip(row.tolist(), member.tolist(), strict=True))) == counts.sum()
    assert 0 <= member.min() <= member.max() < 30


@pytest.mark.parametrize(
    "budget", [{"answers_per_item": 3}, {"answers_per_annotator": 60}, {"probability": 3e-4}]
)
def test_many_items_and_annotators_make_no_table(budget):
    labels = np.random.default_rng(0).integers(5, size=200_000)
    confusion = hammer_spammer(10_000, 5, seed=0)
    tracemalloc.start()
    try:
        annotations = simulate_answers(labels, confusion, **budget, seed=0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(annotations) == pytest.approx(600_000, rel=0.01)
    assert peak < 500e6  # a table would be 2 GB even of bytes


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ({"answers_per_item": 0}, "`answers_per_item` must be an integer from 1 to 40"),
        ({"answers_per_item": 41}, "`answers_per_item` must be an integer from 1 to 40"),
        ({"answers_per_item": 2.0}, "`answers_per_item` must be .* Received: answers_per_item=2.0"),
        ({"answers_per_annotator": 101}, "`answers_per_annotator` must be an integer from 1 to 100"),
        ({"probability": 1.1}, "`probability` must be a number between 0 and 1"),
        ({"probability": "all"}, "`probability` must be a number between 0 and 1"),
        ({"probability": 0.0}, "`probability` must give at least one answer"),
        ({"probability": 0.5, "answers_per_item": 2}, "At most one .* probability=0.5, answers_per_item=2"),
    ],
)
def test_a_budget_is_checked(budget, message):
    with pytest.raises(ValueError, match=message):
        answer_everything(**budget)


@pytest.mark.parametrize("chunk", [2**22, 1000])
def test_answers_follow_the_confusion(chunk, monkeypatch):
    monkeypatch.setattr(datasets.simulated, "_CHUNK", chunk)
    confusion = diagonally_dominant(4, 3, (0.4, 0.9), seed=1)
    labels = np.arange(30_000) % 3
    annotations = simulate_answers(labels, confusion, answers_per_item=3, seed=0)
    counts = np.zeros((4, 3, 3))
    np.add.at(counts, (annotations.annotator_index, labels[annotations.item_index], annotations.answers), 1)
    observed = counts / counts.sum(axis=2, keepdims=True)
    np.testing.assert_allclose(observed, confusion, atol=0.025)  # 4 standard deviations of 7,500 answers


def test_a_class_that_nobody_answers_is_still_a_class():
    np.testing.assert_array_equal(simulate_answers([0, 1], np.eye(4)[None]).classes, np.arange(4))


def test_an_answer_of_probability_zero_is_never_given():
    class AlmostOne:
        def random(self, shape):
            return np.full(shape, np.nextafter(1.0, 0.0))

    row = np.array([0.1] * 3 + [0.7 - 1e-9, 0.0])
    answers = datasets.simulated._draw_answers(
        np.tile(row, (1, 5, 1)), np.zeros(5, int), np.arange(5), AlmostOne()
    )
    np.testing.assert_array_equal(answers, 3)


def test_a_seed_gives_the_same_answers_and_another_seed_others():
    labels, confusion = np.arange(200) % 4, hammer_spammer(10, 4, seed=0)
    first, again, other = (
        simulate_answers(labels, confusion, answers_per_item=3, seed=seed).dense() for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


def test_answers_do_not_depend_on_labels_drawn_with_the_same_seed():
    labels = (np.random.default_rng(0).random(2000) < 0.5).astype(int)
    answers = simulate_answers(labels, np.full((1, 2, 2), 0.5), seed=0).dense()[:, 0]
    assert np.mean(answers == labels) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 3], "`labels` must be class codes from 0 to 2. Received: 3, and 0 more"),
        (
            [0, -1, -1],
            "leave items without a class out.. Received: -1, and 1 more",
        ),
        ([0.0, 1.0], r"`labels` must be integers of shape \(items,\).*float64"),
        ([[0, 1]], r"`labels` must be integers of shape \(items,\).*\(1, 2\)"),
        (np.empty(0, int), r"`labels` must be integers .* at least one"),
    ],
)
def test_labels_are_checked(labels, message):
    with pytest.raises(ValueError, match=message):
        simulate_answers(labels, hammer_spammer(2, 3))


@pytest.mark.parametrize(
    ("confusion", "message"),
    [
        (np.eye(3), r"`confusion` must be \(annotators, true, answer\).*\(3, 3\)"),
        (np.ones((2, 3, 2)) / 2, r"`confusion` must be .*\(2, 3, 2\)"),
        (np.ones((2, 3, 3)), "`confusion` must have rows that sum to 1.* sums to 3.0"),
        ([[[1.5, -0.5], [0, 1]]], "`confusion` must be probabilities.* -0.5"),
        ([[[np.nan, 1], [0, 1]]], "`confusion` must be probabilities.* nan"),
    ],
)
def test_a_confusion_is_checked(confusion, message):
    with pytest.raises(ValueError, match=message):
        simulate_answers([0, 1], confusion)


def test_an_estimated_float32_confusion_is_accepted():
    confusion = diagonally_dominant(5, 7, seed=0).astype(np.float32)
    assert len(simulate_answers(np.arange(7), confusion)) == 35
