"""Aggregates of ratings against the loops of `references_ratings.py`."""

import numpy as np
import pytest
import references_ratings as references

from keras_crowd import Annotations, aggregation


def table(items=20, annotators=6, seed=0):
    """Ratings; nobody rated the first item, one annotator rated once and one never."""
    rng = np.random.default_rng(seed)
    ratings = rng.normal(size=(items, 1)) + rng.normal(size=annotators)
    ratings = ratings + rng.choice([0.1, 1.0], annotators) * rng.normal(size=ratings.shape)
    ratings[rng.random(ratings.shape) < 0.4] = np.nan
    ratings[0], ratings[:, :2], ratings[3, 1] = np.nan, np.nan, 2.0
    return ratings.astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_mean_and_median_are_those_of_the_loops(seed):
    ratings = table(seed=seed)
    np.testing.assert_allclose(aggregation.mean_rating(ratings), references.mean(ratings), rtol=1e-6)
    np.testing.assert_allclose(aggregation.median_rating(ratings), references.median(ratings), rtol=1e-6)
    assert np.isnan(aggregation.mean_rating(ratings)[0])


@pytest.mark.parametrize("with_predictions", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_raykar_is_that_of_the_loops(seed, with_predictions):
    """Up to level and scale, which a convention settles in the end (with predictions, the level only)."""
    ratings = table(seed=seed)
    predictions = np.random.default_rng(1).normal(size=len(ratings)) if with_predictions else None
    found = aggregation.raykar(ratings, predictions, strength=2.0, iterations=3)
    z, v, bias, scale, variance, objective = references.raykar(ratings, 3, 2.0, predictions)
    np.testing.assert_allclose(found.precision, 1 / variance, rtol=1e-6)
    np.testing.assert_allclose(found.log_likelihood, objective, rtol=1e-6)
    factor = np.sqrt(found.truth_variance[3] / v[3])
    np.testing.assert_allclose(found.truth_variance, factor**2 * v, rtol=1e-6)
    np.testing.assert_allclose((found.truth - found.truth[3]), factor * (z - z[3]), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(found.scale[1:] * factor, scale[1:], rtol=1e-6)
    assert (factor == pytest.approx(1)) == with_predictions
    shift = np.average(bias[1:], weights=np.sum(~np.isnan(ratings), axis=0)[1:])
    np.testing.assert_allclose(found.bias[1:], bias[1:] - shift, rtol=1e-6, atol=1e-9)
    expected = found.center + found.scale * (found.truth[:, None] - found.center) + found.bias
    np.testing.assert_allclose(
        expected[:, 1:] - (bias - scale * np.nanmean(ratings) + np.nanmean(ratings))[1:],
        (scale * z[:, None])[:, 1:],
        rtol=1e-5,
        atol=1e-6,
    )


@pytest.mark.parametrize("seed", range(3))
def test_objective_never_falls_and_converges(seed):
    found = aggregation.raykar(table(200, seed=seed), iterations=500)
    assert np.diff(found.log_likelihood).min() > -1e-8
    assert found.converged


def test_raykar_recovers_biases_and_precisions_as_answers_grow():
    rng = np.random.default_rng(0)
    bias, std = rng.normal(size=8), np.tile([0.2, 1.0], 4)
    errors = []
    for items in (50, 5000):
        truth = rng.normal(size=items)
        ratings = truth[:, None] + bias + std * rng.normal(size=(items, 8))
        ratings[rng.random(ratings.shape) < 0.3] = np.nan
        found = aggregation.raykar(ratings)
        shift = np.mean((np.zeros_like(ratings) + bias)[~np.isnan(ratings)])
        errors.append(
            [
                np.abs(found.bias - (bias - shift)).max(),
                np.abs(np.log(found.precision * std**2)).max(),
                np.sqrt(np.mean((found.truth - truth - shift) ** 2)),
            ]
        )
    assert np.all(np.array(errors[1]) < [0.05, 0.3, 0.2]), errors
    assert np.all(np.array(errors[1])[:2] < np.array(errors[0])[:2]), errors
    mean_error = aggregation.mean_rating(ratings) - truth
    assert errors[1][2] < 0.5 * mean_error.std()


def affects(seed, items=100, annotators=30, answers=10):
    """Few strong feelings, clipped at 0; errors grow with them; some annotators give next to 0 whatever they see."""
    rng = np.random.default_rng(seed)
    truth = np.where(rng.random(items) < 0.6, 0.0, rng.gamma(2, 30, items))
    scale = np.where(np.arange(annotators) < 6, 0.1, np.exp(rng.normal(0, 0.5, annotators)))
    noise = (10 + 0.4 * truth)[:, None] * rng.normal(size=(items, annotators))
    ratings = np.clip(scale * truth[:, None] - 10 + noise, 0, 100)
    ratings[np.argsort(rng.random(ratings.shape), axis=1) >= answers] = np.nan
    return truth, ratings


def test_few_ratings_each_are_no_worse_than_their_mean():
    """Precisions that nothing holds would follow those who do not look: 0 for all is most precise."""
    gains = []
    for seed in range(6):
        truth, ratings = affects(seed)
        by_mean, by_em = (
            np.corrcoef(truth, found)[0, 1]
            for found in (aggregation.mean_rating(ratings), aggregation.raykar(ratings).truth)
        )
        gains.append(by_em - by_mean)
    assert np.mean(gains) > 0.005, gains
    assert np.min(gains) > -0.01, gains


def crowd_of_another_scale(items=400):
    """The crowd rates `0.6 z - 2`, and a third of it whatever comes to mind."""
    rng = np.random.default_rng(0)
    truth = rng.normal(5, 1.5, items)
    ratings = 0.6 * truth[:, None] - 2 + rng.normal(0, 0.4, 12) + 0.5 * rng.normal(size=(items, 12))
    ratings[:, 8:] = 2 + rng.normal(size=(items, 4))
    ratings[rng.random(ratings.shape) < 0.5] = np.nan
    return truth, ratings


def test_some_gold_settles_level_and_scale():
    truth, ratings = crowd_of_another_scale()
    gold = np.where(np.arange(400) < 20, truth, np.nan)
    without, found = aggregation.raykar(ratings), aggregation.raykar(ratings, gold=gold)
    factor, level = np.polyfit(without.truth[20:], truth[20:], 1)
    assert factor == pytest.approx(1 / 0.6, abs=0.15)  # 0.6 is the scale of those who look at the items
    factor, level = np.polyfit(found.truth[20:] - 5, truth[20:] - 5, 1)
    assert factor == pytest.approx(1, abs=0.15)
    assert level == pytest.approx(0, abs=0.15)
    np.testing.assert_array_equal(found.truth[:20], truth[:20])
    np.testing.assert_array_equal(found.truth_variance[:20], 0)
    expected = found.center + found.scale * (found.truth[:, None] - found.center) + found.bias
    error = (ratings - expected)[:, :8]
    assert abs(np.nanmean(error)) < 0.02
    np.testing.assert_allclose(0.5**2 * found.precision[:8], 1, atol=0.35)


def test_gold_of_all_items_leaves_lines_to_be_fitted():
    truth, ratings = crowd_of_another_scale(3000)
    truth[2500:] = truth[:500]
    found = aggregation.raykar(ratings, gold=truth)
    for r in range(8):
        known = ~np.isnan(ratings[:, r])
        slope, level = np.polyfit(truth[known] - found.center, ratings[known, r] - found.center, 1)
        assert found.scale[r] == pytest.approx(slope, abs=0.02)
        assert found.bias[r] == pytest.approx(level, abs=0.02)


def test_gold_of_nothing_changes_nothing():
    ratings = table()
    for one, other in zip(
        aggregation.raykar(ratings), aggregation.raykar(ratings, gold=np.full(20, np.nan)), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=0.05, atol=0.05)


def test_annotators_of_one_rating_or_none_are_finite():
    found = aggregation.raykar(table(200))
    assert found.bias[0] == 0
    assert np.isfinite(found.bias).all()
    assert np.isfinite(found.truth).all()
    assert found.precision[1] < 10 * np.median(found.precision)


def test_all_ratings_alike_do_no_harm():
    found = aggregation.raykar(np.full((4, 3), 2.0))
    np.testing.assert_allclose(found.truth, 2.0)
    assert np.isfinite(found.precision).all()


def test_deviations_leave_out_what_is_not_known():
    ratings = table()
    truth = np.where(np.arange(20) % 3, np.linspace(-1, 1, 20), np.nan)
    bias, rmse = aggregation.deviations(Annotations.from_dense(ratings), truth)
    for r in range(6):
        error = [ratings[i, r] - truth[i] for i in range(20) if np.isfinite(ratings[i, r] - truth[i])]
        if error:
            assert bias[r] == pytest.approx(np.mean(error), rel=1e-6)
            assert rmse[r] == pytest.approx(np.sqrt(np.mean(np.square(error))), rel=1e-6)
        else:
            assert np.isnan(bias[r])
            assert np.isnan(rmse[r])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: aggregation.mean_rating([[1, 2]]), "floats of shape .* Received: dtype int64"),
        (
            lambda: aggregation.raykar([[1.0]], strength=0),
            "`strength` must be a number above 0, finite. Received",
        ),
        (
            lambda: aggregation.raykar([[1.0]], iterations=0),
            "`iterations` must be a positive integer",
        ),
        (
            lambda: aggregation.raykar([[1.0]], [1.0], gold=[1.0]),
            "`gold` is not for use with `predictions`. Received",
        ),
        (
            lambda: aggregation.raykar([[1.0]], gold=[1]),
            "`gold` must be 1 floats, NaN where unknown. Received: shape .* int64",
        ),
        (
            lambda: aggregation.raykar([[1.0]], [1.0, 2.0]),
            r"`predictions` must be 1 finite .* shape \(2,\)",
        ),
        (
            lambda: aggregation.deviations([[1.0]], [1.0, 2.0]),
            r"`truth` must be 1 numbers, .* shape \(2,\)",
        ),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
