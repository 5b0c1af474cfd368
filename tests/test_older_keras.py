"""Keras from 3.10 on: what older releases lack trains as what newer ones have."""

import keras
import numpy as np
import pytest
from conftest import XLA
from keras import ops as kops

import keras_crowd as kc
from keras_crowd._older_keras import TwoOptimizers, add_at

X = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")
ANSWERS = np.random.default_rng(1).integers(-1, 3, (48, 5))
STEPS = 4


@pytest.fixture
def older_keras(monkeypatch):
    monkeypatch.delattr(keras.optimizers, "MultiOptimizer", raising=False)
    update = kops.scatter_update
    monkeypatch.setattr(
        kops, "scatter_update", lambda inputs, indices, updates: update(inputs, indices, updates)
    )


def trained(optimizer, batches=STEPS, wrap=True, **kwargs):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, "softmax"), kc.layers.CrowdsClassification(5)]
    )
    if wrap:
        optimizer = kc.optimizers.crowd_optimizer(model, optimizer, **kwargs)
    model.compile(optimizer, loss=kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    model.fit(X, ANSWERS, batch_size=len(X) // batches, shuffle=False, verbose=0)
    return model


def assert_same(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_first_step_is_that_of_each_optimizer_alone(older_keras):
    model = trained(keras.optimizers.SGD(0.1), batches=1, learning_rate=1.0)
    assert isinstance(model.optimizer, TwoOptimizers)
    slow, fast = (trained(keras.optimizers.SGD(rate), batches=1, wrap=False) for rate in (0.1, 1.0))
    expected = [*slow.get_weights()[:2], *fast.get_weights()[2:]]  # the crowd layer's are the last
    for a, b in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(
    not hasattr(keras.optimizers, "MultiOptimizer"), reason="this Keras has no MultiOptimizer"
)
def test_it_trains_as_multi_optimizer_does(request):
    def make():
        return keras.optimizers.AdamW(0.01, weight_decay=0.1, use_ema=True, ema_momentum=0.5)

    newer = trained(make(), learning_rate=0.05)
    request.getfixturevalue("older_keras")
    older = trained(make(), learning_rate=0.05)
    assert isinstance(older.optimizer, TwoOptimizers)
    assert_same(older, newer)
    assert len(older.optimizer.variables) == len(newer.optimizer.variables)


def test_training_is_saved_and_resumed(older_keras, tmp_path):
    model = trained(keras.optimizers.Adam(0.01), learning_rate=0.05)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, TwoOptimizers)
    assert loaded.optimizer.matching.get_config() == model.optimizer.matching.get_config()
    for one in (model, loaded):
        one.fit(X, ANSWERS, shuffle=False, verbose=0)
    assert_same(model, loaded)
    assert int(loaded.optimizer.iterations) == STEPS + 2


def test_weights_of_the_optimizer_are_set(older_keras):
    state = [2.0 * np.asarray(kops.convert_to_numpy(v)) for v in trained("adam").optimizer.variables]
    model = trained("adam")
    model.optimizer.set_weights(state)
    for variable, value in zip(model.optimizer.variables, state, strict=True):
        np.testing.assert_allclose(kops.convert_to_numpy(variable), value, rtol=1e-6)


def test_two_rates_cannot_be_read_or_set_as_one(older_keras):
    optimizer = trained("adam").optimizer
    with pytest.raises(AttributeError, match="two learning rates"):
        _ = optimizer.learning_rate
    with pytest.raises(AttributeError, match=r"Received: 0\.1"):
        optimizer.learning_rate = 0.1


def added_slowly(inputs, indices, updates):
    result = inputs.copy()
    for index, update in zip(indices, updates, strict=True):
        result[index] += update
    return result


def case():
    rng = np.random.default_rng(2)
    return (
        rng.normal(size=(4, 2, 3)).astype("float32"),
        np.array([3, 0, 3, 3], "int32"),  # repeated, and some rows never
        rng.normal(size=(4, 2, 3)).astype("float32"),
    )


def test_rows_are_added_where_they_repeat():
    inputs, indices, updates = case()
    result = add_at(
        kops.convert_to_tensor(inputs), kops.convert_to_tensor(indices), kops.convert_to_tensor(updates)
    )
    np.testing.assert_allclose(kops.convert_to_numpy(result), added_slowly(*case()), rtol=1e-6)


def test_rows_are_added_where_they_repeat_on_older_keras(older_keras):
    test_rows_are_added_where_they_repeat()
