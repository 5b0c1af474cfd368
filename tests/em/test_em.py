"""`EMTrainer`: against loops, limits, interruptions."""

import contextlib
import warnings

import keras
import numpy as np
import pytest
import references_aggregation as references
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_crowd as kc
from keras_crowd.aggregation import checked_gold
from keras_crowd.annotations import as_annotations
from keras_crowd.em._confusions import Confusions

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 3, 120)
X = (np.eye(3)[TRUTH] * 2 + RNG.normal(size=(120, 3))).astype("float32")
RIGHT = RNG.random((120, 5)) < [0.9, 0.8, 0.6, 0.4, 0.3]
ANSWERS = np.where(RIGHT, TRUTH[:, None], RNG.integers(0, 3, (120, 5)))
ANSWERS[RNG.random((120, 5)) < 0.4] = -1
ANSWERS[:3] = -1


def network(dropout=0.0):
    hidden = [keras.layers.Dense(8, "relu"), keras.layers.Dropout(dropout, seed=1)] if dropout else []
    return keras.Sequential([keras.Input((3,)), *hidden, keras.layers.Dense(3, "softmax")])


def compiled(learning_rate=0.0):
    classifier = network()
    classifier.compile(keras.optimizers.SGD(learning_rate), "categorical_crossentropy")
    return classifier


def loops(answers, f, q, prior, iterations):
    """EM with a classifier that stands still."""
    objectives = []
    for _ in range(iterations):
        confusion = references._confusion(answers, q, prior)
        rows, objective = [], np.sum(prior * np.log(confusion))
        for row, f_i in zip(answers, f, strict=True):
            q_i, log_likelihood = references.posterior([row], f_i, confusion)
            rows.append(q_i[0])
            objective += log_likelihood
        q = np.array(rows)
        objectives.append(objective)
    return q, references._confusion(answers, q, prior), objectives


def test_steps_are_those_of_the_loops():
    classifier = compiled()
    f = classifier.predict(X, verbose=0).astype(float)
    prior = np.random.default_rng(1).uniform(0.5, 2.0, (5, 3, 3))
    start = kc.aggregation.majority_vote(ANSWERS, 3, soft=True).astype(float)
    start[:3] = 1 / 3
    q, confusion, objectives = loops(ANSWERS, f, start, prior, 4)
    trainer = kc.EMTrainer(classifier, prior=prior)
    history = trainer.fit(X, ANSWERS, start="majority_vote", iterations=4, verbose=0)
    np.testing.assert_allclose(trainer.posterior(), q, rtol=1e-4)
    np.testing.assert_allclose(trainer.confusion(), confusion, rtol=1e-4)
    np.testing.assert_allclose(history.history["log_likelihood"], objectives, rtol=1e-5)
    np.testing.assert_allclose(trainer.posterior()[:3], f[:3], rtol=1e-4)


@given(seed=st.integers(0, 10**6), num_classes=st.integers(2, 4), density=st.floats(0.05, 0.9))
@settings(max_examples=200, deadline=None, database=None)
def test_objective_never_falls_where_the_classifier_step_is_exact(seed, num_classes, density):
    """The classifier knows the group of an item; its exact step is the mean posterior of the group."""
    rng = np.random.default_rng(seed)
    answers = rng.integers(0, num_classes, (12, 4))
    answers[rng.random(answers.shape) > density] = -1
    answers[0, 0] = num_classes - 1
    group = rng.integers(0, 3, 12)
    gold = np.where(rng.random(12) < 0.2, rng.integers(0, num_classes, 12), -1)
    annotations = as_annotations(answers, num_classes)
    em = Confusions(
        annotations,
        checked_gold(gold, annotations, gold.shape),
        np.full((4, num_classes, num_classes), 0.3),
    )
    q, objectives = em.start("majority_vote"), []
    for _ in range(15):
        em.maximize(q)
        informed = [np.flatnonzero((group == g) & em.informed) for g in range(3)]
        means = [q[i].mean(axis=0) if len(i) else np.full(num_classes, 1 / num_classes) for i in informed]
        q, objective = em.expect(np.array(means)[group])
        objectives.append(objective)
    assert np.all(np.diff(objectives) >= -1e-9 * np.abs(objectives[1:]) - 1e-9)
    assert objectives[-1] > objectives[0] - 1e-9


