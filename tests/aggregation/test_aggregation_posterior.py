"""The posterior of classifier and answers, and what it says about answers that were held out."""

import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd import Annotations
from keras_crowd.aggregation import (
    agreement,
    annotator_accuracy,
    annotator_class_prior,
    annotator_table,
    dawid_skene,
    held_out_cross_entropy,
    label_table,
    posterior,
)


@pytest.fixture
def crowd():
    """Six items, four annotators, three classes: answers kept, answers held out, f and A."""
    rng = np.random.default_rng(0)
    answers = rng.integers(-1, 3, (6, 4))
    answers[5] = -1
    kept, held_out = Annotations.from_dense(answers, classes=[0, 1, 2]).split(0.4, seed=1)
    return kept, held_out, rng.dirichlet(np.ones(3), 6), rng.dirichlet(np.ones(3), (4, 3))


def slow_posterior(answers, f, confusion):
    joint = f.copy()
    for i, r in np.ndindex(*answers.shape):
        for k in range(f.shape[1]):
            if answers[i, r] >= 0:
                joint[i, k] *= confusion[r, k, answers[i, r]]
    return joint / joint.sum(axis=1, keepdims=True)


def test_posterior_is_bayes_rule(crowd):
    kept, _, f, confusion = crowd
    np.testing.assert_allclose(posterior(kept, f, confusion), slow_posterior(kept.dense(), f, confusion))
    np.testing.assert_allclose(posterior(kept.dense(), f, confusion)[5], f[5])


def test_posterior_of_dawid_skene_is_its_own():
    answers = np.random.default_rng(1).integers(-1, 3, (40, 5))
    answers[answers.max(axis=1) < 0, 0] = 0
    found = dawid_skene(answers, iterations=2000, tolerance=0.0)
    prior = np.broadcast_to(found.class_prior, (40, 3))
    np.testing.assert_allclose(posterior(answers, prior, found.confusion), found.posterior, atol=1e-6)


def test_held_out_answers_are_predicted_from_the_features_and_the_other_answers(crowd):
    kept, held_out, f, confusion = crowd
    q, answers = slow_posterior(kept.dense(), f, confusion), held_out.dense()
    expected = [-np.log(q[i] @ confusion[r, :, answers[i, r]]) for i, r in np.argwhere(answers >= 0)]
    np.testing.assert_allclose(held_out_cross_entropy(held_out, kept, f, confusion), expected)


