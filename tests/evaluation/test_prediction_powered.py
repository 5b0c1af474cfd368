"""Means with intervals from predictions and some gold values: against statsmodels, limits, and simulated coverage."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from keras_crowd._student import student_quantile
from keras_crowd.evaluation import prediction_powered_mean


def draw(seed, size=300, num_gold=50, noise=0.5):
    rng = np.random.default_rng(seed)
    y = rng.normal(2.0, 1.0, size)
    return y + rng.normal(0.3, noise, size), np.where(np.arange(size) < num_gold, y, np.nan)


def test_of_endless_other_items_it_is_the_regression_at_their_mean():
    statsmodels = pytest.importorskip("statsmodels.api")
    f, gold = draw(0, num_gold=30)
    f = np.concatenate([f[:30], np.tile(f[30:], 1_000)])  # the mean of the predictions is as good as known
    gold = np.concatenate([gold[:30], np.full(len(f) - 30, np.nan)])
    regression = statsmodels.OLS(gold[:30], statsmodels.add_constant(f[:30])).fit()
    expected = regression.get_prediction([[1.0, f[30:].mean()]]).summary_frame(alpha=0.1)
    found = prediction_powered_mean(f, gold, confidence_level=0.9)
    assert_allclose(found.prediction_weight, regression.params[1], rtol=1e-3)
    assert_allclose(found.mean, expected["mean"][0], rtol=1e-3)
    assert_allclose(found.standard_error, expected["mean_se"][0], rtol=1e-3)
    assert_allclose(
        [found.low, found.high], expected[["mean_ci_lower", "mean_ci_upper"]].iloc[0], rtol=1e-3
    )


def test_the_weight_makes_the_variance_smallest():
    """By the definition: mean(y) + w (mean f of the others - mean f of gold items), its variance over draws."""
    weights, estimates = [], []
    for seed in range(200):
        f, gold = draw(seed, size=120, num_gold=60)
        found = prediction_powered_mean(f, gold)
        weights.append(found.prediction_weight)
        by_weight = [np.nanmean(gold) + w * (f[60:].mean() - f[:60].mean()) for w in (0.0, 1.0)]
        estimates.append([found.mean, *by_weight])
        chosen = np.nanmean(gold) + found.prediction_weight * (f[60:].mean() - f[:60].mean())
        assert_allclose(found.mean, chosen)
    assert_allclose(np.mean(weights), 0.8 / 2, atol=0.02)  # cov / var, over 1 + n / N
    assert np.var(estimates, axis=0).argmin() == 0


def test_predictions_that_tell_nothing_leave_the_mean_of_gold():
    _, gold = draw(1)
    found = prediction_powered_mean(np.ones(300), gold)
    known = gold[:50]
    assert_allclose(found.mean, known.mean())
    assert_allclose(found.standard_error, known.std(ddof=1) / np.sqrt(50))
    assert found.prediction_weight == 0


def test_gold_of_all_items_is_the_plain_mean():
    f, gold = draw(2, size=40, num_gold=40)
    assert_allclose(prediction_powered_mean(f, gold).mean, gold.mean())


def test_units_and_an_offset_of_the_predictions_do_not_matter():
    f, gold = draw(3)
    one, other = prediction_powered_mean(f, gold), prediction_powered_mean(-7 * f + 100, gold)
    assert_allclose(other[:4], one[:4], rtol=1e-10)
    assert_allclose(other.prediction_weight, -one.prediction_weight / 7)


@pytest.mark.parametrize("binary", [False, True])
def test_intervals_contain_the_mean_as_often_as_they_say(binary):
    hits, shorter = [], []
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        if binary:
            y = (rng.random(400) < 0.7).astype(float)
            f = np.where(rng.random(400) < 0.85, y, 1 - y)
        else:
            y = rng.normal(0.7, 1.0, 400)
            f = y + rng.normal(0, 0.5, 400)
        found = prediction_powered_mean(f, np.where(np.arange(400) < 50, y, np.nan))
        hits.append(found.low <= 0.7 <= found.high)
        shorter.append(found.standard_error < y[:50].std(ddof=1) / np.sqrt(50))
    assert 0.93 <= np.mean(hits) <= 0.97
    assert np.mean(shorter) > 0.9


def test_a_few_items_without_a_mistake_leave_doubt():
    y = np.arange(300) % 2.0
    found = prediction_powered_mean(y, np.where(np.arange(300) < 20, y, np.nan))
    assert found.high - found.low > 0.1


def test_series_are_matched_by_their_index():
    f, gold = draw(4, size=30, num_gold=10)
    index = [f"i{i:02d}" for i in range(30)]
    found = prediction_powered_mean(pd.Series(f, index), pd.Series(gold, index)[::-1])
    assert_allclose(found, prediction_powered_mean(f, gold))


@pytest.mark.parametrize(("p", "tolerance"), [(0.9, 1e-3), (0.975, 2e-3), (0.995, 1e-2)])
def test_quantiles_of_students_distribution(p, tolerance):
    stats = pytest.importorskip("scipy.stats")
    degrees = [1, 2, 3, 4, 7, 18, 48, 1000]
    found = [student_quantile(p, d) for d in degrees]
    assert_allclose(found, stats.t.ppf(p, degrees), rtol=tolerance)


@pytest.mark.parametrize(
    ("predictions", "gold", "message"),
    [
        ([1, 2, np.nan], [1.0, 2.0, 3.0], "`predictions` must be finite numbers .* 1 not finite"),
        ([1, 2, 3, 4], [1.0, 2.0, 3.0], r"`gold` must be numbers of shape \(4,\)"),
        ([1, 2, 3, 4], [1.0, 2.0, np.nan, np.nan], "at least 3 of them known. Received: .* 2 known"),
    ],
)
def test_what_gives_no_interval_is_refused(predictions, gold, message):
    with pytest.raises(ValueError, match=message):
        prediction_powered_mean(predictions, gold)
