"""Connections that look at features of the items: values, where features come from, starts, penalties, files."""

import keras
import numpy as np
import pytest
import references
import references_items
from conftest import XLA
from contracts import ITEM_CONN_TYPES, SLOTS, numbers, probabilities
from gradients import value_and_gradients
from keras import ops as kops

import keras_crowd as kc
from keras_crowd.layers import connections

R, K, D = 5, 3, 7
item_conn_types = pytest.mark.parametrize("conn_type", ITEM_CONN_TYPES)


def as_numpy(tensor):
    return kops.convert_to_numpy(tensor)


def random_layer(conn_type, seed=0, **kwargs):
    layer = kc.layers.CrowdsClassification(R, conn_type, **kwargs)
    layer.build((None, K), features_shape=(None, D))
    rng = np.random.default_rng(seed)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(size=weight.shape))
    return layer


def oracle(layer, f, x):
    own = {name: as_numpy(values).astype(float) for name, values in layer.annotators.of_all().items()}
    shared = {
        weight.path.rsplit("/", 1)[-1]: as_numpy(weight).astype(float) for weight in layer.trainable_weights
    }
    return references_items.item_logits(layer.conn_type, f.astype(float), x.astype(float), own, shared)


@item_conn_types
def test_item_logits_equal_the_papers_formula(conn_type):
    layer, f, x = random_layer(conn_type), probabilities(4, K), numbers(4, D)
    dense = as_numpy(layer(f, features=x))
    np.testing.assert_allclose(
        references.softmax(dense), references.softmax(oracle(layer, f, x)), rtol=1e-4, atol=1e-6
    )
    slots = as_numpy(layer(f, SLOTS, x))
    for i, row in enumerate(SLOTS):
        for s, annotator in enumerate(row):
            expected = dense[i, annotator] if annotator >= 0 else -1e30
            np.testing.assert_allclose(slots[i, s], expected, rtol=1e-4, atol=1e-5)


@item_conn_types
def test_every_rank_of_features_is_the_same_map(conn_type):
    layer, f, x = random_layer(conn_type), probabilities(4, 2, 3, K), numbers(4, 2, 3, D)
    flat = as_numpy(layer(f.reshape(-1, K), features=x.reshape(-1, D))).reshape(4, 2, 3, R, K)
    np.testing.assert_allclose(as_numpy(layer(f, features=x)), flat, rtol=1e-4, atol=1e-5)
    slots = as_numpy(layer(f, annotators=SLOTS, features=x))
    np.testing.assert_allclose(slots[3], flat[3][:, :, SLOTS[3]], rtol=1e-4, atol=1e-5)


@item_conn_types
def test_confusion_is_that_of_the_items_given_or_of_the_mean_item(conn_type):
    layer, x = random_layer(conn_type), numbers(3, D)
    answers = [references.softmax(oracle(layer, np.eye(K), np.tile(item, (K, 1)))) for item in x]
    expected = np.mean(answers, axis=0).transpose(1, 0, 2)
    np.testing.assert_allclose(layer.confusion(x), expected, rtol=1e-4, atol=1e-6)
    for _ in range(2):
        layer(probabilities(3, K), features=x, training=True)
    mean = np.mean(x, axis=0, keepdims=True)
    np.testing.assert_allclose(layer.confusion(), layer.confusion(mean), rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match=r"`features` must have shape \(items, 7\)"):
        layer.confusion(x[0])


def sure_and_unsure(num_items=300):
    """Items of which the last feature tells whether annotators answer at random; the others tell the class."""
    rng = np.random.default_rng(0)
    truth, hard = rng.integers(K, size=num_items), rng.random(num_items) < 0.4
    x = np.concatenate([3 * np.eye(K)[truth] + rng.normal(size=(num_items, K)), hard[:, None]], axis=1)
    right = rng.random((num_items, R)) < np.where(hard, 0.34, 0.95)[:, None]
    answers = np.where(right, truth[:, None], rng.integers(K, size=(num_items, R)))
    answers[rng.random(answers.shape) < 0.3] = -1
    return x.astype("float32"), answers, truth, hard


def model_on(conn_type, slots, **kwargs):
    layers = [
        keras.Input((K + 1,), name="x"),
        keras.layers.Dense(8, "relu"),
        keras.layers.Dropout(0.1, name="dropped"),
        keras.layers.Dense(K),
        keras.layers.Softmax(),
    ]
    classifier, crowd = keras.Sequential(layers), kc.layers.CrowdsClassification(R, conn_type, name="crowd")
    return kc.crowd_model(classifier, crowd, slots=slots, **kwargs), crowd, classifier


