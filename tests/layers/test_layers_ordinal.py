"""`CrowdsOrdinal`: values against the loops of `references.py`, the convention, recovery, and its limits."""

import keras
import numpy as np
import pytest
import references
from conftest import XLA, Epochs
from contracts import SLOTS, numbers
from gradients import value_and_gradients
from keras import ops as kops

import keras_crowd as kc

COUNTS = [3, 1, 0, 2, 5]


def as_numpy(tensor):
    return kops.convert_to_numpy(tensor)


def random_layer(num_classes=5, **kwargs):
    layer = kc.layers.CrowdsOrdinal(5, num_classes, **kwargs)
    layer.build((None, 1))
    rng = np.random.default_rng(0)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return layer


@pytest.mark.parametrize("num_classes", [2, 3, 7])
def test_probabilities_are_those_of_the_loops(num_classes):
    layer, x = random_layer(num_classes), numbers(4, 1) + 1
    slope = float(np.exp(as_numpy(layer.log_slope)))
    found = np.exp(as_numpy(layer(x)))
    for i, r in np.ndindex(4, 5):
        expected = references.grade_probabilities(x[i, 0], layer.thresholds()[r], slope)
        np.testing.assert_allclose(found[i, r], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-5)


def test_slots_are_the_columns_of_their_annotators():
    layer, x = random_layer(), numbers(4, 1)
    dense, slots = as_numpy(layer(x)), as_numpy(layer(x, annotators=SLOTS))
    for i, s in np.argwhere(SLOTS >= 0):
        np.testing.assert_allclose(slots[i, s], dense[i, SLOTS[i, s]], rtol=1e-6)


@pytest.mark.parametrize("counts", [COUNTS, None])
@pytest.mark.parametrize("num_classes", [2, 5])
def test_thresholds_are_ordered_and_between_the_codes_on_average(num_classes, counts):
    thresholds = random_layer(num_classes, answers_per_annotator=counts).thresholds()
    assert np.all(np.diff(thresholds) > 0)
    mean = np.average(thresholds, axis=0, weights=counts)
    assert mean.mean() == pytest.approx((num_classes - 1) / 2, rel=1e-5)
    if num_classes > 2:
        assert mean[-1] - mean[0] == pytest.approx(num_classes - 2, rel=1e-5)


@pytest.mark.parametrize("score", [-1e4, -100.0, 100.0, 1e4])
def test_far_scores_have_finite_values_and_gradients(score):
    layer = random_layer()

    def loss(x):
        return -kops.sum(layer(x))

    value, (gradient,) = value_and_gradients(loss, np.array([[score]], "float32"))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.only_under("torch")
def test_recovers_thresholds_and_scores():
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, (2000, 1)).astype("float32")
    score = 1.5 + x[:, 0]
    true = np.array([[0.5, 1.5, 2.5], [0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [0.0, 1.5, 3.0], [1.0, 1.5, 2.0]])
    at_most = 1 / (1 + np.exp(-4.0 * (true[None] - score[:, None, None])))
    answers = np.sum(rng.random((2000, 5, 1)) > at_most, axis=-1)
    answers[rng.random(answers.shape) < 0.4] = -1
    answers[0] = -1  # nobody rated it
    layer = kc.layers.CrowdsOrdinal(5, 4, answers_per_annotator=np.sum(answers >= 0, axis=0))
    regressor = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model = keras.Sequential([regressor, layer])
    model.compile(keras.optimizers.Adam(0.05), kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    kc.validate(model, x, answers)
    model.fit(Epochs(x, answers, 500, epochs=60), verbose=0)
    np.testing.assert_allclose(layer.thresholds(), true, atol=0.25)
    predicted = kc.strip(model).predict(x, verbose=0)[:, 0]
    assert np.sqrt(np.mean((predicted - score) ** 2)) < 0.12


def test_freeze_holds_the_thresholds():
    layer = kc.layers.CrowdsOrdinal(5, 4)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1), layer])
    model.compile("sgd", kc.losses.MaskedCrowdCrossEntropy())
    answers = np.random.default_rng(0).integers(0, 4, (8, 5))
    model.fit(numbers(8, 1), answers, verbose=0, callbacks=[kc.callbacks.CrowdFreeze(layer, epochs=1)])
    np.testing.assert_allclose(layer.thresholds(), [[0.5, 1.5, 2.5]] * 5, rtol=1e-5)
    model.fit(numbers(8, 1), answers, verbose=0)
    assert np.ptp(layer.thresholds()[:, 0]) > 1e-4


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"num_annotators": 0}, "`num_annotators` must be a positive integer"),
        ({"num_classes": 1}, "`num_classes` must be an integer at least 2. Received: num_classes=1"),
        (
            {"initial_slope": 0},
            "`initial_slope` must be a number above 0, finite. Received: initial_slope=0",
        ),
        ({"answers_per_annotator": [1]}, r"`answers_per_annotator` must be 5 numbers"),
    ],
)
def test_bad_arguments_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        kc.layers.CrowdsOrdinal(**{"num_annotators": 5, "num_classes": 4, **kwargs})


def test_bad_inputs_are_refused():
    with pytest.raises(ValueError, match=r"`x` must have shape \(batch, 1\).* Received: shape \(4, 2\)"):
        kc.layers.CrowdsOrdinal(5, 4)(numbers(4, 2))
    with pytest.raises(ValueError, match="must be built"):
        kc.layers.CrowdsOrdinal(5, 4).thresholds()
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1), kc.layers.CrowdsOrdinal(5, 4)])
    with pytest.raises(ValueError, match="class codes 0 to 3"):
        kc.validate(model, numbers(4, 1), np.full((4, 5), 4))
    with pytest.raises(ValueError, match="Received: conn_type='CrowdsOrdinal'"):
        kc.align_classes(model, numbers(4, 1), np.zeros((4, 5), int))
