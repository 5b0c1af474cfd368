"""Values of the crowd layers against the loops of `references.py`, and their limits."""

import keras
import numpy as np
import pytest
import references
from conftest import XLA
from contracts import CONN_TYPES, SLOTS, probabilities
from gradients import value_and_gradients
from keras import ops as kops

import keras_crowd as kc

SHARED = {"errors", "prototypes"}
conn_types = pytest.mark.parametrize("conn_type", CONN_TYPES)


def random_layer(conn_type, num_annotators=5, num_classes=3, seed=0, **kwargs):
    layer = kc.layers.CrowdsClassification(num_annotators, conn_type, **kwargs)
    layer.build((None, num_classes))
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(rng.normal(scale=2.0, size=weight.shape))
    return layer


def parameters(layer):
    """What annotators have of their own, twice or `None`, and what they share or `None`; in float64."""
    own = {n: as_numpy(p).astype(float) for n, p in layer.annotators.of_all().items()}
    shared = next(
        (as_numpy(p).astype(float) for p in layer.trainable_weights if own_name(p) in SHARED), None
    )
    return own.get("kernel", own.get("mixture")), own.get("bias"), shared


def own_name(variable):
    return variable.path.rsplit("/", 1)[-1]


def as_numpy(tensor):
    return kops.convert_to_numpy(tensor)


@conn_types
@pytest.mark.parametrize("num_classes", [2, 3, 100])
def test_logits_equal_the_papers_formula(conn_type, num_classes):
    layer = random_layer(conn_type, num_classes=num_classes)
    f = probabilities(4, num_classes)
    expected = references.crowd_logits(conn_type, f.astype(float), *parameters(layer))
    np.testing.assert_allclose(as_numpy(layer(f)), expected, rtol=2e-5, atol=2e-5)


