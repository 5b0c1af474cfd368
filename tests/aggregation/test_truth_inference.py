"""EBCC, MACE, GLAD and CROWDLAB against loops, on simulated crowds, and with gold labels."""

import numpy as np
import pandas as pd
import pytest
import references_truth as references
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import digamma, gammaln

from keras_crowd import Annotations, datasets
from keras_crowd.aggregation import _dirichlet, annotator_table, crowdlab, ebcc, glad, mace
from keras_crowd.aggregation import majority_vote as vote
from keras_crowd.evaluation import annotator_correlation, brier_score

METHODS = [ebcc, mace, glad]
FEW = {ebcc: {"num_starts": 2, "num_subtypes": 3}, mace: {"num_starts": 2}, glad: {}}


@pytest.fixture(scope="module")
def table():
    """12 items, 5 annotators, 3 classes; every item and every annotator has an answer."""
    truth = np.random.default_rng(0).integers(3, size=12)
    confusion = datasets.diagonally_dominant(5, 3, (0.4, 0.9), seed=1)
    return datasets.simulate_answers(truth, confusion, answers_per_item=3, seed=2).dense()


@pytest.fixture(scope="module")
def crowd():
    """300 items of 3 classes, 20 annotators from chance to good, 6 answers an item: truth and annotations."""
    truth = np.random.default_rng(3).integers(3, size=300)
    accuracy = np.linspace(0.34, 0.9, 20)
    confusion = np.where(np.eye(3, dtype=bool), accuracy[:, None, None], (1 - accuracy[:, None, None]) / 2)
    return truth, accuracy, datasets.simulate_answers(truth, confusion, answers_per_item=6, seed=4)


def votes_of(table, num_classes):
    counts = np.stack([(table == k).sum(axis=1) for k in range(num_classes)], axis=1)
    return counts / counts.sum(axis=1, keepdims=True)


def test_series_are_scipys():
    x = np.concatenate([np.geomspace(1e-8, 1e8, 200), [0.5, 1.0, 2.0]])
    assert_allclose(_dirichlet.digamma(x), digamma(x), rtol=1e-12, atol=1e-13)
    assert_allclose(_dirichlet.log_gamma(x), gammaln(x), rtol=1e-12, atol=1e-12)


# --- against the loops ------------------------------------------------------------------------------


@pytest.mark.parametrize("iterations", [1, 4])
def test_ebcc_is_that_of_the_loops(table, iterations):
    rng = np.random.default_rng(np.random.SeedSequence(7).spawn(1)[0])
    start = votes_of(table, 3)[:, :, None] * rng.dirichlet(np.ones(2), (len(table), 3))
    given = {"class_strength": 2.0, "subtype_strength": 0.6}
    found = ebcc(
        table, 3, num_subtypes=2, num_starts=1, seed=7, iterations=iterations, tolerance=-1, **given
    )
    rho, confusion, bound = references.ebcc(table, start, iterations, **given)
    assert_allclose(found.subtype_posterior, rho, atol=1e-10)
    assert_allclose(found.posterior, rho.sum(axis=2), atol=1e-10)
    assert_allclose(found.confusion, confusion, atol=1e-10)
    assert found.evidence[-1] == pytest.approx(bound, rel=1e-10)


@pytest.mark.parametrize("iterations", [1, 4])
def test_mace_is_that_of_the_loops(table, iterations):
    given = {"iterations": iterations, "tolerance": -1, "competence_strength": 0.7, "strength": 3.0}
    found = mace(table, 3, num_starts=1, **given)
    q, competence, habits, bound = references.mace(table, 3, votes_of(table, 3), iterations, a=0.7, s=3.0)
    assert_allclose(found.posterior, q, atol=1e-10)
    assert_allclose(found.competence, competence, atol=1e-10)
    assert_allclose(found.habits, habits, atol=1e-10)
    assert found.evidence[-1] == pytest.approx(bound, rel=1e-10)
    expected = [
        [[c * (k == l) + (1 - c) * h[l] for l in range(3)] for k in range(3)]
        for c, h in zip(competence, habits, strict=True)
    ]
    assert_allclose(found.confusion, expected, atol=1e-10)


