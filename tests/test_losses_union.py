"""`UnionCrossEntropy`: one distribution over the answers of all annotators, against loops."""

import keras
import numpy as np
import pytest
import references
from conftest import XLA
from gradients import value_and_gradients

import keras_crowd as kc

RNG = np.random.default_rng(0)
N, R, K = 6, 4, 3
ANSWERS = RNG.integers(-1, K, (N, R))
ANSWERS[2] = -1
LOGITS = RNG.normal(scale=2.0, size=(N, R, K)).astype("float32")
loss = kc.losses.UnionCrossEntropy()


def by_loops(answers, logits):
    """The mean over the answers, of `K` in a row for each annotator."""
    values = []
    for row, z in zip(answers, logits.astype(float), strict=True):
        union = references.softmax(z.ravel())
        values += [-np.log(union[K * r + answer]) for r, answer in enumerate(row) if answer >= 0]
    return np.mean(values)


def test_value_is_that_of_the_loops():
    expected = by_loops(ANSWERS, LOGITS)
    assert float(loss(ANSWERS, LOGITS)) == pytest.approx(expected, rel=1e-5)
    soft = (ANSWERS[..., None] == np.arange(K)).astype("float32")
    assert float(loss(soft, LOGITS)) == pytest.approx(expected, rel=1e-5)


def test_annotators_who_are_equally_likely_to_answer_leave_the_loss_of_single_answers():
    normalized = np.log(references.softmax(LOGITS))
    expected = float(kc.losses.MaskedCrowdCrossEntropy()(ANSWERS, LOGITS)) + np.log(R)
    assert float(loss(ANSWERS, normalized)) == pytest.approx(expected, rel=1e-5)


def test_gradient_is_the_union_less_the_answers():
    _, (gradient,) = value_and_gradients(lambda z: loss(ANSWERS, z), LOGITS)
    given = (ANSWERS[..., None] == np.arange(K)).astype(float)
    union = references.softmax(LOGITS.reshape(N, -1)).reshape(LOGITS.shape)
    expected = (union * given.sum(axis=(1, 2), keepdims=True) - given) / given.sum()
    np.testing.assert_allclose(gradient, expected, atol=1e-6)
    nothing, (none,) = value_and_gradients(lambda z: loss(np.full((N, R), -1), z), LOGITS)
    assert nothing == 0
    assert np.all(none == 0)


def test_trains_on_dense_answers():
    x = RNG.normal(size=(N, 5)).astype("float32")
    classifier = keras.Sequential([keras.Input((5,)), keras.layers.Dense(K, "softmax")])
    model = kc.crowd_model(classifier, kc.layers.CrowdsClassification(R, "MW"))
    model.compile("sgd", loss=loss, metrics=[kc.metrics.CrowdAccuracy()], jit_compile=XLA)
    first = by_loops(ANSWERS, model.predict(x, verbose=0))
    history = model.fit(x, ANSWERS, batch_size=N, verbose=0)
    assert history.history["loss"][0] == pytest.approx(first, rel=1e-4)
