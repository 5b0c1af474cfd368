"""Soft answers from the data to the trained model: as one-hot they are hard ones, and loops agree on the rest."""

import importlib.util

import keras
import numpy as np
import pytest
import references_soft as references
from conftest import BACKEND, XLA
from numpy.testing import assert_allclose, assert_array_equal

import keras_crowd as kc

N, R, K, D = 24, 4, 3, 5
RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, K, N)
X = (np.eye(D)[TRUTH] + RNG.normal(size=(N, D)) / 4).astype("float32")
ANSWERS = np.where(RNG.random((N, R)) < 0.8, TRUTH[:, None], RNG.integers(0, K, (N, R)))
ANSWERS[RNG.random((N, R)) < 0.4] = -1
ANSWERS[0] = -1
ONE_HOT = (ANSWERS[..., None] == np.arange(K)).astype("float32")
SOFT = np.where(ANSWERS[..., None] >= 0, RNG.dirichlet(np.ones(K) / 2, (N, R)), 0).astype("float32")
HOLES = np.where(SOFT.any(axis=-1, keepdims=True), SOFT, np.nan).astype("float32")
CONFUSION = RNG.dirichlet(np.ones(K), (R, K))
FORMS = ["dense", "slots"]


def classifier(tokens=False):
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((None, D) if tokens else (D,)), keras.layers.Dense(K, "softmax")])


def crowd(**kwargs):
    return kc.layers.CrowdsClassification(
        R, "CM", kernel_initializer=kc.initializers.FromConfusion(CONFUSION), **kwargs
    )


def crowd_model(form="dense"):
    below, layer = classifier(), crowd()
    if form == "dense":
        model = keras.Model(below.inputs, layer(below.outputs[0]))
    else:
        ids = keras.Input((None,), dtype="int32")
        model = keras.Model([*below.inputs, ids], layer(below.outputs[0], annotators=ids))
    loss, metrics = kc.losses.MaskedCrowdCrossEntropy(), [kc.metrics.CrowdCrossEntropy()]
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=metrics, jit_compile=XLA)
    return model


def data(table, form):
    if form == "dense":
        return X, table
    ids, answers = kc.Annotations.from_dense(table).slots()
    return [X, ids], answers


def weights_of(model):
    return [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]


def assert_same_weights(ours, theirs):
    for a, b in zip(weights_of(ours), weights_of(theirs), strict=True):
        assert_allclose(a, b, atol=1e-6)


@pytest.mark.by_turns
@pytest.mark.parametrize("form", FORMS)
def test_fit_on_one_hot_answers_is_fit_on_hard_ones(form):
    trained = {}
    for name, table in (("hard", ANSWERS), ("soft", ONE_HOT)):
        model = trained[name] = crowd_model(form)
        kc.validate(model, *data(table, form))
        model.fit(*data(table, form), batch_size=8, shuffle=False, verbose=0)
    assert_same_weights(trained["soft"], trained["hard"])


def test_missing_soft_answers_are_as_if_there_were_none():
    keep = np.array([1, 3])
    others = HOLES.copy()
    others[:, [0, 2]] = np.nan
    narrow = kc.layers.CrowdsClassification(
        2, "CM", kernel_initializer=kc.initializers.FromConfusion(CONFUSION[keep])
    )
    below = classifier()
    model = keras.Model(below.inputs, narrow(below.outputs[0]))
    model.compile(keras.optimizers.SGD(0.1), kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    whole = crowd_model()
    fits = [
        whole.fit(X, others, batch_size=N, verbose=0),
        model.fit(X, np.nan_to_num(others)[:, keep], batch_size=N, verbose=0),
    ]
    assert_allclose(*(fit.history["loss"] for fit in fits), rtol=1e-5)
    assert_allclose(weights_of(whole)[0], weights_of(model)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y * 2, "sum to 1"),
        (lambda y: -y, "distributions over the classes, rows of zeros"),
        (lambda y: np.where(y > 0.5, np.nan, y), "distributions over the classes"),
        (lambda y: y[..., :2], r"must have shape \(24, 4, 3\)"),
        (lambda y: y * 0, "at least one answer"),
    ],
)
def test_validate_refuses_what_is_no_distribution(change, message):
    model = crowd_model()
    kc.validate(model, X, HOLES)
    with pytest.raises(ValueError, match=message):
        kc.validate(model, X, change(SOFT))


