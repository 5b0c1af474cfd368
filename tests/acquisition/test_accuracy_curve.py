"""Curves of accuracy against answers: their points, and what is expected of the next answers."""

import matplotlib as mpl
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_crowd.acquisition import accuracy_curve
from keras_crowd.acquisition._curve import _predicted
from keras_crowd.acquisition._drawn import num_left, with_drawn_answers
from keras_crowd.aggregation import dawid_skene
from keras_crowd.annotations import Annotations


def crowd(num_items=200, num_annotators=10, accuracy=0.75, share=0.3, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=num_items)
    table = np.where(rng.random((num_items, num_annotators)) < accuracy, truth[:, None], 1 - truth[:, None])
    table[rng.random(table.shape) > share] = -1
    return Annotations.from_dense(table, classes=2), truth


def test_points_are_means_over_subsamples():
    annotations, truth = crowd()
    found = dawid_skene(annotations)
    curve = accuracy_curve(annotations, num_points=4, num_splits=3, next_answers=100)
    assert_array_equal(curve.num_answers, np.round(np.geomspace(0.2, 1, 4) * len(annotations)))
    assert curve.accuracy[-1] == pytest.approx(found.posterior.max(axis=1).mean())
    assert curve.standard_deviation[-1] == pytest.approx(0)
    assert np.all(np.diff(curve.accuracy) > 0)
    gold = np.where(np.arange(200) < 120, truth, -1)
    measured = accuracy_curve(annotations, gold=gold, num_points=4, num_splits=3, next_answers=100)
    assert measured.accuracy[-1] == pytest.approx(np.mean(found.labels[:120] == truth[:120]))
    assert_allclose(measured.next_gain, curve.next_gain)
    again = accuracy_curve(annotations, num_points=4, num_splits=3, next_answers=100)
    assert_array_equal(again.accuracy, curve.accuracy)
    assert again.next_gain == curve.next_gain


def test_next_answers_bring_what_they_brought():
    """From half of the answers to all of them, on crowds that the model fits."""
    errors = []
    for seed in range(4):
        annotations, truth = crowd(400, share=0.5, accuracy=0.7, seed=seed)
        half, rest = annotations.split(0.5, seed=seed)
        curve = accuracy_curve(half, next_answers=len(rest), num_points=2, num_splits=4)
        assert curve.next_low <= curve.next_gain <= curve.next_high
        gain = np.mean(dawid_skene(annotations).labels == truth) - np.mean(
            dawid_skene(half).labels == truth
        )
        errors.append(curve.next_gain - gain)
        assert gain > 0.04
    assert abs(np.mean(errors)) < 0.03


def test_interval_holds_what_the_next_answers_bring():
    """Answers to random questions, on small crowds of unequal annotators, whose confusions are hardly known."""
    held, widths = [], []
    for seed in range(8):
        accuracy = np.random.default_rng(seed).uniform(0.5, 0.95, 10)
        pool, truth = crowd(150, accuracy=accuracy, share=1.0, seed=seed)
        given, _ = pool.split(0.6, seed=seed)
        half, rest = given.split(0.5, seed=seed)
        curve = accuracy_curve(half, next_answers=len(rest), num_points=2, num_splits=5, seed=seed)
        before, after = (np.mean(dawid_skene(of).labels == truth) for of in (half, given))
        held.append(curve.next_low <= after - before <= curve.next_high)
        widths.append(curve.next_high - curve.next_low)
    assert sum(held) >= 7
    assert np.mean(widths) < 0.35


def test_interval_is_that_of_one_more_draw():
    draws = np.array([0.1, 0.2, 0.4])
    mean, low, high = _predicted(draws)
    half = 4.302653 * np.std(draws, ddof=1) * np.sqrt(4 / 3)
    assert_allclose([mean, low, high], [0.7 / 3, 0.7 / 3 - half, 0.7 / 3 + half], rtol=1e-6)


def test_more_answers_bring_more_and_none_nothing():
    annotations, _ = crowd()
    gains = [
        accuracy_curve(annotations, num_points=2, num_splits=3, next_answers=n).next_gain for n in (50, 500)
    ]
    assert 0 < gains[0] < gains[1]
    full = crowd(share=1.0)[0]
    curve = accuracy_curve(full, num_points=2, num_splits=2)
    assert (curve.next_answers, curve.next_gain) == (0, 0.0)


@pytest.mark.parametrize("pairs", [2**22, 1])
@pytest.mark.parametrize("soft", [False, True])
def test_drawn_answers(pairs, soft, monkeypatch):
    """No pair twice, answers as the confusions have them, busy annotators busier."""
    monkeypatch.setattr("keras_crowd.acquisition._drawn._PAIRS", pairs)
    annotations, _ = crowd(2000, 6, share=0.1)
    annotations = annotations.soft() if soft else annotations
    confusion = np.tile([[0.9, 0.1], [0.3, 0.7]], (6, 1, 1))
    truth = np.arange(2000) % 4 > 0
    more = with_drawn_answers(annotations, truth.astype(int), confusion, 3000, np.random.default_rng(0))
    assert len(more) == len(annotations) + 3000  # it refuses pairs that stand twice
    assert num_left(more) == num_left(annotations) - 3000
    count = lambda given: given.hard().answers.sum()  # noqa: E731
    expected = 0.25 * 0.1 + 0.75 * 0.7
    assert (count(more) - count(annotations)) / 3000 == pytest.approx(expected, abs=0.03)
    busy = with_drawn_answers(
        annotations.select(annotators=[True] * 6),
        truth.astype(int),
        confusion,
        500,
        np.random.default_rng(1),
    )
    assert busy.answers_per_annotator().min() > annotations.answers_per_annotator().min()


def test_plot_shows_points_and_what_comes_next():
    mpl.use("agg")
    curve = accuracy_curve(crowd()[0], num_points=3, num_splits=2, next_answers=100)
    axes = curve.plot()
    assert axes is curve.plot(axes)
    held, ahead, *_ = axes.lines
    assert_array_equal(held.get_xdata(), curve.num_answers)
    assert_allclose(ahead.get_ydata()[-1], curve.accuracy[-1] + curve.next_gain)
    assert [text.get_text() for text in axes.get_legend().get_texts()][:2] == ["held", "next 100"]
    mpl.pyplot.close("all")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"next_answers": 0}, "`next_answers` must be a positive integer"),
        ({"num_splits": 1}, "`num_splits` must be an integer at least 2"),
        ({"num_points": 1}, "`num_points` must be an integer at least 2"),
        ({"smallest": 1.0}, "`smallest` must be a number above 0 and below 1"),
        ({"gold": [-1] * 200}, "`gold` must know at least one item. Received: 200 items, none known"),
        ({"num_points": 10_000}, "`answers` must be enough for 10000 sizes of subsamples. Received: Ann"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        accuracy_curve(crowd()[0], **arguments)
