"""`CrowdsRegression`: values against the loops of `references.py`, the convention, recovery, and its limits."""

import keras
import numpy as np
import pytest
import references
from conftest import XLA
from contracts import RATING_CONN_TYPES, SLOTS, numbers
from keras import ops as kops

import keras_crowd as kc

conn_types = pytest.mark.parametrize("conn_type", RATING_CONN_TYPES)
COUNTS = [3, 1, 0, 2, 5]
VARIANCES = {"learn_variance": True, "answers_per_annotator": COUNTS}


def as_numpy(tensor):
    return kops.convert_to_numpy(tensor)


def random_layer(conn_type, targets=1, seed=0, **kwargs):
    layer = kc.layers.CrowdsRegression(5, conn_type, **{"answers_per_annotator": COUNTS, **kwargs})
    layer.build((None, targets))
    rng = np.random.default_rng(seed)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(size=weight.shape))
    return layer


def reference_parameters(layer, conn_type, target, weights=COUNTS):
    raw = [
        as_numpy(layer.annotators[name])[:, target].astype(float)
        if name in layer.annotators.names()
        else np.ones(5)
        for name in ("scale", "bias")
    ]
    return references.settled(conn_type, *raw, weights)


@conn_types
@pytest.mark.parametrize("targets", [1, 2])
def test_answers_are_those_of_the_loops(conn_type, targets):
    layer, x = random_layer(conn_type, targets), numbers(4, targets)
    answers = as_numpy(layer(x)).reshape(4, 5, targets)
    for t in range(targets):
        scale, bias = reference_parameters(layer, conn_type, t)
        np.testing.assert_allclose(layer.scale().reshape(5, -1)[:, t], scale, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(layer.bias().reshape(5, -1)[:, t], bias, rtol=1e-5, atol=1e-6)
        for i, r in np.ndindex(4, 5):
            expected = references.expected_rating(conn_type, x[i, t], scale[r], bias[r])
            assert answers[i, r, t] == pytest.approx(expected, rel=1e-4, abs=1e-5)


@conn_types
@pytest.mark.parametrize("targets", [1, 2])
@pytest.mark.parametrize("kwargs", [{}, VARIANCES], ids=["means", "variances"])
def test_slots_are_the_columns_of_their_annotators(conn_type, targets, kwargs):
    layer, x = random_layer(conn_type, targets, **kwargs), numbers(4, targets)
    dense, slots = as_numpy(layer(x)), as_numpy(layer(x, annotators=SLOTS))
    for i, s in np.argwhere(SLOTS >= 0):
        np.testing.assert_allclose(slots[i, s], dense[i, SLOTS[i, s]], rtol=1e-6)


@conn_types
@pytest.mark.parametrize("weights", [COUNTS, None], ids=["by answers", "alike"])
def test_mean_answer_is_the_prediction_of_the_stripped_model(conn_type, weights):
    layer, x = random_layer(conn_type, answers_per_annotator=weights), numbers(7, 1)
    mean = np.average(as_numpy(layer(x)), axis=1, weights=weights)
    np.testing.assert_allclose(mean, x[:, 0], rtol=1e-4, atol=1e-5)
    assert np.average(layer.scale(), weights=weights) == pytest.approx(1, rel=1e-5)
    factors = layer.scale() if conn_type == "B+S" else 1.0
    assert np.average(factors * layer.bias(), weights=weights) == pytest.approx(0, abs=1e-5)


def crowd(items, num_annotators=12, answers_per_item=6, seed=0):
    """Items of one feature, and annotators of known scale, bias and spread."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(items, 1)).astype("float32")
    truth = 2.0 * x[:, 0] + 1.0
    scale = rng.uniform(0.6, 1.4, num_annotators)
    bias = rng.normal(scale=0.7, size=num_annotators)
    std = rng.choice([0.2, 1.5], num_annotators)
    answers = scale * truth[:, None] + bias + std * rng.normal(size=(items, num_annotators))
    hidden = rng.random(answers.shape).argsort(axis=1) >= answers_per_item
    answers[hidden] = np.nan
    return x, truth, scale, bias, std, answers.astype("float32")


def learned(x, answers, conn_type="S+B", epochs=60, **kwargs):
    counts = np.sum(~np.isnan(answers), axis=0)
    layer = kc.layers.CrowdsRegression(
        answers.shape[1], conn_type, answers_per_annotator=counts, learn_variance=True, **kwargs
    )
    regressor = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model = keras.Sequential([regressor, layer])
    model.compile(keras.optimizers.Adam(0.1), kc.losses.MaskedCrowdGaussian(), jit_compile=XLA)
    model.fit(x, answers, batch_size=len(x) // 4, epochs=epochs, verbose=0)
    return regressor, layer, counts


@pytest.mark.only_under("torch")
def test_recovers_scale_bias_and_variance_as_answers_grow():
    errors = []
    for items in (60, 1500):
        x, truth, scale, bias, std, answers = crowd(items)
        regressor, layer, counts = learned(x, answers)
        level = np.average(scale, weights=counts)  # the convention: what all have in common is the model's
        predicted = regressor.predict(x, verbose=0)[:, 0]
        shift = np.average(bias, weights=counts)
        errors.append(
            [
                np.sqrt(np.mean((predicted - (level * truth + shift)) ** 2)),
                np.abs(layer.scale() - scale / level).max(),
                np.abs(layer.bias() - (bias - scale / level * shift)).max(),
                np.abs(np.log(layer.variance() / std**2)).max(),
            ]
        )
    assert np.all(np.array(errors[1]) < [0.04, 0.08, 0.15, 0.3]), errors
    assert np.all(np.array(errors[1]) < errors[0]), errors


@pytest.mark.only_under("torch")
def test_precise_annotators_count_for_more():
    x, _, _, _, std, answers = crowd(300)
    _, layer, _ = learned(x, answers)
    assert layer.precision()[std < 1].min() > 5 * layer.precision()[std > 1].max()
    np.testing.assert_allclose(layer.precision() * layer.variance(), 1, rtol=1e-5)


@pytest.mark.only_under("torch")
def test_annotators_with_one_rating_or_none_do_no_harm():
    x, *_, answers = crowd(200)
    answers[:, :2], answers[5] = np.nan, np.nan
    answers[7, 1] = 3.0
    regressor, layer, counts = learned(x, answers)
    assert counts[0] == 0
    assert counts[1] == 1
    common = float(np.exp(as_numpy(layer.common_log_variance)[0]))
    assert layer.variance()[0] == pytest.approx(common, rel=1e-3)
    assert (
        0.4 * common < layer.variance()[1] < 2 * common
    )  # its one rating is fitted, and imagined ones are not
    without = answers[:, 2:]
    alone = learned(x, without)[0].predict(x, verbose=0)
    np.testing.assert_allclose(regressor.predict(x, verbose=0), alone, atol=0.1)


@pytest.mark.only_under("torch")
def test_more_imagined_answers_hold_the_variances_together():
    x, *_, answers = crowd(60)
    loose = learned(x, answers, variance_strength=0.1)[1].variance()
    tight = learned(x, answers, variance_strength=1000.0)[1].variance()
    assert np.std(np.log(tight)) < 0.2 * np.std(np.log(loose))


@pytest.mark.only_under("torch")
def test_regularizers_draw_towards_one_and_zero():
    x, *_, answers = crowd(60)
    free = learned(x, answers)[1]
    l2 = keras.regularizers.L2(1.0)
    held = learned(x, answers, scale_regularizer=l2, bias_regularizer=l2)[1]
    assert np.std(held.scale()) < 0.5 * np.std(free.scale())
    assert np.std(held.bias()) < 0.7 * np.std(free.bias())


def test_starts_where_it_is_told_to():
    _, _, _, _, _, answers = crowd(300)
    found = kc.aggregation.raykar(answers)
    layer = kc.layers.CrowdsRegression(
        12,
        "B",
        bias_initializer=kc.initializers.PerAnnotator(found.bias),
        learn_variance=True,
        initial_variance=1 / found.precision,
        answers_per_annotator=np.sum(~np.isnan(answers), axis=0),
    )
    layer.build((None, 1))
    np.testing.assert_allclose(layer.bias(), found.bias, atol=1e-5)
    np.testing.assert_allclose(layer.precision(), found.precision, rtol=1e-4)


def test_freeze_holds_the_annotators():
    x, *_, answers = crowd(60)
    layer = kc.layers.CrowdsRegression(12, "S+B")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1), layer])
    model.compile("sgd", kc.losses.MaskedCrowdMeanSquaredError())
    model.fit(x, answers, verbose=0, callbacks=[kc.callbacks.CrowdFreeze(layer, epochs=1)])
    np.testing.assert_allclose(layer.scale(), 1, rtol=1e-6)
    np.testing.assert_allclose(layer.bias(), 0, atol=1e-6)
    model.fit(x, answers, verbose=0)
    assert np.ptp(layer.scale()) > 1e-4


def slot_model(num_features=1):
    regressor = keras.Sequential([keras.Input((num_features,)), keras.layers.Dense(1)])
    ids = keras.Input((None,), dtype="int32", name="annotators")
    layer = kc.layers.CrowdsRegression(5)
    model = keras.Model([*regressor.inputs, ids], layer(regressor.outputs[0], annotators=ids))
    return regressor, model


def test_strip_gives_the_regressor_of_dense_answers_and_of_slots():
    regressor, model = slot_model()
    stripped = kc.strip(model)
    assert stripped.name == "regressor"
    x = numbers(4, 1)
    np.testing.assert_array_equal(stripped.predict(x, verbose=0), regressor.predict(x, verbose=0))
    dense = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1), kc.layers.CrowdsRegression(5)])
    assert kc.strip(dense).output_shape == (None, 1)


def test_validate_takes_ratings_dense_and_on_slots():
    _, model = slot_model()
    answers = np.where(SLOTS < 0, np.nan, 0.5)
    kc.validate(model, (numbers(4, 1), SLOTS), answers)
    with pytest.raises(ValueError, match="an empty slot's answer in row 0"):
        kc.validate(model, (numbers(4, 1), SLOTS), np.ones((4, 3)))
    two = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), kc.layers.CrowdsRegression(5)])
    kc.validate(two, numbers(4, 3), np.ones((4, 5, 2)))


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (np.ones((4, 6)), r"`answers` must have shape \(4, 5\). Received: shape \(4, 6\)"),
        (np.ones((4, 5), int), r"floats with NaN for missing .* Received: dtype int64"),
        (np.full((4, 5), np.inf), r"finite numbers.* Received: 20 that are not, the first inf at \(0, 0\)"),
        (np.full((4, 5), np.nan), "at least one answer. Received: all missing"),
    ],
)
def test_validate_refuses(answers, message):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1), kc.layers.CrowdsRegression(5)])
    with pytest.raises(ValueError, match=message):
        kc.validate(model, numbers(4, 1), answers)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"MaskedCrowdMeanSquaredError\(\)`. Received: loss='mse'"):
        kc.validate(model, numbers(4, 1), np.ones((4, 5)))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"num_annotators": 0}, "`num_annotators` must be a positive integer. Received: num_annotators=0"),
        ({"conn_type": "MW"}, "`conn_type` must be one of 'S', .* Received: conn_type='MW'"),
        ({"learn_variance": 1}, "`learn_variance` must be a bool. Received: learn_variance=1"),
        ({"learn_variance": True}, "`answers_per_annotator` must be given with"),
        ({"answers_per_annotator": [1, 2]}, r"must be 5 numbers, .* Received: shape \(2,\)"),
        ({"answers_per_annotator": [0] * 5}, "not all 0. Received"),
        ({"answers_per_annotator": [-1, 1, 1, 1, 1]}, "none negative .* lowest -1"),
        (
            {"initial_variance": 0.0},
            "`initial_variance` must be positive and finite. Received: initial_variance=0.0",
        ),
        ({"initial_variance": [1.0, 2.0]}, r"a number or broadcast to \(annotators,\) = \(5,\)"),
        (
            {"variance_strength": 0},
            "`variance_strength` must be a number above 0",
        ),
    ],
)
def test_bad_arguments_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        kc.layers.CrowdsRegression(**{"num_annotators": 5, **kwargs})


def test_bad_inputs_are_refused():
    layer = kc.layers.CrowdsRegression(5)
    with pytest.raises(
        ValueError, match=r"`x` must have shape \(batch, targets\).* Received: shape \(4,\)"
    ):
        layer(numbers(4))
    with pytest.raises(ValueError, match=r"`annotators` must have shape \(batch, slots\)"):
        kc.layers.CrowdsRegression(5)(numbers(4, 1), annotators=np.zeros((4, 2, 2), "int32"))
    with pytest.raises(ValueError, match="`annotators` must be integers"):
        kc.layers.CrowdsRegression(5)(numbers(4, 1), annotators=np.zeros((4, 2), "float32"))
    with pytest.raises(ValueError, match="must be built"):
        kc.layers.CrowdsRegression(5).scale()
    with pytest.raises(ValueError, match="Variances need `learn_variance=True`"):
        random_layer("S").variance()


def test_unknown_annotator_is_seen():
    answers = as_numpy(random_layer("S+B")(numbers(2, 1), annotators=np.array([[0, 5], [-1, 4]], "int32")))
    assert np.isnan(answers[0, 1])
    assert np.isfinite(answers[[0, 1, 1], [0, 0, 1]]).all()


def test_starts_of_another_size_or_not_finite_are_refused():
    start = kc.initializers.PerAnnotator([1.0, 2.0])
    with pytest.raises(ValueError, match=r"`values` must be of 5 annotators, .* Received: shape \(2,\)"):
        kc.layers.CrowdsRegression(5, bias_initializer=start).build((None, 1))
    with pytest.raises(
        ValueError, match=r"`values` must be finite, .* Received: shape \(2,\), 1 not finite"
    ):
        kc.initializers.PerAnnotator([1.0, np.nan])
