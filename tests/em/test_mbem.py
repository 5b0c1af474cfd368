"""`MBEM`: one iteration against loops over the predictions."""

import keras
import numpy as np
import pytest

import keras_crowd as kc

N, R, K = 30, 4, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 5)).astype("float32")
ANSWERS = np.where(RNG.random((N, R)) < 0.5, -1, RNG.integers(0, K, (N, R)))
ANSWERS[3] = -1
GOLD = np.where(RNG.random(N) < 0.3, RNG.integers(0, K, N), -1)
PRIOR = RNG.random((R, K, K)) + 0.1


def trained(x, answers, iterations=1, **kwargs):
    classifier = keras.Sequential([keras.Input((x.shape[1],)), keras.layers.Dense(K, "softmax")])
    classifier.compile(keras.optimizers.Adam(0.03), "categorical_crossentropy")
    trainer = kc.EMTrainer(classifier, problem=kc.em.MBEM, prior=PRIOR)
    history = trainer.fit(x, answers, start="majority_vote", iterations=iterations, verbose=0, **kwargs)
    return trainer, classifier.predict(x, verbose=0), history


def by_loops(predicted, answers, gold):
    """Confusions, posterior and log-likelihood, item by item."""
    truth = [g if g >= 0 else int(f.argmax()) for f, g in zip(predicted, gold, strict=True)]
    informed = [(row >= 0).any() or g >= 0 for row, g in zip(answers, gold, strict=True)]
    counts, shares = PRIOR.copy(), np.ones(K)
    for k, row, known in zip(truth, answers, informed, strict=True):
        shares[k] += known
        for r in np.flatnonzero(row >= 0):
            counts[r, k, row[r]] += 1
    confusion, shares = counts / counts.sum(axis=-1, keepdims=True), shares / shares.sum()
    joint = np.array(
        [
            [
                shares[k] * np.prod([confusion[r, k, row[r]] for r in np.flatnonzero(row >= 0)])
                for k in range(K)
            ]
            for row in answers
        ]
    )
    known = gold >= 0
    evidence = np.where(known, joint[np.arange(N), gold], joint.sum(axis=1))[informed]
    posterior = np.where(known[:, None], np.eye(K)[gold], joint / joint.sum(axis=1, keepdims=True))
    return confusion, posterior, np.log(evidence).sum() + np.sum(PRIOR * np.log(confusion))


@pytest.mark.parametrize("gold", [None, GOLD], ids=["no gold", "gold"])
def test_an_iteration_is_that_of_the_loops(gold):
    trainer, predicted, history = trained(X, ANSWERS, gold=gold)
    confusion, posterior, objective = by_loops(predicted, ANSWERS, np.full(N, -1) if gold is None else gold)
    np.testing.assert_allclose(trainer.confusion(), confusion, rtol=1e-6)
    np.testing.assert_allclose(trainer.posterior(), posterior, rtol=1e-5)
    assert history.history["log_likelihood"][0] == pytest.approx(objective, rel=1e-6)


@pytest.mark.only_under("torch")
def test_one_answer_per_item_tells_who_guesses():
    draw = np.random.default_rng(1)
    truth = draw.integers(0, K, 600)
    x = (3 * np.eye(K)[truth] + draw.normal(scale=0.3, size=(600, K))).astype("float32")
    said = np.where(np.arange(600) % 2, truth, draw.integers(0, K, 600))
    answers = np.full((600, R), -1)
    answers[np.arange(600), np.arange(600) % 2] = said  # the second is always right, the first guesses
    trainer, predicted, _ = trained(x, answers, iterations=2, epochs=10, batch_size=25)
    right = trainer.confusion()[:2].diagonal(axis1=1, axis2=2).mean(axis=1)
    assert right[0] < 0.5 < 0.9 < right[1]
    assert np.mean(predicted.argmax(axis=1) == truth) > 0.97
    assert np.mean(trainer.posterior().argmax(axis=1) == truth) > 0.6
