"""`crowd_model`: any classifier under a crowd layer, with its inputs kept; and what it makes of heads and dtypes."""

import keras
import numpy as np
import pytest
from conftest import BACKEND

import keras_crowd as kc

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 6)).astype("float32")
ANSWERS = RNG.integers(-1, 3, (24, 5))
BINARY = np.minimum(ANSWERS, 1)
TOKENS = np.array([[4097, 4999, 0], [1, 2, 3]] * 12)
needs_strings = pytest.mark.skipif(BACKEND != "tensorflow", reason="only TensorFlow has strings")


class Subclassed(keras.Model):
    def __init__(self, units=3, activation="softmax", **kwargs):
        super().__init__(**kwargs)
        self.hidden, self.dense = keras.layers.Dense(4), keras.layers.Dense(units, activation)

    def call(self, x):
        return self.dense(self.hidden(x["a"] if isinstance(x, dict) else x))


class OwnTraining(keras.Model):
    def train_step(self, *args, **kwargs):
        return super().train_step(*args, **kwargs)


def network(units=3, activation="softmax", layers=()):
    return keras.Sequential([keras.Input((6,)), *layers, keras.layers.Dense(units, activation)])


def of_tokens(dtype="int32", **kwargs):
    inputs = keras.Input((3,), dtype=dtype, name="tokens")
    hidden = keras.layers.Flatten()(keras.layers.Embedding(5000, 4)(inputs))
    return keras.Model(inputs, keras.layers.Dense(3, "softmax", dtype="float32")(hidden))


def crowd(**kwargs):
    return kc.layers.CrowdsClassification(5, **kwargs)


def trained(model, x, answers):
    model.compile("adam", kc.losses.MaskedCrowdCrossEntropy())
    model.fit(x, answers, verbose=0)
    return model


@pytest.mark.by_turns
@pytest.mark.parametrize("slots", [False, True])
@pytest.mark.parametrize("kind", ["one", "list", "dict"])
def test_inputs_keep_structure_names_and_dtypes(kind, slots):
    inputs = [keras.Input((6,), name="numbers"), keras.Input((3,), dtype="int32", name="tokens")]
    hidden = keras.layers.Flatten()(keras.layers.Embedding(5000, 2)(inputs[1]))
    both = keras.layers.Concatenate()([inputs[0], hidden])
    given = {"one": inputs[0], "list": inputs, "dict": {t.name: t for t in inputs}}[kind]
    classifier = keras.Model(given, keras.layers.Dense(3, "softmax")(inputs[0] if kind == "one" else both))
    x = {"one": X, "list": [X, TOKENS], "dict": {"numbers": X, "tokens": TOKENS}}[kind]

    model = kc.crowd_model(classifier, crowd(), slots)
    expected = [(t.name, t.dtype) for t in inputs[: 1 if kind == "one" else 2]]
    ids, answers = kc.Annotations.from_dense(ANSWERS).slots()
    if slots:
        x, expected = kc.pipelines.with_annotators(x, ids), [*expected, ("annotators", "int32")]
    else:
        answers = ANSWERS
    found = {t.name: t.dtype for t in model.inputs}
    assert found == dict(expected)
    assert isinstance(model.input, dict) == (kind == "dict")
    kc.validate(model, x, answers)
    before = classifier.get_weights()[-1].copy()
    trained(model, x, answers)
    assert np.any(classifier.get_weights()[-1] != before)  # weights are shared
    assert {t.name for t in kc.strip(model).inputs} == {t.name for t in classifier.inputs}


@needs_strings
def test_strings_reach_the_classifier():
    vectorize = keras.layers.TextVectorization(max_tokens=20, output_sequence_length=4)
    words = np.array(["good film", "bad film", "good", "bad"] * 6, object)
    vectorize.adapt(words)
    inputs = keras.Input((), dtype="string", name="text")
    hidden = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(20, 4)(vectorize(inputs)))
    classifier = keras.Model(inputs, keras.layers.Dense(3, "softmax")(hidden))
    model = kc.crowd_model(classifier, crowd())
    kc.validate(model, words, ANSWERS)
    trained(model, words, ANSWERS)
    with pytest.raises(
        ValueError, match=r"must be an array of objects, `x.astype\(object\)`.* Received: dtype <U9"
    ):
        kc.validate(model, words.astype(str), ANSWERS)
    with pytest.raises(ValueError, match=r"Input 'text' must be strings. Received: dtype float32"):
        kc.validate(model, X[:, 0], ANSWERS)
    lost = keras.Sequential([classifier, crowd()])
    with pytest.raises(
        ValueError, match=r"must be float32. `keras_crowd.crowd_model.* Received: dtype object"
    ):
        kc.validate(lost, words, ANSWERS)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="TensorFlow has strings")
