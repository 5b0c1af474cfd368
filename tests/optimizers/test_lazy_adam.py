"""Steps that touch the annotators of the batch only, against Adam written out in NumPy."""

import keras
import numpy as np
import pytest
from conftest import XLA

import keras_crowd as kc

R, K, SLOTS, BATCH = 6, 3, 3, 8
rng = np.random.default_rng(0)
F = rng.dirichlet(np.ones(K), 20).astype("float32")  # 20 items in batches of 8: the last is smaller
IDS = np.array([rng.permutation(R - 1)[:SLOTS] for _ in F], "int32")  # the last annotator is in none
IDS[3] = -1
IDS[5, 1:] = -1
ANSWERS = np.where(IDS >= 0, rng.integers(K, size=IDS.shape), -1)
ANSWERS[7, 0] = -1  # stands in a slot, says nothing


def crowd_model(conn_type="MW", max_batch_slots=BATCH * SLOTS, below=(), **kwargs):
    keras.utils.set_random_seed(0)
    f, ids = keras.Input((K,)), keras.Input((None,), dtype="int32")
    x = f
    for layer in below:
        x = layer(x)
    start = kc.initializers.CrowdIdentity()
    crowd = kc.layers.CrowdsClassification(
        R, conn_type, kernel_initializer=start, max_batch_slots=max_batch_slots, **kwargs
    )
    return keras.Model([f, ids], crowd(x, annotators=ids)), crowd


