"""Soft answers in `Annotations`: every way in, every form out, and what they have in common with hard ones."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from keras_crowd.annotations import Annotations

few_examples = settings(max_examples=25, deadline=None, database=None)
CLASSES = 3
NAMES = ["cat", "dog", "owl"]
ARRAYS = ("items", "annotators", "classes", "item_index", "annotator_index", "answers")
codes = hnp.arrays(
    np.int32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.integers(-1, CLASSES - 1)
).filter(lambda table: np.any(table >= 0))
soft_tables = st.builds(
    lambda table, seed: np.where(
        table[..., None] >= 0, np.random.default_rng(seed).dirichlet(np.ones(CLASSES), table.shape), 0
    ).astype(np.float32),
    codes,
    st.integers(0, 99),
)


def one_hot(table):
    return (table[..., None] == np.arange(CLASSES)).astype(np.float32)


def assert_same(ours, theirs):
    for name in ARRAYS:
        assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)


@given(table=soft_tables)
@few_examples
def test_dense_long_and_slots_are_inverse(table):
    annotations = Annotations.from_dense(table)
    assert annotations.is_soft
    assert len(annotations) == np.any(table > 0, axis=2).sum()
    assert_array_equal(annotations.dense(), table)
    assert_same(Annotations.from_dense(annotations.dense()), annotations)
    assert not annotations.has_item_ids
    assert Annotations.from_dense(table, items=range(len(table))).hard().has_item_ids
    assert_same(
        Annotations.from_dense(np.where(table.any(axis=2, keepdims=True), table, np.nan)), annotations
    )
    who, what = annotations.slots()
    assert what.shape == (*who.shape, CLASSES)
    assert what.dtype == np.float32
    back = np.zeros_like(table)
    row, slot = np.nonzero(who >= 0)
    back[row, who[row, slot]] = what[row, slot]
    assert_array_equal(back, table)
    assert not what[who < 0].any()


@given(table=soft_tables)
@few_examples
def test_all_ways_in_lead_to_the_same(table):
    expected = Annotations.from_dense(table, classes=NAMES)
    known = {"items": range(len(table)), "annotators": range(table.shape[1])}
    item, annotator, rows = expected.item_index, expected.annotator_index, expected.answers
    frame = pd.DataFrame(rows, columns=NAMES)
    dicts = [dict(zip(NAMES, map(float, row), strict=True)) for row in rows]
    long = frame.assign(item=item, annotator=annotator, p=dicts)
    text = long.assign(p=frame.apply(lambda row: row.to_json(double_precision=15), axis=1))
    read = [
        Annotations.from_coo(item, annotator, rows, classes=NAMES, **known),
        Annotations.from_coo(item, annotator, rows.tolist(), classes=NAMES, **known),
        Annotations.from_coo(item, annotator, frame, **known),
        Annotations.from_coo(item, annotator, frame[NAMES[::-1]], classes=NAMES, **known),
        Annotations.from_coo(item, annotator, dicts, **known),
        Annotations.from_coo(item, annotator, pd.Series(dicts), classes=NAMES, **known),
        Annotations.from_dataframe(long, probabilities=NAMES, **known),
        Annotations.from_dataframe(long, probabilities="p", **known),
        Annotations.from_dataframe(text, probabilities="p", **known),
        Annotations.from_dataframe(expected.to_dataframe(), probabilities=NAMES, **known),
    ]
    for way, annotations in enumerate(read):
        assert_same(annotations, expected), way


def test_hard_answers_stand_beside_soft_ones():
    annotations = Annotations.from_coo(
        ["a", "a", "b", "b"],
        ["judge", "ann", "judge", "ann"],
        [{"cat": 0.75, "dog": 0.25}, "dog", None, "owl"],
    )
    assert annotations.classes.tolist() == NAMES
    assert len(annotations) == 3
    assert_array_equal(annotations.dense(), [[[0, 1, 0], [0.75, 0.25, 0]], [[0, 0, 1], [0, 0, 0]]])
    assert annotations.hard().dense().tolist() == [[1, 0], [2, -1]]
    assert repr(annotations).startswith(
        "Annotations(3 answers: 2 items x 2 annotators, 3 classes, soft, 1.5"
    )


def test_files_of_integer_classes_keep_them(tmp_path):
    pd.DataFrame({"item": [1, 2], "annotator": [7, 7], "p": ['{"0": 0.5, "3": 0.5}', "3"]}).to_csv(
        tmp_path / "p.csv", index=False
    )
    read = Annotations.from_csv(tmp_path / "p.csv", probabilities="p")
    assert read.classes.tolist() == [0, 3]
    assert read.answers.tolist() == [[0.5, 0.5], [0, 1]]
    text = Annotations.from_csv(tmp_path / "p.csv", probabilities="p", classes=["0", "3"])
    assert text.classes.tolist() == ["0", "3"]


@given(table=codes)
@few_examples
def test_hard_and_soft_are_inverse_where_answers_are_one_hot(table):
    hard = Annotations.from_dense(table, classes=CLASSES)
    soft = Annotations.from_dense(one_hot(table))
    assert_same(hard.soft(), soft)
    assert_same(soft.hard(), hard)
    assert hard.hard() is hard
    assert soft.soft() is soft


@given(table=soft_tables, data=st.data())
@few_examples
def test_a_permutation_permutes_everything(table, data):
    annotations = Annotations.from_dense(table)
    rows = data.draw(st.permutations(range(table.shape[0])))
    columns = data.draw(st.permutations(range(table.shape[1])))
    assert_array_equal(annotations.select(items=rows, annotators=columns).dense(), table[rows][:, columns])


def test_parts_are_joined_over_the_classes_of_all():
    soft = Annotations.from_coo(["a"], ["m"], pd.DataFrame({"dog": [0.5], "cat": [0.5]}))
    hard = Annotations.from_coo(["b", "a"], ["ann", "ann"], ["owl", "cat"])
    joined = Annotations.concat([soft, hard])
    assert joined.classes.tolist() == ["dog", "cat", "owl"]
    assert_array_equal(joined.dense(), [[[0.5, 0.5, 0], [0, 1, 0]], [[0, 0, 0], [0, 0, 1]]])
    with pytest.raises(ValueError, match="is for classes"):
        Annotations.concat([soft, hard], duplicates="majority")
    kept, held_out = Annotations.from_dense(np.tile(joined.dense(), (4, 1, 1))).split(0.5)
    assert kept.is_soft
    assert held_out.is_soft
    assert len(kept) == len(held_out) == 6


@pytest.mark.parametrize(("rule", "first"), [("first", 0.75), ("last", 0.25)])
def test_repeated_answers(rule, first):
    rows = [[0.75, 0.25], [0.25, 0.75]]
    annotations = Annotations.from_coo([1, 1], [1, 1], rows, duplicates=rule)
    assert annotations.answers.tolist() == [[first, 1 - first]]
    with pytest.raises(ValueError, match="at most once"):
        Annotations.from_coo([1, 1], [1, 1], rows)


def test_unknown_classes_are_dropped_or_refused():
    answers = [{"cat": 0.5, "bird": 0.5}, {"dog": 1.0, "bird": 0.0}, "cat"]
    kept = Annotations.from_coo([1, 2, 3], [1, 1, 1], answers, classes=["cat", "dog"], unknown="drop")
    assert kept.items.tolist() == [2, 3]
    assert kept.answers.tolist() == [[0, 1], [1, 0]]
    with pytest.raises(ValueError, match=r"`answer` must be among `classes`.*'bird'"):
        Annotations.from_coo([1, 2, 3], [1, 1, 1], answers, classes=["cat", "dog"])


def test_rounded_rows_are_divided_by_their_sum():
    rounded = Annotations.from_dense([[[0.33, 0.33, 0.33]]])
    assert_allclose(rounded.answers, [[1 / 3] * 3], rtol=1e-6)


@pytest.mark.parametrize(
    ("answer", "arguments", "message"),
    [
        ([[0.7, 0.2]], {}, "sum to 1.*Received: a row that sums to 0.89"),
        ([[0.7, np.nan]], {}, "none negative or NaN"),
        ([[1.5, -0.5]], {}, "none negative or NaN.*-0.5"),
        ([[0.5, 0.5], [1.0]], {}, "rows of one length, .*sets=True.*. Received: lengths"),
        ([{"cat": "much"}], {}, "probabilities of classes .*Received: {'cat': 'much'} at row 0"),
        ([[0.5, 0.5]], {"classes": 3}, "as many as the columns of soft answers, 2. Received: 3 classes"),
        ([[0.5, 0.5]], {"duplicates": "majority"}, "is for classes"),
        (np.zeros((2, 2)), {}, "at least one answer"),
        ([[0.5, 0.5]] * 2, {"item": [1]}, "same length. Received: lengths 1, 2 and 2"),
    ],
)  # fmt: skip
def test_what_is_no_distribution_is_refused(answer, arguments, message):
    arguments = {"item": range(len(answer)), "annotator": range(len(answer)), **arguments}
    with pytest.raises(ValueError, match=message):
        Annotations.from_coo(answer=answer, **arguments)


def test_wrong_tables_and_columns_are_refused():
    with pytest.raises(ValueError, match="sum to 1"):
        Annotations.from_dense([[[0.5, 0.1], [0, 0]]])
    with pytest.raises(ValueError, match="as many as the columns"):
        Annotations.from_dense([[[0.5, 0.5]]], classes=["a", "b", "c"])
    df = pd.DataFrame({"item": [1], "annotator": [1], "p": ['{"cat": '], "q": [1.0]})
    with pytest.raises(ValueError, match=r"`probabilities` must name two or more columns.*'z'"):
        Annotations.from_dataframe(df, probabilities=["q", "z"])
    with pytest.raises(ValueError, match="two or more"):
        Annotations.from_dataframe(df, probabilities=["q"])
    with pytest.raises(ValueError, match=r"JSON objects. Received: .* at row 0"):
        Annotations.from_dataframe(df, probabilities="p")
