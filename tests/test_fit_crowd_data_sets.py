"""`fit_crowd` on data sets: the same training as in memory where the batches are the same, and what is refused."""

import importlib.util

import keras
import numpy as np
import pytest
from conftest import BACKEND
from numpy.testing import assert_allclose

import keras_crowd as kc
from keras_crowd import _fit_features

pytestmark = pytest.mark.filterwarnings("ignore:The classes had been permuted")

N, R, K, D, SIZE = 48, 5, 3, 4, 16
RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, K, N)
X = (np.eye(D)[TRUTH] + RNG.normal(scale=0.5, size=(N, D))).astype("float32")
ANSWERS = np.where(RNG.random((N, R)) < 0.8, TRUTH[:, None], RNG.integers(0, K, (N, R)))
ANSWERS[RNG.random((N, R)) < 0.4] = -1
ANSWERS[np.arange(N), TRUTH] = TRUTH  # everything has an answer
FEW = {"weights": [0.0, 1.0], "num_replicas": 2, "epochs": 2, "verbose": 0}
TENSORFLOW = importlib.util.find_spec("tensorflow") is not None


def network():
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((D,), name="x"), keras.layers.Dense(K, "softmax")])


def fitted(x, answers=None, classifier=None, **kwargs):
    return kc.fit_crowd(classifier or network(), x, answers, **{**FEW, **kwargs})


