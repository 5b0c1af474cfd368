"""`RegularizerSchedule` and `CrowdFreeze`: what moves when."""

import functools

import keras
import numpy as np
import pytest
from conftest import BACKEND, XLA

import keras_crowd as kc

X = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
ANSWERS = np.where(np.random.default_rng(1).random((64, 3)) < 0.5, (X[:, :1] > 0).astype(int), -1)
SLOTS = np.sort(np.where(ANSWERS < 0, -1, np.arange(3)), axis=1)[:, ::-1].astype("int32")


@functools.cache
def penalized(conn_type):
    """A model and its crowd layer with penalties, compiled once for all schedules."""
    classifier = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2, "softmax")])
    crowd = kc.layers.CrowdsClassification(
        3,
        conn_type,
        classifier_regularizer=kc.regularizers.ClassifierLogDet(2.0),
        confusion_regularizer=kc.regularizers.ConfusionTrace(0.1) if conn_type == "CM" else None,
    )
    model = keras.Sequential([classifier, crowd])
    model.compile("sgd", loss=kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    return model, crowd


def scheduled_weights(epochs=8, conn_type="CM", **kwargs):
    """The weights of both penalties in every epoch."""
    model, crowd = penalized(conn_type)
    seen = []

    class Record(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            weights = [penalty.weight for penalty in crowd.penalties.values()]
            seen.append([float(keras.ops.convert_to_numpy(w)) for w in weights])
            losses.append(logs["loss"])

    losses = []
    schedule = kc.callbacks.RegularizerSchedule(crowd, **kwargs)
    model.fit(X, np.full_like(ANSWERS, -1), epochs=epochs, verbose=0, callbacks=[schedule, Record()])
    return np.array(seen, float), losses


def test_schedule_ramps_all_penalties_and_training_feels_it():
    weights, losses = scheduled_weights(warm_up=2, ramp=4)
    factors = [0, 0, 0, 0.25, 0.5, 0.75, 1, 1]
    np.testing.assert_allclose(weights, np.outer(factors, [2.0, 0.1]), rtol=1e-6)
    assert losses[:3] == [0.0, 0.0, 0.0]
    assert losses[3] > 0


@pytest.mark.only_under("torch")
def test_schedule_counts_in_shares_of_the_epochs():
    weights, _ = scheduled_weights(conn_type="MW", warm_up=0.25, ramp=0.5)
    np.testing.assert_allclose(weights[:, 0], [0, 0, 0, 0.5, 1, 1.5, 2, 2], rtol=1e-6)


def test_schedule_may_be_any_function():
    weights, _ = scheduled_weights(schedule=lambda epoch: 0.5**epoch)
    np.testing.assert_allclose(weights[:, 0], 2.0 * 0.5 ** np.arange(8), rtol=1e-6)


def test_schedule_without_a_ramp_is_a_step():
    weights, _ = scheduled_weights(warm_up=3, ramp=0)
    np.testing.assert_allclose(weights[:, 0], [0, 0, 0, 2, 2, 2, 2, 2])


def test_schedule_refuses_negative_epochs():
    with pytest.raises(ValueError, match=r"`ramp` must be a number at least 0, finite. Received: ramp=-1"):
        kc.callbacks.RegularizerSchedule(kc.layers.CrowdsClassification(2), ramp=-1)
    with pytest.raises(
        ValueError, match=r"`decay` must be a number at least 0, finite. Received: decay=-1"
    ):
        kc.callbacks.RegularizerSchedule(kc.layers.CrowdsClassification(2), decay=-1)


@pytest.mark.parametrize(
    ("kwargs", "factors"),
    [
        ({"ramp": 2, "decay": 4}, [0, 0.5, 1, 1, 0.75, 0.5, 0.25, 0]),
        ({"ramp": 0, "decay": 0.25, "final": 0.2}, [1, 1, 1, 1, 1, 1, 0.6, 0.2]),
        ({"ramp": 0, "decay": 1}, [1, 1, 1, 1, 1, 1, 1, 0]),
    ],
)
def test_schedule_may_fall_at_the_end(kwargs, factors):
    weights, _ = scheduled_weights(**kwargs)
    np.testing.assert_allclose(weights[:, 0], 2.0 * np.array(factors), rtol=1e-5, atol=1e-7)


class Watch(keras.callbacks.Callback):
    """The crowd layer's and the classifier's parameters, and `released`, after each epoch."""

    def __init__(self, crowd, classifier):
        super().__init__()
        self.crowd, self.classifier, self.seen = crowd, classifier, []

    def on_train_begin(self, logs=None):
        self.on_epoch_end(-1)

    def on_epoch_end(self, epoch, logs=None):
        crowd = np.concatenate(
            [keras.ops.convert_to_numpy(w).ravel() for w in self.crowd.trainable_variables]
        )
        self.seen.append((crowd, self.classifier.get_weights()[0], released(self.crowd)))

    def moved(self, part):
        pairs = zip(self.seen, self.seen[1:], strict=False)
        return [not np.array_equal(before[part], after[part]) for before, after in pairs]


def released(crowd):
    return float(keras.ops.convert_to_numpy(crowd.released))


def freezable(conn_type="CM", slots=False, **kwargs):
    """A classifier, its crowd layer, and both together, compiled."""
    classifier = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2, "softmax")])
    if conn_type == "CM":
        kwargs = {"confusion_regularizer": kc.regularizers.ConfusionLogDet(1.0), **kwargs}
    crowd = kc.layers.CrowdsClassification(
        3, conn_type, classifier_regularizer=kc.regularizers.ClassifierLogDet(0.1), **kwargs
    )
    if slots:
        annotators = keras.Input((None,), dtype="int32")
        model = keras.Model(
            [*classifier.inputs, annotators], crowd(classifier.outputs[0], annotators=annotators)
        )
    else:
        model = keras.Sequential([classifier, crowd])
    model.compile(keras.optimizers.Adam(0.01), kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    return classifier, crowd, model


@functools.cache
def compiled(conn_type, slots):
    """The same, compiled once, with its variables and those of its optimizer, and their values."""
    built = freezable(conn_type, slots)
    model = built[-1]
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    return built, [(variable, keras.ops.convert_to_numpy(variable) + 0) for variable in variables]


def at_start(conn_type="CM", slots=False):
    """The compiled one as it was before any training."""
    built, start = compiled(conn_type, slots)
    for variable, value in start:
        variable.assign(value)
    return built


@pytest.mark.by_turns
@pytest.mark.parametrize("slots", [False, True])
@pytest.mark.parametrize("conn_type", ["CM", "MW", "VW+B"])
def test_freeze_holds_the_crowd_layer_and_nothing_else(conn_type, slots):
    classifier, crowd, model = at_start(conn_type, slots)
    watch = Watch(crowd, classifier)
    x, answers = ((X, SLOTS), np.where(SLOTS < 0, -1, 0)) if slots else (X, ANSWERS)
    callbacks = [kc.callbacks.CrowdFreeze(crowd, epochs=2), watch]
    model.fit(x, answers, epochs=4, batch_size=16, verbose=0, callbacks=callbacks)
    assert watch.moved(0) == [False, False, True, True]
    assert watch.moved(1) == [True] * 4
    assert [r for _, _, r in watch.seen] == [1.0] * 5  # what is saved after an epoch is never held


@pytest.mark.only_under("torch")
def test_freeze_counts_in_shares_of_the_epochs():
    classifier, crowd, model = at_start()
    watch = Watch(crowd, classifier)
    callbacks = [kc.callbacks.CrowdFreeze(crowd, epochs=0.75), watch]
    model.fit(X, ANSWERS, epochs=4, verbose=0, callbacks=callbacks)
    assert watch.moved(0) == [False] * 3 + [True]


def test_freeze_needs_no_second_trace():
    def traces(epochs):
        _, crowd, model = freezable()
        calls, call = [], crowd.predict_answers
        crowd.predict_answers = lambda *args: calls.append(1) or call(*args)
        model.fit(
            X, ANSWERS, epochs=4, verbose=0, callbacks=[kc.callbacks.CrowdFreeze(crowd, epochs=epochs)]
        )
        return len(calls)

    held = traces(2)
    assert held == traces(0)
    if BACKEND != "torch":
        assert held < 4


def test_released_training_is_what_it_is_without_the_callback():
    results = []
    at_start()[2].fit(X, ANSWERS, verbose=0)  # the first call of all draws a batch more under JAX, to build
    for callback in (False, True):
        keras.utils.set_random_seed(5)
        _, crowd, model = at_start()
        callbacks = [kc.callbacks.CrowdFreeze(crowd, epochs=0)] * callback
        model.fit(X, ANSWERS, epochs=3, verbose=0, callbacks=callbacks)
        results.append(crowd.confusion())
    np.testing.assert_array_equal(*results)


def test_freeze_changes_no_value():
    _, crowd, model = at_start()
    crowd.kernel.assign(np.random.default_rng(0).normal(size=crowd.kernel.shape))
    results = []
    for value in (0.0, 1.0):
        crowd.released.assign(value)
        results.append(keras.ops.convert_to_numpy(model(X, training=True)))
    results.append(keras.ops.convert_to_numpy(model(X, training=False)))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_freeze_releases_what_a_broken_training_left_held():
    class Break(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    _, crowd, model = freezable()
    with pytest.raises(KeyboardInterrupt):
        model.fit(
            X, ANSWERS, epochs=2, verbose=0, callbacks=[kc.callbacks.CrowdFreeze(crowd, epochs=2), Break()]
        )
    assert released(crowd) == 0.0
    kc.callbacks.CrowdFreeze(crowd).on_train_begin()
    assert released(crowd) == 1.0


def test_weights_restored_from_a_held_epoch_are_released():
    _, crowd, model = at_start()
    stop = keras.callbacks.EarlyStopping("loss", mode="max", patience=9, restore_best_weights=True)
    callbacks = [kc.callbacks.CrowdFreeze(crowd, epochs=2), stop]
    model.fit(X, ANSWERS, epochs=3, verbose=0, callbacks=callbacks)
    assert stop.best_epoch < 2
    assert released(crowd) == 1.0


@pytest.mark.by_turns
@pytest.mark.parametrize("whole", [True, False])
def test_what_is_saved_while_the_layer_is_held_is_loaded_released(whole, tmp_path):
    path = tmp_path / ("model.keras" if whole else "model.weights.h5")
    _, crowd, model = freezable()
    checkpoint = keras.callbacks.ModelCheckpoint(path, save_weights_only=not whole, save_freq=1)
    model.fit(X, ANSWERS, verbose=0, callbacks=[kc.callbacks.CrowdFreeze(crowd, epochs=2), checkpoint])
    if whole:
        loaded = keras.saving.load_model(path)
    else:
        loaded = freezable()[2]
        loaded.optimizer.build(loaded.trainable_variables)
        loaded.load_weights(path)
    crowd = loaded.layers[-1]
    assert released(crowd) == 1.0
    before = crowd.confusion()
    loaded.fit(X, ANSWERS, verbose=0)
    assert np.abs(crowd.confusion() - before).max() > 0


def test_freeze_refuses_negative_epochs():
    with pytest.raises(
        ValueError, match=r"`epochs` must be a number at least 0, finite. Received: epochs=-1"
    ):
        kc.callbacks.CrowdFreeze(kc.layers.CrowdsClassification(2), epochs=-1)
