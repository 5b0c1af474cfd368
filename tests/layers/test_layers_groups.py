"""Many answers of an annotator in a batch: the same logits and steps, however the layer gets to them."""

import keras
import numpy as np
import pytest
import references
from conftest import XLA
from contracts import probabilities
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops as kops

import keras_crowd as kc
from keras_crowd.ops import annotator_groups, to_groups

NUM_CLASSES = 21  # from 20 on slots of an annotator are brought together
GIVEN = settings(deadline=None, max_examples=20)


def random_ids(num_annotators, num_items=40, num_slots=3, seed=0):
    return np.random.default_rng(seed).integers(
        -1, num_annotators, size=(num_items, num_slots), dtype="int32"
    )


@GIVEN
@given(sizes=st.sampled_from([(1, 1), (5, 17), (12, 60)]), seed=st.integers(0, 2**16))
def test_each_slot_has_a_place_of_its_own_in_a_group_of_its_annotator(sizes, seed):
    num_annotators, num_items = sizes
    ids = random_ids(num_annotators, num_items, seed=seed)
    groups, places = (
        kops.convert_to_numpy(a) for a in annotator_groups(kops.convert_to_tensor(ids), num_annotators)
    )
    assert places.shape == ids.shape
    assert len(np.unique(places)) == ids.size
    assert places.max() < 16 * len(groups)
    np.testing.assert_array_equal(groups[places // 16, 0], ids)


def test_groups_hold_the_items_of_their_slots():
    ids, f = kops.convert_to_tensor(random_ids(5)), probabilities(40, NUM_CLASSES)
    groups, places = annotator_groups(ids, 5)
    grouped = kops.convert_to_numpy(to_groups(kops.convert_to_tensor(f), groups, places)).reshape(
        -1, NUM_CLASSES
    )
    places = kops.convert_to_numpy(places)
    np.testing.assert_array_equal(grouped[places], np.repeat(f[:, None], 3, axis=1))
    others = np.setdiff1d(np.arange(len(grouped)), places)
    assert not grouped[others].any()


def layer_of(conn_type, num_annotators, num_classes=NUM_CLASSES):
    layer = kc.layers.CrowdsClassification(num_annotators, conn_type)
    layer.build((None, num_classes), (None, 3))
    layer.kernel.assign(np.random.default_rng(2).normal(size=layer.kernel.shape))
    return layer


# 15 annotators have 8 slots each of 120 and are brought together, 16 are not; 61 have less than 2 slots each.
@pytest.mark.by_turns
@pytest.mark.parametrize("num_annotators", [1, 15, 16, 60, 61])
@pytest.mark.parametrize("num_classes", [19, 20, 21])
@pytest.mark.parametrize("conn_type", ["MW", "CM"])
def test_logits_of_slots_equal_the_papers_formula(conn_type, num_classes, num_annotators):
    layer = layer_of(conn_type, num_annotators, num_classes)
    ids, f = random_ids(num_annotators), probabilities(40, num_classes)
    kernel = kops.convert_to_numpy(layer.kernel).astype(float).reshape(-1, num_classes, num_classes)
    dense = references.crowd_logits(conn_type, f.astype(float), kernel, None)
    expected = np.take_along_axis(dense, np.maximum(ids, 0)[..., None], axis=1)
    logits = kops.convert_to_numpy(layer(f, annotators=ids))
    np.testing.assert_allclose(logits[ids >= 0], expected[ids >= 0], rtol=1e-4, atol=1e-5)
    assert np.isfinite(logits).all()


@pytest.mark.parametrize(
    ("conn_type", "num_annotators", "num_classes", "expected"),
    [("MW", 15, 20, 1), ("CM", 15, 20, 1), ("MW", 16, 20, 0), ("MW", 15, 19, 0), ("VW", 15, 20, 0)],
)
def test_slots_are_brought_together_where_it_pays(
    conn_type, num_annotators, num_classes, expected, monkeypatch
):
    calls = []
    monkeypatch.setattr(
        kc.ops, "annotator_groups", lambda *args: calls.append(args) or annotator_groups(*args)
    )
    layer_of(conn_type, num_annotators, num_classes)(
        probabilities(40, num_classes), annotators=random_ids(num_annotators)
    )
    assert len(calls) == expected


def test_slots_stay_on_their_devices(monkeypatch):
    calls = []
    monkeypatch.setattr(kc.ops, "annotator_groups", lambda *args: calls.append(args))
    monkeypatch.setattr(keras.distribution, "distribution", lambda: "several devices")
    layer_of("MW", 5)(probabilities(40, NUM_CLASSES), annotators=random_ids(5))
    assert not calls


@pytest.mark.parametrize("conn_type", ["MW", "CM"])
def test_unknown_annotator_is_seen_among_many_answers(conn_type):
    ids = random_ids(5)
    ids[7, 1] = 5
    logits = kops.convert_to_numpy(layer_of(conn_type, 5)(probabilities(40, NUM_CLASSES), annotators=ids))
    assert np.isnan(logits[7, 1]).all()
    known = np.isfinite(logits).all(axis=-1)
    assert known.sum() == ids.size - 1


def trained(conn_type, ids, answers):
    """Parameters after two epochs whose last batch is a smaller one."""
    keras.utils.set_random_seed(0)
    x = keras.Input((6,))
    annotators = keras.Input((3,), dtype="int32")
    crowd = kc.layers.CrowdsClassification(5, conn_type, kernel_initializer="glorot_uniform")
    f = keras.layers.Dense(NUM_CLASSES, "softmax")(x)
    model = keras.Model([x, annotators], crowd(f, annotators=annotators))
    model.compile(keras.optimizers.SGD(1.0), kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
    features = np.random.default_rng(3).normal(size=(len(ids), 6)).astype("float32")
    model.fit((features, ids), answers, batch_size=60, epochs=2, shuffle=False, verbose=0)
    return model.get_weights()


@pytest.mark.by_turns
@pytest.mark.parametrize("conn_type", ["MW", "CM"])
def test_training_takes_the_same_steps(conn_type, monkeypatch):
    ids = random_ids(5, num_items=100)
    answers = np.where(ids >= 0, np.random.default_rng(4).integers(NUM_CLASSES, size=ids.shape), -1)
    together = trained(conn_type, ids, answers)
    monkeypatch.setattr(kc.layers.CrowdsClassification, "few_annotators", lambda *_: False)
    for a, b in zip(together, trained(conn_type, ids, answers), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
