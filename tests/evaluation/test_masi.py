"""Agreement of sets of labels: loops over pairs, nltk, and limits."""

import itertools

import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd.annotations import LabelSets
from keras_crowd.evaluation import answer_statistics, krippendorff_alpha


def drawn(seed, items=9, annotators=4, labels=3, hidden=0.0):
    """Sets of annotators who see the truth with errors; some of nothing, some answers missing."""
    rng = np.random.default_rng(seed)
    truth = rng.random((items, 1, labels)) < 0.4
    table = (truth ^ (rng.random((items, annotators, labels)) < 0.2)).astype(int)
    table[rng.random(table.shape) < hidden] = -1
    table[rng.random((items, annotators)) < 0.3] = -1
    return table


def annotations(table):
    return kc.Annotations.from_dense(table, kind=LabelSets())


def masi(first, second):
    shown = [l for l in range(len(first)) if first[l] >= 0 and second[l] >= 0]
    a, b = ({l for l in shown if row[l] == 1} for row in (first, second))
    if a == b:
        return 0.0
    m = 2 / 3 if a <= b or b <= a else 1 / 3 if a & b else 0.0
    return 1 - m * len(a & b) / len(a | b)


def alpha_by_loops(table, distance):
    units = [[row for row in item if max(row) >= 0] for item in table.tolist()]
    units = [unit for unit in units if len(unit) > 1]
    answers = list(itertools.chain(*units))
    n, pairs = len(answers), itertools.permutations
    observed = sum(sum(distance(*pair) for pair in pairs(unit, 2)) / (len(unit) - 1) for unit in units)
    return 1 - observed * (n - 1) / sum(distance(*pair) for pair in pairs(answers, 2))


@pytest.mark.parametrize("hidden", [0.0, 0.3])
def test_alpha_is_that_of_loops_over_pairs(hidden):
    for seed in range(5):
        table = drawn(seed, hidden=hidden)
        expected = alpha_by_loops(table, masi)
        assert krippendorff_alpha(annotations(table)) == pytest.approx(expected, abs=1e-6)
    nominal = alpha_by_loops(table, lambda a, b: float(a != b))
    assert krippendorff_alpha(annotations(table), "nominal") == pytest.approx(nominal)


def test_alpha_is_that_of_nltk():
    agreement = pytest.importorskip("nltk.metrics.agreement", reason="needs nltk")
    from nltk.metrics.distance import masi_distance

    table = drawn(7, items=30)
    table[(table == 0).all(axis=2), 0] = 1  # of two empty sets nltk has no distance
    rows = [
        (r, i, frozenset(np.flatnonzero(table[i, r]).tolist()))
        for i, r in np.argwhere(table.max(axis=2) >= 0).tolist()
    ]
    theirs = agreement.AnnotationTask(rows, masi_distance).alpha()
    assert krippendorff_alpha(annotations(table)) == pytest.approx(theirs, abs=1e-6)


def test_blocks_of_sets_make_no_difference(monkeypatch):
    table = drawn(3, items=40)
    whole = krippendorff_alpha(annotations(table))
    monkeypatch.setattr("keras_crowd.evaluation._masi._BLOCK", 3)
    assert krippendorff_alpha(annotations(table)) == pytest.approx(whole)


def test_limits():
    truth = np.eye(3, dtype=int)[[0, 1, 2, 0]]
    assert krippendorff_alpha(annotations(np.repeat(truth[:, None], 3, axis=1))) == pytest.approx(1)
    assert np.isnan(krippendorff_alpha(annotations(np.ones((3, 2, 2), int))))
    alone = np.full((2, 2, 2), -1)
    alone[0, 0], alone[1, 1] = 1, 0
    assert np.isnan(krippendorff_alpha(annotations(alone)))
    with pytest.raises(ValueError, match=r"`level` must be 'masi' or 'nominal' for sets.*level='interval'"):
        krippendorff_alpha(annotations(alone), "interval")
    with pytest.raises(ValueError, match="is never 'masi' for other answers"):
        krippendorff_alpha([[0, 1]], "masi")


def test_statistics_take_each_different_set_for_a_class():
    table = drawn(1, items=20, annotators=5)
    table[:, 4] = [1, 0, 1]
    found = answer_statistics(annotations(table))
    assert found.alpha == krippendorff_alpha(annotations(table))
    assert found.one_class.tolist() == [4]
    answered = table.max(axis=2) >= 0
    np.testing.assert_array_equal(found.answers_per_item, answered.sum(axis=1))
    disputed = [
        len({tuple(row) for row in item[some].tolist()}) > 1
        for item, some in zip(table, answered, strict=True)
    ]
    assert found.disputed == pytest.approx(np.mean(np.array(disputed)[answered.sum(axis=1) > 1]))
