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
    ratings = table(seed=seed)
    predictions = np.random.default_rng(1).normal(size=len(ratings)) if with_predictions else None
    found = aggregation.raykar(ratings, predictions, strength=2.0, iterations=3)
    z, v, bias, variance, objective = references.raykar(ratings, 3, 2.0, predictions)
    np.testing.assert_allclose(found.truth, z, rtol=1e-6)
    np.testing.assert_allclose(found.truth_variance, v, rtol=1e-6)
    np.testing.assert_allclose(found.bias, bias, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.precision, 1 / variance, rtol=1e-6)
    np.testing.assert_allclose(found.log_likelihood, objective, rtol=1e-6)


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
    assert np.all(np.array(errors[1]) < [0.05, 0.2, 0.2]), errors
    assert np.all(np.array(errors[1])[:2] < np.array(errors[0])[:2]), errors
    mean_error = aggregation.mean_rating(ratings) - truth
    assert errors[1][2] < 0.5 * mean_error.std()


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
