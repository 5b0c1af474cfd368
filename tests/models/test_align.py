"""`align_classes`, and the permutation it takes from `evaluation`."""

import keras
import numpy as np
import pytest
from conftest import XLA

import keras_crowd as kc

K, R = 5, 6
RNG = np.random.default_rng(0)
Y = np.repeat(np.arange(K), [20, 30, 40, 50, 60])
X = (np.eye(K)[Y] + RNG.normal(scale=0.2, size=(len(Y), K))).astype("float32")
ANSWERS = np.where(RNG.random((len(Y), R)) < 0.7, Y[:, None], RNG.integers(0, K, (len(Y), R)))
ANSWERS[RNG.random(ANSWERS.shape) < 0.4] = -1
ANNOTATIONS = kc.Annotations.from_dense(ANSWERS, classes=K)
SLOTS = ANNOTATIONS.slots()
WRONG = np.array([2, 0, 1, 4, 3])


def with_softmax():
    return keras.Sequential([keras.Input((K,)), keras.layers.Dense(K, "softmax")])


def with_softmax_apart():
    return keras.Sequential(
        [keras.Input((K,)), keras.layers.Dense(K), keras.layers.Dropout(0.1), keras.layers.Softmax()]
    )


def within():
    features = keras.Input((K,))
    head = keras.Sequential([keras.Input((K,)), keras.layers.Dense(K, use_bias=False)])
    f = keras.layers.Activation("softmax")(keras.Model(features, head(features))(features))
    return keras.Model(features, f)


def model_of(base, crowd=None):
    return keras.Sequential([base, crowd or kc.layers.CrowdsClassification(R, "CM", initial_accuracy=0.7)])


def appended():
    base = with_softmax()
    base.add(kc.layers.CrowdsClassification(R, "MW"))
    return base, X, ANSWERS


def logits():
    base = keras.Sequential([keras.Input((K,)), keras.layers.Dense(K)])
    return model_of(base, kc.layers.CrowdsClassification(R, from_logits=True)), X, ANSWERS


def slots():
    base = with_softmax()
    annotators = keras.Input((None,), dtype="int32")
    answers = kc.layers.CrowdsClassification(R)(base.outputs[0], annotators=annotators)
    return keras.Model([*base.inputs, annotators], answers), (X, SLOTS[0]), SLOTS[1]


def dicts():
    inputs = {"b": keras.Input((K,), name="b"), "a": keras.Input((None,), dtype="int32", name="a")}
    f = keras.layers.Dense(K, "softmax")(inputs["b"])
    model = keras.Model(inputs, kc.layers.CrowdsClassification(R, "CM")(f, annotators=inputs["a"]))
    return model, {"a": SLOTS[0], "b": X}, SLOTS[1]


def running_gram():
    regularizer = kc.regularizers.ClassifierLogDet(0.01, momentum=0.5)
    crowd = kc.layers.CrowdsClassification(R, "CM", classifier_regularizer=regularizer)
    return model_of(with_softmax(), crowd), X, ANSWERS


BUILDERS = [
    lambda: (model_of(with_softmax()), X, ANSWERS),
    lambda: (model_of(with_softmax_apart()), X, ANNOTATIONS),
    lambda: (model_of(within()), X, ANSWERS),
    appended,
    logits,
    slots,
    dicts,
    running_gram,
]


def crowd_of(model):
    return kc.models.crowd_layer(model)


def dense_of(model):
    layers = model.layers
    while not any(isinstance(layer, keras.layers.Dense) for layer in layers):
        layers = next(layer for layer in layers if isinstance(layer, keras.Model)).layers
    return next(layer for layer in layers if isinstance(layer, keras.layers.Dense))


