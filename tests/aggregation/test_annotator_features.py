"""`dawid_skene(annotator_features=)`: annotators drawn towards what a regression on their features predicts."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import keras_crowd as kc
from keras_crowd.aggregation._annotator_regression import AnnotatorRegression

dawid_skene = kc.aggregation.dawid_skene
ANSWERS = np.random.default_rng(1).integers(3, size=(40, 6))


def crowd(num_annotators, kept, seed=0):
    """Three families of different accuracy, which years of practice raise; answers, truth, features, accuracies."""
    rng = np.random.default_rng(seed)
    family, years = rng.integers(3, size=num_annotators), rng.normal(5, 2, num_annotators)
    log_odds = np.array([2.0, 0.5, -0.5])[family] + 0.2 * (years - 5) + rng.normal(0, 0.3, num_annotators)
    accuracy, truth = 1 / (1 + np.exp(-log_odds)), rng.integers(3, size=300)
    shape = (300, num_annotators)
    wrong = (truth[:, None] + rng.integers(1, 3, shape)) % 3
    answers = np.where(rng.random(shape) < accuracy, truth[:, None], wrong)
    answers[rng.random(shape) >= kept] = -1
    return answers, truth, {"family": np.array(["a", "b", "c"])[family], "years": years}, accuracy


def test_accuracy_of_annotators_who_never_answered_is_predicted():
    answers, _, features, accuracy = crowd(60, 0.3)
    strangers = np.arange(60) % 4 == 0
    answers[:, strangers] = -1
    found = dawid_skene(answers, 3, annotator_features=features)
    theirs = {name: column[strangers] for name, column in features.items()}
    predicted = found.population.confusion(theirs)
    assert_allclose(predicted.sum(axis=-1), 1)
    right = np.trace(predicted, axis1=1, axis2=2) / 3
    assert np.corrcoef(right, accuracy[strangers])[0, 1] > 0.9
    assert np.mean(np.abs(right - accuracy[strangers])) < 0.08
    own = np.trace(found.confusion[strangers], axis1=1, axis2=2) / 3
    assert_allclose(own, right, atol=1e-3)


def test_labels_are_better_where_annotators_gave_few_answers():
    right = []
    for seed in range(3):
        answers, truth, features, _ = crowd(150, 0.03, seed)
        right.append(
            [
                np.mean(dawid_skene(answers, 3, annotator_features=of).labels == truth)
                for of in (features, None)
            ]
        )
    with_features, without = np.mean(right, axis=0)
    assert with_features > without + 0.01


def test_coefficients_maximize_the_penalized_likelihood():
    """Any step away from them lowers it, by the formula term by term."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(8, 2))
    counts = rng.integers(1, 9, size=(8, 3, 3)).astype(float)
    regression = AnnotatorRegression(features, kc.Annotations.from_dense(rng.integers(3, size=(5, 8))))
    for _ in range(30):
        regression.update(counts, np.ones(8))
    t, x = regression.result().strength, (features - features.mean(axis=0)) / features.std(axis=0)

    def likelihood(common, own):
        total = -0.5 * (0.01 * common[0] ** 2 + np.sum(common[1:] ** 2) + 4 * np.sum(own**2))
        for r, k in itertools.product(range(8), range(3)):
            n, h = counts[r, k].sum(), counts[r, k, k]
            p = 1 / (1 + np.exp(-(common + own[k]) @ [1.0, *x[r]]))
            total += (t + 1) / (n + t) * (h * np.log(p) + (n - h) * np.log(1 - p))
        return total

    best = likelihood(regression._common, regression._own)
    for j, step in itertools.product(range(3), (-0.01, 0.01)):
        assert likelihood(regression._common + step * np.eye(3)[j], regression._own) < best
        for k in range(3):
            moved = step * np.eye(3)[k][:, None] * np.eye(3)[j]
            assert likelihood(regression._common, regression._own + moved) < best


def test_forms_of_features_are_the_same():
    pd = pytest.importorskip("pandas")
    numbers = np.random.default_rng(0).normal(size=(6, 2))
    forms = numbers, {0: numbers[:, 0], 1: numbers[:, 1]}, pd.DataFrame(numbers)
    found = [dawid_skene(ANSWERS, annotator_features=form) for form in forms]
    for other in found[1:]:
        assert_array_equal(other.confusion, found[0].confusion)
    moved = dawid_skene(ANSWERS, annotator_features=3 * numbers + 1)
    assert_allclose(moved.confusion, found[0].confusion)


def test_text_that_is_not_known_counts_for_nothing():
    families = {"family": ["a", "a", "b", "b", "c", "c"], "human": [1, 0, 1, 0, 1, 0]}
    found = dawid_skene(ANSWERS, annotator_features=families).population
    assert found.columns == ("family=a", "family=b", "family=c", "human")
    new = found.confusion({"family": ["z", "a"], "human": [0.5, 0.5]})
    log_odds = found.coefficients[:, 0]
    assert_allclose(np.diagonal(new[0]), 1 / (1 + np.exp(-log_odds)))
    assert np.any(new[0] != new[1])
    assert dawid_skene(ANSWERS).population is None


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.zeros(6), r"shape \(annotators, features\)\. Received: shape \(6,\)"),
        (np.zeros((5, 2)), r"each of 6 annotators\. Received: column '0' of shape \(5,\)"),
        ({"years": [1, 2, 3, 4, 5, np.nan]}, "finite. Received: column 'years'"),
        ({}, "must have a column"),
    ],
)
def test_features_that_do_not_fit_are_refused(features, message):
    with pytest.raises(ValueError, match=message):
        dawid_skene(ANSWERS, annotator_features=features)


def test_features_are_for_hierarchical_confusions_and_predictions_need_the_same_columns():
    years = {"years": np.arange(6)}
    with pytest.raises(ValueError, match='unless confusion="hierarchical"'):
        dawid_skene(ANSWERS, annotator_features=years, confusion="full")
    with pytest.raises(ValueError, match=r"columns \['years'\]\. Received: \['age'\]"):
        dawid_skene(ANSWERS, annotator_features=years).population.confusion({"age": [1]})
