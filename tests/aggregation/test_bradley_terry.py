"""`bradley_terry` against a slow objective and SciPy, crowd-kit and choix, simulated annotators, errors."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import keras_crowd as kc
from keras_crowd.aggregation._preference_answers import answer_slopes

NAMES = ("reliability", "position_bias", "tie_rates")


def simulated(items=30, annotators=12, comparisons=6000, ties=True, seed=0):
    """Annotations, and the scores, reliabilities, position biases and logs of nu that made them."""
    rng = np.random.default_rng(seed)
    score = rng.normal(size=items)
    score -= score.mean()
    beta = np.exp(rng.normal(scale=0.4, size=annotators))
    beta[0] = -1.0
    position, tie = rng.normal(scale=0.6, size=annotators), rng.normal(-0.5, 0.5, annotators)
    a = rng.integers(0, items, comparisons)
    b = (a + rng.integers(1, items, comparisons)) % items
    who = rng.integers(0, annotators, comparisons)
    beta /= beta[who].mean()
    u = 0.5 * (beta[who] * (score[a] - score[b]) + position[who])
    weights = np.exp(np.stack([u, -u, tie[who]][: 2 + ties], axis=1))
    cumulated = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    said = (rng.random(comparisons)[:, None] > cumulated).sum(axis=1)
    answers = kc.Annotations.from_preferences(
        a, b, who, said, choices=(0, 1, 2)[: 2 + ties], duplicates="first"
    )
    return answers, score, beta, position, tie


def loss(answers, found, score, position, tie, mean):
    """Minus the log of the posterior, by a loop over the answers; position and tie around their means."""
    total = sum(s**2 for s in score) / (2 * found.spread["scores"] ** 2)
    place = {item: i for i, item in enumerate(found.items.tolist())}
    for name, values, center in (("position_bias", position, mean[0]), ("tie", tie, mean[1])):
        if name in found.spread:
            total += sum((v - center) ** 2 for v in values) / (2 * found.spread[name] ** 2)
    for i, r, said in zip(answers.item_index, answers.annotator_index, answers.answers, strict=True):
        first, second = (place[item] for item in answers.items[i])
        u = (score[first] - score[second] + position[r]) / 2
        weights = [np.exp(u), np.exp(-u), np.exp(tie[r])][: answers.num_classes]
        total -= np.log(weights[said] / sum(weights))
    return total


@pytest.mark.parametrize("ties", [False, True])
def test_maximum_of_the_posterior_is_scipys(ties):
    answers, *_ = simulated(5, 3, 150, ties)
    found = kc.aggregation.bradley_terry(answers, reliability=False, tolerance=1e-7, iterations=2000)
    assert found.converged
    sizes = np.cumsum([5, 3, 3])

    def objective(x):
        score, position, tie, mean = np.split(x, sizes)
        return loss(answers, found, score, position, tie, mean)

    own = [found.scores, found.position_bias, found.tie, [np.mean(found.position_bias), np.mean(found.tie)]]
    start = np.concatenate([0 * values if isinstance(values, np.ndarray) else [0, 0] for values in own])
    best = minimize(objective, start, method="BFGS", options={"gtol": 1e-6})
    theirs = np.split(best.x, sizes)
    for ours, expected in zip(own[: 2 + ties], theirs, strict=False):
        np.testing.assert_allclose(ours, expected, atol=2e-3)
    assert objective(np.concatenate(own)) == pytest.approx(best.fun, abs=1e-4)


def test_standard_errors_are_the_inverse_of_the_curvature():
    answers, *_ = simulated(6, 3, 120, ties=False)
    found = kc.aggregation.bradley_terry(answers, **dict.fromkeys(NAMES, False), score_variance=2.0)
    place = {item: i for i, item in enumerate(found.items.tolist())}
    curvature = np.eye(6) / 2.0
    for i in answers.item_index:
        first, second = (place[item] for item in answers.items[i])
        p = 1 / (1 + np.exp(found.scores[second] - found.scores[first]))
        d = np.eye(6)[first] - np.eye(6)[second]
        curvature += p * (1 - p) * np.outer(d, d)
    np.testing.assert_allclose(found.standard_error, np.sqrt(np.diag(np.linalg.inv(curvature))), rtol=1e-3)


@pytest.mark.parametrize("ties", [False, True])
def test_annotators_are_recovered_to_within_sampling_error_and_the_adversary_is_turned(ties):
    answers, score, beta, position, tie = simulated(ties=ties)
    found = kc.aggregation.bradley_terry(answers)
    assert found.converged
    assert np.mean(((found.scores - score) / found.standard_error) ** 2) < 3
    assert np.corrcoef(found.scores, score)[0, 1] > 0.98
    assert found.reliability[0] < -0.5
    assert np.abs(found.reliability - beta).max() < 0.4
    assert np.abs(found.position_bias - position).max() < 0.4
    if ties:
        assert np.abs(found.tie - tie).max() < 0.5
    assert found.reliability[answers.annotator_index].mean() == pytest.approx(1)
    plain = kc.aggregation.bradley_terry(answers, **dict.fromkeys(NAMES, False))
    assert np.corrcoef(plain.scores, score)[0, 1] < np.corrcoef(found.scores, score)[0, 1]
    assert (plain.reliability == 1).all()
    assert (plain.position_bias == 0).all()


@pytest.mark.parametrize("ties", [False, True])
def test_slopes_of_answers_are_differences_of_logs(ties):
    """Gradients and information in scores, position, ties and rate against the log of the mixture, numerically."""
    rng = np.random.default_rng(0)
    u, tie, odds = rng.normal(size=(3, 7))

    def log_p(step):
        a, b, c = np.array([u, tie, odds]) + step[:, None]
        z = np.exp(np.stack([a, -a, b][: 2 + ties]))
        e = 1 / (1 + np.exp(-c))
        return np.log((1 - e) * z / z.sum(axis=0) + e / len(z))

    p, slopes = answer_slopes(u, tie, ties, 1 / (1 + np.exp(-odds)))
    np.testing.assert_allclose(np.log(p), log_p(np.zeros(3)))
    for i, step in enumerate(1e-5 * np.eye(3)):
        np.testing.assert_allclose(slopes[i], (log_p(step) - log_p(-step)) / 2e-5, atol=1e-8)


@pytest.mark.parametrize("ties", [False, True])
def test_rates_of_random_answers_are_recovered_to_within_sampling_error(ties):
    rng = np.random.default_rng(2)
    score, rate = 2 * rng.normal(size=30), np.array([0.05] * 8 + [0.3] * 4 + [0.9])
    a, b, who = rng.integers(0, 30, (3, 9000)) % [[30], [30], [13]]
    kept = a != b
    a, b, who = a[kept], b[kept], who[kept]
    u = (score[a] - score[b]) / 2
    z = np.exp(np.stack([u, -u, 0 * u - 0.5][: 2 + ties], axis=1))
    q = (1 - rate[who])[:, None] * z / z.sum(axis=1, keepdims=True) + rate[who][:, None] / (2 + ties)
    said = (rng.random(len(u))[:, None] > np.cumsum(q, axis=1)).sum(axis=1)
    choices = (0, 1, 2)[: 2 + ties]
    answers = kc.Annotations.from_preferences(a, b, who, said, choices=choices, duplicates="first")
    own = {"reliability": False, "position_bias": False, "random_rates": True}
    found = kc.aggregation.bradley_terry(answers, **own)
    meant = z / z.sum(axis=1, keepdims=True)
    information = (
        np.bincount(who, np.sum((1 / (2 + ties) - meant) ** 2 / q, axis=1), 13) * len(answers) / len(who)
    )
    assert 0.4 < np.sqrt(np.mean((found.random_rate - rate) ** 2 * information)) < 1.4
    assert np.argmax(found.random_rate) == 12
    assert "random_rate" in found.spread
    p = found.answer_probabilities(answers)
    total = np.log(p[np.arange(len(p)), answers.answers]).sum()
    assert total == pytest.approx(found.log_likelihood)
    without = kc.aggregation.bradley_terry(answers, **own | {"random_rates": False})
    assert (without.random_rate == 0).all()
    assert found.log_likelihood > without.log_likelihood + 100


def test_held_out_answers_are_more_probable_where_annotators_count():
    answers, *_ = simulated()
    kept, held_out = answers.split(0.2)
    nats = []
    for own in (False, True):
        found = kc.aggregation.bradley_terry(kept, **dict.fromkeys(NAMES, own))
        q = found.answer_probabilities(held_out)
        np.testing.assert_allclose(q.sum(axis=1), 1)
        nats.append(-np.log(q[np.arange(len(q)), held_out.answers]).mean())
    assert nats[1] < nats[0] - 0.05
    p = found.answer_probabilities(kept)
    total = np.log(p[np.arange(len(p)), kept.answers]).sum()
    assert found.log_likelihood == pytest.approx(total)
    other = kc.Annotations.from_preferences([0], ["new"], [0], [0])
    with pytest.raises(ValueError, match=r"`pairs` must be among `items`.*'new'"):
        found.answer_probabilities(other)


def frame(answers):
    first, second = map(np.array, zip(*answers.items[answers.item_index].tolist(), strict=True))
    winner = np.where(answers.answers == 0, first, second)
    return pd.DataFrame(
        {"left": first, "right": second, "label": winner, "worker": answers.annotator_index}
    )


def test_the_plain_model_is_crowdkits():
    aggregators = pytest.importorskip("crowdkit.aggregation", reason="needs crowd-kit")
    answers, *_ = simulated(8, 6, 400, ties=False)
    theirs = aggregators.BradleyTerry(n_iter=2000, tol=-1).fit(frame(answers)).scores_.sort_index()
    table = frame(answers)
    again = kc.Annotations.from_preferences(table["left"], table["right"], table["worker"], table["label"])
    found = kc.aggregation.bradley_terry(
        again, **dict.fromkeys(NAMES, False), score_variance=1e8, tolerance=1e-8
    )
    np.testing.assert_allclose(found.scores, np.log(theirs) - np.log(theirs).mean(), atol=1e-4)


def test_the_prior_is_that_of_choix():
    choix = pytest.importorskip("choix", reason="needs choix")
    answers, *_ = simulated(8, 6, 60, ties=False)
    table = frame(answers)
    loser = np.where(table["label"] == table["left"], table["right"], table["left"])
    found = kc.aggregation.bradley_terry(
        answers, **dict.fromkeys(NAMES, False), score_variance=0.7, tolerance=1e-8
    )
    wins = list(zip(table["label"].tolist(), loser.tolist(), strict=True))
    theirs = choix.opt_pairwise(8, wins, alpha=0.5 / 0.7, tol=1e-10)
    np.testing.assert_allclose(found.scores, theirs, atol=1e-5)


def test_scores_are_finite_where_one_always_wins_and_groups_are_named():
    always = kc.Annotations.from_preferences(["a"] * 9, ["b"] * 9, range(9), ["a"] * 9)
    with pytest.warns(UserWarning, match="All answers are for the same position.*Received: 9"):
        kc.aggregation.bradley_terry(always)
    found = kc.aggregation.bradley_terry(always, position_bias=False)
    assert found.converged
    assert 1 < found.scores[0] < 100
    apart = kc.Annotations.from_preferences([0, 1, 3, 4, 9], [1, 2, 4, 5, 8], [0] * 5, [0, 2, 3, 4, 9])
    with pytest.warns(UserWarning, match=r"8 items fall into 3 groups that were never compared"):
        found = kc.aggregation.bradley_terry(apart)
    assert found.groups.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert np.abs(found.scores[:3].sum()) < 1e-4
    chain = np.arange(999)
    long = kc.Annotations.from_preferences(chain + 1, chain, chain % 5, chain + chain % 2)
    assert (kc.aggregation.bradley_terry(long, iterations=1).groups == 0).all()


def test_soft_answers_weigh_as_they_say():
    hard, *_ = simulated(5, 4, 80)
    plain = dict.fromkeys(NAMES, False) | {"score_variance": 1.0}
    of_hard, of_soft = (kc.aggregation.bradley_terry(answers, **plain) for answers in (hard, hard.soft()))
    np.testing.assert_allclose(of_soft.scores, of_hard.scores, atol=1e-6)
    even = kc.Annotations.from_dense(
        np.array([[[0.5, 0.5]]]), kind=kc.annotations.Preferences(soft=True), items=[("a", "b")]
    )
    np.testing.assert_allclose(kc.aggregation.bradley_terry(even, **plain).scores, 0, atol=1e-9)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"score_variance": 0}, "`score_variance` must be a number above 0"),
        ({"iterations": 0}, "`iterations` must be a positive integer"),
        ({"reliability": "yes"}, "`reliability` must be a bool"),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        kc.aggregation.bradley_terry(simulated(4, 2, 20)[0], **kwargs)


def test_an_answer_of_weight_two_is_two_answers():
    """Weighted answers against the same answers given by twins, of whom there are as many as the weight."""
    answers, *_ = simulated(6, 2, 60)
    kwargs = dict.fromkeys(NAMES, False) | {"score_variance": 1.0, "tolerance": 1e-9}
    weights = 1 + np.arange(len(answers)) % 3
    items = [answers.items[i] for i in answers.item_index]
    a, b, said = (
        np.repeat(np.array(values), weights, axis=0).tolist()
        for values in ([i for i, _ in items], [j for _, j in items], answers.answers)
    )
    many = kc.Annotations.from_preferences(a, b, range(len(a)), said, choices=(0, 1, 2))
    weighted = kc.aggregation.bradley_terry(answers, weights=weights, **kwargs)
    repeated = kc.aggregation.bradley_terry(many, **kwargs)
    np.testing.assert_allclose(weighted.scores, repeated.scores, atol=1e-6)
    np.testing.assert_allclose(weighted.standard_error, repeated.standard_error, atol=1e-6)
    np.testing.assert_allclose(weighted.tie[0], repeated.tie[0], atol=1e-6)
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood)
    with pytest.raises(
        ValueError, match=r"`weights` must be \d+ numbers, one for each answer, .* weights=\[1\.0\]"
    ):
        kc.aggregation.bradley_terry(answers, weights=[1.0])
    with pytest.raises(ValueError, match=r"not all 0. Received: weights="):
        kc.aggregation.bradley_terry(answers, weights=0 * weights)


def test_the_table_of_annotators_is_that_of_loops():
    answers, *_ = simulated(6, 3, 100)
    found = kc.aggregation.bradley_terry(answers)
    table = found.annotator_table(answers)
    score = dict(zip(found.items.tolist(), found.scores, strict=True))
    for r in range(3):
        mine = [
            (answers.items[i], said)
            for i, who, said in zip(
                answers.item_index, answers.annotator_index, answers.answers, strict=True
            )
            if who == r
        ]
        sides = [(score[a] > score[b]) == (said == 0) for (a, b), said in mine if said < 2]
        assert table["answers"][r] == len(mine)
        assert table["agreement"][r] == pytest.approx(np.mean(sides))
        assert table["tie_rate"][r] == pytest.approx(np.exp(found.tie[r]) / (2 + np.exp(found.tie[r])))
    np.testing.assert_array_equal(table["reliability"], found.reliability)
