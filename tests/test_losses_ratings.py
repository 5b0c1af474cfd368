"""Losses and metrics of numeric answers against the loops of `references.py`."""

import keras
import numpy as np
import pytest
import references
from conftest import XLA
from gradients import value_and_gradients

import keras_crowd as kc

ERRORS = {
    "squared": (kc.losses.MaskedCrowdMeanSquaredError(), lambda e: e**2),
    "absolute": (kc.losses.MaskedCrowdMeanAbsoluteError(), abs),
    "Huber": (
        kc.losses.MaskedCrowdHuber(delta=0.7),
        lambda e: e**2 / 2 if abs(e) <= 0.7 else 0.7 * (abs(e) - 0.35),
    ),
}
gaussian = kc.losses.MaskedCrowdGaussian()
every_loss = pytest.mark.parametrize("name", [*ERRORS, "Gaussian"])
jit = pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.skipif(not XLA, reason="no XLA"))]
)


def problem(shape=(6, 5), seed=0):
    rng = np.random.default_rng(seed)
    answers = rng.normal(size=shape).astype("float32")
    answers[rng.random(shape) < 0.5] = np.nan
    answers[0], answers[1, 0] = np.nan, 0.5  # an item that nobody rated, and one that somebody did
    return answers, rng.normal(scale=2.0, size=(*shape, 2)).astype("float32")


def of(name, predictions):
    """The loss and the predictions it takes."""
    return (gaussian, predictions) if name == "Gaussian" else (ERRORS[name][0], predictions[..., 0])


def reference(name, answers, predictions, weights=None):
    predictions = predictions.astype(float)
    if name == "Gaussian":
        return references.gaussian_nats(answers, predictions[..., 0], predictions[..., 1], weights)
    return references.rating_loss(ERRORS[name][1], answers, predictions[..., 0], weights)


@every_loss
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3)])
def test_value_is_the_weighted_mean_over_observed_answers(name, shape):
    answers, predictions = problem(shape)
    loss, y = of(name, predictions)
    assert float(loss(answers, y)) == pytest.approx(reference(name, answers, predictions), rel=1e-5)
    weights = np.array([1.0, 0.0, 2.0, 3.0, 1.0, 0.5])
    expected = reference(name, answers, predictions, weights)
    assert float(loss(answers, y, sample_weight=weights)) == pytest.approx(expected, rel=1e-5)


@every_loss
def test_sums_are_plain_sums(name):
    answers, predictions = problem()
    loss, y = of(name, predictions)
    total = reference(name, answers, predictions) * (~np.isnan(answers)).sum()
    config = {**loss.get_config(), "reduction": "sum"}
    assert float(type(loss).from_config(config)(answers, y)) == pytest.approx(total, rel=1e-5)


@every_loss
def test_masked_equals_subset_in_value_and_gradient(name):
    answers, predictions = problem()
    loss, y = of(name, predictions)
    seen = ~np.isnan(answers)
    value, (gradient,) = value_and_gradients(lambda z: loss(answers, z), y)
    subset, (subset_gradient,) = value_and_gradients(
        lambda z: loss(answers[seen][:, None], z), y[seen][:, None]
    )
    assert value == pytest.approx(subset, rel=1e-6)
    np.testing.assert_allclose(gradient[seen], subset_gradient[:, 0], rtol=1e-5, atol=1e-7)
    assert np.all(gradient[~seen] == 0.0)


@every_loss
@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf, 1e30])
def test_what_stands_at_a_missing_answer_reaches_nothing(name, poison):
    answers, predictions = problem()
    loss, y = of(name, predictions)
    expected_value, (expected_gradient,) = value_and_gradients(lambda z: loss(answers, z), y)
    missing = np.isnan(answers) if name != "Gaussian" else np.isnan(answers)[..., None]
    poisoned = np.where(missing, poison, y).astype("float32")
    value, (gradient,) = value_and_gradients(lambda z: loss(answers, z), poisoned)
    assert value == pytest.approx(expected_value)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-6)


