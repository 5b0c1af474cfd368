"""`Annotations`: its three forms are inverse to each other, and permutations go through all of them."""

import collections
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

from keras_crowd.annotations import Annotations

few_examples = settings(max_examples=40, deadline=None, database=None)
shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6)
classes = hnp.arrays(np.int32, shapes, elements=st.integers(-1, 3)).filter(lambda table: np.any(table >= 0))
numbers = hnp.arrays(
    np.float32, shapes, elements=st.just(np.nan) | st.floats(-9, 9, width=16, allow_nan=False)
).filter(lambda table: not np.all(np.isnan(table)))
tables = classes | numbers


def ids(table):
    """Names of rows and columns; classes 0 to 3, or none for numbers."""
    codes = {} if table.dtype.kind == "f" else {"classes": range(4)}
    return {
        "items": [f"i{i}" for i in range(len(table))],
        "annotators": range(10, 10 + table.shape[1]),
        **codes,
    }


def of(table):
    return Annotations.from_dense(table, **ids(table))


def assert_same(ours, theirs):
    for name in ("items", "annotators", "classes", "item_index", "annotator_index", "answers"):
        assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)


@given(table=tables)
@few_examples
def test_long_and_dense_are_inverse(table):
    annotations = of(table)
    assert_array_equal(annotations.dense(), table)
    long = (
        annotations.items[annotations.item_index],
        annotations.annotators[annotations.annotator_index],
        annotations.answers,
    )
    assert_same(Annotations.from_coo(*long, **ids(table)), annotations)


@given(table=tables, more=st.integers(0, 2))
@few_examples
def test_slots_and_dense_are_inverse(table, more):
    annotations = of(table)
    width = max(annotations.answers_per_item().max(), 1) + more
    who, what = annotations.slots(int(width))
    row, slot = np.nonzero(who >= 0)
    assert len(row) == len(annotations)
    back = np.full_like(table, np.nan if table.dtype.kind == "f" else -1)
    back[row, who[row, slot]] = what[row, slot]
    assert_array_equal(back, table)
    assert_same(of(back), annotations)


@given(table=tables, data=st.data())
@few_examples
def test_a_permutation_permutes_everything(table, data):
    annotations = of(table)
    rows = np.array(data.draw(st.permutations(range(table.shape[0]))))
    columns = np.array(data.draw(st.permutations(range(table.shape[1]))))
    permuted = annotations.select(
        items=annotations.items[rows].tolist(), annotators=annotations.annotators[columns].tolist()
    )
    assert_array_equal(permuted.dense(), table[rows][:, columns])
    assert_array_equal(permuted.items, annotations.items[rows])
    assert_array_equal(permuted.annotators, annotations.annotators[columns])
    assert_array_equal(permuted.answers_per_item(), annotations.answers_per_item()[rows])
    assert_array_equal(permuted.answers_per_annotator(), annotations.answers_per_annotator()[columns])
    who, what = permuted.slots()
    before, said = annotations.slots()
    for i, row in enumerate(rows):
        seen = {(columns[r], answer) for r, answer in zip(who[i], what[i], strict=True) if r >= 0}
        assert seen == {(r, answer) for r, answer in zip(before[row], said[row], strict=True) if r >= 0}
    back = permuted.select(items=ids(table)["items"], annotators=list(ids(table)["annotators"]))
    assert_same(back, annotations)


repeated = st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=1, max_size=25)


@pytest.mark.parametrize("rule", ["first", "last", "majority"])
def test_rules_for_repeated_answers_are_those_of_loops(rule):
    def choose(answers):
        if rule == "majority":
            return collections.Counter(answers).most_common(1)[0][0]  # of equals the first
        return answers[0 if rule == "first" else -1]

    @given(rows=repeated)
    @few_examples
    def check(rows):
        given_ = collections.defaultdict(list)
        for item, annotator, answer in rows:
            given_[item, annotator].append(answer)
        known = {"items": range(3), "annotators": range(3), "classes": 3}
        table = Annotations.from_coo(*zip(*rows, strict=True), duplicates=rule, **known).dense()
        expected = np.full((3, 3), -1)
        for cell, answers in given_.items():
            expected[cell] = choose(answers)
        assert_array_equal(table, expected)

    check()


@pytest.mark.parametrize("rule", ["error", "first", "last", "majority"])
def test_parts_are_joined_as_their_columns_are(rule):
    @given(parts=st.lists(repeated, min_size=1, max_size=3), numeric=st.booleans(), text=st.booleans())
    @few_examples
    def check(parts, numeric, text):
        numeric = numeric and rule != "majority"
        within = rule if rule != "error" else "first"
        read = []
        for rows in parts:
            item, annotator, answer = (list(column) for column in zip(*rows, strict=True))
            item = [f"i{i}" for i in item] if text else item
            answer = [float(a) for a in answer] if numeric else answer
            read.append(Annotations.from_coo(item, annotator, answer, duplicates=within))
        columns = [np.concatenate([column(part) for part in read]) for column in (
            lambda part: part.items[part.item_index],
            lambda part: part.annotators[part.annotator_index],
            lambda part: part.answers if numeric else part.classes[part.answers],
        )]  # fmt: skip
        known = {
            name: list(dict.fromkeys(id_ for part in read for id_ in getattr(part, name).tolist()))
            for name in ("items", "annotators", *([] if numeric else ["classes"]))
        }
        try:
            theirs = Annotations.from_coo(*columns, duplicates=rule, **known)
        except ValueError as error:
            with pytest.raises(ValueError, match=re.escape(str(error))):
                Annotations.concat(read, duplicates=rule)
        else:
            assert_same(Annotations.concat(read, duplicates=rule), theirs)

    check()


def test_the_rule_is_checked_and_reaches_tables(tmp_path):
    import pandas as pd

    df = pd.DataFrame({"item": [1, 1], "annotator": [1, 1], "answer": ["a", "b"]})
    df.to_csv(tmp_path / "t.csv", index=False)
    for rule, answer in (("first", "a"), ("last", "b")):
        for found in (
            Annotations.from_dataframe(df, duplicates=rule),
            Annotations.from_csv(tmp_path / "t.csv", duplicates=rule),
        ):
            assert found.classes[found.answers].tolist() == [answer]
    with pytest.raises(ValueError, match="`duplicates` must be one of"):
        Annotations.from_dataframe(df, duplicates="mean")
    with pytest.raises(ValueError, match="is for classes"):
        Annotations.from_coo([1], [1], [0.5], duplicates="majority")
