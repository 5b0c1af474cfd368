"""`JointCrowdModel`: the likelihood of all answers, against loops, limits and expectation maximization."""

import keras
import numpy as np
import pytest
from conftest import BACKEND, XLA, Epochs
from keras import ops as kops

import keras_crowd as kc

N, R, K, D = 12, 4, 3, 5
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, D)).astype("float32")
ANSWERS = RNG.integers(-1, K, (N, R))
ANSWERS[0] = -1
GOLD = np.where(RNG.random(N) < 0.4, RNG.integers(0, K, N), -1)
WEIGHT = RNG.uniform(0.5, 2.0, N)
CONFUSION = RNG.dirichlet(np.ones(K), (R, K))


def classifier(activation="softmax", tokens=False, features=D):
    keras.utils.set_random_seed(1)
    shape = (None, features) if tokens else (features,)
    return keras.Sequential([keras.Input(shape), keras.layers.Dense(K, activation)])


def joint(slots=False, logits=False, tokens=False, features=D, optimizer="sgd", **kwargs):
    start = kc.initializers.FromConfusion(CONFUSION)
    crowd = kc.layers.CrowdsClassification(R, "CM", kernel_initializer=start, from_logits=logits, **kwargs)
    below = classifier(None if logits else "softmax", tokens, features)
    model = kc.models.JointCrowdModel(below, crowd, slots=slots)
    model.compile(optimizer, jit_compile=XLA)
    return model


def by_loops(f, answers, gold=None, weight=None):
    """Minus the log-likelihood over the number of answers, item by item; `f` (items, K)."""
    total, count = 0.0, 0
    for i, row in enumerate(answers):
        given = [(r, answer) for r, answer in enumerate(row) if answer >= 0]
        p = [f[i, k] * np.prod([CONFUSION[r, k, answer] for r, answer in given]) for k in range(K)]
        known = gold is not None and gold[i] >= 0
        count += len(given) + known
        total -= (1 if weight is None else weight[i]) * np.log(p[gold[i]] if known else sum(p))
    return total / count


def loss(model, x, y, **kwargs):
    found = model.evaluate(x, y, batch_size=len(ANSWERS), verbose=0, return_dict=True, **kwargs)
    return found["loss"]


@pytest.mark.by_turns
@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize("gold", [None, GOLD])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_loss_is_that_of_the_loops(logits, gold, weight):
    model = joint(logits=logits)
    f = model.predict(X, verbose=0)
    f = np.exp(f) / np.exp(f).sum(axis=1, keepdims=True) if logits else f
    y = ANSWERS if gold is None else (ANSWERS, gold)
    found = loss(model, X, y, sample_weight=weight)
    np.testing.assert_allclose(found, by_loops(f, ANSWERS, gold, weight), rtol=1e-4)


def test_slots_are_the_dense_answers():
    ids, answers = kc.Annotations.from_dense(ANSWERS).slots()
    np.testing.assert_allclose(
        loss(joint(slots=True), (X, ids), answers), loss(joint(), X, ANSWERS), rtol=1e-5
    )


def test_tokens_are_items():
    x, answers = X.reshape(3, 4, D), ANSWERS.reshape(3, 4, R)
    np.testing.assert_allclose(loss(joint(tokens=True), x, answers), loss(joint(), X, ANSWERS), rtol=1e-5)


@pytest.mark.parametrize("per_token", [False, True])
def test_weights_of_sequences_and_of_tokens(per_token):
    x, answers = X[:9].reshape(3, 3, D), ANSWERS[:9].reshape(3, 3, R)  # as many sequences as tokens in one
    weights = WEIGHT[:9].reshape(3, 3) if per_token else WEIGHT[:3]
    by_token = weights.ravel() if per_token else np.repeat(weights, 3)
    expected = by_loops(joint().predict(X[:9], verbose=0), ANSWERS[:9], weight=by_token)
    found = loss(joint(tokens=True), x, answers, sample_weight=weights)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.skipif(BACKEND == "torch", reason="shapes are checked while tracing")
def test_weights_of_more_axes_than_items_are_refused():
    with pytest.raises(ValueError, match=r"`sample_weight` must have shape \(batch,\). Received"):
        joint().fit(X, ANSWERS, sample_weight=WEIGHT[:, None], verbose=0)


def test_with_one_answer_an_item_it_is_the_crowd_layer():
    one = np.full((N, R), -1)
    one[np.arange(N), np.arange(N) % R] = RNG.integers(0, K, N)
    model = joint()
    layered = keras.Sequential([model.classifier, model.crowd])
    layered.compile("sgd", kc.losses.MaskedCrowdCrossEntropy())
    np.testing.assert_allclose(
        loss(model, X, one), layered.evaluate(X, one, batch_size=N, verbose=0), rtol=1e-4
    )


def test_the_gradient_is_that_of_the_m_step_at_the_present_posterior():
    """Minus the gradient by the logits of `A_r` is `n_rkl - n_rk A_rkl`, with the posterior's counts."""
    model = joint(optimizer=keras.optimizers.SGD(1.0))
    q = kc.aggregation.posterior(ANSWERS, model.predict(X, verbose=0), CONFUSION)
    before = kops.convert_to_numpy(model.crowd.kernel)
    model.fit(X, ANSWERS, batch_size=N, verbose=0)
    step = (kops.convert_to_numpy(model.crowd.kernel) - before).reshape(R, K, K)
    counts = np.zeros((R, K, K))
    for i, r in np.argwhere(ANSWERS >= 0):
        counts[r, :, ANSWERS[i, r]] += q[i]
    expected = counts - counts.sum(axis=-1, keepdims=True) * CONFUSION
    np.testing.assert_allclose(step, expected / np.sum(ANSWERS >= 0), atol=1e-5)


