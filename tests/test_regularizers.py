"""The penalties against NumPy, their best values, and what they do in training."""

import keras
import numpy as np
import pytest
from conftest import XLA
from contracts import probabilities
from gradients import value_and_gradients
from keras import ops as kops

import keras_crowd as kc

sizes = pytest.mark.parametrize("num_classes", [2, 10, 100])


def as_float(tensor):
    return float(kops.convert_to_numpy(tensor))


@sizes
def test_classifier_log_det_is_minus_the_mean_log_eigenvalue(num_classes):
    f = probabilities(500, num_classes).astype(float)
    f = 0.5 * f + 0.5 * np.eye(num_classes)[np.arange(500) % num_classes]
    eigenvalues = np.linalg.eigvalsh(num_classes * f.T @ f / 500)
    penalty = as_float(kc.regularizers.ClassifierLogDet(1.0).penalty(f.astype("float32")))
    assert penalty == pytest.approx(-np.log(eigenvalues + 1e-6 * num_classes).mean(), rel=1e-3)


@sizes
def test_normalized_log_det_divides_by_the_shares(num_classes):
    f = probabilities(500, num_classes).astype(float) * 0.5
    f[np.arange(500), np.minimum(np.arange(500), num_classes - 1)] += 0.5
    shares = f.mean(axis=0)
    normalized = f.T @ f / 500 / np.sqrt(np.outer(shares, shares))
    penalty = kc.regularizers.ClassifierLogDet(1.0, epsilon=1e-9, normalized=True).penalty
    expected = -np.linalg.slogdet(normalized).logabsdet / num_classes
    assert as_float(penalty(f.astype("float32"))) == pytest.approx(expected, rel=1e-3)
    padded = np.concatenate([np.sqrt(2.0) * f, np.zeros_like(f)])  # as if half of the rows were padding
    assert as_float(penalty(padded.astype("float32"))) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("normalized", [False, True])
def test_a_bound_makes_the_slope_vanish_with_the_penalty(normalized):
    """`b (1 - exp(-P / b))`, whose slope is `exp(-P / b)` times that of `P`."""
    plain, bounded = (
        kc.regularizers.ClassifierLogDet(1.0, normalized=normalized, bound=bound).penalty
        for bound in (None, 0.5)
    )
    for sure in (0.9, 0.6, 0.0):
        f = sure * np.eye(3, dtype="float32")[np.arange(60) % 3] + (1 - sure) * probabilities(60, 3)
        (p, (slope,)), (found, (gradient,)) = (
            value_and_gradients(penalty, f) for penalty in (plain, bounded)
        )
        assert found == pytest.approx(0.5 * (1 - np.exp(-p / 0.5)), rel=1e-4)
        np.testing.assert_allclose(gradient, np.exp(-p / 0.5) * slope, rtol=1e-3, atol=1e-6)
    assert kc.regularizers.ClassifierLogDet(bound=0.5).get_config()["bound"] == 0.5


def test_normalized_log_det_is_zero_for_sure_items_and_leaves_the_shares_alone():
    """Its gradient, against differences of it, moves no item of a sure classifier from one class to another."""
    penalty = kc.regularizers.ClassifierLogDet(1.0, normalized=True)
    sure = np.eye(3, dtype="float32")[[0] * 30 + [1] * 5 + [2]]
    assert as_float(penalty(sure)) == pytest.approx(0, abs=1e-4)
    assert as_float(penalty(sure[:-1])) == pytest.approx(0, abs=1e-4)  # a class that the batch lacks
    f = 0.7 * sure + 0.1
    _, (gradient,) = value_and_gradients(penalty, f)
    step = 1e-2
    for place in [(0, 0), (31, 1), (35, 0)]:
        moved = np.stack([f, f])
        moved[0][place] += step
        moved[1][place] -= step
        difference = (as_float(penalty(moved[0])) - as_float(penalty(moved[1]))) / (2 * step)
        assert gradient[place] == pytest.approx(difference, abs=2e-3)


@sizes
def test_confusion_log_det_is_minus_the_mean_log_eigenvalue(num_classes):
    confusion = 0.6 * np.eye(num_classes) + 0.4 * probabilities(30, num_classes, num_classes).astype(float)
    gram = sum(a @ a.T for a in confusion) / 30
    penalty = as_float(kc.regularizers.ConfusionLogDet(1.0).penalty(confusion.astype("float32")))
    assert penalty == pytest.approx(-np.log(np.linalg.eigvalsh(gram) + 1e-6).mean(), rel=1e-3)


def test_trace_is_the_mean_diagonal():
    confusion = probabilities(5, 4, 4)
    expected = np.mean([np.trace(a) / 4 for a in confusion])
    assert as_float(kc.regularizers.ConfusionTrace(1.0).penalty(confusion)) == pytest.approx(
        expected, rel=1e-6
    )


