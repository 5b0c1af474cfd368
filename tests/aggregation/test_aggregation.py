"""Majority vote and Dawid-Skene against loops, limits and symmetries."""

import numpy as np
import pytest
import references_aggregation as references
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from keras_crowd.aggregation import annotator_accuracy, annotator_class_prior, dawid_skene, majority_vote
from keras_crowd.annotations import Annotations

NUM_CLASSES = 4

tables = hnp.arrays(
    np.int32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7),
    elements=st.integers(-1, NUM_CLASSES - 1),
).filter(lambda table: np.any(table >= 0))

# A run of random examples that leaves nothing on disk and does not fail a busy machine.
random_examples = settings(max_examples=40, deadline=None, database=None)


def simulate(num_items, confusion, seed, answered=1.0):
    """True classes, and answers drawn from the confusions; each is given with probability `answered`."""
    rng = np.random.default_rng(seed)
    num_annotators, num_classes, _ = confusion.shape
    truth = rng.integers(0, num_classes, num_items)
    table = np.full((num_items, num_annotators), -1)
    for i in range(num_items):
        for r in range(num_annotators):
            if rng.random() < answered:
                table[i, r] = rng.choice(num_classes, p=confusion[r, truth[i]])
    return truth, table


def random_confusion(num_annotators, num_classes, diagonal, seed):
    """Rows drawn at random, with at least `diagonal` on the true class."""
    rows = np.random.default_rng(seed).dirichlet(np.ones(num_classes), (num_annotators, num_classes))
    return diagonal * np.eye(num_classes) + (1 - diagonal) * rows


@pytest.fixture(scope="module")
def problem():
    """40 items, 6 annotators, 3 classes; an item nobody answered, an annotator with one answer."""
    _, table = simulate(40, random_confusion(6, 3, 0.5, seed=1), seed=2, answered=0.6)
    table[7] = -1
    table[:, 4] = -1
    table[0, 4] = 2
    return table


# --- majority vote ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ties", ["lowest", "missing"])
@given(table=tables)
@random_examples
def test_majority_vote_is_that_of_the_loops(ties, table):
    winners = majority_vote(table, NUM_CLASSES, ties=ties)
    assert winners.dtype == np.int32
    assert_array_equal(winners, references.majority_vote(table, NUM_CLASSES, ties))


@given(table=tables)
@random_examples
def test_soft_majority_vote_is_that_of_the_loops(table):
    shares = majority_vote(table, NUM_CLASSES, soft=True)
    assert shares.dtype == np.float32
    assert_allclose(shares, references.vote_shares(table, NUM_CLASSES), rtol=1e-6)


@given(table=tables, seed=st.integers(0, 100))
@random_examples
def test_random_ties_choose_among_the_tied_and_nothing_else(table, seed):
    winners = majority_vote(table, NUM_CLASSES, ties="random", seed=seed)
    for row, winner in zip(table, winners, strict=True):
        votes = [np.sum(row == k) for k in range(NUM_CLASSES)]
        assert votes[winner] == max(votes) if max(votes) else winner == -1


def test_random_ties_are_unbiased_over_items():
    table = np.tile([3, 1, 0, -1], (9000, 1))
    counts = np.bincount(majority_vote(table, ties="random", seed=0), minlength=4)
    assert_allclose(counts, [3000, 3000, 0, 3000], atol=5 * np.sqrt(9000 * 2 / 9))


def test_random_ties_are_unbiased_over_seeds():
    winners = [majority_vote([[0, 1]], ties="random", seed=seed)[0] for seed in range(1000)]
    assert_allclose(np.mean(winners), 0.5, atol=5 * 0.5 / np.sqrt(1000))


def test_random_ties_follow_the_seed():
    table = np.tile([0, 1, 2], (200, 1))
    first, again, other = (majority_vote(table, ties="random", seed=seed) for seed in (5, 5, 6))
    assert_array_equal(first, again)
    assert np.any(first != other)


