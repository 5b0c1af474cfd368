"""`CrowdsMultiLabel`: values against plain loops, extremes, slots, recovery of known annotators, and its limits."""

import keras
import numpy as np
import pytest
from conftest import XLA
from gradients import value_and_gradients
from keras import ops as kops

import keras_crowd as kc
from keras_crowd import ops
from keras_crowd.annotations import LabelSets

R, L = 5, 3
IDS = np.array([[0, 2, -1], [1, -1, -1], [4, 3, 0], [2, 1, 3]], "int32")
CONN_TYPES = ["full", "additive", "annotator"]


def as_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def made(conn_type, **kwargs):
    layer = kc.layers.CrowdsMultiLabel(R, conn_type, name="crowd", **kwargs)
    layer.build((None, L))
    rng = np.random.default_rng(0)
    for variable in layer.trainable_variables:
        variable.assign(variable + rng.normal(size=variable.shape))
    return layer


def simulated(items=400, annotators=8, labels=4, share=1.0, seed=0):
    """Truth, ticks and the annotators' sensitivities and specificities."""
    rng = np.random.default_rng(seed)
    truth = rng.random((items, labels)) < np.linspace(0.2, 0.5, labels)
    s, c = rng.uniform(0.6, 0.95, (2, annotators, labels))
    tick = np.where(truth[:, None], s, 1 - c)
    ticks = (rng.random(tick.shape) < tick).astype(int)
    ticks[rng.random((items, annotators)) >= share] = -1
    return truth, ticks, s, c


@pytest.mark.parametrize("conn_type", CONN_TYPES)
@pytest.mark.parametrize("from_logits", [False, True])
def test_values_are_those_of_loops(conn_type, from_logits):
    layer = made(conn_type, from_logits=from_logits)
    p = np.random.default_rng(1).random((4, L)).astype("float32")
    given = np.log(p / (1 - p)) if from_logits else p
    s, c = layer.sensitivity(), layer.specificity()
    assert s.shape == c.shape == (R, L)
    assert len(np.unique(s)) == (R if conn_type == "annotator" else R * L)
    found, slots = as_numpy(layer(given)), as_numpy(layer(given, annotators=IDS))
    for i in range(4):
        for r in range(R):
            for l in range(L):
                tick = float(p[i, l] * s[r, l] + (1 - p[i, l]) * (1 - c[r, l]))
                assert found[i, r, l] == pytest.approx(np.log(tick / (1 - tick)), rel=1e-3, abs=1e-5)
        for slot, r in enumerate(IDS[i]):
            np.testing.assert_allclose(slots[i, slot], found[i, r] if r >= 0 else -1e30, rtol=1e-5)


@pytest.mark.parametrize("from_logits", [False, True])
def test_certain_classifiers_and_annotators_stay_finite(from_logits):
    layer = kc.layers.CrowdsMultiLabel(2, "full", from_logits=from_logits)
    layer.build((None, 2))
    logits = np.array([[30.0, -30.0], [30.0, 30.0]])
    layer.annotators.assign("logits", np.stack([logits, 10 * logits]))
    given = np.array([[300.0, -300.0], [-300.0, 300.0]] if from_logits else [[1.0, 0.0], [0.0, 1.0]])
    found = as_numpy(layer(given.astype("float32")))
    np.testing.assert_allclose(found[:, 0], [[30.0, -30.0], [-30.0, -30.0]], rtol=1e-4)
    np.testing.assert_allclose(found[:, 1], [[40.0, -40.0], [-40.0, -40.0]], rtol=1e-4)  # kept within
    rows = [np.array([[[-90.0, 50.0]]], "float32"), np.array([[[-90.0, -90.0]]], "float32")]
    p = np.array([[0.0, 1.0]], "float32")
    _, gradients = value_and_gradients(lambda p, *rows: kops.sum(_tick_logits(p, *rows)), p, *rows)
    assert all(np.isfinite(g).all() for g in gradients)


def _tick_logits(p, sensitivity, specificity):
    return ops.tick_logits(p, 1.0 - p, ops.odds(sensitivity), ops.odds(specificity))


