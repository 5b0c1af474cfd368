"""The two sums of expectation maximization, against plain accumulation."""

import numpy as np
import pytest

from keras_crowd import aggregation
from keras_crowd.annotations import as_annotations

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def annotations():
    """9,000 items in three blocks, 0 to 6 answers each, one with 40."""
    given = RNG.random((9000, 40)) < RNG.choice([0, 0.03, 0.1], 9000)[:, None]
    given[5000] = True
    return as_annotations(np.where(given, RNG.integers(0, 3, given.shape), -1), 3)


def test_log_likelihood_of_each_item_is_the_sum_over_its_answers(annotations):
    log_confusion = np.log(RNG.dirichlet(np.ones(3), (40, 3)))
    expected = np.zeros((9000, 3))
    given = log_confusion[annotations.annotator_index, :, annotations.answers]
    np.add.at(expected, annotations.item_index, given)
    found = aggregation.AnswerSums(annotations).log_likelihood(log_confusion)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_expected_counts_are_the_sum_of_the_posteriors(annotations):
    posterior = RNG.dirichlet(np.ones(3), 9000)
    expected = np.zeros((40, 3, 3))
    for r, i, answer in zip(
        annotations.annotator_index, annotations.item_index, annotations.answers, strict=True
    ):
        expected[r, :, answer] += posterior[i]
    found = aggregation.AnswerSums(annotations).expected_counts(posterior)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_log_normalize_survives_what_underflows():
    posterior, evidence = aggregation.log_normalize(np.array([[-2000.0, -2000.0], [0.0, np.log(3.0)]]))
    np.testing.assert_allclose(posterior, [[0.5, 0.5], [0.25, 0.75]])
    np.testing.assert_allclose(evidence, [-2000 + np.log(2), np.log(4)])