def train(model, x, answers):
    answers = ANSWERS if isinstance(answers, kc.Annotations) else answers
    model.compile(keras.optimizers.Adam(0.1), kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    model.fit(x, answers, epochs=12, batch_size=50, verbose=0)


def relabel(model, permutation):
    """What training may end in: the same answers, from classes in another order."""
    dense, crowd = dense_of(model), crowd_of(model)
    dense.set_weights([w[..., permutation] for w in dense.get_weights()])
    matrices = keras.ops.convert_to_numpy(crowd.kernel).reshape(R, K, K)
    crowd.kernel.assign(matrices[:, permutation].reshape(R, -1))
    if hasattr(crowd.penalties.get("classifier"), "gram"):
        gram = crowd.penalties["classifier"].gram
        gram.assign(keras.ops.convert_to_numpy(gram)[permutation][:, permutation])


def accuracy(model):
    classifier = kc.strip(model)
    x = {"b": X} if isinstance(classifier.input, dict) else X
    return np.mean(classifier.predict(x, verbose=0).argmax(axis=-1) == Y)


@pytest.mark.by_turns
@pytest.mark.parametrize("build", BUILDERS)
def test_classes_get_their_names_back_and_answers_stay(build):
    model, x, answers = build()
    train(model, x, answers)
    good, weights = accuracy(model), model.get_weights()
    assert good > 0.9
    relabel(model, WRONG)
    before = model.predict(x, verbose=0)
    assert accuracy(model) < 0.15
    permutation = kc.align_classes(model, x, answers)
    np.testing.assert_array_equal(WRONG[permutation], np.arange(K))
    assert accuracy(model) == good
    np.testing.assert_allclose(model.predict(x, verbose=0), before, rtol=1e-4, atol=1e-5)
    for restored, weight in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(restored, weight)
    np.testing.assert_array_equal(kc.align_classes(model, x, answers), np.arange(K))


def test_answers_to_tokens_count_alike():
    base = keras.Sequential([keras.Input((None, K)), keras.layers.Dense(K, "softmax")])
    model = model_of(base)
    dense_of(model).set_weights([9 * np.eye(K)[:, WRONG], np.zeros(K)])
    order = RNG.permutation(len(Y))
    x, answers = X[order].reshape(20, 10, K), ANSWERS[order].reshape(20, 10, R)
    np.testing.assert_array_equal(WRONG[kc.align_classes(model, x, answers)], np.arange(K))


def with_normalization():
    return keras.Sequential(
        [
            keras.Input((K,)),
            keras.layers.Dense(K),
            keras.layers.BatchNormalization(),
            keras.layers.Softmax(),
        ]
    )


def without_weights():
    return keras.Sequential([keras.Input((K,)), keras.layers.Softmax()])


def with_first_class_raised():
    inputs = keras.Input((K,))
    z = keras.layers.Dense(K)(inputs)
    return keras.Model(inputs, keras.ops.softmax(z * np.arange(1.0, K + 1, dtype="float32")))


@pytest.mark.parametrize(
    ("base", "message"),
    [
        (with_normalization, r"must be a `Dense` of 5 units, .* Received: BatchNormalization"),
        (without_weights, r"must be a `Dense` of 5 units, .* Received: no such layer"),
        (with_first_class_raised, r"must treat classes alike, .* Received: layers"),
    ],
)
def test_refuses_classifiers_that_cannot_be_permuted(base, message):
    model = model_of(base())
    for layer in model.layers[0].layers:
        if isinstance(layer, keras.layers.Dense):
            layer.set_weights([np.eye(K)[:, WRONG], np.zeros(K)])
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        kc.align_classes(model, X, ANSWERS)
    for restored, weight in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(restored, weight)


@pytest.mark.parametrize("conn_type", ["VW", "VB", "VW+B", "SW"])
def test_refuses_crowd_layers_that_tie_class_and_answer(conn_type):
    model = model_of(with_softmax(), kc.layers.CrowdsClassification(R, conn_type))
    with pytest.raises(ValueError, match=r'conn_type "MW" or "CM": .* Received: conn_type='):
        kc.align_classes(model, X, ANSWERS)


def test_refuses_answers_to_other_items():
    model = model_of(with_softmax())
    with pytest.raises(ValueError, match=r"`answers` must have shape \(200, 'annotators or slots'\)"):
        kc.align_classes(model, X, ANSWERS[:9])
    with pytest.raises(ValueError, match=r"`probabilities` must have 9 rows, .* Received: 200"):
        kc.align_classes(model, X, kc.Annotations.from_dense(ANSWERS[:9], classes=K))


def test_permutation_is_the_best_of_all():
    f = np.eye(K)[Y][:, WRONG]
    np.testing.assert_array_equal(WRONG[kc.evaluation.classifier_alignment(f, ANSWERS)], np.arange(K))
    np.testing.assert_array_equal(kc.evaluation.classifier_alignment(f, ANNOTATIONS), np.argsort(WRONG))


def test_rare_classes_count_as_much_as_frequent_ones():
    y = np.repeat([0, 1, 2], [5000, 60, 60])
    f = np.eye(3)[np.array([0, 2, 1])[y]]
    np.testing.assert_array_equal(kc.evaluation.classifier_alignment(f, y[:, None]), [0, 2, 1])


def test_noise_and_ignorance_permute_nothing():
    rng = np.random.default_rng(1)
    for _ in range(20):
        answers = rng.integers(0, K, (60, 3))
        noise = rng.dirichlet(np.ones(K), 60)
        np.testing.assert_array_equal(kc.evaluation.classifier_alignment(noise, answers), np.arange(K))
    even = np.full((len(Y), K), 1 / K)
    np.testing.assert_array_equal(kc.evaluation.classifier_alignment(even, ANSWERS), np.arange(K))


def test_a_class_never_used_goes_where_there_is_room():
    f = np.eye(K)[np.where(Y == 0, 1, np.where(Y == 1, 4, Y))]  # 0 -> 1, 1 -> 4 along with 4, 0 unused
    np.testing.assert_array_equal(kc.evaluation.classifier_alignment(f, ANSWERS), [1, 0, 2, 3, 4])


def test_small_gains_are_left_alone():
    y = np.repeat([0, 1], 4000)
    agree = np.random.default_rng(0).random(8000) < 0.47
    answers = np.where(agree, y, 1 - y)[:, None]
    np.testing.assert_array_equal(kc.evaluation.classifier_alignment(np.eye(2)[y], answers), [0, 1][::-1])
    np.testing.assert_array_equal(kc.evaluation.classifier_alignment(np.eye(2)[y], answers, 0.1), [0, 1])


def test_effective_rank_is_the_number_of_classes_told_apart():
    assert kc.evaluation.effective_rank(np.eye(K)[np.arange(20) % K]) == pytest.approx(K)
    assert kc.evaluation.effective_rank(np.eye(K)[np.arange(20) % 2]) == pytest.approx(2)
    assert kc.evaluation.effective_rank(np.full((9, K), 1 / K)) == pytest.approx(1)
    p = np.array([0.5, 0.3, 0.2])
    f = np.eye(3)[np.repeat([0, 1, 2], [5, 3, 2])]
    assert kc.evaluation.effective_rank(f) == pytest.approx(np.exp(-np.sum(p * np.log(p))))