def test_strings_are_refused_where_there_are_none():
    inputs = keras.Input((), dtype="string")
    classifier = keras.Model(inputs, keras.layers.Embedding(4, 3)(keras.layers.Hashing(4)(inputs)))
    with pytest.raises(ValueError, match="strings need the TensorFlow backend"):
        kc.crowd_model(classifier, crowd())


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_token_ids_are_not_rounded(policy):
    """Each token has an embedding of its own: what reaches the answers is what NumPy looks up."""
    keras.config.set_dtype_policy(policy)
    classifier = of_tokens()
    model = kc.crowd_model(classifier, crowd())
    kc.validate(model, TOKENS, ANSWERS)
    embedding, kernel, bias = classifier.get_weights()
    z = embedding[TOKENS].reshape(24, -1) @ kernel + bias
    f = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    stripped = kc.strip(model)
    assert stripped.input.dtype == "int32"
    np.testing.assert_allclose(stripped.predict(TOKENS, verbose=0), f, atol=2e-3)


def test_validate_refuses_ids_about_to_become_floats():
    for model in (
        keras.Sequential([of_tokens(), crowd()]),
        kc.crowd_model(of_tokens(dtype="float32"), crowd()),
    ):
        with pytest.raises(ValueError, match=r"is float32, .*take int32: ids .*`keras_crowd.crowd_model"):
            kc.validate(model, TOKENS, ANSWERS)
    kc.validate(kc.crowd_model(network(), crowd()), np.round(X).astype(int), ANSWERS)  # counts are fine
    with pytest.raises(ValueError, match="must be int32: fractions would be cut off"):
        kc.validate(kc.crowd_model(of_tokens(), crowd()), TOKENS + 0.5, ANSWERS)


