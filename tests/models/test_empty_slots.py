"""Answers in slots without an annotator train nobody; and layers too narrow to hold a logarithm."""

import keras
import numpy as np
import pytest
from test_chain_models import IDS, TOKENS, hidden_crf, loss_of, slot_answers
from test_joint_model import X, joint, loss

import keras_crowd as kc

ids = np.array([[0, 1], [-1, 2], [3, -1]], "int32")
ANSWERS = np.array([[0, 1], [2, 1], [0, 2]])
LAYERS = [
    (kc.layers.CrowdsClassification, {"conn_type": c}, 3) for c in ("MW", "VW", "VB", "VW+B", "SW", "CM")
] + [
    (kc.layers.CrowdsOrdinal, {"num_classes": 3}, 1),
    (kc.layers.CrowdsRegression, {}, 1),
    (kc.layers.CrowdsRegression, {"learn_variance": True, "answers_per_annotator": [2, 2, 1, 1]}, 1),
]


def after_training(layer, units, answers):
    keras.utils.set_random_seed(0)
    x, annotators = keras.Input((2,)), keras.Input((2,), dtype="int32")
    below = keras.layers.Dense(units, "softmax" if units > 1 else None)(x)
    model = keras.Model([x, annotators], layer(below, annotators=annotators))
    rating = isinstance(layer, kc.layers.CrowdsRegression)
    losses = {
        False: "CrossEntropy",
        True: "Gaussian" if rating and layer.learn_variance else "MeanSquaredError",
    }
    model.compile(keras.optimizers.SGD(1.0), getattr(kc.losses, f"MaskedCrowd{losses[rating]}")())
    features = np.array([[1, 2], [3, 4], [5, 6]], "float32") / 10
    given = answers.astype("float32") if rating else answers
    history = model.fit([features, ids], given, verbose=0, epochs=2)
    return [*model.get_weights(), np.array(history.history["loss"])]


@pytest.mark.by_turns
@pytest.mark.parametrize(("cls", "kwargs", "units"), LAYERS)
def test_answer_in_an_empty_slot_trains_nobody(cls, kwargs, units):
    missing = np.nan if cls is kc.layers.CrowdsRegression else -1
    found = after_training(cls(4, **kwargs), units, ANSWERS)
    expected = after_training(cls(4, **kwargs), units, np.where(ids < 0, missing, ANSWERS))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


def test_likelihoods_leave_out_answers_in_empty_slots():
    annotators, answers = np.tile(ids, (4, 1)), np.tile(ANSWERS, (4, 1))
    without = np.where(annotators < 0, -1, answers)
    model = joint(slots=True)
    assert loss(model, (X, annotators), answers[:12]) == pytest.approx(
        loss(model, (X, annotators), without), rel=1e-6
    )
    chain, tags = hidden_crf(), slot_answers()
    wrong = np.where((IDS < 0)[:, None], 1, tags)
    assert loss_of(chain, [TOKENS, IDS], wrong) == pytest.approx(
        loss_of(chain, [TOKENS, IDS], tags), rel=1e-6
    )
    np.testing.assert_allclose(chain.posterior([TOKENS, IDS], wrong), chain.posterior([TOKENS, IDS], tags))


def test_layers_compute_in_float32_where_float16_is_the_default():
    keras.config.set_dtype_policy("float16")
    layer = kc.layers.CrowdsClassification(2, "CM")
    layer.build((None, 2))
    layer.kernel.assign(np.array([[60.0, -60.0, -60.0, 60.0]] * 2))
    f = np.array([[1.0, 0.0]], "float32")
    assert np.isfinite(keras.ops.convert_to_numpy(layer(f))).all()
    assert {weight.dtype for weight in layer.weights} == {"float32"}


@pytest.mark.parametrize("dtype", ["float16", "mixed_float16", keras.DTypePolicy("float16")])
@pytest.mark.parametrize(
    "make",
    [
        lambda dtype: kc.layers.CrowdsClassification(2, "CM", dtype=dtype),
        lambda dtype: kc.layers.CrowdsOrdinal(2, 3, dtype=dtype),
        lambda dtype: kc.layers.CrowdsRegression(2, dtype=dtype),
        lambda dtype: kc.layers.LinearChainCRF(dtype=dtype),
    ],
)
def test_layers_that_compute_in_float16_are_refused(make, dtype):
    with pytest.raises(ValueError, match=r"`dtype` must not compute in float16.* Received: dtype="):
        make(dtype)
