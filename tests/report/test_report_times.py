"""What reports of other kinds than classes take beside the answers, and pictures of answers over time."""

import types

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from keras_crowd import Annotations
from keras_crowd.aggregation import raykar
from keras_crowd.annotations import LabelSets
from keras_crowd.report import crowd_report
from keras_crowd.report._over_time import pace, time_section

RNG = np.random.default_rng(0)


def layer(**values):
    return types.SimpleNamespace(**{name: lambda of=of: of for name, of in values.items()})


def ratings():
    truth = RNG.normal(3, 1, 60)
    table = truth[:, None] + 0.2 * RNG.normal(size=(60, 3))
    table[30:, 2] += 3 * RNG.normal(size=30)  # the third grows tired
    return table, np.tile(np.arange(60.0)[:, None], (1, 3))


def sets():
    truth = RNG.random((60, 2)) < 0.5
    wrong = RNG.random((60, 4, 2)) < 0.05
    wrong[30:, 3] = RNG.random((30, 2)) < 0.6
    ticks = (truth[:, None] ^ wrong).astype(int)
    return Annotations.from_dense(ticks, kind=LabelSets()), truth


def preferences():
    first, second = RNG.permuted(np.tile(np.arange(5), (40, 1)), axis=1)[:, :2].T
    who = np.tile([0, 1], 20)
    worse = np.where(first < second, first, second)
    return Annotations.from_preferences(
        first, second, who, np.where(who == 0, first + second - worse, first), duplicates="first"
    )


def test_tired_annotators_of_ratings_are_seen():
    table, times = ratings()
    report = crowd_report(table, times=times)
    people = report.tables["annotators"]
    assert_allclose(people["seconds"], 1)
    assert people["drift_low"][2] > 0.5
    assert (people["drift"][:2].abs() < 0.2).all()
    assert {"over_time", "drift", "courses"} <= set(report.figures)
    assert "Over time" in report.html()
    assert "seconds" not in crowd_report(table).tables["annotators"]


def test_pictures_of_drift_show_parts_of_each_annotators_own_answers_in_the_order_of_time():
    """Two annotators in turns, one of them in reverse; the third has too few answers, the fourth no times."""
    count = 40
    given = [(i, r) for r in range(2) for i in range(count)] + [(i, 2) for i in range(5)]
    given += [(i, 3) for i in range(count)]
    item, who = np.array(given).T
    tired = (who == 1) & (item < count // 2) & (item % 2 == 0)
    times = np.where(who == 1, 100.0 - item, item)
    times[who == 3] = np.nan
    quality = np.where(tired, 0.0, 1.0)
    quality[0] = 0.5
    columns = pace(who, times, quality, 4)
    table = pd.DataFrame({"annotator": list("abcd"), **columns})
    halves = quality[who == 1][::-1].reshape(2, -1).mean(axis=1)
    assert columns["drift"][1] == halves[1] - halves[0] == -0.5
    assert np.isnan(columns["drift"][2:]).all()
    assert np.isnan(columns["seconds"][3])
    section = time_section(table, who, times, quality, "quality")
    _, _, drift, course = section.blocks
    assert "from -0.50 to 0.03" in drift.alt
    assert course.alt.endswith("b: 1.00, 1.00, 0.75, 0.50, 0.50; a: 0.94, 1.00, 1.00, 1.00, 1.00.")
    first, second = course.figure.axes
    assert [ax.get_title() for ax in (first, second)] == ["b", "a"]
    assert_allclose(first.lines[0].get_ydata(), [1, 1, 0.75, 0.5, 0.5])
    assert first.get_ylim() == second.get_ylim()
    assert_allclose(drift.figure.axes[0].lines[-1].get_xdata(), 0)  # nobody changes there


def test_scales_that_were_learned_and_predictions_of_ratings():
    table, _ = ratings()
    predicted = RNG.normal(size=(60, 1))
    model = types.SimpleNamespace(predict=lambda x, verbose: x)
    learned = layer(scale=np.array([1.0, 0.5, 2.0]), bias=np.zeros(3))
    given = {"crowd": learned, "classifier": model, "x": predicted}
    report = crowd_report(table, **given)
    assert report.tables["annotators"]["learned_scale"].tolist() == [1.0, 0.5, 2.0]
    assert_allclose(report.tables["items"]["predicted"], predicted[:, 0])
    assert_allclose(report.tables["items"]["label"], raykar(Annotations.from_dense(table)).truth)
    some = crowd_report(table, max_answers=90, **given).tables["items"]
    assert_allclose(some["predicted"], predicted[some["item"], 0])


def test_sets_with_times_rates_that_were_learned_and_a_prior():
    answers, truth = sets()
    rates = RNG.random((4, 2))
    report = crowd_report(
        answers,
        times=np.arange(len(answers)),
        crowd=layer(sensitivity=rates, specificity=1 - rates),
        probabilities=np.full((60, 2), 0.5),
        draws=80,
    )
    people = report.tables["annotators"]
    assert people["drift_high"][3] < 0
    assert_allclose(report.tables["rates"]["learned_sensitivity"], rates.T.ravel())
    assert "drift" in report.figures
    sure = np.where(truth[:, :1] & [True, False], 0.0, 1.0)  # of a label that is there, that it is not
    misled = crowd_report(answers.select(items=np.arange(60) < 5), probabilities=sure[:5], draws=80)
    plain = crowd_report(answers.select(items=np.arange(60) < 5), draws=80)
    assert not np.allclose(
        misled.tables["items"]["confidence"], plain.tables["items"]["confidence"], atol=0.2
    )


def test_preferences_with_times_and_reliabilities_that_were_learned():
    answers = preferences()
    times = np.arange(len(answers)) * 2.0
    report = crowd_report(
        answers, times=times, crowd=layer(reliability=np.ones(2), position_bias=np.ones(2))
    )
    people = report.tables["annotators"]
    assert people["learned_reliability"].tolist() == [1, 1]
    for r in range(2):
        gaps = np.diff(np.sort(times[answers.annotator_index == r]))
        assert people["seconds"][r] == np.median(gaps)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"crowd": layer(confusion=1)},
            r"`crowd` must be a crowd layer for ratings: something with `scale\(\)`",
        ),
        (
            {"crowd": layer(scale=np.ones(2), bias=np.ones(3))},
            r"`crowd` must have a `scale\(\)` of shape \(3,\)",
        ),
        (
            {"probabilities": np.ones((60, 2))},
            r"`probabilities` must be predicted ratings of shape \(60,\)",
        ),
        ({"times": [1.0]}, "`times` must be seconds"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        crowd_report(ratings()[0], **arguments)


def test_preferences_have_no_classifier():
    with pytest.raises(ValueError, match="`probabilities` must be None for preferences"):
        crowd_report(preferences(), probabilities=np.ones(3))