@pytest.mark.by_turns
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_sequential_without_input_takes_its_from_the_data(policy):
    keras.config.set_dtype_policy(policy)
    layers = [keras.layers.Embedding(5000, 4), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    classifier = keras.Sequential(layers)
    with pytest.raises(ValueError, match=r"crowd_model\(classifier, crowd, x=x\[:1\]\)"):
        kc.crowd_model(classifier, crowd())
    model = kc.crowd_model(classifier, crowd(), x=TOKENS[:1])
    assert model.input.dtype == classifier.inputs[0].dtype == "int32"
    trained(model, TOKENS, ANSWERS)
    np.testing.assert_array_equal(
        classifier.predict(TOKENS, verbose=0), kc.strip(model).predict(TOKENS, verbose=0)
    )
    whole = keras.Sequential([*layers, crowd()])
    kc.validate(whole, TOKENS, ANSWERS)  # which builds it
    assert kc.strip(whole).input.dtype == "int32"


@pytest.mark.by_turns
@pytest.mark.parametrize("x", [X, {"a": X}], ids=["array", "dict"])
def test_subclassed_models_share_their_weights(x):
    classifier = Subclassed()
    with pytest.raises(ValueError, match=r"`crowd_model\(classifier, crowd, x=x\[:1\]\)`"):
        kc.crowd_model(classifier, crowd())
    model = kc.crowd_model(classifier, crowd(), x=x)
    kc.validate(model, x, ANSWERS)
    trained(model, x, ANSWERS)
    np.testing.assert_allclose(
        kc.strip(model).predict(x, verbose=0), classifier.predict(x, verbose=0), rtol=1e-5, atol=1e-6
    )


@pytest.mark.skipif(BACKEND == "torch", reason="Keras goes through models with numbers under PyTorch")
def test_a_model_that_symbols_cannot_go_through_is_refused():
    class Eager(keras.Model):
        def call(self, x):
            return x if np.asarray(x).sum() > 0 else 0 * x

    with pytest.raises(ValueError, match="must be callable on symbolic inputs"):
        kc.crowd_model(Eager(), crowd(), x=X)


def test_a_call_of_its_own_is_kept():
    """A functional model whose class computes something else than its graph."""

    class Sharper(keras.Model):
        def call(self, x, training=None, mask=None):
            f = super().call(x, training=training, mask=mask)
            return f**2 / keras.ops.sum(f**2, axis=-1, keepdims=True)

    inputs = keras.Input((6,))
    classifier = Sharper(inputs, keras.layers.Dense(3, "softmax")(inputs))
    model = kc.crowd_model(classifier, crowd())
    np.testing.assert_allclose(
        kc.strip(model).predict(X, verbose=0), classifier.predict(X, verbose=0), rtol=1e-5
    )


@pytest.mark.by_turns
@pytest.mark.parametrize("from_logits", [False, True])
def test_a_sigmoid_head_is_two_classes(from_logits):
    """The same answers predicted as by the softmax over (0, z)."""
    classifier = network(1, None if from_logits else "sigmoid")
    model = kc.crowd_model(classifier, crowd(from_logits=from_logits, initial_accuracy=0.8))
    kc.validate(model, X, BINARY)
    twin = network(2, None if from_logits else "softmax")
    kernel, bias = classifier.get_weights()
    twin.set_weights([np.concatenate([0 * kernel, kernel], axis=1), np.append(0 * bias, bias)])
    expected = kc.crowd_model(twin, crowd(from_logits=from_logits, initial_accuracy=0.8))
    np.testing.assert_allclose(
        model.predict(X, verbose=0), expected.predict(X, verbose=0), rtol=1e-4, atol=1e-5
    )
    trained(model, X, BINARY)
    stripped = kc.strip(model)
    assert stripped.output_shape == (None, 1)
    np.testing.assert_allclose(stripped.predict(X, verbose=0), classifier.predict(X, verbose=0), rtol=1e-5)


def test_a_sigmoid_head_keeps_its_tails_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    classifier = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, "sigmoid", dtype="float32")])
    model = kc.crowd_model(classifier, crowd())
    assert model.output.dtype == "float32"
    classifier.set_weights([np.zeros((6, 1)), np.array([-12.0])])
    expected = kc.layers.CrowdsClassification(5)(np.array([[1 - 6.14e-6, 6.14e-6]], "float32"))
    np.testing.assert_allclose(
        model.predict(X[:1], verbose=0), keras.ops.convert_to_numpy(expected), atol=1e-7
    )


@pytest.mark.parametrize(
    ("activation", "from_logits"), [(None, False), ("sigmoid", True), ("softmax", False)]
)
def test_a_head_of_one_unit_that_gives_no_probability_is_refused(activation, from_logits):
    nested = keras.Sequential([keras.Input((6,)), network(1, activation)])
    for classifier in (network(1, activation), nested):
        with pytest.raises(
            ValueError, match=r"must end in a sigmoid; or in a linear layer with `from_logits=True`"
        ):
            kc.crowd_model(classifier, crowd(from_logits=from_logits))


def test_joint_model_of_a_sigmoid_head(tmp_path):
    classifier = network(1, "sigmoid")
    joint = kc.models.JointCrowdModel(classifier, crowd(conn_type="CM", initial_accuracy=0.7))
    joint.compile("adam")
    kc.validate(joint, X, BINARY)
    joint.fit(X, BINARY, verbose=0)
    f = classifier.predict(X, verbose=0)
    np.testing.assert_allclose(joint.predict(X, verbose=0), np.hstack([1 - f, f]), rtol=1e-5)
    assert kc.strip(joint).output_shape == (None, 1)
    joint.save(tmp_path / "joint.keras")
    loaded = keras.models.load_model(tmp_path / "joint.keras")
    np.testing.assert_allclose(kc.strip(loaded).predict(X, verbose=0), f, rtol=1e-5)


def test_permuted_classes_of_a_sigmoid_head_are_put_back():
    truth = (X[:, 0] > 0).astype(int)
    answers = np.tile(truth[:, None], (1, 5))
    classifier = network(1, "sigmoid")
    classifier.set_weights([np.eye(6)[:, :1] * -9.0, np.zeros(1)])  # the wrong way round
    model = kc.crowd_model(classifier, crowd(conn_type="CM"))
    model.layers[-1].set_confusion(np.tile([[0.1, 0.9], [0.9, 0.1]], (5, 1, 1)))
    before = model.predict(X, verbose=0)
    assert kc.align_classes(model, X, answers).tolist() == [1, 0]
    np.testing.assert_array_equal(classifier.predict(X, verbose=0)[:, 0] > 0.5, truth == 1)
    np.testing.assert_allclose(model.predict(X, verbose=0), before, rtol=1e-4)


