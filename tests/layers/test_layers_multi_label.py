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
    logits = np.array([[15.0, -15.0], [15.0, 15.0]])
    layer.annotators.assign("logits", np.stack([logits, 10 * logits]))
    given = np.array([[300.0, -300.0], [-300.0, 300.0]] if from_logits else [[1.0, 0.0], [0.0, 1.0]])
    found = as_numpy(layer(given.astype("float32")))
    np.testing.assert_allclose(found[:, 0], [[15.0, -15.0], [-15.0, -15.0]], rtol=1e-4)
    np.testing.assert_allclose(found[:, 1], [[20.0, -20.0], [-20.0, -20.0]], rtol=1e-4)  # kept within
    rows = [np.array([[[-90.0, 50.0]]], "float32"), np.array([[[-90.0, -90.0]]], "float32")]
    p = np.array([[0.0, 1.0]], "float32")
    _, gradients = value_and_gradients(lambda p, *rows: kops.sum(_tick_logits(p, *rows)), p, *rows)
    assert all(np.isfinite(g).all() for g in gradients)


def _tick_logits(p, sensitivity, specificity):
    return ops.tick_logits(p, None, ops.odds(sensitivity), ops.odds(specificity))


@pytest.mark.parametrize("shape", [(6, L), (4, 70, L), (4, 5, L)], ids=["all", "many slots", "slots"])
@pytest.mark.parametrize("from_logits", [False, True])
def test_the_slopes_given_are_the_derivatives(shape, from_logits):
    rng = np.random.default_rng(5)
    x, a, b = (rng.normal(size=s) * 2 for s in ((4, L), shape, shape))
    weights = rng.normal(size=(4, shape[-2], L))
    p = 1 / (1 + np.exp(-x))
    given = x if from_logits else p

    def oracle(given, a, b):
        p = 1 / (1 + np.exp(-given)) if from_logits else given
        s, c = 1 / (1 + np.exp(-a)), 1 / (1 + np.exp(-b))
        tick = p[:, None] * s + (1 - p[:, None]) * (1 - c)
        return np.sum(weights * (np.log(tick) - np.log(1 - tick)))

    def found(given, a, b):
        p, q = (kops.sigmoid(given), kops.sigmoid(-given)) if from_logits else (given, None)
        z = ops.tick_logits(p, q, ops.odds(a), ops.odds(b))
        return kops.sum(kops.convert_to_tensor(weights, "float32") * z)

    arrays = [np.asarray(values, "float32") for values in (given, a, b)]
    value, slopes = value_and_gradients(found, *arrays)
    assert value == pytest.approx(oracle(given, a, b), rel=1e-4, abs=1e-3)
    for which, slope in enumerate(slopes):
        direction = rng.normal(size=slope.shape)
        above, below = (
            oracle(*(x + sign * 1e-6 * direction if i == which else x for i, x in enumerate((given, a, b))))
            for sign in (1, -1)
        )
        assert np.sum(slope * direction) == pytest.approx((above - below) / 2e-6, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("x", [-20.0, 20.0])
def test_the_slope_of_a_certain_classifier_is_not_rounded_to_nothing(x):
    def loss(x):
        a = kops.convert_to_tensor([[2.0]], "float32")
        return kops.sum(ops.tick_logits(kops.sigmoid(x), kops.sigmoid(-x), ops.odds(a), ops.odds(a)))

    _, (slope,) = value_and_gradients(loss, np.array([[x]], "float32"))
    s = 1 / (1 + np.exp(-2.0))  # d/dp log(tick / (1 - tick)) = (2 s - 1) / (s (1 - s)), dp/dx = exp(-|x|)
    assert slope[0, 0] == pytest.approx((2 * s - 1) / (s * (1 - s)) * np.exp(-20.0), rel=1e-4)


def test_the_loss_has_the_slope_of_the_logistic_function_also_at_zero():
    z = np.array([[[0.0, 0.0, 3.0, -90.0, 90.0]]], "float32")
    y = np.array([[[1, 0, 1, 1, 0]]])
    loss = kc.losses.MaskedCrowdBinaryCrossEntropy(reduction="sum")
    value, (slope,) = value_and_gradients(lambda z: loss(y, z), z)
    assert value == pytest.approx(2 * np.log(2) + np.log1p(np.exp(-3)) + 180, rel=1e-5)
    np.testing.assert_allclose(slope, 1 / (1 + np.exp(-z.astype(float))) - y, atol=1e-6)


@pytest.mark.parametrize("width", [R, 70], ids=["few", "many"])
def test_loss_and_metrics_are_those_of_loops_and_leave_out_what_was_not_shown(width):
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(4, width, L)).astype("float32")
    sets = rng.integers(-1, 2, (4, width, L))
    sets[1] = -1
    nats, right = [], []
    for place in np.ndindex(sets.shape):
        if sets[place] >= 0:
            p = 1 / (1 + np.exp(-float(logits[place])))
            nats.append(-np.log(p if sets[place] else 1 - p))
            right.append((p > 0.5) == sets[place])
    loss = kc.losses.MaskedCrowdBinaryCrossEntropy()
    assert float(loss(sets, logits)) == pytest.approx(np.mean(nats), rel=1e-5)
    _, (slopes,) = value_and_gradients(lambda z: loss(sets, z), logits)
    expected = np.where(sets < 0, 0, 1 / (1 + np.exp(-logits.astype(float))) - sets) / len(nats)
    np.testing.assert_allclose(slopes, expected, atol=1e-7)
    logits[sets < 0] = -1e30
    assert float(loss(np.where(sets < 0, np.nan, sets), logits)) == pytest.approx(np.mean(nats), rel=1e-5)
    assert float(loss(sets[1:2], logits[1:2])) == 0.0
    for metric, expected in [
        (kc.metrics.CrowdBinaryCrossEntropy(), nats),
        (kc.metrics.CrowdBinaryAccuracy(), right),
    ]:
        metric.update_state(sets, logits)
        assert float(metric.result()) == pytest.approx(np.mean(expected), rel=1e-5)
    with pytest.raises(ValueError, match=r"must be sets of labels.*Received: answers of shape \(4, \d+\)"):
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


