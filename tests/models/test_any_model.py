"""Every kind of model through every door: it works, or is refused with a line that says what to do."""

import functools
import os
import pathlib
import subprocess
import sys
import warnings
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
from conftest import BACKEND
from model_kinds import (
    ANSWERS,
    DOORS,
    KINDS,
    MESSAGES,
    OwnTraining,
    X,
    anchor,
    answers_for,
    head,
    refused,
    sigmoid_head,
    table,
)

import keras_crowd as kc

DOCS = pathlib.Path(__file__).parents[2] / "docs" / "models.md"


def first(x):
    return keras.tree.map_structure(lambda part: part[:8], x)


def output(model, x):
    """What a model gives for the first items; `predict` would be compiled once more."""
    return keras.ops.convert_to_numpy(keras.tree.flatten(model(first(x), training=False))[0])


def weights(model):
    return [np.array(w) for w in model.get_weights()]


class Case(NamedTuple):
    """A classifier below a crowd layer, trained once for all doors that ask for no training of their own."""

    classifier: Any
    model: Any
    x: Any
    answers: np.ndarray
    moved: bool


@functools.cache
def case(kind):
    classifier, x = KINDS[kind]()
    x, answers = kc.models.prepared(classifier, x), answers_for(kind)
    crowd, loss, y = kc.layers.CrowdsClassification(3), kc.losses.MaskedCrowdCrossEntropy(), answers
    reason = refused(kind, "crowd_model")
    if reason is None:
        model = kc.crowd_model(classifier, crowd, x=first(x))
    elif reason == "one output":  # a crowd layer on one of the outputs, the other trained as ever
        model = keras.Model(classifier.inputs, [crowd(classifier.outputs[0]), classifier.outputs[1]])
        loss, y = (
            [loss, keras.losses.SparseCategoricalCrossentropy()],
            [answers, np.zeros(len(answers), int)],
        )
    else:  # symbols can be made and saved where they cannot be computed
        model = keras.Model(classifier.inputs, crowd(classifier.outputs[0]))
        return Case(classifier, model, x, answers, False)
    before = weights(classifier)
    model.compile("adam", loss)
    model.fit(x, y, verbose=0)
    moved = any(np.any(a != b) for a, b in zip(before, weights(classifier), strict=True))
    return Case(classifier, model, x, answers, moved)


def by_crowd_model(kind, folder):
    if refused(kind, "crowd_model") is not None:
        kc.crowd_model(KINDS[kind]()[0], kc.layers.CrowdsClassification(3))
    assert case(kind).moved


def by_fit_crowd(kind, folder):
    classifier, x = KINDS[kind]()
    fit = kc.fit_crowd(classifier, x, answers_for(kind), weights=0.0, epochs=1, verbose=0)
    assert fit.classifier is classifier
    assert np.isfinite(fit.history.history["loss"]).all()


def by_em(kind, folder):
    classifier, x = KINDS[kind]()
    trainer, answers = kc.EMTrainer(classifier), answers_for(kind)
    history = trainer.fit(x, answers, iterations=1, verbose=0).history
    assert trainer.posterior().shape == (12, answers.max() + 1)
    assert np.isfinite(history["loss"]).all()


def by_joint_model(kind, folder):
    classifier, x = KINDS[kind]()
    x, answers = kc.models.prepared(classifier, x), answers_for(kind)
    classifier = kc.models.as_functional(classifier, first(x))
    before = weights(classifier)
    joint = kc.models.JointCrowdModel(
        classifier, kc.layers.CrowdsClassification(3, "CM", initial_accuracy=0.7)
    )
    joint.compile("adam")
    kc.validate(joint, x, answers)
    joint.fit(x, answers, verbose=0)
    assert any(np.any(a != b) for a, b in zip(before, weights(classifier), strict=True))
    np.testing.assert_allclose(output(kc.strip(joint), x), output(classifier, x), rtol=1e-5, atol=1e-6)


def by_validate(kind, folder):
    of = case(kind)
    answers = [of.answers, None] if refused(kind, "crowd_model") == "one output" else of.answers
    kc.validate(of.model, of.x, answers)
    with pytest.raises(ValueError, match="must be class codes 0 to"):
        kc.validate(of.model, of.x, of.answers + 3)


def by_strip(kind, folder):
    of = case(kind)
    stripped = kc.strip(of.model)
    assert isinstance(stripped, keras.Model)
    assert not any(type(layer).__module__.startswith("keras_crowd") for layer in stripped.layers)
    if refused(kind, "validate") is None:  # it can be computed
        found, expected = output(stripped, of.x), output(of.classifier, of.x)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        assert found.shape == (8, 1 if kind == "sigmoid head" else 3)