def test_the_loss_has_the_slope_of_the_logistic_function_also_at_zero():
    z = np.array([[[0.0, 0.0, 3.0, -90.0, 90.0]]], "float32")
    y = np.array([[[1, 0, 1, 1, 0]]])
    loss = kc.losses.MaskedCrowdBinaryCrossEntropy(reduction="sum")
    value, (slope,) = value_and_gradients(lambda z: loss(y, z), z)
    assert value == pytest.approx(2 * np.log(2) + np.log1p(np.exp(-3)) + 180, rel=1e-5)
    np.testing.assert_allclose(slope, 1 / (1 + np.exp(-z.astype(float))) - y, atol=1e-6)


def test_loss_and_metrics_are_those_of_loops_and_leave_out_what_was_not_shown():
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(4, R, L)).astype("float32")
    sets = rng.integers(-1, 2, (4, R, L))
    sets[1] = -1
    nats, right = [], []
    for place in np.ndindex(sets.shape):
        if sets[place] >= 0:
            p = 1 / (1 + np.exp(-float(logits[place])))
            nats.append(-np.log(p if sets[place] else 1 - p))
            right.append((p > 0.5) == sets[place])
    loss = kc.losses.MaskedCrowdBinaryCrossEntropy()
    assert float(loss(sets, logits)) == pytest.approx(np.mean(nats), rel=1e-5)
    logits[sets < 0] = -1e30
    assert float(loss(np.where(sets < 0, np.nan, sets), logits)) == pytest.approx(np.mean(nats), rel=1e-5)
    assert float(loss(sets[1:2], logits[1:2])) == 0.0
    for metric, expected in [
        (kc.metrics.CrowdBinaryCrossEntropy(), nats),
        (kc.metrics.CrowdBinaryAccuracy(), right),
    ]:
        metric.update_state(sets, logits)
        assert float(metric.result()) == pytest.approx(np.mean(expected), rel=1e-5)
    with pytest.raises(ValueError, match=r"must be sets of labels.*Received: answers of shape \(4, 5\)"):
        loss(sets[..., 0], logits)


def test_dawid_skene_labels_is_the_loop():
    _, ticks, *_ = simulated(12, 4, 2, share=0.7)
    ticks[0, :, 1] = -1
    found = kc.aggregation.dawid_skene_labels(ticks, iterations=3, strength=2.0, tolerance=0)
    for l in range(2):
        y = ticks[:, :, l]
        seen = (y >= 0).any(axis=1)
        votes = [np.mean(row[row >= 0]) if (row >= 0).any() else np.nan for row in y]
        q = np.where(seen, votes, np.nanmean(votes))
        for _ in range(3):
            rates = []
            for weight in (q, 1 - q):
                part = np.array([sum(weight[y[:, r] == 1]) for r in range(4)])
                whole = np.array([sum(weight[y[:, r] >= 0]) for r in range(4)])
                of_all = (part.sum() + 0.5) / (whole.sum() + 1)
                rates.append((part + 2 * of_all) / (whole + 2))
            prior = (q[seen].sum() + 0.5) / (seen.sum() + 1)
            for i in range(12):
                there, absent = prior, 1 - prior
                for r in range(4):
                    if y[i, r] >= 0:
                        there *= rates[0][r] if y[i, r] else 1 - rates[0][r]
                        absent *= rates[1][r] if y[i, r] else 1 - rates[1][r]
                q[i] = there / (there + absent)
        np.testing.assert_allclose(found.posterior[:, l], q, rtol=1e-6)
        np.testing.assert_allclose(found.sensitivity[:, l], rates[0], rtol=1e-6)
        np.testing.assert_allclose(found.specificity[:, l], 1 - rates[1], rtol=1e-6)