@pytest.mark.by_turns
@item_conn_types
@pytest.mark.parametrize("slots", [False, True])
def test_crowd_model_trains_on_features_and_comes_back_from_a_file(conn_type, slots, tmp_path):
    x, table, _, _ = sure_and_unsure(64)  # even batches are compiled once
    answers = kc.Annotations.from_dense(table, classes=K)
    model, crowd, classifier = model_on(conn_type, slots)
    crowd.adapt(answers)
    assert crowd.num_features == 8
    loss = kc.losses.MaskedCrowdCrossEntropy()
    model.compile(kc.optimizers.crowd_optimizer(model, "adam", 0.1), loss, jit_compile=XLA)
    ids, said = answers.slots() if slots else (None, table)
    given = (x, ids) if slots else x
    kc.validate(model, given, said)
    kc.validate(model, x, answers)
    schedule = kc.callbacks.CrowdFreeze(crowd, 1)
    before = [as_numpy(weight) for weight in model.trainable_weights]
    model.fit(given, said, epochs=2, verbose=0, callbacks=[schedule])
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.isfinite(as_numpy(weight)).all()
        assert np.any(as_numpy(weight) != old), weight.path
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(given, verbose=0), model.predict(given, verbose=0), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(loaded.get_layer("crowd").confusion(), crowd.confusion(), rtol=1e-5)
    stripped = kc.strip(model)
    assert [weight.path for weight in stripped.weights] == [weight.path for weight in classifier.weights]
    np.testing.assert_array_equal(stripped.predict(x, verbose=0), classifier.predict(x, verbose=0))


@item_conn_types
def test_no_gradient_goes_back_into_features(conn_type):
    layer, f = random_layer(conn_type), probabilities(4, K)

    def loss(x, f):
        logits = kops.log_softmax(layer(f, features=x, training=True), axis=-1)
        return -kops.mean(logits[..., 0])

    _, gradients = value_and_gradients(loss, numbers(4, D), f)
    assert not gradients[0].any()
    assert gradients[1].any()


@item_conn_types
def test_lazy_steps_touch_the_annotators_of_the_batch(conn_type):
    x, table, _, _ = sure_and_unsure(20)
    ids = np.tile(np.array([0, 3], "int32"), (20, 1))
    inputs = keras.Input((K + 1,))
    f = keras.layers.Dense(K, "softmax")(inputs)
    annotators = keras.Input((2,), dtype="int32")
    crowd = kc.layers.CrowdsClassification(R, conn_type, max_batch_slots=40)
    model = keras.Model([inputs, annotators], crowd(f, annotators, inputs))
    assert crowd.num_features == K + 1
    optimizer = kc.optimizers.crowd_optimizer(model, "adam", 0.1)
    model.compile(optimizer, kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    before = {name: as_numpy(values) for name, values in crowd.annotators.of_all().items()}
    model.fit([x, ids], table[:, :2], batch_size=20, epochs=2, verbose=0)
    moved = np.zeros(R, bool)
    for name, values in crowd.annotators.of_all().items():
        moved |= np.any((as_numpy(values) != before[name]).reshape(R, -1), axis=1)
    assert moved.tolist() == [True, False, False, True, False]


def test_where_features_come_from():
    assert model_on("CoNAL", True, features="x")[1].num_features == K + 1
    assert model_on("CoNAL", False, features="dropped")[1].num_features == 8
    inner = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4), keras.layers.Dense(K, "softmax")])
    nested, crowd = keras.Sequential([keras.Input((6,)), inner]), kc.layers.CrowdsClassification(R, "CoNAL")
    kc.crowd_model(nested, crowd)
    assert crowd.num_features == 6


def refused(build, match):
    with pytest.raises(ValueError, match=match):
        build()


def test_features_that_cannot_be_are_refused():
    refused(lambda: model_on("CoNAL", False, features="nothing"), "`features` must be the name of a layer")
    refused(lambda: model_on("CM", False, features="x"), "`features` must go with a connection")
    images = [keras.Input((8, 8, 1)), keras.layers.Conv2D(K, 3), keras.layers.GlobalAveragePooling2D()]
    classifier, crowd = keras.Sequential(images), kc.layers.CrowdsClassification(R, "CoNAL")
    refused(lambda: kc.crowd_model(classifier, crowd), "must be floats with the axes of the predictions")
    f, x = probabilities(4, K), numbers(4, D)
    refused(lambda: kc.layers.CrowdsClassification(R, "CoNAL")(f), "`features` must be given")
    refused(lambda: kc.layers.CrowdsClassification(R, "CM")(f, features=x), "`features` must be left out")
    refused(lambda: kc.layers.CrowdsClassification(R, "CoNAL").build((None, K)), "`features` must be given")
    crowd = kc.layers.CrowdsClassification(R, "CoNAL")
    refused(lambda: crowd(f, features=x[None]), "axes of the predictions")
    refused(
        lambda: kc.layers.CrowdsClassification(R, "CoNAL", initial_accuracy=0.8),
        "sets the start of the kernel",
    )
    refused(lambda: kc.models.JointCrowdModel(classifier, random_layer("CoNAL")), "with confusions")


