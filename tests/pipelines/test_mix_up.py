"""Items mixed in pairs, with the answers to both: against loops over the pairs."""

import keras
import numpy as np
import pytest
import references
from conftest import XLA
from gradients import value_and_gradients
from numpy.testing import assert_allclose, assert_array_equal

import keras_crowd as kc
from keras_crowd.pipelines import MixUp

rng = np.random.default_rng(0)
TABLE = np.where(rng.random((23, 5)) < 0.5, -1, rng.integers(0, 3, (23, 5)))
TABLE[[4, 11]] = -1
ANSWERED = [i for i in range(23) if i not in (4, 11)]
ITEMS = np.eye(23, dtype="float32")  # so that the mixed features are the shares of both items
FORMS = ("slots", "dense", "answers")


def batches_of(mixed):
    return [mixed[i] for i in range(len(mixed))]


def weights_of(answers):
    return answers.sum(axis=-1)


@pytest.mark.parametrize("form", ["slots", "dense"])
def test_the_loss_is_that_of_both_items_by_their_shares(form):
    logits = rng.normal(size=(5, 3))  # of each annotator, whatever the item
    for x, answers in batches_of(MixUp(ITEMS, TABLE, 6, form=form, alpha=1.0)):
        shares = x if form == "dense" else x[0]
        values = [
            (share, -np.log(references.softmax(logits[r])[TABLE[i, r]]))
            for row in shares
            for i, share in enumerate(row)
            for r in np.flatnonzero(TABLE[i] >= 0)
        ]
        expected = sum(s * value for s, value in values) / sum(s for s, _ in values)
        predicted = np.tile(logits, (len(shares), 1, 1)) if form == "dense" else logits[x[1]]
        loss = kc.losses.MaskedCrowdCrossEntropy()
        assert float(loss(answers, predicted)) == pytest.approx(expected, rel=1e-5)


def test_slots_hold_the_annotators_of_both_items():
    (x, annotators), answers = MixUp(ITEMS, TABLE, 6, shuffle=False)[0]
    width = np.sum(TABLE >= 0, axis=1).max()
    assert annotators.shape == (6, 2 * width)
    assert_array_equal(annotators < 0, weights_of(answers) == 0)
    for row, ids, said in zip(x, annotators, answers, strict=True):
        found = np.zeros((5, 3))
        np.add.at(found, ids[ids >= 0], said[ids >= 0])
        expected = sum(share * (TABLE[i, :, None] == np.arange(3)) for i, share in enumerate(row))
        scale = found.sum() / expected.sum()
        assert_allclose(found, expected * scale, rtol=1e-5)


def test_single_answers_keep_their_item_and_annotator():
    annotations = kc.Annotations.from_dense(TABLE)
    seen = 0
    for (x, annotators), answers in batches_of(MixUp(ITEMS, annotations, 6, form="answers", alpha=1.0)):
        assert annotators.shape == (len(x), 2)
        assert_allclose(weights_of(answers).sum(axis=1), 1, rtol=1e-6)
        for row, ids, said in zip(x, annotators, answers, strict=True):
            expected = np.zeros(23)
            for annotator, one in zip(ids, said, strict=True):
                items = np.flatnonzero(TABLE[:, annotator] == one.argmax())
                if one.sum() > 0:
                    of = items[(row[items] > 0) & (row[items] >= one.sum() - 1e-6)]
                    assert len(of) >= 1
                    expected[of[np.abs(row[of] - one.sum()).argmin()]] += one.sum()
            assert_allclose(expected.sum(), 1, rtol=1e-6)
        seen += len(x)
    assert seen == len(annotations)


@pytest.mark.parametrize("form", FORMS)
def test_each_item_or_answer_comes_once_and_each_epoch_is_another(form):
    mixed = MixUp(ITEMS, TABLE, 4, form=form, alpha=0.2)
    first = np.concatenate([np.asarray(x if form == "dense" else x[0]) for x, _ in batches_of(mixed)])
    assert set(np.flatnonzero(first.sum(axis=0))) == set(ANSWERED)
    times = np.sum(TABLE >= 0, axis=1) if form == "answers" else np.sum(TABLE >= 0, axis=1) > 0
    assert len(first) == times.sum()
    again = np.concatenate([np.asarray(x if form == "dense" else x[0]) for x, _ in batches_of(mixed)])
    assert_array_equal(again, first)
    mixed.on_epoch_end()
    other = np.concatenate([np.asarray(x if form == "dense" else x[0]) for x, _ in batches_of(mixed)])
    assert not np.array_equal(other, first)


def test_a_small_alpha_leaves_items_as_they_are():
    (x, _), answers = MixUp(ITEMS, TABLE, 21, alpha=1e-6, shuffle=False)[0]
    assert_allclose(x.max(axis=1), 1)
    assert_allclose(np.sort(weights_of(answers).ravel())[-10:], 1, rtol=1e-5)


