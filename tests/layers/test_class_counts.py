"""A class that vanishes from the classifier's predictions is warned of by `fit` itself."""

import warnings

import keras
import numpy as np
import pytest
from conftest import XLA

import keras_crowd as kc

K, N = 3, 120
X = np.eye(K, dtype="float32")[np.arange(N) % K]
ANSWERS = np.repeat((np.arange(N) % K)[:, None], 2, axis=1)


def model(num_classes=K, **kwargs):
    """A model that gives each item the class of its place, and does not learn."""
    identity = keras.layers.Dense(num_classes, "softmax", use_bias=False)
    crowd = kc.layers.CrowdsClassification(2, "CM")
    built = keras.Sequential([keras.Input((K,)), identity, crowd])
    identity.kernel.assign(9.0 * np.eye(K, num_classes))
    built.compile(keras.optimizers.SGD(0.0), kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA, **kwargs)
    return built, crowd, identity


def lose(identity, lost, other=0):
    kernel = 9.0 * np.eye(K, identity.kernel.shape[1])
    kernel[lost] = kernel[other]
    identity.kernel.assign(kernel)


def warned(built, epochs, **kwargs):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        history = built.fit(X, ANSWERS, batch_size=32, epochs=epochs, verbose=0, **kwargs)
    assert set(history.history) == {"loss"} | ({"val_loss"} if kwargs.get("validation_data") else set())
    return [str(w.message) for w in found if "vanished" in str(w.message)]


def test_a_lost_class_is_named_once():
    built, _, identity = model()
    assert not warned(built, 3)
    lose(identity, 1)
    found = warned(built, 5)
    assert len(found) == 1
    assert "no item had class [1] in the last 2 epochs. If the answers use them" in found[0]


def test_evaluation_ends_an_epoch_and_counts_nothing():
    built, crowd, identity = model()
    lose(identity, 2)
    found = warned(built, 6, validation_data=(X, ANSWERS))
    assert len(found) == 1
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(crowd.class_counts.predicted), np.zeros(K))


@pytest.mark.only_under("torch")
def test_classes_that_no_answer_uses_may_be_missing():
    built, crowd, _ = model(num_classes=4)
    crowd.adapt(kc.Annotations.from_dense(ANSWERS, classes=range(4)))
    assert not warned(built, 7)
    crowd.adapt(kc.Annotations.from_dense(np.where(ANSWERS == 0, 3, ANSWERS), classes=range(4)))
    (message,) = warned(built, 7)
    assert "The answers use them (shares [0.333])" in message


@pytest.mark.only_under("torch")
def test_the_joint_model_warns_likewise_and_counts_items_with_answers():
    _, crowd, identity = model()
    classifier = keras.Sequential([keras.Input((K,)), identity])
    joint = kc.models.JointCrowdModel(classifier, crowd)
    joint.compile(keras.optimizers.SGD(0.0), jit_compile=XLA)
    lose(identity, 1)
    assert len(warned(joint, 7)) == 1
    joint.reset_metrics()
    joint.compute_loss(X, np.where(ANSWERS == 2, -1, ANSWERS), joint(X))
    predicted = keras.ops.convert_to_numpy(crowd.class_counts.predicted)
    np.testing.assert_array_equal(predicted, [2 * N / K, 0, 0])


@pytest.mark.parametrize("rank", [2, 3])
def test_counts_are_those_of_real_items_and_tokens(rank):
    f = np.random.default_rng(0).dirichlet(np.ones(K), (7, 5)[: rank - 1]).astype("float32")
    mask = np.random.default_rng(1).random((7, 5)) < 0.5 if rank == 3 else None
    crowd = (kc.layers.CrowdsSequenceLabeling if rank == 3 else kc.layers.CrowdsClassification)(2, "CM")
    crowd(f, training=False, mask=mask)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(crowd.class_counts.predicted), np.zeros(K))
    crowd(f, training=True, mask=mask)
    chosen = f.argmax(-1) if mask is None else f.argmax(-1)[mask]
    expected = np.bincount(chosen.ravel(), minlength=K)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(crowd.class_counts.predicted), expected)
