"""Starts for confusions against loops, and what they do with few answers, good annotators and none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from keras_crowd.aggregation import dawid_skene, majority_vote
from keras_crowd.annotations import Annotations
from keras_crowd.warm_start import from_accuracy, from_dawid_skene, from_labels, from_votes

NUM_CLASSES = 4

tables = hnp.arrays(
    np.int32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6),
    elements=st.integers(-1, NUM_CLASSES - 1),
).filter(lambda table: (table >= 0).sum(axis=1).max() >= 2)

# A run of random examples that leaves nothing on disk and does not fail a busy machine.
random_examples = settings(max_examples=30, deadline=None, database=None)


# --- slow oracles ----------------------------------------------------------------------------------


def loop_counts_of_votes(table, num_classes):
    counts = np.zeros((len(table[0]), num_classes, num_classes))
    for row in table:
        for r, answer in enumerate(row):
            others = [other for s, other in enumerate(row) if s != r and other >= 0]
            if answer >= 0:
                for other in others:
                    counts[r, other, answer] += 1 / len(others)
    return counts


def loop_counts_of_labels(table, labels, num_classes):
    counts = np.zeros((len(table[0]), num_classes, num_classes))
    for row, label in zip(table, labels, strict=True):
        for r, answer in enumerate(row):
            if answer >= 0 and label >= 0:
                counts[r, label, answer] += 1
    return counts


def loop_shrunk(counts, strength):
    num_annotators, num_classes, _ = counts.shape
    right = sum(counts[r, k, k] for r in range(num_annotators) for k in range(num_classes))
    accuracy = right / counts.sum()
    population = np.zeros((num_classes, num_classes))
    for k in range(num_classes):
        for l in range(num_classes):
            prior = accuracy if k == l else (1 - accuracy) / (num_classes - 1)
            population[k, l] = sum(counts[r, k, l] for r in range(num_annotators)) + strength * prior
        population[k] /= population[k].sum()
    confusion = np.zeros_like(counts)
    for r in range(num_annotators):
        for k in range(num_classes):
            row = [counts[r, k, l] + strength * population[k, l] for l in range(num_classes)]
            confusion[r, k] = [0.999 * entry / sum(row) + 0.001 / num_classes for entry in row]
    return confusion


def assert_is_a_start(confusion):
    assert confusion.dtype == np.float64
    assert confusion.ndim == 3
    assert np.all(confusion > 0)
    assert_allclose(confusion.sum(axis=-1), 1, rtol=1e-12)


def from_vote(answers, num_classes=None, **kwargs):
    """`from_labels` of the majority vote, ties left out."""
    return from_labels(answers, majority_vote(answers, num_classes, ties="missing"), num_classes, **kwargs)


STARTS = [from_votes, from_dawid_skene, from_vote]


def simulate(accuracy, num_items=300, num_classes=3, seed=0, answered=1.0):
    """True classes and the answers of annotators with these accuracies and even errors."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, num_classes, num_items)
    shape = (num_items, len(accuracy))
    wrong = (truth[:, None] + rng.integers(1, num_classes, shape)) % num_classes
    table = np.where(rng.random(shape) < accuracy, truth[:, None], wrong)
    return truth, np.where(rng.random(shape) < answered, table, -1)


# --- votes -----------------------------------------------------------------------------------------


@given(table=tables, strength=st.sampled_from([0.01, 1.0, 10.0]))
@random_examples
def test_from_votes_is_that_of_the_loops(table, strength):
    confusion = from_votes(table, NUM_CLASSES, strength=strength)
    assert_is_a_start(confusion)
    expected = loop_shrunk(loop_counts_of_votes(table, NUM_CLASSES), strength)
    assert_allclose(confusion, expected, rtol=1e-10)


def test_perfect_annotators_start_near_the_diagonal():
    _, table = simulate(np.ones(4), answered=0.7)
    diagonal = np.diagonal(from_votes(table), axis1=1, axis2=2)
    assert np.all(diagonal > 0.999)