def test_an_item_nobody_answered_has_no_majority():
    table = [[1, 0, 1], [-1, -1, -1]]
    for ties in ("lowest", "random", "missing"):
        assert_array_equal(majority_vote(table, ties=ties), [1, -1])
    assert_allclose(majority_vote(table, soft=True), [[1 / 3, 2 / 3], [0, 0]], rtol=1e-6)


def test_a_last_class_nobody_gave_is_counted_when_told():
    assert majority_vote([[0, 1]], soft=True).shape == (1, 2)
    assert_allclose(majority_vote([[0, 1]], 4, soft=True), [[0.5, 0.5, 0, 0]])


def test_majority_vote_reads_annotations():
    annotations = Annotations.from_coo([1, 1, 1, 0], ["a", "b", "c", "a"], ["cat", "dog", "dog", "cat"])
    assert_array_equal(majority_vote(annotations), [0, 1])
    assert_array_equal(majority_vote(annotations, 2), [0, 1])


# --- Dawid-Skene against the loops -----------------------------------------------------------------


def assert_agrees_with_loops(table, num_classes, iterations, confusion="full", **strengths):
    strengths["confusion"] = confusion
    found = dawid_skene(table, num_classes, iterations=iterations, tolerance=-1, **strengths)
    posterior, confusion, prior, objective = references.dawid_skene(
        table, num_classes, iterations, **strengths
    )
    assert_allclose(found.posterior, posterior, rtol=0, atol=1e-10)
    assert_allclose(found.confusion, confusion, rtol=0, atol=1e-10)
    assert_allclose(found.class_prior, prior, rtol=0, atol=1e-10)
    assert_allclose(found.log_likelihood, objective, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("iterations", [1, 2, 5])
@pytest.mark.parametrize(
    "strengths",
    [{}, {"strength": 1.0, "class_strength": 0.3}, {"strength": 1e-6, "class_strength": 5.0}],
)
def test_dawid_skene_is_that_of_the_loops(problem, iterations, strengths):
    assert_agrees_with_loops(problem, 3, iterations, **strengths)


@pytest.mark.parametrize("shape", [(6, 3, 3), (3, 3), (6, 1, 1), (1, 3, 1), (3,)])
def test_pseudocounts_may_differ_by_annotator_true_class_and_answer(problem, shape):
    strength = np.random.default_rng(0).uniform(0.1, 5, shape)
    assert_agrees_with_loops(problem, 3, 3, strength=strength)


@given(
    table=tables,
    strength=st.sampled_from([0.01, 1.0]),
    iterations=st.integers(1, 4),
    confusion=st.sampled_from(["full", "class_wise", "one_coin"]),
)
@random_examples
def test_dawid_skene_is_that_of_the_loops_on_any_table(table, strength, iterations, confusion):
    assert_agrees_with_loops(table, NUM_CLASSES, iterations, strength=strength, confusion=confusion)


@given(table=tables, strength=st.sampled_from([0.5, 10.0]), iterations=st.integers(1, 4))
@random_examples
def test_hierarchical_confusions_are_those_of_the_loops_on_any_table(table, strength, iterations):
    assert_agrees_with_loops(
        table, NUM_CLASSES, iterations, "hierarchical", strength=strength, class_strength=1.0
    )


def test_hierarchical_confusions_are_the_default(problem):
    posterior, *_ = references.dawid_skene(problem, 3, 3, 10.0, 0.01, "hierarchical")
    found = dawid_skene(problem, iterations=3, tolerance=-1)
    assert_allclose(found.posterior, posterior, rtol=0, atol=1e-10)


def test_hierarchical_confusions_go_from_full_to_one_coin(problem):
    """By their strength: nothing imagined is a matrix of one's own, nothing but what is imagined is a coin."""
    settings = {"class_strength": 1.0, "iterations": 1, "tolerance": -1}
    full = dawid_skene(problem, confusion="full", strength=1e-9, **settings).confusion
    seen = full.min(axis=-1) < 0.3  # a row without answers is flat in one, a coin in the other
    assert_allclose(dawid_skene(problem, strength=1e-9, **settings).confusion[seen], full[seen], atol=1e-7)
    coins = dawid_skene(problem, strength=1e9).confusion
    right = np.diagonal(coins, axis1=1, axis2=2)
    assert_allclose(right, np.repeat(right[:, :1], 3, axis=1), atol=1e-6)
    wrong = coins[:, ~np.eye(3, dtype=bool)]
    assert_allclose(wrong, np.repeat((1 - right[:, :1]) / 2, 6, axis=1), atol=1e-6)


def test_few_answers_each_are_no_worse_than_the_majority():
    """Two answers an item in ten classes: a matrix per annotator is below the vote, a hierarchical one is not."""
    rng = np.random.default_rng(0)
    accuracy = rng.uniform(0.3, 0.95, 60)
    confusion = np.array([np.where(np.eye(10, dtype=bool), a, (1 - a) / 9) for a in accuracy])
    truth, table = simulate(800, confusion, seed=1, answered=2 / 60)
    labels = {kind: dawid_skene(table, 10, confusion=kind).labels for kind in ("hierarchical", "full")}
    right = {kind: np.mean(found == truth) for kind, found in labels.items()}
    vote = np.mean(majority_vote(table, 10, ties="random", seed=0) == truth)
    assert right["full"] < vote < right["hierarchical"] - 0.03


def test_poor_annotators_do_not_make_one_class_take_over():
    """Most prefer some answers whatever they see: an unchecked class prior follows them, round by round."""
    rng = np.random.default_rng(0)
    preferred = rng.dirichlet(np.full(10, 0.3), 24)
    poor = 0.3 * np.eye(10) + 0.7 * preferred[:, None, :]
    confusion = np.concatenate([np.tile(0.9 * np.eye(10) + 0.01, (6, 1, 1)), poor])
    confusion /= confusion.sum(axis=-1, keepdims=True)
    truth, table = simulate(1300, confusion, seed=1, answered=2 / 30)
    found = dawid_skene(table, 10)
    vote = majority_vote(table, 10, ties="random", seed=0)
    assert np.mean(found.labels == truth) > np.mean(vote == truth)
    assert found.class_prior.max() < 0.3


def test_one_answer_per_item_tells_nothing_but_itself():
    answers = np.random.default_rng(0).integers(0, 5, 300)
    table = np.full((300, 4), -1)
    table[np.arange(300), np.arange(300) % 4] = answers
    assert_array_equal(dawid_skene(table).labels, answers)


# --- Dawid-Skene: what must always hold ------------------------------------------------------------


@given(
    table=tables,
    strength=st.sampled_from([1e-6, 0.01, 1.0, 20.0]),
    confusion=st.sampled_from(["full", "class_wise", "one_coin"]),
)
@random_examples
def test_the_objective_never_falls(table, strength, confusion):
    found = dawid_skene(
        table,
        NUM_CLASSES,
        strength=strength,
        confusion=confusion,
        iterations=25,
        tolerance=-1,
    )
    assert len(found.log_likelihood) == 25
    assert np.all(np.diff(found.log_likelihood) >= -1e-12 * np.abs(found.log_likelihood[1:]) - 1e-12)


@given(table=tables)
@random_examples
def test_what_dawid_skene_returns_are_distributions(table):
    found = dawid_skene(table, NUM_CLASSES)
    assert found.posterior.shape == (len(table), NUM_CLASSES)
    assert found.confusion.shape == (table.shape[1], NUM_CLASSES, NUM_CLASSES)
    for array in (found.posterior, found.confusion, found.class_prior):
        assert array.dtype == np.float64
        assert np.all(array >= 0)
        assert_allclose(array.sum(axis=-1), 1, rtol=1e-10)


def test_an_item_nobody_answered_has_the_class_prior(problem):
    found = dawid_skene(problem)
    assert_allclose(found.posterior[7], found.class_prior, rtol=1e-12)


def test_an_item_nobody_answered_changes_nothing_else(problem):
    found, without = dawid_skene(problem), dawid_skene(np.delete(problem, 7, axis=0))
    assert_allclose(found.confusion, without.confusion, rtol=1e-10)
    assert_allclose(found.class_prior, without.class_prior, rtol=1e-10)
    assert_allclose(found.log_likelihood, without.log_likelihood, rtol=1e-12)


def test_an_annotator_without_answers_keeps_the_prior_confusion(problem):
    table = np.insert(problem, 2, -1, axis=1)
    prior = np.array([[8, 1, 1], [1, 3, 1], [1, 2, 1]])
    assert_allclose(
        dawid_skene(table, confusion="full", strength=prior).confusion[2],
        prior / prior.sum(1, keepdims=True),
    )


def test_a_class_nobody_gave_stays_improbable(problem):
    found = dawid_skene(problem, 4, confusion="full")
    assert found.class_prior[3] < 0.001
    answered_often = np.sum(problem >= 0, axis=0) > 10
    assert np.all(found.confusion[answered_often, :3, 3] < 0.01)


@pytest.mark.parametrize("permutation", [[1, 2, 0], [2, 1, 0]])
def test_renaming_the_classes_renames_the_result(problem, permutation):
    permutation = np.array(permutation)
    renamed = dawid_skene(np.where(problem < 0, -1, np.argsort(permutation)[problem]))
    found = dawid_skene(problem)
    assert_allclose(renamed.posterior, found.posterior[:, permutation], atol=1e-8)
    assert_allclose(renamed.confusion, found.confusion[:, permutation][:, :, permutation], atol=1e-8)
    assert_allclose(renamed.class_prior, found.class_prior[permutation], atol=1e-8)


def test_permuting_items_and_annotators_permutes_the_result(problem):
    rng = np.random.default_rng(0)
    items, annotators = rng.permutation(40), rng.permutation(6)
    permuted, found = dawid_skene(problem[items][:, annotators]), dawid_skene(problem)
    assert_allclose(permuted.posterior, found.posterior[items], atol=1e-8)
    assert_allclose(permuted.confusion, found.confusion[annotators], atol=1e-8)


def test_dense_and_annotations_give_the_same(problem):
    names = [f"item {i:02d}" for i in range(40)]
    item, annotator = np.nonzero(problem >= 0)
    annotations = Annotations.from_coo(
        [names[i] for i in item], annotator, problem[item, annotator], items=names, classes=range(3)
    )
    for ours, theirs in zip(dawid_skene(problem), dawid_skene(annotations), strict=True):
        assert_array_equal(ours, theirs)


# --- Dawid-Skene: when it stops --------------------------------------------------------------------


def test_dawid_skene_stops_at_the_first_rise_below_the_tolerance(problem):
    found = dawid_skene(problem, tolerance=1e-4, iterations=1000)
    rises = np.diff(found.log_likelihood) / np.sum(problem >= 0)
    assert found.converged
    assert rises[-1] < 1e-4
    assert np.all(rises[:-1] >= 1e-4)


def test_dawid_skene_says_when_it_ran_out_of_iterations(problem):
    found = dawid_skene(problem, tolerance=1e-12, iterations=3)
    assert found.converged is False
    assert len(found.log_likelihood) == 3


# --- Dawid-Skene: does it find the truth -----------------------------------------------------------


def test_simulated_annotators_are_recovered():
    confusion = random_confusion(15, 3, 0.4, seed=3)
    truth, table = simulate(1500, confusion, seed=4, answered=0.8)
    found = dawid_skene(table)
    assert found.labels.dtype == np.int32
    best, _ = references.posterior(table, np.full(3, 1 / 3), confusion)
    assert np.mean(found.labels == truth) > np.mean(best.argmax(axis=1) == truth) - 0.01
    assert np.mean(np.abs(found.confusion - confusion)) < 0.02
    assert np.max(np.abs(found.confusion - confusion)) < 0.1
    assert_allclose(found.class_prior, np.bincount(truth) / 1500, atol=0.02)


def test_dawid_skene_beats_the_majority_when_most_annotators_guess():
    guessers = np.full((8, 3, 3), 1 / 3)
    experts = np.tile(0.9 * np.eye(3) + 0.1 / 3, (3, 1, 1))
    truth, table = simulate(600, np.concatenate([guessers, experts]), seed=5)
    ours, votes = np.mean(dawid_skene(table).labels == truth), np.mean(majority_vote(table) == truth)
    assert ours > 0.95
    assert votes < 0.9


def test_perfect_annotators_have_the_identity():
    truth = np.array([0, 1, 2, 2, 1, 0, 2, 2])
    found = dawid_skene(np.tile(truth[:, None], (1, 4)), strength=1e-9, class_strength=1e-9)
    assert_array_equal(found.labels, truth)
    assert_allclose(found.posterior, np.eye(3)[truth], atol=1e-8)
    assert_allclose(found.confusion, np.tile(np.eye(3), (4, 1, 1)), atol=1e-8)
    assert_allclose(found.class_prior, [2 / 8, 2 / 8, 4 / 8], atol=1e-8)


def test_a_huge_pseudocount_leaves_the_prior_confusion(problem):
    confusion = random_confusion(6, 3, 0.3, seed=6)
    assert_allclose(
        dawid_skene(problem, confusion="full", strength=1e9 * confusion).confusion, confusion, atol=1e-6
    )


def test_a_huge_class_strength_leaves_the_classes_alike(problem):
    assert_allclose(dawid_skene(problem, class_strength=1e9).class_prior, np.full(3, 1 / 3), atol=1e-6)


def test_thousands_of_answers_to_an_item_do_not_underflow():
    truth, table = simulate(4, np.tile(0.3 * np.eye(4) + 0.7 / 4, (2000, 1, 1)), seed=7)
    found = dawid_skene(table, 4, strength=1.0, iterations=5)
    smallest = found.confusion[np.arange(2000), truth[0], table[0]].prod()
    assert smallest == 0, "without logarithms there would be nothing left to normalize"
    assert_allclose(found.posterior.sum(axis=1), 1, rtol=1e-12)
    assert_array_equal(found.labels, majority_vote(table))
    assert np.all(np.isfinite(found.log_likelihood))


# --- annotator accuracy ----------------------------------------------------------------------------


def test_accuracy_without_a_prior_counts_all_classes_alike():
    confusion = random_confusion(5, 3, 0.2, seed=8)
    expected = [sum(confusion[r, k, k] for k in range(3)) / 3 for r in range(5)]
    assert_allclose(annotator_accuracy(confusion), expected, rtol=1e-12)


@pytest.mark.parametrize("prior", [[0.7, 0.2, 0.1], [7, 2, 1]])
def test_accuracy_with_a_prior_weighs_the_classes(prior):
    confusion = random_confusion(5, 3, 0.2, seed=9)
    expected = [0.7 * a[0, 0] + 0.2 * a[1, 1] + 0.1 * a[2, 2] for a in confusion]
    assert_allclose(annotator_accuracy(confusion, prior), expected, rtol=1e-12)


# --- what is refused -------------------------------------------------------------------------------

REFUSED = [
    ([[0.0, 1.0]], {}, r"`answers` must be .*integers.*Received: floats of shape \(1, 2\)"),
    ([0, 1], {}, r"Received: shape \(2,\)"),
    ([[-1, -1]], {}, "at least one answer. Received: none, or all missing"),
    ([[0, 5]], {"num_classes": 3}, "class codes 0 to 2, or -1 for missing. Received: 5"),
    ([[0, -2]], {}, "class codes 0 to 0, or -1 for missing. Received: -2"),
    (Annotations.from_dense([[0.5, 1.5]]), {}, r"`answers` must be of one class each. Received: numeric"),
    (Annotations.from_dense([[0, 1]]), {"num_classes": 3}, "which have 2. Received: num_classes=3"),
]


@pytest.mark.parametrize("aggregate", [majority_vote, dawid_skene])
@pytest.mark.parametrize(("answers", "arguments", "message"), REFUSED)
def test_wrong_answers_are_refused(aggregate, answers, arguments, message):
    with pytest.raises(ValueError, match=message):
        aggregate(answers, **arguments)


def test_an_unknown_rule_for_ties_is_refused():
    with pytest.raises(ValueError, match=r'"lowest", "random" or "missing". Received: ties=\'first\''):
        majority_vote([[0, 1]], ties="first")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"strength": 0, "confusion": "full"},
            "`strength` must be positive and finite. Received: strength=0",
        ),
        ({"strength": [0.5, -1.0], "confusion": "full"}, "`strength` must be positive"),
        (
            {"strength": np.inf, "confusion": "full"},
            "`strength` must be positive and finite. Received: strength=inf",
        ),
        (
            {"strength": np.nan, "confusion": "full"},
            "`strength` must be positive and finite. Received: strength=nan",
        ),
        (
            {"strength": np.ones((4, 2)), "confusion": "full"},
            r"answer\) = \(3, 2, 2\). Received: ndarray of shape \(4, 2\)",
        ),
        ({"strength": np.ones((2, 2))}, r"`strength` must be one number .*Received: shape \(2, 2\)"),
        ({"strength": -1.0}, "`strength` must be a number above 0, finite. Received: strength=-1.0"),
        ({"class_strength": 0}, "`class_strength` must be a number above 0"),
        ({"class_strength": np.inf}, "`class_strength` must be a number above 0"),
        (
            {"confusion": "coin"},
            r"`confusion` must be one of 'hierarchical', .* Received: confusion='coin'",
        ),
        ({"iterations": 0}, "`iterations` must be a positive integer. Received: iterations=0"),
    ],
)
def test_wrong_settings_of_dawid_skene_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        dawid_skene([[0, 1, 1], [1, 1, 0]], **arguments)


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 4)])
def test_accuracy_of_what_is_no_confusion_is_refused(shape):
    with pytest.raises(ValueError, match=r"\(annotators, true, answer\). Received: shape"):
        annotator_accuracy(np.ones(shape))