def test_glad_is_a_maximum_of_the_loops(table):
    """Posterior and objective are those of the loops, and no parameter can be moved to a better value."""
    given = {"ability_variance": 0.8, "easiness_variance": 0.5}
    found = glad(table, 3, iterations=500, tolerance=1e-12, **given)
    a, b = found.ability, -np.log(found.difficulty)
    q, objective = references.glad_objective(table, 3, a, b, 0.8, 0.5)
    assert_allclose(found.posterior, q, atol=1e-10)
    assert found.log_likelihood[-1] == pytest.approx(objective, rel=1e-10)
    values = np.concatenate([a, b])
    for j in range(len(values)):
        for step in (-1e-3, 1e-3):
            moved = values + step * (np.arange(len(values)) == j)
            there = references.glad_objective(table, 3, moved[:5], moved[5:], 0.8, 0.5)[1]
            assert there < objective, j
    accuracy = []
    for r in range(5):
        mine = np.flatnonzero(table[:, r] >= 0)
        accuracy.append(np.mean([1 / (1 + np.exp(-a[r] * np.exp(b[i]))) for i in mine]))
    assert_allclose(found.confusion[:, 0, 0], accuracy, rtol=1e-10)
    assert_allclose(found.confusion[:, 0, 1], (1 - np.array(accuracy)) / 2, rtol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_crowdlab_is_that_of_the_loops(seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=30)
    answers = datasets.simulate_answers(
        truth, datasets.diagonally_dominant(6, 3, (0.5, 0.9), seed=seed), answers_per_item=3, seed=seed
    ).dense()
    answers[rng.random(answers.shape) < 0.3] = -1
    answers[0] = -1  # nobody answered
    answers[:, 5] = -1  # answered nothing
    answers[1] = [0, -1, -1, -1, -1, -1]
    f = rng.dirichlet([1, 1, 1], 30)
    f[np.arange(30), truth] += 1
    f /= f.sum(axis=1, keepdims=True)
    found = crowdlab(answers, f)
    q, w_r, w, quality = references.crowdlab(answers, f)
    assert_allclose(found.posterior, q, atol=1e-12)
    assert_allclose(found.annotator_weights, w_r, atol=1e-12)
    assert found.classifier_weight == pytest.approx(w)
    assert_allclose(found.annotator_quality, quality, atol=1e-12)
    assert_allclose(found.posterior[0], f[0])


# --- what they find ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_annotators_of_a_simulated_crowd_are_recovered(crowd, method):
    truth, accuracy, annotations = crowd
    found = method(annotations)
    assert (
        np.mean(found.labels == truth) > np.mean(vote(annotations, ties="random", seed=0) == truth) + 0.02
    )
    known = annotator_table(annotations, found.posterior, found.confusion)["accuracy"]
    assert annotator_correlation(known, accuracy).pearson > 0.9
    assert np.abs(known - accuracy).mean() < 0.08
    assert_allclose(found.posterior.sum(axis=1), 1)
    assert_allclose(found.confusion.sum(axis=-1), 1)


def test_ebcc_sees_that_annotators_are_misled_together():
    """Of each class some items look like the next class, to all annotators alike."""
    rng = np.random.default_rng(2)
    truth, misleading = rng.integers(4, size=500), rng.random(500) < 0.4
    chance = rng.random((500, 9))
    lured = np.where(chance < 0.55, truth[:, None], (truth[:, None] + 1) % 4)
    clear = np.where(chance < 0.95, truth[:, None], rng.integers(0, 4, (500, 9)))
    table = np.where(misleading[:, None], lured, clear)
    found, single = ebcc(table, num_subtypes=3, num_starts=3), ebcc(table, num_subtypes=1, num_starts=1)
    assert found.evidence[-1] > single.evidence[-1] + 100
    assert brier_score(truth, found.posterior) < 0.7 * brier_score(truth, single.posterior)


def test_mace_knows_habits(crowd):
    """An annotator who always says 2 is no good, and says 2; one who is always right is."""
    truth, _, annotations = crowd
    table = np.column_stack([annotations.dense(), np.full(300, 2), truth])
    found = mace(table, num_starts=2)
    assert found.competence[20] < 0.1
    assert found.habits[20, 2] > 0.9
    assert found.competence[21] > 0.95
    assert_array_equal(found.labels, mace(table, num_starts=1).labels)


def test_glad_knows_difficult_items():
    rng = np.random.default_rng(0)
    truth, hard = rng.integers(2, size=200), np.arange(200) < 60
    right = np.where(hard[:, None], 0.55, 0.95) > rng.random((200, 15))
    found = glad(np.where(right, truth[:, None], 1 - truth[:, None]))
    assert np.median(found.difficulty[hard]) > 1.5 * np.median(found.difficulty[~hard])
    alike = glad(np.where(right, truth[:, None], 1 - truth[:, None]), easiness_variance=1e-8)
    assert_allclose(alike.difficulty, np.exp(-1), rtol=1e-4)


def test_crowdlab_weights_follow_what_a_source_knows(crowd):
    truth, accuracy, annotations = crowd
    perfect, useless = np.eye(3)[truth] * 0.97 + 0.01, np.full((300, 3), 1 / 3)
    good, bad = crowdlab(annotations, perfect), crowdlab(annotations, useless)
    assert good.classifier_weight > 100 * bad.classifier_weight
    assert np.mean(good.labels == truth) > np.mean(bad.labels == truth)
    assert annotator_correlation(good.annotator_quality, accuracy).pearson > 0.9


# --- properties and limits --------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_the_objective_never_falls(crowd, method):
    _, _, annotations = crowd
    found = method(annotations, iterations=30, tolerance=-1, **FEW[method])
    objective = found.log_likelihood if method is glad else found.evidence
    assert len(objective) == 30
    assert np.all(np.diff(objective) > -1e-8)
    assert not found.converged
    assert method(annotations, tolerance=1e-3, **FEW[method]).converged


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_gold_labels_are_kept_and_tell_the_annotators(crowd, method):
    """All annotators but two answer another class than the true one: only gold labels can tell."""
    truth, _, _ = crowd
    rng = np.random.default_rng(0)
    table = np.where(rng.random((300, 6)) < 0.9, (truth[:, None] + 1) % 3, truth[:, None])
    table[:, 4:] = np.where(rng.random((300, 2)) < 0.9, truth[:, None], 0)
    table[290:] = -1
    gold = np.where((np.arange(300) < 150) | (np.arange(300) == 299), truth, -1)
    found, without = (method(table, 3, gold=given, **FEW[method]) for given in (gold, None))
    assert_array_equal(found.posterior[gold >= 0], np.eye(3)[truth[gold >= 0]])
    assert np.mean(found.labels[150:290] == truth[150:290]) > 0.85
    assert np.mean(without.labels[150:290] == truth[150:290]) < 0.5
    nothing = method(table, 3, gold=np.full(300, -1), **FEW[method])
    assert_array_equal(nothing.posterior, without.posterior)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_missing_answers_and_unanswered_items_change_nothing(crowd, method):
    _, _, annotations = crowd
    table = annotations.dense()
    more = np.vstack([table, np.full((5, 20), -1)])
    found, padded = method(table, 3, **FEW[method]), method(more, 3, **FEW[method])
    assert_allclose(padded.posterior[:300], found.posterior, atol=1e-12)
    assert np.ptp(padded.posterior[300:], axis=0).max() == 0
    assert_allclose(padded.posterior[300:].sum(axis=1), 1)
    columns = np.hstack([table, np.full((300, 1), -1)])
    assert_allclose(method(columns, 3, **FEW[method]).posterior, found.posterior, atol=1e-12)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_soft_answers_that_are_sure_are_hard_ones(crowd, method):
    _, _, annotations = crowd
    soft, hard = (method(given, **FEW[method]) for given in (annotations.soft(), annotations))
    assert_allclose(soft.posterior, hard.posterior, atol=1e-9)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_the_order_of_items_and_annotators_does_not_matter(crowd, method):
    _, _, annotations = crowd
    table, rng = annotations.dense(), np.random.default_rng(0)
    rows, columns = rng.permutation(300), rng.permutation(20)
    given = {} if method is glad else {"num_starts": 1}
    if method is ebcc:  # whose start is by chance otherwise
        given |= {"num_subtypes": 1}
    found, turned = (method(values, 3, **given) for values in (table, table[rows][:, columns]))
    assert_allclose(turned.posterior, found.posterior[rows], atol=1e-8)
    assert_allclose(turned.confusion, found.confusion[columns], atol=1e-8)


def test_one_class_only():
    for method in METHODS:
        assert method(Annotations.from_coo(["a"], ["ann"], ["cat"])).labels.tolist() == [0]


def test_seeds_repeat():
    table = np.random.default_rng(0).integers(0, 3, (40, 6))
    for method in (ebcc, mace):
        one, other = (method(table, seed=5, **FEW[method]) for _ in range(2))
        assert_array_equal(one.posterior, other.posterior)
    assert np.any(
        ebcc(table, num_starts=1, seed=5).posterior != ebcc(table, num_starts=1, seed=6).posterior
    )


def test_crowdlab_reads_frames_by_their_ids():
    annotations = Annotations.from_coo(["a", "a", "b"], ["x", "y", "x"], ["cat", "cat", "dog"])
    frame = pd.DataFrame({"dog": [0.8, 0.3], "cat": [0.2, 0.7]}, index=["b", "a"])
    expected = crowdlab(annotations, [[0.7, 0.3], [0.2, 0.8]])
    assert_array_equal(crowdlab(annotations, frame).posterior, expected.posterior)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: ebcc(t, num_subtypes=0), "`num_subtypes` must be a positive integer"),
        (lambda t: ebcc(t, num_starts=0), "`num_starts` must be a positive integer"),
        (lambda t: ebcc(t, strength=[1, -1, 1]), "`strength` must be"),
        (lambda t: ebcc(t, class_strength=0), "`class_strength` must be"),
        (lambda t: mace(t, strength=0), "`strength` must be"),
        (lambda t: mace(t, gold=[0, 1]), "`gold` must be class codes of shape"),
        (lambda t: mace(t, iterations=0), "`iterations` must be a positive integer"),
        (lambda t: glad(t, ability_variance=0), "`ability_variance` must be"),
        (lambda t: glad(t, tolerance="no"), "`tolerance` must be"),
        (lambda t: crowdlab(t, np.ones((12, 3))), "must have rows that sum to 1"),
        (lambda t: crowdlab(np.eye(3)[t] + 0.0, np.full((12, 3), 1 / 3)), "`crowdlab` takes hard answers"),
        (
            lambda t: crowdlab(np.where(np.eye(12, 5), t, -1), np.full((12, 3), 1 / 3)),
            "item with several answers",
        ),
        (lambda t: glad(np.full((2, 2), 0.5)), "Class answers are needed here|classes"),
    ],
)
def test_bad_arguments_are_named(table, call, message):
    with pytest.raises(ValueError, match=message):
        call(table)