def compiled(sets, slots=False):
    """A model of two annotators for sets of two labels, or for one of two classes."""
    classifier = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(2, "sigmoid" if sets else "softmax")]
    )
    layer = kc.layers.CrowdsMultiLabel if sets else kc.layers.CrowdsClassification
    model = kc.crowd_model(classifier, layer(2), slots=slots)
    loss = kc.losses.MaskedCrowdBinaryCrossEntropy() if sets else kc.losses.MaskedCrowdCrossEntropy()
    model.compile("adam", loss)
    return model


SETS = kc.Annotations.from_sets([0, 0, 1], [0, 1, 0], [["a"], ["b"], []])
CLASSES = kc.Annotations.from_coo([0, 0, 1], [0, 1, 0], ["a", "b", "a"])
X = np.zeros((2, 1), "float32")


@pytest.mark.parametrize(
    ("sets", "x", "answers", "message"),
    [
        (
            True,
            X,
            CLASSES,
            "must be sets of labels, for CrowdsMultiLabel. Received: Annotations.*2 classes",
        ),
        (
            False,
            X,
            SETS,
            "must be one class or number each, for CrowdsClassification. Received: .*sets of 2",
        ),
        (True, X, CLASSES.dense(), r"must have shape \(2, 2, 2\). Received: shape \(2, 2\)"),
        (False, X, SETS.dense(), "must be distributions over the classes"),
        (True, X, np.full((2, 2, 3), 1), r"must have shape \(2, 2, 2\). Received: shape \(2, 2, 3\)"),
        (True, X, np.full((2, 2, 2), 2), "must be 1 .ticked., 0 .not ticked. or -1 .* the first 2"),
        (True, (X, np.array([[0, 0], [1, -1]])), SETS.slots()[1], "annotator 0 twice in row 0"),
        (True, (X, np.array([[0, 2], [1, -1]])), SETS.slots()[1], "below num_annotators=2.*highest id 2"),
    ],
)
def test_validate_names_what_does_not_fit_sets(sets, x, answers, message):
    with pytest.raises(ValueError, match=message):
        kc.validate(compiled(sets, slots=isinstance(x, tuple)), x, answers)


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


