"""Reports of classes: tables, and the structure of the page."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from test_draws import crowd

from keras_crowd import Annotations
from keras_crowd.report import CrowdReport, crowd_report
from keras_crowd.report._intervals import share_right, wilson

SECTIONS = ["Overview", "Annotators", "Confusions", "Who errs together", "Items", "Answers", "Classes"]


@pytest.fixture(scope="module")
def problem():
    return crowd(2, 1, num_annotators=12)


@pytest.fixture(scope="module")
def report(problem):
    annotations, _, truth, _ = problem
    times = np.arange(len(annotations)) * 10.0
    texts = [f"<b>text</b> & more {i}" for i in range(annotations.num_items)]
    return crowd_report(
        annotations, gold=truth, times=times, costs=0.5, show=texts, title="A <crowd>", draws=60
    )


def test_structure_of_the_page(report):
    page = report.html()
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert headings == [*SECTIONS, "Over time", "Compared with gold labels"]
    assert page.count("<h1>") == 1
    assert "<h1>A &lt;crowd&gt;</h1>" in page
    alts = re.findall(r'role="img" aria-label="([^"]*)"', page)
    assert len(alts) == page.count("<svg") == len(report.figures)
    assert all(len(alt) > 40 for alt in alts)
    assert alts[0].startswith("Estimated accuracy with 95 % interval of all annotators. Lowest 0.")
    assert page.count("<table>") == page.count("<caption>") >= 4
    assert page.count("<caption><span>Annotators, the least accurate first</span></caption>") == 1
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))


def test_page_loads_nothing_and_hides_no_text(report):
    page = report.html()
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(link.startswith(("#", "data:")) for link in links)
    assert not re.search(r"@import|url\((?!#|&quot;#)", page)
    assert "&lt;b&gt;text&lt;/b&gt; &amp; more" in page
    assert "<b>text" not in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_same_answers_same_page(problem):
    annotations = problem[0]
    first, second = (crowd_report(annotations, draws=10).html() for _ in range(2))
    assert first == second


def test_annotators(report, problem):
    annotations, confusion, truth, share = problem
    table = report.tables["annotators"]
    assert table["annotator"].tolist() == annotations.annotators.tolist()
    assert_allclose(table["answers"], annotations.answers_per_annotator())
    accuracy = np.diagonal(confusion, axis1=1, axis2=2) @ share
    assert np.corrcoef(accuracy, table["accuracy"])[0, 1] > 0.6
    right = [
        np.mean(annotations.answers[rows] == truth[annotations.item_index[rows]])
        for rows in (annotations.annotator_index == r for r in range(12))
    ]
    assert_allclose(table["gold_accuracy"], right)
    for name in ("accuracy", "sensitivity", "specificity"):
        assert np.all((table[f"{name}_low"] < table[name]) & (table[name] < table[f"{name}_high"]))
    assert_allclose(table["cost"], 0.5 * table["answers"])
    assert np.all(table["cost_per_right_answer"] >= 0.5)
    assert np.all(table["seconds"] >= 10)


def test_items_and_answers(report, problem):
    annotations = problem[0]
    items, answers = report.tables["items"], report.tables["answers"]
    assert set(items["status"]) <= {"settled", "undecided", "ambiguous", "unanswered"}
    assert np.all(items.loc[items["status"] == "undecided", "confidence"] < 0.9)
    assert len(answers) == len(annotations)
    agrees = answers["answer"] == answers["label"]
    assert_allclose(answers["probability"][agrees], answers["confidence"][agrees])
    assert_allclose(answers["probability"][~agrees], 1 - answers["confidence"][~agrees])


def test_gain_of_one_more_answer_is_the_expected_rise():
    from keras_crowd.report._class_tables import expected_gain

    q, confusion = np.array([0.6, 0.4]), np.array([[0.9, 0.1], [0.3, 0.7]])
    expected = 0.0
    for answer in range(2):
        seen = q * confusion[:, answer]
        expected += seen.sum() * (seen / seen.sum()).max()
    assert_allclose(expected_gain(q[None], confusion), [expected - 0.6])
    assert expected_gain(np.array([[1.0, 0.0]]), confusion) == 0


def test_ambiguous_items_are_told_from_undecided_ones():
    """Ten good annotators, split evenly over two classes on some items; others have two answers that differ."""
    rng = np.random.default_rng(0)
    truth = np.arange(300) % 3
    table = np.where(rng.random((300, 10)) < 0.9, truth[:, None], rng.integers(0, 3, (300, 10)))
    table[:10] = rng.permuted(np.tile([0] * 5 + [1] * 5, (10, 1)), axis=1)
    table[10:30, :2], table[10:30, 2:] = [0, 1], -1
    found = crowd_report(table, draws=60).tables["items"]
    assert np.all(found["status"][:10] == "ambiguous")
    assert np.sum(found["status"][10:] == "ambiguous") <= 3
    assert np.all(found["status"][10:30] == "undecided")


def test_spammers_and_one_class_answerers():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 200)
    table = np.where(rng.random((200, 8)) < 0.8, truth[:, None], rng.integers(0, 4, (200, 8)))
    table[:, 6], table[:, 7] = rng.integers(0, 4, 200), 2
    found = crowd_report(table, draws=40)
    people = found.tables["annotators"]
    assert people["informedness"][:6].min() > 0.5 > 0.2 > people["informedness"][6:].max()
    assert people["one_class"].tolist() == [False] * 7 + [True]
    assert "1 gave answers of one class only: 7." in found.html()


@pytest.mark.filterwarnings("ignore:Two solutions")
def test_copiers_are_named():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 400)
    table = np.where(rng.random((400, 8)) < 0.6, truth[:, None], rng.integers(0, 3, (400, 8)))
    table[:, 5] = np.where(rng.random(400) < 0.9, table[:, 4], table[:, 5])
    pairs = crowd_report(table, draws=40).tables["pairs"]
    assert pairs.loc[0, ["annotator", "other"]].tolist() == [4, 5]


def test_crowd_is_anything_with_confusions(problem):
    annotations, confusion, truth, _ = problem

    class Layer:
        def confusion(self):
            return confusion

    class Fit:
        crowd, posterior = Layer(), np.eye(2)[truth]

    class Trainer(Layer):
        def posterior(self):
            return np.eye(2)[truth]

    class Classifier:
        def predict(self, x, verbose):
            return x

    by_layer = crowd_report(annotations, crowd=Layer(), draws=20)
    assert "learned_accuracy" in by_layer.tables["annotators"]
    for crowd_ in (Fit(), Trainer()):
        labels = crowd_report(annotations, crowd=crowd_, draws=20).tables["items"]["label"]
        assert labels.tolist() == truth.tolist()
    sure = np.eye(2)[truth] * 0.98 + 0.01
    found = crowd_report(annotations, crowd=Layer(), classifier=Classifier(), x=sure, draws=20)
    assert np.mean(found.tables["items"]["label"] == truth) > 0.97
    with pytest.raises(ValueError, match=r"`crowd` must be .*Received: dict"):
        crowd_report(annotations, crowd={})
    with pytest.raises(ValueError, match=r"`crowd` must have confusions of shape"):
        crowd_report(annotations.select(annotators=[0, 1]), crowd=Layer())


def test_large_crowds_are_sampled_and_it_is_said():
    table = np.random.default_rng(0).integers(0, 2, (200, 5))
    found = crowd_report(table, max_answers=300, draws=10, show=list(map(str, range(200))))
    assert len(found.tables["answers"]) == 300
    assert "60 of 200 items" in found.notes[0]
    assert found.notes[0] in found.html()


def test_crowds_of_very_many_annotators_are_sampled(monkeypatch):
    from keras_crowd.report import _crowd_report as door

    monkeypatch.setattr(door, "_MOST_CELLS", 4 * 30)
    who = np.arange(120)
    ids = {"items": np.arange(60), "annotators": who, "classes": np.arange(2)}
    answers = Annotations(who // 2, who, who % 2, **ids)

    class Layer:
        def confusion(self):
            rows = np.linspace(0, 1, 120)[:, None] * [[1, -1]] + [[0, 1]]
            return np.repeat(rows[:, None], 2, axis=1)

    found = crowd_report(answers, crowd=Layer(), costs=np.arange(120.0), draws=5)
    people = found.tables["annotators"]
    assert len(people) == 30
    assert "15 of 60 items" in found.notes[0]
    assert "30 of 120 annotators" in found.notes[0]
    assert_allclose(people["cost"], people["annotator"])


def test_drift_and_pace():
    from keras_crowd.report._over_time import pace

    who, times = np.repeat([0, 1], [40, 3]), np.concatenate([np.arange(40) * 7.0, [0, 5, np.nan]])
    found = pace(who, times, np.repeat([1.0, 0.5, 0.0], [20, 20, 3]), 3)
    seconds, drift = found["seconds"], found["drift"]
    quality = np.random.default_rng(0).random(40)
    noisy = pace(np.zeros(40, int), times[:40], quality, 1)
    error = np.sqrt(np.var(quality[:20], ddof=1) / 20 + np.var(quality[20:], ddof=1) / 20)
    assert_allclose(noisy["drift"], quality[20:].mean() - quality[:20].mean())
    assert_allclose(noisy["drift_high"] - noisy["drift"], 1.959964 * error)
    assert_allclose(noisy["drift"] - noisy["drift_low"], 1.959964 * error)
    assert_allclose(seconds, [7, 5, np.nan])
    assert_allclose(drift, [-0.5, np.nan, np.nan])


def test_times_are_matched_by_ids():
    items, people = ["a", "a", "b", "b"], ["x", "y", "x", "y"]
    annotations = Annotations.from_coo(items, people, ["n", "n", "y", "n"])
    times = Annotations.from_coo(items[::-1], people[::-1], [9.0, 2.0, 4.0, 0.0], items=["b", "a"])
    found = crowd_report(annotations, times=times, draws=5)
    assert found.tables["annotators"]["seconds"].tolist() == [2.0, 5.0]


def test_files_and_notebooks(report, tmp_path):
    assert isinstance(report, CrowdReport)
    report.to_html(tmp_path / "crowd.html")
    assert (tmp_path / "crowd.html").read_text(encoding="utf-8") == report.html()
    assert [path.name for path in tmp_path.iterdir()] == ["crowd.html"]
    shown = report._repr_html_()
    assert shown.startswith("<iframe")
    assert "<script>" not in shown
    assert "12 annotators" not in repr(report)
    assert "annotators 12" in repr(report)
    assert all(isinstance(table, pd.DataFrame) for table in report.tables.values())


def test_pictures_of_items():
    pixels = np.linspace(0, 1, 4 * 64).reshape(4, 8, 8)
    page = crowd_report(np.array([[0, 1], [1, 0], [0, 1], [1, 1]]), show=pixels, draws=5).html()
    assert '<img alt="item 0" src="data:image/jpeg;base64,' in page


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("draws", 0),
        ("seed", -1),
        ("max_answers", 0),
        ("costs", -1.0),
        ("times", [1.0]),
        ("show", ["one"]),
        ("probabilities", [[0.5, 0.5]]),
    ],
)
def test_bad_arguments(argument, value):
    with pytest.raises(ValueError, match=rf"`{argument}` must .*Received: "):
        crowd_report(np.array([[0, 1], [1, 1]]), **{argument: value})


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.88, 0.8281, 0.0001, -1e-19, float("nan")], ["0.880", "0.828", "0.0001", "0.000", "–"]),
        ([0.5, 2e-8, -2e-8, 1e-4], ["0.500", "<0.0001", ">-0.0001", "0.0001"]),
        ([4.4, 2.0, -12.345], ["4.4", "2.0", "-12.3"]),
        ([1234567, 8], ["1,234,567", "8"]),
        ([True, 0.5], ["yes", "0.500"]),
        ([float("inf"), 0.25], ["inf", "0.250"]),
    ],
)
def test_numbers_of_a_column_have_the_same_decimals(values, shown):
    from keras_crowd.report._page import _column

    assert [cell["shown"] for cell in _column(values)] == shown


def test_names_in_backticks_are_code_and_the_rest_is_text():
    from keras_crowd.report._page import _prose

    assert _prose("a < b, `tables['x']`") == "a &lt; b, <code>tables[&#39;x&#39;]</code>"


def misleading_crowd():
    """Five annotators who agree, wrongly on a fifth of the items."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 400)
    said = np.where(rng.random(400) < 0.2, (truth + 1) % 3, truth)
    return np.where(rng.random((400, 5)) < 0.9, said[:, None], rng.integers(0, 3, (400, 5))), truth


