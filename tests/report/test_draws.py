"""Draws of a crowd: against the exact posterior of a small one, and how often their intervals hold the truth."""

import functools
import itertools
import math

import numpy as np
from numpy.testing import assert_allclose

from keras_crowd import Annotations
from keras_crowd.aggregation import _draws as draws
from keras_crowd.aggregation import _population as population
from keras_crowd.aggregation import dawid_skene
from keras_crowd.report._intervals import of_draws, wilson


def rising(x, n):
    return math.prod(x + i for i in range(n))


@functools.cache
def row_probability(counts, s, a):
    """Of one annotator's counts `(true, answer)`: a product of Dirichlet integrals, cell by cell."""
    num_classes, found = len(counts), 1.0
    for k, row in enumerate(counts):
        c = [s * (a if answer == k else (1 - a) / (num_classes - 1)) for answer in range(num_classes)]
        found *= math.prod(map(rising, c, row)) / rising(s, sum(row))
    return found


def exact_posterior(table, num_classes):
    """Probability of each class for each item, by going through all true classes and all of what is drawn."""
    means = 1 / num_classes + (1 - 1 / num_classes) * np.linspace(0.03, 0.97, 19)
    sizes = np.geomspace(1, 200, 18)
    betas = [(m * c, (1 - m) * c) for m in means for c in sizes]
    grid = np.linspace(0.01, 0.99, 50)
    density = np.array(
        [
            grid ** (a - 1)
            * (1 - grid) ** (b - 1)
            / math.exp(math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b))
            for a, b in betas
        ]
    )
    total = np.zeros((len(table), num_classes))
    for z in itertools.product(range(num_classes), repeat=len(table)):
        prior = math.prod(map(math.factorial, np.bincount(z, minlength=num_classes).tolist()))
        counts = np.zeros((len(table[0]), num_classes, num_classes), int)
        for k, row in zip(z, table, strict=True):
            for r, answer in enumerate(row):
                counts[r, k, answer] += answer >= 0
        weight = 0.0
        for s in 2.0 ** np.arange(11):
            likelihood = [
                [row_probability(tuple(map(tuple, n.tolist())), s, a) for a in grid] for n in counts
            ]
            weight += np.prod(density @ np.array(likelihood).T, axis=1).sum()
        total[np.arange(len(table)), z] += prior * weight
    return total / total.sum(axis=1, keepdims=True)


def test_true_classes_are_drawn_from_the_exact_posterior():
    table = [[0, 0, 0], [0, 0, 1], [1, 1, -1], [1, 0, -1]]
    annotations = Annotations.from_dense(np.array(table))
    found = draws.draw_crowd(annotations, dawid_skene(annotations).posterior, draws=2500, seed=0)
    expected = exact_posterior(table, 2)
    assert_allclose(found.posterior, expected, atol=0.05)
    shares = np.stack([(found.true == k).mean(axis=0) for k in range(2)], axis=1)
    assert_allclose(shares, expected, atol=0.05)


def test_likelihood_of_counts():
    counts = np.random.default_rng(0).integers(0, 4, (3, 3, 3))
    counts[1] = 0
    likelihood = population.RowLikelihood(counts)
    all_, a = likelihood.at_all(4.0), population.ACCURACIES[[3, 20, 44]]
    slow = np.log(
        [
            [row_probability(tuple(map(tuple, n.tolist())), 4.0, x) for x in population.ACCURACIES]
            for n in counts
        ]
    )
    assert_allclose(all_ - all_[:, :1], slow - slow[:, :1], atol=1e-8)
    expected = sum(
        math.log(row_probability(tuple(map(tuple, n.tolist())), 4.0, x))
        for n, x in zip(counts, a, strict=True)
    )
    assert_allclose(likelihood.at(4.0, a), expected, atol=1e-8)


def test_log_gamma():
    x = np.geomspace(1e-3, 1e5, 40)
    assert_allclose(population.log_gamma(x), [math.lgamma(value) for value in x], atol=1e-8, rtol=1e-12)


def crowd(num_classes, seed, num_annotators=60):
    """Annotators with 5 to 200 answers each, five answers per item, and rows that differ from one coin."""
    rng = np.random.default_rng(seed)
    accuracy, right = rng.beta(5, 2, num_annotators), np.eye(num_classes, dtype=bool)
    coins = np.where(
        right, accuracy[:, None, None], ((1 - accuracy) / max(num_classes - 1, 1))[:, None, None]
    )
    confusion = rng.standard_gamma(6 * coins) + 1e-9
    confusion /= confusion.sum(axis=2, keepdims=True)
    n = np.exp(rng.uniform(np.log(5), np.log(200), num_annotators)).astype(int)
    share = rng.dirichlet(np.full(num_classes, 10))
    truth = rng.choice(num_classes, max(n.sum() // 5, 200), p=share)
    item = np.concatenate([rng.choice(len(truth), m, replace=False) for m in n])
    who = np.repeat(np.arange(num_annotators), n)
    answer = (confusion[who, truth[item]].cumsum(axis=1) < rng.random((len(item), 1))).sum(axis=1)
    ids = {
        "items": np.arange(len(truth)),
        "annotators": np.arange(num_annotators),
        "classes": np.arange(num_classes),
    }
    return Annotations(item, who, np.minimum(answer, num_classes - 1), **ids), confusion, truth, share


def test_intervals_hold_the_truth():
    """`benchmarks/report.py` counts it over many crowds; here one tells gross mistakes."""
    annotations, confusion, truth, share = crowd(3, 0)
    found = draws.draw_crowd(annotations, dawid_skene(annotations).posterior, draws=200)
    diagonal = np.diagonal(confusion, axis1=1, axis2=2)
    for drawn, true in ((found.accuracy, diagonal @ share), (found.recall, diagonal)):
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        assert 0.88 <= np.mean((low <= true) & (true <= high)) < 1
    labels = found.posterior.argmax(axis=1)
    assert_allclose((found.true == labels).mean(), (truth == labels).mean(), atol=0.03)
    assert np.mean(found.surprise < 0.05) < 0.05


def test_classifiers_predictions_take_the_place_of_class_shares():
    annotations = Annotations.from_dense([[0], [1], [0], [1]])
    prior = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], float)
    found = draws.draw_crowd(annotations, np.full((4, 2), 0.5), prior, draws=30)
    assert_allclose(found.posterior, prior, atol=1e-6)


def test_few_draws_widen_the_interval():
    """Of 40 draws alike, the last one is neither the lowest nor the highest in 38 of 40 cases, 95 percent."""
    drawn = np.random.default_rng(0).normal(size=(39, 5))
    assert_allclose(of_draws(drawn), [drawn.min(axis=0), drawn.max(axis=0)])
    many = of_draws(np.linspace(0, 1, 100_000)[:, None])
    assert_allclose(many, [[0.025], [0.975]], atol=1e-4)


def test_wilson():
    """The ends of the interval are where a score test just refuses the share."""
    low, high = wilson(np.array([7, 0]), np.array([10, 0]))
    for p in (low[0], high[0]):
        assert_allclose(abs(0.7 - p) / math.sqrt(p * (1 - p) / 10), 1.959964, rtol=1e-6)
    assert np.isnan(low[1])
    assert np.isnan(high[1])