def trained_on_the_truth(ticks, truth):
    """The layer on a classifier that is sure and right."""
    crowd = kc.layers.CrowdsMultiLabel(8)
    model = keras.Sequential([keras.Input((4,)), crowd])
    model.compile(keras.optimizers.Adam(0.1), kc.losses.MaskedCrowdBinaryCrossEntropy(), jit_compile=XLA)
    model.fit(truth.astype("float32"), ticks, epochs=30, batch_size=1000, verbose=0)
    return crowd


def trained_with_a_classifier(ticks, truth):
    """The layer and a classifier that sees features with noise, on the likelihood of all answers to an item."""
    x = truth * 2.0 - 1.0 + 0.5 * np.random.default_rng(9).normal(size=truth.shape)
    crowd = kc.layers.CrowdsMultiLabel(8)
    classifier = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, "sigmoid")])
    model = kc.models.JointCrowdModel(classifier, crowd)
    model.compile(keras.optimizers.Adam(0.05), jit_compile=XLA)
    model.fit(x.astype("float32"), ticks, epochs=10, batch_size=200, verbose=0)
    return crowd


@pytest.mark.parametrize("trained", [trained_on_the_truth, trained_with_a_classifier])
def test_training_recovers_annotators_to_within_sampling_error_and_ranks_spammers_last(trained):
    truth, ticks, s, c = simulated(3000)
    ticks[:, 2], ticks[:, 5] = 1, 0
    keras.utils.set_random_seed(0)
    crowd = trained(ticks, truth)
    honest = [0, 1, 3, 4, 6, 7]
    for found, known, number in [
        (crowd.sensitivity(), s, truth.sum(axis=0)),
        (crowd.specificity(), c, (~truth).sum(axis=0)),
    ]:
        error = np.abs(found - known)[honest] / np.sqrt(known * (1 - known) / number)[honest]
        assert np.mean(error**2) < 2.5
    informedness = (crowd.sensitivity() + crowd.specificity()).mean(axis=1) - 1
    assert set(np.argsort(informedness)[:2]) == {2, 5}
    np.testing.assert_allclose(informedness[[2, 5]], 0, atol=0.1)


@pytest.mark.skipif(keras.config.backend() != "jax", reason="shapes are read from JAX's program")
@pytest.mark.parametrize("num_annotators", [20, 500], ids=["fewer annotators than slots", "more"])
@pytest.mark.parametrize("conn_type", CONN_TYPES)
def test_a_step_on_slots_makes_nothing_for_every_annotator_of_an_item(conn_type, num_annotators):
    import jax

    batch, slots, labels = 9, 4, 6
    layer = kc.layers.CrowdsMultiLabel(num_annotators, conn_type)
    layer.build((None, labels))
    ids = np.random.default_rng(0).integers(-1, num_annotators, (batch, slots))
    loss = kc.losses.MaskedCrowdBinaryCrossEntropy()

    def value(trainable, p, answers):
        fixed = [variable.value for variable in layer.non_trainable_variables]
        logits, _ = layer.stateless_call(trainable, fixed, p, annotators=ids, training=True)
        return loss(answers, logits)

    trainable = [variable.value for variable in layer.trainable_variables]
    p, answers = np.full((batch, labels), 0.5, "float32"), np.ones((batch, slots, labels))
    program = jax.make_jaxpr(jax.grad(value, argnums=(0, 1)))(trainable, p, answers)
    assert max(_sizes(program.jaxpr)) < batch * num_annotators * labels / 2


def _sizes(program):
    for equation in program.eqns:
        yield from (variable.aval.size for variable in equation.outvars)
        for value in equation.params.values():
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from _sizes(inner)
