"""`validate` on what a model was compiled with, and on models of several outputs."""

import keras
import numpy as np
import pytest

import keras_crowd as kc

X, CLASSES = np.ones((6, 3), "float32"), np.tile([0, 1, 2, 3, -1], (6, 1))
RATINGS = np.ones((6, 5))
ENTROPY, SQUARED = kc.losses.MaskedCrowdCrossEntropy, kc.losses.MaskedCrowdMeanSquaredError
GAUSSIAN, ROOT = kc.losses.MaskedCrowdGaussian, kc.metrics.CrowdRootMeanSquaredError


class Mine(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return y_pred


def my_metric(y_true, y_pred):
    return y_pred


@pytest.fixture(scope="module")
def classifier():
    crowd = kc.layers.CrowdsClassification(5, name="crowd")
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "softmax"), crowd])


@pytest.fixture(scope="module")
def two_outputs():
    features = keras.Input((3,))
    truth = keras.layers.Dense(4, "softmax", name="truth")(features)
    return keras.Model(features, [kc.layers.CrowdsClassification(5, name="crowd")(truth), truth])


def regressor(learn_variance=False):
    crowd = kc.layers.CrowdsRegression(5, learn_variance=learn_variance, answers_per_annotator=[1] * 5)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), crowd])


@pytest.mark.parametrize(
    "loss",
    [
        "mse",
        keras.losses.SparseCategoricalCrossentropy(),
        keras.losses.sparse_categorical_crossentropy,
        ["sparse_categorical_crossentropy"],
        [keras.losses.SparseCategoricalCrossentropy()],
        {"crowd": keras.losses.SparseCategoricalCrossentropy()},
        SQUARED(),
        GAUSSIAN(),
        kc.losses.MaskedCrowdHuber(),
    ],
)
def test_losses_that_are_not_for_classes_are_refused(classifier, loss):
    classifier.compile("adam", loss)
    with pytest.raises(ValueError, match=r"answers that are classes, here .*CrossEntropy.*Received: loss="):
        kc.validate(classifier, X, CLASSES)


@pytest.mark.parametrize(
    "metrics",
    [
        ["accuracy"],
        [keras.metrics.SparseCategoricalAccuracy()],
        [keras.metrics.sparse_categorical_accuracy],
        [[keras.metrics.SparseCategoricalAccuracy()]],
        {"crowd": ["accuracy"]},
        {"crowd": keras.metrics.SparseCategoricalAccuracy()},
        [kc.metrics.CrowdAccuracy(), ROOT()],
    ],
)
def test_metrics_that_are_not_for_classes_are_refused(classifier, metrics):
    for name in ("metrics", "weighted_metrics"):
        classifier.compile("adam", ENTROPY(), **{name: metrics})
        with pytest.raises(ValueError, match=r"answers that are classes, as .*Received: metrics=\['"):
            kc.validate(classifier, X, CLASSES)


@pytest.mark.parametrize("loss", [ENTROPY(), [ENTROPY()], {"crowd": ENTROPY()}, Mine(), None])
@pytest.mark.parametrize(
    "metrics",
    [
        [kc.metrics.CrowdAccuracy()],
        {"crowd": [kc.metrics.CrowdAccuracy(), kc.metrics.CrowdCrossEntropy()]},
        [my_metric],
        None,
    ],
)
def test_what_is_for_classes_or_the_users_own_is_taken(classifier, loss, metrics):
    classifier.compile("adam", loss, metrics=metrics)
    kc.validate(classifier, X, CLASSES)


@pytest.mark.parametrize(
    ("learn_variance", "right", "wrong"),
    [
        (False, [SQUARED(), kc.losses.MaskedCrowdHuber()], [ENTROPY(), GAUSSIAN(), "mse"]),
        (True, [GAUSSIAN()], [ENTROPY(), SQUARED(), keras.losses.MeanSquaredError()]),
    ],
)
def test_losses_of_ratings(learn_variance, right, wrong):
    model = regressor(learn_variance)
    for loss in right:
        model.compile("adam", loss, metrics=[ROOT()])
        kc.validate(model, X, RATINGS)
    for loss in wrong:
        model.compile("adam", loss)
        with pytest.raises(ValueError, match="with a loss for crowd answers that are ratings"):
            kc.validate(model, X, RATINGS)
    model.compile("adam", right[0], metrics=[kc.metrics.CrowdAccuracy()])
    with pytest.raises(ValueError, match=r"CrowdRootMeanSquaredError.*Received: metrics="):
        kc.validate(model, X, RATINGS)


def test_models_of_two_outputs(two_outputs):
    """Only what stands for the output of the crowd layer is looked at."""
    gold, truth = np.zeros(6, int), keras.losses.SparseCategoricalCrossentropy()
    for loss, metrics, y in [
        ([ENTROPY(), truth], [[kc.metrics.CrowdAccuracy()], ["accuracy"]], [CLASSES, gold]),
        (
            {"crowd": ENTROPY(), "truth": truth},
            {"crowd": [kc.metrics.CrowdAccuracy()], "truth": ["accuracy"]},
            {"crowd": CLASSES, "truth": gold},
        ),
        ([ENTROPY(), None], None, CLASSES),
    ]:
        two_outputs.compile("adam", loss, metrics=metrics)
        kc.validate(two_outputs, X, y)
        if isinstance(y, np.ndarray):
            continue
        wrong = [CLASSES + 9, gold] if isinstance(y, list) else {**y, "crowd": CLASSES + 9}
        with pytest.raises(ValueError, match="class codes 0 to 3"):
            kc.validate(two_outputs, X, wrong)
    for loss in ([truth, truth], {"crowd": "mse", "truth": truth}):
        two_outputs.compile("adam", loss)
        with pytest.raises(ValueError, match="with a loss for crowd answers"):
            kc.validate(two_outputs, X, [CLASSES, gold])
    two_outputs.compile("adam", [ENTROPY(), truth], metrics=[["accuracy"], []])
    with pytest.raises(ValueError, match=r"Received: metrics=\['accuracy'\]"):
        kc.validate(two_outputs, X, [CLASSES, gold])


@pytest.mark.parametrize("metric", ["accuracy", kc.metrics.CrowdAccuracy()])
def test_metrics_of_a_joint_model_are_refused(metric):
    classifier = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "softmax")])
    model = kc.models.JointCrowdModel(classifier, kc.layers.CrowdsClassification(5, "CM"))
    model.compile("adam", metrics=[metric])
    with pytest.raises(ValueError, match=r"without metrics .*GoldValidation.*Received: metrics="):
        kc.validate(model, X, CLASSES)
    model.compile("adam", metrics=[my_metric])
    kc.validate(model, X, CLASSES)
