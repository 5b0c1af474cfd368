"""`calibrated_posterior`: against numerical integration, and on crowds that are misled together."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate

import keras_crowd as kc

RNG = np.random.default_rng(0)
Q = RNG.dirichlet(np.full(3, 0.3), 60)
GOLD = np.where(np.arange(60) < 25, RNG.integers(3, size=60), -1)


def misled_crowd(share, num_items=4000, seed=0):
    """A posterior that is certain, right but for items whose answers have nothing to do with the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(4, size=num_items)
    said = np.where(rng.random(num_items) < share, rng.integers(4, size=num_items), truth)
    return truth, 0.996 * np.eye(4)[said] + 0.001


def test_share_is_the_mean_of_what_gold_says():
    known = GOLD >= 0
    of_gold, by_chance = Q[known, GOLD[known]], Q.mean(axis=0)[GOLD[known]]

    def density(e):
        return 3 * (1 - e) ** 2 * np.prod((1 - e) * of_gold + e * by_chance)

    whole, _ = integrate.quad(density, 0, 1)
    moment, _ = integrate.quad(lambda e: e * density(e), 0, 1)
    found = kc.aggregation.calibrated_posterior(Q, GOLD)
    np.testing.assert_allclose(found.misled, moment / whole, rtol=1e-4)
    mixed = (1 - found.misled) * Q + found.misled * Q.mean(axis=0)
    np.testing.assert_allclose(found.posterior[~known], mixed[~known])
    np.testing.assert_array_equal(found.posterior[known], np.eye(3)[GOLD[known]])
    np.testing.assert_array_equal(found.labels, found.posterior.argmax(axis=1))


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_confidence_becomes_honest(share):
    truth, q = misled_crowd(share)
    gold = np.where(np.arange(len(truth)) < 400, truth, -1)
    found = kc.aggregation.calibrated_posterior(q, gold)
    error = np.sqrt(share * (1 - share) / 400)
    assert abs(found.misled - share) < 4 * error
    rest = gold < 0
    after = kc.evaluation.calibration_error(truth[rest], found.posterior[rest])
    assert after < 4 * error < kc.evaluation.calibration_error(truth[rest], q[rest])
    np.testing.assert_array_equal(found.labels[rest], q[rest].argmax(axis=1))


def test_gold_that_is_right_leaves_little_doubt():
    truth, q = misled_crowd(0)
    shares = [
        kc.aggregation.calibrated_posterior(q, np.where(np.arange(len(truth)) < n, truth, -1)).misled
        for n in (1, 20, 500)
    ]
    assert shares[0] > 0.15 > shares[1] > 0.03 > 0.005 > shares[2]


def test_series_are_matched_by_their_index():
    ids = [f"item {i}" for i in range(60)]
    gold = pd.Series(GOLD, ids)[::-1]
    found = kc.aggregation.calibrated_posterior(pd.DataFrame(Q, ids), gold)
    np.testing.assert_allclose(
        found.posterior, kc.aggregation.calibrated_posterior(Q, GOLD).posterior, rtol=1e-12
    )


@pytest.mark.parametrize(
    ("posterior", "gold", "message"),
    [
        (Q[:, 0], GOLD, r"`posterior` must have shape \(items, classes\). Received: shape \(60,\)"),
        (2 * Q, GOLD, "`posterior`"),
        (Q, GOLD[:-1], r"`gold` must be class codes 0 to 2 of shape \(60,\)"),
        (Q, np.full(60, 3), r"`gold` must be class codes 0 to 2 of shape \(60,\)"),
        (Q, GOLD.astype(float), r"`gold` must be class codes 0 to 2 of shape \(60,\)"),
        (Q, np.full(60, -1), "`gold` must have at least one known class"),
    ],
)
def test_what_does_not_fit_is_refused(posterior, gold, message):
    with pytest.raises(ValueError, match=message):
        kc.aggregation.calibrated_posterior(posterior, gold)


def test_a_posterior_that_was_told_is_refused():
    answers = RNG.integers(0, 3, (60, 4))
    told = kc.aggregation.dawid_skene(answers, gold=GOLD, check_optima=False)
    with pytest.raises(ValueError, match="must not have seen the gold labels"):
        kc.aggregation.calibrated_posterior(told.posterior, GOLD)
    again = kc.aggregation.posterior(answers, np.tile(told.class_prior, (60, 1)), told.confusion)
    assert 0 < kc.aggregation.calibrated_posterior(again, GOLD).misled < 1
