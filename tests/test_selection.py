"""Choosing a weight on held-out answers."""

import numpy as np
import pytest

from keras_crowd import Annotations
from keras_crowd.selection import RegularizationPath, ReplicaPath, regularization_path, replica_path

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 3, 300)
ANSWERS = np.where(RNG.random((300, 4)) < 0.7, TRUTH[:, None], RNG.integers(0, 3, (300, 4)))
FLAT = np.full((300, 3), 1 / 3)


def annotators(accuracy):
    return np.tile(np.eye(3) * (accuracy - (1 - accuracy) / 2) + (1 - accuracy) / 2, (4, 1, 1))


def train_by(accuracies):
    """A training whose annotators are as good as the weight says, and what it was called with."""
    calls = []

    def train(weight, annotations):
        calls.append((weight, annotations))
        return FLAT, annotators(accuracies[weight])

    return train, calls


def test_path_holds_answers_out_and_scores_each_weight_on_the_same():
    train, calls = train_by({0.0: 0.6, 1.0: 0.8, 5.0: 0.4})
    path = regularization_path(train, ANSWERS, [5.0, 0.0, 1.0], num_splits=3, fraction=0.1, verbose=0)
    assert path.losses.shape == (3, 3, 120)
    np.testing.assert_array_equal(path.weights, [0.0, 1.0, 5.0])
    assert [weight for weight, _ in calls] == [0.0, 1.0, 5.0] * 3
    assert all(len(kept) == 1200 - 120 for _, kept in calls)
    first, second = calls[0][1].dense(), calls[3][1].dense()
    np.testing.assert_array_equal(first, calls[2][1].dense())
    assert np.any(first != second)
    assert path.best == path.chosen == 1.0


def test_largest_weight_within_a_standard_error_is_chosen():
    """Slow oracle: answer against answer, standard error of one part."""
    losses = np.random.default_rng(1).gamma(2.0, size=(4, 5, 30))
    losses[1] -= 0.3
    losses[2] = losses[1] + np.random.default_rng(2).normal(0.05, 0.5, (5, 30))
    losses[3] = losses[1] + 0.2
    path = RegularizationPath(np.array([0.0, 1.0, 2.0, 3.0]), losses)
    difference = [[x - y for x, y in zip(row.ravel(), losses[1].ravel(), strict=True)] for row in losses]
    error = [np.sqrt(np.sum((np.array(d) - np.mean(d)) ** 2) / 149) / np.sqrt(30) for d in difference]
    np.testing.assert_allclose(path.standard_error, error, atol=1e-12)
    np.testing.assert_allclose(path.above_best, np.mean(difference, axis=1))
    assert path.best == 1.0
    assert path.chosen == 2.0  # 3 is worse without any doubt


def test_more_parts_do_not_make_the_rule_stricter():
    losses = np.random.default_rng(1).gamma(2.0, size=(2, 1, 400))
    once = RegularizationPath(np.array([0.0, 1.0]), losses)
    often = RegularizationPath(np.array([0.0, 1.0]), np.repeat(losses, 8, axis=1))
    np.testing.assert_allclose(once.standard_error, often.standard_error, rtol=0.01)


def test_table_and_picture():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    path = RegularizationPath(np.array([0.0, 1.0]), np.array([[[0.2, 0.4]], [[0.8, 0.9]]]))
    table = path.to_dataframe()
    assert list(table.columns) == ["weight", "nats", "above_best", "standard_error", "chosen"]
    np.testing.assert_allclose(table["nats"], [0.3, 0.85])
    assert table["chosen"].tolist() == [True, False]
    ax = path.plot()
    assert ax.get_xlabel() == "weight of the regularizer"
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.3, 0.85])
    assert path.plot(ax) is ax
    plt.close("all")


def test_interrupted_path_goes_on(tmp_path):
    accuracies = {0.0: 0.6, 1.0: 0.8}
    train, calls = train_by(accuracies)
    arguments = {"weights": [0.0, 1.0], "num_splits": 2, "backup_dir": tmp_path / "new", "verbose": 0}

    def interrupted(weight, annotations):
        if len(calls) == 3:
            raise KeyboardInterrupt
        return train(weight, annotations)

    with pytest.raises(KeyboardInterrupt):
        regularization_path(interrupted, ANSWERS, **arguments)
    resumed = regularization_path(train, ANSWERS, **arguments)
    assert len(calls) == 4
    whole = regularization_path(train_by(accuracies)[0], ANSWERS, **{**arguments, "backup_dir": None})
    np.testing.assert_array_equal(resumed.losses, whole.losses)
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["path.npz"]