def test_expectation_maximization_is_that_of_the_loops():
    below = classifier()
    below.compile(keras.optimizers.SGD(0.0), "categorical_crossentropy")
    f = below.predict(X, verbose=0).astype(float)
    prior, q = 0.5, references.vote_shares(SOFT)
    q[~ONE_HOT.any(axis=(1, 2))] = 1 / K
    trainer = kc.EMTrainer(below, prior=prior)
    history = trainer.fit(X, SOFT, start="majority_vote", iterations=3, verbose=0)
    for _ in range(3):
        confusion = references.counts(SOFT, q) + prior
        confusion /= confusion.sum(axis=2, keepdims=True)
        q, evidence = references.posterior(SOFT, f, confusion)
    assert_allclose(trainer.posterior(), q, atol=1e-5)
    objective = evidence[SOFT.any(axis=(1, 2))].sum() + prior * np.log(confusion).sum()
    assert_allclose(history.history["log_likelihood"][-1], objective, rtol=1e-5)


@pytest.mark.by_turns
@pytest.mark.parametrize("tokens", [False, True])
def test_expectation_maximization_of_one_hot_answers_is_that_of_hard_ones(tokens):
    shape = (N // 4, 4) if tokens else (N,)
    found = []
    for table in (ANSWERS, ONE_HOT):
        keras.utils.set_random_seed(1)
        trainer = kc.EMTrainer(classifier(tokens))
        x, y = X.reshape(*shape, D), table.reshape(*shape, *table.shape[1:])
        trainer.fit(x, y, iterations=2, verbose=0)
        found.append([trainer.posterior(), trainer.confusion()])
    for soft, hard in zip(*found, strict=True):
        assert_allclose(soft, hard, atol=1e-5)


def joint(slots=False):
    model = kc.models.JointCrowdModel(classifier(), crowd(), slots=slots)
    model.compile(keras.optimizers.SGD(0.1), jit_compile=XLA)
    return model


@pytest.mark.by_turns
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("table", [SOFT, HOLES], ids=["zeros", "nan"])
def test_joint_likelihood_is_that_of_the_loops(form, table):
    model = joint(form == "slots")
    x, y = data(table, form)
    kc.validate(model, x, y)
    found = model.evaluate(x, y, batch_size=N, verbose=0, return_dict=True)["loss"]
    f = model.classifier.predict(X, verbose=0).astype(float)
    evidence = references.posterior(SOFT, f, CONFUSION)[1]
    assert_allclose(found, -evidence.sum() / SOFT.any(axis=-1).sum(), rtol=1e-4)
    model.fit(x, y, batch_size=N, verbose=0)
    assert np.isfinite(np.concatenate([w.ravel() for w in weights_of(model)])).all()


@pytest.mark.only_under("jax")
def test_joint_training_on_one_hot_answers_is_that_on_hard_ones():
    gold = np.where(np.arange(N) % 3, -1, TRUTH)
    trained = {}
    for name, table in (("hard", ANSWERS), ("soft", ONE_HOT)):
        model = trained[name] = joint()
        model.fit(X, (table, gold), batch_size=8, shuffle=False, verbose=0)
    assert_same_weights(trained["soft"], trained["hard"])


@pytest.mark.only_under("jax")
def test_fit_crowd_on_one_hot_answers_is_that_on_hard_ones():
    found = []
    for table in (ANSWERS, ONE_HOT):
        keras.utils.set_random_seed(1)
        fit = kc.fit_crowd(
            classifier(), X, table, weights=[0.0, 1.0], num_replicas=2, epochs=2, batch_size=12, verbose=0
        )
        found.append([fit.path.losses, fit.crowd.confusion(), *fit.classifier.get_weights()])
    for soft, hard in zip(*found, strict=True):
        assert_allclose(soft, hard, atol=1e-5)


def test_classes_are_put_back():
    permutation = [2, 0, 1]
    below = classifier()
    below.layers[-1].set_weights([3 * np.eye(D, K)[:, permutation], np.zeros(K)])
    layer = crowd()
    model = keras.Model(below.inputs, layer(below.outputs[0]))
    rows = np.repeat(np.arange(N), 8)  # enough answers to be sure
    assert (
        kc.align_classes(model, X[rows], ONE_HOT[rows]).tolist()
        == kc.evaluation.classifier_alignment(
            3 * np.eye(K)[TRUTH][:, permutation][rows] / 3, ANSWERS[rows]
        ).tolist()
    )


def test_a_regressor_takes_no_distributions():
    regressor = keras.Sequential([keras.Input((D,)), keras.layers.Dense(1)])
    with pytest.raises(
        ValueError, match=r"For a regressor the answers must be floats.*`Annotations` of numbers"
    ):
        kc.EMTrainer(regressor).fit(X, SOFT, verbose=0)


def makers():
    yield "CrowdBatches"
    if importlib.util.find_spec("tensorflow"):
        yield "tf_data"
    for name, package in (("torch_data", "torch"), ("grain_data", "grain")):
        if importlib.util.find_spec(package):
            yield name


@pytest.mark.skipif(BACKEND != "tensorflow", reason="batches are the same on every backend")
@pytest.mark.parametrize("make", makers())
@pytest.mark.parametrize("num_slots", [None, 4])
def test_batches_hold_every_soft_answer_once(make, num_slots):
    make = getattr(kc.pipelines, make)
    annotations = kc.Annotations.from_dense(SOFT)
    found = np.zeros_like(SOFT)
    slots = make(X, annotations, 5, num_slots=num_slots)
    for (x, ids), answers in (
        (slots[i] for i in range(len(slots))) if make is kc.pipelines.CrowdBatches else slots
    ):
        x, ids, answers = (np.asarray(part) for part in (x, ids, answers))
        assert answers.shape == (*ids.shape, K)
        item = np.argmax((X[None] == x[:, None]).all(axis=2), axis=1)
        row, slot = np.nonzero(ids >= 0)
        found[item[row], ids[row, slot]] = answers[row, slot]
        assert not answers[ids < 0].any()
    assert_array_equal(found, SOFT)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="batches are the same on every backend")
@pytest.mark.parametrize("make", makers())
def test_dense_batches_of_soft_answers(make):
    make = getattr(kc.pipelines, make)
    made = make(X, SOFT, N, form="dense", shuffle=False)
    x, answers = made[0] if make is kc.pipelines.CrowdBatches else next(iter(made))
    assert_array_equal(np.asarray(answers), SOFT[1:])
    assert_array_equal(np.asarray(x), X[1:])


def test_fit_takes_batches_of_soft_answers():
    model = crowd_model("slots")
    batches = kc.pipelines.CrowdBatches(X, SOFT, 8, num_slots=R)
    history = model.fit(batches, verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.only_under("torch")
def test_a_monitor_watches_on_soft_answers():
    logs = []
    for table in (ANSWERS, ONE_HOT):
        model = crowd_model()
        below = kc.strip(model)
        monitor = kc.callbacks.CrowdMonitor(
            model.layers[-1], below, X, table, on_collapse="ignore", on_permuted="ignore"
        )
        logs.append(model.fit(X, table, shuffle=False, verbose=0, callbacks=[monitor]).history)
        assert monitor.min_rank > 0
    for name, values in logs[0].items():
        assert_allclose(values, logs[1][name], atol=1e-5, err_msg=name)