@every_loss
def test_batch_without_answers_is_zero_with_zero_gradient(name):
    answers, predictions = problem()
    loss, y = of(name, predictions)
    value, (gradient,) = value_and_gradients(lambda z: loss(np.full_like(answers, np.nan), z), y)
    assert value == 0.0
    assert np.all(gradient == 0.0)


@every_loss
@jit
def test_fit_survives_items_and_batches_nobody_rated(name, jit_compile):
    answers, _ = problem((12, 5))
    answers[4:8] = np.nan  # a whole batch
    learn = {"learn_variance": True, "answers_per_annotator": np.sum(~np.isnan(answers), axis=0)}
    crowd = kc.layers.CrowdsRegression(5, "S+B", **(learn if name == "Gaussian" else {}))
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1), crowd])
    loss = gaussian if name == "Gaussian" else ERRORS[name][0]
    model.compile("adam", loss, jit_compile=jit_compile)
    x = np.random.default_rng(1).normal(size=(12, 2))
    history = model.fit(x, answers, batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert history[-1] < history[0]


@jit
def test_training_on_nothing_changes_nothing(jit_compile):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1), kc.layers.CrowdsRegression(5)])
    model.compile("sgd", kc.losses.MaskedCrowdMeanSquaredError(), jit_compile=jit_compile)
    before = model.get_weights()
    history = model.fit(np.ones((6, 2)), np.full((6, 5), np.nan), verbose=0)
    assert history.history["loss"] == [0.0]
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@jit
def test_metrics_equal_the_loops_in_fit(jit_compile):
    answers, _ = problem((11, 5))
    crowd = kc.layers.CrowdsRegression(5, learn_variance=True, answers_per_annotator=[1, 2, 3, 4, 5])
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1), crowd])
    metrics = [kc.metrics.CrowdRootMeanSquaredError(), kc.metrics.CrowdGaussianCrossEntropy()]
    model.compile(loss=gaussian, metrics=metrics, jit_compile=jit_compile)
    x = np.random.default_rng(1).normal(size=(11, 2))
    y = model.predict(x, verbose=0).astype(float)
    found = model.evaluate(x, answers, batch_size=4, verbose=0, return_dict=True)
    squared = references.rating_loss(lambda e: e**2, answers, y[..., 0])
    assert found["crowd_root_mean_squared_error"] == pytest.approx(np.sqrt(squared), rel=1e-5)
    nats = references.gaussian_nats(answers, y[..., 0], y[..., 1])
    assert found["crowd_gaussian_cross_entropy"] == pytest.approx(nats, rel=1e-5)


def test_error_losses_use_the_means_of_a_layer_with_variances():
    answers, predictions = problem()
    for loss, _ in ERRORS.values():
        assert float(loss(answers, predictions)) == float(loss(answers, predictions[..., 0]))


@pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 4), (6, 5, 1), (6, 5, 3)])
def test_answers_of_another_shape_are_refused_and_not_broadcast(shape):
    predictions = problem()[1][..., 0]
    for measure in (ERRORS["squared"][0], kc.metrics.CrowdRootMeanSquaredError()):
        with pytest.raises(ValueError, match=r"Answers must have shape .* Received: answers of shape"):
            measure(np.zeros(shape, "float32"), predictions)


def test_likelihood_needs_variances():
    answers, predictions = problem()
    with pytest.raises(ValueError, match=r"must have a last axis \(mean, log variance\)"):
        gaussian(answers, predictions[..., 0])


@pytest.mark.parametrize("delta", [0, -1, np.nan, np.inf])
def test_delta_must_be_positive(delta):
    with pytest.raises(ValueError, match=r"`delta` must be a number above 0, finite. Received: delta="):
        kc.losses.MaskedCrowdHuber(delta)