def fitted(model, optimizer, ids=IDS, epochs=2):
    model.compile(optimizer, loss=kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    model.fit((F, ids), ANSWERS, batch_size=BATCH, epochs=epochs, shuffle=False, verbose=0)
    return model


def lazy(model, **kwargs):
    return kc.optimizers.crowd_optimizer(model, keras.optimizers.Adam(0.1), **kwargs)


def gradient(kernel, f, ids, answers):
    """Of the mean cross-entropy of MW, slot by slot."""
    total = np.zeros_like(kernel)
    for i, s in zip(*np.nonzero(answers >= 0), strict=True):
        z = f[i] @ kernel[ids[i, s]]
        p = np.exp(z - z.max())
        total[ids[i, s]] += np.outer(f[i], p / p.sum() - np.eye(K)[answers[i, s]])
    return total / np.sum(answers >= 0)


def lazy_adam(epochs, rate=0.1):
    kernel = np.stack([np.eye(K)] * R)
    m, v, t = np.zeros_like(kernel), np.zeros_like(kernel), 0
    for begin in [*range(0, len(F), BATCH)] * epochs:
        batch = slice(begin, begin + BATCH)
        g, t = gradient(kernel, F[batch].astype(float), IDS[batch], ANSWERS[batch]), t + 1
        for r in set(IDS[batch].ravel()) - {-1}:
            m[r] = 0.9 * m[r] + 0.1 * g[r]
            v[r] = 0.999 * v[r] + 0.001 * g[r] ** 2
            kernel[r] -= rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m[r] / (np.sqrt(v[r]) + 1e-7)
    return kernel


def test_steps_are_those_of_adam_restricted_to_the_batch():
    model, crowd = crowd_model()
    fitted(model, lazy(model), epochs=3)
    kernel = keras.ops.convert_to_numpy(crowd.kernel).reshape(R, K, K)
    np.testing.assert_allclose(kernel, lazy_adam(epochs=3), rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(kernel[R - 1], np.eye(K))
    channels = [w for w in model.get_weights() if w.shape[:1] == (BATCH * SLOTS,)]
    assert len(channels) == 2
    assert not any(map(np.any, channels))


@pytest.mark.by_turns
@pytest.mark.parametrize("conn_type", ["MW", "CM", "VW+B"])
def test_with_all_annotators_in_every_batch_it_is_adam(conn_type):
    everybody = np.tile(np.arange(R, dtype="int32"), (len(F), 1))
    answers = np.random.default_rng(1).integers(-1, K, everybody.shape)
    found = []
    for max_batch_slots in (BATCH * R, None):
        dense = keras.layers.Dense(K, "softmax", kernel_initializer="identity")
        model, crowd = crowd_model(conn_type, max_batch_slots, below=[dense])
        optimizer = kc.optimizers.crowd_optimizer(model, keras.optimizers.Adam(0.01), learning_rate=0.1)
        model.compile(optimizer, loss=kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
        model.fit((F, everybody), answers, batch_size=BATCH, epochs=2, shuffle=False, verbose=0)
        found.append((dense.get_weights(), crowd.confusion()))
    (weights, confusion), (expected_weights, expected) = found
    np.testing.assert_allclose(confusion, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(weights[0], expected_weights[0], rtol=1e-3, atol=1e-4)


def test_an_ordinary_optimizer_trains_as_without_it():
    found = []
    for max_batch_slots in (BATCH * SLOTS, None):
        model, crowd = crowd_model(max_batch_slots=max_batch_slots)
        fitted(model, keras.optimizers.SGD(0.5))
        found.append(crowd.confusion())
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-6)


def test_training_can_be_saved_and_resumed(tmp_path):
    model, _ = crowd_model("CM")
    fitted(model, lazy(model, learning_rate=0.05)).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for trained in (model, loaded):
        trained.fit((F, IDS), ANSWERS, batch_size=BATCH, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_files_know_nothing_of_the_size_of_a_batch(tmp_path):
    model, crowd = crowd_model("VW+B")
    fitted(model, lazy(model))
    model.save_weights(tmp_path / "of.weights.h5")
    for slots in (BATCH * SLOTS + 5, None):
        other, its_crowd = crowd_model("VW+B", slots)
        other.load_weights(tmp_path / "of.weights.h5")
        np.testing.assert_array_equal(its_crowd.confusion(), crowd.confusion())
    with pytest.raises(ValueError, match=r"must have 2 parameters.*Received: 3"):
        crowd_model("VW+B")[1].annotators.load_own_variables({"0": 0, "1": 0, "2": 0})


def test_config_comes_back():
    optimizer = kc.optimizers.LazyAdam(0.02, beta_1=0.8, beta_2=0.99, epsilon=1e-5, name="crowd")
    again = kc.optimizers.LazyAdam.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()


@pytest.mark.parametrize("argument", ["weight_decay", "clipnorm", "use_ema"])
def test_what_concerns_all_annotators_is_refused(argument):
    with pytest.raises(ValueError, match=f"`{argument}` is not for `LazyAdam`"):
        kc.optimizers.LazyAdam(**{argument: True if argument == "use_ema" else 0.1})


def test_other_optimizers_and_variables_are_refused():
    model, _ = crowd_model()
    with pytest.raises(ValueError, match=r"must be an `Adam`.*Received: SGD"):
        kc.optimizers.crowd_optimizer(model, keras.optimizers.SGD(0.1))
    with pytest.raises(ValueError, match=r"must be an `Adam`.*Received: Adam with amsgrad=True"):
        kc.optimizers.crowd_optimizer(model, keras.optimizers.Adam(amsgrad=True))
    by_name = kc.optimizers.crowd_optimizer(model, "adam")
    assert {type(part).__name__ for part in by_name.optimizers} == {"Adam", "LazyAdam"}
    dense = keras.layers.Dense(2)
    dense.build((None, 2))
    with pytest.raises(
        ValueError, match=r"crowd layer with `max_batch_slots` and no others.*Received: .*kernel"
    ):
        kc.optimizers.LazyAdam().build(dense.trainable_variables)


def test_too_many_slots_and_no_slots_are_refused():
    model, _ = crowd_model(max_batch_slots=5)
    with pytest.raises(ValueError, match=r"at least the batch size.* 24"):
        model((F[:8], IDS[:8]), training=True)
    layer = kc.layers.CrowdsClassification(R, max_batch_slots=5)
    with pytest.raises(ValueError, match="`annotators` must be given in training"):
        layer(F, training=True)
    with pytest.raises(ValueError, match=r"`max_batch_slots` is for models compiled with a crowd loss"):
        crowd_model("CM")[1].log_confusion(IDS, training=True)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"max_batch_slots": 0},
        {
            "max_batch_slots": 5,
            "conn_type": "CM",
            "confusion_regularizer": kc.regularizers.ConfusionTrace(0.1),
        },
        {"max_batch_slots": 5, "num_annotators": 2**24},
    ],
)
def test_layer_refuses_what_cannot_go_with_it(kwargs):
    with pytest.raises(ValueError, match="max_batch_slots"):
        kc.layers.CrowdsClassification(**{"num_annotators": R, **kwargs})


def trained_on_everybody(crowd, x, answers):
    """A regressor below a crowd layer with lazy steps, every annotator in a slot of every item."""
    keras.utils.set_random_seed(0)
    inputs, ids = keras.Input((1,)), keras.Input((None,), dtype="int32")
    model = keras.Model([inputs, ids], crowd(keras.layers.Dense(1)(inputs), annotators=ids))
    optimizer = kc.optimizers.crowd_optimizer(model, keras.optimizers.Adam(0.03))
    model.compile(optimizer, crowd.answer_losses[0](), jit_compile=XLA)
    everybody = np.tile(np.arange(answers.shape[1], dtype="int32"), (len(x), 1))
    steps = np.tile(np.arange(len(x)), 300)
    model.fit((x[steps], everybody[steps]), answers[steps], batch_size=len(x), verbose=0)
    return crowd


@pytest.mark.by_turns
@pytest.mark.parametrize("learn_variance", [False, True])
def test_lazy_raters_are_found_and_their_convention_holds(learn_variance):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 1)).astype("float32")
    bias, counts = np.array([-1.0, 0.5, 0.0, 0.5]), [60] * 4
    noise = np.array([0.05, 0.05, 0.05, 0.8]) * rng.normal(size=(60, 4))
    crowd = kc.layers.CrowdsRegression(
        4, "B", learn_variance=learn_variance, answers_per_annotator=counts, max_batch_slots=240
    )
    trained_on_everybody(crowd, x, (2 * x + bias + noise).astype("float32"))
    np.testing.assert_allclose(crowd.bias()[:3], bias[:3] - np.mean(noise), atol=0.12)
    assert abs(np.mean(crowd.bias())) < 1e-5
    if learn_variance:
        assert np.argmax(crowd.variance()) == 3
        assert crowd.variance()[3] > 10 * crowd.variance()[:3].max()


@pytest.mark.only_under("torch")
def test_lazy_grades_are_given_by_strict_and_mild_annotators():
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, size=(80, 1)).astype("float32")
    level = np.array([-1.0, 0.0, 1.0])
    grades = np.clip(np.round(1.5 + x - level + 0.2 * rng.normal(size=(80, 3))), 0, 3).astype("int32")
    crowd = trained_on_everybody(kc.layers.CrowdsOrdinal(3, 4, max_batch_slots=240), x, grades)
    thresholds = crowd.thresholds()
    assert np.all(np.diff(thresholds.mean(axis=1)) > 0.5)
    np.testing.assert_allclose(thresholds.mean(), 1.5, rtol=1e-5)
    np.testing.assert_allclose(np.mean(thresholds[:, -1] - thresholds[:, 0]), 2, rtol=1e-5)


def test_regularizers_of_all_raters_cannot_go_with_lazy_steps():
    with pytest.raises(ValueError, match=r"`bias_regularizer`.* cannot go with `max_batch_slots`"):
        kc.layers.CrowdsRegression(3, "B", bias_regularizer="l2", max_batch_slots=4)