def test_features_are_told_from_annotators_in_any_order_of_the_call():
    x, ids, wide = (keras.Input(shape) for shape in ((4,), (2,), (9,)))
    ids = keras.Input((2,), dtype="int32", name="ids")
    crowd = kc.layers.CrowdsClassification(R, "CoNAL")
    answers = crowd(keras.layers.Dense(K, "softmax")(x), features=wide, annotators=ids)
    model = keras.Model([x, wide, ids], answers)
    model.compile("sgd", kc.losses.MaskedCrowdCrossEntropy())
    arrays = [numbers(6, 4), numbers(6, 9), np.tile(np.array([0, R], "int32"), (6, 1))]
    with pytest.raises(ValueError, match="Annotator ids must be integers below"):
        kc.validate(model, arrays, np.zeros((6, 2), int))
    assert len(kc.strip(model).inputs) == 1


# --- CoNAL -----------------------------------------------------------------------------------------


def test_common_confusions_start_from_dawid_and_skene():
    _, table, _, _ = sure_and_unsure()
    expected = kc.warm_start.from_dawid_skene(table, K)
    for built in (True, False):
        crowd = kc.layers.CrowdsClassification(R, "CoNAL")
        if built:
            crowd.build((None, K), features_shape=(None, D))
        crowd.adapt(table)
        if not built:
            crowd.build((None, K), features_shape=(None, D))
        own, common = as_numpy(crowd.annotators.of_all()["own"]), as_numpy(crowd._shared["common"])
        np.testing.assert_allclose(references.softmax(own), expected, atol=1e-5)
        np.testing.assert_allclose(references.softmax(common), expected.mean(axis=0), atol=1e-5)


def test_an_adapted_layer_of_other_classes_is_refused():
    crowd = kc.layers.CrowdsClassification(R, "CoNAL")
    crowd.adapt(sure_and_unsure()[1])
    with pytest.raises(ValueError, match=r"`confusion` must have shape \(5, 4, 4\)"):
        crowd.build((None, 4), features_shape=(None, D))


def test_annotators_of_the_common_confusion_are_a_mixture_alone():
    """With `A_r = C` the choice between them is nothing, and the layer is that of confusion matrices."""
    layer, f, x = random_layer("CoNAL"), probabilities(4, K), numbers(4, D)
    common = as_numpy(layer._shared["common"])
    layer.annotators.assign("own", np.tile(common, (R, 1, 1)))
    expected = np.log(f @ references.softmax(common.astype(float)))
    found = as_numpy(layer(f, features=x))
    np.testing.assert_allclose(found, np.repeat(expected[:, None], R, axis=1), rtol=1e-4)


@pytest.mark.parametrize("slots", [False, True])
def test_separation_is_the_mean_distance_of_confusions(slots):
    layer = random_layer(connections.CommonConfusions(separation=0.1))
    layer(probabilities(4, K), SLOTS if slots else None, numbers(4, D), training=True)
    confusion = references.softmax(as_numpy(layer.annotators.of_all()["own"]).astype(float))
    common = references.softmax(as_numpy(layer._shared["common"]).astype(float))
    distance = np.sqrt(((confusion - common) ** 2).sum(axis=(1, 2)))
    expected = -0.1 * (distance[SLOTS[SLOTS >= 0]] if slots else distance).mean()
    np.testing.assert_allclose(float(as_numpy(layer.losses[0])), expected, rtol=1e-4)