class InOrder(keras.utils.PyDataset):
    """Batches of some arrays, made by a function of the rows."""

    def __init__(self, batch, num_items=N, size=SIZE):
        super().__init__()
        self.batch, self.num_items, self.size, self.epochs = batch, num_items, size, 0

    def __len__(self):
        return -(-self.num_items // self.size)

    def __getitem__(self, index):
        return self.batch(np.arange(self.num_items)[index * self.size : (index + 1) * self.size])

    def on_epoch_end(self):
        self.epochs += 1


@pytest.fixture(scope="module")
def in_memory():
    """On arrays, in the order of the rows in each epoch."""

    def in_order(x, y, batch_size, seed, epoch=0):
        leaves = keras.tree.map_structure(np.asarray, x)
        return InOrder(lambda rows: (keras.tree.map_structure(lambda a: a[rows], leaves), y[rows]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_fit_features, "Shuffled", in_order)
        return fitted(X, ANSWERS, batch_size=SIZE)


def assert_same(fit, expected):
    assert_allclose(fit.path.losses, expected.path.losses, rtol=1e-4)
    assert_allclose(fit.history.history["loss"], expected.history.history["loss"], rtol=1e-4)
    for ours, theirs in zip(fit.model.get_weights(), expected.model.get_weights(), strict=True):
        assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def slots(rows):
    ids, answers = kc.Annotations.from_dense(ANSWERS).slots()
    return (X[rows], ids[rows]), answers[rows]


PLAIN = {
    "features": (lambda rows: (X[rows],), ANSWERS),
    "positions": (lambda rows: (X[rows], rows), ANSWERS),
    "dense": (lambda rows: (X[rows], ANSWERS[rows]), None),
    "slots": (slots, None),
}


@pytest.mark.by_turns
@pytest.mark.parametrize("kind", PLAIN)
def test_data_sets_of_every_kind_are_trained_on_as_arrays_are(kind, in_memory):
    batch, answers = PLAIN[kind]
    data = InOrder(batch)
    assert_same(fitted(data, answers), in_memory)
    assert data.epochs >= 6  # two weights, then all


def tf_data(kind):
    tf = pytest.importorskip("tensorflow")
    ids, answers = kc.Annotations.from_dense(ANSWERS).slots()
    arrays = {
        "features": X,
        "positions": (X, np.arange(N)),
        "dense": (X, ANSWERS),
        "slots": ((X, ids), answers),
    }
    return tf.data.Dataset.from_tensor_slices(arrays[kind]).batch(SIZE)


def torch_data(kind):
    data = pytest.importorskip("torch").utils.data
    made = {"features": (X,), "positions": (X, np.arange(N)), "dense": (X, ANSWERS)}
    tensors = [pytest.importorskip("torch").as_tensor(part) for part in made[kind]]
    return data.DataLoader(data.TensorDataset(*tensors), batch_size=SIZE)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        pytest.param(tf_data, "features", marks=pytest.mark.only_under("tensorflow")),
        pytest.param(tf_data, "slots", marks=pytest.mark.only_under("jax")),
        pytest.param(torch_data, "features", marks=pytest.mark.only_under("torch")),
        pytest.param(torch_data, "dense", marks=pytest.mark.only_under("torch")),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_data_sets_of_others_are_trained_on_as_arrays_are(make, kind, in_memory):
    assert_same(fitted(make(kind), PLAIN[kind][1]), in_memory)


MAKERS = ["CrowdBatches", "tf_data", "torch_data", "grain_data"]
PACKAGES = {"tf_data": "tensorflow", "torch_data": "torch", "grain_data": "grain"}


@pytest.mark.parametrize("make", MAKERS)
def test_batches_of_pipelines_are_trained_on_as_arrays_are(make, in_memory):
    """In the same order, by positions; then shuffled, in any form, with the same answers to the same items."""
    if make in PACKAGES:
        pytest.importorskip(PACKAGES[make])
    make = getattr(kc.pipelines, make)
    assert_same(fitted(make(X, ANSWERS, SIZE, form="items", shuffle=False), ANSWERS), in_memory)
    for form in ("items", "slots", "dense"):
        batches = make(X, ANSWERS, SIZE, form=form)
        seen = _fit_features.Batches(batches, form == "items", lambda x: x, 1)
        annotations = seen.read(kc.Annotations.from_dense(ANSWERS) if form == "items" else None, K)
        table, first = annotations.dense(), None
        for _ in range(2):
            found = [seen[i] for i in range(len(seen))]
            items = np.concatenate([part[1] for part in found])
            features = np.concatenate([part[0] for part in found])
            assert sorted(items) == list(range(N))
            first = features[np.argsort(items)] if first is None else first
            np.testing.assert_array_equal(features[np.argsort(items)], first)
            seen.on_epoch_end()
        rows = [int(np.flatnonzero((row == X).all(axis=1))[0]) for row in first]
        np.testing.assert_array_equal(table, ANSWERS[rows])


def test_soft_answers_and_dicts_of_features_in_batches():
    one_hot = (ANSWERS[..., None] == np.arange(K)).astype("float32")

    def classifier():
        keras.utils.set_random_seed(1)
        inputs = {"a": keras.Input((2,), name="a"), "b": keras.Input((2,), name="b")}
        both = keras.layers.Concatenate()([inputs["a"], inputs["b"]])
        return keras.Model(inputs, keras.layers.Dense(K, "softmax")(both))

    def batch(rows, answers):
        return {"a": X[rows, :2], "b": X[rows, 2:]}, answers[rows]

    hard = fitted(InOrder(lambda rows: batch(rows, ANSWERS)), classifier=classifier())
    assert_same(fitted(InOrder(lambda rows: batch(rows, one_hot)), classifier=classifier()), hard)


def test_rows_that_are_alike_are_items_of_their_own():
    data = InOrder(lambda rows: (np.ones((len(rows), D), "float32"), np.ones((len(rows), R), int)))
    seen = _fit_features.Batches(data, False, lambda x: x, 1)
    assert seen.read(None, K).num_items == N
    for _ in range(2):
        assert sorted(np.concatenate([seen[i][1] for i in range(len(seen))])) == list(range(N))


def test_subclassed_classifier_learns_its_inputs_from_the_data_set():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(K, "softmax")

        def call(self, x):
            return self.dense(x)

    for kind in ("features", "slots"):
        fit = fitted(InOrder(PLAIN[kind][0]), PLAIN[kind][1], Net(), weights=0.5)
        assert fit.classifier.predict(X, verbose=0).shape == (N, K)


class Reshuffled(InOrder):
    """In another order each time it is read, or each epoch."""

    def __init__(self, batch, each_epoch):
        super().__init__(batch)
        self.each_epoch = each_epoch
        self.order = np.arange(N)

    def __getitem__(self, index):
        if not self.each_epoch and index == 0:
            self.order = RNG.permutation(N)
        return self.batch(self.order[index * SIZE : (index + 1) * SIZE])

    def on_epoch_end(self):
        self.order = RNG.permutation(N)


@pytest.mark.parametrize("each_epoch", [False, True])
def test_an_order_that_cannot_be_known_is_refused_before_training(each_epoch):
    classifier = network()
    before = [np.array(w) for w in classifier.get_weights()]
    data = Reshuffled(PLAIN["features"][0], each_epoch)
    with pytest.raises(ValueError, match=r"in the same order each time.*Received: other rows in batch 0"):
        fitted(data, ANSWERS, classifier)
    for value, given in zip(classifier.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, given)
    known = Reshuffled(PLAIN["dense"][0], each_epoch)
    assert np.isfinite(fitted(known, weights=0.5).history.history["loss"]).all()


def noisy(rows):
    return X[rows] + RNG.normal(size=(len(rows), D)).astype("float32"), ANSWERS[rows]


@pytest.mark.parametrize(
    ("data", "answers", "message"),
    [
        (
            lambda: InOrder(PLAIN["features"][0], N - 2),
            ANSWERS,
            r"each of the 48 items .*Received: 46 rows",
        ),
        (
            lambda: InOrder(PLAIN["features"][0]),
            ANSWERS[:40],
            r"the 40 items .*Received: more than 40 rows",
        ),
        (
            lambda: InOrder(lambda i: (X[i], TRUTH[i])),
            ANSWERS,
            r"labels are no positions.*Received: 48 rows, 3 of",
        ),
        (
            lambda: InOrder(lambda i: (X[i], TRUTH[i])),
            None,
            r"must be \(features, answers\).*shape \(16,\)",
        ),
        (lambda: InOrder(PLAIN["dense"][0]), ANSWERS, "batches of 2 parts, `answers` given"),
        (lambda: InOrder(PLAIN["features"][0]), None, "batches of 1 parts, `answers` left out"),
        (lambda: InOrder(noisy), None, r"let layers of .*was not there when it was first read"),
        (lambda: InOrder(lambda i: (X[i] * np.nan, i)), ANSWERS, "Features must not be NaN or infinite"),
        (lambda: InOrder(lambda i: (X[i], i - 1)), ANSWERS, "47 of the items among them"),
        (lambda: InOrder(lambda i: (X[i], ANSWERS[i] + 0.5)), None, "must be class codes"),
        (
            lambda: (PLAIN["positions"][0](i) for i in np.split(np.arange(N), 3)),
            ANSWERS,
            "used up by reading",
        ),
        (lambda: InOrder(PLAIN["positions"][0], 0), ANSWERS, "must have a batch"),
    ],
)
def test_data_sets_are_refused_with_what_to_do(data, answers, message):
    with pytest.raises(ValueError, match=message):
        fitted(data(), answers)


@pytest.mark.skipif(not TENSORFLOW, reason="needs TensorFlow")
def test_data_sets_without_end_are_refused():
    with pytest.raises(ValueError, match="which has no end"):
        fitted(tf_data("features").repeat(), ANSWERS)
    with pytest.raises(ValueError, match=r"Received: more than 48 rows"):
        fitted(tf_data("features").repeat().filter(lambda x: True), ANSWERS)


def test_arguments_that_do_not_go_with_data_sets():
    data = InOrder(PLAIN["features"][0])
    with pytest.raises(ValueError, match="`batch_size` must be left out where `x` is a data set"):
        fitted(data, ANSWERS, batch_size=16)
    with pytest.raises(ValueError, match="`answers` must be given where `x` is no data set"):
        fitted(X)


def test_interrupted_training_on_a_data_set_goes_on(in_memory, tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyError("power cut")

    with pytest.raises(KeyError, match="power cut"):
        fitted(InOrder(PLAIN["positions"][0]), ANSWERS, callbacks=[Stop()], backup_dir=tmp_path)
    other = InOrder(lambda rows: (X[rows] + 1, rows))
    with pytest.raises(ValueError, match=r"differs in: features$"):
        fitted(other, ANSWERS, backup_dir=tmp_path)
    assert_same(fitted(InOrder(PLAIN["positions"][0]), ANSWERS, backup_dir=tmp_path), in_memory)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="strings are for TensorFlow")
def test_texts_in_a_data_set():
    import tensorflow as tf

    words = np.array(["red", "green", "blue"])[TRUTH]
    vectorize = keras.layers.TextVectorization(vocabulary=["red", "green", "blue"], output_mode="multi_hot")
    classifier = keras.Sequential(
        [keras.Input((), dtype="string"), vectorize, keras.layers.Dense(K, "softmax")]
    )
    data = tf.data.Dataset.from_tensor_slices(words).batch(SIZE)
    fit = fitted(data, ANSWERS, classifier, weights=0.5)
    assert np.isfinite(fit.history.history["loss"]).all()
