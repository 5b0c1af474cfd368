"""`EMTrainer(answer_weight=, classifier_regularizer=)`: against loops, limits, and the choice between them."""

import keras
import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd.em import _choice
from keras_crowd.em._training import Training

K, N, R = 3, 120, 4
RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, K, N)
X = (np.eye(K)[TRUTH] + RNG.normal(size=(N, K))).astype("float32")
ANSWERS = np.where(RNG.random((N, R)) < 0.7, TRUTH[:, None], RNG.integers(0, K, (N, R)))
ANSWERS[RNG.random((N, R)) < 0.3] = -1


def classifier(learning_rate=0.0):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((K,)), keras.layers.Dense(K, "softmax")])
    model.compile(keras.optimizers.SGD(learning_rate), "categorical_crossentropy")
    return model


def loops(f, prior, weight, iterations):
    """Answer by answer; the classifier stands still."""
    q = np.full((N, K), 1 / K)
    for step in range(iterations + 1):
        confusion = np.full((R, K, K), prior)
        for i in range(N):
            for r in range(R):
                if ANSWERS[i, r] >= 0:
                    confusion[r, :, ANSWERS[i, r]] += weight * q[i]
        confusion /= confusion.sum(axis=2, keepdims=True)
        for i in range(N if step < iterations else 0):
            q[i] = f[i]
            for r in range(R):
                if ANSWERS[i, r] >= 0:
                    q[i] *= confusion[r, :, ANSWERS[i, r]] ** weight
            q[i] /= q[i].sum()
    return q, confusion


def trained(start=None, iterations=3, learning_rate=0.1, **settings):
    trainer = kc.EMTrainer(classifier(learning_rate), **settings)
    history = trainer.fit(X, ANSWERS, start=start, iterations=iterations, verbose=0)
    return trainer, history.history["loss"]


@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_answers_count_as_much_as_they_weigh(weight):
    flat = np.full((N, K), 1 / K)
    trainer, _ = trained(flat, learning_rate=0.0, prior=0.7, answer_weight=weight)
    q, confusion = loops(trainer.classifier.predict(X, verbose=0), 0.7, weight, 3)
    np.testing.assert_allclose(trainer.posterior(), q, rtol=1e-4)
    np.testing.assert_allclose(trainer.confusion(), confusion, rtol=1e-4)


def eight(probabilities):
    return 8.0


@pytest.mark.only_under("torch")
def test_a_penalty_rises_with_the_iterations_and_trains_the_classifier():
    plain, losses = trained(iterations=4)
    nothing, same = trained(iterations=4, classifier_regularizer=kc.regularizers.ClassifierLogDet(0.0))
    np.testing.assert_allclose(nothing.posterior(), plain.posterior(), rtol=1e-5)
    np.testing.assert_allclose(same, losses, rtol=1e-5)
    _, without = trained(iterations=4, learning_rate=0.0)
    penalized, found = trained(iterations=4, learning_rate=0.0, classifier_regularizer=eight)
    np.testing.assert_allclose(np.subtract(found, without), [0.0, 4.0, 8.0, 8.0], rtol=1e-4)
    assert penalized.classifier.loss == "categorical_crossentropy"
    spread, _ = trained(iterations=4, classifier_regularizer=kc.regularizers.ClassifierLogDet(3.0))
    penalty = kc.regularizers.ClassifierLogDet(1.0)
    of = [float(penalty(t.classifier.predict(X, verbose=0))) for t in (plain, spread)]
    assert of[1] < of[0] - 0.01


class Told(Training):
    """Knows the truth under one of the settings and nothing under the other."""

    right = 0.5

    def fit(self, *args, **kwargs):
        history = super().fit(*args, **kwargs)
        confusions = self.problem.confusions
        confusions.value = np.tile(0.8 * np.eye(K) + 0.2 / K, (R, 1, 1))
        knows = confusions.answer_weight == self.right
        self.posterior = np.eye(K)[TRUTH] if knows else np.full((N, K), 1 / K)
        return history