def test_soft_answers_and_several_features():
    soft = np.where(TABLE[..., None] >= 0, np.random.default_rng(1).dirichlet(np.ones(3), TABLE.shape), 0)
    table = {"a": ITEMS, "b": np.arange(23.0).reshape(23, 1, 1)}
    for x, answers in batches_of(MixUp(table, soft.astype("float32"), 6)):
        assert set(x) == {"a", "b", "annotators"}
        assert_allclose(x["b"][:, 0, 0], x["a"] @ np.arange(23), rtol=1e-5)
        given = x["annotators"] >= 0
        assert_allclose(weights_of(answers)[given].sum(), given.sum(), rtol=1e-5)


@pytest.mark.parametrize(
    ("x", "answers", "kwargs", "message"),
    [
        (ITEMS, TABLE, {"alpha": 0}, "`alpha` must be a number above 0.* Received: alpha=0"),
        (ITEMS, TABLE, {"form": "items"}, "`form` must be one of .* Received: form='items'"),
        (ITEMS, TABLE.astype("float32"), {}, "must be answers of classes.* Received: ratings"),
        (ITEMS[:5], TABLE, {}, "`x` must have a row for each item.* Received: "),
    ],
)
def test_errors(x, answers, kwargs, message):
    with pytest.raises(ValueError, match=message):
        MixUp(x, answers, **kwargs)


def test_what_cannot_be_mixed_is_refused():
    with pytest.raises(ValueError, match=r"must be floats to be mixed.* Received: dtype int32"):
        MixUp(ITEMS.astype("int32"), TABLE)


@pytest.mark.parametrize("form", FORMS)
def test_trains_plain_and_under_xla(form):
    losses = []
    for compiled in (False, True)[: 1 + XLA]:
        keras.utils.set_random_seed(0)
        classifier = keras.Sequential([keras.Input((23,)), keras.layers.Dense(3, "softmax")])
        model = kc.crowd_model(classifier, kc.layers.CrowdsClassification(5, "CM"), slots=form != "dense")
        loss = (
            kc.losses.MixedCrowdCrossEntropy() if form == "answers" else kc.losses.MaskedCrowdCrossEntropy()
        )
        model.compile("sgd", loss=loss, metrics=[kc.metrics.CrowdAccuracy()], jit_compile=compiled)
        losses.append(model.fit(MixUp(ITEMS, TABLE, 8, form=form), verbose=0).history["loss"])
    assert np.isfinite(losses).all()
    assert_allclose(losses[-1], losses[0], rtol=1e-4)


def mixed_cross_entropy(targets, logits):
    """The mean over the rows of which there is an answer."""
    values = []
    for row, z in zip(targets, logits, strict=True):
        weight = row.sum()
        if weight > 0:
            predicted = sum(
                t.sum() / weight * references.softmax(one) for t, one in zip(row, z, strict=True)
            )
            values.append(-np.sum(row.sum(axis=0) / weight * np.log(predicted)))
    return np.mean(values)


def weighted_answers():
    draw = np.random.default_rng(2)
    targets = draw.dirichlet(np.ones(3), (6, 4)) * draw.random((6, 4, 1))
    targets[draw.random((6, 4)) < 0.4] = 0
    targets[3] = 0
    return targets.astype("float32"), draw.normal(scale=3, size=(6, 4, 3)).astype("float32")


def test_the_mixed_loss_is_that_of_the_mixture_of_the_annotators():
    targets, logits = weighted_answers()
    loss = kc.losses.MixedCrowdCrossEntropy()
    assert float(loss(targets, logits)) == pytest.approx(mixed_cross_entropy(targets, logits), rel=1e-5)
    one = targets[:, :1] / np.maximum(targets[:, :1].sum(axis=-1, keepdims=True), 1e-9)
    plain = kc.losses.MaskedCrowdCrossEntropy()
    assert float(loss(one, logits[:, :1])) == pytest.approx(float(plain(one, logits[:, :1])), rel=1e-5)
    codes = np.array([[0, 2, -1, 1]] * 6)
    equal = np.eye(4)[codes][..., :3] * (codes >= 0)[..., None]
    assert float(loss(codes, logits)) == pytest.approx(mixed_cross_entropy(equal, logits), rel=1e-5)


def test_what_is_missing_reaches_neither_value_nor_gradient_of_the_mixed_loss():
    targets, logits = weighted_answers()
    loss = kc.losses.MixedCrowdCrossEntropy()
    value, (gradient,) = value_and_gradients(lambda z: loss(targets, z), logits)
    missing = targets.sum(axis=-1) == 0
    assert np.all(gradient[missing] == 0)
    assert np.abs(gradient[~missing]).max() > 0
    with_other = np.where(missing[..., None], 1e4, logits).astype("float32")
    other, (same,) = value_and_gradients(lambda z: loss(targets, z), with_other)
    assert other == pytest.approx(value)
    assert_allclose(same, gradient, rtol=1e-5, atol=1e-7)
    nothing, (none,) = value_and_gradients(lambda z: loss(np.zeros_like(targets), z), logits)
    assert nothing == 0
    assert np.all(none == 0)
