"""The confusions of simulated annotators."""

import numpy as np
import pytest

from keras_crowd.datasets import class_wise, diagonally_dominant, hammer_spammer, pairwise_flipper

BUILDERS = pytest.mark.parametrize(
    "builder", [hammer_spammer, pairwise_flipper, class_wise, diagonally_dominant]
)


def diagonal(confusion):
    return np.diagonal(confusion, axis1=1, axis2=2)


SEEDED = [hammer_spammer, class_wise, diagonally_dominant]


@BUILDERS
@pytest.mark.parametrize("num_classes", [2, 3, 10])
def test_a_confusion_has_distributions_for_rows(builder, num_classes):
    confusion = builder(7, num_classes)
    assert (confusion.shape, confusion.dtype) == ((7, num_classes, num_classes), np.float64)
    assert confusion.min() >= 0
    np.testing.assert_allclose(confusion.sum(axis=2), 1, rtol=1e-12)


@pytest.mark.parametrize("builder", SEEDED)
def test_a_seed_gives_the_same_confusion_and_another_seed_another(builder):
    np.testing.assert_array_equal(builder(20, 4, seed=3), builder(20, 4, seed=3))
    assert np.any(builder(20, 4, seed=3) != builder(20, 4, seed=4))


@BUILDERS
def test_sizes_are_checked(builder):
    with pytest.raises(ValueError, match=r"`num_annotators` must be .* Received: num_annotators=0"):
        builder(0, 3)
    with pytest.raises(ValueError, match=r"`num_classes` must be an integer at least 2.* num_classes=1"):
        builder(3, 1)


@pytest.mark.parametrize(("fraction", "hammers"), [(0.0, 0), (0.26, 3), (0.5, 5), (1.0, 10)])
def test_hammers_are_exactly_so_many(fraction, hammers):
    confusion = hammer_spammer(10, 4, hammer_fraction=fraction, accuracy=0.7, seed=0)
    is_hammer = np.isclose(diagonal(confusion), 0.7).all(axis=1)
    assert is_hammer.sum() == hammers
    expected = np.full((4, 4), 0.1) + 0.6 * np.eye(4)
    np.testing.assert_allclose(confusion[is_hammer], np.broadcast_to(expected, (hammers, 4, 4)))
    np.testing.assert_allclose(confusion[~is_hammer], 0.25)


def test_every_annotator_may_be_the_hammer():
    confusions = np.stack([hammer_spammer(4, 2, hammer_fraction=0.25, seed=seed) for seed in range(400)])
    share = np.mean(confusions[:, :, 0, 0] == 1, axis=0)
    np.testing.assert_allclose(share, 0.25, atol=0.08)  # 3.7 standard deviations


def test_a_flipper_takes_a_class_for_its_successor():
    confusion = pairwise_flipper(2, 3, flip_probability=[0.0, 0.4])
    np.testing.assert_array_equal(confusion[0], np.eye(3))
    np.testing.assert_allclose(confusion[1], [[0.6, 0.4, 0], [0, 0.6, 0.4], [0.4, 0, 0.6]])


@pytest.mark.parametrize("flip_probability", [1.2, -0.1, np.nan, [0.1, 0.2]])
def test_a_flip_probability_is_checked(flip_probability):
    with pytest.raises(ValueError, match=r"`flip_probability` must be .* 3 annotators. Received"):
        pairwise_flipper(3, 4, flip_probability=flip_probability)


def test_experts_know_so_many_classes_and_not_all_the_same():
    confusion = class_wise(50, 5, expert_classes=2, expert_accuracy=0.9, seed=0)
    expert = np.isclose(diagonal(confusion), 0.9)
    np.testing.assert_array_equal(expert.sum(axis=1), 2)
    np.testing.assert_allclose(confusion[~expert], 0.2)
    assert np.all(expert.any(axis=0))
    assert len(np.unique(expert, axis=0)) > 5


def test_experts_accuracy_elsewhere_and_how_many_classes_by_default():
    accuracies = diagonal(class_wise(6, 5, other_accuracy=0.3, seed=0))
    np.testing.assert_array_equal(np.isclose(accuracies, 0.95).sum(axis=1), 3)
    np.testing.assert_array_equal(np.isclose(accuracies, 0.3).sum(axis=1), 2)


@pytest.mark.parametrize("concentration", [0.01, 1.0, 100.0])
@pytest.mark.parametrize(
    ("num_classes", "accuracy"), [(10, (0.101, 0.3)), (3, (0.35, 1.0)), (2, (0.51, 0.6))]
)
def test_the_diagonal_dominates_strictly_and_is_in_range(num_classes, accuracy, concentration):
    confusion = diagonally_dominant(200, num_classes, accuracy, concentration, seed=0)
    np.testing.assert_array_equal(confusion.argmax(axis=2), np.tile(np.arange(num_classes), (200, 1)))
    errors = confusion[:, ~np.eye(num_classes, dtype=bool)].reshape(200, num_classes, -1)
    assert np.all(errors.max(axis=2) < diagonal(confusion))
    assert accuracy[0] <= diagonal(confusion).min() <= diagonal(confusion).max() <= accuracy[1]
    np.testing.assert_allclose(confusion.sum(axis=2), 1, rtol=1e-12)
    assert confusion.min() >= 0


def test_the_diagonal_is_uniform_and_errors_dirichlet_where_they_need_not_shrink():
    confusion = diagonally_dominant(2000, 3, (0.6, 0.8), concentration=2.0, seed=0)
    accuracies = diagonal(confusion)
    assert accuracies.mean() == pytest.approx(0.7, abs=0.003)
    assert accuracies.std() == pytest.approx(0.2 / np.sqrt(12), abs=0.002)
    share = confusion[:, 0, 1] / (1 - accuracies[:, 0])
    assert share.mean() == pytest.approx(0.5, abs=0.02)
    assert share.var() == pytest.approx(0.05, abs=0.005)  # Beta(2, 2)


@pytest.mark.parametrize("accuracy", [(0.2, 0.9), (0.25, 0.5), (0.9, 0.6), (0.5, 1.1), 0.7])
def test_an_accuracy_range_that_cannot_dominate_is_refused(accuracy):
    with pytest.raises(ValueError, match=r"`accuracy` must be \(low, high\) with 1/4 < low"):
        diagonally_dominant(3, 4, accuracy)


def test_numbers_of_the_builders_are_checked():
    with pytest.raises(ValueError, match=r"`hammer_fraction` must be .* Received: hammer_fraction=1\.5"):
        hammer_spammer(3, 4, hammer_fraction=1.5)
    with pytest.raises(ValueError, match="`accuracy` must be a number between 0 and 1"):
        hammer_spammer(3, 4, accuracy=-0.1)
    with pytest.raises(ValueError, match="`expert_classes` must be an integer from 0 to 4"):
        class_wise(3, 4, expert_classes=5)
    with pytest.raises(ValueError, match="`other_accuracy` must be a number between 0 and 1"):
        class_wise(3, 4, other_accuracy=2)
    with pytest.raises(ValueError, match="`concentration` must be a number above 0"):
        diagonally_dominant(3, 4, concentration=0)
