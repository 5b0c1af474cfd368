"""`fit_crowd`: from classifier, features and answers to a trained classifier."""

import keras
import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd import _choices, _training

# Two epochs may leave the classes anywhere.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The classes had been permuted"),
    pytest.mark.usefixtures("any_shares"),
]

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 3, 240)
X = (np.eye(3)[TRUTH] * 2 + RNG.normal(scale=0.7, size=(240, 3))).astype("float32")
RIGHT = RNG.random((240, 6)) < [0.9, 0.8, 0.8, 0.4, 0.4, 0.3]
GIVEN = RNG.random((240, 6)) < 0.5
ANSWERS = np.where(GIVEN, np.where(RIGHT, TRUTH[:, None], RNG.integers(0, 3, (240, 6))), -1)
_MOST_UNEQUAL = _choices._MOST_UNEQUAL
FEW = {"weights": [0.0, 1.0], "num_replicas": 2, "epochs": 2, "batch_size": 120, "verbose": 0}


def network(activation="softmax"):
    return keras.Sequential(
        [
            keras.Input((3,), name="features"),
            keras.layers.Dense(16, "relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(3, activation),
        ]
    )


def accuracy(classifier, x=X):
    return np.mean(classifier.predict(x, verbose=0).argmax(axis=1) == TRUTH)


@pytest.mark.only_under("torch")
@pytest.mark.parametrize(("share", "tried"), [(0.25, [0.0]), (0.5, [0.0, 1.0])])
def test_classes_of_unequal_frequencies_take_no_regularizer(share, tried, monkeypatch):
    monkeypatch.setattr(_choices, "_MOST_UNEQUAL", _MOST_UNEQUAL)
    keras.utils.set_random_seed(0)
    truth = (np.arange(240) >= 240 * share).astype(int)
    classifier = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "softmax")])
    arguments = {**FEW, "epochs": 40, "batch_size": 40, "optimizer": keras.optimizers.Adam(0.05)}
    fit = kc.fit_crowd(
        classifier, np.eye(2, dtype="float32")[truth], np.repeat(truth[:, None], 4, 1), **arguments
    )
    assert fit.path.weights.tolist() == tried


@pytest.mark.only_under("jax")
def test_recipe_trains_the_classifier_and_the_annotators():
    classifier = network()
    fit = kc.fit_crowd(
        classifier,
        X,
        ANSWERS,
        weights=[0.0, 0.3],
        num_replicas=2,
        epochs=60,
        batch_size=80,
        verbose=0,
        optimizer=keras.optimizers.Adam(1e-2),
    )
    assert fit.classifier is classifier
    assert accuracy(classifier) > 0.9
    assert len(fit.history.history["loss"]) == 60
    assert fit.path.weights[0] == 0.0
    good = kc.aggregation.annotator_accuracy(fit.crowd.confusion())
    assert good[:3].min() > good[3:].max()
    assert kc.strip(fit.model).output_shape == (None, 3)


def test_one_weight_is_taken_as_it_is():
    fit = kc.fit_crowd(network(), X, ANSWERS, **{**FEW, "weights": 0.7})
    assert fit.path is None
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(fit.crowd.penalties["classifier"].weight), 0.7, rtol=1e-6
    )


