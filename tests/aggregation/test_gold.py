"""Dawid-Skene with gold labels and with weights of annotators; the posterior with such weights."""

import numpy as np
import pandas as pd
import pytest
import references_aggregation as references
from numpy.testing import assert_allclose, assert_array_equal

from keras_crowd import Annotations
from keras_crowd.aggregation import dawid_skene, majority_vote, posterior

KINDS = ["hierarchical", "full", "class_wise", "one_coin"]


def simulate(num_items, accuracy, num_classes=3, seed=0):
    """True classes, and answers of annotators who are right so often, their errors even."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(num_classes, size=num_items)
    wrong = (truth[:, None] + rng.integers(1, num_classes, (num_items, len(accuracy)))) % num_classes
    return truth, np.where(rng.random(wrong.shape) < accuracy, truth[:, None], wrong)


@pytest.fixture(scope="module")
def problem():
    """Some answers missing; of the gold items, one that nobody answered."""
    truth, table = simulate(30, [0.8, 0.5, 0.4, 0.4, 0.7], seed=1)
    table[np.random.default_rng(2).random(table.shape) < 0.3] = -1
    table[[3, 20]] = -1
    return table, np.where(np.arange(30) < 8, truth, -1)


# --- gold ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("confusion", KINDS)
def test_gold_labels_are_those_of_the_loops(problem, confusion):
    table, gold = problem
    given = {"strength": 0.5, "confusion": confusion}
    found = dawid_skene(table, 3, gold=gold, iterations=3, tolerance=-1, **given)
    q, matrices, prior, objective = references.dawid_skene(table, 3, 3, gold=gold, **given)
    assert_allclose(found.posterior, q, rtol=0, atol=1e-10)
    assert_allclose(found.confusion, matrices, rtol=0, atol=1e-10)
    assert_allclose(found.class_prior, prior, rtol=0, atol=1e-10)
    assert_allclose(found.log_likelihood, objective, rtol=1e-12)
    assert_array_equal(found.posterior[:8], np.eye(3)[gold[:8]])


@pytest.mark.parametrize("confusion", ["full", "class_wise", "one_coin"])
def test_the_objective_never_falls_with_gold_labels_and_weights(problem, confusion):
    table, gold = problem
    weights = [0.2, 1.0, 3.0, 0.5, 1.0]
    found = dawid_skene(
        table, 3, gold=gold, annotator_weights=weights, confusion=confusion, iterations=20, tolerance=-1
    )
    assert np.all(np.diff(found.log_likelihood) >= -1e-10)


def test_no_gold_label_known_is_no_gold(problem):
    table, gold = problem
    found, without = dawid_skene(table, gold=np.full_like(gold, -1)), dawid_skene(table)
    for one, other in zip(found, without, strict=True):
        assert_array_equal(one, other)


def test_gold_labels_of_all_items_give_the_counts():
    truth, table = simulate(50, [0.9, 0.4])
    found = dawid_skene(table, 3, gold=truth, confusion="full", strength=1e-9)
    for r in range(2):
        for k in range(3):
            counts = np.bincount(table[truth == k, r], minlength=3)
            assert_allclose(found.confusion[r, k], counts / counts.sum(), atol=1e-8)


def test_a_few_gold_labels_tell_the_two_optima_apart():
    """Most annotators prefer the wrong answer: answers alone have the classes exchanged, a few gold labels do not."""
    truth, table = simulate(300, [0.8, 0.8, 0.8, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2], num_classes=2, seed=3)
    gold = np.where(np.arange(300) < 20, truth, -1)
    alone, found = (dawid_skene(table, gold=known).labels[20:] for known in (None, gold))
    assert np.mean(alone == truth[20:]) < 0.05
    assert np.mean(found == truth[20:]) > 0.95


def test_gold_labels_may_be_names_and_follow_the_index(problem):
    table, gold = problem
    names = np.array(["cat", "cow", "dog"])
    item, annotator = np.nonzero(table >= 0)
    annotations = Annotations.from_coo(
        [f"i{i:02d}" for i in item],
        annotator,
        names[table[item, annotator]],
        items=[f"i{i:02d}" for i in range(30)],
    )
    known = pd.Series([names[k] if k >= 0 else None for k in gold], [f"i{i:02d}" for i in range(30)])
    found = dawid_skene(annotations, gold=known[::-1])
    assert_array_equal(found.posterior, dawid_skene(table, 3, gold=gold).posterior)


@pytest.mark.parametrize(
    ("gold", "message"),
    [
        ([0, 1], r"`gold` must be class codes of shape \(30,\), -1 where unknown. Received: shape \(2,\)"),
        (np.full(30, 3), "`gold` must be class codes 0 to 2, -1 where unknown. Received: 3"),
        (np.full(30, 0.5), "`gold` must be class codes .* dtype float64"),
    ],
)
def test_gold_labels_that_are_none_are_refused(problem, gold, message):
    with pytest.raises(ValueError, match=message):
        dawid_skene(problem[0], 3, gold=gold)


# --- weights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("confusion", KINDS)
def test_an_annotator_with_the_weight_two_is_two(problem, confusion):
    table, gold = problem
    given = {"gold": gold, "confusion": confusion, "iterations": 6, "tolerance": -1}
    weighted = dawid_skene(table, 3, annotator_weights=[1, 2, 1, 1, 3], **given)
    repeated = dawid_skene(table[:, [0, 1, 1, 2, 3, 4, 4, 4]], 3, **given)
    assert_allclose(weighted.posterior, repeated.posterior, atol=1e-10)
    assert_allclose(weighted.confusion, repeated.confusion[[0, 1, 3, 4, 5]], atol=1e-10)
    assert_allclose(weighted.log_likelihood, repeated.log_likelihood, rtol=1e-10)


def test_twenty_copies_of_a_twentieth_are_one():
    _, table = simulate(200, [0.7] * 5, seed=5)
    copied = np.concatenate([table, np.repeat(table[:, :1], 19, axis=1)], axis=1)
    weights = np.where(np.isin(np.arange(24), [1, 2, 3, 4]), 1, 1 / 20)
    one, many = dawid_skene(table), dawid_skene(copied, annotator_weights=weights)
    assert_allclose(many.posterior, one.posterior, atol=1e-10)
    assert (
        np.mean(dawid_skene(copied).labels == table[:, 0]) > 0.99
    )  # without weights the copies are the truth
    assert np.mean(one.labels == table[:, 0]) < 0.9


def test_the_posterior_weighs_annotators(problem):
    table, _ = problem
    found = dawid_skene(table, 3)
    f = np.random.default_rng(0).dirichlet(np.ones(3), len(table))
    weighted = posterior(table, f, found.confusion, annotator_weights=[1, 2, 1, 1, 3])
    rows = [0, 1, 1, 2, 3, 4, 4, 4]
    assert_allclose(weighted, posterior(table[:, rows], f, found.confusion[rows]), atol=1e-12)
    even = posterior(table, f, found.confusion, annotator_weights=np.ones(5))
    assert_array_equal(even, posterior(table, f, found.confusion))


def test_a_weight_of_almost_nothing_leaves_an_annotator_out():
    truth, table = simulate(80, [0.8, 0.8, 0.8, 0.1], seed=6)
    found = dawid_skene(table, 3, annotator_weights=[1, 1, 1, 1e-9])
    assert_allclose(found.posterior, dawid_skene(table[:, :3], 3).posterior, atol=1e-6)
    assert np.mean(found.labels == truth) > np.mean(majority_vote(table) == truth) - 0.05


@pytest.mark.parametrize(
    "weights", [[1, 2], [1, 1, 1, 1, 0], [1, 1, 1, 1, -1], [1, 1, 1, 1, np.nan], "many"]
)
def test_weights_that_are_none_are_refused(problem, weights):
    table, _ = problem
    with pytest.raises(ValueError, match="`annotator_weights` must be"):
        dawid_skene(table, 3, annotator_weights=weights)
    with pytest.raises(ValueError, match="`annotator_weights` must be"):
        posterior(table, np.full((30, 3), 1 / 3), np.full((5, 3, 3), 1 / 3), annotator_weights=weights)
