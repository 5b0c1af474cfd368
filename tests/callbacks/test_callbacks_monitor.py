"""`CrowdMonitor`: what it logs, and when it speaks up."""

import functools
import warnings

import keras
import numpy as np
import pytest
from conftest import XLA

import keras_crowd as kc

K, R = 4, 6
RNG = np.random.default_rng(0)
Y = np.repeat(np.arange(K), 30)
X = (np.eye(K)[Y] + RNG.normal(scale=0.1, size=(len(Y), K))).astype("float32")
ANSWERS = np.where(RNG.random((len(Y), R)) < 0.8, Y[:, None], RNG.integers(0, K, (len(Y), R)))
ANSWERS[RNG.random(ANSWERS.shape) < 0.4] = -1
ANSWERS[:7] = -1  # without answers: not monitored
GOOD = 8 * np.eye(K)
SWAPPED = GOOD[:, [1, 0, 2, 3]]
COLLAPSED = 0 * GOOD


def compiled(activation="softmax", learning_rate=0.0):
    """A classifier, its crowd layer, and both together."""
    classifier = keras.Sequential([keras.Input((K,)), keras.layers.Dense(K, activation)])
    crowd = kc.layers.CrowdsClassification(R, "CM", initial_accuracy=0.8, from_logits=activation is None)
    model = keras.Sequential([classifier, crowd])
    model.compile(keras.optimizers.SGD(learning_rate), kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    return classifier, crowd, model


@functools.cache
def at_start(activation):
    """The same and its weights, compiled once: it does not learn."""
    built = compiled(activation)
    return built, built[-1].get_weights()


def models(kernel=GOOD, activation="softmax"):
    """The same with the classifier's weights given."""
    built, start = at_start(activation)
    built[-1].set_weights(start)
    built[0].layers[-1].set_weights([kernel, np.zeros(K)])
    return built


def fit(built, epochs=1, answers=ANSWERS, **kwargs):
    classifier, crowd, model = built
    monitor = kc.callbacks.CrowdMonitor(crowd, classifier, X, answers, **kwargs)
    return model.fit(X, ANSWERS, epochs=epochs, verbose=0, callbacks=[monitor]).history


@pytest.mark.only_under("torch")
def test_logs_are_the_papers_figures():
    built = models(2 * np.eye(K))
    history = fit(built, on_collapse="ignore")
    monitored = np.flatnonzero((ANSWERS >= 0).any(axis=1))
    f = built[0].predict(X[monitored], verbose=0).astype(float)
    gram = f.T @ f / len(f)
    p = np.linalg.eigvalsh(gram) / np.trace(gram)
    assert history["crowd_classifier_log_det"][0] == pytest.approx(
        np.log(np.linalg.det(K * gram)) / K, rel=1e-3
    )
    assert history["crowd_effective_rank"][0] == pytest.approx(np.exp(-np.sum(p * np.log(p))), rel=1e-4)
    confusion = built[1].confusion().astype(float)
    spread = np.mean(confusion @ confusion.transpose(0, 2, 1), axis=0)
    assert history["crowd_confusion_log_det"][0] == pytest.approx(
        np.log(np.linalg.det(spread)) / K, rel=1e-3
    )
    assert history["crowd_mean_diagonal"][0] == pytest.approx(0.8, rel=1e-5)
    assert history["crowd_permuted_classes"] == [0.0]


def test_mean_diagonal_weighs_annotators_by_their_answers():
    built = models(GOOD)
    accuracy = np.linspace(0.4, 0.9, R)
    built[1].set_confusion(kc.warm_start.from_accuracy(accuracy, K))
    answers = np.where(np.arange(R) == 2, -1, ANSWERS)
    history = fit(built, answers=answers)
    expected = np.average(accuracy, weights=(answers >= 0).sum(axis=0))
    assert history["crowd_mean_diagonal"][0] == pytest.approx(expected, rel=1e-5)


def test_a_good_classifier_is_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        history = fit(models(GOOD), epochs=2)
    assert history["crowd_permuted_classes"] == [0.0, 0.0]
    assert history["crowd_effective_rank"][0] > 3.9


def test_exchanged_classes_are_counted_and_warned_of_once():
    with pytest.warns(RuntimeWarning, match=r"2 of the classifier's classes .*align_classes") as caught:
        history = fit(models(SWAPPED), epochs=3)
    assert len([w for w in caught if w.category is RuntimeWarning]) == 1
    assert history["crowd_permuted_classes"] == [2.0, 2.0, 2.0]


def test_collapse_is_warned_of():
    with pytest.warns(RuntimeWarning, match=r"effective rank 1.00, below 2.6\d .*Train longer"):
        fit(models(COLLAPSED), on_permuted="ignore")


def test_training_may_be_stopped():
    for kernel, action in [(SWAPPED, "on_permuted"), (COLLAPSED, "on_collapse")]:
        with pytest.warns(RuntimeWarning):
            history = fit(models(kernel), epochs=8, **{"on_permuted": "ignore", action: "stop"})
        assert len(history["loss"]) == 3  # the first two of eight are only logged


def test_trouble_may_be_ignored_or_come_early():
    fit(models(COLLAPSED), epochs=4, on_permuted="ignore", on_collapse="ignore")
    fit(models(COLLAPSED), epochs=4, on_permuted="ignore", on_collapse="warn", warm_up=4)
    fit(models(COLLAPSED), epochs=1, on_permuted="ignore", min_rank=1.0)


def test_every_other_epoch_and_the_last_are_logged():
    history = fit(models(GOOD), epochs=6, every=2, prefix="m_")
    assert len(history["m_effective_rank"]) == 4


@pytest.mark.by_turns
@pytest.mark.parametrize("form", ["dense", "annotations", "dict", "logits"])
def test_forms_of_the_data_agree(form):
    expected = fit(models(2 * np.eye(K)), on_collapse="ignore")
    built = models(2 * np.eye(K), None if form == "logits" else "softmax")
    answers = kc.Annotations.from_dense(ANSWERS) if form == "annotations" else ANSWERS
    x = X
    if form == "dict":
        features = keras.Input((K,), name="features")
        built = (keras.Model({"features": features}, built[0](features)), *built[1:])
        x = {"features": X}
    monitor = kc.callbacks.CrowdMonitor(
        built[1],
        built[0],
        x,
        answers,
        from_logits=form == "logits",
        batch_size=7,
        on_collapse="ignore",
    )
    history = built[2].fit(X, ANSWERS, verbose=0, callbacks=[monitor]).history
    for name in [name for name in expected if name.startswith("crowd_")]:
        assert history[name][0] == pytest.approx(expected[name][0], rel=1e-4), name


def test_few_items_are_spread_over_all():
    classifier, crowd, _ = models()
    monitor = kc.callbacks.CrowdMonitor(crowd, classifier, X, ANSWERS, max_items=8)
    np.testing.assert_array_equal(monitor.x.argmax(axis=1), np.repeat(np.arange(K), 2))


@pytest.mark.only_under("tensorflow")
def test_monitoring_does_not_change_training():
    losses = []
    for watch in (False, True):
        keras.utils.set_random_seed(3)
        classifier, crowd, model = compiled(learning_rate=0.1)
        monitor = kc.callbacks.CrowdMonitor(
            crowd, classifier, X, ANSWERS, on_permuted="ignore", on_collapse="ignore"
        )
        history = model.fit(X, ANSWERS, epochs=3, verbose=0, callbacks=[monitor] * watch).history
        losses.append(history["loss"])
    np.testing.assert_array_equal(*losses)


def test_diverged_training_is_logged_as_nan():
    history = fit(models(np.full((K, K), np.nan)))
    assert np.isnan(history["crowd_effective_rank"][0])
    assert np.isnan(history["crowd_permuted_classes"][0])


@pytest.mark.parametrize(
    ("x", "answers", "kwargs", "message"),
    [
        (X[:5], ANSWERS, {}, r"the same number of items; .* Received: lengths \[5\] and 120"),
        (
            X,
            ANSWERS[:, :4],
            {},
            r"`answers` must be of 6 annotators, as the crowd layer has. Received: .*4 annotators",
        ),
        (X, ANSWERS.astype(float), {}, "integers of shape"),
        (X, ANSWERS, {"on_permuted": "halt"}, "`on_permuted` must be .* Received: on_permuted='halt'"),
        (X, ANSWERS, {"on_collapse": None}, "`on_collapse` must be .* Received: on_collapse=None"),
        (X, ANSWERS, {"every": 0}, "`every` must be a positive integer. Received: every=0"),
        (X, ANSWERS, {"max_items": 0.5}, "`max_items` must be a positive integer"),
    ],
)
def test_monitor_refuses_before_training(x, answers, kwargs, message):
    classifier, crowd, _ = models()
    with pytest.raises(ValueError, match=message):
        kc.callbacks.CrowdMonitor(crowd, classifier, x, answers, **kwargs)


def test_monitor_refuses_the_whole_model():
    _, crowd, model = models()
    with pytest.raises(ValueError, match=r"`classifier` must be the built .* model below the crowd layer"):
        kc.callbacks.CrowdMonitor(crowd, model, X, ANSWERS)
