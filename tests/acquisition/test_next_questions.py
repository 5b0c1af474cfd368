"""Questions: gains by enumeration of all answers, choices by a slow greedy oracle, and what a plan must keep to."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_crowd.acquisition import expected_gain, next_questions
from keras_crowd.aggregation import dawid_skene, posterior
from keras_crowd.annotations import Annotations

CRITERIA = ["mixed", "information", "accuracy"]


def value(q, criterion):
    information = sum(p * np.log(p) for p in q if p > 0)
    return {"accuracy": q.max(), "information": information, "mixed": q.max() + information / 10}[criterion]


def gain_of(q, matrices, criterion):
    """Slow oracle: what the answers of these annotators bring together, answer by answer."""
    num_classes = len(q)
    total = -value(q, criterion)
    for answers in itertools.product(range(num_classes), repeat=len(matrices)):
        joint = np.array(
            [
                q[k] * np.prod([A[k, l] for A, l in zip(matrices, answers, strict=True)])
                for k in range(num_classes)
            ]
        )
        if joint.sum() > 0:
            total += joint.sum() * value(joint / joint.sum(), criterion)
    return total


def slow_plan(q, matrices, asked, budget, costs, criterion, min_gain=1e-10):
    """One question after another, each the best of all that are left."""
    plan, asked = [], {item: set(who) for item, who in asked.items()}
    chosen = {item: [] for item in range(len(q))}
    while True:
        options = []
        for i, r in itertools.product(range(len(q)), range(len(matrices))):
            if r not in asked.get(i, set()) and costs[r] <= budget:
                both = gain_of(q[i], matrices[[*chosen[i], r]], criterion)
                gain = both - gain_of(q[i], matrices[chosen[i]], criterion)
                options += [(gain, i, r)] if gain >= min_gain else []
        if not options:
            return plan
        gain, i, r = max(options, key=lambda option: option[0] / costs[option[2]])
        plan.append((i, r, gain))
        asked.setdefault(i, set()).add(r)
        chosen[i].append(r)
        budget -= costs[r]


def crowd(num_items=6, num_annotators=4, num_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    table = rng.integers(num_classes, size=(num_items, num_annotators))
    table[rng.random(table.shape) < 0.6] = -1
    table[0] = -1
    q = rng.dirichlet(np.ones(num_classes), num_items)
    matrices = rng.dirichlet(np.ones(num_classes), (num_annotators, num_classes))
    matrices = matrices / 2 + np.eye(num_classes) / 2
    return Annotations.from_dense(table, classes=num_classes), q, matrices


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("num_classes", [2, 4])
def test_gain_is_that_of_all_answers(criterion, num_classes):
    _, q, matrices = crowd(num_classes=num_classes, seed=1)
    expected = [[gain_of(row, A[None], criterion) for A in matrices] for row in q]
    assert_allclose(expected_gain(q, matrices, criterion=criterion), expected, atol=1e-12)


def test_limits_of_the_gain():
    oracle, guess = np.eye(3), np.full((3, 3), 1 / 3)
    q = np.array([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]])
    entropy = -np.sum(q[0] * np.log(q[0]))
    assert_allclose(
        expected_gain(q, [oracle, guess], criterion="information"), [[entropy, 0], [0, 0]], atol=1e-12
    )
    assert_allclose(expected_gain(q, [oracle, guess], criterion="accuracy"), [[0.5, 0], [0, 0]], atol=1e-12)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize(("seed", "min_gain"), [(0, 0.0), (1, 0.0), (0, 0.02), (1, 0.05)])
def test_plan_is_that_of_the_slow_oracle(seed, min_gain, criterion):
    annotations, f, matrices = crowd(num_items=4, num_annotators=3, seed=seed)
    costs = np.array([1.0, 2.5, 0.7])
    q = posterior(annotations, f, matrices)
    asked = {}
    for i, r in zip(annotations.item_index, annotations.annotator_index, strict=True):
        asked.setdefault(int(i), set()).add(int(r))
    expected = slow_plan(q, matrices, asked, 5.0, costs, criterion, max(min_gain, 1e-10))
    given = {"criterion": criterion, "min_gain": min_gain}
    found = next_questions(annotations, 5.0, costs=costs, probabilities=f, confusion=matrices, **given)
    assert found["item"].tolist() == [i for i, _, _ in expected]
    assert found["annotator"].tolist() == [r for _, r, _ in expected]
    assert_allclose(found["gain"], [gain for _, _, gain in expected], atol=1e-10)


def pairs(annotations):
    return set(
        zip(
            annotations.items[annotations.item_index].tolist(),
            annotations.annotators[annotations.annotator_index].tolist(),
            strict=True,
        )
    )


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("seed", range(4))
def test_plans_keep_to_what_was_said(criterion, seed):
    annotations, f, _ = crowd(num_items=30, num_annotators=8, seed=seed)
    rng = np.random.default_rng(seed)
    costs = rng.uniform(0.5, 2, 8)
    available = rng.random((30, 8)) < 0.7
    arguments = {"costs": costs, "available": available, "most_per_annotator": 3, "criterion": criterion}
    table = next_questions(annotations, 20, probabilities=f, **arguments)
    asked = list(zip(table["item"].tolist(), table["annotator"].tolist(), strict=True))
    assert len(asked) == len(set(asked)) > 8
    assert not set(asked) & pairs(annotations)
    assert table["cost"].sum() <= 20
    assert_array_equal(table["cost"], costs[table["annotator"]])
    assert available[table["item"], table["annotator"]].all()
    assert np.bincount(table["annotator"]).max() <= 3
    assert np.all(table["gain"] > 0)
    again = next_questions(annotations, 20, probabilities=f, **arguments)
    for name, column in table.items():
        assert_array_equal(column, again[name])


def test_everything_is_asked_where_money_is_no_matter():
    annotations, f, matrices = crowd(num_items=10, num_annotators=4)
    table = next_questions(annotations, 1e6, probabilities=f, confusion=matrices, min_gain=0)
    assert len(table["item"]) + len(annotations) == 40
    few = next_questions(annotations, 7, probabilities=f, confusion=matrices)
    assert len(few["item"]) == 7


def test_nothing_is_asked_that_is_worth_less_than_asked_for():
    annotations, f, matrices = crowd(num_items=30, num_annotators=4)
    given = {"probabilities": f, "confusion": matrices}
    whole = next_questions(annotations, 1e6, min_gain=0, **given)["gain"]
    table = next_questions(annotations, 1e6, min_gain=0.03, **given)
    assert 0 < len(table["item"]) < len(whole)
    assert table["gain"].min() >= 0.03
    agreed = Annotations.from_coo([0], [0], [0], items=range(30), annotators=range(4), classes=[0, 1, 2])
    sure = np.eye(3)[np.arange(30) % 3] * 0.9997 + 0.0001
    assert len(next_questions(agreed, 1e6, probabilities=sure, confusion=matrices)["item"]) == 0
    guesses = np.full((4, 3, 3), 1 / 3)
    assert len(next_questions(annotations, 5, probabilities=f, confusion=guesses)["item"]) == 0


def test_a_dear_annotator_who_tells_enough_is_asked_where_a_cheap_one_tells_too_little():
    annotations = Annotations.from_coo([0], [0], [0], items=range(3), annotators=range(3), classes=[0, 1])
    matrices = np.array([[[a, 1 - a], [1 - a, a]] for a in (0.5, 0.6, 0.9)])
    given = {"probabilities": np.full((3, 2), 0.5), "confusion": matrices, "costs": [1, 0.01, 10]}
    assert set(next_questions(annotations, 20, min_gain=0, **given)["annotator"].tolist()) == {1, 2}
    assert set(next_questions(annotations, 20, min_gain=0.2, **given)["annotator"].tolist()) == {2}


def test_seed_decides_between_equals():
    annotations = Annotations.from_coo([0], [0], [0], items=range(50), annotators=range(20), classes=[0, 1])
    q, matrices = np.full((50, 2), 0.5), np.tile([[0.8, 0.2], [0.2, 0.8]], (20, 1, 1))
    tables = [next_questions(annotations, 5, probabilities=q, confusion=matrices, seed=s) for s in range(3)]
    assert len({tuple(table["item"].tolist()) for table in tables}) == 3
    assert len({tuple(table["annotator"].tolist()) for table in tables}) > 1


def test_items_without_answers_come_first_and_take_the_shares_of_the_classes():
    rng = np.random.default_rng(0)
    truth = (rng.random(60) < 0.3).astype(int)
    table = np.where(rng.random((60, 5)) < 0.85, truth[:, None], 1 - truth[:, None])
    table[50:] = -1
    table[:50, 4] = -1
    table = next_questions(table, 10, criterion="information")
    assert set(table["item"].tolist()) == set(range(50, 60))


def test_large_crowds_are_cut_to_a_short_list_of_those_who_tell_most():
    rng = np.random.default_rng(0)
    accuracy = rng.uniform(0.5, 0.9, 400)
    matrices = np.array([[[a, 1 - a], [1 - a, a]] for a in accuracy])
    annotations = Annotations.from_coo(
        [0, 1], [0, 1], [0, 1], items=range(40), annotators=range(400), classes=[0, 1]
    )
    table = next_questions(annotations, 20, confusion=matrices, most_per_annotator=1)
    assert sorted(table["annotator"].tolist()) == sorted(np.argsort(-accuracy)[:20].tolist())


def test_many_items_give_what_all_blocks_give(monkeypatch):
    annotations, f, matrices = crowd(num_items=200, num_annotators=6, seed=3)
    whole = next_questions(annotations, 25, probabilities=f, confusion=matrices)
    monkeypatch.setattr("keras_crowd.acquisition._gain._NUMBERS", 6 * 3 * 7)
    monkeypatch.setattr("keras_crowd.acquisition._greedy._AHEAD", 3)
    for name, column in next_questions(annotations, 25, probabilities=f, confusion=matrices).items():
        assert_allclose(column, whole[name])


def test_goes_on_from_an_earlier_result():
    annotations = Annotations.from_coo([0, 1], [0, 1], [0, 1], items=range(20), annotators=range(2))
    start = dawid_skene(annotations)
    plain = next_questions(annotations, 3)
    assert_array_equal(next_questions(annotations, 3, start=start)["item"], plain["item"])
    with pytest.raises(ValueError, match="`start` must be a result for at most 2 annotators"):
        next_questions(annotations, 3, start=start._replace(confusion=np.full((3, 2, 2), 0.5)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budget": 0}, r"`budget` must be a number above 0"),
        ({"costs": [1, -1, 1, 1]}, r"`costs` must be positive"),
        ({"costs": [1, 2]}, r"`costs` must be a number or broadcast to \(annotators,\)"),
        ({"criterion": "luck"}, r"`criterion` must be one of 'mixed', 'accuracy', 'information'. Received"),
        ({"min_gain": -1}, r"`min_gain` must be a number at least 0"),
        ({"available": [True]}, r"`available` must be booleans of shape \(4,\) or \(6, 4\)"),
        ({"most_per_annotator": 0}, r"`most_per_annotator` must be a positive integer"),
        ({"probabilities": np.ones((6, 3))}, r"`probabilities` must have rows that sum to 1"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    annotations, _, _ = crowd()
    with pytest.raises(ValueError, match=message):
        next_questions(annotations, **({"budget": 3} | arguments))


def sure_crowd(power, num_items=400, seed=0):
    """Answers of known annotators to items whose classes are drawn from predictions to a power, and the predictions."""
    rng = np.random.default_rng(seed)
    f = rng.dirichlet(np.full(3, 2.0), num_items)
    honest = f**power / np.sum(f**power, axis=1, keepdims=True)
    truth = (honest.cumsum(axis=1) < rng.random((num_items, 1))).sum(axis=1)
    matrices = np.tile(np.full((3, 3), 0.1) + 0.7 * np.eye(3), (4, 1, 1))
    table = np.where(rng.random((num_items, 4)) < 0.7, truth[:, None], rng.integers(3, size=(num_items, 4)))
    table[:, 2:] = -1
    return Annotations.from_dense(table, classes=3), f, matrices


def slow_power(annotations, f, matrices):
    """The power of the highest evidence, with its prior around 1, by loops over a grid."""
    table, powers = annotations.dense(), np.geomspace(0.25, 4, 33)
    evidence = []
    for power in powers:
        total = -0.5 * (np.log(power) / 0.5) ** 2
        for row, p in zip(table, f, strict=True):
            prior = p**power / sum(p**power)
            chances = [
                prior[k] * np.prod([matrices[r, k, y] for r, y in enumerate(row) if y >= 0])
                for k in range(3)
            ]
            total += np.log(sum(chances))
        evidence.append(total)
    return powers[int(np.argmax(evidence))]


@pytest.mark.parametrize("power", [0.4, 1.0, 2.5])
def test_predictions_out_of_sample_are_as_sure_as_the_answers_say(power):
    annotations, f, matrices = sure_crowd(power)
    given = {"confusion": matrices, "min_gain": 0}
    found = slow_power(annotations, f, matrices)
    assert found == pytest.approx(power, rel=0.3)
    honest = f**found / np.sum(f**found, axis=1, keepdims=True)
    expected = next_questions(annotations, 50, probabilities=honest, **given)
    table = next_questions(annotations, 50, probabilities=f, out_of_sample=True, **given)
    assert_array_equal(table["item"], expected["item"])
    assert_allclose(table["gain"], expected["gain"], rtol=1e-9)


def test_answers_that_tell_nothing_leave_predictions_as_they_are():
    annotations = Annotations.from_dense(np.array([[0, -1]] * 30 + [[1, -1]] * 30), classes=3)
    f = np.random.default_rng(0).dirichlet(np.ones(3), 60)
    given = {"confusion": [np.full((3, 3), 1 / 3), np.eye(3) * 0.7 + 0.1], "probabilities": f}
    plain, told = (next_questions(annotations, 9, out_of_sample=of, **given) for of in (False, True))
    assert len(plain["item"]) == 9
    assert_array_equal(told["item"], plain["item"])
    assert_allclose(told["gain"], plain["gain"])


def test_out_of_sample_is_said_of_predictions():
    with pytest.raises(ValueError, match="`out_of_sample=True` needs `probabilities`"):
        next_questions([[0, 1], [1, -1]], 1, out_of_sample=True)
