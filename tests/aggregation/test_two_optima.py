"""Two explanations of the answers about equally likely: the warning, and gold labels that decide."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import keras_crowd as kc
from keras_crowd.aggregation import _two_optima

dawid_skene = kc.aggregation.dawid_skene


def panel(seed, camp=20, sure=0.6, num_items=400):
    """Ten annotators who know, and a camp that follows something else; members of either err together."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=num_items)
    other = np.where(rng.random(num_items) < 0.5, 1 - truth, truth)
    answers = []
    for size, right, followed in ((10, 0.8, truth), (camp, sure, other)):
        own = np.where(rng.random(num_items) < right, followed, rng.integers(2, size=num_items))
        mine = rng.random((size, num_items)) < right
        mine = np.where(mine, followed, rng.integers(2, size=(size, num_items)))
        answers.append(np.where(rng.random((size, num_items)) < 0.3, own, mine))
    return np.concatenate(answers).T, truth


def accuracy(found, truth):
    return np.mean(found.labels == truth)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_camp_that_is_likelier_is_warned_of_and_gold_labels_decide(seed):
    answers, truth = panel(seed, camp=24)
    with pytest.warns(RuntimeWarning, match=r"Two solutions .* about 2[0-4] items drawn at random"):
        found = dawid_skene(answers)
    assert accuracy(found, truth) < 0.6
    gold = np.where(np.arange(400) < 20, truth, -1)
    assert accuracy(dawid_skene(answers, gold=gold), truth) > 0.95  # without a warning
    gold = np.where(np.arange(400) < 2, truth, -1)
    with pytest.warns(RuntimeWarning, match="Two solutions"):
        dawid_skene(answers, gold=gold)


@pytest.mark.filterwarnings("ignore:Two solutions")
def test_likelier_end_that_the_votes_do_not_lead_to_is_returned():
    answers, truth = panel(1, camp=14)
    one, both = (dawid_skene(answers, check_optima=check) for check in (False, True))
    assert both.log_likelihood[-1] > one.log_likelihood[-1] + 10
    assert accuracy(one, truth) < 0.6
    assert accuracy(both, truth) > 0.95


@pytest.mark.parametrize("num_classes", [2, 4])
@pytest.mark.parametrize("kept", [0.2, 1.0])
def test_independent_annotators_are_not_warned_of(num_classes, kept):
    rng = np.random.default_rng(0)
    truth = rng.integers(num_classes, size=300)
    right = rng.random((300, 20)) < rng.uniform(0.55, 0.85, 20)
    answers = np.where(right, truth[:, None], rng.integers(num_classes, size=(300, 20)))
    answers[rng.random((300, 20)) >= kept] = -1
    assert_array_equal(dawid_skene(answers).posterior, dawid_skene(answers, check_optima=False).posterior)


def test_soft_answers_have_the_second_start_of_hard_ones():
    answers, _ = panel(0)
    found = dawid_skene(answers, check_optima=False)
    hard, soft = (
        _two_optima.second_start(kc.Annotations.from_dense(of), found.posterior, found.confusion)
        for of in (answers, np.eye(2)[answers])
    )
    np.testing.assert_allclose(soft, hard)


def test_camps_are_those_of_the_first_eigenvector():
    """Against the eigenvalues of a dense matrix."""
    answers, _ = panel(0, num_items=60)
    found = dawid_skene(answers, check_optima=False)
    residual = np.eye(2)[answers] - np.einsum("ik,rkl->irl", found.posterior, found.confusion)
    residual /= np.sqrt(np.sum(residual**2, axis=(0, 2)))[:, None]
    values, vectors = np.linalg.eigh(np.einsum("irl,isl->rs", residual, residual))
    annotations = kc.Annotations.from_dense(answers)
    direction, largest = _two_optima._common_departure(annotations, found.posterior, found.confusion)
    assert largest == pytest.approx(values[-1], rel=0.01)
    assert abs(direction @ vectors[:, -1]) == pytest.approx(np.linalg.norm(direction), rel=0.01)


def test_differing_items_are_those_that_no_exchange_of_classes_explains():
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=200)
    others = np.where(rng.random(200) < 0.2, rng.integers(3, size=200), np.array([2, 0, 1])[labels])
    least = min(np.mean(np.array(order)[labels] != others) for order in itertools.permutations(range(3)))
    assert _two_optima.differing(labels, others) == pytest.approx(least)


@pytest.mark.parametrize("how", [{"check_optima": False}, {"iterations": 3, "start": None}])
def test_no_second_solution_where_it_is_not_looked_for(how, monkeypatch):
    answers, _ = panel(1)
    monkeypatch.setattr("keras_crowd.aggregation._dawid_skene.MOST_NUMBERS", 1000)
    dawid_skene(answers, **how)
    dawid_skene(answers, start=dawid_skene(answers, **how))


def test_check_that_is_no_bool_is_refused():
    with pytest.raises(ValueError, match=r"`check_optima` must be a bool\. Received: check_optima=1"):
        dawid_skene([[0, 1]], check_optima=1)
