"""Batches of features and answers: every answer once, with its features, lazily, in Keras, tf.data, PyTorch, Grain."""

import importlib.util
import itertools
import sys

import keras
import numpy as np
import pandas
import pytest
from conftest import BACKEND
from numpy.testing import assert_array_equal

import keras_crowd as kc
from keras_crowd.pipelines import CrowdBatches, grain_data, tf_data, torch_data

NUM_ITEMS, NUM_ANNOTATORS = 23, 5
rng = np.random.default_rng(0)
TABLE = np.where(
    rng.random((NUM_ITEMS, NUM_ANNOTATORS)) < 0.5, -1, rng.integers(0, 3, (NUM_ITEMS, NUM_ANNOTATORS))
)
TABLE[[4, 11]] = -1
RATINGS = np.where(TABLE < 0, np.nan, TABLE + 0.5).astype("float32")
X = np.stack([np.arange(NUM_ITEMS), np.arange(NUM_ITEMS) ** 2], axis=1).astype("float32")
ANSWERED = [i for i in range(NUM_ITEMS) if i not in (4, 11)]

needs_grain = pytest.mark.skipif(importlib.util.find_spec("grain") is None, reason="needs Grain")
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch")
makers = pytest.mark.parametrize(
    "make",
    [
        CrowdBatches,
        tf_data,
        pytest.param(torch_data, marks=needs_torch),
        pytest.param(grain_data, marks=needs_grain),
    ],
)


def batches_of(made):
    """All batches of an epoch, as NumPy."""
    if isinstance(made, CrowdBatches):
        return [made[i] for i in range(len(made))]
    return [keras.tree.map_structure(lambda part: np.asarray(part), batch) for batch in made]


def rows_of(made, missing=-1):
    """Dense table and order of items of an epoch of slots."""
    table, order = np.full(TABLE.shape, missing, float), []
    for (x, annotators), answers in batches_of(made):
        for row, ids, said in zip(x, annotators, answers, strict=True):
            order.append(int(row[0]))
            assert_array_equal(row, X[order[-1]])
            assert_array_equal(ids >= 0, ~np.isnan(said) if np.isnan(missing) else said >= 0)
            table[order[-1], ids[ids >= 0]] = said[ids >= 0]
    return table, order


@makers
@pytest.mark.parametrize("table", [TABLE, RATINGS], ids=["classes", "ratings"])
def test_every_answer_comes_once_with_its_features(make, table):
    missing = np.nan if table is RATINGS else -1
    for shuffle in (False, True):
        found, order = rows_of(make(X, table, 4, shuffle=shuffle), missing)
        assert_array_equal(found, table)
        assert sorted(order) == ANSWERED
        assert (order == ANSWERED) is not shuffle
        same, _ = rows_of(make(X, kc.Annotations.from_dense(table), 4, shuffle=shuffle), missing)
        assert_array_equal(same, table)


@makers
def test_slots_have_one_width_or_that_of_the_batch_or_as_told(make):
    for (_, annotators), answers in batches_of(make(X, TABLE, 4, shuffle=False)):
        assert annotators.shape == answers.shape
        assert annotators.dtype == answers.dtype == np.int32
        needed = annotators if make is tf_data else TABLE
        assert annotators.shape[1] == np.sum(needed >= 0, axis=1).max()
    fixed = [annotators.shape[1] for (_, annotators), _ in batches_of(make(X, TABLE, 4, num_slots=7))]
    assert fixed == [7] * 6


@makers
@pytest.mark.parametrize("table", [TABLE, RATINGS], ids=["classes", "ratings"])
def test_dense_answers(make, table):
    weights = np.arange(NUM_ITEMS)
    found = batches_of(make(X, table, 5, form="dense", shuffle=False, sample_weight=weights))
    assert_array_equal(np.concatenate([answers for _, answers, _ in found]), table[ANSWERED])
    assert_array_equal(np.concatenate([weight for *_, weight in found]), weights[ANSWERED])
    assert_array_equal(np.concatenate([x for x, *_ in found]), X[ANSWERED])


@makers
def test_items_have_all_items(make):
    found = batches_of(make(X, TABLE, 5, form="items"))
    items = np.concatenate([items for _, items in found])
    assert sorted(items) == list(range(NUM_ITEMS))
    assert_array_equal(np.concatenate([x for x, _ in found]), X[items])


@makers
def test_each_epoch_has_another_order_and_a_seed_the_same(make):
    def epochs(seed):
        made, orders = make(X, TABLE, 4, seed=seed), []
        for epoch in range(3):
            # An epoch of Grain is a part of what it repeats.
            part = (
                made.repeat()[epoch * len(made) : (epoch + 1) * len(made)] if make is grain_data else made
            )
            orders.append(tuple(rows_of(part)[1]))
            if make is CrowdBatches:
                made.on_epoch_end()
        return orders

    orders = epochs(1)
    assert len(set(orders)) == 3
    assert epochs(1) == orders
    assert epochs(2) != orders