@pytest.mark.only_under("torch")
def test_in_the_limit_it_is_expectation_maximization():
    """Without features the classifier is the class prior, and Dawid and Skene have the maximum."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, K, 60)
    right = rng.random((60, R)) < 0.7
    answers = np.where(right, truth[:, None], rng.integers(0, K, (60, R)))
    em = kc.aggregation.dawid_skene(
        answers, confusion="full", strength=1e-9, class_strength=1e-9, iterations=3000, tolerance=1e-12
    )
    model = joint(features=1, optimizer=keras.optimizers.Adam(0.1))
    model.crowd.set_confusion(0.9 * em.confusion + 0.1 / K)  # off, but in the same valley
    nothing = np.zeros((60, 1), "float32")
    model.fit(Epochs(nothing, answers, 60, epochs=400), verbose=0)
    reached = -answers.size * model.evaluate(nothing, answers, batch_size=60, verbose=0)
    assert abs(reached - em.log_likelihood[-1]) < 0.05
    q = kc.aggregation.posterior(answers, model.predict(nothing, verbose=0), model.crowd.confusion())
    np.testing.assert_allclose(q, em.posterior, atol=0.02)


def test_gold_alone_trains_the_classifier():
    y = (np.full((N, R), -1), np.arange(N) % K)
    model = joint(optimizer=keras.optimizers.Adam(0.1))
    before = loss(model, X, y)
    model.fit(X, y, batch_size=N, epochs=20, verbose=0)
    assert loss(model, X, y) < 0.8 * before
    np.testing.assert_allclose(model.crowd.confusion(), CONFUSION, atol=1e-5)


def test_without_any_answer_nothing_is_trained():
    model = joint(optimizer=keras.optimizers.SGD(1.0))
    before = [kops.convert_to_numpy(v) for v in model.trainable_variables]
    model.fit(X, np.full((N, R), -1), batch_size=N, verbose=0)
    for variable, value in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_allclose(kops.convert_to_numpy(variable), value, atol=1e-6)


def test_penalties_of_the_crowd_layer_are_added_in_training():
    penalty = kc.regularizers.ClassifierLogDet(0.5, ramp_steps=0)
    plain, penalized = joint(), joint(classifier_regularizer=penalty)
    losses = [
        model.fit(X, ANSWERS, batch_size=N, verbose=0).history["loss"][0] for model in (plain, penalized)
    ]
    expected = 0.5 * float(penalty.penalty(kops.convert_to_tensor(joint().predict(X, verbose=0))))
    np.testing.assert_allclose(losses[1] - losses[0], expected, rtol=1e-3)


def test_penalties_of_the_classifiers_own_are_added():
    plain, crowd = joint(), joint().crowd
    dense = keras.layers.Dense(K, "softmax", kernel_regularizer=keras.regularizers.L2(0.1))
    model = kc.models.JointCrowdModel(keras.Sequential([keras.Input((D,)), dense]), crowd)
    model.compile("sgd", jit_compile=XLA)
    model.classifier.set_weights(plain.classifier.get_weights())
    penalty = 0.1 * np.sum(np.square(plain.classifier.get_weights()[0]))
    np.testing.assert_allclose(loss(model, X, ANSWERS) - loss(plain, X, ANSWERS), penalty, rtol=1e-3)


def test_a_loaded_model_is_the_same(tmp_path):
    model = joint(slots=True)
    model.save(tmp_path / "joint.keras")
    loaded = keras.saving.load_model(tmp_path / "joint.keras")
    ids, answers = kc.Annotations.from_dense(ANSWERS).slots()
    np.testing.assert_allclose(loss(loaded, (X, ids), answers), loss(model, (X, ids), answers), rtol=1e-6)
    np.testing.assert_allclose(loaded.crowd.confusion(), CONFUSION, atol=1e-5)


@pytest.mark.parametrize(
    ("crowd", "message"),
    [
        (
            kc.layers.CrowdsClassification(R, "MW"),
            "`crowd` must be .* Received: CrowdsClassification, conn_type='MW'",
        ),
        (
            kc.layers.CrowdsRegression(R),
            "`EMTrainer` maximizes .* Received: CrowdsRegression, conn_type='S\\+B'",
        ),
    ],
)
def test_other_crowd_layers_are_refused(crowd, message):
    with pytest.raises(ValueError, match=message):
        kc.models.JointCrowdModel(classifier(), crowd)


def test_a_classifier_without_outputs_is_refused():
    with pytest.raises(ValueError, match=r"as_functional\(classifier, x\[:1\]\)` .* Received: Sequential"):
        kc.models.JointCrowdModel(keras.Sequential([]), kc.layers.CrowdsClassification(R, "CM"))


@pytest.mark.skipif(BACKEND == "torch", reason="shapes are checked while tracing")
def test_answers_of_other_annotators_are_refused():
    with pytest.raises(ValueError, match="Answers must have shape"):
        joint().fit(X, ANSWERS[:, :2], verbose=0)
