"""Every kind of model through every door: it works, or is refused with a line that says what to do."""

import warnings

import keras
import numpy as np
import pytest
from conftest import BACKEND

import keras_crowd as kc

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 6)).astype("float32")
ANSWERS = np.array([[0, 1, 2], [1, -1, 1], [2, 2, 0], [0, 0, -1]] * 3)
TEXTS = np.array(["good film", "bad film", "film"] * 4, object)
IMAGES = RNG.random((12, 8, 8, 3)).astype("float32")
TOKENS = np.array([[4097, 4999, 0], [1, 2, 3]] * 6)


class Subclassed(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3, "softmax")

    def call(self, x):
        return self.dense(x)


class OwnTraining(keras.Model):
    steps = 0

    def train_step(self, *args, **kwargs):
        type(self).steps += 1
        return super().train_step(*args, **kwargs)


def head(units=3, activation="softmax"):
    return keras.layers.Dense(units, activation)


def without_input():
    return keras.Sequential([keras.layers.Dense(4), head()]), X


def functional(kind=keras.Model):
    inputs = keras.Input((6,))
    return kind(inputs, head()(inputs)), X


def nested():
    inner = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4)])
    return keras.Sequential([keras.Input((6,)), inner, head()]), X


def several_inputs():
    inputs = {"a": keras.Input((6,), name="a"), "b": keras.Input((3,), dtype="int32", name="b")}
    hidden = keras.layers.Flatten()(keras.layers.Embedding(5000, 2)(inputs["b"]))
    output = head()(keras.layers.Concatenate()([inputs["a"], hidden]))
    return keras.Model(inputs, output), {"a": X, "b": TOKENS}


def several_outputs():
    inputs = keras.Input((6,))
    return keras.Model(inputs, [head()(inputs), head(2)(inputs)]), X


def sigmoid_head():
    return keras.Sequential([keras.Input((6,)), head(1, "sigmoid")]), X


def text_task():
    hub = pytest.importorskip("keras_hub")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film"]
    make = hub.models.BertTextClassifierPreprocessor
    backbone = hub.models.BertBackbone(8, 1, 2, 8, 8, max_sequence_length=6)
    preprocessor = make(hub.models.BertTokenizer(vocabulary=words), sequence_length=6)
    task = hub.models.BertTextClassifier(backbone, 3, preprocessor=preprocessor, activation="softmax")
    return task, TEXTS


def image_task():
    hub = pytest.importorskip("keras_hub")
    backbone = hub.models.ViTBackbone((8, 8, 3), 4, 1, 2, 8, 8)
    return hub.models.ViTImageClassifier(backbone, 3, activation="softmax"), IMAGES


def text_vectorization():
    inputs = keras.Input((), dtype="string")
    words = keras.layers.TextVectorization(output_sequence_length=3, vocabulary=["good", "bad", "film"])
    hidden = keras.layers.Flatten()(keras.layers.Embedding(6, 2)(words(inputs)))
    return keras.Model(inputs, head()(hidden)), TEXTS


def torch_module():
    torch = pytest.importorskip("torch")
    if BACKEND != "torch":
        pytest.skip("a PyTorch module needs the PyTorch backend")
    module = keras.layers.TorchModuleWrapper(torch.nn.Linear(6, 4), output_shape=(None, 4))
    return keras.Sequential([keras.Input((6,)), module, head()]), X


KINDS = {
    "Sequential without input": without_input,
    "functional": functional,
    "nested": nested,
    "subclassed": lambda: (Subclassed(), X),
    "several inputs": several_inputs,
    "several outputs": several_outputs,
    "sigmoid head": sigmoid_head,
    "KerasHub text": text_task,
    "KerasHub image": image_task,
    "TextVectorization": text_vectorization,
    "custom train_step": lambda: functional(OwnTraining),
    "PyTorch module": torch_module,
}


def refused(kind):
    """What every door says of a kind that it refuses."""
    if kind == "several outputs":
        return "Take the one of the classes, with shared weights"
    if kind == "TextVectorization" and BACKEND != "tensorflow":
        return "apply the `TextVectorization` to the features first"
    return None


