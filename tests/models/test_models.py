"""`strip`, export of what it gives, and `validate` at the door of `fit`."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import BACKEND, XLA
from contracts import SLOTS, probabilities

import keras_crowd as kc

X = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")


def classifier(name="base"):
    return keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(3, "softmax")], name=name
    )


def nested():
    return keras.Sequential([classifier(), kc.layers.CrowdsClassification(5)])


def appended():
    model = classifier()
    model.add(kc.layers.CrowdsClassification(5))
    return model


def functional():
    features = keras.Input((6,))
    f = keras.layers.Dense(3, "softmax")(features)
    return keras.Model(features, {"classes": f, "answers": kc.layers.CrowdsClassification(5)(f)})


def on_pairs():
    scorer = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    return kc.models.preference_model(scorer, kc.layers.CrowdsPreference(5), slots=True)


def on_slots():
    base = classifier()
    annotators = keras.Input((None,), dtype="int32", name="annotators")
    logits = kc.layers.CrowdsClassification(5)(base.outputs[0], annotators=annotators)
    return keras.Model([*base.inputs, annotators], logits)


def with_dict_inputs():
    inputs = {"a": keras.Input((6,), name="a"), "b": keras.Input((6,), name="b")}
    inputs["annotators"] = keras.Input((None,), dtype="int32", name="annotators")
    f = keras.layers.Dense(3, "softmax")(keras.layers.Concatenate()([inputs["b"], inputs["a"]]))
    crowd = kc.layers.CrowdsClassification(5, "MW", kernel_initializer=kc.initializers.CrowdIdentity())
    return keras.Model(inputs, crowd(f, annotators=inputs["annotators"]))


def shared_with_another_model():
    base, crowd = classifier(), kc.layers.CrowdsClassification(5)
    keras.Sequential([base, crowd])
    annotators = keras.Input((None,), dtype="int32", name="annotators")
    return keras.Model([*base.inputs, annotators], crowd(base.outputs[0], annotators=annotators))


models = pytest.mark.parametrize(
    "build", [nested, appended, functional, on_slots, shared_with_another_model]
)


def crowd_layer(model):
    return next(layer for layer in model.layers if isinstance(layer, kc.layers.CrowdsClassification))


@models
def test_strip_gives_the_classifier_that_shares_weights(build):
    model = build()
    stripped = kc.strip(model)
    assert type(stripped).__module__.startswith("keras.")
    assert stripped.output_shape == (None, 3)
    before = stripped.predict(X, verbose=0)
    np.testing.assert_allclose(before.sum(axis=1), 1.0, rtol=1e-5)
    assert not any(isinstance(layer, kc.layers.CrowdsClassification) for layer in stripped.layers)
    shared = {id(v) for v in model.variables} & {id(v) for v in stripped.variables}
    assert len(shared) == len(stripped.variables)
    for weight in stripped.weights:
        weight.assign(3.0 * weight)
    assert np.abs(stripped.predict(X, verbose=0) - before).max() > 1e-3


@models
def test_strip_works_after_training_and_loading(build, tmp_path):
    model = build()
    expected = kc.strip(model).predict(X, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = kc.strip(keras.models.load_model(tmp_path / "model.keras"))
    np.testing.assert_allclose(loaded.predict(X, verbose=0), expected, rtol=1e-5)


def test_strip_keeps_the_names_of_inputs():
    model = with_dict_inputs()
    stripped = kc.strip(model)
    assert set(stripped.input) == {"a", "b"}
    x = {"a": X, "b": 2 * X}
    direct = model.predict({**x, "annotators": np.zeros((4, 1), "int32")}, verbose=0)
    f = stripped.predict(x, verbose=0)
    np.testing.assert_allclose(direct[:, 0], f, rtol=1e-5)  # the start is the identity


@pytest.mark.parametrize(
    ("build", "found"),
    [
        (classifier, "0 such crowd layers"),
        (lambda: keras.Sequential([kc.layers.CrowdsClassification(5)]), "never built"),
        (lambda: keras.Sequential([nested(), keras.layers.Flatten()]), "0 such crowd layers"),
    ],
)
def test_strip_refuses_what_it_cannot_strip(build, found):
    with pytest.raises(ValueError, match=f"`model` must be a built .* Received: .*{found}"):
        kc.strip(build())


SERVE_WITHOUT_KERAS = """
import sys
sys.modules["keras"] = sys.modules["keras_crowd"] = None  # importing either fails
import numpy as np
import tensorflow as tf
served = tf.saved_model.load(sys.argv[1])
np.save(sys.argv[3], served.serve(tf.constant(np.load(sys.argv[2]))).numpy())
"""


@pytest.mark.by_turns("tensorflow", "jax")
@pytest.mark.skipif(BACKEND == "torch", reason="Keras exports no SavedModel under PyTorch")
@pytest.mark.parametrize("build", [nested, on_slots, on_pairs])
def test_exported_classifier_serves_without_keras(build, tmp_path):
    pytest.importorskip("tensorflow")
    stripped = kc.strip(build())
    stripped.export(tmp_path / "served", verbose=False)
    np.save(tmp_path / "x.npy", X)
    paths = [str(tmp_path / name) for name in ("served", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-c", SERVE_WITHOUT_KERAS, *paths], check=True, capture_output=True)
    served, expected = np.load(tmp_path / "y.npy"), stripped.predict(X, verbose=0)
    np.testing.assert_allclose(served, expected, rtol=1e-5)
    np.testing.assert_array_equal(np.argsort(served, axis=0), np.argsort(expected, axis=0))


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras exports LiteRT from TensorFlow")
@pytest.mark.filterwarnings("ignore")
def test_exported_classifier_runs_on_litert(tmp_path):
    import tensorflow as tf

    stripped = kc.strip(nested())
    stripped.export(tmp_path / "model.tflite", format="litert", verbose=False)
    interpreter = tf.lite.Interpreter(str(tmp_path / "model.tflite"))
    (given,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], X.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], X)
    interpreter.invoke()
    np.testing.assert_allclose(
        interpreter.get_tensor(result["index"]), stripped.predict(X, verbose=0), rtol=1e-4, atol=1e-6
    )


def test_dense_and_slots_train_alike():
    annotations = kc.Annotations.from_dense(
        np.array([[0, -1, 2, -1, 1], [-1, 1, 1, -1, -1], [2] * 5, [-1] * 5])
    )
    ids, answers = annotations.slots()
    results = []
    for build, x, y in [(nested, X, annotations.dense()), (on_slots, (X, ids), answers)]:
        keras.utils.set_random_seed(1)
        model = build()
        model.compile("sgd", loss=kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
        model.fit(x, y, epochs=3, shuffle=False, verbose=0)
        results.append(crowd_layer(model).confusion())
    np.testing.assert_allclose(results[0], results[1], rtol=1e-4, atol=1e-6)


DENSE = np.array([[0, -1, 2, -1, 1], [-1, 1, 1, -1, -1], [2, 2, 2, 2, 2], [-1] * 5])


def changed(array, position, value):
    array = np.array(array)
    array[position] = value
    return array


def test_validate_passes_good_data():
    kc.validate(nested(), X, DENSE)
    kc.validate(functional(), X, DENSE.astype("float32"))
    soft = np.eye(3)[DENSE] * (DENSE >= 0)[..., None]
    kc.validate(nested(), X, soft)
    slots = np.where(SLOTS < 0, -1, 1)
    kc.validate(on_slots(), (X, SLOTS), slots)
    kc.validate(on_slots(), [X, SLOTS[:, :2]], slots[:, :2])
    kc.validate(with_dict_inputs(), {"annotators": SLOTS, "a": X, "b": X}, slots)
    tokens = keras.Sequential([keras.Input((None, 3)), kc.layers.CrowdsClassification(5)])
    kc.validate(tokens, probabilities(4, 7, 3), np.zeros((4, 7, 5), int))


@pytest.mark.parametrize(
    ("x", "answers", "message"),
    [
        (
            X,
            changed(DENSE, (1, 2), 3),
            r"class codes 0 to 2, .* Received: 1 that are not, the first 3 at \(1, 2\)",
        ),
        (X, changed(DENSE * 1.0, (0, 0), 0.5), r"class codes 0 to 2, .* the first 0.5 at \(0, 0\)"),
        (X, np.full_like(DENSE, -1), "`answers` must hold at least one answer. Received: all missing"),
        (X[:3], DENSE, r"the same number of items; .* Received: lengths \[3\] and 4"),
        (X, DENSE[:, :4], r"`answers` must have shape \(4, 5\). Received: shape \(4, 4\)"),
        (X, DENSE[..., None], r"`answers` must have shape \(4, 5, 3\). Received: shape \(4, 5, 1\)"),
        (X, DENSE[:, 0], r"`answers` must have shape \(4, 5\). Received: shape \(4,\)"),
        (
            changed(X, (2, 1), np.nan),
            DENSE,
            "Features must not be NaN or infinite. Received: such in 1 rows .* at row 2",
        ),
        (X, -np.ones((4, 5, 3)), "distributions over the classes"),
        ((X, X), DENSE, "`x` must have 1 arrays, .* Received: 2"),
    ],
)
def test_validate_refuses_bad_dense_data(x, answers, message):
    with pytest.raises(ValueError, match=message):
        kc.validate(nested(), x, answers)


@pytest.mark.parametrize(
    ("x", "answers", "message"),
    [
        (X[:, :5], DENSE, r"must have shape \(None, 6\). Received: shape \(4, 5\)"),
        (changed(X, (0, 1), np.inf), DENSE, "Features must not be NaN or infinite"),
        (np.ones((7, 6)), np.ones((5, 7), int), r"Received: lengths \[7\] and 5 \(transposed\?\)"),
        (X, DENSE.astype(str), "`answers` must be an array of numbers, .* Received: ndarray of dtype <U21"),
    ],
)
def test_validate_refuses_what_newcomers_try(x, answers, message):
    with pytest.raises(ValueError, match=message):
        kc.validate(nested(), x, answers)


def test_validate_refuses_a_loss_that_is_not_for_answers():
    model = nested()
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"must be compiled with a loss for crowd answers"):
        kc.validate(model, X, DENSE)


@pytest.mark.parametrize("slots", [False, True])
def test_validate_refuses_logits_for_probabilities(slots):
    base = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    annotators = keras.Input((None,), dtype="int32", name="annotators")
    for from_logits in (False, True):
        crowd = kc.layers.CrowdsClassification(5, from_logits=from_logits)
        if slots:
            logits = crowd(base.outputs[0], annotators=annotators)
            model, x, y = (
                keras.Model([*base.inputs, annotators], logits),
                (X, SLOTS),
                np.where(SLOTS < 0, -1, 1),
            )
        else:
            model, x, y = keras.Sequential([base, crowd]), X, DENSE
        if from_logits:
            kc.validate(model, x, y)
        else:
            with pytest.raises(ValueError, match=r"must give class probabilities; .* `from_logits=True`"):
                kc.validate(model, x, y)


def test_strip_refuses_a_subclassed_model():
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.crowd = kc.layers.CrowdsClassification(5)

        def call(self, x):
            return self.crowd(x)

    model = Mine()
    model(probabilities(4, 3))
    with pytest.raises(ValueError, match=r"Received: Mine .* with no symbolic inputs"):
        kc.strip(model)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (
            changed(SLOTS, (0, 0), 5),
            "Annotator ids must be integers below num_annotators=5, .* highest id 5",
        ),
        (SLOTS * 1.0, "Annotator ids must be integers .* Received: dtype float64"),
        (changed(SLOTS, (2, 1), -1), "Every answer must have an annotator. Received: .* in row 2"),
        (changed(SLOTS, (3, 0), 3), "at most once. Received: annotator 3 twice in row 3"),
        (SLOTS[:, :2], r"`answers` must have shape \(4, 2\). Received: shape \(4, 3\)"),
    ],
)
def test_validate_refuses_bad_slots(ids, message):
    with pytest.raises(ValueError, match=message):
        kc.validate(on_slots(), (X, ids), np.where(SLOTS < 0, -1, 1))


def test_validate_refuses_a_missing_input():
    with pytest.raises(ValueError, match=r"`x` must have a key for each input. Received: no b"):
        kc.validate(with_dict_inputs(), {"a": X, "annotators": SLOTS}, np.where(SLOTS < 0, -1, 1))


def two_layers(activation="softmax"):
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation)])


def test_metrics_of_keras_are_refused_by_validate():
    model = keras.Sequential([two_layers(), kc.layers.CrowdsClassification(5)])
    model.compile("adam", kc.losses.MaskedCrowdCrossEntropy(), metrics=["accuracy"])
    with pytest.raises(ValueError, match=r"metrics for crowd answers.*Received: metrics=\['accuracy'\]"):
        kc.validate(model, np.ones((6, 3)), np.zeros((6, 5), int))
    model.compile("adam", kc.losses.MaskedCrowdCrossEntropy(), metrics=[kc.metrics.CrowdAccuracy()])
    kc.validate(model, np.ones((6, 3)), np.zeros((6, 5), int))


def test_probabilities_said_to_be_logits_are_refused():
    model = keras.Sequential([two_layers(), kc.layers.CrowdsClassification(5, from_logits=True)])
    with pytest.raises(ValueError, match=r"With `from_logits=True` the classifier must give logits"):
        kc.validate(model, np.ones((6, 3)), np.zeros((6, 5), int))


def test_variances_need_the_gaussian_loss():
    regressor = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    crowd = kc.layers.CrowdsRegression(5, learn_variance=True, answers_per_annotator=[1] * 5)
    model = keras.Sequential([regressor, crowd])
    model.compile("adam", kc.losses.MaskedCrowdMeanSquaredError())
    with pytest.raises(ValueError, match=r"here `keras_crowd\.losses\.MaskedCrowdGaussian"):
        kc.validate(model, np.ones((6, 3)), np.zeros((6, 5)))


def joint_model():
    return kc.models.JointCrowdModel(two_layers(), kc.layers.CrowdsClassification(5, "CM"))


def hidden_model():
    encoder = keras.Sequential([keras.Input((None, 3)), keras.layers.Dense(4)])
    return kc.models.HiddenCRF(encoder, kc.layers.CrowdsSequenceLabeling(5, "CM"))


@pytest.mark.parametrize(("make", "items"), [(joint_model, (6,)), (hidden_model, (6, 2))])
def test_models_with_a_loss_of_their_own_are_validated(make, items):
    model, x, answers = make(), np.ones((*items, 3)), np.zeros((*items, 5), int)
    kc.validate(model, x, answers)
    nan = x.copy()
    nan[2] = np.nan
    for features, given, message in [
        (x[:4], answers, r"Received: lengths \[4\] and 6"),
        (nan, answers, "in 1 rows of array 0 of `x`, the first at row 2"),
        (x, answers + 4, "class codes 0 to 3"),
        (x, answers[..., :3], "`answers` must have shape"),
        (x, answers - 1, "all missing"),
    ]:
        with pytest.raises(ValueError, match=message):
            kc.validate(model, features, given)
    model.compile("adam", "mse")
    with pytest.raises(ValueError, match=r"must be compiled without a loss.*Received: loss='mse'"):
        kc.validate(model, x, answers)
    with pytest.raises(ValueError, match=r"must be compiled without a loss.*Received: loss='mse'"):
        model.fit(x, answers, verbose=0)


def test_lengths_of_sequences_are_validated():
    x, answers = np.ones((6, 4, 3)), np.zeros((6, 2, 5), int)
    crowd = kc.layers.CrowdsSequenceLabeling(5, "CM")
    tagger = keras.Sequential([keras.Input((None, 3)), keras.layers.Dense(4, "softmax"), crowd])
    for model in (tagger, hidden_model()):
        kc.validate(model, x[:, :2], answers)
        with pytest.raises(ValueError, match=r"must have shape \(6, 4, 5\). Received: shape \(6, 2, 5\)"):
            kc.validate(model, x, answers)


def test_probabilities_are_no_scores():
    encoder = keras.Sequential([keras.Input((None, 3)), keras.layers.Dense(4, "softmax")])
    model = kc.models.HiddenCRF(encoder, kc.layers.CrowdsSequenceLabeling(5, "CM"))
    with pytest.raises(ValueError, match="`encoder` must give scores"):
        kc.validate(model, np.ones((6, 2, 3)), np.zeros((6, 2, 5), int))


def test_batches_are_no_arrays():
    x, answers = np.ones((6, 3), "float32"), np.tile([0, 1, 2, 3, 3], (6, 1))
    batches = kc.pipelines.CrowdBatches(x, answers)
    model = keras.Sequential([two_layers(), kc.layers.CrowdsClassification(5)])
    with pytest.raises(ValueError, match=r"`x` must have 1 arrays, one for each input .*Received: 2"):
        kc.validate(model, batches)
    with pytest.raises(
        ValueError, match=r"`answers` must be left out .*Received: CrowdBatches and ndarray"
    ):
        kc.validate(model, batches, answers)
    with pytest.raises(ValueError, match="Batches of a data set must be features alone"):
        kc.fit_crowd(two_layers(), batches, answers)
    with pytest.raises(
        ValueError, match=r"`model` must be a Keras model with a crowd layer. Received: str"
    ):
        kc.strip("model")


def test_gold_and_slots_of_a_joint_model_are_validated():
    model = joint_model()
    x, answers = np.ones((6, 3)), np.zeros((6, 5), int)
    kc.validate(model, x, (answers, np.full(6, -1)))
    with pytest.raises(ValueError, match="class codes 0 to 3"):
        kc.validate(model, x, (answers, np.full(6, 4)))
    slots = kc.models.JointCrowdModel(two_layers(), kc.layers.CrowdsClassification(5, "CM"), slots=True)
    with pytest.raises(ValueError, match="Annotator ids must be integers below num_annotators=5"):
        kc.validate(slots, (x, np.full((6, 2), 5)), np.zeros((6, 2), int))
