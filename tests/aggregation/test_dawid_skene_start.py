"""Dawid-Skene that goes on from an earlier result, and posteriors that take new answers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_crowd.aggregation import dawid_skene, posterior
from keras_crowd.annotations import Annotations

CONVERGED = {"tolerance": -1, "iterations": 800}


@pytest.fixture(scope="module")
def answers():
    """Earlier answers, and all: later ones are of new items and of a new annotator as well."""
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=300)
    right = rng.random((300, 7)) < [0.9, 0.8, 0.7, 0.7, 0.6, 0.5, 0.8]
    table = np.where(right, truth[:, None], (truth[:, None] + rng.integers(1, 3, (300, 7))) % 3)
    table[rng.random(table.shape) < 0.4] = -1
    earlier = np.where(np.arange(300)[:, None] < 285, table, -1)[:, :6]
    return (
        Annotations.from_dense(earlier[:285], classes=3),
        Annotations.from_dense(table, classes=3),
    )


@pytest.mark.parametrize("confusion", ["hierarchical", "full", "one_coin"])
def test_the_same_labels_from_an_earlier_result(answers, confusion):
    earlier, later = answers
    start = dawid_skene(earlier, confusion=confusion)
    found = dawid_skene(later, confusion=confusion, start=start, **CONVERGED)
    expected = dawid_skene(later, confusion=confusion, **CONVERGED)
    assert_allclose(found.posterior, expected.posterior, rtol=0, atol=1e-6)
    assert_array_equal(found.labels, expected.labels)


def test_goes_on_from_its_own_end_at_once(answers):
    _, later = answers
    end = dawid_skene(later, **CONVERGED)
    again = dawid_skene(later, start=end)
    assert len(again.log_likelihood) == 2
    assert_allclose(again.confusion, end.confusion, atol=1e-6)


def test_one_step_is_the_posterior_and_its_counts(answers):
    """Later annotators start as the mean of the earlier ones."""
    earlier, later = answers
    start = dawid_skene(earlier, confusion="full")
    matrices = np.concatenate([start.confusion, start.confusion.mean(axis=0, keepdims=True)])
    prior = np.tile(start.class_prior, (later.num_items, 1))
    q = posterior(later, prior, matrices)
    counts = np.full(matrices.shape, 0.01)
    for i, r, l in zip(later.item_index, later.annotator_index, later.answers, strict=True):
        counts[r, :, l] += q[i]
    found = dawid_skene(later, confusion="full", start=start, iterations=1)
    assert_allclose(found.confusion, counts / counts.sum(axis=2, keepdims=True))


def test_posteriors_take_new_answers_alone():
    rng = np.random.default_rng(0)
    table = rng.integers(3, size=(20, 4))
    f, matrices = rng.dirichlet(np.ones(3), 20), rng.dirichlet(np.ones(3), (4, 3))
    old, new = (np.where(np.arange(4) % 2 == part, table, -1) for part in (0, 1))
    updated = posterior(new, posterior(old, f, matrices), matrices)
    assert_allclose(updated, posterior(table, f, matrices))


def test_other_classes_or_fewer_annotators_are_refused(answers):
    earlier, later = answers
    with pytest.raises(ValueError, match=r"`start` must be a result for at most 6 annotators and for 3"):
        dawid_skene(earlier, start=dawid_skene(later))
    other = Annotations.from_dense(earlier.dense(), classes=4)
    with pytest.raises(ValueError, match=r"Received: start.confusion of shape \(6, 3, 3\)"):
        dawid_skene(other, start=dawid_skene(earlier))