def test_nobody_is_judged_by_their_own_vote():
    """Two annotators who never agree: each would be half right with the own vote counted."""
    table = np.tile([[0, 1], [1, 0]], (50, 1))
    assert np.all(np.diagonal(from_votes(table), axis1=1, axis2=2) < 0.001)


def test_a_spammer_among_good_annotators_is_seen():
    _, table = simulate([0.9, 0.9, 0.9, 0.9, 1 / 3], num_items=500)
    diagonal = np.diagonal(from_votes(table), axis1=1, axis2=2).mean(axis=1)
    assert np.all(diagonal[:4] > 0.65)
    assert diagonal[4] < 0.45


def test_items_with_a_single_answer_say_nothing():
    _, table = simulate([0.8, 0.7, 0.6], num_items=40)
    single = np.full((30, 3), -1)
    single[:, 1] = 2
    assert_array_equal(from_votes(np.concatenate([table, single])), from_votes(table))


def test_an_annotator_who_shares_no_item_starts_as_the_population():
    _, table = simulate([0.8, 0.7, 0.6, 0.9], num_items=40)
    table[:, 3] = -1
    alone = np.array([[-1, -1, -1, 2], [-1, -1, -1, 0]])
    with_alone = from_votes(np.concatenate([table, alone]))
    assert_array_equal(with_alone[:3], from_votes(table)[:3])
    assert_array_equal(with_alone[3], from_votes(table)[3])


# --- Dawid-Skene -----------------------------------------------------------------------------------


@given(table=tables, strength=st.sampled_from([0.01, 1.0, 10.0]))
@random_examples
def test_from_dawid_skene_is_that_of_the_aggregation_with_a_floor(table, strength):
    confusion = from_dawid_skene(table, NUM_CLASSES, strength=strength)
    assert_is_a_start(confusion)
    found = dawid_skene(table, NUM_CLASSES, strength=strength).confusion
    assert_allclose(confusion, 0.999 * found + 0.001 / NUM_CLASSES, rtol=1e-10)


def test_from_full_dawid_skene_is_from_its_posterior():
    _, table = simulate([0.9, 0.8, 0.5, 0.4], num_items=60)
    posterior = dawid_skene(table, confusion="full", strength=0.1).posterior
    assert_array_equal(from_dawid_skene(table, confusion="full"), from_labels(table, posterior))
    assert np.any(from_dawid_skene(table, confusion="full") != from_dawid_skene(table))


def test_with_many_answers_it_is_near_the_true_confusions():
    accuracy = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    _, table = simulate(accuracy, num_items=3000)
    diagonal = np.diagonal(from_dawid_skene(table), axis1=1, axis2=2)
    assert_allclose(diagonal, np.tile(accuracy[:, None], 3), atol=0.06)


# --- labels ----------------------------------------------------------------------------------------


@given(table=tables, strength=st.sampled_from([0.01, 1.0, 10.0]), seed=st.integers(0, 9))
@random_examples
def test_from_labels_is_that_of_the_loops(table, strength, seed):
    labels = np.random.default_rng(seed).integers(-1, NUM_CLASSES, len(table))
    labels[(table >= 0).any(axis=1).argmax()] = 0  # one answered item has a label
    confusion = from_labels(table, labels, NUM_CLASSES, strength=strength)
    assert_is_a_start(confusion)
    expected = loop_shrunk(loop_counts_of_labels(table, labels, NUM_CLASSES), strength)
    assert_allclose(confusion, expected, rtol=1e-10)


def test_from_labels_takes_probabilities():
    labels = np.array([0, 1, 1, 2, 0])
    table = np.random.default_rng(0).integers(-1, 3, (5, 4))
    assert_array_equal(from_labels(table, np.eye(3)[labels], 3), from_labels(table, labels, 3))
    halves = (np.eye(3)[labels] + 1 / 3) / 2
    assert from_labels(table, halves, 3).max() < from_labels(table, labels, 3).max()
    with pytest.raises(ValueError, match="must have 5 rows and 3 columns"):
        from_labels(table, np.ones((5, 2)) / 2, 3)