@conn_types
@pytest.mark.parametrize("num_classes", [2, 100])
def test_confusion_is_what_each_annotator_answers_to_a_certain_class(conn_type, num_classes):
    layer = random_layer(conn_type, num_classes=num_classes)
    expected = references.confusion(conn_type, *parameters(layer), num_classes)
    np.testing.assert_allclose(layer.confusion(), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(layer.confusion().sum(axis=-1), 1.0, rtol=1e-5)


def test_confusion_has_truth_before_answer():
    layer = random_layer("CM")
    confusion = np.array([[0.9, 0.1, 0.0001], [0.2, 0.3, 0.5], [0.6, 0.2, 0.2]])
    layer.kernel.assign(np.log(np.tile(confusion.ravel(), (5, 1))))
    np.testing.assert_allclose(layer.confusion()[2], confusion / confusion.sum(1, keepdims=True), atol=1e-4)


@conn_types
@pytest.mark.parametrize("shape", [(4, 3), (4, 6, 3), (4, 2, 5, 3)])
def test_slots_are_rows_of_dense(conn_type, shape):
    layer = random_layer(conn_type)
    f = probabilities(*shape)
    dense, slots = as_numpy(layer(f)), as_numpy(layer(f, annotators=SLOTS))
    assert slots.shape == (*shape[:-1], 3, 3)
    for i, row in enumerate(SLOTS):
        for s, annotator in enumerate(row):
            if annotator >= 0:
                np.testing.assert_allclose(
                    slots[i, ..., s, :], dense[i, ..., annotator, :], rtol=1e-5, atol=1e-6
                )


@conn_types
def test_every_rank_is_the_same_map(conn_type):
    layer = random_layer(conn_type)
    f = probabilities(4, 2, 5, 3)
    flat = as_numpy(layer(f.reshape(-1, 3))).reshape(4, 2, 5, 5, 3)
    np.testing.assert_allclose(as_numpy(layer(f)), flat, rtol=1e-5, atol=1e-6)


@conn_types
def test_from_logits_is_softmax_first(conn_type):
    layer = random_layer(conn_type, from_logits=True)
    z = np.random.default_rng(3).normal(size=(4, 3)).astype("float32")
    expected = references.crowd_logits(conn_type, references.softmax(z.astype(float)), *parameters(layer))
    np.testing.assert_allclose(as_numpy(layer(z)), expected, rtol=1e-4, atol=1e-5)


def test_sure_annotators_of_a_mixture_change_nothing():
    layer = kc.layers.CrowdsClassification(2, "CM", kernel_initializer=kc.initializers.CrowdIdentity(50.0))
    f = probabilities(4, 3)
    np.testing.assert_allclose(as_numpy(kops.exp(layer(f)))[:, 1], f, atol=1e-6)


@pytest.mark.parametrize("conn_type", ["MW", "VW", "VW+B", "SW", "CM", "one_coin", "class_wise"])
@pytest.mark.parametrize(("num_classes", "accuracy"), [(2, 0.6), (10, 0.3), (100, 0.7)])
def test_initial_accuracy_is_that_of_the_first_answers(conn_type, num_classes, accuracy):
    layer = kc.layers.CrowdsClassification(3, conn_type, initial_accuracy=accuracy)
    layer.build((None, num_classes))
    diagonal = np.diagonal(layer.confusion(), axis1=1, axis2=2)
    np.testing.assert_allclose(diagonal, accuracy, rtol=1e-4)


@pytest.mark.parametrize("conn_type", [name for name in CONN_TYPES if name != "prototypes"])
@pytest.mark.parametrize("num_classes", [2, 8, 100])
def test_start_may_be_the_papers_identity(conn_type, num_classes):
    layer = kc.layers.CrowdsClassification(2, conn_type, kernel_initializer=kc.initializers.CrowdIdentity())
    layer.build((None, num_classes))
    diagonal = np.diagonal(layer.confusion(), axis1=1, axis2=2)
    np.testing.assert_allclose(diagonal, np.e / (np.e + num_classes - 1), rtol=1e-4)


@pytest.mark.parametrize("conn_type", [name for name in CONN_TYPES if name not in ("VB", "prototypes")])
@pytest.mark.parametrize(("num_classes", "accuracy"), [(2, 0.7), (100, 0.406)])
def test_annotators_start_knowing_four_of_ten_answers(conn_type, num_classes, accuracy):
    layer = kc.layers.CrowdsClassification(2, conn_type)
    layer.build((None, num_classes))
    np.testing.assert_allclose(np.diagonal(layer.confusion(), axis1=1, axis2=2), accuracy, rtol=1e-4)


def test_default_is_a_confusion_per_annotator():
    assert kc.layers.CrowdsClassification(2).conn_type == "CM"
    assert kc.layers.CrowdsSequenceLabeling(2).conn_type == "CM"


@pytest.mark.parametrize("certain", [[1.0, 0.0, 0.0], [1e-30, 1.0, 0.0]])
def test_mixture_is_finite_where_probabilities_and_confusions_vanish(certain):
    kernel = np.zeros((1, 3, 3), "float32")
    kernel[0, 0] = [0.0, -300.0, -300.0]

    def loss(f, log_confusion):
        return kops.sum(kc.ops.mixture_logits(f, log_confusion)[..., 1])

    value, gradients = value_and_gradients(loss, np.array([certain], "float32"), kernel)
    assert np.isfinite(value)
    assert all(np.isfinite(g).all() for g in gradients)


def test_unknown_annotator_is_seen():
    layer = random_layer("MW")
    logits = as_numpy(layer(probabilities(2, 3), annotators=np.array([[0, 5], [-1, 4]], "int32")))
    assert np.isnan(logits[0, 1]).all()
    assert np.isfinite(logits[[0, 1, 1], [0, 0, 1]]).all()


def test_mask_ends_at_the_crowd_layer():
    tokens = keras.Input((None,), dtype="int32")
    hidden = keras.layers.Embedding(7, 3, mask_zero=True)(tokens)
    model = keras.Model(tokens, kc.layers.CrowdsClassification(5, from_logits=True)(hidden))
    model.compile("sgd", loss=kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    x = np.array([[1, 2, 0], [3, 0, 0]])
    answers = np.full((2, 3, 5), -1)
    answers[0, :2, 1], answers[1, 0, 3] = 1, 2
    expected = references.crowd_cross_entropy(
        answers.reshape(-1, 5), as_numpy(model(x)).reshape(-1, 5, 3).astype(float)
    )
    assert model.evaluate(x, answers, verbose=0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"num_annotators": 0}, "`num_annotators` must be a positive integer. Received: num_annotators=0"),
        ({"num_annotators": 2.5}, "`num_annotators` must be a positive integer"),
        (
            {"num_annotators": "MW"},
            "`num_annotators` must be a positive integer. Received: num_annotators='MW'",
        ),
        (
            {"num_annotators": 2, "from_logits": "no"},
            "`from_logits` must be a bool. Received: from_logits='no'",
        ),
        (
            {"num_annotators": 2, "conn_type": "XY"},
            "`conn_type` must be one of 'MW', .* Received: conn_type='XY'",
        ),
        (
            {"num_annotators": 2, "initial_accuracy": 1.0},
            "`initial_accuracy` must be a number above 0 and below 1",
        ),
        (
            {"num_annotators": 2, "conn_type": "VB", "initial_accuracy": 0.5},
            "leave it out for connections without one",
        ),
        (
            {"num_annotators": 2, "kernel_initializer": "ones", "initial_accuracy": 0.5},
            "or with `kernel_initializer`",
        ),
    ],
)
def test_bad_arguments_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        kc.layers.CrowdsClassification(**kwargs)


