"""`MaxMIG`: the gain against loops over pairs of items, its limits, and what it learns."""

import keras
import numpy as np
import pytest
import references
from conftest import XLA
from keras import ops as kops

import keras_crowd as kc
from keras_crowd import ops

N, R, K, D = 9, 4, 3, 5
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, D)).astype("float32")
ANSWERS = RNG.integers(-1, K, (N, R))
ANSWERS[0] = -1
WEIGHT = RNG.uniform(0.5, 2.0, N)


def built(slots=False, logits=False):
    keras.utils.set_random_seed(1)
    below = keras.Sequential([keras.Input((D,)), keras.layers.Dense(K, None if logits else "softmax")])
    model = kc.models.MaxMIG(below, R, from_logits=logits, slots=slots)
    for variable in (model.kernel, model.bias):
        variable.assign(np.random.default_rng(2).normal(size=variable.shape))
    model.prior.assign([0.5, 0.3, 0.2])
    model.compile("sgd", jit_compile=XLA)
    return model


def aggregated(model, answers):
    kernel = kops.convert_to_numpy(model.kernel).reshape(R, K, K)
    scores = [
        kops.convert_to_numpy(model.bias)
        + sum((kernel[r, :, row[r]] for r in np.flatnonzero(row >= 0)), np.zeros(K))
        for row in answers
    ]
    return references.softmax(np.array(scores))


def by_loops(f, g, prior, weight):
    of_items = of_pairs = total = pairs = 0.0
    for i in range(len(f)):
        total += weight[i]
        of_items += weight[i] * (1 + np.log(sum(f[i] * g[i] / prior)))
        for j in range(len(f)):
            if i != j:
                pairs += weight[i] * weight[j]
                of_pairs += weight[i] * weight[j] * sum(f[i] * g[j] / prior)
    return of_items / total - of_pairs / pairs


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weight"])
@pytest.mark.parametrize("slots", [False, True], ids=["dense", "slots"])
def test_loss_is_minus_the_gain_of_the_loops(slots, weight):
    model = built(slots, logits=slots)
    x, y = X, ANSWERS
    if slots:
        ids, y = kc.Annotations.from_dense(ANSWERS, classes=range(K)).slots()
        x = [X, ids]
    f = model.predict(x, verbose=0)
    f = references.softmax(f) if slots else f
    answered = (ANSWERS >= 0).any(axis=1) * (1 if weight is None else weight)
    expected = -by_loops(f, aggregated(model, ANSWERS), np.array([0.5, 0.3, 0.2]), answered)
    assert model.evaluate(x, y, batch_size=N, sample_weight=weight, verbose=0) == pytest.approx(
        expected, rel=1e-4, abs=1e-5
    )
    np.testing.assert_allclose(model.aggregate(ANSWERS), aggregated(model, ANSWERS), rtol=1e-4)


def test_the_gain_is_the_information_of_two_views_that_agree_and_zero_of_independent_ones():
    sure = np.eye(K, dtype="float32")[np.repeat(np.arange(K), 200)]
    prior, ones = np.full(K, 1 / K, "float32"), np.ones(len(sure), "float32")
    gain = ops.mutual_information_gain(*map(kops.array, (sure, sure, prior, ones)))
    assert float(gain) == pytest.approx(np.log(K), abs=0.01)
    nothing = np.full_like(sure, 1 / K)
    gain = ops.mutual_information_gain(*map(kops.array, (nothing, sure, prior, ones)))
    assert float(gain) == pytest.approx(0, abs=1e-5)
    alone = ops.mutual_information_gain(*map(kops.array, (sure[:1], sure[:1], prior, 0 * ones[:1])))
    assert float(alone) == 0


def test_adapt_starts_from_dawid_skene():
    truth = RNG.integers(0, K, 200)
    answers = np.where(RNG.random((200, R)) < 0.7, truth[:, None], RNG.integers(-1, K, (200, R)))
    model = built()
    model.adapt(answers)
    found = kc.aggregation.dawid_skene(answers)
    # A thousandth of each confusion is spread, so that no answer is impossible.
    np.testing.assert_allclose(model.aggregate(answers), found.posterior, atol=0.02)
    assert float(kops.sum(model.prior)) == pytest.approx(1)


def test_it_saves_and_loads_and_leaves_a_plain_classifier(tmp_path):
    model = built()
    model.fit(X, ANSWERS, batch_size=4, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(loaded.aggregate(ANSWERS), model.aggregate(ANSWERS), rtol=1e-5)
    assert (loaded.num_annotators, loaded.slots, loaded.from_logits) == (R, False, False)
    assert type(model.classifier) is keras.Sequential
    assert all(np.isfinite(kops.convert_to_numpy(w)).all() for w in model.weights)


def test_errors():
    model = built()
    with pytest.raises(ValueError, match=r"at least one answer\. Received: "):
        model.adapt(np.full((3, R), -1))
    with pytest.raises(
        ValueError, match=r"`num_annotators` must be a positive integer\. Received: num_annotators=0"
    ):
        kc.models.MaxMIG(model.classifier, 0)
    model.compile("sgd", loss="mse")
    with pytest.raises(ValueError, match="must be compiled without a loss"):
        model.fit(X, ANSWERS, verbose=0)


@pytest.mark.only_under("torch")
def test_it_learns_although_two_annotators_copy_each_other():
    draw = np.random.default_rng(1)
    truth = draw.integers(0, K, 400)
    x = np.concatenate([4 * np.eye(K)[truth] + draw.normal(size=(400, K)), np.zeros((400, 2))], axis=1)
    answers = np.where(draw.random((400, R)) < 0.7, truth[:, None], draw.integers(0, K, (400, R)))
    answers[:, 1] = answers[:, 0]
    model = built()
    model.adapt(answers)
    model.compile(keras.optimizers.Adam(0.02))
    model.fit(x.astype("float32"), answers, epochs=15, batch_size=100, verbose=0)
    assert np.mean(model.predict(x, verbose=0).argmax(axis=1) == truth) > 0.95
    assert np.mean(model.aggregate(answers).argmax(axis=1) == truth) > 0.8