def test_against_gold_it_is_near_the_true_confusions():
    accuracy = np.array([0.9, 0.7, 0.5])
    truth, table = simulate(accuracy, num_items=3000)
    diagonal = np.diagonal(from_labels(table, truth), axis1=1, axis2=2)
    assert_allclose(diagonal, np.tile(accuracy[:, None], 3), atol=0.06)


def test_items_without_a_label_say_nothing():
    truth, table = simulate([0.8, 0.7, 0.6], num_items=60)
    labels = np.where(np.arange(60) < 40, truth, -1)
    assert_array_equal(from_labels(table, labels), from_labels(table[:40], truth[:40]))


def test_an_annotator_of_unlabeled_items_starts_as_the_population():
    truth, table = simulate([0.8, 0.7, 0.6, 0.9], num_items=60)
    table[:40, 3] = -1
    labels = np.where(np.arange(60) < 40, truth, -1)
    nobody = table.copy()
    nobody[:, 3] = -1
    assert_array_equal(from_labels(table, labels), from_labels(nobody, labels))


# --- all -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", STARTS)
def test_few_answers_stay_near_the_population_and_many_do_not(start):
    accuracy = np.array([0.9, 0.9, 0.9, 0.5, 0.5, 0.5])
    _, table = simulate(accuracy, num_items=600, seed=3)
    table[2:, 5] = -1
    nobody = start(np.column_stack([table, np.full(600, -1)]), 3)
    assert_array_equal(start(table, 3), nobody[:6])
    population = nobody[6]
    distance = np.abs(nobody - population).mean(axis=(1, 2))
    assert 0 < 1.5 * distance[5] < distance[4]


@pytest.mark.parametrize(("start", "name"), [(from_votes, "strength"), (from_vote, "strength")])
def test_more_strength_is_nearer_to_the_population(start, name):
    _, table = simulate([0.9, 0.8, 0.5, 0.4], num_items=100)
    spread = [np.ptp(start(table, **{name: strength}), axis=0).max() for strength in (0.1, 10, 1000, 1e9)]
    assert spread == sorted(spread, reverse=True)
    assert spread[-1] < 1e-4


@pytest.mark.parametrize("start", STARTS)
def test_a_class_nobody_saw_starts_from_the_overall_accuracy(start):
    _, table = simulate([0.9, 0.8, 0.7], num_items=200)
    confusion = start(table, 5)
    unseen, seen = confusion[:, 4], np.diagonal(confusion, axis1=1, axis2=2)[:, :3]
    assert np.all(unseen.argmax(axis=1) == 4)
    assert np.all((unseen[:, 4] > seen.min()) & (unseen[:, 4] < seen.max()))


@pytest.mark.parametrize("start", STARTS)
def test_starts_read_annotations(start):
    _, table = simulate([0.9, 0.8, 0.7], num_items=30, answered=0.7)
    assert_array_equal(start(Annotations.from_dense(table, classes=3)), start(table, 3))


@pytest.mark.parametrize("start", STARTS)
def test_the_order_of_annotators_and_classes_is_followed(start):
    _, table = simulate([0.9, 0.7, 0.5], num_items=60, answered=0.8)
    relabel, reorder = np.array([2, 0, 1, -1]), [1, 2, 0]
    expected = start(table, 3)[reorder][:, np.argsort(relabel[:3])][:, :, np.argsort(relabel[:3])]
    assert_allclose(start(relabel[table][:, reorder], 3), expected, rtol=1e-6)


# --- accuracy --------------------------------------------------------------------------------------


def test_from_accuracy_is_that_of_the_loops():
    accuracy = [0.3, 0.99, 0.5]
    confusion = from_accuracy(accuracy, 5)
    assert_is_a_start(confusion)
    for r, k, l in np.ndindex(3, 5, 5):
        assert confusion[r, k, l] == pytest.approx(accuracy[r] if k == l else (1 - accuracy[r]) / 4)


def test_one_accuracy_serves_all_annotators():
    assert_array_equal(from_accuracy(0.7, 3, 4), from_accuracy([0.7] * 4, 3))
    assert_array_equal(from_accuracy(np.float32(0.5), 3, 4), from_accuracy(np.full(4, 0.5), 3, 4))


