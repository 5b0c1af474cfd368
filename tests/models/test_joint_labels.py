"""`JointCrowdModel` on sets of labels, against loops."""

import keras
import numpy as np
import pytest
from keras import ops as kops

import keras_crowd as kc

RNG = np.random.default_rng(0)
ITEMS, ANNOTATORS, LABELS = 10, 4, 3
X = RNG.normal(size=(ITEMS, 5)).astype("float32")
TICKS = RNG.integers(-1, 2, (ITEMS, ANNOTATORS, LABELS))
TICKS[0] = -1  # nobody answered
GOLD = RNG.integers(-1, 2, (ITEMS, LABELS))
WEIGHTS = RNG.uniform(0.5, 2, ITEMS).astype("float32")


def joint(from_logits=False, slots=False):
    keras.utils.set_random_seed(1)
    activation = None if from_logits else "sigmoid"
    classifier = keras.Sequential([keras.Input((5,)), keras.layers.Dense(LABELS, activation)])
    crowd = kc.layers.CrowdsMultiLabel(ANNOTATORS, from_logits=from_logits)
    model = kc.models.JointCrowdModel(classifier, crowd, slots=slots)
    crowd.annotators.assign("logits", np.random.default_rng(3).normal(size=(ANNOTATORS, 2, LABELS)))
    return model


def slow_loss(model, gold=None, weights=None):
    f = model.predict(X, verbose=0) if not model.slots else model.classifier.predict(X, verbose=0)
    f = 1 / (1 + np.exp(-f)) if model.crowd.from_logits else f
    s, c = model.crowd.sensitivity(), model.crowd.specificity()
    total, count = 0.0, 0
    for i in range(ITEMS):
        for label in range(LABELS):
            there, absent = f[i, label], 1 - f[i, label]
            for r in range(ANNOTATORS):
                if TICKS[i, r, label] >= 0:
                    count += 1
                    ticked = TICKS[i, r, label] == 1
                    there *= s[r, label] if ticked else 1 - s[r, label]
                    absent *= 1 - c[r, label] if ticked else c[r, label]
            known = -1 if gold is None else gold[i, label]
            count += known >= 0
            evidence = {-1: there + absent, 0: absent, 1: there}[known]
            total += np.log(evidence) * (1 if weights is None else weights[i])
    return -total / count


def loss_of(model, inputs, y, weights=None):
    y = keras.tree.map_structure(lambda part: kops.convert_to_tensor(part), y)
    x = keras.tree.map_structure(kops.convert_to_tensor, inputs)
    weights = None if weights is None else kops.convert_to_tensor(weights)
    return kops.convert_to_numpy(model.compute_loss(x, y, model(x), weights, training=True)).item()


@pytest.mark.parametrize("from_logits", [False, True])
def test_loss_is_that_of_loops(from_logits):
    model = joint(from_logits)
    np.testing.assert_allclose(loss_of(model, X, TICKS), slow_loss(model), rtol=1e-5)
    weighed = loss_of(model, X, (TICKS, GOLD), WEIGHTS)
    np.testing.assert_allclose(weighed, slow_loss(model, GOLD, WEIGHTS), rtol=1e-5)


def test_slots_are_as_dense_answers():
    """In slots of another order, the empty ones anywhere; what stands in an empty slot is no answer."""
    ids = np.array(
        [np.random.default_rng(i).permutation([*range(ANNOTATORS), -1, -1]) for i in range(ITEMS)]
    )
    ticks = np.where(ids[..., None] >= 0, TICKS[np.arange(ITEMS)[:, None], ids], 1)
    model = joint(slots=True)
    np.testing.assert_allclose(loss_of(model, (X, ids.astype("int32")), ticks), slow_loss(model), rtol=1e-5)


XLA = pytest.param(
    True, marks=pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch has no XLA")
)


@pytest.mark.parametrize("jit_compile", [False, XLA])
def test_training_lowers_the_loss(jit_compile):
    model = joint()
    before = slow_loss(model, GOLD)
    model.compile(keras.optimizers.Adam(0.05), jit_compile=jit_compile)
    kc.validate(model, X, (TICKS, GOLD))
    model.fit(X, (TICKS, GOLD), epochs=5, batch_size=ITEMS, verbose=0)
    assert slow_loss(model, GOLD) < before - 0.01
    again = kc.models.JointCrowdModel.from_config(model.get_config())
    assert again.crowd.get_config() == model.crowd.get_config()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (TICKS[:, :2], r"`answers` must have shape \(10, 4, 3\)"),
        ((TICKS, GOLD[:, :2]), r"must have shape \(10, 1, 3\)"),
        ((TICKS, GOLD + 1), r"1 \(ticked\), 0 \(not ticked\) or -1"),
    ],
)
def test_other_answers_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        kc.validate(joint(), X, y)


def test_shapes_that_disagree_are_refused_in_training_too():
    with pytest.raises(ValueError, match=r"Answers must be sets of labels.*\(10, 4, 3\).*\(10, 2, 3\)"):
        loss_of(joint(), X, TICKS[:, :2])
