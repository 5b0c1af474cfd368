"""Connections of which annotators share a part: limits, starts from answers, files, and who borrows from whom."""

import keras
import numpy as np
import pytest
from conftest import XLA
from contracts import SHARING, probabilities
from keras import ops as kops

import keras_crowd as kc
from keras_crowd.layers.connections import Prototypes

sharing = pytest.mark.parametrize("conn_type", SHARING)


def built(conn_type, num_annotators=6, num_classes=4, **kwargs):
    layer = kc.layers.CrowdsClassification(num_annotators, conn_type, **kwargs)
    layer.build((None, num_classes))
    return layer


def drawn(conn_type, seed=0):
    layer = built(conn_type)
    for variable in layer.trainable_variables:
        variable.assign(np.random.default_rng(seed).normal(size=variable.shape))
    return layer


@pytest.mark.parametrize("conn_type", ["one_coin", "class_wise"])
def test_even_errors_are_those_of_the_mixture_of_confusions(conn_type):
    coins, matrices, odds = built(conn_type), built("CM"), np.linspace(-1, 3, 6)
    coins.kernel.assign(np.repeat(odds[:, None], coins.kernel.shape[1], axis=1))
    matrices.kernel.assign((odds[:, None, None] * np.eye(4)).reshape(6, 16))
    f = probabilities(5, 4)
    expected, found = (kops.convert_to_numpy(layer(f)) for layer in (matrices, coins))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@sharing
def test_log_confusion_is_that_of_the_logits(conn_type):
    layer = drawn(conn_type)
    found = kops.convert_to_numpy(kops.exp(layer.log_confusion()))
    np.testing.assert_allclose(found, layer.confusion(), rtol=1e-5)
    slots = kops.convert_to_numpy(kops.exp(layer.log_confusion(np.array([[2, 5]], "int32"))))
    np.testing.assert_allclose(slots[0], layer.confusion()[[2, 5]], rtol=1e-5)


@sharing
def test_logits_and_gradients_are_finite_where_nobody_errs(conn_type):
    layer = built(conn_type)
    for name, values in layer.annotators.of_all().items():
        layer.annotators.assign(name, 300.0 * np.ones(values.shape))
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile("sgd", loss=kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    model.fit(np.eye(4, dtype="float32"), np.full((4, 6), 2), epochs=2, verbose=0)
    assert all(np.isfinite(kops.convert_to_numpy(v)).all() for v in layer.trainable_variables)


def test_adapt_takes_the_errors_that_all_make_and_how_often_each():
    rng = np.random.default_rng(0)
    right = np.linspace(0.5, 0.95, 8)
    errors = np.array([[0, 1, 0], [0, 0, 1], [0.5, 0.5, 0]])
    confusion = right[:, None, None] * np.eye(3) + (1 - right)[:, None, None] * errors
    answers = kc.datasets.simulate_answers(rng.integers(3, size=1500), confusion, seed=0)
    for conn_type in ("one_coin", "class_wise"):
        layer = kc.layers.CrowdsClassification(8, conn_type)
        layer.adapt(answers)
        np.testing.assert_allclose(layer.confusion(), confusion, atol=0.08)


def test_adapt_groups_annotators_by_what_they_answer():
    good, bad = 0.85 * np.eye(3) + 0.05, np.full((3, 3), 1 / 3)
    confusion = np.array([good, bad] * 5)
    truth = np.random.default_rng(0).integers(3, size=1500)
    layer = kc.layers.CrowdsClassification(10, Prototypes(2))
    layer.adapt(kc.datasets.simulate_answers(truth, confusion, seed=0))
    found = np.trace(layer.confusion(), axis1=1, axis2=2) / 3
    assert found[::2].min() > 0.7
    assert found[1::2].max() < 0.5


def test_another_number_of_prototypes_is_kept_in_files(tmp_path):
    model = keras.Sequential([keras.Input((4,)), built(Prototypes(num_prototypes=3))])
    model.save(tmp_path / "model.keras")
    layer = keras.models.load_model(tmp_path / "model.keras").layers[-1]
    assert layer.connection.num_prototypes == 3
    np.testing.assert_array_equal(layer.confusion(), model.layers[-1].confusion())
    assert kc.layers.connections.serialize(Prototypes()) == "prototypes"


def test_true_classes_of_prototypes_change_places():
    layer = drawn("prototypes")
    before, order = layer.confusion(), np.array([2, 0, 3, 1])
    layer.permute_classes(order)
    np.testing.assert_allclose(layer.confusion(), before[:, order], rtol=1e-5)
    with pytest.raises(ValueError, match="cannot be put in another order"):
        drawn("one_coin").permute_classes(order)


@sharing
def test_what_is_shared_is_held_as_well(conn_type):
    layer = drawn(conn_type)
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile("sgd", loss=kc.losses.MaskedCrowdCrossEntropy())
    before = [kops.convert_to_numpy(v) for v in layer.trainable_variables]
    layer.hold()
    model.fit(probabilities(8, 4), np.arange(48).reshape(8, 6) % 4, verbose=0)
    for old, variable in zip(before, layer.trainable_variables, strict=True):
        np.testing.assert_array_equal(kops.convert_to_numpy(variable), old)


@pytest.mark.parametrize("number", [1, 2.5])
def test_number_of_prototypes_is_checked(number):
    with pytest.raises(ValueError, match="`num_prototypes` must be"):
        Prototypes(number)