def test_backup_of_another_path_is_refused_and_kept(tmp_path):
    train, _ = train_by({0.0: 0.6, 1.0: 0.8})
    file = tmp_path / "path.npz"
    regularization_path(train, ANSWERS, [0.0], backup_dir=tmp_path, verbose=0)
    before = file.read_bytes()
    with pytest.raises(
        ValueError, match=r"`backup_dir` .* of the same call: delete .*path.npz .* differs in: weights"
    ):
        regularization_path(train, ANSWERS, [1.0], backup_dir=tmp_path, verbose=0)
    assert file.read_bytes() == before


def test_backup_of_other_answers_is_refused(tmp_path):
    train, _ = train_by({0.0: 0.6})
    regularization_path(train, ANSWERS, [0.0], backup_dir=tmp_path, verbose=0)
    with pytest.raises(ValueError, match=r"`backup_dir` .* differs in: answers$"):
        regularization_path(train, ANSWERS[::-1], [0.0], backup_dir=tmp_path, verbose=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": [-1.0]}, r"`weights` must be numbers, none negative. Received: weights=\[-1.0\]"),
        ({"weights": []}, "`weights` must be numbers"),
        ({"weights": [np.nan]}, "`weights` must be numbers"),
        ({"num_splits": 0}, "`num_splits` must be a positive integer. Received: num_splits=0"),
        ({"fraction": 1.0}, "`fraction` must be a number above 0 and below 1"),
        ({"answers": ANSWERS[:1, :3]}, "`answers` must have at least 4 answers"),
    ],
)
def test_path_refuses_before_training(arguments, message):
    def train(weight, annotations):
        raise AssertionError("trained")

    with pytest.raises(ValueError, match=message):
        regularization_path(train, **{"answers": ANSWERS, "verbose": 0, **arguments})


def test_progress_is_shown(capsys):
    train, _ = train_by({0.0: 0.6})
    regularization_path(train, Annotations.from_dense(ANSWERS), [0.0], num_splits=2)
    shown = capsys.readouterr().out
    assert "2/2" in shown
    assert "nats" in shown


# --- replicas --------------------------------------------------------------------------------------


def replicas_by(agreements, accuracies):
    """Replicas that agree on that share of the items, of annotators as good as the weight says; and the calls."""
    calls = []

    def train(weight, annotations, replica):
        calls.append((weight, replica, annotations))
        other = np.arange(300) >= 300 * agreements[weight]
        classes = np.where(other & (replica > 0), (TRUTH + 1) % 3, TRUTH)
        return np.eye(3)[classes] * 0.97 + 0.01, annotators(accuracies[weight])

    return train, calls


ALIKE = {0.0: 0.7, 1.0: 0.7, 5.0: 0.7}