def test_no_answer_is_impossible_at_the_extremes():
    confusion = from_accuracy([0, 1], 2)
    assert_is_a_start(confusion)
    assert_allclose(confusion[:, 0, 0], [0.001, 0.999])


# --- what is refused -------------------------------------------------------------------------------

TABLE = [[0, 1], [1, 1]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: from_votes(TABLE, strength=0),
            "`strength` must be a number above 0, finite.*Received: strength=0",
        ),
        (
            lambda: from_votes(TABLE, strength=np.nan),
            "`strength` must be a number above 0, finite.*strength=nan",
        ),
        (
            lambda: from_votes(TABLE, strength=[1, 2]),
            r"`strength` must be a number above 0, finite.*strength=\[1, 2\]",
        ),
        (
            lambda: from_votes([[0, -1], [-1, 1]]),
            "`answers` must have an item with at least two.*Received: Ann",
        ),
        (
            lambda: from_votes([[0, 0]]),
            "`num_classes` must be at least 2.*Received: Annotations.*1 classes",
        ),
        (lambda: from_votes([[0.0, 1.0]]), "`answers` must be `Annotations`.*Received: floats"),
        (lambda: from_dawid_skene(TABLE, strength=-1), "`strength` must be .*Received: strength=-1"),
        (
            lambda: from_dawid_skene(TABLE, confusion="one_coin"),
            "`confusion` must be 'hierarchical' or 'full'. Received: confusion='one_coin'",
        ),
        (lambda: from_dawid_skene([[0, 0]]), "`num_classes` must be at least 2"),
        (lambda: from_dawid_skene(Annotations.from_dense(TABLE), 3), "`num_classes` must agree .*Received"),
        (lambda: from_labels(TABLE, [0, 1], strength=0), "`strength` must be a .*Received: strength=0"),
        (lambda: from_labels(TABLE, [0.0, 1.0]), r"`labels` must be integers.*float64 of shape \(2,\)"),
        (lambda: from_labels(TABLE, [True, False]), "`labels` must be integers.*Received: bool"),
        (lambda: from_labels(TABLE, [0]), r"`labels` must be .*each of 2 items.*shape \(1,\)"),
        (
            lambda: from_labels(TABLE, [[0, 1]]),
            r"`labels` must have 2 rows and 2 columns. Received: shape \(1, 2\)",
        ),
        (lambda: from_labels(TABLE, [0, 2]), "`labels` must be classes below 2.*Received: 2"),
        (lambda: from_labels(TABLE, [-1, -1]), "`labels` must name the class of an item with an answer"),
        (lambda: from_labels([[-1, -1], [0, 1]], [0, -1]), "`labels` must name the class of an item"),
        (lambda: from_labels([[0, 0]], [0]), "`num_classes` must be at least 2"),
        (
            lambda: from_accuracy(1.1, 3, 2),
            "`accuracy` must be a number from 0 to 1.*Received: accuracy=1.1",
        ),
        (lambda: from_accuracy([0.5, np.nan], 3), "`accuracy` must be .*Received: accuracy=.*nan"),
        (lambda: from_accuracy([], 3), r"`accuracy` must be .*Received: accuracy=\[\]"),
        (lambda: from_accuracy([[0.5]], 3), r"`accuracy` must be .*Received: accuracy=\[\[0.5\]\]"),
        (lambda: from_accuracy("0.5", 3, 2), "`accuracy` must be .*Received: accuracy='0.5'"),
        (lambda: from_accuracy(0.5, 3), "`num_annotators` must be .*Received: num_annotators=None"),
        (lambda: from_accuracy([0.5, 0.6], 3, 3), r"`accuracy` must be one number or 3.*shape \(2,\)"),
        (lambda: from_accuracy(0.5, 1, 2), "`num_classes` must be .*at least 2. Received: num_classes=1"),
        (lambda: from_accuracy(0.5, 2.0, 2), "`num_classes` must be .*Received: num_classes=2.0"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("start", STARTS)
def test_no_answers_at_all_are_refused(start):
    none = Annotations.from_dense([[0, -1], [1, -1]]).select(annotators=[1])
    with pytest.raises(ValueError, match="`answers` must have at least one answer"):
        start(none)
