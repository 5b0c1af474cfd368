"""Tables of sets of labels, and held-out sets: loops, spammers, and what is refused."""

import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd.aggregation import annotator_table, held_out_label_cross_entropy, label_table
from keras_crowd.annotations import LabelSets

ITEMS, ANNOTATORS, LABELS = 300, 8, 4
RNG = np.random.default_rng(0)
TRUTH = RNG.random((ITEMS, LABELS)) < [0.1, 0.3, 0.4, 0.6]
S, C = RNG.uniform(0.6, 0.95, (2, ANNOTATORS, LABELS))
TICKS = (RNG.random((ITEMS, ANNOTATORS, LABELS)) < np.where(TRUTH[:, None], S, 1 - C)).astype(int)
TICKS[RNG.random((ITEMS, ANNOTATORS)) < 0.4] = -1
TICKS[:4, :, 1] = -1
ANSWERED = TICKS.max(axis=2) >= 0


def sets(table, **kwargs):
    return kc.Annotations.from_dense(table, kind=LabelSets(), **kwargs)


def test_label_table_has_a_row_for_each_item_and_label():
    answers = sets(TICKS[:2, :, :2], classes=["cat", "dog"])
    table = label_table(answers, [[0.25, 0.75], [0.5, 1.0]], threshold=[0.2, 0.8])
    assert table["item"].tolist() == [0, 0, 1, 1]
    assert table["label"].tolist() == ["cat", "dog", "cat", "dog"]
    assert table["confidence"].tolist() == [0.25, 0.75, 0.5, 1.0]
    assert table["threshold"].tolist() == [0.2, 0.8, 0.2, 0.8]
    assert table["present"].tolist() == [True, False, True, True]
    assert table["answers"].tolist() == [ANSWERED[0].sum(), 0, ANSWERED[1].sum(), 0]
    assert label_table(answers, [[0.25, 0.75], [0.5, 1.0]])["present"].tolist() == [
        False,
        True,
        False,
        True,
    ]


def test_annotators_against_the_truth_are_those_of_loops():
    table = annotator_table(sets(TICKS), TRUTH)
    for r in range(ANNOTATORS):
        judged = TICKS[:, r] >= 0
        right = [TICKS[:, r][judged & (there == TRUTH)] == there for there in (1, 0)]
        assert table["sensitivity"][r] == pytest.approx(right[0].mean())
        assert table["specificity"][r] == pytest.approx(right[1].mean())
        assert table["ticks"][r] == pytest.approx((TICKS[:, r] == 1).sum() / ANSWERED[:, r].sum())
        covariance, variance = 0.0, 0.0
        for l in range(LABELS):
            t, y = TRUTH[judged[:, l], l], TICKS[judged[:, l], r, l]
            covariance += len(t) * np.cov(t, y, bias=True)[0, 1]
            variance += len(t) * np.var(t)
            assert table[f"sensitivity[{l}]"][r] == pytest.approx(y[t].mean())
            assert table[f"specificity[{l}]"][r] == pytest.approx(1 - y[~t].mean())
        assert table["informedness"][r] == pytest.approx(covariance / variance)
    assert sorted(table["rank"]) == list(range(1, ANNOTATORS + 1))
    np.testing.assert_array_equal(np.argsort(table["rank"]), np.argsort(-table["informedness"]))


def test_of_one_label_informedness_is_sensitivity_plus_specificity_minus_one():
    table = annotator_table(sets(TICKS[:, :, :1]), TRUTH[:, :1])
    np.testing.assert_allclose(table["informedness"], table["sensitivity"] + table["specificity"] - 1)