def test_annotators_are_recovered_to_within_sampling_error_and_spammers_come_last():
    truth, ticks, s, c = simulated(4000)
    ticks[:, 2], ticks[:, 5] = 1, 0
    crowd = kc.layers.CrowdsMultiLabel(8, "full")
    crowd.adapt(ticks)
    honest = [0, 1, 3, 4, 6, 7]
    for found, known, number in [
        (crowd.sensitivity(), s, truth.sum(axis=0)),
        (crowd.specificity(), c, (~truth).sum(axis=0)),
    ]:
        error = np.abs(found - known)[honest] / np.sqrt(known * (1 - known) / number)[honest]
        assert np.mean(error**2) < 3
    informedness = (crowd.sensitivity() + crowd.specificity()).mean(axis=1)
    assert set(np.argsort(informedness)[:2]) == {2, 5}
    posterior = kc.aggregation.dawid_skene_labels(ticks)
    right = np.mean(posterior.labels == truth)
    assert right > np.mean((kc.aggregation.label_shares(ticks) > 0.5) == truth)


@pytest.mark.parametrize("conn_type", CONN_TYPES)
def test_adapt_to_sparse_annotators(conn_type):
    _, ticks, s, _c = simulated(300, 8, 4, share=0.5)
    crowd = kc.layers.CrowdsMultiLabel(8, conn_type)
    crowd.adapt(kc.Annotations.from_dense(ticks, kind=LabelSets()))
    assert np.corrcoef(crowd.sensitivity().mean(axis=1), s.mean(axis=1))[0, 1] > 0.5
    assert crowd.answer_kind == LabelSets(4)


def test_it_trains_on_slots_strips_and_comes_back_from_a_file(tmp_path):
    truth, ticks, *_ = simulated(240, 8, L, share=0.6)
    keras.utils.set_random_seed(0)
    x = (truth + 0.5 * np.random.default_rng(3).normal(size=truth.shape)).astype("float32")
    annotations = kc.Annotations.from_dense(ticks, kind=LabelSets())
    classifier = keras.Sequential([keras.Input((L,)), keras.layers.Dense(L, "sigmoid")])
    crowd = kc.layers.CrowdsMultiLabel(8, "full")
    crowd.adapt(annotations)
    model = kc.crowd_model(classifier, crowd, slots=True)
    loss = kc.losses.MaskedCrowdBinaryCrossEntropy()
    optimizer = kc.optimizers.crowd_optimizer(model, keras.optimizers.Adam(0.05), 0.2)
    metrics = [kc.metrics.CrowdBinaryCrossEntropy(name="nats")]
    model.compile(optimizer, loss, metrics=metrics, jit_compile=XLA)
    kc.validate(model, x, annotations)
    ids, answers = annotations.slots()
    history = model.fit((x, ids), answers, epochs=15, batch_size=64, verbose=0).history["nats"]
    assert history[-1] < min(history[0], 0.66)
    assert np.mean((classifier.predict(x, verbose=0) > 0.5) == truth) > 0.7
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict((x, ids), verbose=0), model.predict((x, ids), verbose=0), rtol=1e-5
    )
    assert kc.strip(model).output_shape == (None, L)


def test_a_thousand_labels_on_slots_make_nothing_of_all_annotators():
    crowd = kc.layers.CrowdsMultiLabel(100_000, "additive")
    logits = crowd(np.full((2, 1000), 0.5, "float32"), annotators=np.array([[0, 99_999], [7, -1]]))
    assert logits.shape == (2, 2, 1000)
    assert np.isfinite(as_numpy(logits)).all()


def test_other_answers_and_inputs_are_refused():
    crowd = kc.layers.CrowdsMultiLabel(2)
    with pytest.raises(ValueError, match=r"must be sets of labels.*Received: one class or number each"):
        crowd.adapt(kc.Annotations.from_dense([[0, 1]]))
    sets = kc.Annotations.from_sets([0, 0], [0, 1], [["a"], ["b"]])
    with pytest.raises(ValueError, match="must be of 3 annotators"):
        kc.layers.CrowdsMultiLabel(3).adapt(sets)
    with pytest.raises(ValueError, match="must be of one class each"):
        kc.layers.CrowdsClassification(2).adapt(sets)
    with pytest.raises(ValueError, match=r"`probabilities` must have shape \(batch, labels\)"):
        crowd(np.zeros((2, 3, 4), "float32"))
    with pytest.raises(ValueError, match="must be built"):
        kc.layers.CrowdsMultiLabel(2).sensitivity()