@pytest.mark.only_under("torch")
def test_log_likelihood_rises_with_gradient_steps():
    classifier = compiled(0.2)
    history = kc.EMTrainer(classifier).fit(X, ANSWERS, iterations=12, epochs=3, batch_size=120, verbose=0)
    values = np.array(history.history["log_likelihood"])
    assert np.all(np.diff(values) > 0)
    assert values[-1] > values[0] + 5


@pytest.mark.only_under("torch")
def test_learns_items_and_annotators():
    classifier = network()
    trainer = kc.EMTrainer(classifier, seed=0)
    trainer.fit(X, ANSWERS, iterations=10, epochs=10, verbose=0)
    labels = trainer.posterior().argmax(axis=1)
    votes = kc.aggregation.majority_vote(ANSWERS, 3)
    assert np.mean(labels == TRUTH) > np.mean(votes == TRUTH) + 0.03
    right = kc.aggregation.annotator_accuracy(trainer.confusion())
    assert right[:2].min() > right[3:].max()
    assert classifier.predict(X, verbose=0).shape == (120, 3)


@pytest.mark.only_under("torch")
def test_one_answer_per_item_is_no_worse_than_the_vote():
    """The confusions of Dawid and Skene's own start exchange classes here; the network learns what they say."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 8, 240)
    x = (np.eye(8)[truth] * 3 + rng.normal(size=(240, 8))).astype("float32")
    right = rng.random(240) < 0.7
    answers = np.where(right, truth, (truth + rng.integers(1, 8, 240)) % 8)
    table = np.where(np.arange(40) == rng.integers(0, 40, (240, 1)), answers[:, None], -1)
    annotations = kc.Annotations.from_dense(table, classes=range(8))
    full = kc.aggregation.dawid_skene(annotations, confusion="full", strength=0.1).posterior
    by_annotator = kc.warm_start.from_labels(annotations, full)
    of_full = 10 * np.average(by_annotator, axis=0, weights=annotations.answers_per_annotator())
    shares = []
    for start, prior in [(None, None), (full, of_full)]:
        keras.utils.set_random_seed(0)
        classifier = keras.Sequential([keras.Input((8,)), keras.layers.Dense(8, "softmax")])
        classifier.compile(keras.optimizers.Adam(0.05), "categorical_crossentropy")
        trainer = kc.EMTrainer(classifier, prior=prior)
        warned = (
            contextlib.nullcontext() if start is None else pytest.warns(RuntimeWarning, match="vanished")
        )
        with warned:
            trainer.fit(x, annotations, start=start, iterations=10, epochs=2, verbose=0)
        shares.append(np.mean(trainer.posterior().argmax(axis=1) == truth))
    assert shares[1] < right.mean() - 0.3
    assert shares[0] >= right.mean()


class Constant(keras.initializers.Initializer):
    """A kernel that tells classes 0 and 1 apart and never says 2."""

    def __call__(self, shape, dtype=None):
        return keras.ops.convert_to_tensor([[9.0, 0, 0], [0, 9.0, 0], [9.0, 0, 0]], dtype)


def losing(x, answers, **settings):
    """Messages on lost classes, of a classifier that does not learn and never predicts class 2."""
    dense = keras.layers.Dense(3, "softmax", use_bias=False, kernel_initializer=Constant())
    classifier = keras.Sequential([keras.Input((3,)), dense])
    classifier.compile(keras.optimizers.SGD(0.0), "categorical_crossentropy")
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        kc.EMTrainer(classifier, **settings).fit(x, answers, iterations=7, verbose=0)
    return [str(w.message) for w in found if "vanished" in str(w.message)]


@pytest.mark.only_under("torch")
def test_a_lost_class_is_warned_of_once():
    x = np.eye(3, dtype="float32")[TRUTH]
    (message,) = losing(x, ANSWERS)
    assert "no item had class [2] in the last 2 epochs. The answers use them (shares [0." in message
    assert message.endswith("or give `classifier_regularizer` less weight.")
    assert len(losing(x, ANSWERS, answer_weight="auto")) == 1
    assert not losing(x, np.where(ANSWERS == 2, 1, ANSWERS))


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.by_turns
@pytest.mark.parametrize("done", [0, 1, 3])
def test_interrupted_within_an_iteration_ends_as_if_it_was_not(done, tmp_path, monkeypatch):
    def train(backup_dir=None):
        keras.utils.set_random_seed(3)
        trainer = kc.EMTrainer(network(dropout=0.3), seed=5)
        history = trainer.fit(X, ANSWERS, iterations=4, epochs=2, verbose=0, backup_dir=backup_dir)
        return trainer, history.history

    whole, logs = train()
    calls = []

    def dies(self, posterior):
        calls.append(1)
        if len(calls) == done + 1:
            raise KilledError
        return maximize(self, posterior)

    maximize = Confusions.maximize
    monkeypatch.setattr(Confusions, "maximize", dies)
    with pytest.raises(KilledError):
        train(tmp_path)
    monkeypatch.setattr(Confusions, "maximize", maximize)
    again, logs_again = train(tmp_path)
    np.testing.assert_allclose(again.posterior(), whole.posterior(), rtol=1e-5)
    np.testing.assert_allclose(again.confusion(), whole.confusion(), rtol=1e-5)
    np.testing.assert_allclose(logs_again["log_likelihood"], logs["log_likelihood"], rtol=1e-6)
    assert list(tmp_path.iterdir()) == []


def test_gold_is_taken_for_the_truth():
    """Gold against the answers: classes renamed for half of the items show in the confusions."""
    gold = np.where(np.arange(120) < 100, (TRUTH + 1) % 3, -1)
    trainer = kc.EMTrainer(compiled(), prior=0.01)
    trainer.fit(X, ANSWERS, gold=gold, iterations=3, verbose=0)
    np.testing.assert_array_equal(trainer.posterior()[:100], np.eye(3)[gold[:100]])
    known = kc.EMTrainer(compiled(), prior=0.01)
    known.fit(X[:100], ANSWERS[:100], gold=gold[:100], iterations=1, verbose=0)
    best = known.confusion()[0]
    assert np.all(best.argmax(axis=1) == [2, 0, 1])


def test_an_annotator_without_answers_is_like_the_population():
    answers = np.concatenate([ANSWERS, np.full((120, 1), -1)], axis=1)
    trainer = kc.EMTrainer(compiled())
    trainer.fit(X, answers, iterations=2, verbose=0)
    np.testing.assert_allclose(trainer.confusion()[5], trainer.population())
    assert np.all(np.diag(trainer.population()) > 1 / 3)
    prior = np.ones((6, 3, 3))
    prior[0] += 99 * np.eye(3)  # one that is trusted makes no population
    trusting = kc.EMTrainer(compiled(), prior=prior)
    trusting.fit(X, answers, iterations=1, verbose=0)
    expected = (prior[0] / 102 + 5 / 3) / 6
    np.testing.assert_allclose(trusting.population(), expected)
    without = kc.EMTrainer(compiled())
    without.classifier.set_weights(trainer.classifier.get_weights())
    without.fit(X, ANSWERS, iterations=2, verbose=0)
    np.testing.assert_allclose(without.confusion(), trainer.confusion()[:5], rtol=1e-4)


def test_items_nobody_answered_do_not_train():
    losses = []
    for first in (0, 3):
        keras.utils.set_random_seed(0)
        history = kc.EMTrainer(compiled(0.1)).fit(
            X[first:], ANSWERS[first:], iterations=3, batch_size=120, verbose=0
        )
        losses.append(history.history["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


class Shuffled(keras.utils.PyDataset):
    """Features in another order each epoch."""

    def __init__(self):
        super().__init__()
        self.order = np.random.default_rng(0).permutation(120)

    def __len__(self):
        return 3

    def __getitem__(self, index):
        items = self.order[40 * index : 40 * (index + 1)]
        return X[items], items

    def on_epoch_end(self):
        self.order = self.order[::-1]


@pytest.mark.parametrize("kind", ["list", "PyDataset", "backend"])
def test_batches_in_any_order_train_as_arrays_do(kind):
    order = np.random.default_rng(0).permutation(120)
    batches = {"list": [(X[i], i) for i in np.split(order, 3)], "PyDataset": Shuffled()}
    if kind == "backend":
        batches["backend"] = backend_dataset()
    found = []
    for x in (X, batches[kind]):
        keras.utils.set_random_seed(0)
        trainer = kc.EMTrainer(compiled(0.0))
        trainer.fit(x, ANSWERS, iterations=3, verbose=0)
        found.append(trainer.posterior())
        assert (
            kc.EMTrainer(compiled(0.5)).fit(x, ANSWERS, iterations=8, verbose=0).history["loss"][-1] < 1.1
        )
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize(
    ("activation", "from_logits", "message"),
    [
        (None, False, r"must give class probabilities; .*`from_logits=True`"),
        (
            "softmax",
            True,
            "With `from_logits=True` the classifier must give logits. Received: probabilities",
        ),
    ],
)
def test_logits_for_probabilities_are_refused(activation, from_logits, message, batched):
    classifier = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation)])
    x = [(X[60:], np.arange(60, 120)), (X[:60], np.arange(60))] if batched else X
    with pytest.raises(ValueError, match=message):
        kc.EMTrainer(classifier, from_logits=from_logits).fit(x, ANSWERS, verbose=0)
    assert not classifier.compiled


def backend_dataset():
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.data.Dataset.from_tensor_slices((X, np.arange(120))).shuffle(120).batch(50)
    if keras.backend.backend() == "torch":
        import torch

        data = torch.utils.data.TensorDataset(torch.tensor(X), torch.arange(120))
        return torch.utils.data.DataLoader(data, batch_size=50, shuffle=True)
    pytest.skip("JAX has no data sets of its own")


def test_callbacks_see_iterations():
    classifier = network()
    gold = kc.callbacks.GoldValidation(classifier, X, TRUTH)
    stop = keras.callbacks.EarlyStopping("log_likelihood", mode="max", min_delta=1e9, patience=2)
    history = kc.EMTrainer(classifier).fit(X, ANSWERS, iterations=9, callbacks=[gold, stop], verbose=0)
    assert history.epoch == [0, 1, 2]
    assert set(history.history) == {"log_likelihood", "loss", "val_gold_accuracy", "val_gold_loss"}


def test_tolerance_stops():
    history = kc.EMTrainer(compiled()).fit(X, ANSWERS, iterations=50, tolerance=1e-4, verbose=0)
    values = np.diff(history.history["log_likelihood"]) / np.sum(ANSWERS >= 0)
    assert len(history.epoch) < 50
    assert values[-1] < 1e-4
    assert np.all(values[:-1] >= 1e-4)


def test_logits_are_taken_when_told():
    classifier = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    twin = keras.Sequential([classifier, keras.layers.Softmax()])
    found = []
    for model, from_logits in ((classifier, True), (twin, False)):
        loss = keras.losses.CategoricalCrossentropy(from_logits=from_logits)
        model.compile(keras.optimizers.SGD(0.0), loss)
        trainer = kc.EMTrainer(model, from_logits=from_logits)
        trainer.fit(X, ANSWERS, iterations=2, verbose=0)
        found.append(trainer.posterior())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)


@pytest.mark.parametrize(
    ("x", "answers", "arguments", "message"),
    [
        (X[:9], ANSWERS, {}, "`x` and `answers` must have the same number of items.*9.*120"),
        (X, ANSWERS, {"iterations": 0}, "`iterations` must be a positive integer"),
        (X, ANSWERS, {"epochs": 1.5}, "`epochs` must be a positive integer"),
        (X, ANSWERS, {"gold": TRUTH[:9]}, r"`gold` must be class codes of shape \(120,\)"),
        (X, ANSWERS, {"gold": TRUTH + 1}, "`gold` must be class codes 0 to 2.*Received: 3"),
        (X, ANSWERS, {"start": "votes"}, "`start` must be .*Received: start='votes'"),
        (X, ANSWERS, {"start": np.ones((120, 3))}, "`start` must be probabilities of shape"),
        (iter([X]), ANSWERS, {}, "A data set must end.*list_iterator, which is used up by reading"),
        (
            [(X[:50], np.arange(50))],
            ANSWERS,
            {},
            "`x` must hold each of the 120 items.*50 rows, 50 of the items among them; item 50 is there 0 times",
        ),
        ([(X, np.arange(120) % 60)], ANSWERS, {}, "60 of the items among them; item 0 is there 2 times"),
        ([(X, np.arange(1, 121))], ANSWERS, {}, r"`items` integers \(batch,\) from 0 to 119"),
        (
            kc.pipelines.CrowdBatches(X, ANSWERS),
            ANSWERS,
            {},
            r'form="items"\)` gives. Received: int32 of shape',
        ),
        (7, ANSWERS, {}, "`x` must be an array, .*Received: int"),
    ],
)
def test_wrong_input_is_refused_before_training(x, answers, arguments, message):
    classifier = compiled(0.1)
    before = classifier.get_weights()
    with pytest.raises(ValueError, match=message):
        kc.EMTrainer(classifier).fit(x, answers, verbose=0, **arguments)
    for value, given_ in zip(classifier.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, given_)


def test_wrong_settings_are_refused():
    sparse = network()
    sparse.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"takes distributions over the classes.*sparse_categorical"):
        kc.EMTrainer(sparse)
    logits = network()
    logits.compile("adam", keras.losses.CategoricalCrossentropy(from_logits=True))
    with pytest.raises(ValueError, match="from_logits=False, a loss with from_logits=True"):
        kc.EMTrainer(logits)
    with pytest.raises(ValueError, match=r"`classifier` must be a Keras model\. Received: str"):
        kc.EMTrainer("model")
    with pytest.raises(ValueError, match="`num_annotators` must be a positive integer"):
        kc.EMTrainer(network(), 0)
    with pytest.raises(ValueError, match=r"num_annotators=4 annotators. Received: 5"):
        kc.EMTrainer(network(), 4).fit(X, ANSWERS, verbose=0)
    with pytest.raises(ValueError, match="`strength` must be a number above 0"):
        kc.EMTrainer(network(), strength=0)
    with pytest.raises(ValueError, match=r"`prior` must be a number or broadcast to .* \(5, 3, 3\)"):
        kc.EMTrainer(network(), prior=np.ones((2, 2))).fit(X, ANSWERS, verbose=0)
    with pytest.raises(ValueError, match=r"`prior` must be a number or .* Received: prior='ann'"):
        kc.EMTrainer(network(), prior="ann").fit(X, ANSWERS, verbose=0)
    with pytest.raises(ValueError, match="`prior` must be positive and finite"):
        kc.EMTrainer(network(), prior=0.0).fit(X, ANSWERS, verbose=0)
    with pytest.raises(ValueError, match="`fit` must be called first"):
        kc.EMTrainer(network()).posterior()
