"""Agreement of raw answers: published examples, loops over pairs, and limits."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_crowd.annotations import Annotations
from keras_crowd.evaluation import (
    answer_entropy,
    answer_statistics,
    krippendorff_alpha,
    num_classes_used,
    pairwise_agreement,
)

few_examples = settings(max_examples=40, deadline=None, database=None)
tables = hnp.arrays(
    np.int32, st.tuples(st.integers(1, 7), st.integers(1, 4)), elements=st.integers(-1, 3)
).filter(lambda table: np.any(table >= 0))

# Krippendorff (2011), reliability data of section C (and E): four observers, twelve units, 0 for missing.
PUBLISHED = (
    np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
            [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
        ]
    ).T
    - 1
)
# The same, section A: two observers, ten units, binary; section B: two observers, five classes.
BINARY = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]).T
LETTERS = np.array([[0, 0, 1, 1, 3, 2, 2, 2, 4, 3, 3, 0], [1, 0, 1, 1, 1, 2, 2, 2, 4, 3, 3, 3]]).T


@pytest.mark.parametrize(
    ("answers", "level", "alpha"),
    [
        (PUBLISHED, "nominal", 0.743),
        (PUBLISHED, "ordinal", 0.815),
        (PUBLISHED, "interval", 0.849),
        (BINARY, "nominal", 0.095),
        (LETTERS, "nominal", 0.692),
    ],
)
def test_alpha_of_published_examples(answers, level, alpha):
    assert krippendorff_alpha(answers, level) == pytest.approx(alpha, abs=6e-4)
    assert krippendorff_alpha(np.where(answers < 0, np.nan, answers), level) == pytest.approx(
        alpha, abs=6e-4
    )


def alpha_by_loops(table, level):
    """All pairs of answers, one after the other."""
    units = [[y for y in row if y >= 0] for row in table.tolist()]
    units = [unit for unit in units if len(unit) > 1]
    values = sorted(itertools.chain(*units))

    def distance(a, b):
        if level == "nominal":
            return float(a != b)
        if level == "ordinal":
            low, high = min(a, b), max(a, b)
            between = sum(low <= v <= high for v in values)
            return (between - (values.count(a) + values.count(b)) / 2) ** 2
        return float(a - b) ** 2

    pairs = itertools.permutations
    n = len(values)
    expected = sum(distance(a, b) for a, b in pairs(values, 2)) / max(n * (n - 1), 1)
    observed = sum(sum(distance(a, b) for a, b in pairs(u, 2)) / (len(u) - 1) for u in units) / max(n, 1)
    return 1 - observed / expected if expected else np.nan


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_is_that_of_loops_over_pairs(level):
    @given(tables)
    @few_examples
    def check(table):
        np.testing.assert_allclose(
            krippendorff_alpha(table, level), alpha_by_loops(table, level), atol=1e-9
        )

    check()


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_is_that_of_a_kept_library(level):
    krippendorff = pytest.importorskip("krippendorff", reason="needs krippendorff")
    rng = np.random.default_rng(0)
    table = np.where(rng.random((40, 6)) < 0.4, -1, rng.integers(0, 4, (40, 6)))
    theirs = krippendorff.alpha(np.where(table < 0, np.nan, table).T, level_of_measurement=level)
    assert krippendorff_alpha(table, level) == pytest.approx(theirs)


def test_interval_is_of_the_ids_of_the_classes():
    table = [[0, 1], [1, 1], [2, 1], [2, 2]]
    ids = np.array([1.0, 2.0, 10.0])
    rated = krippendorff_alpha(ids[table], "interval")
    assert krippendorff_alpha(
        Annotations.from_dense(table, classes=[1, 2, 10]), "interval"
    ) == pytest.approx(rated)
    with pytest.raises(ValueError, match=r"needs numbers.*\['a', 'b', 'c'\]"):
        krippendorff_alpha(Annotations.from_dense(table, classes=list("abc")), "interval")
    with pytest.raises(ValueError, match="`level` must be one of nominal, ordinal, interval"):
        krippendorff_alpha(table, "ratio")


def test_alpha_of_nothing_to_compare_is_nan():
    assert np.isnan(krippendorff_alpha([[0, -1], [-1, 1]]))
    assert np.isnan(krippendorff_alpha([[1, 1], [1, 1]]))


@given(tables)
@few_examples
def test_pairwise_agreement_is_that_of_loops(table):
    found = pairwise_agreement(table)
    for r, s in np.ndindex(found.common.shape):
        both = (table[:, r] >= 0) & (table[:, s] >= 0)
        if r == s:
            assert found.common[r, s] == 0
            assert np.isnan(found.agreement[r, s])
            continue
        assert found.common[r, s] == both.sum()
        share = np.mean(table[both, r] == table[both, s]) if both.any() else np.nan
        np.testing.assert_allclose(found.agreement[r, s], share)


@given(tables)
@few_examples
def test_entropy_and_classes_used_are_those_of_loops(table):
    for i, nats in enumerate(answer_entropy(table)):
        p = np.bincount(table[i][table[i] >= 0], minlength=4) / max(np.sum(table[i] >= 0), 1)
        expected = -sum(q * np.log(q) for q in p if q) if p.any() else np.nan
        np.testing.assert_allclose(nats, expected, atol=1e-12)
    used = [len(set(column[column >= 0].tolist())) for column in table.T]
    assert num_classes_used(table).tolist() == used


def test_statistics_tell_who_does_not_look():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 60)
    table = np.stack([truth, truth, np.ones(60, int), np.full(60, -1)], axis=1)
    table[:4] = -1
    table[4, :] = [-1, -1, -1, 2]
    found = answer_statistics(Annotations.from_dense(table, annotators=["a", "b", "lazy", "once"]))
    assert found.one_class.tolist() == ["lazy"]
    assert answer_statistics(table, min_answers=1).one_class.tolist() == [2, 3]
    assert found.coverage == pytest.approx(56 / 60)
    assert found.density == pytest.approx((3 * 55 + 1) / 240)
    assert found.disputed == pytest.approx(np.mean(truth[5:] != 1))
    assert found.alpha == pytest.approx(krippendorff_alpha(table))
    assert "93.3 % of the items answered, 0 to 3 answers per item" in repr(found)
    assert np.isnan(answer_statistics([[0, -1], [-1, 1]]).disputed)
    with pytest.raises(ValueError, match="`min_answers` must be a positive integer"):
        answer_statistics(table, min_answers=0)


def test_ratings_are_compared_as_numbers_unless_told_otherwise():
    ratings = [[1.0, 1.1, np.nan], [5.0, 5.2, 4.9], [9.0, np.nan, 8.8]]
    alpha = krippendorff_alpha(ratings)
    assert alpha == krippendorff_alpha(ratings, "interval") > 0.9
    assert krippendorff_alpha(ratings, "nominal") < 0.1
    grades = [[0, 1, -1], [1, 2, 2]]
    assert krippendorff_alpha(grades) == krippendorff_alpha(grades, "nominal")


def test_statistics_of_ratings_take_each_number_for_a_class():
    ratings = np.array([[1.5, 1.5, 1.5], [2.0, 1.5, 3.0], [np.nan, 1.5, 2.0], [np.nan] * 3])
    codes = np.where(np.isnan(ratings), -1, np.searchsorted([1.5, 2.0, 3.0], ratings))
    ours, theirs = (answer_statistics(a, min_answers=3) for a in (ratings, codes))
    assert ours.alpha == krippendorff_alpha(ratings) != theirs.alpha
    for name in ("coverage", "density", "answers_per_item", "entropy", "disputed", "one_class"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
    assert ours.one_class.tolist() == [1]
    with pytest.raises(ValueError, match="`level` must be one of"):
        answer_statistics(ratings, "rank")
