"""Reports of ratings, sets of labels, preferences, grades and tags."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_crowd import Annotations
from keras_crowd.aggregation import bradley_terry, dawid_skene_labels, raykar
from keras_crowd.annotations import LabelSets
from keras_crowd.report import crowd_report


def structure(report):
    """Headings, and whether every picture has a text alternative."""
    page = report.html()
    alts = re.findall(r'role="img" aria-label="([^"]{40,})"', page)
    assert len(alts) == page.count("<svg") == len(report.figures)
    assert page.count("<table>") == page.count("<caption>")
    return re.findall(r"<h2[^>]*>(.*?)</h2>", page)


@pytest.fixture(scope="module")
def ratings():
    rng = np.random.default_rng(0)
    truth, bias, noise = rng.normal(3, 1, 150), rng.normal(0, 0.5, 20), rng.uniform(0.2, 1.0, 20)
    table = truth[:, None] + bias + noise * rng.normal(size=(150, 20))
    table[rng.random(table.shape) < 0.6] = np.nan
    table[0, :8] = [1, 5] * 4
    return table, truth, bias - bias.mean()


def test_ratings(ratings):
    table, truth, bias = ratings
    report = crowd_report(table, gold=truth, costs=0.1, show=[f"review {i}" for i in range(150)])
    assert structure(report) == ["Overview", "Annotators", "Items", "Answers", "Compared with gold ratings"]
    found, people = raykar(Annotations.from_dense(table)), report.tables["annotators"]
    assert_allclose(people["bias"], found.bias)
    relative = bias + (people["bias"] - bias).mean()
    assert np.mean((people["bias_low"] < relative) & (relative < people["bias_high"])) >= 0.9
    assert_allclose(report.tables["items"]["label"], found.truth)
    assert report.tables["items"]["status"][0] == "ambiguous"
    assert (report.tables["items"]["status"] == "ambiguous").sum() <= 8
    summary = report.tables["summary"].set_index("name")["value"]
    assert summary["gold_label_error"] < summary["gold_mean_error"]
    assert_allclose(summary["gold_label_error"], np.sqrt(np.mean((found.truth - truth) ** 2)))


def test_sets_of_labels():
    rng = np.random.default_rng(0)
    truth = rng.random((120, 3)) < [0.5, 0.3, 0.1]
    sensitivity, specificity = rng.uniform(0.6, 0.95, (8, 3)), rng.uniform(0.8, 0.99, (8, 3))
    ticks = np.where(
        truth[:, None], rng.random((120, 8, 3)) < sensitivity, rng.random((120, 8, 3)) > specificity
    )
    answers = Annotations.from_dense(ticks.astype(int), classes=["sea", "sky", "tree"], kind=LabelSets())
    report = crowd_report(answers, gold=truth.astype(int), draws=600)
    assert structure(report) == ["Overview", "Annotators", "Labels", "Items"]
    rates = report.tables["rates"]
    for name, true in (("sensitivity", sensitivity), ("specificity", specificity)):
        held = (rates[f"{name}_low"] <= true.T.ravel()) & (true.T.ravel() <= rates[f"{name}_high"])
        assert held.mean() >= 0.85
    people = report.tables["annotators"]
    seen = (sensitivity * truth.mean(axis=0)).sum(axis=1) / truth.mean(axis=0).sum()
    assert np.mean((people["sensitivity_low"] <= seen) & (seen <= people["sensitivity_high"])) >= 0.75
    by_em = dawid_skene_labels(answers).posterior.ravel()
    assert_allclose(report.tables["items"]["confidence"], by_em, atol=0.2)
    assert report.tables["labels"]["gold_accuracy"].min() > 0.9


def test_preferences():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 12, (2, 600))
    second = np.where(first == second, (second + 1) % 12, second)
    better = rng.random(600) < 1 / (1 + np.exp(-0.5 * (first - second)))
    names = np.array([f"item {i}" for i in range(12)])
    answers = Annotations.from_preferences(
        names[first],
        names[second],
        rng.integers(0, 6, 600),
        np.where(better, names[first], names[second]),
        duplicates="first",
    )
    report = crowd_report(answers, show=lambda id_: f"<{id_}>")
    assert structure(report) == ["Overview", "Annotators", "Items", "Answers"]
    found, items = bradley_terry(answers), report.tables["items"]
    assert_allclose(items["score"], found.scores)
    assert items.sort_values("rank")["score"].is_monotonic_decreasing
    assert items["comparisons"].sum() == 2 * len(answers)
    assert_allclose(report.tables["annotators"]["reliability"], found.reliability)
    assert "&lt;item 11&gt;" in report.html()
    with pytest.raises(ValueError, match=r"`show` must be a mapping or a function .*Received: list"):
        crowd_report(answers, show=["a"])


def test_graded_preferences_are_read_without_grades():
    answers = Annotations.from_preferences(
        ["a", "b", "a"], ["b", "c", "c"], ["ann", "ann", "bob"], [-2, 1, -1], grades=2
    )
    report = crowd_report(answers)
    assert report.notes == ["Grades are read as which item is better."]
    assert report.tables["items"]["rank"].tolist() == [1, 3, 2]


def test_tags_are_answers_to_tokens():
    rng = np.random.default_rng(0)
    tags = rng.integers(0, 2, (30, 4, 5))
    by_token = crowd_report(tags.reshape(-1, 5), draws=5)
    assert crowd_report(tags, draws=5).tables["annotators"].equals(by_token.tables["annotators"])


def test_grades_have_a_bias():
    """One annotator grades one step higher where there is one."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 200)
    table = np.where(rng.random((200, 6)) < 0.9, truth[:, None], rng.integers(0, 4, (200, 6)))
    table[:, 5] = np.minimum(truth + 1, 3)
    people = crowd_report(table, level="ordinal", draws=20).tables["annotators"]
    assert people["grade_bias"][:5].abs().max() < 0.2
    assert 0.5 < people["grade_bias"][5] <= 1
    assert people["grade_error"][5] > people["grade_error"][:5].max()


@pytest.mark.parametrize("max_answers", [100])
def test_other_kinds_are_sampled_too(ratings, max_answers):
    table, truth, _ = ratings
    report = crowd_report(table, gold=truth, max_answers=max_answers)
    assert len(report.tables["answers"]) <= max_answers
    sampled = report.tables["items"]["item"].to_numpy()
    assert_allclose(report.tables["items"]["gold"], truth[sampled])
