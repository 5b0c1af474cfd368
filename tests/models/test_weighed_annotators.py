"""`annotator_weights`: copies of an annotator that weigh one together are one, under every likelihood and in EM."""

import keras
import numpy as np
import pytest
from conftest import BACKEND
from keras import ops as kops

import keras_crowd as kc

RNG = np.random.default_rng(0)
N, R, K, D, COPIES = 12, 3, 3, 4, 5
X = RNG.normal(size=(N, D)).astype("float32")
ANSWERS = RNG.integers(-1, K, (N, R))
TICKS = RNG.integers(-1, 2, (N, R, K))
CONFUSION = RNG.dirichlet(np.ones(K), (R, K))
ANNOTATOR = np.r_[np.arange(R), np.zeros(COPIES - 1, int)]  # the first one five times
WEIGHTS = np.where(ANNOTATOR == 0, 1 / COPIES, 1.0)


def network(tokens=False, activation="softmax"):
    keras.utils.set_random_seed(1)
    shape = (None, D) if tokens else (D,)
    return keras.Sequential([keras.Input(shape), keras.layers.Dense(K, activation)])


def joint(rows, weights, slots=False, labels=False):
    """A model of the annotators `rows`, with what all of them know."""
    if labels:
        crowd = kc.layers.CrowdsMultiLabel(len(rows))
    else:
        start = kc.initializers.FromConfusion(CONFUSION[rows])
        crowd = kc.layers.CrowdsClassification(len(rows), "CM", kernel_initializer=start)
    below = network(activation="sigmoid" if labels else "softmax")
    model = kc.models.JointCrowdModel(below, crowd, slots=slots, annotator_weights=weights)
    if labels:
        crowd.annotators.assign("logits", np.random.default_rng(3).normal(size=(R, 2, K))[rows])
    return model


def chain(rows, weights, slots=False):
    start = kc.initializers.FromConfusion(CONFUSION[rows])
    crowd = kc.layers.CrowdsSequenceLabeling(len(rows), "CM", kernel_initializer=start)
    model = kc.models.HiddenCRF(
        network(tokens=True, activation=None), crowd, slots=slots, annotator_weights=weights
    )
    model.compile("sgd", jit_compile=BACKEND == "jax")  # which is dearer without; TensorFlow is with XLA
    return model


def trained(model, x, y):
    """Loss of a step on all items, and the encoder's kernel after it."""
    loss = model.train_on_batch(x, y)
    return [float(loss), *kops.convert_to_numpy(model.encoder.weights[0]).ravel()]


def loss_of(model, x, y):
    x = keras.tree.map_structure(kops.convert_to_tensor, x)
    return kops.convert_to_numpy(model.compute_loss(x, kops.convert_to_tensor(y), model(x), training=True))


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("slots", [False, True])
def test_copies_are_one_annotator_in_the_joint_likelihood(slots, labels):
    def of(rows, weights):
        answers = (TICKS if labels else ANSWERS)[:, rows]
        ids = np.tile(np.arange(len(rows))[::-1], (N, 1))
        x, y = ((X, ids), answers[:, ::-1]) if slots else (X, answers)
        return loss_of(joint(rows, weights, slots, labels), x, y)

    alone = of(np.arange(R), None)
    np.testing.assert_allclose(of(ANNOTATOR, WEIGHTS), alone, rtol=1e-4)
    assert not np.allclose(of(ANNOTATOR, None), alone, rtol=1e-2)


@pytest.mark.parametrize("slots", [False, True])
def test_copies_are_one_annotator_in_a_chain(slots):
    """In a step of training on slots, and in what is inferred from dense answers."""
    x, tags = X.reshape(3, 4, D), ANSWERS.reshape(3, 4, R)

    def of(rows, weights):
        model, answers = chain(rows, weights, slots), tags[:, :, rows]
        ids = np.tile(np.arange(len(rows))[::-1], (3, 1))
        inputs, y = ((x, ids), answers[:, :, ::-1]) if slots else (x, answers)
        return trained(model, inputs, y) if slots else model.posterior(inputs, y).ravel()

    alone = of(np.arange(R), None)
    np.testing.assert_allclose(of(ANNOTATOR, WEIGHTS), alone, rtol=1e-4, atol=1e-6)
    assert not np.allclose(of(ANNOTATOR, None), alone, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("tokens", [False, True])
def test_copies_are_one_annotator_in_expectation_maximization(tokens):
    shape = (3, 4) if tokens else (N,)

    def of(rows, weights):
        trainer = kc.EMTrainer(network(tokens), annotator_weights=weights)
        history = trainer.fit(
            X.reshape(*shape, D), ANSWERS[:, rows].reshape(*shape, -1), iterations=3, verbose=0
        )
        found = trainer.posterior(), trainer.confusion()[:R], history.history["log_likelihood"]
        return np.concatenate([np.ravel(part) for part in found])

    alone = of(np.arange(R), None)
    np.testing.assert_allclose(of(ANNOTATOR, WEIGHTS), alone, rtol=1e-4, atol=1e-6)
    assert not np.allclose(of(ANNOTATOR, None), alone, rtol=1e-2, atol=1e-3)


def test_a_hidden_crf_brings_its_weights_into_expectation_maximization():
    x, tags = X.reshape(3, 4, D), ANSWERS.reshape(3, 4, R)

    def of(rows, weights):
        model = chain(rows, weights)
        model.crowd.trainable = False
        trainer = kc.EMTrainer(model)
        history = trainer.fit(x, tags[:, :, rows], iterations=2, verbose=0)
        return np.r_[trainer.posterior().ravel(), history.history["log_likelihood"]]

    alone = of(np.arange(R), None)
    np.testing.assert_allclose(of(ANNOTATOR, WEIGHTS), alone, rtol=1e-4, atol=1e-6)


def test_weights_are_saved(tmp_path):
    model, crf = joint(ANNOTATOR, WEIGHTS), chain(ANNOTATOR, WEIGHTS)
    for part, name in ((model, "joint"), (crf, "crf"), (crf.truth_tagger(), "truth_tagger")):
        part.save(tmp_path / f"{name}.keras")
    again = keras.saving.load_model(tmp_path / "joint.keras")
    np.testing.assert_array_equal(again.annotator_weights, WEIGHTS)
    again = keras.saving.load_model(tmp_path / "crf.keras")
    np.testing.assert_array_equal(again.annotator_weights, WEIGHTS)
    tagger = keras.saving.load_model(tmp_path / "truth_tagger.keras")
    given = X.reshape(3, 4, D), ANSWERS[:, ANNOTATOR].reshape(3, 4, -1)
    found, expected = (m.predict([*given], verbose=0) for m in (tagger, crf.truth_tagger()))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("weights", [[1.0, 2.0], [1.0, 0.0, 1.0], "many"])
def test_wrong_weights_are_refused(weights):
    for make in (joint, chain):
        with pytest.raises(ValueError, match="`annotator_weights` must be"):
            make(np.arange(R), weights)
    with pytest.raises(ValueError, match="`annotator_weights` must be"):
        kc.EMTrainer(network(), annotator_weights=weights).fit(X, ANSWERS, verbose=0)


def test_ratings_have_no_weights():
    regressor = keras.Sequential([keras.Input((D,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match=r"`annotator_weights` are for answers that are classes or tags"):
        kc.EMTrainer(regressor, annotator_weights=np.ones(R)).fit(X, ANSWERS.astype(float), verbose=0)
