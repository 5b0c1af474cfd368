"""`fit_crowd` where most items have one answer: rounds of classifiers that have not seen it."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import keras_crowd as kc
from keras_crowd import _one_answer, _training

# Two epochs may leave the classes anywhere.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The classes had been permuted"),
    pytest.mark.filterwarnings("ignore:Classes vanished"),
]

N, R, K = 200, 5, 3
RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, K, N)
X = (np.eye(K)[TRUTH] * 2 + RNG.normal(scale=0.6, size=(N, K))).astype("float32")
WHO = RNG.integers(0, R, N)
RIGHT = RNG.random(N) < np.array([0.95, 0.9, 0.8, 0.2, 0.2])[WHO]
ANSWERS = np.full((N, R), -1)
ANSWERS[np.arange(N), WHO] = np.where(RIGHT, TRUTH, (TRUTH + 1) % K)
ANSWERS[:10] = -1  # nobody answered
GOLD = np.where(np.arange(N) < 20, TRUTH, -1)
FEW = {"epochs": 2, "batch_size": 100, "verbose": 0}


def network(activation="softmax"):
    return keras.Sequential(
        [keras.Input((K,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(K, activation)]
    )


@pytest.fixture
def trained(monkeypatch):
    """What each training of one `fit_crowd` was on and gave: itself, the fold, targets, predictions, the loss."""
    fit, seen = _training.Training.fit, []

    def recorded(self, setting, annotations, replica=None, *rest):
        history = fit(self, setting, annotations, replica, *rest)
        targets, loss = self._slots(annotations)[1], history.history["loss"][-1]
        seen.append((self, replica, targets, self.probabilities(), loss))
        return history

    monkeypatch.setattr(_training.Training, "fit", recorded)
    return seen


def counted(annotations, labels, strength=10.0):
    """The equations at the top of `warm_start`, by a loop over the answers."""
    counts = np.zeros((R, K, K))
    for i, r, answer in zip(
        annotations.item_index, annotations.annotator_index, annotations.answers, strict=True
    ):
        counts[r, :, answer] += labels[i]
    total = counts.sum(axis=0)
    right = np.trace(total) / total.sum()
    symmetric = np.where(np.eye(K) > 0, right, (1 - right) / (K - 1))
    population = total + strength * symmetric
    found = counts + strength * population / population.sum(axis=1, keepdims=True)
    return 0.999 * found / found.sum(axis=2, keepdims=True) + 0.001 / K


def bayes(annotations, f, confusion):
    q = f.astype(float).copy()
    for i, r, answer in zip(
        annotations.item_index, annotations.annotator_index, annotations.answers, strict=True
    ):
        q[i] *= confusion[r, :, answer]
    return q / q.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("gold", [None, GOLD])
def test_rounds_are_those_of_the_page(trained, gold):
    """Labels of each round, of other items than are predicted; confusions at the start of the last training.

    An item with a gold label is never left out. One without an answer is left out of all trainings; what is predicted
    of it does not enter the counts.
    """
    annotations = kc.Annotations.from_dense(ANSWERS)
    fit = kc.fit_crowd(network(), X, ANSWERS, gold=gold, **FEW)
    assert fit.out_of_sample
    assert (fit.weight, fit.path) == (0.5, None)
    *replicas, (last, *_) = trained
    assert [replica for _, replica, *_ in replicas] == [0, 1, 2, 3, 4] * 2
    known = np.full(N, -1) if gold is None else gold
    labels = np.where(ANSWERS.max(axis=1) >= 0, ANSWERS.max(axis=1), -1)
    labels = np.eye(K)[labels] * (labels >= 0)[:, None]
    labels[known >= 0] = np.eye(K)[known[known >= 0]]
    for of_round in (replicas[:5], replicas[5:]):
        unseen = np.zeros((N, K))
        times_left_out = np.zeros(N)
        for _, _, targets, predictions, _ in of_round:
            assert targets.shape == (N, 1, K)
            left_out = targets[:, 0].sum(axis=1) == 0
            assert_allclose(targets[~left_out, 0], labels[~left_out], rtol=1e-4, atol=1e-6)
            unseen[left_out] = predictions[left_out]
            times_left_out += left_out
        answered = ANSWERS.max(axis=1) >= 0
        assert np.all(times_left_out[answered & (known < 0)] == 1)
        assert np.all(times_left_out[known >= 0] == 0)
        settled = np.where(known[:, None] >= 0, np.eye(K)[known], unseen)
        labels = bayes(annotations, settled, counted(annotations, settled))
    assert_allclose(last.confusion, counted(annotations, labels), rtol=1e-3, atol=1e-5)


def test_last_training_starts_from_the_counted_confusions(monkeypatch):
    monkeypatch.setattr(_training.ClassTraining, "put_classes_back", lambda self, annotations: None)
    optimizer = keras.optimizers.SGD(0.0)  # nothing moves
    expected = []
    conclude = _one_answer.LabelTraining.conclude

    def recorded(self, *given):
        conclude(self, *given)
        expected.append(self.confusion)

    monkeypatch.setattr(_one_answer.LabelTraining, "conclude", recorded)
    fit = kc.fit_crowd(network(), X, ANSWERS, optimizer=optimizer, **FEW)
    assert_allclose(fit.crowd.confusion(), expected[-1], rtol=1e-4)
    start = kc.warm_start.from_dawid_skene(ANSWERS, K)
    assert np.abs(expected[-1] - start).max() > 0.1


@pytest.mark.parametrize("from_logits", [False, True])
def test_loss_of_labels_is_their_cross_entropy(from_logits, trained):
    """Of a classifier that does not move, on the votes on the items that are left."""
    classifier = network(None if from_logits else "softmax")
    given = {**FEW, "batch_size": N, "optimizer": keras.optimizers.SGD(0.0), "from_logits": from_logits}
    kc.fit_crowd(classifier, X, ANSWERS, **given)
    _, _, targets, f, loss = trained[0]
    assert_allclose(loss, -np.sum(targets[:, 0] * np.log(f)) / targets.sum(), rtol=1e-4)


@pytest.mark.only_under("torch")
@pytest.mark.filterwarnings("ignore:Most items have one answer")
def test_features_tell_who_is_good():
    fits = {}
    for weights in (None, 0.5):
        keras.utils.set_random_seed(1)
        optimizer = keras.optimizers.Adam(1e-2)
        fits[weights] = kc.fit_crowd(
            network(), X, ANSWERS, weights=weights, epochs=25, batch_size=50, verbose=0, optimizer=optimizer
        )
    answered = ANSWERS.max(axis=1) >= 0
    right = {weights: np.mean(fit.labels[answered] == TRUTH[answered]) for weights, fit in fits.items()}
    assert right[None] > 0.9 > 0.75 > right[0.5]
    accuracy = fits[None].annotators()["accuracy"]
    assert accuracy[:3].min() > 0.6 > 0.4 > accuracy[3:].max()


def test_only_few_answers_and_no_weights_take_this_way():
    twice = np.where(np.arange(R) == (WHO[:, None] + 1) % R, TRUTH[:, None], ANSWERS)
    twice[:10] = -1
    half, under_half = (np.where(np.arange(N)[:, None] < end, twice, ANSWERS) for end in (105, 104))
    for answers, few in ((ANSWERS, True), (twice, False), (half, False), (under_half, True)):
        assert _one_answer.has_few_answers(kc.Annotations.from_dense(answers)) is few
    assert not _one_answer.has_few_answers(kc.Annotations.from_dense(ANSWERS[:14]))  # too few for folds
    with pytest.warns(UserWarning, match="Most items have one answer. .* Leave `weights` out") as warned:
        fit = kc.fit_crowd(network(), X, ANSWERS, weights=1.0, **FEW)
    assert warned[0].filename == __file__
    assert not fit.out_of_sample
    assert fit.weight == 1.0


def test_says_what_it_does(capsys):
    fit = kc.fit_crowd(network(), X, ANSWERS, **{**FEW, "verbose": 1})
    assert (
        "at most 10 replicas of 1 epochs, then one training of 2 epochs; at most 24 steps"
        in capsys.readouterr().out
    )
    assert "weight of the regularizer: 0.5, by default, after rounds of out-of-sample" in str(fit)


def test_gold_labels_are_kept_and_learned_without_answers():
    gold = np.where(np.arange(N) < 10, 2, -1)  # of items without an answer
    fit = kc.fit_crowd(network(), X, ANSWERS, gold=gold, **FEW)
    assert_array_equal(fit.labels[:10], 2)
    assert_array_equal(fit.posterior[:10], np.eye(K)[gold[:10]])


@pytest.mark.by_turns
@pytest.mark.parametrize(
    ("at", "state"), [(0, "round 1"), (4, "round 1"), (7, "round 2"), (10, "weight 0.5")]
)
def test_interrupted_rounds_leave_a_classifier_and_go_on(at, state, monkeypatch, tmp_path):
    monkeypatch.setattr(_training.ClassTraining, "put_classes_back", lambda self, annotations: None)
    keras.utils.set_random_seed(0)
    whole = kc.fit_crowd(network(), X, ANSWERS, **FEW).classifier.get_weights()
    fit, trainings = _training.Training.fit, []

    def interrupted(self, setting, annotations, replica=None, callbacks=(), *rest):
        trainings.append(replica)
        if len(trainings) == at + 1:
            stop = keras.callbacks.LambdaCallback(on_epoch_begin=_interrupt)
            callbacks = [*callbacks, stop]
        return fit(self, setting, annotations, replica, callbacks, *rest)

    monkeypatch.setattr(_training.Training, "fit", interrupted)
    keras.utils.set_random_seed(0)
    with pytest.warns(UserWarning, match=f"with .*{state}.*The same call goes on"):
        found = kc.fit_crowd(network(), X, ANSWERS, backup_dir=tmp_path, **FEW)
    assert found.interrupted
    assert found.posterior.shape == (N, K)
    keras.utils.set_random_seed(0)
    again = kc.fit_crowd(network(), X, ANSWERS, backup_dir=tmp_path, **FEW)
    for weights, expected in zip(again.classifier.get_weights(), whole, strict=True):
        assert_allclose(weights, expected, rtol=1e-5, atol=1e-6)
    assert len(trainings) == 11 + 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def _interrupt(epoch, logs):
    raise KeyboardInterrupt


@pytest.mark.only_under("jax")
def test_data_sets_are_trained_on_as_arrays_are():
    class InOrder(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            rows = np.arange(index * 100, (index + 1) * 100)
            return X[rows], rows

    fit = kc.fit_crowd(network(), InOrder(), ANSWERS, epochs=2, verbose=0)
    assert fit.out_of_sample
    assert fit.posterior.shape == (N, K)
