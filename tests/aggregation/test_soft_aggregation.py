"""Soft answers without Keras: against loops, equal to hard ones where they are one-hot, and at their limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from references_soft import counts, dawid_skene, held_out_nats, posterior, vote_shares

from keras_crowd import aggregation, evaluation, warm_start
from keras_crowd.annotations import Annotations

few_examples = settings(max_examples=15, deadline=None, database=None)
K, R = 3, 4
tables = hnp.arrays(
    np.int32, st.tuples(st.integers(3, 6), st.just(R)), elements=st.integers(-1, K - 1)
).filter(lambda table: (np.sum(table >= 0, axis=1) > 1).any())


def soft_table(items=9, seed=0, missing=0.3):
    """Distributions, some of them missing and some certain."""
    rng = np.random.default_rng(seed)
    table = rng.dirichlet(np.full(K, 0.5), (items, R))
    table[0] = np.eye(K)[rng.integers(0, K, R)]
    table[rng.random((items, R)) < missing] = 0
    table[-1] = 0
    return Annotations.from_dense(table).dense().astype(float)


def one_hot(table):
    return Annotations.from_dense((table[..., None] == np.arange(K)).astype(float))


def confusions(seed=1):
    return np.random.default_rng(seed).dirichlet(np.ones(K), (R, K))


def probabilities(items, seed=2):
    return np.random.default_rng(seed).dirichlet(np.ones(K), items)


def test_dawid_skene_is_that_of_the_loops():
    table = soft_table()
    ours = aggregation.dawid_skene(table, confusion="full", iterations=6, tolerance=0.0)
    q, confusion, prior, objectives = dawid_skene(table, 6)
    assert_allclose(ours.posterior, q, atol=1e-6)
    assert_allclose(ours.confusion, confusion, atol=1e-6)
    assert_allclose(ours.class_prior, prior, atol=1e-6)
    assert_allclose(ours.log_likelihood, objectives, rtol=1e-6)


@pytest.mark.parametrize("kind", ["full", "class_wise", "one_coin"])
def test_the_objective_of_dawid_skene_never_falls(kind):
    for seed in range(5):
        found = aggregation.dawid_skene(soft_table(20, seed), confusion=kind, iterations=30)
        assert np.all(np.diff(found.log_likelihood) > -1e-9)


def test_sums_over_the_answers_are_those_of_the_loops():
    table = soft_table()
    annotations = Annotations.from_dense(table)
    f, a = probabilities(len(table)), confusions()
    assert_allclose(aggregation.majority_vote(table, soft=True), vote_shares(table), atol=1e-6)
    assert_allclose(aggregation.posterior(table, f, a), posterior(table, f, a)[0], atol=1e-6)
    weights = (column[annotations.item_index] for column in f.T)
    assert_allclose(aggregation.expected_counts(annotations, weights), counts(table, f), atol=1e-6)


def test_held_out_answers_are_those_of_the_loops():
    kept, held_out = Annotations.from_dense(soft_table(20)).split(0.3)
    f, a = probabilities(20), confusions()
    ours = aggregation.held_out_cross_entropy(held_out, kept, f, a)
    assert_allclose(ours, held_out_nats(held_out.dense(), kept.dense(), f, a), rtol=1e-6)


def results(answers, hard):
    """All that takes soft answers, of hard ones or the same as distributions."""
    items = hard.num_items
    f, a, labels = probabilities(items), confusions(), hard.dense().max(axis=1)
    ds = aggregation.dawid_skene(answers, iterations=5)
    held_out, kept = answers.split(0.5)
    table = aggregation.annotator_table(answers, f)
    return {
        "vote": aggregation.majority_vote(answers),
        "vote, ties missing": aggregation.majority_vote(answers, ties="missing"),
        "vote, soft": aggregation.majority_vote(answers, soft=True),
        **ds._asdict(),
        "posterior": aggregation.posterior(answers, f, a),
        "held out": aggregation.held_out_cross_entropy(held_out, kept, f, a),
        "agreement": aggregation.agreement(answers, labels),
        "prior": aggregation.annotator_class_prior(answers, f),
        **{name: column for name, column in table.items() if name != "annotator"},
        **aggregation.label_table(answers, f),
        "from_dawid_skene": warm_start.from_dawid_skene(answers),
        "from_votes": warm_start.from_votes(answers),
        "from_labels": warm_start.from_labels(answers, f),
        "alignment": evaluation.classifier_alignment(f, answers),
        "entropy": evaluation.answer_entropy(answers),
        "classes used": evaluation.num_classes_used(answers),
    }


@given(table=tables)
@few_examples
def test_one_hot_answers_are_hard_answers(table):
    hard = Annotations.from_dense(table, classes=K)
    soft = results(one_hot(table), hard)
    for name, value in results(hard, hard).items():
        assert_array_equal(soft[name], value, err_msg=name)


def test_answers_that_say_nothing_leave_what_was_known():
    symmetric = warm_start.from_accuracy([0.9, 0.6], K)
    f = probabilities(5)
    flat = np.full((5, 2, K), 1 / K)
    assert_allclose(aggregation.posterior(flat, f, symmetric), f, atol=1e-6)
    assert aggregation.majority_vote(flat, ties="missing").tolist() == [-1] * 5
    assert_allclose(evaluation.answer_entropy(flat), np.log(K), rtol=1e-6)


def test_half_an_answer_each_is_the_mean_of_the_log_likelihoods():
    a = confusions()[:1]
    f = np.full((3, K), 1 / K)
    rows = np.array([[[1, 0, 0]], [[0, 1, 0]], [[0.5, 0.5, 0]]], float)
    q = np.log(aggregation.posterior(rows, f, a))
    between = (q[0] + q[1]) / 2
    assert_allclose(np.exp(q[2]), np.exp(between) / np.exp(between).sum(), rtol=1e-6)


def test_ties_of_rounded_probabilities_are_ties():
    rows = [
        [[0.5, 0.2, 0.3], [0.1, 0.4, 0.5]],
        [[0.2, 0.6, 0.2], [0.5, 0.1, 0.4]],
    ]  # .7 is .6 + .1 in float32
    assert aggregation.majority_vote(rows, ties="missing").tolist() == [2, -1]
    assert aggregation.majority_vote(rows).tolist() == [2, 0]


def test_a_permutation_is_found_by_the_probabilities_of_the_answers():
    truth = np.arange(60) % K
    answers = np.full((60, 2, K), 0.1)
    answers[np.arange(60), :, truth] = 0.8
    f = np.eye(K)[truth][:, [2, 0, 1]]
    assert evaluation.classifier_alignment(f, answers).tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    "function",
    [evaluation.krippendorff_alpha, evaluation.pairwise_agreement, evaluation.answer_statistics],
)
def test_what_takes_hard_answers_says_how_to_get_them(function):
    soft = Annotations.from_dense(soft_table())
    with pytest.raises(ValueError, match=r"takes hard answers: give `annotations\.hard\(\)`.*soft"):
        function(soft)
    function(soft.hard())


@pytest.mark.parametrize("function", [aggregation.mean_rating, aggregation.raykar])
def test_ratings_are_no_distributions(function):
    for soft in (soft_table(), Annotations.from_dense(soft_table())):
        with pytest.raises(ValueError, match=r"must be.*numbers"):
            function(soft)


def test_the_number_of_classes_is_that_of_the_distributions():
    with pytest.raises(ValueError, match="2"):
        aggregation.dawid_skene(soft_table(), num_classes=2)