@pytest.mark.by_turns
@pytest.mark.parametrize("right", [0.5, 1.0])
def test_held_out_answers_choose(right, monkeypatch):
    monkeypatch.setattr(Told, "right", right)
    monkeypatch.setattr("keras_crowd.em._trainer.Training", Told)
    trainer, _ = trained(iterations=1, answer_weight="auto")
    held_out = kc.annotations.as_annotations(ANSWERS).split(_choice.HELD_OUT, 0)[1]
    hits = held_out.answers == TRUTH[held_out.item_index]
    told = np.mean(-np.log(np.where(hits, 0.8 + 0.2 / K, 0.2 / K)))
    expected = [np.log(K), told] if right == 0.5 else [told, np.log(K)]
    np.testing.assert_allclose(trainer.path.nats, expected, rtol=1e-6)
    assert trainer.path.weights.tolist() == [0.0, 3.0]
    assert (trainer.path.chosen > 0) == (right == 0.5)
    assert trainer._training.problem.confusions.answer_weight == right


def test_few_held_out_answers_choose_no_penalty_that_predicts_worse():
    losses = np.array([[[0.1, 0.9, 0.5]], [[0.9, 0.2, 0.5]]])
    assert kc.selection.RegularizationPath(np.array([0.0, 3.0]), losses).chosen == 3.0
    assert kc.selection.RegularizationPath(np.array([0.0, 3.0]), losses, standard_errors=0.0).chosen == 0.0


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.only_under("torch")
def test_an_interrupted_choice_goes_on_and_leaves_the_classifier_as_it_was(tmp_path, monkeypatch):
    def train(model, folder=None):
        trainer = kc.EMTrainer(model, answer_weight="auto")
        trainer.fit(X, ANSWERS, iterations=2, verbose=0, backup_dir=folder)
        return trainer

    whole = train(classifier(0.1))
    calls = []

    def dies(self, epochs, rng):
        calls.append(1)
        if len(calls) == 4:  # in the second training
            raise KilledError
        return iterate(self, epochs, rng)

    iterate = Training._iterate
    monkeypatch.setattr(Training, "_iterate", dies)
    model = classifier(0.1)
    before = model.get_weights()
    with pytest.raises(KilledError):
        train(model, tmp_path)
    for value, given in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, given)
    again = train(classifier(0.1), tmp_path)
    assert len(calls) == 4 + 1 + 2
    np.testing.assert_allclose(again.path.losses, whole.path.losses, rtol=1e-5)
    np.testing.assert_allclose(again.posterior(), whole.posterior(), rtol=1e-5)
    assert list(tmp_path.iterdir()) == []


def test_settings_without_meaning_are_refused():
    regressor = keras.Sequential([keras.Input((K,)), keras.layers.Dense(1)])
    ratings = ANSWERS.astype(float)
    log_det = kc.regularizers.ClassifierLogDet()
    for settings, message in [
        (
            {"answer_weight": "auto"},
            r'`answer_weight="auto"` is for a classifier .*Received: RatingProblem',
        ),
        ({"classifier_regularizer": log_det}, "`classifier_regularizer` is for .*Received: RatingProblem"),
        ({"answer_weight": 0.5}, r"`answer_weight` must be 1 except for .*Received: answer_weight=0\.5"),
    ]:
        with pytest.raises(ValueError, match=message):
            kc.EMTrainer(regressor, **settings).fit(X, ratings, verbose=0)
    for weight in (0, 1.5, True, "much"):
        with pytest.raises(ValueError, match=r"`answer_weight` must be a number in \(0, 1\] or"):
            kc.EMTrainer(classifier(), answer_weight=weight)
    running = kc.regularizers.ClassifierLogDet(momentum=0.9)
    with pytest.raises(ValueError, match=r"must have no momentum here.*Received: momentum=0\.9"):
        kc.EMTrainer(classifier(), classifier_regularizer=running)
    with pytest.raises(ValueError, match=r'`answers` must be 20 at least for `answer_weight="auto"`'):
        kc.EMTrainer(classifier(), answer_weight="auto").fit(X[:5], ANSWERS[:5], verbose=0)