@pytest.mark.parametrize("layer", [kc.layers.CrowdsRegression, lambda r: kc.layers.CrowdsOrdinal(r, 4)])
def test_numbers_stay_numbers(layer):
    model = kc.crowd_model(network(1, None), layer(5))
    assert kc.strip(model).output_shape == (None, 1)
    assert not any("two_classes" in layer.name for layer in model.layers)


def test_several_outputs_are_refused_with_the_line_that_takes_one():
    inputs = keras.Input((6,))
    f, g = keras.layers.Dense(3, "softmax")(inputs), keras.layers.Dense(1)(inputs)
    for outputs, line in [
        ([f, g], r"classifier.outputs\[0\]"),
        ({"c": f, "s": g}, r"classifier.output\['c'\]"),
    ]:
        classifier = keras.Model(inputs, outputs)
        with pytest.raises(
            ValueError, match=rf"`keras.Model\(classifier.inputs, {line}\)`. .*with 2 outputs"
        ):
            kc.crowd_model(classifier, crowd())
    with pytest.raises(ValueError, match="`classifier` must be a Keras model"):
        kc.crowd_model("classifier", crowd())
    with pytest.raises(ValueError, match="`crowd` must be a crowd layer"):
        kc.crowd_model(network(), network())


def test_two_heads_are_told_apart():
    classifier = network(layers=[keras.layers.Dense(4)])
    features, hidden = classifier.inputs[0], classifier.layers[0].output
    grade = keras.layers.Dense(2, "softmax")(hidden)
    heads = [crowd(name="kind"), kc.layers.CrowdsClassification(7, name="grade")]
    model = keras.Model(features, [heads[0](classifier.outputs[0]), heads[1](grade)])
    others = RNG.integers(-1, 2, (24, 7))
    with pytest.raises(
        ValueError, match=r"`layer` must say .* Received: .* crowd layers \['kind', 'grade'\]"
    ):
        kc.strip(model)
    kc.validate(model, X, ANSWERS, layer="kind")
    kc.validate(model, X, others, layer=heads[1])
    with pytest.raises(ValueError, match=r"`answers` must have shape \(24, 7\)"):
        kc.validate(model, X, ANSWERS, layer="grade")
    with pytest.raises(ValueError, match=r"'vote'.* with 0 such crowd layers"):
        kc.strip(model, layer="vote")
    model.compile("adam", [kc.losses.MaskedCrowdCrossEntropy()] * 2)
    model.fit(X, [ANSWERS, others], verbose=0)
    assert kc.strip(model, layer="kind").output_shape == (None, 3)
    assert kc.strip(model, layer="grade").output_shape == (None, 2)


def test_a_crowd_layer_in_two_models_is_seen_in_each():
    layer, classifier = crowd(), network()
    dense, slots = kc.crowd_model(classifier, layer), kc.crowd_model(classifier, layer, slots=True)
    kc.validate(dense, X, ANSWERS)
    ids, answers = kc.Annotations.from_dense(ANSWERS).slots()
    kc.validate(slots, (X, ids), answers)
    with pytest.raises(ValueError, match="Annotator ids must be integers below num_annotators=5"):
        kc.validate(slots, (X, ids + 5), answers)


@pytest.mark.parametrize("method", ["train_step", "compute_loss"])
def test_training_of_its_own_is_not_bypassed_in_silence(method):
    def own(self, *args, **kwargs):
        return getattr(keras.Model, method)(self, *args, **kwargs)

    inputs = keras.Input((6,))
    kind = type("Own", (keras.Model,), {method: own, "__module__": __name__})
    classifier = kind(inputs, keras.layers.Dense(3, "softmax")(inputs))
    message = rf"`{method}` of Own .* is not run by .*`EMTrainer` trains the classifier by its own `fit`"
    with pytest.warns(UserWarning, match=message):
        kc.crowd_model(classifier, crowd())
    with pytest.warns(UserWarning, match=message):
        kc.models.JointCrowdModel(classifier, crowd(conn_type="CM"))