@sizes
def test_best_values_are_zero(num_classes):
    sure_and_balanced = np.tile(np.eye(num_classes, dtype="float32"), (3, 1))
    assert as_float(kc.regularizers.ClassifierLogDet(1.0)(sure_and_balanced)) == pytest.approx(0, abs=1e-3)
    perfect = np.tile(np.eye(num_classes, dtype="float32"), (4, 1, 1))
    assert as_float(kc.regularizers.ConfusionLogDet(1.0)(perfect)) == pytest.approx(0, abs=1e-4)
    assert as_float(kc.regularizers.ClassifierLogDet(1.0)(probabilities(300, num_classes))) > 0.1


@sizes
def test_pull_on_an_item_does_not_depend_on_the_number_of_classes(num_classes):
    f = np.tile(np.eye(num_classes, dtype="float32"), (3, 1))
    _, (gradient,) = value_and_gradients(kc.regularizers.ClassifierLogDet(1.0), f)
    np.testing.assert_allclose(len(f) * np.diagonal(gradient[:num_classes]), -2.0, rtol=1e-2)


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("items", [1, 3, 40])
def test_fewer_items_than_classes_gives_finite_value_and_gradient(items, normalized):
    f = probabilities(items, 100)
    penalty = kc.regularizers.ClassifierLogDet(1.0, normalized=normalized)
    value, (gradient,) = value_and_gradients(penalty, f)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    passed_on = f * gradient if normalized else gradient  # by a softmax: that of log f_k is steep
    assert np.abs(items * passed_on).max() < 10


def model(
    num_classes=4,
    momentum=0.0,
    weight=1.0,
    conn_type="CM",
    confusion_regularizer=None,
    ramp_steps=0,
    bound=None,
    **kwargs,
):
    keras.utils.set_random_seed(0)
    crowd = kc.layers.CrowdsClassification(
        6,
        conn_type,
        classifier_regularizer=kc.regularizers.ClassifierLogDet(
            weight, momentum=momentum, ramp_steps=ramp_steps, bound=bound
        ),
        confusion_regularizer=confusion_regularizer,
    )
    dense = keras.layers.Dense(num_classes, "softmax")
    built = keras.Sequential([keras.Input((5,)), dense, crowd])
    built.compile(keras.optimizers.SGD(0.1), kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA, **kwargs)
    return built, crowd


X = np.random.default_rng(0).normal(size=(32, 5)).astype("float32")
NOTHING = np.full((32, 6), -1)


def test_training_adds_the_penalties_and_evaluation_does_not():
    trace = kc.regularizers.ConfusionTrace(0.3, ramp_steps=0)
    built, crowd = model(weight=0.7, confusion_regularizer=trace)
    f = kc.strip(built).predict(X, verbose=0)
    expected = as_float(kc.regularizers.ClassifierLogDet(0.7)(f))
    expected += 0.3 * np.diagonal(crowd.confusion(), axis1=1, axis2=2).mean()
    assert built.evaluate(X, NOTHING, verbose=0) == 0.0
    loss = built.fit(X, NOTHING, batch_size=32, verbose=0).history["loss"][0]
    assert loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("conn_type", ["MW", "VW", "VB", "VW+B", "SW", "CM"])
def test_classifier_log_det_spreads_the_classes_out(conn_type):
    built, _ = model(conn_type=conn_type)
    before = kc.regularizers.ClassifierLogDet(1.0)(kc.strip(built).predict(X, verbose=0))
    built.fit(X, NOTHING, batch_size=16, epochs=20, verbose=0)
    after = kc.regularizers.ClassifierLogDet(1.0)(kc.strip(built).predict(X, verbose=0))
    assert as_float(after) < 0.5 * as_float(before)


def test_weight_is_a_variable_that_needs_no_retrace():
    built, crowd = model(weight=0.0)
    built.fit(X, NOTHING, batch_size=32, verbose=0)
    function = built.train_function
    crowd.penalties["classifier"].weight.assign(2.0)
    loss = built.fit(X, NOTHING, batch_size=32, verbose=0).history["loss"][0]
    assert built.train_function is function
    assert loss > 0.1


def test_weights_rise_by_themselves_and_evaluation_is_no_step(tmp_path):
    """A file keeps the step; the optimizer has no learning rate, so the penalty itself stays as it is."""
    built, _ = model(ramp_steps=4)
    built.optimizer.learning_rate = 0.0
    whole = as_float(kc.regularizers.ClassifierLogDet(1.0)(kc.strip(built).predict(X, verbose=0)))
    losses = built.fit(X, NOTHING, batch_size=32, epochs=3, verbose=0, validation_data=(X, NOTHING)).history
    assert losses["val_loss"] == [0.0] * 3
    built.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    more = loaded.fit(X, NOTHING, batch_size=32, epochs=3, verbose=0).history["loss"]
    np.testing.assert_allclose(losses["loss"] + more, np.array([0, 1, 2, 3, 4, 4]) / 4 * whole, rtol=1e-4)


