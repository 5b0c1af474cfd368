"""Shares corrected for how predictions err: against the formula in loops, and how often intervals cover."""

import numpy as np
import pytest

from keras_crowd.evaluation import confusion_corrected_mean

NAN = float("nan")


def test_mean_is_that_of_sensitivity_and_specificity():
    predictions = np.array([1, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 0], float)
    gold = np.array([1, 1, 1, 1, 0, 0, 0, 0, NAN, NAN, NAN, NAN])
    found = confusion_corrected_mean(predictions, gold)
    sensitivity, specificity, positive = 3 / 4, 3 / 4, 7 / 12
    assert found.mean == pytest.approx((positive + specificity - 1) / (sensitivity + specificity - 1))
    assert 0 <= found.low < found.mean < found.high <= 1
    scaled = confusion_corrected_mean(10 * predictions - 3, gold)
    assert scaled.mean == pytest.approx(found.mean)
    assert scaled.standard_error == pytest.approx(found.standard_error)


def test_intervals_cover_where_gold_is_chosen_by_class():
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(400):
        truth = (rng.random(1500) < 0.8).astype(float)
        predictions = np.where(rng.random(1500) < np.where(truth > 0, 0.85, 0.7), truth, 1 - truth)
        gold = np.full(1500, NAN)
        for k in (0, 1):
            gold[np.flatnonzero(truth == k)[:80]] = k
        found = confusion_corrected_mean(predictions, gold)
        covered.append(found.low < 0.8 < found.high)
    assert 0.92 < np.mean(covered) <= 0.98


@pytest.mark.parametrize(
    ("predictions", "gold", "message"),
    [
        ([0, 1, NAN, 1, 1, 1], [0, 0, 0, 1, 1, 1], "`predictions` must be finite numbers"),
        ([0, 1, 0, 1, 1, 1], [0, 0, NAN, 1, 1, 1], "2 zeros and 3 ones"),
        ([0, 1, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0.5], "`gold` must be 0 or 1, NaN where unknown"),
        ([1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1], "`predictions` must differ between gold 0 and gold 1"),
    ],
)
def test_bad_arguments_are_named(predictions, gold, message):
    with pytest.raises(ValueError, match=message):
        confusion_corrected_mean(predictions, gold)