def answers_for(kind):
    return np.minimum(ANSWERS, 1) if kind == "sigmoid head" else ANSWERS


def by_crowd_model(classifier, x, answers):
    few = keras.tree.map_structure(lambda part: part[:2], kc.models.prepared(classifier, x))
    model = kc.crowd_model(classifier, kc.layers.CrowdsClassification(3), x=few)
    model.compile("adam", kc.losses.MaskedCrowdCrossEntropy())
    x = kc.models.prepared(classifier, x)
    kc.validate(model, x, answers)
    model.fit(x, answers, verbose=0)
    stripped = kc.strip(model)
    output = stripped.predict(x, verbose=0)
    assert output.shape == (12, 1 if answers.max() == 1 else 3)
    return stripped, x, output


def by_fit_crowd(classifier, x, answers):
    fit = kc.fit_crowd(classifier, x, answers, weights=0.0, epochs=1, verbose=0)
    assert fit.classifier is classifier
    assert np.isfinite(fit.history.history["loss"]).all()


def by_em(classifier, x, answers):
    trainer = kc.EMTrainer(classifier)
    history = trainer.fit(x, answers, iterations=1, verbose=0).history
    assert trainer.posterior().shape == (12, answers.max() + 1)
    assert np.isfinite(history["loss"]).all()


def by_joint_model(classifier, x, answers):
    x = kc.models.prepared(classifier, x)
    classifier = kc.models.as_functional(classifier, keras.tree.map_structure(lambda part: part[:2], x))
    crowd = kc.layers.CrowdsClassification(3, "CM", initial_accuracy=0.7)
    joint = kc.models.JointCrowdModel(classifier, crowd)
    joint.compile("adam")
    kc.validate(joint, x, answers)
    joint.fit(x, answers, verbose=0)
    assert kc.strip(joint).predict(x, verbose=0).shape == (12, 1 if answers.max() == 1 else 3)


DOORS = {
    "crowd_model": by_crowd_model,
    "fit_crowd": by_fit_crowd,
    "EMTrainer": by_em,
    "JointCrowdModel": by_joint_model,
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_kind_of_model_through_every_door(kind, door):
    classifier, x = KINDS[kind]()
    weights, message = [np.array(w) for w in classifier.get_weights()], refused(kind)
    if message is not None:
        with pytest.raises(ValueError, match=message):
            DOORS[door](classifier, x, answers_for(kind))
        return
    DOORS[door](classifier, x, answers_for(kind))
    now = classifier.get_weights()
    assert not weights or any(np.any(a != b) for a, b in zip(weights, now, strict=True))


SAVED = [kind for kind in KINDS if kind not in ("several outputs", "TextVectorization", "subclassed")]


@pytest.mark.parametrize("kind", SAVED)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_stripped_is_saved_and_loaded(kind, tmp_path):
    classifier, x = KINDS[kind]()
    stripped, x, output = by_crowd_model(classifier, x, answers_for(kind))
    if kind != "PyTorch module":
        stripped.save(tmp_path / "classifier.keras")
        loaded = keras.models.load_model(tmp_path / "classifier.keras")
        np.testing.assert_allclose(loaded.predict(x, verbose=0), output, rtol=1e-4, atol=1e-5)
    if BACKEND == "torch" or (BACKEND == "jax" and kind == "KerasHub text"):
        return  # Keras exports nothing under PyTorch; JAX cannot compare lengths of texts that are not known
    stripped.export(tmp_path / "saved", verbose=False)
    assert (tmp_path / "saved" / "saved_model.pb").exists()


def test_own_training_is_run_by_em_and_warned_of_elsewhere():
    classifier, x = functional(OwnTraining)
    OwnTraining.steps = 0
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*is not run by")
        by_em(classifier, x, ANSWERS)
    assert OwnTraining.steps > 0
    with pytest.warns(UserWarning, match="is not run by `fit_crowd`.*`EMTrainer` trains the classifier"):
        by_fit_crowd(classifier, x, ANSWERS)


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