@makers
def test_held_out_answers_are_in_batches_of_their_own(make):
    kept, held_out = kc.Annotations.from_dense(TABLE, classes=3).split(0.3)
    tables = [rows_of(make(X, part, 4))[0] for part in (kept, held_out)]
    assert_array_equal(np.maximum(*tables), TABLE)
    assert not np.any((tables[0] >= 0) & (tables[1] >= 0))


@makers
def test_structures_get_the_annotators(make):
    pictures = {"picture": X, "size": X[:, 0]}
    (x, _), *_ = batches_of(make(pictures, TABLE, 4, shuffle=False))
    assert set(x) == {"picture", "size", "annotators"}
    assert_array_equal(x["size"], ANSWERED[:4])
    (x, _), *_ = batches_of(make((X, X[:, 0]), TABLE, 4, shuffle=False))
    assert len(x) == 3
    assert_array_equal(x[1], ANSWERED[:4])


class OnDisk:
    """Rows that are read only at increasing positions, as of HDF5; counts what is read."""

    def __init__(self):
        self.shape, self.read = X.shape, 0

    def __len__(self):
        return len(X)

    def __getitem__(self, rows):
        assert np.all(np.diff(rows) > 0)
        self.read = max(self.read, len(rows))
        return X[rows]


@makers
def test_features_are_read_a_batch_at_a_time(make, tmp_path):
    disk = OnDisk()
    assert_array_equal(rows_of(make(disk, TABLE, 4))[0], TABLE)
    assert disk.read == 4
    np.save(tmp_path / "x.npy", X)
    assert_array_equal(rows_of(make(np.load(tmp_path / "x.npy", mmap_mode="r"), TABLE, 4))[0], TABLE)
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        stored = file.create_dataset("x", data=X)
        assert_array_equal(rows_of(make(stored, TABLE, 4))[0], TABLE)
    asked = []

    def load(items):
        asked.append(len(items))
        return np.array([X[i] for i in items])

    assert_array_equal(rows_of(make(load, TABLE, 4))[0], TABLE)
    assert max(asked) == 4


@makers
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": X[:-1]}, r"a row for each item.*\[22\] rows, answers to 23 items"),
        ({"x": {"a": X, "b": X[:3]}}, r"\[3, 23\] rows"),
        ({"x": [["text"]]}, "must be arrays.*Received: str"),
        ({"x": lambda items: X}, r"must give \d rows for as many items"),
        ({"batch_size": 0}, "`batch_size` must be a positive integer"),
        ({"form": "long"}, "`form` must be one of 'slots', 'dense', 'items'"),
        ({"num_slots": 1}, "at least the highest number of answers to one item, 5"),
        ({"num_slots": 9, "form": "dense"}, "`num_slots` must be, for slots"),
        ({"sample_weight": np.ones(3)}, "`sample_weight` must be 23 finite numbers"),
        ({"sample_weight": -np.ones(NUM_ITEMS)}, "none negative"),
    ],
)
def test_wrong_arguments(make, arguments, message):
    arguments = {"x": X, "annotations": TABLE, "batch_size": 4} | arguments
    with pytest.raises(ValueError, match=message):
        batches_of(make(**arguments))


def test_a_batch_that_is_not_there():
    with pytest.raises(IndexError, match=r"from 0 to 5. Received: 6"):
        CrowdBatches(X, TABLE, 4)[6]


