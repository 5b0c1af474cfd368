"""ActiveLab's score against the formula in loops."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_crowd.acquisition import activelab_scores
from keras_crowd.annotations import Annotations


def slow(table, num_classes, f=None):
    votes = [[list(row).count(k) for k in range(num_classes)] for row in table]
    consensus = [int(np.argmax(np.array(v) + (0 if f is None else f[i] / 2))) for i, v in enumerate(votes)]
    several = [i for i, v in enumerate(votes) if sum(v) > 1]
    right = np.mean([votes[i][consensus[i]] / sum(votes[i]) for i in several])
    commonest = int(np.argmax(np.sum(votes, axis=0)))
    baseline = np.mean([consensus[i] == commonest for i in several])

    def weight(agreement):
        return max(1 - (1 - agreement) / (1 - baseline), 1e-3)

    weights = []
    for j in range(table.shape[1]):
        same = [table[i, j] == table[i, l] for i in several for l in range(table.shape[1])
                if l != j and table[i, j] >= 0 and table[i, l] >= 0]  # fmt: skip
        weights.append(weight(np.mean(same)))
    scores = []
    for i, row in enumerate(table):
        top, bottom = np.mean(weights) / num_classes, np.mean(weights)
        for j in np.flatnonzero(row >= 0):
            chance = right if row[j] == consensus[i] else (1 - right) / (num_classes - 1)
            top, bottom = top + weights[j] * chance, bottom + weights[j]
        if f is not None:
            agreed = np.mean([np.argmax(f[k]) == consensus[k] for k in several])
            w_f = weight(agreed) * np.sqrt(np.mean([sum(v) for v in votes if sum(v)]))
            top, bottom = top + w_f * f[i][consensus[i]], bottom + w_f
        scores.append(top / bottom)
    return scores


@pytest.mark.parametrize("with_classifier", [False, True])
def test_scores_are_those_of_the_loops(with_classifier):
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=25)
    table = np.where(rng.random((25, 5)) < 0.7, truth[:, None], rng.integers(3, size=(25, 5)))
    table[rng.random(table.shape) < 0.5] = -1
    table[3] = -1
    f = rng.dirichlet(np.ones(3), 25) if with_classifier else None
    found = activelab_scores(Annotations.from_dense(table, classes=3), f)
    assert_allclose(found, slow(table, 3, f))


def test_one_answer_each_and_soft_answers():
    scores = activelab_scores([[0, -1], [-1, 1], [-1, -1]])
    assert np.isfinite(scores).all()
    assert scores[2] == pytest.approx(0.5)
    with pytest.raises(ValueError, match="`activelab_scores` takes hard answers"):
        activelab_scores(np.full((2, 2, 2), 0.5))
