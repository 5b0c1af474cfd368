"""Tables of ratings. NumPy only."""

import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd.aggregation import annotator_table, deviations, label_table, mean_rating, raykar

RATINGS = np.array([[1.0, 3.0, np.nan], [2.0, np.nan, np.nan], [4.0, 4.5, np.nan]])


@pytest.mark.parametrize("answers", [RATINGS, kc.Annotations.from_dense(RATINGS)])
def test_tables_of_ratings(answers):
    found = raykar(answers)
    posterior = np.stack([found.truth, found.truth_variance], axis=1)
    table = label_table(answers, posterior)
    assert list(table) == ["item", "label", "standard_deviation", "answers"]
    np.testing.assert_array_equal(table["label"], found.truth)
    np.testing.assert_allclose(table["standard_deviation"] ** 2, found.truth_variance)
    np.testing.assert_array_equal(table["answers"], [2, 1, 2])
    assert "standard_deviation" not in label_table(answers, mean_rating(answers))
    table = annotator_table(answers, posterior)
    assert list(table) == ["annotator", "answers", "bias", "rmse"]
    np.testing.assert_array_equal(table["answers"], [3, 2, 0])
    np.testing.assert_array_equal(table["bias"], deviations(answers, found.truth).bias)
    np.testing.assert_allclose(table["bias"][0], np.mean(RATINGS[:, 0] - found.truth))


def test_what_is_no_truth_of_ratings_is_refused():
    for posterior in (np.ones((3, 4)), np.ones(2)):
        with pytest.raises(ValueError, match=r"`posterior`.*Received: "):
            label_table(RATINGS, posterior)
    with pytest.raises(ValueError, match=r"`confusion` is for classes.*Received: confusion"):
        annotator_table(RATINGS, np.ones(3), np.ones((3, 2, 2)))