@item_conn_types
def test_true_classes_of_item_connections_change_places(conn_type):
    layer, x, order = random_layer(conn_type), numbers(2, D), np.array([2, 0, 1])
    before = layer.confusion(x)
    layer.permute_classes(order)
    np.testing.assert_allclose(layer.confusion(x), before[:, order], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "value"), [("embedding_size", 0), ("num_hidden", 1.5), ("separation", -1)]
)
def test_arguments_of_common_confusions_are_checked(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        connections.CommonConfusions(**{name: value})


def test_another_common_confusion_is_kept_in_configs():
    layer = kc.layers.CrowdsClassification(
        R, connections.CommonConfusions(embedding_size=3, separation=0.0)
    )
    again = kc.layers.CrowdsClassification.from_config(layer.get_config())
    assert again.connection.get_config() == layer.connection.get_config()
    assert connections.serialize(connections.CommonConfusions()) == "CoNAL"


# --- confusions of item and annotator --------------------------------------------------------------


@pytest.mark.parametrize("conn_type", ["item", "MaDL"])
def test_confusions_of_items_start_from_dawid_and_skene(conn_type):
    _, table, _, _ = sure_and_unsure()
    crowd = random_layer(conn_type)
    crowd.adapt(table)
    expected = kc.warm_start.from_dawid_skene(table, K)
    if conn_type == "MaDL":
        expected = np.repeat(expected.mean(axis=0, keepdims=True), R, axis=0)
    np.testing.assert_allclose(crowd.confusion(numbers(2, D)), expected, atol=1e-5)


@pytest.mark.parametrize("num_classes", [2, 10])
def test_annotators_of_embeddings_start_as_right_as_said(num_classes):
    crowd = kc.layers.CrowdsClassification(R, connections.AnnotatorEmbeddings(accuracy=0.7))
    crowd.build((None, num_classes), features_shape=(None, D))
    diagonal = np.diagonal(crowd.confusion(numbers(1, D)), axis1=1, axis2=2)
    np.testing.assert_allclose(diagonal, 0.7, rtol=1e-4)


def test_where_items_add_nothing_confusions_are_those_of_cm():
    crowd, matrices = kc.layers.CrowdsClassification(R, "item"), kc.layers.CrowdsClassification(R, "CM")
    f, kernel = probabilities(4, K), numbers(R, K, K)
    crowd.build((None, K), features_shape=(None, D))
    matrices.build((None, K))
    crowd.annotators.assign("base", kernel)
    matrices.annotators.assign("kernel", kernel)
    np.testing.assert_allclose(
        as_numpy(crowd(f, features=numbers(4, D))), as_numpy(matrices(f)), rtol=1e-4, atol=1e-6
    )


@pytest.mark.only_under("torch")
def test_confusions_of_items_learn_on_which_items_annotators_err():
    keras.utils.set_random_seed(0)
    x, table, _, hard = sure_and_unsure(400)
    model, crowd, _ = model_on("item", True, features="x")
    crowd.adapt(table)
    ids, said = kc.Annotations.from_dense(table).slots()
    model.compile(keras.optimizers.Adam(0.02), kc.losses.MaskedCrowdCrossEntropy())
    model.fit((x, ids), said, batch_size=64, epochs=25, verbose=0)
    accuracy = [np.trace(crowd.confusion(x[some][:30]).mean(axis=0)) / K for some in (hard, ~hard)]
    assert accuracy[1] > accuracy[0] + 0.2


# --- COINNet ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("slots", [False, True])
def test_penalty_of_outliers_is_that_of_what_they_add(slots):
    layer = random_layer(connections.SparseOutliers(weight=0.5, power=0.6, epsilon=0.01))
    f, x = probabilities(4, K), numbers(4, D)
    layer(f, SLOTS if slots else None, x, training=True)
    own = {name: as_numpy(values).astype(float) for name, values in layer.annotators.of_all().items()}
    shared = {w.path.rsplit("/", 1)[-1]: as_numpy(w).astype(float) for w in layer.trainable_weights}
    total = 0.0
    for i in range(4):
        square = 0.0
        for r in SLOTS[i][SLOTS[i] >= 0] if slots else range(R):
            regular, s, q = references_items.outlier_parts(
                f[i].astype(float), x[i], own["own"][r], own["embedding"][r], shared
            )
            square += np.sum((s * (q - regular)) ** 2)
        total += 0.5 * (square + 0.01) ** 0.3 / 4
    np.testing.assert_allclose(float(as_numpy(layer.losses[0])), total, rtol=1e-4)


def test_outliers_start_rare_and_confusions_from_dawid_and_skene():
    _, table, _, _ = sure_and_unsure()
    crowd = kc.layers.CrowdsClassification(R, "COINNet")
    crowd.build((None, K), features_shape=(None, D))
    crowd.adapt(table)
    expected = kc.warm_start.from_dawid_skene(table, K)
    np.testing.assert_allclose(crowd.confusion(numbers(1, D)), 0.953 * expected + 0.047 / K, atol=1e-3)


@pytest.mark.parametrize(
    ("make", "name", "value"),
    [
        (connections.ItemConfusions, "num_hidden", 0),
        (connections.AnnotatorEmbeddings, "accuracy", 1.0),
        (connections.SparseOutliers, "weight", -1),
        (connections.SparseOutliers, "power", 2),
        (connections.SparseOutliers, "epsilon", 0),
    ],
)
def test_arguments_of_networks_are_checked(make, name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        make(**{name: value})
