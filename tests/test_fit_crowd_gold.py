"""Gold labels of some items in `fit_crowd`: the loss they have, the labels they keep, and what is refused."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import keras_crowd as kc
from keras_crowd import _gold_training

pytestmark = pytest.mark.filterwarnings("ignore:The classes had been permuted")

N, R, K = 60, 5, 3
RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, K, N)
X = (np.eye(K)[TRUTH] + RNG.normal(scale=0.5, size=(N, K))).astype("float32")
ANSWERS = np.where(RNG.random((N, R)) < 0.7, TRUTH[:, None], RNG.integers(0, K, (N, R)))
ANSWERS[RNG.random((N, R)) < 0.4] = -1
ANSWERS[0] = -1
GOLD = np.where(np.arange(N) < 12, TRUTH, -1)
SETS = kc.Annotations.from_sets(np.arange(N), np.arange(N) % R, np.ones((N, K), int))
FEW = {"weights": 1.0, "epochs": 2, "verbose": 0}


class Batches(keras.utils.PyDataset):
    def __init__(self, *parts):
        super().__init__()
        self.parts = parts

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return tuple(part[::-1][index::3] for part in self.parts)


IN_BATCHES = Batches(X, ANSWERS)


def network(activation="softmax"):
    return keras.Sequential([keras.Input((K,), name="x"), keras.layers.Dense(K, activation)])


def expected_loss(f, confusion):
    """Mean over the answers and over the gold labels, which count once for each answer to the item."""
    terms = []
    for i in range(N):
        for r in range(R):
            if ANSWERS[i, r] < 0:
                continue
            given = f[i] if GOLD[i] < 0 else np.eye(K)[GOLD[i]]
            terms.append(-np.log(given @ confusion[r, :, ANSWERS[i, r]]))
        if GOLD[i] >= 0:
            terms += [-np.log(f[i, GOLD[i]])] * max(np.sum(ANSWERS[i] >= 0), 1)
    return np.mean(terms)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("soft", [False, True])
def test_loss_is_the_joint_likelihood_of_items_with_a_gold_label(from_logits, soft):
    classifier = network(None if from_logits else "softmax")
    crowd = kc.layers.CrowdsClassification(R, "CM", from_logits=from_logits)
    annotations = kc.Annotations.from_dense(ANSWERS)
    crowd.adapt(annotations, GOLD)
    ids, answers = annotations.slots()
    if soft:
        answers = np.eye(K, dtype="float32")[answers] * (answers >= 0)[..., None]
    gold = _gold_training.GoldClasses(GOLD)
    model = gold.model(classifier.inputs, classifier.outputs[0], crowd, ids.shape[1])
    model.compile(loss=kc.losses.MaskedCrowdCrossEntropy())
    given, targets = gold.slots(ids, answers)
    f = classifier.predict(X, verbose=0).astype(float)
    if from_logits:
        f = np.exp(f) / np.exp(f).sum(axis=1, keepdims=True)
    loss = model.evaluate((X, given), targets, batch_size=N, verbose=0)
    assert_allclose(loss, expected_loss(f, crowd.confusion().astype(float)), rtol=1e-4)


def test_labels_and_posterior_keep_the_gold_labels():
    gold = np.where(GOLD >= 0, (TRUTH + 1) % K, -1)  # whatever they say
    fit = kc.fit_crowd(network(), X, ANSWERS, gold=gold, **FEW)
    assert_array_equal(fit.labels[:12], gold[:12])
    assert_array_equal(fit.posterior[:12], np.eye(K)[gold[:12]])
    assert np.all(fit.posterior[12:].max(axis=1) < 1)
    ids, _ = fit.annotations.slots()
    assert fit.model.predict((X, ids), verbose=0).shape == (N, ids.shape[1], K)
    assert kc.strip(fit.model).output_shape == (None, K)
    assert fit.crowd.confusion().shape == (R, K, K)


def test_no_label_is_as_no_gold():
    losses = []
    for gold in (None, np.full(N, -1)):
        keras.utils.set_random_seed(0)
        losses.append(kc.fit_crowd(network(), X, ANSWERS, gold=gold, **FEW).history.history["loss"])
    assert_array_equal(*losses)


@pytest.mark.only_under("torch")
def test_a_few_labels_tell_who_is_right_where_most_err_together():
    rng = np.random.default_rng(1)
    truth = rng.integers(2, size=300)
    x = (np.eye(2)[truth] + rng.normal(scale=0.4, size=(300, 2))).astype("float32")
    followed = np.where(rng.random(300) < 0.3, truth, 1 - truth)  # by seven who copy
    copies = np.where(rng.random((300, 7)) < 0.9, followed[:, None], 1 - followed[:, None])
    good = np.where(rng.random((300, 3)) < 0.8, truth[:, None], 1 - truth[:, None])
    answers, rest = np.concatenate([copies, good], axis=1), np.arange(300) >= 40
    right = []
    for gold in (None, np.where(rest, -1, truth)):
        classifier = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "softmax")])
        fit = kc.fit_crowd(
            classifier,
            x,
            answers,
            gold=gold,
            weights=0.0,
            epochs=30,
            optimizer=keras.optimizers.Adam(0.02),
            verbose=0,
        )
        predicted = classifier.predict(x, verbose=0).argmax(axis=1)
        right.append([np.mean(fit.labels[rest] == truth[rest]), np.mean(predicted == truth)])
    assert np.max(right[0]) < 0.5
    assert np.min(right[1]) > 0.85


@pytest.mark.only_under("torch")
def test_gold_goes_with_the_items_of_a_data_set():
    fit = kc.fit_crowd(network(), Batches(X, np.arange(N)), ANSWERS, gold=GOLD, **FEW)
    assert_array_equal(fit.labels[:12], GOLD[:12])


@pytest.mark.only_under("torch")
def test_backup_of_other_gold_is_refused(tmp_path):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        kc.fit_crowd(network(), X, ANSWERS, gold=GOLD, callbacks=[Interrupt()], backup_dir=tmp_path, **FEW)
    with pytest.raises(ValueError, match="gold"):
        kc.fit_crowd(network(), X, ANSWERS, gold=TRUTH, backup_dir=tmp_path, **FEW)


@pytest.mark.parametrize(
    ("x", "answers", "gold", "message"),
    [
        (X, ANSWERS, GOLD[:-1], r"`gold` must be class codes of shape \(60,\)"),
        (X, ANSWERS, GOLD + 3, "`gold` must be class codes 0 to 2"),
        (X, ANSWERS, GOLD * 1.0, "Received: shape .*float64"),
        (IN_BATCHES, None, GOLD, "answers come in the batches"),
        (X, SETS, GOLD, "sets of labels"),
    ],
)
def test_gold_that_does_not_fit_is_refused_before_training(x, answers, gold, message):
    classifier = network("sigmoid" if message == "sets of labels" else "softmax")
    arguments = {**FEW, "weights": None}
    with pytest.raises(ValueError, match=message):
        kc.fit_crowd(classifier, x, answers, gold=gold, **arguments)
