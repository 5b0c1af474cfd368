"""`EMTrainer` for numbers and for tokens: against loops, limits and the trainer of classes."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keras_crowd as kc
from keras_crowd.annotations import as_ratings
from keras_crowd.em._raters import Raters

N, R, K, T = 60, 6, 3, 4
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 2)).astype("float32")
SCORE = X @ [1.0, -1.0]
SPREAD = np.array([0.2, 0.2, 0.5, 1.0, 2.0, 2.0])
BIAS = np.array([0.5, -0.5, 1.0, -1.0, 0.0, 0.0])
RATINGS = SCORE[:, None] + BIAS + SPREAD * RNG.normal(size=(N, R))
RATINGS[RNG.random((N, R)) < 0.3] = np.nan
RATINGS[0] = np.nan
SLOTS = RNG.integers(0, K, (12, T, R))
SLOTS[RNG.random(SLOTS.shape) < 0.5] = -1
SLOTS[0, 2:] = -1  # padding, say


def regressor(learning_rate=0.05):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(learning_rate), "mse")
    return model


def tagger(learning_rate=0.0):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.Dense(K, "softmax")])
    model.compile(keras.optimizers.SGD(learning_rate), "categorical_crossentropy")
    return model


# --- numbers ---------------------------------------------------------------------------------------


def loops(y, f, z, variance, strength, iterations):
    """Item by item and annotator by annotator; the regressor stands still."""
    common = np.nanvar(y) / 2
    v = np.full(y.shape[1], common)
    n = np.sum(~np.isnan(y), axis=0)
    rated = ~np.all(np.isnan(y), axis=1)
    for _ in range(iterations):
        mean = [np.nanmean(y[:, r] - z) for r in range(y.shape[1])]
        shift = sum(n * mean) / sum(n * v)
        b = np.array([mean[r] - shift * v[r] for r in range(y.shape[1])])
        for r in range(y.shape[1]):
            squares = [
                (y[i, r] - z[i] - b[r]) ** 2 + variance[i] for i in range(len(y)) if y[i, r] == y[i, r]
            ]
            v[r] = (strength * common + sum(squares)) / (strength + n[r])
        t = np.mean([(z[i] - f[i]) ** 2 + variance[i] for i in range(len(y)) if rated[i]])
        for i in range(len(y)):
            given = [r for r in range(y.shape[1]) if y[i, r] == y[i, r]]
            variance[i] = 1 / (1 / t + sum(1 / v[r] for r in given))
            z[i] = variance[i] * (f[i] / t + sum((y[i, r] - b[r]) / v[r] for r in given))
    return z, variance, b, v


def test_numbers_are_those_of_the_loops():
    model = regressor(0.0)
    trainer = kc.EMTrainer(model, strength=3.0)
    trainer.fit(X, RATINGS, start="mean_rating", iterations=3, verbose=0)
    start = Raters(as_ratings(RATINGS), np.full(N, np.nan), 3.0).start("mean_rating")
    f = model.predict(X, verbose=0)[:, 0]
    z, variance, _, _ = loops(RATINGS, f, *start.T.copy(), 3.0, 3)
    np.testing.assert_allclose(trainer.posterior(), np.stack([z, variance], axis=1), rtol=1e-4, atol=1e-5)
    assert trainer.posterior()[0, 0] == pytest.approx(f[0], rel=1e-5)  # nobody rated it


@pytest.mark.only_under("torch")
@given(seed=st.integers(0, 10**6), density=st.floats(0.05, 0.9), known=st.floats(0, 0.5))
@settings(max_examples=100, deadline=None, database=None)
def test_objective_never_falls_where_the_regressor_step_is_exact(seed, density, known):
    """The regressor knows the group of an item; its exact step is the mean of the group."""
    rng = np.random.default_rng(seed)
    ratings = rng.normal(size=(12, 4)) * rng.uniform(0.1, 3, 4)
    ratings[rng.random(ratings.shape) > density] = np.nan
    ratings[0, 0] = 1.0
    gold = np.where(rng.random(12) < known, rng.normal(size=12), np.nan)
    group = rng.integers(0, 3, 12)
    em = Raters(as_ratings(ratings), gold, 4.0)
    posterior, objectives = em.start("mean_rating"), []
    for _ in range(15):
        em.maximize(posterior)
        groups = [np.flatnonzero((group == g) & em.informed) for g in range(3)]
        means = [posterior[i, 0].mean() if len(i) else 0.0 for i in groups]
        posterior, objective = em.expect(np.array(means)[group][:, None])
        objectives.append(objective)
    assert np.all(np.diff(objectives) >= -1e-9 * np.abs(objectives[1:]) - 1e-9)
    assert abs(np.sum(em.counts * em.bias)) < 1e-9


def test_one_answer_beside_gold_is_no_scale():
    """Its spread is 0; with that as the scale of the noise the objective was all rounding, and fell."""
    gold = np.array([np.nan, 0.3, -1.2, 2.0])
    em = Raters(as_ratings([[1.0], [np.nan], [np.nan], [np.nan]]), gold, 4.0)
    assert em.common == pytest.approx(np.var([1.0, 0.3, -1.2, 2.0]) / 2)


@pytest.mark.only_under("torch")
def test_learns_numbers_and_annotators():
    model = regressor()
    trainer = kc.EMTrainer(model)
    history = trainer.fit(X, RATINGS, iterations=15, epochs=3, verbose=0)
    assert history.history["log_likelihood"][-1] > history.history["log_likelihood"][0]
    found, rated = trainer.posterior()[:, 0], slice(1, None)
    plain = kc.aggregation.mean_rating(RATINGS)
    error = [np.mean((truth - SCORE)[rated] ** 2) for truth in (found, plain)]
    assert error[0] < 0.3 * error[1]
    np.testing.assert_allclose(trainer.bias(), BIAS - np.mean(BIAS), atol=0.7)
    assert trainer.precision()[:2].min() > 5 * trainer.precision()[4:].max()
    assert np.corrcoef(model.predict(X, verbose=0)[:, 0], SCORE)[0, 1] > 0.98


def test_gold_numbers_are_taken_for_the_truth():
    gold = np.full(N, np.nan)
    gold[:10] = 7.0
    trainer = kc.EMTrainer(regressor(0.0))
    trainer.fit(X, RATINGS, gold=gold, iterations=2, verbose=0)
    np.testing.assert_array_equal(trainer.posterior()[:10], [[7.0, 0.0]] * 10)
    assert np.all(trainer.posterior()[10:, 1] > 0)


def test_gold_settles_level_and_scale_which_answers_cannot():
    """The crowd rates 0.7 z - 3; the model, which can be any number, ends on the scale of gold."""
    gold = np.where(np.arange(N) % 4 == 1, SCORE, np.nan)
    trainer = kc.EMTrainer(regressor(0.0))
    trainer.fit(X, 0.7 * RATINGS - 3.0, gold=gold, iterations=1, verbose=0)
    found, unknown = trainer.posterior()[:, 0], (np.arange(N) % 4 != 1) & np.any(RATINGS == RATINGS, axis=1)
    factor, level = np.polyfit(SCORE[unknown], found[unknown], 1)
    assert factor == pytest.approx(1, abs=0.15)
    assert level == pytest.approx(0, abs=0.3)
    np.testing.assert_allclose(trainer.estimates()["scale"], 0.7, atol=0.12)
    np.testing.assert_allclose(trainer.bias(), 0.7 * BIAS - 3.0, atol=1.0)


# --- tokens ----------------------------------------------------------------------------------------


def test_tokens_are_items():
    x = RNG.normal(size=(12, T, 2)).astype("float32")
    by_token = kc.EMTrainer(tagger())
    by_token.fit(x, SLOTS, iterations=3, verbose=0)
    flat = keras.Sequential([keras.Input((2,)), keras.layers.Dense(K, "softmax")])
    flat.compile(keras.optimizers.SGD(0.0), "categorical_crossentropy")
    flat.set_weights(tagger().get_weights())
    by_item = kc.EMTrainer(flat)
    by_item.fit(x.reshape(-1, 2), SLOTS.reshape(-1, R), iterations=3, verbose=0)
    np.testing.assert_allclose(by_token.posterior().reshape(-1, K), by_item.posterior(), rtol=1e-4)
    np.testing.assert_allclose(by_token.confusion(), by_item.confusion(), rtol=1e-4)


def test_tokens_nobody_answered_do_not_train():
    x = RNG.normal(size=(12, T, 2)).astype("float32")
    other = np.where(np.all(SLOTS < 0, axis=-1, keepdims=True), 9.0, x)
    weights = []
    for features in (x, other):
        model = tagger(0.1)
        kc.EMTrainer(model).fit(features, SLOTS, iterations=2, verbose=0)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_gold_tags_are_taken_for_the_truth():
    gold = np.full((12, T), -1)
    gold[3] = [0, 1, 2, 1]
    trainer = kc.EMTrainer(tagger())
    trainer.fit(np.zeros((12, T, 2), "float32"), SLOTS, gold=gold, iterations=2, verbose=0)
    np.testing.assert_array_equal(trainer.posterior()[3], np.eye(K)[[0, 1, 2, 1]])


# --- chains ----------------------------------------------------------------------------------------


def hidden_crf(learning_rate=0.0, slots=False, **kwargs):
    keras.utils.set_random_seed(1)
    encoder = keras.Sequential([keras.Input((None, 2)), keras.layers.Dense(K)])
    crowd = kc.layers.CrowdsSequenceLabeling(R, "CM", trainable=False)
    model = kc.models.HiddenCRF(encoder, crowd, slots=slots, **kwargs)
    model.compile(keras.optimizers.SGD(learning_rate))
    return model


def sequences(seed=0, n=12):
    return np.random.default_rng(seed).normal(size=(n, T, 2)).astype("float32")


@pytest.mark.only_under("torch")
def test_without_a_chain_a_hidden_crf_is_a_tagger():
    x = sequences()
    chain = kc.EMTrainer(model := hidden_crf())
    history = chain.fit(x, SLOTS, iterations=3, verbose=0)
    plain = tagger()
    plain.set_weights(model.encoder.get_weights())
    tokens = kc.EMTrainer(plain)
    expected = tokens.fit(x, SLOTS, iterations=3, verbose=0)
    real = np.cumsum(np.any(SLOTS >= 0, axis=2)[:, ::-1], axis=1)[:, ::-1] > 0
    np.testing.assert_allclose(chain.posterior()[real], tokens.posterior()[real], rtol=1e-4)
    np.testing.assert_array_equal(chain.posterior()[~real], 0)
    np.testing.assert_allclose(chain.confusion(), tokens.confusion(), rtol=1e-4)
    np.testing.assert_allclose(model.crowd.confusion(), chain.confusion(), rtol=1e-5)
    found, expected = (h.history["log_likelihood"] for h in (history, expected))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.only_under("jax")
def test_objective_never_falls_where_the_chain_stands_still():
    model = hidden_crf(answer_weight=0.4)
    for seed in range(5):
        model.crf.transitions.assign(np.random.default_rng(seed).normal(size=(K, K)))
        trainer = kc.EMTrainer(model)
        history = trainer.fit(sequences(seed), SLOTS, start="majority_vote", iterations=8, verbose=0)
        objectives = np.array(history.history["log_likelihood"])
        assert np.all(np.diff(objectives) >= -1e-5 * np.abs(objectives[1:]))
        assert objectives[-1] > objectives[0] + 0.1


@pytest.mark.only_under("jax")
def test_chain_on_slots_and_in_batches_is_the_chain_on_dense_answers():
    x, ids = sequences(), np.tile(np.arange(R)[::-1], (12, 1)).astype("int32")
    given = [(x, SLOTS, False), ((x, ids), SLOTS[:, :, ::-1], True)]
    order = np.random.default_rng(0).permutation(12)
    batches = [((x[part], ids[part]), part) for part in (order[:6], order[6:])]
    given.append((batches, SLOTS[:, :, ::-1], True))
    found = []
    for features, answers, slots in given:
        trainer = kc.EMTrainer(hidden_crf(slots=slots))
        trainer.fit(features, answers, iterations=2, verbose=0)
        found.append((trainer.posterior(), trainer.confusion()))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.only_under("torch")
def test_chain_learns_tags_and_annotators():
    rng = np.random.default_rng(3)
    z = np.cumsum(rng.random((80, 6)) < 0.3, axis=1) % K
    x = (np.eye(K)[z][..., :2] + 0.6 * rng.normal(size=(80, 6, 2))).astype("float32")
    accuracy = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.34])
    wrong = (z[..., None] + rng.integers(1, K, (80, 6, R))) % K
    answers = np.where(rng.random((80, 6, R)) < accuracy, z[..., None], wrong)
    answers[rng.random(answers.shape) < 0.5] = -1
    model = hidden_crf()
    model.compile(keras.optimizers.Adam(0.03))
    trainer = kc.EMTrainer(model)
    trainer.fit(x, answers, iterations=10, epochs=2, verbose=0)
    vote = kc.aggregation.majority_vote(answers.reshape(-1, R), K).reshape(z.shape)
    assert np.mean(trainer.posterior().argmax(-1) == z) > np.mean(vote == z) + 0.05
    diagonal = np.trace(trainer.confusion(), axis1=1, axis2=2) / K
    assert np.corrcoef(diagonal, accuracy)[0, 1] > 0.9


def test_chains_refuse_what_is_not_theirs():
    x = sequences()
    with pytest.raises(ValueError, match="`gold` is not for a `HiddenCRF`"):
        kc.EMTrainer(hidden_crf()).fit(x, SLOTS, gold=SLOTS[..., 0], verbose=0)
    with pytest.raises(ValueError, match=r"`answers` must be integers \(items, time, annotators\)"):
        kc.EMTrainer(hidden_crf()).fit(x, SLOTS[0], verbose=0)
    with pytest.raises(ValueError, match="num_annotators=5"):
        kc.EMTrainer(hidden_crf(), 5).fit(x, SLOTS, verbose=0)
    model = hidden_crf()
    model.crowd.trainable = True
    with pytest.raises(ValueError, match="crowd layer of the `HiddenCRF` must not be trainable"):
        kc.EMTrainer(model).fit(x, SLOTS, verbose=0)
    ids = np.full((12, R), R)
    with pytest.raises(ValueError, match="annotator"):
        kc.EMTrainer(hidden_crf(slots=True)).fit((x, ids), SLOTS, verbose=0)


# --- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "x", "answers", "arguments", "message"),
    [
        (
            regressor,
            X,
            np.zeros((N, R), int),
            {},
            "For a regressor the answers must be floats.*`Annotations` of numbers",
        ),
        (regressor, X, RATINGS, {"gold": np.zeros(N, int)}, "`gold` must be 60 floats"),
        (regressor, X, RATINGS, {"start": "dawid_skene"}, '`start` must be "raykar" or "mean_rating"'),
        (
            tagger,
            np.zeros((12, T, 2)),
            SLOTS[0],
            {},
            r"`answers` must be integers \(items, time, annotators\)",
        ),
        (tagger, np.zeros((12, T, 2)), SLOTS, {"gold": np.zeros(12, int)}, r"codes of shape \(12, 4\)"),
    ],
)
def test_wrong_input_is_refused(model, x, answers, arguments, message):
    with pytest.raises(ValueError, match=message):
        kc.EMTrainer(model()).fit(x, answers, verbose=0, **arguments)


def test_what_a_setting_does_not_have_is_refused():
    with pytest.raises(ValueError, match="`prior` is for classes"):
        kc.EMTrainer(regressor(), prior=1.0).fit(X, RATINGS, verbose=0)
    trainer = kc.EMTrainer(regressor())
    trainer.fit(X, RATINGS, iterations=1, verbose=0)
    with pytest.raises(
        ValueError,
        match=r"bias, precision, scale are known\..*: a request for the confusion",
    ):
        trainer.confusion()
    trainer = kc.EMTrainer(tagger())
    trainer.fit(np.zeros((12, T, 2), "float32"), SLOTS, iterations=1, verbose=0)
    with pytest.raises(
        ValueError,
        match=r"confusion, population are known\..*: a request for the bias",
    ):
        trainer.bias()


@pytest.mark.parametrize("batched", [False, True])
def test_features_that_are_not_finite_are_refused_before_training(batched):
    x = X.copy()
    x[[3, 5]] = np.nan
    model = regressor()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"must not be NaN.* in 2 rows .*, the first at row 3"):
        kc.EMTrainer(model).fit([(x, np.arange(N))] if batched else x, RATINGS, verbose=0)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
