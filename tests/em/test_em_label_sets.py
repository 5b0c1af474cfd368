"""`EMTrainer` of sets of labels: its steps against loops, gold, labels that nobody judged, and refusals."""

import keras
import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd.annotations import LabelSets

RNG = np.random.default_rng(0)
TRUTH = RNG.random((60, 3)) < [0.2, 0.4, 0.5]
X = (TRUTH + RNG.normal(size=TRUTH.shape)).astype("float32")
S, C = RNG.uniform(0.6, 0.95, (2, 5, 3))
TICKS = (RNG.random((60, 5, 3)) < np.where(TRUTH[:, None], S, 1 - C)).astype(int)
TICKS[RNG.random((60, 5)) < 0.4] = -1
TICKS[:5, :, 1] = -1
TICKS[7] = -1
SETS = kc.Annotations.from_dense(TICKS, kind=LabelSets())
STRENGTH = 3.0


def network(learning_rate=0.0, last="sigmoid"):
    keras.utils.set_random_seed(0)
    classifier = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, last)])
    if last == "sigmoid":
        classifier.compile(keras.optimizers.SGD(learning_rate), "binary_crossentropy")
    return classifier


def loops(f, q, population, gold, iterations):
    """EM with a classifier that stands still: posterior, rates, objectives."""
    objectives = []
    for _ in range(iterations + 1):
        s, c = np.zeros((2, 5, 3))
        for r, l in np.ndindex(5, 3):
            right, whole = STRENGTH * np.array([of[l] for of in population]), np.full(2, STRENGTH)
            for i in np.flatnonzero(TICKS[:, r, l] >= 0):
                right += [q[i, l] * TICKS[i, r, l], (1 - q[i, l]) * (1 - TICKS[i, r, l])]
                whole += [q[i, l], 1 - q[i, l]]
            s[r, l], c[r, l] = right / whole
        new, objective = np.zeros_like(q), 0.0
        for rates, of_all in ((s, population[0]), (c, population[1])):
            objective += STRENGTH * np.sum(of_all * np.log(rates) + (1 - of_all) * np.log(1 - rates))
        for i, l in np.ndindex(q.shape):
            there, absent = f[i, l], 1 - f[i, l]
            for r in np.flatnonzero(TICKS[i, :, l] >= 0):
                there *= s[r, l] if TICKS[i, r, l] else 1 - s[r, l]
                absent *= 1 - c[r, l] if TICKS[i, r, l] else c[r, l]
            known = {1: (1.0, there), 0: (0.0, absent), -1: (there / (there + absent), there + absent)}
            new[i, l], likelihood = known[int(gold[i, l])]
            if (TICKS[i] >= 0).any() or (gold[i] >= 0).any():
                objective += np.log(likelihood)
        objectives.append(objective)
        q, before = new, q
    return before, q, s, c, objectives[:-1]


@pytest.mark.by_turns
@pytest.mark.parametrize("with_gold", [False, True])
def test_steps_are_those_of_the_loops(with_gold):
    gold = np.full(TRUTH.shape, -1)
    if with_gold:
        gold[5:20, :2] = TRUTH[5:20, :2]
    classifier = network()
    f = classifier.predict(X, verbose=0).astype(float)
    start = np.full(TRUTH.shape, 0.3)
    known = kc.aggregation.dawid_skene_labels(SETS, gold=gold)
    population = kc.aggregation.population_rates(SETS, known.posterior)
    q, after, s, c, objectives = loops(f, np.where(gold >= 0, gold, start), population, gold, 4)
    trainer = kc.EMTrainer(classifier, strength=STRENGTH)
    history = trainer.fit(X, SETS, gold=gold, start=start, iterations=4, verbose=0)
    np.testing.assert_allclose(trainer.posterior(), q, atol=1e-5)
    np.testing.assert_allclose(trainer.estimates()["sensitivity"], s, rtol=1e-4)
    np.testing.assert_allclose(trainer.estimates()["specificity"], c, rtol=1e-4)
    np.testing.assert_allclose(history.history["log_likelihood"], objectives, rtol=1e-5)
    found = kc.aggregation.label_posterior(SETS, f, s, c)
    np.testing.assert_allclose(found[gold < 0], after[gold < 0], atol=1e-6)
    np.testing.assert_allclose(trainer.posterior()[gold >= 0], gold[gold >= 0])


@pytest.mark.only_under("torch")
def test_it_learns_and_a_label_that_nobody_judged_keeps_what_the_network_says():
    classifier = network(0.5)
    trainer = kc.EMTrainer(classifier)
    likelihoods = trainer.fit(X, SETS, iterations=15, epochs=2, verbose=0).history["log_likelihood"]
    assert likelihoods[-1] > likelihoods[0]
    assert np.mean((trainer.posterior() > 0.5) == TRUTH) > 0.75
    f = classifier.predict(X, verbose=0)
    np.testing.assert_allclose(trainer.posterior()[:5, 1], f[:5, 1], atol=1e-5)


def test_gold_moves_the_labels_of_others():
    flipped = kc.Annotations.from_dense(np.where(TICKS >= 0, 1 - TICKS, -1), kind=LabelSets())
    gold = np.where(np.arange(60)[:, None] < 30, TRUTH, -1)
    found = kc.aggregation.dawid_skene_labels(flipped, gold=gold)
    assert np.mean(found.labels[30:] == TRUTH[30:]) > 0.7
    np.testing.assert_array_equal(found.posterior[:30], TRUTH[:30])
    assert np.mean(kc.aggregation.dawid_skene_labels(flipped).labels[30:] == TRUTH[30:]) < 0.5


def test_what_does_not_fit_is_refused_before_training():
    cases = [
        ({"prior": 1.0}, {}, network(), "`prior` is for classes"),
        ({}, {"gold": np.zeros(60, int)}, network(), r"`gold` must be integers of shape \(60, 3\)"),
        ({}, {"start": "raykar"}, network(), "`start` must be"),
        ({}, {}, network(last=None), "must give a probability of each label"),
        ({}, {}, network(last="softmax"), "activation 'softmax'"),
        ({"from_logits": True}, {}, network(), "activation 'sigmoid'|from_logits"),
    ]
    for settings, given, classifier, message in cases:
        if classifier.compiled and settings.get("from_logits"):
            classifier = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, "sigmoid")])
        before = [keras.ops.convert_to_numpy(w) for w in classifier.weights]
        with pytest.raises(ValueError, match=message):
            kc.EMTrainer(classifier, **settings).fit(10 * X, SETS, verbose=0, **given)
        for old, new in zip(before, classifier.weights, strict=True):
            np.testing.assert_array_equal(old, keras.ops.convert_to_numpy(new))
    four = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "sigmoid")])
    with pytest.raises(ValueError, match="must be sets of 4 labels"):
        kc.EMTrainer(four).fit(X, SETS, verbose=0)
    with pytest.raises(ValueError, match="`probabilities` must be numbers between 0 and 1"):
        kc.aggregation.label_posterior(SETS, np.full((60, 3), 2.0), S, C)
