"""`CrowdsPreference` and `preference_model`: values against loops, known annotators, towers, slots, limits."""

import keras
import numpy as np
import pytest
from conftest import BACKEND, XLA

import keras_crowd as kc

R = 6
IDS = np.array([[0, 2, -1], [1, -1, -1], [4, 3, 0], [2, 1, 5]], "int32")
RNG = np.random.default_rng(0)
FIRST, SECOND = RNG.normal(size=(2, 4, 1)).astype("float32")


def as_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def made(conn_type="full", ties=True, **kwargs):
    layer = kc.layers.CrowdsPreference(R, conn_type, ties=ties, name="crowd", **kwargs)
    layer.build((None, 1), (None, 1))
    rng = np.random.default_rng(1)
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return layer


def simulated(items=60, annotators=8, comparisons=4000, ties=True, seed=0):
    """Features, weights of the score, and answers of annotators, of whom number 0 turns everything round."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(items, 3)).astype("float32")
    score = x @ [1.5, -1.0, 0.5]
    beta = np.linspace(0.5, 1.5, annotators)
    beta[0] = -1.0
    position = np.linspace(-1, 1, annotators)
    a = rng.integers(0, items, comparisons)
    b = (a + rng.integers(1, items, comparisons)) % items
    who = rng.integers(0, annotators, comparisons)
    beta /= beta[who].mean()
    u = 0.5 * (beta[who] * (score[a] - score[b]) + position[who])
    weights = np.exp(np.stack([u, -u, np.full(comparisons, -0.5)][: 2 + ties], axis=1))
    cumulated = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    said = (rng.random(comparisons)[:, None] > cumulated).sum(axis=1)
    answers = kc.Annotations.from_preferences(
        a, b, who, said, choices=(0, 1, 2)[: 2 + ties], duplicates="first"
    )
    return x, score, answers, beta, position


def sampling_errors(answers, score, beta, position, tie=-0.5):
    """Standard errors of reliability, position bias and log of nu, by the Fisher information of each annotator."""
    information = np.zeros((len(beta), 3, 3))
    for i, r in zip(answers.item_index, answers.annotator_index, strict=True):
        first, second = answers.items[i]
        slopes = np.array([[score[first] - score[second], 1, 0], [0, 0, 1]]) * [[0.5], [1]]
        logits = np.outer([1, -1, 0], slopes[0]) + np.outer([0, 0, 1], slopes[1])  # their slopes
        z = logits @ [beta[r], position[r], tie]
        p = np.exp(z) / np.exp(z).sum()
        centered = logits - p @ logits
        information[r] += centered.T @ (p[:, None] * centered)
    return np.sqrt(np.diagonal(np.linalg.inv(information), axis1=1, axis2=2))


@pytest.mark.parametrize("conn_type", ["full", "reliability", "position", "common"])
@pytest.mark.parametrize("ties", [False, True])
def test_values_are_those_of_loops(conn_type, ties):
    counts = [3.0, 1.0, 0.0, 2.0, 5.0, 1.0]
    layer = made(conn_type, ties, answers_per_annotator=counts)
    beta, position = layer.reliability(), layer.position_bias()
    own = {"full": (True, True), "reliability": (True, False), "position": (False, True)}.get(conn_type)
    assert [len(np.unique(v)) == R for v in (beta, position)] == list(own or (False, False))
    assert np.average(beta, weights=counts) == pytest.approx(1, abs=1e-5)
    if not (own or (0, 0))[1]:
        assert (position == 0).all()
    found, slots = as_numpy(layer(FIRST, SECOND)), as_numpy(layer(FIRST, SECOND, annotators=IDS))
    for i in range(4):
        for r in range(R):
            p = np.exp(found[i, r]) / np.exp(found[i, r]).sum()
            odds = float(beta[r]) * float(FIRST[i, 0] - SECOND[i, 0]) + float(position[r])
            assert np.log(p[0] / p[1]) == pytest.approx(odds, rel=1e-3, abs=1e-4)
            if ties:
                nu = p[2] / np.sqrt(p[0] * p[1])
                assert layer.tie_rate()[r] == pytest.approx(nu / (2 + nu), rel=1e-3)
        for slot, r in enumerate(IDS[i]):
            np.testing.assert_allclose(slots[i, slot], found[i, r] if r >= 0 else -1e30, rtol=1e-5)


@pytest.mark.parametrize("annotators", [63, 64, 200])
def test_the_mean_reliability_is_1_for_any_number_of_annotators(annotators):
    counts = np.random.default_rng(2).integers(0, 9, annotators)
    layer = kc.layers.CrowdsPreference(annotators, answers_per_annotator=counts)
    layer.build((None, 1), (None, 1))
    before = np.random.default_rng(3).normal(2, 1, annotators)
    layer.annotators.assign("reliability", before)
    found = layer.reliability()
    assert np.average(found, weights=counts) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(found - found[0], before - before[0], atol=1e-5)


def test_the_prior_is_that_of_normal_deviations_and_on_slots_its_expectation():
    counts = np.array([3.0, 1.0, 2.0, 2.0, 5.0, 1.0])
    layer = made(answers_per_annotator=counts, spread=0.4)
    layer(FIRST, SECOND, training=True)
    log_nu = np.log(2 * layer.tie_rate() / (1 - layer.tie_rate()))
    common = {name: float(as_numpy(variable)) for name, variable in layer.population.means.items()}
    deviations = [
        layer.reliability() - 1,
        layer.position_bias() - common["position"],
        log_nu - common["tie"],
    ]
    expected = sum((d**2).sum() for d in deviations) / (2 * 0.4**2) / counts.sum()
    assert float(sum(map(as_numpy, layer.losses))) == pytest.approx(expected, rel=1e-4)
    lazy = made(answers_per_annotator=counts, spread=0.4, max_batch_slots=14)
    for name in layer.annotators.names():
        lazy.annotators[name].assign(layer.annotators[name])
    for name, mean in layer.population.means.items():
        lazy.population.means[name].assign(mean)
    slots = np.repeat(np.arange(R), counts.astype(int)).reshape(2, 7).astype("int32")
    lazy(FIRST[:2], SECOND[:2], annotators=slots, training=True)
    assert float(sum(map(as_numpy, lazy.losses))) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("conn_type", ["full", "common"])
def test_grades_and_random_answers_are_those_of_loops(conn_type, ties):
    layer = made(conn_type, ties, grades=3, random_answers=True)
    found = as_numpy(layer(FIRST, SECOND, annotators=IDS))
    beta, position, thresholds = layer.reliability(), layer.position_bias(), layer.thresholds()
    rate = layer.random_rate()
    assert thresholds.shape == (R, 5 + ties)
    np.testing.assert_allclose(thresholds, -thresholds[:, ::-1], atol=1e-6)
    assert (np.diff(thresholds, axis=1) > 0).all()
    assert [len(np.unique(v.round(6), axis=0)) == R for v in (thresholds, rate)] == [
        conn_type == "full"
    ] * 2
    for i, row in enumerate(IDS):
        for slot, r in enumerate(row):
            if r < 0:
                continue
            odds = beta[r] * float(FIRST[i, 0] - SECOND[i, 0]) + position[r]
            below = [0, *(1 / (1 + np.exp(-(odds + t))) for t in thresholds[r]), 1]
            meant = np.diff(below)
            expected = (1 - rate[r]) * meant + rate[r] / (6 + ties)
            p = np.exp(found[i, slot])
            np.testing.assert_allclose(p / p.sum(), expected, rtol=2e-4, atol=1e-6)
            if ties:
                alike = [1 / (1 + np.exp(-t)) for t in thresholds[r]]
                assert layer.tie_rate()[r] == pytest.approx(alike[3] - alike[2], rel=1e-3)


def test_the_prior_of_widths_and_rates_is_that_of_their_deviations():
    layer = made("common", grades=2)
    layer(FIRST, SECOND, training=True)
    assert not layer.losses
    counts = [3.0, 1.0, 2.0, 2.0, 5.0, 1.0]
    layer = made("position", ties=False, grades=2, random_answers=True, answers_per_annotator=counts)
    layer(FIRST, SECOND, training=True)
    own = [as_numpy(layer.annotators[name]) for name in ("position", "width", "random")]
    expected = sum((d**2).sum() for d in own) / (2 * 0.5**2) / sum(counts)
    assert float(sum(map(as_numpy, layer.losses))) == pytest.approx(expected, rel=1e-4)


def test_adapt_to_grades_starts_from_bradley_terry_without_them_and_their_shares():
    _, _, plain, *_ = simulated()
    rng = np.random.default_rng(0)
    side = np.array([-1, 1, 0])[plain.answers]
    grade = side * rng.integers(1, 4, len(plain))
    first, second = zip(*plain.items[plain.item_index].tolist(), strict=True)
    answers = kc.Annotations.from_preferences(first, second, plain.annotator_index, grade, grades=3)
    crowd = kc.layers.CrowdsPreference(8, "position", ties=True, grades=3, random_answers=True)
    crowd.adapt(answers)
    found = kc.aggregation.bradley_terry(plain, reliability=False, tie_rates=False, random_rates=True)
    np.testing.assert_allclose(crowd.position_bias(), found.position_bias, atol=1e-4)
    np.testing.assert_allclose(crowd.random_rate(), found.random_rate, atol=1e-4)
    counts = np.bincount(np.abs(grade)) + [0.5, 1, 1, 1]  # of a tie, and of both grades of a size
    shares = counts / counts.sum()
    below = 0.5 * (1 + np.cumsum(shares)[:3])
    np.testing.assert_allclose(np.log(below / (1 - below)), crowd.thresholds()[0, 3:], rtol=1e-4)
    with pytest.raises(ValueError, match=r"with ties=False and grades=3, as the layer"):
        kc.layers.CrowdsPreference(8, grades=3).adapt(answers)


class Margins(kc.layers.CrowdLayer):
    """A layer from outside the package: who needs a margin before they find the first item better."""

    answer_kind = kc.annotations.Preferences(2)
    num_predictions = 2

    def build(self, first_shape, second_shape, annotators_shape=None):
        super().build(first_shape, annotators_shape)

    def build_annotators(self, predictions_shape):
        self.add_parameter("margin", (), "ones")

    def call(self, first, second, annotators=None, training=False):
        return super().call(first - second, annotators, training=training)

    def compute_output_shape(self, first_shape, second_shape, annotators_shape=None):
        return super().compute_output_shape(first_shape, annotators_shape)

    def predict_answers(self, predictions, annotators, training, mask):
        margin = self.rows(annotators, training)["margin"]
        return keras.ops.stack([predictions - margin, keras.ops.zeros_like(predictions + margin)], axis=-1)

    def predicted_shape(self, predictions_shape):
        return (2,)


def test_a_layer_from_outside_compares_two_items():
    scorer = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model = kc.models.preference_model(scorer, Margins(R), slots=True)
    logits = as_numpy(model([FIRST, SECOND, IDS]))
    np.testing.assert_allclose(logits[0, 0], [FIRST[0, 0] - SECOND[0, 0] - 1, 0], atol=1e-6)
    np.testing.assert_allclose(as_numpy(kc.strip(model)(FIRST)), FIRST, atol=1e-6)


@pytest.mark.parametrize("conn_type", ["full", "reliability", "common"])
def test_adapt_is_bradley_terry(conn_type):
    _, _, answers, beta, _ = simulated()
    crowd = kc.layers.CrowdsPreference(8, conn_type, ties=True)
    crowd.adapt(answers)
    full, own = conn_type == "full", conn_type != "common"
    found = kc.aggregation.bradley_terry(answers, reliability=own, position_bias=full, tie_rates=own)
    np.testing.assert_allclose(crowd.reliability(), found.reliability, atol=1e-4)
    np.testing.assert_allclose(crowd.position_bias(), found.position_bias, atol=1e-4)
    nu = np.exp(found.tie)
    np.testing.assert_allclose(crowd.tie_rate(), nu / (2 + nu), atol=1e-4)
    if own:
        assert np.argmin(crowd.reliability()) == np.argmin(beta) == 0
        deviation = found.spread["reliability"]
        assert as_numpy(crowd.population.precision)[0] == pytest.approx(deviation**-2, rel=1e-4)


@pytest.mark.by_turns
@pytest.mark.parametrize("max_batch_slots", [None, 2048])
def test_a_scorer_learns_from_annotators_and_an_adversary_on_slots(max_batch_slots, tmp_path):
    x, score, answers, beta, position = simulated()
    items, index = kc.annotations.pair_index(answers.items, items=range(len(x)))
    assert len(items) == len(x)
    scorer = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    crowd = kc.layers.CrowdsPreference(8, ties=True, max_batch_slots=max_batch_slots)
    crowd.adapt(answers)
    model = kc.models.preference_model(scorer, crowd, slots=True)
    optimizer = kc.optimizers.crowd_optimizer(model, keras.optimizers.Adam(0.1), 0.02)
    loss, metrics = kc.losses.MaskedCrowdCrossEntropy(), [kc.metrics.CrowdCrossEntropy(name="nats")]
    model.compile(optimizer, loss, metrics=metrics, jit_compile=XLA)
    kc.validate(model, kc.models.pair_features(x, index), answers)
    ids, said = answers.slots()
    inputs = kc.models.pair_features(x, index, ids)
    nats = model.fit(inputs, said, batch_size=256, epochs=8, verbose=0).history["nats"]
    assert nats[-1] < nats[0]
    kernel = as_numpy(scorer.layers[-1].kernel)[:, 0]
    np.testing.assert_allclose(kernel, [1.5, -1.0, 0.5], atol=0.3)
    assert crowd.reliability()[0] < -0.5
    assert np.abs(crowd.position_bias() - position).max() < 0.6
    errors = sampling_errors(answers, score, beta, position)
    tie = np.log(2 * crowd.tie_rate() / (1 - crowd.tie_rate()))
    found = np.stack([crowd.reliability() - beta, crowd.position_bias() - position, tie + 0.5], axis=1)
    assert 0.5 < np.sqrt(np.mean((found / errors) ** 2)) < 1.4
    stripped = kc.strip(model)
    np.testing.assert_allclose(stripped.predict(x, verbose=0), scorer.predict(x, verbose=0), rtol=1e-5)
    assert np.corrcoef(stripped.predict(x, verbose=0)[:, 0], score)[0, 1] > 0.99
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(inputs, verbose=0), model.predict(inputs, verbose=0), rtol=1e-4, atol=1e-5
    )
    assert "keras_crowd" not in kc.strip(loaded).to_json()
    np.testing.assert_allclose(as_numpy(kc.strip(loaded)(x[:3])), as_numpy(stripped(x[:3])), rtol=1e-5)


def scorer_of(structure):
    inputs = {name: keras.Input((2,), name=name) for name in ("image", "length")}
    score = keras.layers.Dense(1)(keras.layers.Concatenate()(list(inputs.values())))
    return keras.Model(inputs if structure is dict else list(inputs.values()), score)


@pytest.mark.parametrize("structure", [dict, list])
def test_scorers_of_several_inputs(structure):
    scorer = scorer_of(structure)
    arrays = {name: RNG.normal(size=(5, 2)).astype("float32") for name in ("image", "length")}
    x = arrays if structure is dict else list(arrays.values())
    index = np.array([[0, 3], [2, 1], [4, 0]])
    pairs = kc.models.pair_features(x, index)
    model = kc.models.preference_model(scorer, made())
    assert [tensor.name for tensor in model.inputs] == [
        f"{side}_{name}" for side in ("first", "second") for name in ("image", "length")
    ]
    assert isinstance(pairs, dict if structure is dict else tuple)
    score = as_numpy(scorer(x))
    np.testing.assert_allclose(
        as_numpy(model(pairs if structure is dict else list(pairs))),
        as_numpy(made()(score[index[:, 0]], score[index[:, 1]])),
        rtol=1e-4,
        atol=1e-5,
    )
    assert kc.strip(model) is scorer
    crowd = kc.layers.CrowdsPreference(R, ties=True)
    on_slots = kc.models.preference_model(scorer, crowd, slots=True)
    on_slots.compile("sgd", kc.losses.MaskedCrowdCrossEntropy())
    inputs, said = kc.models.pair_features(x, index, IDS[:3]), np.where(IDS[:3] < 0, -1, 2)
    kc.validate(on_slots, inputs, said)
    assert np.isfinite(on_slots.evaluate(inputs, said, verbose=0))


def test_models_that_do_not_know_their_inputs_and_many_annotators():
    scorer = keras.Sequential([keras.layers.Dense(1)])
    x = RNG.normal(size=(4, 3)).astype("float32")
    crowd = kc.layers.CrowdsPreference(100_000)
    model = kc.models.preference_model(scorer, crowd, slots=True, x=x[:1])
    pairs = kc.models.pair_features(x, [[0, 1], [2, 3]], np.array([[0, 99_999], [7, -1]], "int32"))
    assert model.predict(pairs, verbose=0).shape == (2, 2, 2)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="errors are the same on every backend")
def test_other_answers_models_and_features_are_refused():
    answers = simulated(10, 3, 50)[2]
    with pytest.raises(ValueError, match=r"with ties=False and grades=1, as the layer"):
        kc.layers.CrowdsPreference(3).adapt(answers)
    with pytest.raises(ValueError, match="must be of 4 annotators"):
        kc.layers.CrowdsPreference(4, ties=True).adapt(answers)
    with pytest.raises(ValueError, match="must be preferences"):
        kc.layers.CrowdsPreference(2).adapt(kc.Annotations.from_dense([[0, 1]]))
    with pytest.raises(ValueError, match="must be built"):
        kc.layers.CrowdsPreference(2).reliability()
    for name, message in [
        ("thresholds", "`grades` of at least 2"),
        ("random_rate", "`random_answers=True`"),
    ]:
        with pytest.raises(ValueError, match=message):
            getattr(kc.layers.CrowdsPreference(2), name)()
    with pytest.raises(ValueError, match="`conn_type` must be one of 'full'"):
        kc.layers.CrowdsPreference(2, "own")
    with pytest.raises(ValueError, match=r"`second` must have shape \(batch, 1\)"):
        kc.layers.CrowdsPreference(2)(FIRST, np.ones((4, 2), "float32"))
    scorer = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"`scorer` must give one number per item"):
        kc.models.preference_model(scorer, kc.layers.CrowdsPreference(2))
    with pytest.raises(ValueError, match=r"`crowd` must be a crowd layer of two scores"):
        kc.models.preference_model(scorer, kc.layers.CrowdsOrdinal(2, 3))
    with pytest.raises(
        ValueError, match=r"preferences train a scorer by `keras_crowd.models.preference_model`"
    ):
        kc.fit_crowd(scorer, FIRST, answers)
    with pytest.raises(ValueError, match=r"preferences train a scorer"):
        kc.EMTrainer(scorer).fit(FIRST, answers)
    with pytest.raises(ValueError, match=r"`keras_crowd.models.preference_model`"):
        kc.crowd_model(scorer, kc.layers.CrowdsPreference(2))
    with pytest.raises(ValueError, match=r"`index` must be rows of `x`, 0 to 3. Received: 0 to 4"):
        kc.models.pair_features(np.arange(4), [[0, 4]])
    with pytest.raises(ValueError, match=r"`index` must be integers \(pairs, 2\)"):
        kc.models.pair_features(np.arange(4), [0, 1])
