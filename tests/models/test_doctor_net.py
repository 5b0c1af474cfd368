"""`DoctorNet`: heads on their own answers, and weights that predict the answers of others, against loops."""

import keras
import numpy as np
import pytest
import references
from conftest import XLA
from gradients import value_and_gradients
from keras import ops as kops

import keras_crowd as kc
from keras_crowd import ops

N, R, K, D = 9, 4, 3, 5
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, D)).astype("float32")
ANSWERS = RNG.integers(-1, K, (N, R))
ANSWERS[0] = -1
ANSWERS[1] = 2
WEIGHT = RNG.uniform(0.5, 2.0, N)


def built():
    keras.utils.set_random_seed(1)
    model = kc.models.DoctorNet(keras.Sequential([keras.Input((D,)), keras.layers.Dense(6, "tanh")]), R, K)
    model._mean.scores.assign(np.random.default_rng(2).normal(size=R))
    model.compile("sgd", jit_compile=XLA)
    return model


def by_loops(logits, averaging, answers, weight):
    """The cross-entropies of the answers and of the means, each over how many there are."""
    p = references.softmax(logits.astype(float))
    of_answers, of_means, count, others = 0.0, 0.0, 0, 0
    for i, row in enumerate(answers):
        given = np.flatnonzero(row >= 0)
        of_answers -= weight[i] * sum(np.log(p[i, r, row[r]]) for r in given)
        count += len(given)
        rest = np.flatnonzero(row < 0)
        if len(given) and len(rest):
            mean = sum(averaging[r] * p[i, r] for r in rest) / sum(averaging[r] for r in rest)
            of_means -= weight[i] * np.mean([np.log(mean[row[r]]) for r in given])
            others += 1
    return of_answers / count, of_means / others


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weight"])
@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
def test_loss_is_that_of_the_loops(soft, weight):
    model = built()
    logits = model.predict(X, verbose=0)
    expected = by_loops(logits, model.averaging(), ANSWERS, np.ones(N) if weight is None else weight)
    answers = (ANSWERS[..., None] == np.arange(K)).astype("float32") if soft else ANSWERS
    found = model.evaluate(X, answers, batch_size=N, sample_weight=weight, verbose=0)
    assert found == pytest.approx(sum(expected), rel=1e-5)


def test_the_classifier_is_the_weighted_mean_of_the_heads():
    model = built()
    heads = references.softmax(model.predict(X, verbose=0))
    expected = np.einsum("r,irk->ik", model.averaging(), heads)
    np.testing.assert_allclose(model.classifier.predict(X, verbose=0), expected, rtol=1e-5)
    assert model.averaging().sum() == pytest.approx(1)


def test_weights_do_not_move_the_heads():
    logits = RNG.normal(size=(N, R, K)).astype("float32")
    answers = (ANSWERS[..., None] == np.arange(K)).astype("float32")

    def of_means(scores):
        return kops.sum(ops.mean_of_others(answers, kops.stop_gradient(kops.array(logits)), scores)[0])

    value, (gradient,) = value_and_gradients(of_means, np.zeros(R, "float32"))
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0
    expected = by_loops(logits, np.full(R, 1 / R), ANSWERS, np.ones(N))[1]
    num_others = np.sum((ANSWERS >= 0).any(axis=1) & (ANSWERS < 0).any(axis=1))
    assert value == pytest.approx(expected * num_others, rel=1e-5)


def test_it_saves_and_loads(tmp_path):
    model = built()
    before = [kops.convert_to_numpy(w) for w in model.trainable_variables]
    model.fit(X, ANSWERS, batch_size=4, verbose=0)
    after = [kops.convert_to_numpy(w) for w in model.trainable_variables]
    assert all(np.isfinite(a).all() and np.abs(a - b).max() > 0 for a, b in zip(after, before, strict=True))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.classifier.predict(X, verbose=0), model.classifier.predict(X, verbose=0), rtol=1e-5
    )
    assert (loaded.num_annotators, loaded.num_classes) == (R, K)
    np.testing.assert_allclose(loaded.averaging(), model.averaging(), rtol=1e-5)
    model.classifier.save(tmp_path / "classifier.keras")
    alone = keras.models.load_model(tmp_path / "classifier.keras")
    np.testing.assert_allclose(
        alone.predict(X, verbose=0), model.classifier.predict(X, verbose=0), rtol=1e-5
    )


def test_an_answer_of_nobody_or_of_all_has_no_mean_of_others():
    logits = np.zeros((2, R, K), "float32")
    answers = np.zeros((2, R, K), "float32")
    answers[1, :, 0] = 1
    values, has_others = ops.mean_of_others(answers, kops.array(logits), kops.zeros(R))
    assert kops.convert_to_numpy(values).tolist() == [0, 0]
    assert not kops.convert_to_numpy(has_others).any()


def test_errors():
    encoder = keras.Sequential([keras.Input((D,)), keras.layers.Dense(6)])
    with pytest.raises(ValueError, match=r"`num_annotators` must be an integer at least 2\. Received: "):
        kc.models.DoctorNet(encoder, 1, K)
    images = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match=r"`encoder` must give features \(batch, width\)\. Received: "):
        kc.models.DoctorNet(images, R, K)
    model = built()
    model.compile("sgd", loss="mse")
    with pytest.raises(ValueError, match="must be compiled without a loss"):
        model.fit(X, ANSWERS, verbose=0)


@pytest.mark.only_under("torch")
def test_who_guesses_gets_little_weight():
    draw = np.random.default_rng(1)
    truth = draw.integers(0, K, 500)
    x = np.concatenate([3 * np.eye(K)[truth], np.zeros((500, 2))], axis=1) + draw.normal(
        scale=0.3, size=(500, D)
    )
    answers = np.where(np.arange(R) < R - 1, truth[:, None], draw.integers(0, K, (500, R)))
    answers[draw.random((500, R)) < 0.5] = -1
    model = built()
    model.compile(keras.optimizers.Adam(0.03))
    model.fit(x.astype("float32"), answers, epochs=12, batch_size=50, verbose=0)
    assert model.averaging()[-1] < 0.1
    assert np.mean(model.classifier.predict(x, verbose=0).argmax(axis=1) == truth) > 0.95
