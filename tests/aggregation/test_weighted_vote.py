"""A vote with weights from gold labels: against optimizers and integrals, symmetries, and simulated panels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_crowd.aggregation import _weighted_vote as internals
from keras_crowd.aggregation import dawid_skene, majority_vote, weighted_vote
from keras_crowd.annotations import as_annotations
from keras_crowd.evaluation import calibration_error


@pytest.fixture(scope="module")
def panel():
    """Nine judges of one family with common errors, and four others who are better; 600 pairs."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=600)
    shared = rng.random((600, 1)) < 0.45
    family = shared ^ (rng.random((600, 9)) < 0.15)
    others = rng.random((600, 4)) < 0.2
    return truth, truth[:, None] ^ np.concatenate([family, others], axis=1)


def gold_of(truth, count):
    return np.where(np.arange(len(truth)) < count, truth, -1)


def log_joint(weights, features, labels, prior):
    total = -0.5 * weights @ np.linalg.solve(prior, weights)
    for row, label in zip(features, labels, strict=True):
        logits = [sum(weights[r] * answer[r] for r in range(len(weights))) for answer in row]
        total += logits[label] - np.log(np.sum(np.exp(logits)))
    return total


def test_the_mode_is_that_of_an_optimizer():
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(1)
    features, labels = rng.dirichlet(np.ones(3), (12, 4)).transpose(0, 2, 1), rng.integers(3, size=12)
    prior = 0.5 * np.eye(4) + 0.3
    found = internals._fit(features, labels, prior)
    best = optimize.minimize(lambda b: -log_joint(b, features, labels, prior), np.zeros(4), tol=1e-10)
    assert_allclose(found.mean, best.x, atol=1e-4)


def test_evidence_and_probabilities_are_near_the_integrals():
    rng = np.random.default_rng(2)
    features = rng.dirichlet(np.ones(2), (8, 1)).transpose(0, 2, 1)  # one annotator, soft answers
    labels, prior = rng.integers(2, size=8), np.array([[2.0]])
    grid = np.linspace(-10, 10, 401)
    density = np.exp([log_joint(np.array([b]), features, labels, prior) for b in grid])
    density /= np.sqrt(2 * np.pi * 2.0)
    found = internals._fit(features, labels, prior)
    assert_allclose(found.log_evidence, np.log(np.trapezoid(density, grid)), atol=0.05)
    q = np.exp(features[:, 1] * grid) / np.exp(features * grid).sum(axis=1)
    expected = np.trapezoid(q * density, grid, axis=1) / np.trapezoid(density, grid)
    assert_allclose(internals._predict(features, found)[:, 1], expected, atol=0.01)


def test_a_few_gold_labels_beat_the_vote_and_what_takes_judges_for_independent(panel):
    truth, answers = panel
    gold, rest = gold_of(truth, 50), slice(50, None)
    found = weighted_vote(answers, gold)
    right = np.mean(found.labels[rest] == truth[rest])
    independent = dawid_skene(answers, gold=gold)
    assert right > np.mean(majority_vote(answers)[rest] == truth[rest]) + 0.1
    assert right > np.mean(independent.labels[rest] == truth[rest]) + 0.1
    errors = [calibration_error(truth[rest], of.posterior[rest]) for of in (found, independent)]
    assert errors[0] < 0.1 < 0.3 < errors[1]
    assert found.weights[9:].mean() > 3 * found.weights[:9].mean()


def test_gold_items_keep_their_label_and_unanswered_ones_are_open(panel):
    truth, answers = panel
    answers = answers[:80].astype(int)
    answers[70] = -1
    found = weighted_vote(answers, gold_of(truth[:80], 20))
    assert_array_equal(found.posterior[:20], np.eye(2)[truth[:20]])
    assert_allclose(found.posterior[70], 0.5)
    assert_allclose(found.posterior.sum(axis=1), 1)


def test_the_order_of_annotators_and_the_names_of_classes_do_not_matter(panel):
    truth, answers = panel
    truth, answers = truth[:100], answers[:100].astype(int)
    gold = gold_of(truth, 30)
    order = np.random.default_rng(0).permutation(13)
    found = weighted_vote(answers, gold)
    moved = weighted_vote(answers[:, order], gold)
    assert_allclose(moved.posterior, found.posterior, atol=1e-6)
    assert_allclose(moved.weights, found.weights[order], atol=1e-5)
    renamed = weighted_vote(1 - answers, np.where(gold < 0, -1, 1 - gold))
    assert_allclose(renamed.posterior, found.posterior[:, ::-1], atol=1e-6)


def test_one_hot_soft_answers_are_hard_ones(panel):
    truth, answers = panel
    answers, gold = answers[:60].astype(int), gold_of(truth[:60], 20)
    hard, soft = weighted_vote(answers, gold), weighted_vote(np.eye(2)[answers], gold)
    assert_allclose(soft.posterior, hard.posterior, atol=1e-8)


def test_several_classes_and_missing_answers():
    rng = np.random.default_rng(3)
    truth = rng.integers(4, size=300)
    right = rng.random((300, 8)) < np.linspace(0.2, 0.8, 8)
    answers = np.where(right, truth[:, None], rng.integers(4, size=(300, 8)))
    answers[rng.random((300, 8)) < 0.3] = -1
    found = weighted_vote(answers, gold_of(truth, 60), 4)
    vote = majority_vote(answers, 4, ties="random", seed=0)
    assert np.mean(found.labels[60:] == truth[60:]) > np.mean(vote[60:] == truth[60:]) + 0.01
    assert np.corrcoef(found.weights, np.arange(8))[0, 1] > 0.9


def test_hardly_any_gold_leaves_the_majority_vote():
    rng = np.random.default_rng(4)
    truth = rng.integers(2, size=200)
    answers = truth[:, None] ^ (rng.random((200, 7)) < 0.2)
    found = weighted_vote(answers, gold_of(truth, 2))
    assert np.mean(found.labels[2:] == majority_vote(answers)[2:]) > 0.95


def test_features_are_the_answers():
    table = np.array([[0, -1], [2, 1]])
    features = internals._features(as_annotations(table))
    for i, r in np.ndindex(2, 2):
        expected = np.zeros(3) if table[i, r] < 0 else np.eye(3)[table[i, r]]
        assert_array_equal(features[i, :, r], expected)


def test_gold_is_needed():
    with pytest.raises(ValueError, match="`gold` must have a label of an item with answers"):
        weighted_vote([[0, 1], [-1, -1]], [-1, 1])
