"""The mean of the weights of the last epochs, by itself and at the end of `fit_crowd`."""

import keras
import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd import _backup
from keras_crowd._mean_weights import MeanWeights

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 3, 60)
X = (np.eye(3)[TRUTH] + RNG.normal(scale=0.5, size=(60, 3))).astype("float32")
ANSWERS = np.where(RNG.random((60, 4)) < 0.8, TRUTH[:, None], RNG.integers(0, 3, (60, 4)))


class Keeps(keras.callbacks.Callback):
    """The weights after each epoch, float64."""

    def __init__(self, of):
        super().__init__()
        self.of, self.kept = of, []

    def on_epoch_end(self, epoch, logs=None):
        self.kept.append([np.asarray(weight, "float64") for weight in self.of.get_weights()])

    def mean(self, count):
        return [sum(values) / count for values in zip(*self.kept[-count:], strict=True)]


def network():
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(3, "softmax"),
        ]
    )


@pytest.mark.parametrize(("epochs", "count"), [(10, 2), (4, 1)])
def test_weights_are_the_mean_of_the_last_fifth_of_the_epochs(epochs, count):
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy")
    keeps, mean = Keeps(model), MeanWeights(model.variables)
    model.fit(X, TRUTH, epochs=epochs, callbacks=[keeps, mean], verbose=0)
    for weight, expected in zip(model.get_weights(), keeps.mean(count), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-7)
    assert mean.count == count * (epochs == 10)


def test_fit_crowd_averages_classifier_and_annotators():
    """Also the running statistics; the user's callbacks see the weights of the epoch."""
    classifier = network()
    keeps = Keeps(classifier)
    fit = kc.fit_crowd(classifier, X, ANSWERS, weights=0.5, epochs=10, callbacks=[keeps], verbose=0)
    assert np.any(keeps.kept[-1][0] != keeps.kept[-2][0])
    for weight, expected in zip(fit.classifier.get_weights(), keeps.mean(2), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-7)


class Stops(keras.callbacks.Callback):
    """As a process that is killed when the last epoch begins."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 9:
            raise MemoryError


@pytest.mark.only_under("jax")
def test_the_mean_goes_on_after_an_interruption(tmp_path, monkeypatch):
    monkeypatch.setattr(
        _backup, "_SHARE", 1.0
    )  # backups are written after every epoch, however fast it was
    settings = {"weights": 0.5, "epochs": 10, "verbose": 0}
    keras.utils.set_random_seed(0)
    whole = kc.fit_crowd(network(), X, ANSWERS, **settings)
    keras.utils.set_random_seed(0)
    with pytest.raises(MemoryError):
        kc.fit_crowd(network(), X, ANSWERS, **settings, callbacks=[Stops()], backup_dir=tmp_path)
    again = kc.fit_crowd(network(), X, ANSWERS, **settings, backup_dir=tmp_path)
    for weight, expected in zip(
        again.classifier.get_weights(), whole.classifier.get_weights(), strict=True
    ):
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-6)