def test_data_sets_of_tensorflow_are_joined_in_order():
    tf = pytest.importorskip("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices(X)
    for x in (dataset, dataset.filter(lambda row: True)):
        assert_array_equal(rows_of(tf_data(x, TABLE, 4, shuffle=False))[0], TABLE)
        found, order = rows_of(tf_data(x, TABLE, 4, shuffle=8))
        assert_array_equal(found, TABLE)
        assert order != sorted(order)
        assert sorted(order) == ANSWERED
    named = dataset.map(lambda row: {"row": row})
    assert set(next(iter(tf_data(named, TABLE, 4)))[0]) == {"row", "annotators"}
    with pytest.raises(ValueError, match=r"an element for each of 23 items. Received: 22 elements"):
        tf_data(dataset.take(22), TABLE, 4)
    for wrong in (dataset.take(22), dataset.concatenate(dataset.take(1))):
        with pytest.raises(tf.errors.OpError, match="expected to contain 23 elements"):
            batches_of(tf_data(wrong.filter(lambda row: True), TABLE, 4))


@needs_torch
def test_batches_of_a_pytorch_loader_are_tensors():
    import torch

    batches, loader = CrowdBatches(X, TABLE, 4, shuffle=False), torch_data(X, TABLE, 4, shuffle=False)
    assert len(loader) == len(batches)
    for ours, theirs in zip(batches_of(batches), loader, strict=True):
        flat = keras.tree.flatten(theirs)
        assert all(isinstance(part, torch.Tensor) for part in flat)
        for a, b in zip(keras.tree.flatten(ours), flat, strict=True):
            assert_array_equal(a, b.numpy())


def crowd_model():
    x, annotators = keras.Input((2,)), keras.Input((5,), dtype="int32")
    probabilities = keras.layers.Dense(3, "softmax")(x)
    crowd = kc.layers.CrowdsClassification(NUM_ANNOTATORS, "CM", initial_accuracy=0.8)
    model = keras.Model([x, annotators], crowd(probabilities, annotators=annotators))
    model.compile(keras.optimizers.SGD(0.01), loss=kc.losses.MaskedCrowdCrossEntropy())
    return model


def loaders(x):
    """What `fit` is given by PyTorch and Grain, where these are installed."""
    if importlib.util.find_spec("torch"):
        yield torch_data(x, TABLE, 7, shuffle=False, num_slots=5), {}
    if importlib.util.find_spec("grain"):
        # Keras does not see how long it is.
        yield grain_data(x, TABLE, 7, shuffle=False, num_slots=5).repeat(), {"steps_per_epoch": 3}


def test_fit_learns_the_same_from_batches_as_from_arrays():
    x, model = X / X.max(axis=0), crowd_model()
    annotations = kc.Annotations.from_dense(TABLE, classes=3).select(items=ANSWERED)
    start, found = model.get_weights(), []
    for data, arguments in (
        ((x[ANSWERED], annotations.slots()[0]), {"y": annotations.slots()[1], "batch_size": 7}),
        (CrowdBatches(x, TABLE, 7, shuffle=False, num_slots=5), {}),
        (tf_data(x, TABLE, 7, shuffle=False, num_slots=5), {}),
        *loaders(x),
    ):
        model.set_weights(start)
        model.fit(data, shuffle=False, verbose=0, epochs=2, **arguments)
        found.append(model.get_weights())
    assert any(np.abs(a - b).max() > 1e-4 for a, b in zip(found[0], start, strict=True))
    for weights in found[1:]:
        for ours, theirs in zip(weights, found[0], strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.skipif(BACKEND == "torch", reason="one backend is enough")
def test_expectation_maximization_takes_them():
    classifier = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "softmax")])
    classifier.compile("sgd", "categorical_crossentropy")
    trainer = kc.EMTrainer(classifier)
    annotations = kc.Annotations.from_dense(TABLE, classes=3)
    trainer.fit(
        CrowdBatches(X / X.max(axis=0), annotations, 8, form="items"), annotations, iterations=1, verbose=0
    )
    assert trainer.posterior().shape == (NUM_ITEMS, 3)


@needs_grain
def test_grain_reads_in_threads_and_in_any_order():
    made = grain_data(X, TABLE, 4, shuffle=False)
    ahead = list(made.to_iter_dataset())
    for theirs, ours in zip(ahead, batches_of(CrowdBatches(X, TABLE, 4, shuffle=False)), strict=True):
        for a, b in zip(keras.tree.flatten(theirs), keras.tree.flatten(ours), strict=True):
            assert_array_equal(a, b)
    (x, _), _ = made[3]
    assert_array_equal(x, X[ANSWERED[12:16]])


@pytest.mark.parametrize(("make", "extra"), [(grain_data, "grain"), (torch_data, "torch")])
def test_without_their_package_they_say_what_to_install(make, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, extra, None)
    with pytest.raises(ImportError, match=rf"pip install 'keras_crowd\[{extra}\]'"):
        make(X, TABLE)


def test_without_tensorflow_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError, match=r"pip install 'keras_crowd\[tensorflow\]'"):
        tf_data(X, TABLE)
    assert len(list(itertools.islice(CrowdBatches(X, TABLE), 1))) == 1


@makers
def test_rows_of_a_data_frame_are_features(make):
    table, order = rows_of(make(pandas.DataFrame(X), TABLE, batch_size=4))
    assert_array_equal(table, TABLE)
    assert sorted(order) == ANSWERED
    with pytest.raises(ValueError, match=r"`x` has an index, but the answers came without ids"):
        make(pandas.DataFrame(X, index=np.arange(NUM_ITEMS)[::-1]), TABLE)