def test_whoever_ticks_everything_or_nothing_or_always_the_same_tells_nothing_and_is_ranked_last():
    ticks = TICKS.copy()
    ticks[:, 2] = np.where(ticks[:, 2] >= 0, 1, -1)
    ticks[:, 5] = np.where(ticks[:, 5] >= 0, 0, -1)
    ticks[:, 6] = np.where(ticks[:, 6] >= 0, [0, 0, 1, 1], -1)
    ticks[:, 7] = -1
    answers = sets(ticks)
    table = annotator_table(answers, kc.aggregation.dawid_skene_labels(answers).posterior)
    assert np.flatnonzero(table["ticks_all"]).tolist() == [2]
    assert np.flatnonzero(table["ticks_none"]).tolist() == [5]
    np.testing.assert_allclose(table["informedness"][[2, 5, 6]], 0, atol=1e-9)
    assert np.isnan(table["informedness"][7])
    assert np.argsort(table["rank"]).tolist()[4:6] == [6, 7]
    assert set(np.argsort(table["rank"])[-2:]) == {2, 5}
    few = annotator_table(answers, TRUTH, min_answers=ITEMS)
    assert not (few["ticks_all"] | few["ticks_none"]).any()


def test_whoever_ticks_everything_is_known_under_any_posterior_and_stands_behind_the_misled():
    rng = np.random.default_rng(0)
    truth = rng.random((500, 4)) < 0.3
    ticks = np.stack([np.ones_like(truth), truth, ~truth, np.zeros_like(truth)], axis=1).astype(int)
    posterior = np.where(truth, 0.7, 0.3) + 0.29 * rng.random((500, 4)).astype("float32")
    answers = kc.Annotations.from_dense(ticks, kind=LabelSets())
    table = kc.aggregation.annotator_table(answers, posterior)
    assert table["ticks_all"].tolist() == [True, False, False, False]
    assert table["ticks_none"].tolist() == [False, False, False, True]
    assert table["rank"][1] == 1
    assert set(table["rank"][[0, 3]]) == {3, 4}


def test_held_out_sets_have_the_nats_of_loops():
    answers = sets(TICKS)
    held_out, kept = answers.split(0.2, seed=0)[::-1]
    f = RNG.random((ITEMS, LABELS))
    found = held_out_label_cross_entropy(held_out, kept, f, S, C)
    assert len(found) == len(held_out)
    table = kept.dense()
    for row in range(0, len(held_out), 7):
        i, r = held_out.item_index[row], held_out.annotator_index[row]
        nats = 0.0
        for l, y in enumerate(held_out.answers[row]):
            there, absent = f[i, l], 1 - f[i, l]
            for other in np.flatnonzero(table[i, :, l] >= 0):
                there *= S[other, l] if table[i, other, l] else 1 - S[other, l]
                absent *= 1 - C[other, l] if table[i, other, l] else C[other, l]
            tick = (there * S[r, l] + absent * (1 - C[r, l])) / (there + absent)
            nats -= {1: np.log(tick), 0: np.log(1 - tick), -1: 0.0}[int(y)]
        assert found[row] == pytest.approx(nats, rel=1e-5)


def test_the_truth_predicts_held_out_sets_better_than_chance():
    held_out, kept = sets(TICKS).split(0.2, seed=0)[::-1]
    informed, ignorant = (
        held_out_label_cross_entropy(held_out, kept, np.full(TRUTH.shape, 0.4), s, c).mean()
        for s, c in ((S, C), (np.full(S.shape, 0.4), np.full(C.shape, 0.6)))
    )
    assert informed < ignorant - 0.2


def test_what_does_not_fit_is_refused():
    answers, q = sets(TICKS), np.full(TRUTH.shape, 0.5)
    for values, message in [
        (q[:2], r"`posterior` must be numbers between 0 and 1 of shape \(300, 4\)"),
        (q * 3, "from 1.5 to 1.5"),
    ]:
        for table in (label_table, annotator_table):
            with pytest.raises(ValueError, match=message):
                table(answers, values)
    for threshold in (2.0, [0.5, 0.5]):
        with pytest.raises(ValueError, match="`threshold` must be a number between 0 and 1, or 4 of them"):
            label_table(answers, q, threshold)
    with pytest.raises(ValueError, match="`threshold` is for sets of labels"):
        label_table([[0, 1]], [[0.5, 0.5]], 0.5)
    with pytest.raises(ValueError, match="`confusion` is for classes; the answers are ratings or sets"):
        annotator_table(answers, q, confusion=np.ones((8, 4, 4)))
    with pytest.raises(ValueError, match="`sensitivity` must be numbers between 0 and 1"):
        held_out_label_cross_entropy(answers, answers, q, S[:2], C)
