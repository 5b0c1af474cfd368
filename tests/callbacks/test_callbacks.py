"""Gold validation inside `fit`."""

import keras
import numpy as np
import pytest
from conftest import XLA

import keras_crowd as kc

X = np.random.default_rng(0).normal(size=(40, 6)).astype("float32")
Y = (X[:, 0] > 0).astype(int)
ANSWERS = np.where(np.random.default_rng(1).random((40, 3)) < 0.5, Y[:, None], -1)


def models(**kwargs):
    classifier = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2, **kwargs)])
    model = keras.Sequential(
        [classifier, kc.layers.CrowdsClassification(3, from_logits=kwargs.get("activation") is None)]
    )
    model.compile(keras.optimizers.Adam(0.05), loss=kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    return classifier, model


def test_logs_are_the_classifiers_figures_after_each_epoch():
    classifier, model = models(activation="softmax")
    seen = []

    class Record(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            f = classifier.predict(X, verbose=0)
            seen.append(((f.argmax(1) == Y).mean(), -np.log(f[np.arange(40), Y]).mean()))

    gold = kc.callbacks.GoldValidation(classifier, X, Y, batch_size=7)
    history = model.fit(X, ANSWERS, epochs=3, verbose=0, callbacks=[gold, Record()]).history
    np.testing.assert_allclose(history["val_gold_accuracy"], [a for a, _ in seen], rtol=1e-6)
    np.testing.assert_allclose(history["val_gold_loss"], [n for _, n in seen], rtol=1e-4)
    assert history["val_gold_loss"][-1] < history["val_gold_loss"][0]


def test_later_callbacks_can_stop_and_checkpoint(tmp_path):
    classifier, model = models(activation="softmax")
    callbacks = [
        kc.callbacks.GoldValidation(classifier, X, Y),
        keras.callbacks.ModelCheckpoint(
            tmp_path / "best.keras", monitor="val_gold_accuracy", mode="max", save_best_only=True
        ),
        keras.callbacks.EarlyStopping("val_gold_loss", mode="max", patience=0),  # stops as soon as it falls
    ]
    history = model.fit(X, ANSWERS, epochs=9, verbose=0, callbacks=callbacks).history
    assert len(history["loss"]) < 9
    assert (tmp_path / "best.keras").exists()


@pytest.mark.only_under("tensorflow")
def test_training_is_the_same_with_and_without():
    losses = []
    for watch in (False, True):
        keras.utils.set_random_seed(3)
        classifier, model = models(activation="softmax")
        callbacks = [kc.callbacks.GoldValidation(classifier, X, Y)] if watch else []
        losses.append(model.fit(X, ANSWERS, epochs=3, verbose=0, callbacks=callbacks).history["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)


@pytest.mark.only_under("torch")
def test_own_metrics_prefix_and_logits():
    classifier, model = models()
    gold = kc.callbacks.GoldValidation(classifier, X, Y, from_logits=True, prefix="gold_")
    top = kc.callbacks.GoldValidation(
        classifier, X, Y, metrics=[keras.metrics.SparseTopKCategoricalAccuracy(k=2, name="top2")]
    )
    history = model.fit(X, ANSWERS, verbose=0, callbacks=[gold, top]).history
    z = classifier.predict(X, verbose=0).astype(float)
    expected = np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(40), Y])
    assert history["gold_loss"][0] == pytest.approx(expected, rel=1e-4)
    assert history["val_gold_top2"] == [1.0]


def test_lengths_must_agree():
    with pytest.raises(
        ValueError, match=r"`x` and `y` must have the same length. Received: \[40\] items, 39"
    ):
        kc.callbacks.GoldValidation(models()[0], X, Y[:39])


@pytest.mark.parametrize(
    ("model", "y", "message"),
    [
        (
            1,
            Y,
            r"`classifier` must be the built .* Received: Sequential of output shapes \[\(None, 3, 2\)\]",
        ),
        (0, np.eye(2)[Y], r"`y` must be class codes of shape \(items,\), .* Received: shape \(40, 2\)"),
        (0, Y.astype(str), "`y` must be class codes"),
    ],
)
def test_gold_validation_refuses_before_training(model, y, message):
    with pytest.raises(ValueError, match=message):
        kc.callbacks.GoldValidation(models(activation="softmax")[model], X, y)


def test_items_without_gold_are_left_out():
    classifier, gold = models(activation="softmax")[0], np.where(np.arange(40) < 9, Y, -1)
    found = []
    for x, y in ((X, gold), (X[:9], Y[:9])):
        logs = {}
        kc.callbacks.GoldValidation(classifier, x, y).on_epoch_end(0, logs)
        found.append(logs)
    assert found[0] == found[1]
    with pytest.raises(ValueError, match="`y` must hold at least one gold label"):
        kc.callbacks.GoldValidation(classifier, X, np.full(40, -1))


def test_what_is_no_classifier_is_refused():
    crowd = kc.layers.CrowdsClassification(5, "CM")
    joint = kc.models.JointCrowdModel(models(activation="softmax")[0], crowd)
    with pytest.raises(
        ValueError, match=r"\(of a `JointCrowdModel` its `classifier`\).*Received: JointCrowdModel"
    ):
        kc.callbacks.GoldValidation(joint, X, Y)
