"""Slots whose number is unknown before the step, or differs from batch to batch; compiled or not."""

import keras
import numpy as np
import pytest
from conftest import BACKEND, XLA

import keras_crowd as kc
from keras_crowd.pipelines import CrowdBatches, tf_data

N, R, D, K = 24, 6, 4, 3
rng = np.random.default_rng(0)
X = rng.normal(size=(N, D)).astype("float32")
TABLE = rng.integers(0, K, (N, R))
TABLE[:16, 2:] = -1  # the first batches are narrow, and have one width
IDS = np.array([[0, 3], [2, -1], [5, 1]], "int32")
tensorflow_only = pytest.mark.skipif(BACKEND != "tensorflow", reason="unknown widths are TensorFlow's")
JIT = [False, True] if XLA else [False]


def layers():
    """A crowd layer of each kind, with what it stands on."""
    f, score = rng.dirichlet(np.ones(K), 3), rng.normal(size=(3, 1))
    tokens, many = rng.dirichlet(np.ones(K), (3, 5)), rng.dirichlet(np.ones(21), 3)
    for conn_type in ("MW", "VW", "VB", "VW+B", "SW", "CM"):
        yield pytest.param(kc.layers.CrowdsClassification(R, conn_type), f, id=conn_type)
        sequences = kc.layers.CrowdsSequenceLabeling(R, conn_type)
        yield pytest.param(sequences, tokens, id=f"{conn_type} tokens")
    yield pytest.param(kc.layers.CrowdsClassification(1000, "CM"), f, id="CM rows of slots")
    yield pytest.param(kc.layers.CrowdsClassification(R, "MW"), many, id="MW in groups")
    yield pytest.param(kc.layers.CrowdsClassification(R, "CM"), many, id="CM in groups")
    yield pytest.param(kc.layers.CrowdsRegression(R, "S+B"), score, id="S+B")
    yield pytest.param(kc.layers.CrowdsOrdinal(R, 3), score, id="ordinal")


@tensorflow_only
@pytest.mark.parametrize(("layer", "below"), layers())
def test_values_and_gradients_of_unknown_width_are_those_of_a_known_one(layer, below, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(kc.layers._classes_layer, "_SLOTS_TO_GROUP", 0.1)
    below = below.astype("float32")
    layer(below, annotators=IDS)  # builds it

    def answers_and_gradients(below, ids):
        with tf.GradientTape() as tape:
            answers = layer(below, annotators=ids, training=True)
            total = tf.reduce_sum(tf.sin(answers))
        gradients = tape.gradient(total, [v.value for v in layer.trainable_variables])
        return answers, *map(tf.convert_to_tensor, gradients)

    specs = [
        tf.TensorSpec([None] * (below.ndim - 1) + [below.shape[-1]]),
        tf.TensorSpec([None] * 2, tf.int32),
    ]
    expected = answers_and_gradients(tf.constant(below), tf.constant(IDS))
    for jit_compile in (False, True):
        compiled = tf.function(answers_and_gradients, specs, jit_compile=jit_compile)
        for found, wanted in zip(compiled(below, IDS), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def model_of(conn_type="CM", width=None, jit_compile=False):
    keras.utils.set_random_seed(1)
    x, annotators = keras.Input((D,)), keras.Input((width,), dtype="int32")
    crowd = kc.layers.CrowdsClassification(R, conn_type)
    model = keras.Model([x, annotators], crowd(keras.layers.Dense(K, "softmax")(x), annotators=annotators))
    model.compile(keras.optimizers.SGD(0.1), kc.losses.MaskedCrowdCrossEntropy(), jit_compile=jit_compile)
    return model


@pytest.mark.parametrize("jit_compile", JIT)
@pytest.mark.parametrize("make", [CrowdBatches, pytest.param(tf_data, marks=tensorflow_only)])
def test_narrow_first_batches_do_not_fix_the_width(make, jit_compile):
    found = []
    for width in (None, R):
        model = model_of("MW", width, jit_compile)
        model.fit(make(X, TABLE, 8, shuffle=False, num_slots=width), shuffle=False, verbose=0)
        found.append(model.get_weights())
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@tensorflow_only
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
@pytest.mark.parametrize("kind", ["tf_saved_model", "litert"])
def test_model_on_slots_is_exported_for_any_width(kind, tmp_path):
    import tensorflow as tf

    model = model_of()
    ids = np.array([[0, 1, 2], [3, 5, 4]], "int32")
    path = str(tmp_path / ("model.tflite" if kind == "litert" else "model"))
    model.export(path, format=kind, verbose=False)
    if kind == "litert":
        found = of_litert(tf.lite.Interpreter(path), X[:2], ids)
    else:
        served = tf.saved_model.load(path)
        found = served.serve([X[:2], ids])
    np.testing.assert_allclose(found, model.predict([X[:2], ids], verbose=0), rtol=1e-5, atol=1e-5)


def of_litert(interpreter, *arrays):
    """The one output of a LiteRT model, whose inputs are told apart by their dtypes."""
    by_dtype = {array.dtype: array for array in arrays}
    for detail in interpreter.get_input_details():
        interpreter.resize_tensor_input(detail["index"], by_dtype[np.dtype(detail["dtype"])].shape)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], by_dtype[np.dtype(detail["dtype"])])
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
