"""The crowd layer's parameters under an optimizer of their own."""

import keras
import numpy as np
import pytest
from conftest import XLA

import keras_crowd as kc

X = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
ANSWERS = np.random.default_rng(1).integers(-1, 3, (64, 5))
CROWD = 2  # the crowd layer's kernel among the weights


def fitted(optimizer=None, answers=ANSWERS, epochs=2, **kwargs):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(3, "softmax"), kc.layers.CrowdsClassification(5)]
    )
    optimizer = optimizer or keras.optimizers.SGD(0.1)
    model.compile(
        kc.optimizers.crowd_optimizer(model, optimizer, **kwargs),
        loss=kc.losses.MaskedCrowdCrossEntropy(),
        jit_compile=XLA,
    )
    before = model.get_weights()
    model.fit(X, answers, epochs=epochs, verbose=0)
    return model, [new - old for new, old in zip(model.get_weights(), before, strict=True)]


def test_learning_rate_of_the_crowd_layer_scales_its_steps_only():
    slow = fitted(epochs=1, learning_rate=0.001)[1]
    fast = fitted(epochs=1, learning_rate=0.01)[1]
    np.testing.assert_allclose(fast[CROWD], 10 * slow[CROWD], rtol=0.05, atol=1e-6)
    np.testing.assert_allclose(fast[0], slow[0], rtol=0.05, atol=1e-4)


def test_both_rates_may_be_schedules():
    def changes(epochs):
        cosine = keras.optimizers.schedules.CosineDecay
        still = keras.optimizers.SGD(cosine(0.0, decay_steps=2))
        return fitted(still, epochs=epochs, learning_rate=cosine(0.1, decay_steps=2))[1]

    short, long = changes(1), changes(3)
    assert np.all(short[0] == 0.0)
    assert np.abs(short[CROWD]).max() > 1e-4
    np.testing.assert_array_equal(long[CROWD], short[CROWD])  # two batches an epoch: the rate is 0 then


@pytest.mark.only_under("torch")
def test_without_a_rate_of_its_own_it_trains_as_one_optimizer_does():
    model = fitted()[0]
    keras.utils.set_random_seed(0)
    plain = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(3, "softmax"), kc.layers.CrowdsClassification(5)]
    )
    plain.compile(keras.optimizers.SGD(0.1), loss=kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    plain.fit(X, ANSWERS, epochs=2, verbose=0)
    for one, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [keras.optimizers.AdamW, keras.optimizers.Adam])
def test_annotators_are_not_weight_decayed(make):
    nothing = np.full_like(ANSWERS, -1)
    changes = fitted(make(0.01, weight_decay=0.5), nothing)[1]
    assert np.abs(changes[0]).max() > 1e-4  # the classifier decays
    assert np.all(changes[CROWD] == 0.0)


def test_training_can_be_saved_and_resumed(tmp_path):
    model = fitted(keras.optimizers.Adam(0.01), learning_rate=0.05)[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for trained in (model, loaded):
        keras.utils.set_random_seed(1)
        trained.fit(X, ANSWERS, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_slots_take_the_steps_of_dense_answers():
    ids = np.tile(np.arange(5, dtype="int32"), (64, 1))
    kernels = []
    for slots in (False, True):
        inputs = [keras.Input((3,)), keras.Input((None,), dtype="int32")][: 1 + slots]
        crowd = kc.layers.CrowdsClassification(5)
        model = keras.Model(inputs, crowd(inputs[0], annotators=inputs[1] if slots else None))
        model.compile(keras.optimizers.Adam(0.1), loss=kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
        f = np.abs(X[:, :3]) + 0.1
        model.fit([f, ids][: 1 + slots], ANSWERS, epochs=2, shuffle=False, verbose=0)
        kernels.append(keras.ops.convert_to_numpy(crowd.kernel))
    np.testing.assert_allclose(*kernels, rtol=1e-4, atol=1e-4)


class OfItsOwnLayers(keras.Model):
    """A model whose layers are built within it, so that its name is in their paths."""

    def __init__(self, dense="dense", **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3, "softmax", name=dense)
        self.crowd = kc.layers.CrowdsClassification(5, name="crowd")

    def call(self, x, training=False):
        return self.crowd(self.dense(x), training=training)


def test_classifier_in_a_model_of_the_crowd_layers_name_keeps_its_own_optimizer():
    model = OfItsOwnLayers(name="crowd")
    model(X)
    assert model.dense.kernel.path == "crowd/dense/kernel"
    optimizer = kc.optimizers.crowd_optimizer(model, keras.optimizers.SGD(0.0), 0.1)
    model.compile(optimizer, loss=kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    before = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
    model.fit(X, ANSWERS, verbose=0)
    after = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
    changed = [np.abs(a - b).max() > 0 for a, b in zip(after, before, strict=True)]
    assert changed == [False, False, True]


def test_layers_of_the_paths_of_the_annotators_are_refused():
    model = OfItsOwnLayers("annotators", name="crowd")
    model(X)
    with pytest.raises(
        ValueError,
        match=r"a name that nothing else has. Received: 'crowd', which 'crowd/annotators/kernel'",
    ):
        kc.optimizers.crowd_optimizer(model, "sgd")