def test_some_gold_labels_measure_the_labels_and_calibrate_confidences():
    table, truth = misleading_crowd()
    gold = np.where(np.arange(400) < 60, truth, -1)
    found = crowd_report(table, gold=gold, draws=20)
    items, rows = found.tables["items"], found.tables["summary"].set_index("name")
    right = np.mean(items["label"] == truth)
    assert rows.loc["label_accuracy", "low"] > right + 0.1
    assert rows.loc["gold_label_accuracy", "low"] < right < rows.loc["gold_label_accuracy", "high"]
    others = items["gold"].isna()
    assert (
        abs(items["calibrated_confidence"][others].mean() - right)
        < 0.1
        < items["confidence"].mean() - right
    )
    of_gold = items["calibrated_confidence"][~others]
    assert np.array_equal(of_gold, (items["label"] == truth)[~others].astype(float))
    assert "calibrated_confidence" in found.html()


@pytest.mark.parametrize("known", [19, 400])
def test_few_gold_labels_or_all_calibrate_nothing(known):
    table, truth = misleading_crowd()
    found = crowd_report(table, gold=np.where(np.arange(400) < known, truth, -1), draws=5)
    items, row = found.tables["items"], found.tables["summary"].set_index("name").loc["gold_label_accuracy"]
    right = (items["label"] == truth)[:known]
    assert "calibrated_confidence" not in items
    assert row["value"] == right.mean()
    assert_allclose([row["low"], row["high"]], wilson(right.sum(), np.array(known)))


def test_share_that_is_right_uses_confidences_as_far_as_they_tell():
    """Useless confidences: the counted share. Such as tell much: a shorter interval, but not of 5 times the gold."""
    rng = np.random.default_rng(0)
    right = (rng.random(2000) < 0.8).astype(float)
    known = np.arange(2000) < 100
    counted = right[:100].mean()
    assert_allclose(
        share_right(right, known, np.full(2000, 0.9)), [counted, *wilson(right[:100].sum(), np.array(100))]
    )
    value, low, high = share_right(right, known, 0.5 + 0.4 * right)
    assert abs(value - right.mean()) < 0.01
    assert_allclose([low, high], wilson(np.array(500 * value), np.array(500)))
    held = []
    confidence = np.clip(right + rng.normal(0, 0.5, 2000), 0, 1)
    for _ in range(400):
        some = np.zeros(2000, bool)
        some[rng.permutation(2000)[:60]] = True
        _, low, high = share_right(right, some, confidence)
        held.append(low <= right.mean() <= high)
    assert 0.92 < np.mean(held) < 0.99