def by_keras_file(kind, folder, **kwargs):
    """The classifier, and all of the model with its crowd layer and optimizer."""
    of = case(kind)
    for model in (kc.strip(of.model), of.model):
        model.save(folder / "model.keras")
        loaded = keras.models.load_model(folder / "model.keras", **kwargs)
        for found, expected in zip(weights(loaded), weights(model), strict=True):
            np.testing.assert_array_equal(found, expected)
        if refused(kind, "validate") is None:
            np.testing.assert_allclose(output(loaded, of.x), output(model, of.x), rtol=1e-4, atol=1e-5)


def by_saved_model(kind, folder, **kwargs):
    of = case(kind)
    stripped = kc.strip(of.model)
    stripped.export(folder / "saved", verbose=False, **kwargs)
    import tensorflow as tf

    given = keras.tree.map_structure(lambda t, part: tf.cast(part, t.dtype), stripped.input, first(of.x))
    saved = tf.saved_model.load(str(folder / "saved"))
    served = saved.serve(given)  # which does not hold what it is of
    np.testing.assert_allclose(served.numpy(), output(stripped, of.x), rtol=1e-4, atol=1e-5)


WALKS = {
    "crowd_model": by_crowd_model,
    "fit_crowd": by_fit_crowd,
    "EMTrainer": by_em,
    "JointCrowdModel": by_joint_model,
    "validate": by_validate,
    "strip": by_strip,
    ".keras": by_keras_file,
    "SavedModel": by_saved_model,
}


LARGE = ("KerasHub, text", "KerasHub, image", "`keras.applications`")


def turn_of(kind, door):
    """The plainest kind goes through every door under each backend, the others under one.

    Large networks go under PyTorch, which compiles nothing, but for a SavedModel, which it cannot make.
    """
    if kind == "functional":
        return ()
    if kind in LARGE and door != "SavedModel":
        return pytest.mark.only_under("torch")
    return pytest.mark.by_turns(*(["tensorflow", "jax"] if door == "SavedModel" else []))