def test_schedules_end_the_ramp():
    built, crowd = model(ramp_steps=1000)
    before = as_float(kc.regularizers.ClassifierLogDet(1.0)(kc.strip(built).predict(X, verbose=0)))
    schedule = kc.callbacks.RegularizerSchedule(crowd, schedule=lambda epoch: 0.5)
    loss = built.fit(X, NOTHING, batch_size=32, verbose=0, callbacks=[schedule]).history["loss"][0]
    assert loss == pytest.approx(0.5 * before, rel=1e-4)


def test_running_gram_is_the_exponential_average_and_keeps_the_gradient():
    built, crowd = model(momentum=0.9, weight=1.0)
    f = kc.strip(built).predict(X, verbose=0)
    np.testing.assert_allclose(kops.convert_to_numpy(crowd.penalties["classifier"].gram), np.eye(4) / 4)
    built.fit(X, NOTHING, batch_size=32, verbose=0)
    expected = 0.9 * np.eye(4) / 4 + 0.1 * f.T @ f / 32
    np.testing.assert_allclose(
        kops.convert_to_numpy(crowd.penalties["classifier"].gram), expected, rtol=1e-4, atol=1e-6
    )
    regularizer = kc.regularizers.ClassifierLogDet(1.0, momentum=0.9)
    same = kops.convert_to_tensor(
        (f.T @ f / 32).astype("float32")
    )  # in the steady state the batch and the average agree
    plain = value_and_gradients(kc.regularizers.ClassifierLogDet(1.0), f)
    running = value_and_gradients(
        lambda g: regularizer.gram_penalty(regularizer.running_gram(same, g)[1]), f
    )
    assert running[0] == pytest.approx(plain[0], rel=1e-4)
    np.testing.assert_allclose(running[1][0], plain[1][0], rtol=1e-2, atol=1e-4)


def test_a_bounded_running_penalty_starts_from_unsure_items():
    """Its slope is 0 until batches tell of sure items."""
    built, crowd = model(momentum=0.5, weight=1.0, bound=0.1)
    start = kops.convert_to_numpy(crowd.penalties["classifier"].gram)
    np.testing.assert_allclose(start, np.full((4, 4), 1 / 16), atol=1e-4)
    assert np.linalg.eigvalsh(start).min() > 1e-6
    regularizer, f = (
        kc.regularizers.ClassifierLogDet(1.0, bound=0.1),
        np.eye(4, dtype="float32")[[0, 1] * 16],
    )
    value, (gradient,) = value_and_gradients(
        lambda g: regularizer.gram_penalty(regularizer.running_gram(kops.convert_to_tensor(start), g)[1]), f
    )
    assert value == pytest.approx(0.1, rel=1e-4)
    np.testing.assert_allclose(gradient, 0, atol=1e-6)
    built.fit(X, NOTHING, batch_size=32, verbose=0)
    assert all(np.isfinite(w).all() for w in built.get_weights())


def test_more_classes_than_items_trains_without_nan():
    built, _ = model(num_classes=100, momentum=0.9)
    built.fit(X, NOTHING, batch_size=8, epochs=3, verbose=0)
    assert all(np.isfinite(w).all() for w in built.get_weights())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: kc.regularizers.ClassifierLogDet(-1.0),
            "`weight` must be a number at least 0, finite. Received: weight=-1.0",
        ),
        (
            lambda: kc.regularizers.ClassifierLogDet(1.0, momentum=1.0),
            "`momentum` must be a number at least 0",
        ),
        (
            lambda: kc.regularizers.ClassifierLogDet(1.0, bound=0),
            "`bound` must be a number above 0",
        ),
        (
            lambda: kc.layers.CrowdsClassification(
                3, "MW", confusion_regularizer=kc.regularizers.ConfusionTrace()
            ),
            "`confusion_regularizer` must go with conn_type=\"CM\". Received: conn_type='MW'",
        ),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_sample_weights_weigh_answers_and_not_the_penalties():
    """Items of weight 0 leave the penalties, of F and of A, as they are."""
    classifier = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, "softmax")])
    regularizers = {
        "classifier_regularizer": kc.regularizers.ClassifierLogDet(0.5, ramp_steps=0),
        "confusion_regularizer": kc.regularizers.ConfusionLogDet(0.2, ramp_steps=0),
    }
    crowd = kc.layers.CrowdsClassification(4, "CM", **regularizers)
    model = keras.Sequential([classifier, crowd])
    model.compile("sgd", kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    rng = np.random.default_rng(0)
    x, answers = rng.normal(size=(20, 3)).astype("float32"), rng.integers(0, 3, (20, 4))
    f = keras.ops.convert_to_tensor(classifier.predict(x, verbose=0))
    confusion = keras.ops.convert_to_tensor(crowd.confusion())
    penalties = [
        float(keras.ops.convert_to_numpy(regularizers["classifier_regularizer"](f))),
        float(keras.ops.convert_to_numpy(regularizers["confusion_regularizer"](confusion))),
    ]
    loss = model.train_on_batch(x, answers, sample_weight=np.zeros(20))
    np.testing.assert_allclose(loss, sum(penalties), rtol=1e-4)