def test_bad_inputs_are_refused():
    layer = kc.layers.CrowdsClassification(5)
    with pytest.raises(ValueError, match=r"`probabilities` must have shape .* Received: shape \(4, 1\)"):
        layer(np.ones((4, 1), "float32"))
    with pytest.raises(ValueError, match=r"`annotators` must have shape \(batch, slots\)"):
        kc.layers.CrowdsClassification(5)(probabilities(4, 3), annotators=np.zeros((4, 2, 2), "int32"))
    with pytest.raises(ValueError, match="`annotators` must be integers"):
        kc.layers.CrowdsClassification(5)(probabilities(4, 3), annotators=np.zeros((4, 2), "float32"))
    with pytest.raises(ValueError, match="must be built"):
        kc.layers.CrowdsClassification(5).confusion()


@pytest.mark.parametrize("conn_type", ["MW", "CM"])
def test_start_from_a_confusion_answers_with_that_confusion(conn_type):
    confusion = probabilities(5, 3, 3)
    start = kc.initializers.FromConfusion(confusion)
    layer = kc.layers.CrowdsClassification(5, conn_type, kernel_initializer=start)
    layer.build((None, 3))
    np.testing.assert_allclose(layer.confusion(), confusion, rtol=1e-4)


def test_start_from_a_confusion_of_another_size_is_refused():
    start = kc.initializers.FromConfusion(probabilities(4, 3, 3))
    with pytest.raises(ValueError, match=r"the kernel's shape \(5, 3, 3\). Received: \(4, 3, 3\)"):
        kc.layers.CrowdsClassification(5, "MW", kernel_initializer=start).build((None, 3))
    with pytest.raises(ValueError, match="`confusion` must be positive"):
        kc.initializers.FromConfusion(np.eye(3)[None])


@pytest.mark.parametrize("conn_type", ["MW", "CM"])
def test_set_confusion_is_read_again(conn_type):
    layer, confusion = random_layer(conn_type), probabilities(5, 3, 3)
    layer.set_confusion(confusion)
    np.testing.assert_allclose(layer.confusion(), confusion, rtol=1e-4)


def test_confusions_that_cannot_be_set_are_refused():
    with pytest.raises(ValueError, match='`conn_type` must be "MW" or "CM", to take any confusion'):
        random_layer("VW").set_confusion(probabilities(5, 3, 3))
    layer = random_layer("CM")
    before = as_numpy(layer.kernel)
    with pytest.raises(ValueError, match=r"shape \(5, 3, 3\). Received: \(4, 3, 3\)"):
        layer.set_confusion(probabilities(4, 3, 3))
    with pytest.raises(ValueError, match="must be built"):
        kc.layers.CrowdsClassification(5).set_confusion(probabilities(5, 3, 3))
    np.testing.assert_array_equal(as_numpy(layer.kernel), before)