def as_tf_data(x, answers):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((x, answers)).batch(7)


class Batches(keras.utils.PyDataset):
    def __init__(self, x, answers):
        super().__init__()
        self.x, self.answers = x, answers

    def __len__(self):
        return 4

    def __getitem__(self, i):
        part = slice(7 * i, 7 * i + 7)
        return self.x[part], self.answers[part]


class Wrong(Batches):
    def __getitem__(self, i):
        return self.x


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_a_crowd_layer_added_to_a_sequential_keeps_its_token_ids(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        layers = [keras.layers.Embedding(5120, 4), keras.layers.GlobalAveragePooling1D()]
        head = keras.layers.Dense(3, "softmax", dtype="float32")
        model = keras.Sequential([keras.Input((6,), dtype="int32"), *layers, head])
        ids = np.full((1, 6), 4999, "int32")
        layers[0].set_weights([np.where(np.arange(5120)[:, None] == 4999, np.arange(4), 0)])
        alone = model.predict(ids, verbose=0)
        model.add(crowd(conn_type="CM"))
        kc.validate(model, ids, np.zeros((1, len(ANSWERS[0])), int))
        found = kc.strip(model)
        np.testing.assert_allclose(found.predict(ids, verbose=0), alone, atol=1e-6)
    finally:
        keras.config.set_dtype_policy(before)
    assert model.inputs[0].dtype == found.inputs[0].dtype == "int32"


@pytest.mark.parametrize("make", [as_tf_data, Batches])
def test_data_sets_are_validated(make):
    model = kc.crowd_model(network(), crowd())
    kc.validate(model, make(X, ANSWERS))
    wrong = ANSWERS.copy()
    wrong[20, 1] = 3  # in the third batch
    with pytest.raises(ValueError, match=r"class codes 0 to 2, .* the first 3 at \(6, 1\)"):
        kc.validate(model, make(X, wrong))
    rows = np.arange(24) < 22
    kc.validate(model, make(X, np.where(rows[:, None], -1, ANSWERS)))  # some batches without answers
    with pytest.raises(ValueError, match="at least one answer"):
        kc.validate(model, make(X, np.full_like(ANSWERS, -1)))


def test_data_sets_of_slots_are_validated():
    model = kc.crowd_model(network(), crowd(), slots=True)
    batches = kc.pipelines.CrowdBatches(X, ANSWERS, 7, seed=3)
    first = batches[0][1].copy()
    kc.validate(model, batches)
    np.testing.assert_array_equal(batches[0][1], first)  # the order of the epochs is as it was


def test_data_sets_without_end_or_beginning_are_refused():
    model, batches = kc.crowd_model(network(), crowd()), Batches(X, ANSWERS)
    with pytest.raises(ValueError, match="Received: generator, which is used up by reading"):
        kc.validate(model, (batches[i] for i in range(4)))
    with pytest.raises(ValueError, match="which has no end"):
        kc.validate(model, as_tf_data(X, ANSWERS).repeat())
    with pytest.raises(ValueError, match=r"must be \(x, answers\).* Received: ndarray"):
        kc.validate(model, Wrong(X, ANSWERS))


@pytest.mark.parametrize("slots", [False, True])
def test_annotations_are_validated_as_they_are(slots):
    annotations = kc.Annotations.from_dense(ANSWERS, classes=3)
    model = kc.crowd_model(network(), crowd(), slots)
    kc.validate(model, X, annotations)
    with pytest.raises(ValueError, match=r"same number of items; .* Received: lengths \[20"):
        kc.validate(model, X[:20], annotations)
    few = kc.crowd_model(network(2), crowd(), slots)
    with pytest.raises(ValueError, match="class codes 0 to 1"):
        kc.validate(few, X, annotations)


def test_fit_says_which_array_to_make_of_annotations():
    annotations = kc.Annotations.from_dense([[0, 1], [1, -1]])
    classifier = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "softmax")])
    model = kc.crowd_model(classifier, kc.layers.CrowdsClassification(2))
    model.compile("sgd", kc.losses.MaskedCrowdCrossEntropy())
    with pytest.raises(ValueError, match=r"`answers = annotations.dense\(\)`"):
        model.fit(np.zeros((2, 2)), annotations, verbose=0)
