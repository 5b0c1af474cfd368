"""The penalty that `adapt` settles: which it is, when it acts, and that it survives files and compilation."""

import keras
import numpy as np
import pytest
from conftest import XLA

import keras_crowd as kc

K, N, R = 3, 60, 4
X = np.eye(K, dtype="float32")[np.arange(N) % K]
EVEN = np.repeat((np.arange(N) % K)[:, None], R, axis=1)
UNEVEN = np.repeat(np.where(np.arange(N) < 50, 0, np.arange(N) % K)[:, None], R, axis=1)
CHOSEN = {"even": (EVEN, 1.0), "uneven": (UNEVEN, None)}
answered = pytest.mark.parametrize(("answers", "weight"), CHOSEN.values(), ids=CHOSEN)


def crowd_layer(*args, classifier_regularizer="auto", **kwargs):
    return kc.layers.CrowdsClassification(
        R, *(args or ["CM"]), classifier_regularizer=classifier_regularizer, **kwargs
    )


def chosen(crowd):
    regularizer = crowd.penalties["classifier"].chosen
    return regularizer and regularizer.weight


@answered
@pytest.mark.parametrize("built", [False, True])
def test_shares_of_the_classes_choose_the_weight(answers, weight, built):
    crowd = crowd_layer()
    if built:
        crowd.build((None, K))
        assert chosen(crowd) is None
    crowd.adapt(answers)
    assert chosen(crowd) == weight


def test_another_adapt_chooses_anew():
    crowd = crowd_layer()
    crowd.adapt(EVEN)
    crowd.adapt(UNEVEN)
    assert chosen(crowd) is None


def test_shares_are_those_of_answered_items():
    """An item without answers has the class prior, which is drawn towards the votes."""
    rng = np.random.default_rng(0)
    answers = np.where(rng.random(UNEVEN.shape) < 0.6, UNEVEN, rng.integers(0, K, UNEVEN.shape))
    more = np.concatenate([answers, np.full((500, R), -1)])
    alone, among = (
        kc.aggregation.dawid_skene_start(kc.Annotations.from_dense(a, classes=range(K)))[1]
        for a in (answers, more)
    )
    np.testing.assert_allclose(among, alone, atol=1e-3)


def test_a_class_that_no_answer_uses_is_no_equal_share():
    crowd = crowd_layer()
    crowd.adapt(kc.Annotations.from_dense(EVEN, classes=range(K + 1)))
    assert chosen(crowd) is None


@pytest.mark.parametrize(
    "crowd",
    [
        lambda: kc.layers.CrowdsClassification(R, "CM"),
        lambda: crowd_layer("MW"),
        lambda: kc.layers.CrowdsSequenceLabeling(R, "CM", classifier_regularizer="auto"),
        lambda: crowd_layer(confusion_regularizer=kc.regularizers.ConfusionLogDet()),
    ],
    ids=["default", "MW", "tokens", "confusion_regularizer"],
)
def test_there_is_none_where_it_is_not_wanted(crowd):
    crowd = crowd()
    tokens = isinstance(crowd, kc.layers.CrowdsSequenceLabeling)
    crowd.adapt(EVEN[:, None] if tokens else EVEN)
    assert "classifier" not in crowd.penalties


def test_a_given_regularizer_is_obeyed():
    crowd = crowd_layer(classifier_regularizer=kc.regularizers.ClassifierLogDet(0.3))
    crowd.adapt(EVEN)
    assert float(crowd.penalties["classifier"].weight) == pytest.approx(0.3)


def trained_losses(model, epochs):
    return model.fit(X, np.full_like(EVEN, -1), batch_size=N, epochs=epochs, verbose=0).history["loss"]


def test_it_rises_over_training_needs_no_retrace_and_a_file_keeps_it(tmp_path):
    """Without answers and learning rate the loss is the penalty, risen so far."""
    keras.utils.set_random_seed(0)
    crowd = crowd_layer()
    model = keras.Sequential([keras.Input((K,)), keras.layers.Dense(K, "softmax"), crowd])
    model.compile(keras.optimizers.SGD(0.0), kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    f = kc.strip(model).predict(X, verbose=0)
    whole = float(keras.ops.convert_to_numpy(kc.regularizers.ClassifierLogDet(1.0)(f)))
    assert trained_losses(model, 2) == [0, 0]
    function = model.train_function
    crowd.adapt(EVEN)
    found = trained_losses(model, 2)
    np.testing.assert_allclose(found, np.array([2, 3]) / 1000 * whole, rtol=1e-4)
    crowd.adapt(UNEVEN)
    assert trained_losses(model, 1) == [0]
    crowd.adapt(EVEN)
    assert model.train_function is function
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[-1].classifier_regularizer == "auto"
    assert chosen(loaded.layers[-1]) == 1.0
    loaded.layers[-1].penalties["classifier"].scale(0.25)  # as a schedule does, which ends the rise
    np.testing.assert_allclose(trained_losses(loaded, 1), [0.25 * whole], rtol=1e-4)
