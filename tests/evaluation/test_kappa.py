"""Cohen's and Fleiss' kappa: other packages, loops, and limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_crowd.annotations import Annotations
from keras_crowd.evaluation import cohen_kappa, fleiss_kappa

few_examples = settings(max_examples=40, deadline=None, database=None)
tables = hnp.arrays(
    np.int32, st.tuples(st.integers(1, 7), st.integers(1, 4)), elements=st.integers(-1, 3)
).filter(lambda table: np.any(table >= 0))
WEIGHTS = [None, "linear", "quadratic"]


def answers_of(counts):
    """A table of answers with such counts, annotators in no order."""
    return np.stack([np.repeat(np.arange(counts.shape[1]), row) for row in counts])


@pytest.mark.parametrize("weights", WEIGHTS)
def test_cohen_is_that_of_scikit_learn(weights):
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 60)
    table = np.where(rng.random((60, 4)) < 0.6, truth[:, None], rng.integers(0, 4, (60, 4)))
    table[rng.random(table.shape) < 0.3] = -1
    found = cohen_kappa(Annotations.from_dense(table, classes=4), weights)
    for r in range(4):
        for s in range(4):
            both = (table[:, r] >= 0) & (table[:, s] >= 0)
            if r != s:
                expected = cohen_kappa_score(
                    table[both, r], table[both, s], labels=range(4), weights=weights
                )
                assert found[r, s] == pytest.approx(expected)
    assert np.isnan(np.diag(found)).all()


def test_fleiss_is_that_of_statsmodels():
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater", reason="needs statsmodels")
    counts = np.random.default_rng(1).multinomial(5, [0.5, 0.3, 0.2], 30)
    assert fleiss_kappa(answers_of(counts)) == pytest.approx(inter_rater.fleiss_kappa(counts))


def cohen_by_loops(table, r, s, weights):
    pairs = [(a, b) for a, b in table[:, [r, s]].tolist() if a >= 0 and b >= 0]

    def w(a, b):
        return {None: float(a != b), "linear": abs(a - b), "quadratic": (a - b) ** 2}[weights]

    observed = sum(w(a, b) for a, b in pairs) * len(pairs)
    expected = sum(w(a, b) for a, _ in pairs for _, b in pairs)
    return 1 - observed / expected if expected else np.nan


@pytest.mark.parametrize("weights", WEIGHTS)
@given(table=tables)
@few_examples
def test_cohen_by_loops(weights, table):
    found = cohen_kappa(Annotations.from_dense(table, classes=4), weights)
    size = table.shape[1]
    expected = [
        [np.nan if r == s else cohen_by_loops(table, r, s, weights) for s in range(size)]
        for r in range(size)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def fleiss_by_loops(table):
    units = [[y for y in row if y >= 0] for row in table.tolist()]
    units = [unit for unit in units if len(unit) > 1]
    if not units:
        return np.nan
    pairs = [
        np.mean([a == b for i, a in enumerate(unit) for j, b in enumerate(unit) if i != j])
        for unit in units
    ]
    values = [y for unit in units for y in unit]
    expected = sum((values.count(y) / len(values)) ** 2 for y in {*values})
    return (np.mean(pairs) - expected) / (1 - expected) if len({*values}) > 1 else np.nan


@given(table=tables)
@few_examples
def test_fleiss_by_loops(table):
    np.testing.assert_allclose(fleiss_kappa(table), fleiss_by_loops(table), atol=1e-12)


def test_limits():
    table = np.array([[0, 0], [1, 1], [2, 2]])
    for weights in WEIGHTS:
        assert cohen_kappa(table, weights)[0, 1] == 1
    assert fleiss_kappa(table) == 1
    assert cohen_kappa([[0, 1], [1, 0]])[0, 1] == -1
    assert np.isnan(cohen_kappa([[0, 0], [0, 0]])).all()  # the same answer only: chance agrees always
    assert np.isnan(fleiss_kappa(Annotations.from_dense([[0, 0], [0, 0]], classes=3)))
    assert np.isnan(fleiss_kappa([[0, -1], [-1, 1]]))
    assert np.isnan(cohen_kappa([[0, -1], [-1, 1]])).all()
    rng = np.random.default_rng(2)
    chance = rng.integers(0, 3, (20_000, 3))
    assert abs(fleiss_kappa(chance)) < 0.02
    assert np.nanmax(np.abs(cohen_kappa(chance))) < 0.03


def test_weights_follow_the_order_of_the_classes():
    said = [["low", "mid"], ["low", "low"], ["high", "high"], ["mid", "high"], ["mid", "mid"]]
    item, annotator = np.indices((5, 2)).reshape(2, -1)
    answers = np.array(said).ravel()
    in_order = Annotations.from_coo(item, annotator, answers, classes=["low", "mid", "high"])
    by_name = Annotations.from_coo(item, annotator, answers)
    assert cohen_kappa(in_order, "linear")[0, 1] > cohen_kappa(by_name, "linear")[0, 1]
    assert cohen_kappa(in_order)[0, 1] == pytest.approx(cohen_kappa(by_name)[0, 1])


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"`weights` must be None or one of linear, quadratic. Received"):
        cohen_kappa([[0, 1]], "cubic")
    for call in (cohen_kappa, fleiss_kappa):
        with pytest.raises(ValueError, match="Received"):
            call([[0.5, 1.5]])
