"""Arrays with an index: by id where it names the items, by position where it is a plain range, refused otherwise."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import keras_crowd as kc
from keras_crowd.annotations import by_ids, rows_by_id

X = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])


@pytest.mark.parametrize(
    "ids",
    [
        ["a", "b", "c"],
        [10, 11, 12],
        [2, 1, 3],
        [0.5, 1.5, 2.5],
        [("a", 1), ("a", 2), ("b", 1)],
        [True, False, None],
        list(pd.to_datetime(["2020-01-02", "2020-01-01", "2021-05-05"])),
    ],
    ids=["text", "ints", "small ints", "floats", "tuples", "mixed", "timestamps"],
)
def test_rows_follow_the_ids(ids):
    items = np.empty(3, object)
    items[:] = ids
    for order in ([0, 1, 2], [2, 0, 1], [1, 0, 2]):
        index = [ids[i] for i in order]
        index = pd.MultiIndex.from_tuples(index) if isinstance(ids[0], tuple) else pd.Index(index)
        assert_array_equal(rows_by_id("x", pd.DataFrame(X[order], index), items), X)
        assert_array_equal(rows_by_id("x", pd.Series(X[order, 0], index), items), X[:, 0])


@pytest.mark.parametrize("items", [["a", "b", "c"], [10, 11, 12], [0, 1, 2], [1, 2, 3], ["0", "1", "2"]])
def test_a_plain_range_and_what_has_no_index_are_positions(items):
    items = np.array(items)
    assert_array_equal(rows_by_id("x", pd.DataFrame(X), items), X)
    assert_array_equal(rows_by_id("x", pd.DataFrame(X, index=[0, 1, 2]), items), X)
    assert rows_by_id("x", X, items) is X
    rows = X.tolist()
    assert rows_by_id("x", rows, items) is rows
    assert_array_equal(rows_by_id("x", pd.DataFrame(X), None), X)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (["a", "b", "d"], "without 'c'"),
        (["a", "b", "b"], "without 'c'"),
        (["a", "b", "c", "c"], "with more than one of 'c'"),
        (["a", "b", "c", "d"], "with the unknown 'd'"),
        ([2, 0, 1], "without 'a', 'b', 'c'"),
        ([1, 2, 3], "without 'a', 'b', 'c'"),
        ([("a", 1), ("b", 1), ("c", 1)], "without 'a', 'b', 'c'"),
    ],
)
def test_other_items_are_refused(index, message):
    frame = pd.DataFrame(np.zeros((len(index), 1)), index)
    with pytest.raises(ValueError, match=rf"index of `x` must be `annotations.items`.*Received: {message}"):
        rows_by_id("x", frame, np.array(["a", "b", "c"]))


def test_a_range_that_could_be_ids_or_positions_is_refused():
    items, frame = np.array([2, 0, 1]), pd.DataFrame(X)
    with pytest.raises(ValueError, match=r"index of `x` is a plain range.*\.loc.*\.to_numpy.*ids 2, 0, 1"):
        rows_by_id("x", frame, items)
    assert_array_equal(rows_by_id("x", frame.loc[items], items), X[[2, 0, 1]])
    assert_array_equal(rows_by_id("x", frame.loc[[1, 2, 0]], items), X[[2, 0, 1]])


def test_answers_without_ids_cannot_be_matched():
    answers = kc.Annotations.from_dense([[0, 1], [1, 1], [1, 0]])
    shuffled = pd.DataFrame(X, index=[2, 0, 1])
    for given in (answers, answers.split()[0], answers.select(annotators=[0])):
        assert_array_equal(rows_by_id("x", pd.DataFrame(X), given), X)
        with pytest.raises(ValueError, match=r"without ids of items.*`items=`.*index 2, 0, 1"):
            rows_by_id("x", shuffled, given)
    assert_array_equal(rows_by_id("x", shuffled, answers.select(items=[1, 2, 0])), X[[2, 0, 1]])
    named = kc.Annotations.from_dense([[0, 1], [1, 1], [1, 0]], items=range(3))
    assert_array_equal(rows_by_id("x", shuffled, named), X[[1, 2, 0]])


LABELED = kc.Annotations.from_dense(
    [[0, 1], [1, 1], [2, 0]], items=["a", "b", "c"], classes=["cat", "dog", "owl"]
)
NUMBERED = kc.Annotations.from_dense([[0, 1], [1, 1], [2, 0]], items=["a", "b", "c"], classes=[1, 2, 3])


@pytest.mark.parametrize(
    ("labels", "codes"),
    [
        (pd.Series({"c": "owl", "a": "cat", "b": None}), [0, -1, 2]),
        (pd.Series({"c": "owl", "a": "cat", "b": "dog"}).astype("category"), [0, 1, 2]),
        (pd.Series(["cat", "owl", "dog"]), [0, 2, 1]),
        (["cat", None, "dog"], [0, -1, 1]),
        (np.array(["cat", "owl", "dog"]), [0, 2, 1]),
        (pd.Series({"c": 2, "a": 0, "b": -1}), [0, -1, 2]),
        (pd.Series({"c": 2.0, "a": 0.0, "b": np.nan}), [0, -1, 2]),
        (pd.Series({"c": 2, "a": 0, "b": None}).astype("Int64"), [0, -1, 2]),
        ([0, 2, -1], [0, 2, -1]),
    ],
)
def test_labels_become_codes(labels, codes):
    assert_array_equal(by_ids("gold", labels, LABELED), codes)


def test_numbers_in_a_series_are_ids_of_classes_that_are_numbers():
    assert_array_equal(by_ids("gold", pd.Series({"c": 3, "a": 1, "b": -1}), NUMBERED), [0, -1, 2])
    assert_array_equal(by_ids("gold", np.array([1, 2, -1]), NUMBERED), [1, 2, -1])
    with pytest.raises(ValueError, match=r"`gold` must be among `annotations.classes`.*1 unknown, 0"):
        by_ids("gold", pd.Series({"c": 0, "a": 1, "b": 2}), NUMBERED)
    with pytest.raises(ValueError, match=r"`gold` must be among `annotations.classes`.*'bird'"):
        by_ids("gold", ["cat", "bird", "dog"], LABELED)