def test_other_answers_tell_solutions_apart_that_features_alone_cannot():
    """Features that say nothing: annotators who know the classes, or who all toss a coin."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 2000)
    answers = np.where(rng.random((2000, 3)) < 0.8, truth[:, None], 1 - truth[:, None])
    kept, held_out = Annotations.from_dense(answers).split(0.2)
    flat, sharp = np.full((2000, 2), 0.5), np.tile([[0.8, 0.2], [0.2, 0.8]], (3, 1, 1))
    blurred = np.full((3, 2, 2), 0.5)
    np.testing.assert_allclose(flat[0] @ sharp[0], flat[0] @ blurred[0])  # alike, from the features alone
    apart = [held_out_cross_entropy(held_out, kept, flat, a).mean() for a in (sharp, blurred)]
    assert apart[0] < apart[1] - 0.05


def test_impossible_answers_cost_much_and_stay_finite():
    certain = np.array([[[1.0, 0.0], [0.0, 1.0]]] * 2)
    nats = held_out_cross_entropy([[-1, 1]], [[0, -1]], [[1.0, 0.0]], certain)
    assert 50 < nats[0] < np.inf
    np.testing.assert_allclose(posterior([[0, 1]], [[0.5, 0.5]], certain), [[0.5, 0.5]])


@pytest.mark.parametrize(
    ("f", "confusion", "message"),
    [
        (
            np.full((5, 3), 1 / 3),
            None,
            r"`probabilities` must have 6 rows and 3 columns. .* shape \(5, 3\)",
        ),
        (np.full((6, 3), 2.0), None, "`probabilities` must have rows that sum to 1 .*logits.* 6.0"),
        (
            None,
            np.full((3, 3, 3), 1 / 3),
            r"`confusion` must be .*\(4, 3, 3\). Received: shape \(3, 3, 3\)",
        ),
        (None, np.full((4, 3, 3), 0.5), "`confusion` must have rows that sum to 1"),
    ],
)
def test_posterior_refuses(crowd, f, confusion, message):
    kept, held_out, good_f, good_confusion = crowd
    f = good_f if f is None else f
    confusion = good_confusion if confusion is None else confusion
    with pytest.raises(ValueError, match=message):
        posterior(kept, f, confusion)
    with pytest.raises(ValueError, match=message):
        held_out_cross_entropy(held_out, kept, f, confusion)


def test_held_out_answers_must_be_of_the_same_annotators(crowd):
    kept, held_out, f, confusion = crowd
    with pytest.raises(ValueError, match=r"`confusion` must be .* Received: shape \(4, 3, 3\)"):
        held_out_cross_entropy(held_out.dense()[:, :3], kept, f, confusion)


def test_agreement_counts_labeled_items_only():
    answers = np.array([[0, 1, -1, -1], [1, 1, -1, -1], [1, 0, -1, 0]])
    np.testing.assert_allclose(agreement(answers, np.array([0, 1, -1])), [1, 0.5, np.nan, np.nan])


def test_agreement_refuses_other_lengths():
    with pytest.raises(ValueError, match=r"`labels` must be 3 class codes, .* Received: shape \(2,\)"):
        agreement(np.zeros((3, 2), int), [0, 1])


def test_label_table_has_a_row_an_item():
    annotations = Annotations.from_coo(
        [10, 10, 30], ["ann", "bob", "ann"], ["dog", "dog", "cat"], items=[30, 20, 10]
    )
    q = np.array([[0.9, 0.1], [0.5, 0.5], [0.0, 1.0]])
    table = label_table(annotations, q)
    assert list(table) == ["item", "label", "confidence", "entropy", "answers"]
    assert table["item"].tolist() == [30, 20, 10]
    assert table["label"].tolist() == ["cat", "cat", "dog"]
    assert table["answers"].tolist() == [1, 0, 2]
    np.testing.assert_allclose(table["confidence"], [0.9, 0.5, 1.0])
    expected = [-0.9 * np.log(0.9) - 0.1 * np.log(0.1), np.log(2), 0]
    np.testing.assert_allclose(table["entropy"], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("q", "message"),
    [([[0.5, 0.5]], "must have 3 rows and 2 columns"), ([[2.0, -1.0]] * 3, "must be probabilities")],
)
def test_label_table_refuses_what_does_not_fit(q, message):
    annotations = Annotations.from_coo([1], ["ann"], ["dog"], items=[1, 2, 3], classes=["cat", "dog"])
    for table in (label_table, annotator_table):
        with pytest.raises(ValueError, match=message):
            table(annotations, q)


def test_annotator_table_is_that_of_loops():
    rng = np.random.default_rng(0)
    answers = np.where(rng.random((30, 4)) < 0.3, -1, rng.integers(0, 3, (30, 4)))
    answers[:, 2] = np.where(answers[:, 2] < 0, -1, 1)  # who does not look
    answers[:, 3] = -1  # who never came
    q = rng.dirichlet(np.ones(3), 30)
    names, classes = ["ann", "bob", "lazy", "gone"], ["cat", "dog", "owl"]
    annotations = Annotations.from_dense(answers, annotators=names, classes=classes)
    table = annotator_table(annotations, q)
    shown = [f"confusion[{k},{k}]" for k in classes]
    assert list(table) == ["annotator", "answers", "agreement", "accuracy", "one_class", *shown]
    assert table["annotator"].tolist() == names
    assert table["one_class"].tolist() == [False, False, True, False]
    for r, column in enumerate(answers.T):
        seen = column >= 0
        assert table["answers"][r] == seen.sum()
        if not seen.any():
            assert all(np.isnan(table[name][r]) for name in ["agreement", "accuracy", *shown])
            continue
        right = [q[i, k] for i, k in enumerate(column) if k >= 0]
        np.testing.assert_allclose(table["accuracy"][r], np.mean(right))
        np.testing.assert_allclose(table["agreement"][r], np.mean(column[seen] == q[seen].argmax(axis=1)))
        for k, name in enumerate(shown):
            known = q[column == k, k].sum() / q[seen, k].sum()
            np.testing.assert_allclose(table[name][r], known)


def test_annotator_table_of_learned_confusions():
    rng = np.random.default_rng(1)
    answers, q = rng.integers(0, 2, (6, 2)), rng.dirichlet(np.ones(2), 6)
    confusion = rng.dirichlet(np.ones(2), (2, 2))
    table = annotator_table(answers, q, confusion)
    expected = annotator_accuracy(confusion, annotator_class_prior(answers, q))
    np.testing.assert_allclose(table["accuracy"], expected)
    np.testing.assert_allclose(table["confusion[1,1]"], confusion[:, 1, 1])
    with pytest.raises(ValueError, match="`confusion` must be"):
        annotator_table(answers, q, confusion[:1])
    with pytest.raises(ValueError, match="`min_answers` must be a positive integer"):
        annotator_table(answers, q, min_answers=0)


def test_intervals_of_accuracies_hold_the_true_ones():
    rng = np.random.default_rng(0)
    accuracy = np.append(rng.uniform(0.4, 0.95, 40), 0.9)
    matrices = np.where(np.eye(3, dtype=bool), accuracy[:, None, None], (1 - accuracy[:, None, None]) / 2)
    truth = rng.integers(3, size=300)
    answers = np.array([[rng.choice(3, p=A[k]) for A in matrices] for k in truth])
    asked = np.argsort(rng.random((300, 40)), axis=1)[:, 5:]
    np.put_along_axis(answers, asked, -1, axis=1)
    answers[:, 40] = -1
    q = dawid_skene(answers).posterior
    table = annotator_table(answers, q, intervals=True)
    low, mean, high = (table[f"accuracy_{end}"] for end in ("low", "mean", "high"))
    assert np.all((low < mean) & (mean < high) | (table["answers"] == 0))
    assert np.isnan([low[40], mean[40], high[40]]).all()
    assert np.mean((low[:40] <= accuracy[:40]) & (accuracy[:40] <= high[:40])) >= 0.85
    assert 0.1 < np.mean((high - low)[:40]) < 0.35
    plain = annotator_table(answers, q)
    assert list(plain) == [
        name for name in table if name not in ("accuracy_low", "accuracy_mean", "accuracy_high")
    ]
    ratings = np.array([[0.5, 1.5], [2.0, np.nan]])
    with pytest.raises(ValueError, match="`intervals` are for answers of classes"):
        annotator_table(ratings, [1.0, 2.0], intervals=True)


def test_annotator_table_counts_a_class_seen_never_as_unknown():
    table = annotator_table([[0], [0]], [[1.0, 0.0], [1.0, 0.0]], min_answers=2)
    assert table["one_class"].tolist() == [True]
    np.testing.assert_array_equal(table["confusion[1,1]"], [np.nan])
    assert annotator_table([[0], [0]], [[1.0, 0.0]] * 2, min_answers=3)["one_class"].tolist() == [False]


def test_one_column_is_that_of_class_one_of_two():
    """As a classifier that ends in one sigmoid predicts."""
    answers = np.array([[0, 1, -1], [1, 1, 0], [-1, 0, 0]])
    one = np.array([[0.2], [0.9], [0.4]])
    both = np.hstack([1 - one, one])
    confusion = np.random.default_rng(0).dirichlet(np.ones(2), (3, 2))
    np.testing.assert_allclose(posterior(answers, one, confusion), posterior(answers, both, confusion))
    np.testing.assert_allclose(annotator_class_prior(answers, one), annotator_class_prior(answers, both))
    with pytest.raises(ValueError, match="`probabilities` must be"):
        posterior(answers, one + 0.5, confusion)


def test_a_crowd_that_knows_one_class_only():
    """One column is that of one class then, and not that of class 1 of two."""
    annotations = kc.Annotations.from_coo(["a", "a", "b"], ["ann", "bob", "ann"], ["cat", "cat", "cat"])
    found = kc.aggregation.dawid_skene(annotations)
    assert kc.aggregation.annotator_table(annotations, found.posterior)["accuracy"].tolist() == [1, 1]
    assert kc.aggregation.label_table(annotations, found.posterior)["label"].tolist() == ["cat", "cat"]
