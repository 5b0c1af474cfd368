"""Sets of labels in the container: forms, ids, what is missing and what is empty, and what is refused."""

import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd.annotations import Classes, LabelSets, as_annotations, as_label_sets

ITEMS, ANNOTATORS = ["b", "a", "b", "a", "c"], ["ann", "ann", "bob", "bob", "bob"]
TICKED = [["dog", "cat"], [], ("owl",), None, {"dog"}]


def sets(**kwargs):
    return kc.Annotations.from_sets(ITEMS, ANNOTATORS, TICKED, **kwargs)


def test_sets_are_read_ticked_nothing_apart_from_not_seen():
    answers = sets()
    assert answers.kind == LabelSets(3)
    assert answers.classes.tolist() == ["cat", "dog", "owl"]
    assert answers.items.tolist() == ["a", "b", "c"]
    assert answers.answers.dtype == np.int8
    assert len(answers) == 4
    expected = [[[0, 0, 0], [-1] * 3], [[1, 1, 0], [0, 0, 1]], [[-1] * 3, [0, 1, 0]]]
    assert answers.dense().tolist() == expected
    who, said = answers.slots()
    assert who.tolist() == [[0, -1], [0, 1], [1, -1]]
    assert said.tolist() == [[[0, 0, 0], [-1] * 3], [[1, 1, 0], [0, 0, 1]], [[0, 1, 0], [-1] * 3]]
    assert "sets of 3 labels" in repr(answers)


def test_order_of_rows_and_labels_is_as_asked():
    answers = sets(items=["c", "b", "a", "z"], classes=["owl", "ant", "dog", "cat"])
    assert answers.dense()[1].tolist() == [[0, 0, 1, 1], [1, 0, 0, 0]]
    assert answers.answers_per_item().tolist() == [1, 2, 1, 0]
    dropped = sets(classes=["cat", "dog"], unknown="drop")
    assert dropped.dense()[1].tolist() == [[1, 1], [0, 0]]


def test_tables_and_dense_arrays_keep_labels_that_were_not_shown():
    table = np.array([[[1, 0, -1], [-1, -1, -1]], [[0, 0, 0], [-1, 1, 1]]])
    dense = as_label_sets(table)
    np.testing.assert_array_equal(dense.dense(), table)
    rows = table[np.any(table >= 0, axis=2)]
    read = kc.Annotations.from_sets([0, 1, 1], [0, 0, 1], rows, classes=["x", "y", "z"])
    np.testing.assert_array_equal(read.dense(), table)
    floats = np.where(table < 0, np.nan, table)
    np.testing.assert_array_equal(kc.Annotations.from_dense(floats, kind=LabelSets()).dense(), table)
    both = kc.Annotations.concat([read, kc.Annotations.from_sets([7], [0], [["w"]])])
    assert both.dense()[-1, 0].tolist() == [-1, -1, -1, 1]


def test_memory_follows_the_judgments():
    ids = np.arange(50_000)
    answers = kc.Annotations.from_sets(ids, ids, np.ones((50_000, 8), int))
    assert answers.answers.nbytes == 50_000 * 8


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (
            lambda: kc.Annotations.from_sets(["a", "a"], ["r", "r"], [["x"], ["y"]]),
            "at most once.*by annotator 'r' to item 'a'",
        ),
        (lambda: sets(classes=["cat", "dog"]), "'owl'"),
        (lambda: kc.Annotations.from_sets(["a"], ["r"], ["cat"]), "`ticked` must hold a list.*'cat'"),
        (lambda: kc.Annotations.from_sets(["a"], ["r"], [[None]]), "`ticked` must hold ids of labels"),
        (lambda: kc.Annotations.from_sets(["a"], ["r"], [[]]), "`classes` must be given where nobody"),
        (lambda: kc.Annotations.from_sets(["a"], ["r"], [None]), "`ticked` must hold at least one"),
        (lambda: kc.Annotations.from_sets(["a"], ["r", "s"], [["x"], ["y"]]), "lengths 1, 2 and 2"),
        (lambda: kc.Annotations.from_sets(["a"], ["r"], np.array([[2, 0]])), "1 .ticked., 0 .*first 2"),
        (lambda: as_label_sets(np.array([[[0.5, 1.0]]])), "must be sets of labels.*dtype float64"),
        (lambda: as_label_sets(np.array([[0, 1]])), r"must be sets of labels.*shape \(1, 2\)"),
        (
            lambda: kc.Annotations.from_dense([[0, 1]], kind=LabelSets()),
            r"3 axes for sets .*shape \(1, 2\)",
        ),
        (lambda: kc.Annotations.from_dense([[[0, 1]]]), r"kind=LabelSets\(\).*shape \(1, 1, 2\)"),
        (lambda: as_label_sets(sets(), 4), "must be sets of 4 labels.*sets of 3 labels"),
        (lambda: as_label_sets(kc.Annotations.from_dense([[0, 1]])), "Received: one class or number each"),
        (lambda: as_annotations(sets()), "must be of one class each. Received: .*sets of 3 labels"),
        (lambda: kc.aggregation.dawid_skene(sets()), "must be of one class each"),
        (lambda: sets().soft(), "Answers of one class each are needed here"),
        (lambda: kc.Annotations.from_coo(["a"], ["r"], [["x", "y"]]), "sets=True"),
        (lambda: kc.Annotations.concat([sets(), sets()], duplicates="majority"), "is for classes"),
        (
            lambda: kc.Annotations.concat([sets(), kc.Annotations.from_dense([[0]])]),
            "all of classes or all of numbers",
        ),
        (lambda: LabelSets(2).check_table(np.zeros((3, 4, 3), int), (4,)), r"shape \(3, 4, 2\)"),
        (lambda: Classes(3).check_table(sets().dense(), (2,)), "`answers` must"),
    ],
)
def test_bad_answers_are_named(read, message):
    with pytest.raises(ValueError, match=message):
        read()


def test_the_first_or_last_of_two_sets_counts():
    twice = ["a", "a"], ["r", "r"], [["x"], ["y"]]
    assert kc.Annotations.from_sets(*twice, duplicates="first").dense().tolist() == [[[1, 0]]]
    assert kc.Annotations.from_sets(*twice, duplicates="last").dense().tolist() == [[[0, 1]]]