def test_replicas_start_elsewhere_and_the_last_training_from_what_was_given(monkeypatch):
    """Another order of the last kernel's entries in each replica, the same for each weight; all else is equal."""
    seen = []

    class Start(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 0:
                weights = [*classifier.get_weights(), *self.model.optimizer.variables]
                seen.append([np.array(keras.ops.convert_to_numpy(w)) for w in weights])

    classifier = network()
    given = classifier.get_weights()
    schedule = kc.callbacks.RegularizerSchedule
    monkeypatch.setattr(_training, "RegularizerSchedule", lambda crowd: [schedule(crowd), Start()][1])
    monkeypatch.setattr(kc.selection.ReplicaPath, "accepted", property(lambda path: path.weights >= 0))
    kc.fit_crowd(classifier, X, ANSWERS, **FEW)
    assert len(seen) == 5
    kernel = next(i for i, value in enumerate(given) if value.shape == (16, 3))
    *replicas, last = seen
    for value, first in zip(last, given, strict=False):
        np.testing.assert_array_equal(value, first)
    for i, values in enumerate(replicas):
        assert not np.array_equal(values[kernel], given[kernel])
        np.testing.assert_array_equal(np.sort(values[kernel].ravel()), np.sort(given[kernel].ravel()))
        np.testing.assert_array_equal(values[kernel], replicas[(i + 2) % 4][kernel])
        for j, value in enumerate(values):
            if j != kernel:
                np.testing.assert_array_equal(value, last[j])
    assert not np.array_equal(replicas[0][kernel], replicas[1][kernel])


def test_epochs_by_default_are_a_thousand_steps(monkeypatch):
    assert kc.recipe.default_epochs(64 * 20) == 50
    assert kc.recipe.default_epochs(64 * 20 - 63) == 50
    assert kc.recipe.default_epochs(64 * 10) == 100
    assert kc.recipe.default_epochs(64 * 40, 256) == 100
    assert kc.recipe.default_epochs(100_000) == 50
    monkeypatch.setattr(kc.recipe, "default_epochs", lambda num_items, batch_size: num_items // batch_size)
    fit = kc.fit_crowd(network(), X, ANSWERS, **{**FEW, "weights": 1.0, "epochs": None, "batch_size": 80})
    assert len(fit.history.epoch) == 3


@pytest.mark.only_under("torch")
def test_weight_acts_in_training():
    """A huge weight spreads predictions out that are sure already: surer on the same seed."""
    sure = []
    for weight in (0.0, 30.0):
        keras.utils.set_random_seed(0)
        classifier = network()
        arguments = {**FEW, "weights": weight, "epochs": 60, "optimizer": keras.optimizers.Adam(0.02)}
        kc.fit_crowd(classifier, X, ANSWERS, **arguments)
        sure.append(np.mean(np.max(classifier.predict(X, verbose=0), axis=1)))
    assert 1 - sure[1] < 0.6 * (1 - sure[0])


def test_classifier_is_given_back_when_choosing_fails(monkeypatch):
    classifier = network()
    before = classifier.get_weights()

    def fail(train, annotations, weights, **kwargs):
        train(1.0, annotations, 0)
        assert np.any(classifier.get_weights()[0] != before[0])
        raise RuntimeError

    monkeypatch.setattr(_choices, "replica_path", fail)
    with pytest.raises(RuntimeError):
        kc.fit_crowd(classifier, X, ANSWERS, **FEW)
    for value, given in zip(classifier.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, given)


class Interrupts(keras.callbacks.Callback):
    """Is Ctrl-C, in the second batch of an epoch of the last training."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 1 and len(self.model.optimizer.variables) and self.epoch == 1:
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch


def interrupted(**arguments):
    with pytest.warns(UserWarning, match="was interrupted") as warned:
        fit = kc.fit_crowd(network(), X, ANSWERS, **{**FEW, **arguments})
    assert len([w for w in warned if "interrupted" in str(w.message)]) == 1
    assert fit.interrupted
    return fit, str(next(w.message for w in warned if "interrupted" in str(w.message)))


def test_interrupt_of_the_only_training_leaves_its_last_whole_epoch(monkeypatch):
    monkeypatch.setattr(_training.ClassTraining, "put_classes_back", lambda self, annotations: None)
    after = []

    class Keeps(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            after.append(self.model.get_weights())

    fit, message = interrupted(weights=0.5, epochs=4, callbacks=[Keeps(), Interrupts()])
    assert "the state after 1 epochs with weight 0.5" in message
    assert fit.history.epoch == [0]
    for value, kept in zip(fit.model.get_weights(), after[0], strict=True):
        np.testing.assert_array_equal(value, kept)


@pytest.mark.by_turns
@pytest.mark.parametrize(("at", "weight"), [(1, 0.0), (2, 0.0), (4, 1.0), (5, 1.0)])
def test_interrupt_leaves_a_replica_of_the_largest_weight_accepted(at, weight, monkeypatch, tmp_path):
    """While choosing among 0, 1 and 2, in the training of that number; and the same call goes on."""
    fit_once, trainings = _training.Training.fit, []

    def fit(self, weight, annotations, replica=None, callbacks=(), *rest):
        trainings.append((weight, replica))
        stops = [Interrupts()] if len(trainings) == at + 1 else []
        history = fit_once(self, weight, annotations, replica, [*callbacks, *stops], *rest)
        replicas[weight, replica] = self.model.get_weights()
        return history

    replicas = {}
    arguments = {**FEW, "epochs": 4, "weights": [0.0, 1.0, 2.0], "backup_dir": tmp_path}
    monkeypatch.setattr(_training.Training, "fit", fit)
    monkeypatch.setattr(_training.ClassTraining, "put_classes_back", lambda self, annotations: None)
    monkeypatch.setattr(kc.selection.ReplicaPath, "accepted", property(lambda path: path.weights >= 0))
    found, message = interrupted(**arguments)
    assert f"a replica trained with weight {weight:g}, " in message
    assert "The same call goes on" in message
    assert found.weight == weight
    assert found.path is None
    for value, kept in zip(found.model.get_weights(), replicas[weight, 0], strict=True):
        np.testing.assert_array_equal(value, kept)
    trainings.clear()
    at = 99
    again = kc.fit_crowd(network(), X, ANSWERS, **arguments)
    assert again.weight == 2.0
    assert not again.interrupted
    assert len(trainings) < 7


def test_result_has_labels_annotators_and_a_summary(capsys):
    keras.utils.set_random_seed(0)
    fit = kc.fit_crowd(network(), X, ANSWERS, **{**FEW, "epochs": 3, "verbose": 1})
    assert (
        "at most 4 replicas of 2 epochs, then one training of 3 epochs; at most 22 steps"
        in capsys.readouterr().out
    )
    expected = kc.aggregation.posterior(
        ANSWERS, fit.classifier.predict(X, verbose=0), fit.crowd.confusion()
    )
    np.testing.assert_allclose(fit.posterior, expected, rtol=1e-5)
    np.testing.assert_array_equal(fit.labels, expected.argmax(axis=1))
    table = fit.annotators()
    np.testing.assert_array_equal(table["answers"], (ANSWERS >= 0).sum(axis=0))
    worst = table["annotator"][table["accuracy"].argmin()]
    assert f"lowest {worst} ({table['accuracy'].min():.2f})" in str(fit)
    assert f"weight of the regularizer: {fit.weight:g}, chosen" in str(fit)
    assert "\n" not in repr(fit)


def test_interrupted_recipe_goes_on(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                raise RuntimeError("power cut")

    arguments = {**FEW, "epochs": 5, "backup_dir": tmp_path}
    with pytest.raises(RuntimeError, match="power cut"):
        kc.fit_crowd(network(), X, ANSWERS, callbacks=[Stop()], **arguments)
    assert (tmp_path / "path.npz").exists()
    fit = kc.fit_crowd(network(), X, ANSWERS, **arguments)
    assert fit.history.epoch == [0, 1, 2, 3, 4]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.by_turns
@pytest.mark.parametrize("kind", ["list", "dict"])
def test_classifiers_of_several_inputs(kind):
    inputs = [keras.Input((2,), name="a"), keras.Input((1,), name="b")]
    output = keras.layers.Dense(3, "softmax")(keras.layers.Concatenate()(inputs))
    x = [X[:, :2], X[:, 2:]]
    if kind == "dict":
        inputs, x = dict(zip("ab", inputs, strict=True)), dict(zip("ab", x, strict=True))
    classifier = keras.Model(inputs, output)
    kc.fit_crowd(classifier, x, ANSWERS, **FEW)
    assert accuracy(classifier, x) <= 1


def test_logits_and_annotations():
    classifier = network(activation=None)
    annotations = kc.Annotations.from_dense(ANSWERS, classes=[0, 1, 2])
    fit = kc.fit_crowd(classifier, X, annotations, from_logits=True, **FEW)
    assert fit.crowd.from_logits
    assert np.isfinite(fit.path.losses).all()


def test_annotators_are_not_decayed_and_may_learn_at_their_own_rate(monkeypatch):
    monkeypatch.setattr(_training, "classifier_alignment", lambda *data: np.arange(3))
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=0.5)
    fit = kc.fit_crowd(
        network(), X, ANSWERS, optimizer=optimizer, crowd_learning_rate=0.0, **{**FEW, "weights": 0.0}
    )
    start = kc.warm_start.from_dawid_skene(ANSWERS)
    np.testing.assert_allclose(fit.crowd.confusion(), start, rtol=1e-4)


@pytest.mark.only_under("torch")
def test_permuted_classes_are_put_back(monkeypatch):
    """Dawid and Skene's confusions with the classes permuted lead the whole training astray."""
    adapt = kc.layers.CrowdsClassification.adapt

    def astray(crowd, answers, gold=None):
        adapt(crowd, answers, gold)
        crowd.set_confusion(crowd.confusion()[:, [1, 2, 0]])

    monkeypatch.setattr(kc.layers.CrowdsClassification, "adapt", astray)
    classifier = network()
    with pytest.warns(
        UserWarning, match=r"The classes had been permuted and were put back: class k was \[2, 0, 1\]"
    ):
        kc.fit_crowd(
            classifier,
            X,
            ANSWERS,
            optimizer=keras.optimizers.Adam(1e-2),
            **{**FEW, "weights": 0.0, "epochs": 60},
        )
    assert accuracy(classifier) > 0.9


def test_training_is_kept_where_classes_cannot_be_put_back(monkeypatch):
    monkeypatch.setattr(_training, "classifier_alignment", lambda *data: np.array([1, 0, 2]))
    inputs = keras.Input((3,))
    scaled = keras.layers.BatchNormalization()(keras.layers.Dense(3)(inputs))
    classifier = keras.Model(inputs, keras.layers.Softmax()(scaled))
    before = classifier.get_weights()[0]
    with pytest.warns(UserWarning, match="not undone. .*last layer with weights must be a `Dense`"):
        fit = kc.fit_crowd(classifier, X, ANSWERS, **{**FEW, "weights": 0.0})
    assert fit.classifier is classifier
    assert np.any(classifier.get_weights()[0] != before)


@pytest.mark.parametrize(
    ("classifier", "x", "arguments", "message"),
    [
        (network(), X[:5], {}, "`x` and `answers` must have the same number of items"),
        (network(None), X, {}, "The classifier must give class probabilities"),
        (keras.layers.Dense(3), X, {}, "`classifier` must be a Keras model. Received: Dense"),
        (
            keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "softmax")]),
            X,
            {},
            r"Answers must be class codes 0 to 1, .* Received: 2",
        ),
        (network(), X * np.nan, {}, "Features must not be NaN"),
        (network(), X, {"weights": -1.0}, "`weights` must be numbers, none negative"),
        (network(), X, {"weights": [-1.0]}, "`weights` must be numbers, none negative"),
        (network(), X, {"num_replicas": 1}, "`num_replicas` must be an integer at least 2"),
    ],
)
def test_recipe_refuses_before_training(classifier, x, arguments, message):
    before = [np.array(w) for w in getattr(classifier, "get_weights", list)()]
    with pytest.raises(ValueError, match=message):
        kc.fit_crowd(classifier, x, ANSWERS, **{**FEW, **arguments})
    for value, given in zip(classifier.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, given)