def test_accuracy_with_a_prior_over_other_classes_is_refused():
    with pytest.raises(
        ValueError, match=r"`class_prior` must have shape \(3,\) or \(5, 3\). Received: shape \(2,\)"
    ):
        annotator_accuracy(np.full((5, 3, 3), 1 / 3), [0.5, 0.5])


def test_class_prior_of_an_annotator_is_the_mean_over_the_items_it_answered():
    rng = np.random.default_rng(0)
    answers = np.where(rng.random((30, 4)) < 0.4, rng.integers(0, 3, (30, 4)), -1)
    answers[:, 2] = -1
    probabilities = rng.dirichlet(np.ones(3), 30)
    prior = annotator_class_prior(Annotations.from_dense(answers, classes=3), probabilities)
    for r in (0, 1, 3):
        np.testing.assert_allclose(prior[r], probabilities[answers[:, r] >= 0].mean(axis=0))
    np.testing.assert_allclose(prior[2], probabilities.mean(axis=0))


def test_accuracy_is_weighed_by_what_each_annotator_saw():
    confusion = np.array([np.diag([1.0, 0.5]) + [[0, 0], [0.5, 0]]] * 2)
    accuracy = annotator_accuracy(confusion, np.array([[1.0, 0.0], [0.2, 0.8]]))
    np.testing.assert_allclose(accuracy, [1.0, 0.6])


def test_class_prior_needs_a_row_an_item():
    with pytest.raises(
        ValueError, match=r"`probabilities` must have 2 rows and 2 columns. Received: shape \(3, 2\)"
    ):
        annotator_class_prior(Annotations.from_dense([[0], [1]]), np.full((3, 2), 0.5))


def test_class_prior_refuses_logits():
    with pytest.raises(ValueError, match=r"`probabilities` must be probabilities, .* Received: -1.0"):
        annotator_class_prior(np.array([[0], [1]]), np.array([[2.0, -1.0], [0.0, 3.0]]))