@pytest.mark.parametrize(
    ("agreements", "chosen", "tried"),
    [
        ({0.0: 0.8, 1.0: 0.8, 5.0: 0.9}, 5.0, [0.0, 1.0, 5.0]),
        ({0.0: 0.8, 1.0: 0.9, 5.0: 0.7}, 1.0, [0.0, 1.0, 5.0]),  # 5 agrees less than 0 does
        ({0.0: 0.8, 1.0: 0.7, 5.0: 0.9}, 0.0, [0.0, 1.0]),  # the first that harms ends it
    ],
)
def test_largest_weight_whose_replicas_agree_is_chosen(agreements, chosen, tried):
    train, calls = replicas_by(agreements, ALIKE)
    path = replica_path(train, ANSWERS, [5.0, 0.0, 1.0], num_replicas=2, fraction=0.1)
    assert path.chosen == chosen
    np.testing.assert_array_equal(path.weights, tried)
    np.testing.assert_allclose(path.agreement, [agreements[w] for w in tried], atol=1e-9)
    assert [call[:2] for call in calls] == [(w, r) for w in tried for r in (0, 1)]
    first, second, again = (calls[i][2].dense() for i in (0, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != second)
    assert np.sum(first >= 0) == 1200 - 120


def test_replicas_agree_within_a_standard_error_over_items():
    """Slow oracle: 9 items of 100 on which replicas agree no more, against as many as make it a standard error."""
    before = np.ones(100)
    for less, more, chosen in ((9, 6, 1.0), (9, 5, 0.0)):
        before[90:] = 0.0
        after = before.copy()
        after[:less], after[90 : 90 + more] = 0.0, 1.0
        difference = [a - b for a, b in zip(after, before, strict=True)]
        mean = sum(difference) / 100
        error = np.sqrt(sum((d - mean) ** 2 for d in difference) / 99 / 100)
        assert (mean >= -error) == (chosen == 1.0)
        measured = np.stack([before, after]), np.zeros((2, 2, 5)), np.full((2, 2), 0.5)
        path = ReplicaPath(np.array([0.0, 1.0]), *measured)
        np.testing.assert_allclose(path.standard_error, [0.0, error])
        assert path.chosen == chosen


@pytest.mark.parametrize(("worse", "chosen"), [(0.19, 1.0), (0.21, 0.0)])
def test_held_out_answers_are_predicted_within_two_standard_errors(worse, chosen):
    """100 answers, of which the differences spread by 1: the standard error is .1."""
    before = np.linspace(0, 3, 100).reshape(1, 2, 50)
    after = before + np.tile([1.0, -1.0], 50).reshape(1, 2, 50) + worse
    losses = np.concatenate([before, after])
    path = ReplicaPath(np.array([0.0, 1.0]), np.ones((2, 9)), losses, np.full((2, 2), 0.5))
    assert path.chosen == chosen


def test_classes_too_unequal_leave_the_lowest_weight():
    """Shares of .3 and .7, `-1/2 (log .6 + log 1.4)` = .087 nats; those of the lowest weight count."""

    def train(weight, annotations, replica):
        tried.append(weight)
        return np.eye(3)[np.where(np.arange(300) < (90 if weight == 0 else 150), 0, 1)], annotators(0.7)

    shares = [(180 + 0.5) / 601.5, (420 + 0.5) / 601.5, 0.5 / 601.5]
    inequality = -sum(np.log(3 * share) for share in shares) / 3
    for most_unequal, expected in ((None, 1.0), (inequality + 1e-6, 1.0), (inequality - 1e-6, 0.0)):
        tried = []
        path = replica_path(train, ANSWERS, [0.0, 1.0], num_replicas=2, most_unequal=most_unequal)
        np.testing.assert_allclose(path.shares[0], shares)
        assert path.inequality[0] == pytest.approx(inequality)
        assert path.chosen == expected
        assert sorted(set(tried)) == ([0.0, 1.0] if expected else [0.0])
        assert ("so no other weight was tried" in str(path)) is (expected == 0.0)
    with pytest.raises(ValueError, match="`most_unequal` must be a number at least 0"):
        replica_path(train, ANSWERS, most_unequal=-1.0)


def test_agreement_of_three_replicas_is_that_of_their_pairs():
    def train(weight, annotations, replica):
        return np.eye(3)[np.where(np.arange(300) < 100 * replica, 0, 1)], annotators(0.7)

    path = replica_path(train, ANSWERS, [0.0], num_replicas=3)
    np.testing.assert_allclose(path.agreement, (2 + 1 + 2) / 9)
    np.testing.assert_allclose(path.agreements[0, [0, 150, 250]], [1 / 3, 1 / 3, 1.0])


def test_interrupted_replicas_go_on(tmp_path):
    train, calls = replicas_by({0.0: 0.8, 1.0: 0.9}, ALIKE)

    def dies(weight, annotations, replica):
        if len(calls) == 3:
            raise KeyboardInterrupt
        return train(weight, annotations, replica)

    with pytest.raises(KeyboardInterrupt):
        replica_path(dies, ANSWERS, [0.0, 1.0], num_replicas=2, backup_dir=tmp_path)
    path = replica_path(train, ANSWERS, [0.0, 1.0], num_replicas=2, backup_dir=tmp_path)
    assert [call[:2] for call in calls] == [(0.0, 0), (0.0, 1), (1.0, 0), (1.0, 1)]
    whole = replica_path(train, ANSWERS, [0.0, 1.0], num_replicas=2)
    np.testing.assert_array_equal(path.losses, whole.losses)
    np.testing.assert_array_equal(path.agreements, whole.agreements)
    with pytest.raises(ValueError, match=r"differs in: num_replicas$"):
        replica_path(train, ANSWERS, [0.0, 1.0], num_replicas=3, backup_dir=tmp_path)


def test_replica_path_as_a_table():
    pytest.importorskip("pandas")
    train, _ = replicas_by({0.0: 0.8, 1.0: 0.7}, ALIKE)
    frame = replica_path(train, ANSWERS, [0.0, 1.0], num_replicas=2).to_dataframe()
    assert frame["chosen"].tolist() == [True, False]
    np.testing.assert_allclose(frame["difference"], [0.0, -0.1], atol=1e-9)
