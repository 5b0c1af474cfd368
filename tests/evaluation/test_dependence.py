"""Which annotators err together, against loops, simulation and limits; weights of annotators."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_crowd import Annotations
from keras_crowd.aggregation import dawid_skene
from keras_crowd.evaluation import annotator_dependence
from keras_crowd.selection import annotator_weights


def confusions(rng, size, num_classes, right=0.5):
    noise = rng.dirichlet(np.ones(num_classes), (size, num_classes))
    return right * np.eye(num_classes) + (1 - right) * noise


def answer(rng, truth, confusion):
    """Independent answers `(items, annotators)` drawn from the confusions."""
    cumulative = confusion[:, truth].cumsum(axis=-1)  # (annotators, items, classes)
    return (rng.random(cumulative.shape[:2])[..., None] > cumulative).sum(axis=-1).T


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    a = confusions(rng, 4, 3)
    table = answer(rng, rng.integers(3, size=25), a)
    table[rng.random(table.shape) < 0.3] = -1
    table[:, 3] = np.where(table[:, 2] >= 0, -1, table[:, 3])  # these two have no common items
    return table, rng.dirichlet(np.ones(3), 25), a


def moments(table, q, a, r, s):
    """Sum, norms, variance and third moment of a pair by loops over items, classes and answers."""
    excess = first = second = variance = third = 0.0
    for i, row in enumerate(table):
        if row[r] < 0 or row[s] < 0:
            continue
        for k in range(len(q[i])):
            one, other = np.eye(len(q[i]))[row[r]] - a[r, k], np.eye(len(q[i]))[row[s]] - a[s, k]
            excess += q[i, k] * (one @ other)
            first += q[i, k] * (one @ one)
            second += q[i, k] * (other @ other)
            for y, z in itertools.product(range(len(q[i])), repeat=2):
                product = (np.eye(3)[y] - a[r, k]) @ (np.eye(3)[z] - a[s, k])
                chance = q[i, k] * a[r, k, y] * a[s, k, z]
                variance += chance * product**2
                third += chance * product**3
    return excess, first, second, variance, third


def test_correlations_and_probabilities_are_those_of_the_loops(problem):
    stats = pytest.importorskip("scipy.stats")
    table, q, a = problem
    found = annotator_dependence(table, q, a)
    for r, s in itertools.permutations(range(4), 2):
        common = np.sum((table[:, r] >= 0) & (table[:, s] >= 0))
        assert found.common[r, s] == common
        if common == 0:
            assert np.isnan(found.correlation[r, s])
            assert np.isnan(found.p_value[r, s])
            continue
        excess, first, second, variance, third = moments(table, q, a, r, s)
        assert_allclose(found.correlation[r, s], excess / np.sqrt(first * second), rtol=1e-10)
        skewness = third / variance**1.5
        if skewness > 0.01:
            expected = stats.pearson3.sf(excess / np.sqrt(variance), skewness)
            assert_allclose(found.p_value[r, s], expected, atol=0.01)
    assert np.isnan(np.diagonal(found.correlation)).all()


def test_independent_pairs_are_called_dependent_as_rarely_as_asked():
    """At true posteriors and confusions, with rare errors too; p-values below .05 and .01 are as many."""
    rng = np.random.default_rng(1)
    a = confusions(rng, 40, 3, right=np.linspace(0.2, 0.95, 40)[:, None, None])
    truth = rng.integers(3, size=300)
    likelihood = np.ones((300, 3))
    table = answer(rng, truth, a)
    for r in range(40):
        likelihood *= a[r][:, table[:, r]].T
    q = likelihood / likelihood.sum(axis=1, keepdims=True)
    found = annotator_dependence(table, q, a, false_discovery_rate=0.001)
    p = found.p_value[np.triu_indices(40, 1)]
    for level in (0.5, 0.05, 0.01):
        spread = np.sqrt(level * (1 - level) / len(p))
        assert abs(np.mean(p < level) - level) < 4 * spread
    assert found.dependent.sum() == 0
    assert len(set(found.groups)) == 40
    assert_array_equal(found.annotator_weights, np.ones(40))


def test_the_false_discoveries_are_those_of_benjamini_and_hochberg(problem):
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(3)
    truth = rng.integers(3, size=60)
    a = confusions(rng, 12, 3)
    table = answer(rng, truth, a)
    follow = rng.random(60) < 0.5
    table[follow, 6:] = table[follow, :1]
    found = annotator_dependence(table, np.eye(3)[truth], a, false_discovery_rate=0.1)
    upper = np.triu_indices(12, 1)
    adjusted = stats.false_discovery_control(found.p_value[upper])
    assert_array_equal(found.dependent[upper], adjusted <= 0.1)
    assert 0 < found.dependent.sum() < 132
    assert_array_equal(found.dependent, found.dependent.T)


def test_groups_are_recovered():
    rng = np.random.default_rng(4)
    truth = rng.integers(2, size=500)
    leaders = answer(rng, truth, confusions(rng, 3, 2, right=0.6))
    members = np.repeat(leaders, [5, 3, 1], axis=1)
    slip = rng.random(members.shape) < 0.1
    table = np.where(slip, rng.integers(2, size=members.shape), members)
    counted = dawid_skene(table, gold=truth)
    found = annotator_dependence(table, np.eye(2)[truth], counted.confusion)
    assert_array_equal(found.groups, np.repeat([0, 1, 2], [5, 3, 1]))
    count = [np.sum(found.annotator_weights[found.groups == group]) for group in range(3)]
    assert 1 <= min(count) <= max(count) < 1.5  # each group counts for little more than one annotator


def test_annotations_give_the_same(problem):
    table, q, a = problem
    item, annotator = np.nonzero(table >= 0)
    annotations = Annotations.from_coo(
        item, annotator, table[item, annotator], items=range(25), classes=range(3)
    )
    for one, other in zip(
        annotator_dependence(annotations, q, a), annotator_dependence(table, q, a), strict=True
    ):
        assert_array_equal(one, other)


def test_copies_change_the_labels_no_more_than_one_does():
    changed = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        truth = rng.integers(3, size=300)
        accuracy = rng.uniform(0.5, 0.8, (8, 1, 1))
        single = answer(rng, truth, (1.5 * accuracy - 0.5) * np.eye(3) + (1 - accuracy) / 2)
        copied = np.concatenate([single, np.repeat(single[:, :1], 19, axis=1)], axis=1)
        weights = annotator_weights(copied)
        assert_allclose(weights[[0, *range(8, 27)]], 1 / 20, rtol=1e-6)
        alone = dawid_skene(single, annotator_weights=annotator_weights(single)).labels
        changed.append(np.mean(dawid_skene(copied, annotator_weights=weights).labels != alone))
        assert np.mean(dawid_skene(copied).labels == truth) < np.mean(alone == truth) - 0.1
    assert max(changed) <= 0.01


def test_independent_annotators_keep_the_weight_one():
    rng = np.random.default_rng(5)
    table = answer(rng, rng.integers(4, size=300), confusions(rng, 12, 4, right=0.4))
    table[rng.random(table.shape) < 0.5] = -1
    assert_array_equal(annotator_weights(table), np.ones(12))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"posterior": np.full((24, 3), 1 / 3)}, "`posterior` must have 25 rows and 3 columns"),
        ({"posterior": np.full((25, 3), 0.5)}, "`posterior` must have rows that sum to 1"),
        ({"confusion": np.full((3, 3, 3), 1 / 3)}, r"`confusion` must be .*\(4, 3, 3\)"),
        ({"false_discovery_rate": 0}, "`false_discovery_rate` must be a number above 0 and below 1"),
    ],
)
def test_what_does_not_fit_is_refused(problem, arguments, message):
    table, q, a = problem
    given = {"answers": table, "posterior": q, "confusion": a, **arguments}
    with pytest.raises(ValueError, match=message):
        annotator_dependence(**given)


def test_soft_answers_are_refused(problem):
    soft = np.full((4, 2, 2), 0.5)
    with pytest.raises(ValueError, match="takes hard answers"):
        annotator_dependence(soft, np.full((4, 2), 0.5), np.full((2, 2, 2), 0.5))
    with pytest.raises(ValueError, match="takes hard answers"):
        annotator_weights(soft)