# By kinds: what is trained for one is used by its doors, one after the other.
@pytest.mark.parametrize(
    ("kind", "door"),
    [pytest.param(kind, door, marks=turn_of(kind, door)) for kind in KINDS for door in DOORS],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_kind_of_model_through_every_door(kind, door, tmp_path):
    reason = refused(kind, door)
    if reason is None:
        WALKS[door](kind, tmp_path)
        return
    case(kind)  # skips where the kind is not there
    with pytest.raises(Exception, match=MESSAGES[reason]) as error:
        WALKS[door](kind, tmp_path)
    assert door in ("SavedModel", ".keras") or isinstance(error.value, ValueError)
    if reason in REMEDIES:
        REMEDIES[reason](kind, tmp_path)


def with_known_lengths(kind, folder):
    of = case(kind)
    inputs = kc.strip(of.model).input
    signature = {
        name: keras.InputSpec(t.dtype, (None, *of.x[name].shape[1:])) for name, t in inputs.items()
    }
    by_saved_model(kind, folder, input_signature=[signature])


# What the page says to do where Keras refuses; `by TensorFlow` below, for all at once.
REMEDIES = {
    "lengths": with_known_lengths,
    "pickle": lambda kind, folder: by_keras_file(kind, folder, safe_mode=False),
}

EXPORT = """
import sys, keras_crowd, keras, model_kinds
for path in sys.argv[1:]:
    if "KerasHub" in path: import keras_hub
    keras.models.load_model(path).export(path.removesuffix(".keras"), verbose=False)
"""


@pytest.mark.skipif(BACKEND != "torch", reason="the others export by themselves")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_another_backend_has_saved_is_exported_by_tensorflow(tmp_path):
    kinds = ["functional", "several inputs", "KerasHub, text", "`TextVectorization` inside"]
    paths = [tmp_path / f"{kind.strip('`')}.keras" for kind in kinds]
    for kind, path in zip(kinds, paths, strict=True):
        kc.strip(case(kind).model).save(path)
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", EXPORT, *map(str, paths)], env=environment, check=True)
    assert all((path.with_suffix("") / "saved_model.pb").exists() for path in paths)


@pytest.mark.parametrize("kind", ["KerasHub, text", "KerasHub, image"])
def test_tasks_are_validated_on_data_sets_and_raw_texts_are_refused(kind):
    tf = pytest.importorskip("tensorflow")
    of = case(kind)
    for answers, wrong in ((of.answers, False), (of.answers + 3, True)):
        batches = tf.data.Dataset.from_tensor_slices((of.x, answers)).batch(8)
        if wrong:
            with pytest.raises(ValueError, match="must be class codes 0 to 2"):
                kc.validate(of.model, batches)
        else:
            kc.validate(of.model, batches)
    if kind == "KerasHub, text":
        with pytest.raises(ValueError, match=r"apply `classifier.preprocessor` to the features first"):
            kc.validate(of.model, KINDS[kind]()[1], of.answers)


def test_the_page_of_models_has_this_table():
    text = DOCS.read_text()
    assert table() in text
    headings = {
        "#" + line.lstrip("# ").lower().replace(" ", "-") for line in text.splitlines() if line[:1] == "#"
    }
    assert {anchor(name) for name in MESSAGES} <= headings
    for message in filter(None, MESSAGES.values()):
        assert message in text


def test_own_training_is_run_by_em_and_warned_of_elsewhere():
    OwnTraining.steps = 0
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*is not run by")
        by_em("custom `train_step`", None)
    assert OwnTraining.steps > 0
    with pytest.warns(UserWarning, match="is not run by `fit_crowd`.*`EMTrainer` trains the classifier"):
        by_fit_crowd("custom `train_step`", None)


def two_units(classifier):
    """The same classifier with two logits, 0 and that of the sigmoid."""
    kernel, bias = classifier.get_weights()
    twin = keras.Sequential([keras.Input((6,)), head(2)])
    twin.set_weights([np.hstack([0 * kernel, kernel]), np.hstack([0 * bias, bias])])
    return twin


@pytest.mark.parametrize("from_logits", [False, True])
def test_em_with_one_unit_is_em_with_two_classes(from_logits):
    one, answers = sigmoid_head()[0], np.minimum(ANSWERS, 1)
    twin = two_units(one)
    if from_logits:
        one.layers[-1].activation = keras.activations.linear
    one.compile(keras.optimizers.SGD(0.0), keras.losses.BinaryCrossentropy(from_logits=from_logits))
    twin.compile(keras.optimizers.SGD(0.0), "categorical_crossentropy")
    trainers = [kc.EMTrainer(one, from_logits=from_logits), kc.EMTrainer(twin)]
    logs = [trainer.fit(X, answers, iterations=2, verbose=0).history for trainer in trainers]
    np.testing.assert_allclose(trainers[0].posterior(), trainers[1].posterior(), rtol=1e-4)
    for name in ("loss", "log_likelihood"):
        np.testing.assert_allclose(logs[0][name], logs[1][name], rtol=1e-4)


def test_one_unit_learns_numbers_from_ratings_and_refuses_a_wrong_loss_or_head():
    regressor = keras.Sequential([keras.Input((6,)), head(1, None)])
    trainer = kc.EMTrainer(regressor)
    trainer.fit(X, np.where(ANSWERS < 0, np.nan, ANSWERS), iterations=1, verbose=0)
    assert trainer.bias().shape == (3,)
    answers = np.minimum(ANSWERS, 1)
    with pytest.raises(
        ValueError, match=r"must end in a sigmoid.*For a regressor the answers must be floats"
    ):
        kc.EMTrainer(keras.Sequential([keras.Input((6,)), head(1, None)])).fit(X, answers)
    classifier, _ = sigmoid_head()
    classifier.compile("adam", "categorical_crossentropy")
    with pytest.raises(ValueError, match="binary_crossentropy"):
        kc.EMTrainer(classifier).fit(X, answers)


@pytest.mark.parametrize("from_logits", [False, True])
def test_callbacks_take_a_sigmoid_for_two_classes(from_logits):
    classifier, _ = sigmoid_head()
    p = classifier.predict(X, verbose=0)[:, 0]
    if from_logits:
        p_1 = classifier.outputs[0]
        classifier = keras.Model(classifier.inputs[0], keras.ops.log(p_1 / (1 - p_1)))
    truth = (p > 0.5).astype(int)
    truth[0] = 1 - truth[0]
    gold = kc.callbacks.GoldValidation(classifier, X, truth, from_logits=from_logits)
    monitor = kc.callbacks.CrowdMonitor(
        kc.layers.CrowdsClassification(3), classifier, X, np.minimum(ANSWERS, 1), from_logits=from_logits
    )
    logs: dict = {}
    gold.on_epoch_end(0, logs)
    expected = -np.mean(np.log(np.where(truth == 1, p, 1 - p)))
    assert logs["val_gold_accuracy"] == pytest.approx(11 / 12)
    assert logs["val_gold_loss"] == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(monitor._predict(), np.stack([1 - p, p], axis=1), rtol=1e-4)


@pytest.mark.parametrize("as_data_set", [False, True])
def test_tf_data_knows_how_many_batches_it_has(as_data_set):
    tf = pytest.importorskip("tensorflow")
    answers = ANSWERS.copy()
    answers[:3] = -1
    x = tf.data.Dataset.from_tensor_slices(X) if as_data_set else X
    batches = kc.pipelines.tf_data(x, answers, 4)
    assert int(batches.cardinality()) == len(list(batches)) == 3
