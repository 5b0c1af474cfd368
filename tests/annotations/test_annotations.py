"""`Annotations`: what goes in comes out, in every form; and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

from keras_crowd.annotations import Annotations, as_annotations

# A run of random examples that leaves nothing on disk and does not fail a busy machine.
random_examples = settings(max_examples=60, deadline=None, database=None)

ATTRIBUTES = ["items", "annotators", "classes", "item_index", "annotator_index", "answers"]

shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7)
tables = hnp.arrays(np.int32, shapes, elements=st.integers(-1, 3)).filter(lambda table: np.any(table >= 0))
ratings = hnp.arrays(
    np.float32, shapes, elements=st.just(np.nan) | st.floats(-1e6, 1e6, width=32, allow_nan=False)
).filter(lambda table: not np.all(np.isnan(table)))


def rows_of(table):
    """The long form by loops: item, annotator and answer of each cell that holds an answer."""
    cells = [(i, r) for i in range(len(table)) for r in range(len(table[0])) if table[i][r] >= 0]
    return [i for i, _ in cells], [r for _, r in cells], [int(table[i][r]) for i, r in cells]


def from_table(table, order=slice(None)):
    item, annotator, answer = (np.array(column)[order] for column in rows_of(table))
    return Annotations.from_coo(
        item,
        annotator,
        answer,
        items=range(len(table)),
        annotators=range(len(table[0])),
        classes=range(4),
    )


def dense_from_slots(annotators, answers, num_annotators, missing):
    """The dense table by loops over the slots."""
    table = np.full((len(answers), num_annotators), missing, answers.dtype)
    for i, (ids, given_) in enumerate(zip(annotators, answers, strict=True)):
        for r, answer in zip(ids, given_, strict=True):
            if r >= 0:
                table[i, r] = answer
    return table


def assert_same(ours, theirs):
    for name in ATTRIBUTES:
        assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)


@pytest.fixture
def votes():
    """Three items (nobody answered the second), three annotators."""
    return Annotations.from_dense(
        [[0, 1, -1], [-1, -1, -1], [2, -1, 0]], items=["x", "y", "z"], annotators=[30, 10, 20], classes=4
    )


# --- round trips -----------------------------------------------------------------------------------


@given(table=tables)
@random_examples
def test_classes_survive_the_round_trip(table):
    dense = Annotations.from_dense(table).dense()
    assert dense.dtype == np.int32
    assert_array_equal(dense, table)


@given(table=ratings)
@random_examples
def test_ratings_survive_the_round_trip(table):
    annotations = Annotations.from_dense(table)
    dense = annotations.dense()
    assert annotations.classes is None
    assert dense.dtype == np.float32
    assert_array_equal(dense, table)


@given(table=tables)
@random_examples
def test_slots_hold_the_dense_table(table):
    annotators, answers = Annotations.from_dense(table).slots()
    assert annotators.dtype == answers.dtype == np.int32
    assert_array_equal(annotators < 0, answers < 0)
    assert_array_equal(dense_from_slots(annotators, answers, table.shape[1], -1), table)


@given(table=ratings)
@random_examples
def test_slots_hold_the_ratings(table):
    annotators, answers = Annotations.from_dense(table).slots()
    assert answers.dtype == np.float32
    assert_array_equal(annotators < 0, np.isnan(answers))
    assert_array_equal(dense_from_slots(annotators, answers, table.shape[1], np.nan), table)


@given(table=tables, more=st.integers(0, 3))
@random_examples
def test_slots_are_as_wide_as_needed_and_padded_at_the_end(table, more):
    annotations = Annotations.from_dense(table)
    counts = np.sum(table >= 0, axis=1)
    width = counts.max()
    assert annotations.slots()[0].shape == annotations.slots()[1].shape == (len(table), width)
    annotators, answers = annotations.slots(width + more)
    expected = np.arange(width + more) < counts[:, None]
    assert_array_equal(annotators >= 0, expected)
    assert_array_equal(answers >= 0, expected)


@given(table=tables)
@random_examples
def test_long_form_gives_the_dense_table(table):
    assert_array_equal(from_table(table).dense(), table)


@given(table=tables)
@random_examples
def test_long_form_is_sorted_and_of_few_bits(table):
    annotations = from_table(table)
    item, annotator, answer = rows_of(table)
    assert_array_equal(annotations.item_index, item)
    assert_array_equal(annotations.annotator_index, annotator)
    assert_array_equal(annotations.answers, answer)
    for array in (annotations.item_index, annotations.annotator_index, annotations.answers):
        assert array.dtype == np.int32


@given(table=tables, data=st.data())
@random_examples
def test_order_of_the_rows_means_nothing(table, data):
    order = data.draw(st.permutations(range(np.sum(table >= 0))))
    assert_same(from_table(table, order), from_table(table))


@given(table=tables, data=st.data())
@random_examples
def test_order_of_the_rows_means_nothing_to_ids_that_are_found(table, data):
    order = data.draw(st.permutations(range(np.sum(table >= 0))))
    columns = [[f"id{id_}" for id_ in column] for column in rows_of(table)]
    permuted = Annotations.from_coo(*[[column[i] for i in order] for column in columns])
    assert_same(permuted, Annotations.from_coo(*columns))


@given(table=tables, data=st.data())
@random_examples
def test_order_of_items_and_annotators_is_that_of_rows_and_columns(table, data):
    items = data.draw(st.permutations(range(table.shape[0])))
    annotators = data.draw(st.permutations(range(table.shape[1])))
    permuted = Annotations.from_coo(*rows_of(table), items=items, annotators=annotators, classes=range(4))
    assert_array_equal(permuted.dense(), table[items][:, annotators])
    assert_array_equal(permuted.items, items)
    assert_array_equal(permuted.annotators, annotators)


@given(table=tables)
@random_examples
def test_counts_are_those_of_the_table(table):
    annotations = Annotations.from_dense(table)
    assert (annotations.num_items, annotations.num_annotators) == table.shape
    assert len(annotations) == np.sum(table >= 0)
    assert_array_equal(annotations.answers_per_item(), np.sum(table >= 0, axis=1))
    assert_array_equal(annotations.answers_per_annotator(), np.sum(table >= 0, axis=0))


def test_dense_has_positions_for_ids_unless_told():
    annotations = Annotations.from_dense([[0, -1, 2], [1, 1, -1]])
    assert_array_equal(annotations.items, [0, 1])
    assert_array_equal(annotations.annotators, [0, 1, 2])
    assert_array_equal(annotations.classes, [0, 1, 2])


@pytest.mark.parametrize("classes", [5, np.int64(5), ["a", "b", "c", "d", "e"]])
def test_classes_nobody_gave_are_kept(classes):
    assert Annotations.from_dense([[0, 1]]).num_classes == 2
    assert Annotations.from_dense([[0, 1]], classes=classes).num_classes == 5


def test_unsigned_codes_are_codes():
    assert_array_equal(Annotations.from_dense(np.array([[0, 200]], np.uint8)).dense(), [[0, 200]])


def test_repr_says_what_there_is(votes):
    assert repr(votes) == (
        "Annotations(4 answers: 3 items x 3 annotators, 4 classes, 1.3 answers per item, 1 items unanswered)"
    )
    assert ", numeric, " in repr(Annotations.from_dense([[0.5]]))
    assert "1,500 answers: 1,500 items" in repr(Annotations.from_dense(np.zeros((1500, 1), int)))


# --- ids -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ids",
    [
        ["b.png", "a.png", "c.png"],
        [7, -3, 5],
        [1.5, 0.5, 2.5],
        [("b", 1), ("a", 2), ("a", 1)],
        [("b",), ("a",), ("c",)],
        [b"b", b"a", b"c"],
        [pd.Timestamp("2024-02-01"), pd.Timestamp("2024-01-01"), pd.Timestamp("2025-01-01")],
        [np.str_("b"), np.str_("a"), np.str_("c")],
        [np.int64(7), np.int64(3), np.int64(5)],
        ["a", "a\0", "a\0\0"],
        [2**63 + 1, 2**63, -1],
        [2**80 + 1, 2**80, 0],
    ],
    ids=lambda ids: type(ids[0]).__name__,
)
def test_ids_of_any_kind_are_kept_and_sorted(ids):
    annotations = Annotations.from_coo(ids, ids, ids, classes=sorted(ids))
    order = [ids.index(id_) for id_ in sorted(ids)]
    for found in (annotations.items, annotations.annotators, annotations.classes):
        assert found.tolist() == [ids[i] for i in order]
    assert_array_equal(annotations.dense(), np.where(np.eye(3), np.arange(3)[:, None], -1))


def test_ids_that_cannot_be_sorted_come_in_order_of_appearance():
    ids = ["b", 2, ("a",), "a", 1]
    annotations = Annotations.from_coo([*ids, "b"], [0, 0, 0, 0, 0, 1], ["yes", 0, 0, "yes", 0, 0])
    assert annotations.items.tolist() == ids
    assert annotations.classes.tolist() == ["yes", 0]
    assert_array_equal(annotations.dense(), [[0, 1], [1, -1], [1, -1], [0, -1], [1, -1]])


def test_given_items_keep_their_order_and_those_nobody_answered():
    annotations = Annotations.from_coo(["a", "c"], ["r", "r"], [0, 1], items=["c", "b", "a", "d"])
    assert annotations.items.tolist() == ["c", "b", "a", "d"]
    assert_array_equal(annotations.dense(), [[1], [-1], [0], [-1]])
    annotators, answers = annotations.slots()
    assert_array_equal(annotators, [[0], [-1], [0], [-1]])
    assert_array_equal(answers, [[1], [-1], [0], [-1]])


def test_given_annotators_and_classes_keep_their_order():
    annotations = Annotations.from_coo(
        [0, 0], ["r", "s"], ["no", "yes"], annotators=["t", "s", "r"], classes=["yes", "maybe", "no"]
    )
    assert_array_equal(annotations.dense(), [[-1, 0, 2]])
    assert annotations.num_classes == 3


@pytest.mark.parametrize("kind", ["object", "str", "string", "category"])
def test_columns_of_pandas_strings(kind):
    df = pd.DataFrame(
        {"item": ["b", "a", "b"], "annotator": ["r", "r", "s"], "answer": ["no", "no", "yes"]}
    )
    annotations = Annotations.from_dataframe(df.astype(kind))
    assert annotations.items.tolist() == ["a", "b"]
    assert annotations.annotators.tolist() == ["r", "s"]
    assert annotations.classes.tolist() == ["no", "yes"]
    assert_array_equal(annotations.dense(), [[0, -1], [0, 1]])


def test_a_categorical_column_gives_the_classes_its_categories():
    answer = pd.Categorical(["good", None, "bad"], categories=["good", "fair", "bad"])
    df = pd.DataFrame({"item": [0, 1, 2], "annotator": 0, "answer": answer})
    annotations = Annotations.from_dataframe(df)
    assert annotations.classes.tolist() == ["good", "fair", "bad"]
    assert_array_equal(annotations.dense(), [[0], [2]])
    other = Annotations.from_dataframe(df, classes=["bad", "good"])
    assert_array_equal(other.dense(), [[1], [0]])


def test_a_data_frame_with_other_names_for_its_columns():
    df = pd.DataFrame({"task": [1, 0], "worker": ["r", "s"], "label": [1, 0]}, index=[8, 9])
    annotations = Annotations.from_dataframe(df, "task", "worker", "label", items=[0, 1, 2])
    assert_array_equal(annotations.dense(), [[-1, 0], [1, -1], [-1, -1]])


def test_a_tensor_is_read_by_value():
    class Tensor:
        """As PyTorch's: elements are tensors too, equal to nothing but themselves in a dict."""

        def __init__(self, values):
            self.values = np.asarray(values)

        def __iter__(self):
            return map(Tensor, self.values)

        def __array__(self, dtype=None, copy=None):
            return self.values

    annotations = Annotations.from_coo(Tensor([0, 0, 1]), Tensor([0, 1, 0]), Tensor([2, 1, 2]))
    assert_array_equal(annotations.dense(), [[1, 0], [1, -1]])
    assert_array_equal(Annotations.from_dense(Tensor([[0, -1]])).dense(), [[0, -1]])


# --- CSV -------------------------------------------------------------------------------------------


def test_csv(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("item,annotator,answer\nb,r,cat\na,r,dog\nb,s,dog\na,s,\n")
    annotations = Annotations.from_csv(path)
    assert annotations.items.tolist() == ["a", "b"]
    assert annotations.classes.tolist() == ["cat", "dog"]
    assert_array_equal(annotations.dense(), [[1, -1], [0, 1]])


def test_csv_with_its_own_separator_and_names(tmp_path):
    path = tmp_path / "answers.tsv"
    path.write_text("worker\ttask\tlabel\n007\t2\t1\n008\t1\t0\n")
    annotations = Annotations.from_csv(
        str(path),
        "task",
        "worker",
        "label",
        items=[3, 2, 1],
        annotators=["008", "007"],
        classes=[0, 1, 2],
        sep="\t",
        dtype={"worker": str},
    )
    assert annotations.num_classes == 3
    assert_array_equal(annotations.dense(), [[-1, -1], [-1, 1], [0, -1]])


def test_csv_with_classes_that_pandas_takes_for_missing(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("item,annotator,answer\n0,r,None\n1,r,cat\n2,r,\n")
    annotations = Annotations.from_csv(path, keep_default_na=False, na_values=[""])
    assert annotations.classes.tolist() == ["None", "cat"]
    assert annotations.items.tolist() == [0, 1]


def test_csv_with_integer_classes_and_a_hole(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("item,annotator,answer\n0,r,2\n1,r,0\n2,r,\n")
    for arguments in ({"classes": [0, 1, 2]}, {"dtype": {"answer": "Int64"}, "classes": [0, 1, 2]}):
        assert_array_equal(Annotations.from_csv(path, **arguments).dense(), [[2], [0]])
    assert Annotations.from_csv(path, dtype={"answer": "Int64"}).num_classes == 2


# --- missing answers and ids -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        ["yes", None, "no", None],
        ["yes", float("nan"), "no", np.nan],
        pd.Series(["yes", None, "no", None], dtype="string"),
        pd.Series(["yes", pd.NA, "no", pd.NA], dtype="object"),
        pd.Series(["yes", None, "no", None], dtype="category"),
    ],
    ids=["None", "NaN", "string", "NA", "category"],
)
def test_a_missing_answer_drops_its_row(answer):
    annotations = Annotations.from_coo([0, 1, 0, 0], ["r", "r", "s", "t"], answer)
    assert annotations.items.tolist() == [0]
    assert annotations.annotators.tolist() == ["r", "s"]
    assert_array_equal(annotations.dense(), [[1, 0]])


def test_an_id_may_be_missing_where_the_answer_is():
    annotations = Annotations.from_coo(["a", None], [np.nan, "r"][::-1], ["yes", None])
    assert len(annotations) == 1


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT], ids=str)
@pytest.mark.parametrize("name", ["item", "annotator"])
def test_a_missing_id_is_refused(name, missing):
    columns = {"item": ["a", "b", "c"], "annotator": ["r", "r", "r"], "answer": [0, 1, 0]}
    columns[name] = ["r", missing, missing]
    with pytest.raises(ValueError, match=f"`{name}` must not have missing ids. Received: 2, .* position 1"):
        Annotations.from_coo(**columns)


def test_missing_float_and_time_ids_are_refused():
    with pytest.raises(ValueError, match=r"`item` must not have missing ids. Received: 1, .* position 0"):
        Annotations.from_coo(np.array([np.nan, 1.0]), [0, 0], [0, 1])
    with pytest.raises(ValueError, match=r"`item` must not have missing ids. Received: 1, .* position 1"):
        Annotations.from_coo(np.array(["2024", "NaT"], "M8[D]"), [0, 0], [0, 1])


# --- numbers or classes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        [3.0, np.nan, 2.5],
        np.array([3.0, np.nan, 2.5], np.float16),
        [3.0, None, 2.5],
        [3, None, 2.5],
        [np.float64(3), np.float64("nan"), np.float64(2.5)],
        pd.Series([3.0, None, 2.5], dtype="Float64"),
        pd.Series([3.0, None, 2.5], dtype="object"),
    ],
    ids=["list", "array", "None", "int and float", "scalars", "Float64", "object"],
)
def test_floats_are_numeric_ratings(answer):
    annotations = Annotations.from_coo([0, 1, 2], [0, 0, 0], answer)
    assert annotations.classes is None
    assert_array_equal(annotations.dense(), np.array([[3.0], [2.5]], np.float32))


@pytest.mark.parametrize(
    "answer",
    [
        [0, None, 2],
        pd.Series([0, None, 2], dtype="Int64"),
        pd.Series([0, None, 2], dtype="object"),
        pd.Series([False, None, True], dtype="boolean"),
        ["0", None, "2"],
    ],
    ids=["None", "Int64", "object", "boolean", "str"],
)
def test_integers_with_a_hole_are_classes(answer):
    annotations = Annotations.from_coo([0, 1, 2], [0, 0, 0], answer)
    assert annotations.num_classes == 2
    assert_array_equal(annotations.dense(), [[0], [1]])


@pytest.mark.parametrize("answer", [[0.0, np.nan, 2.0], [0.0, None, 2], np.array([0, np.nan, 2], "f4")])
def test_floats_with_classes_are_classes(answer):
    annotations = Annotations.from_coo([0, 1, 2], [0, 0, 0], answer, items=range(3), classes=[2, 1, 0])
    assert annotations.num_classes == 3
    assert_array_equal(annotations.dense(), [[2], [-1], [0]])


def test_dense_floats_with_classes_are_codes():
    annotations = Annotations.from_dense([[0.0, np.nan], [2.0, -1.0]], classes=3)
    assert annotations.dense().dtype == np.int32
    assert_array_equal(annotations.dense(), [[0, -1], [2, -1]])


def test_minus_one_is_a_rating_like_any_other():
    assert_array_equal(Annotations.from_dense([[-1.0, np.nan]]).answers, [-1.0])


@pytest.mark.parametrize("wrong", [np.inf, -np.inf, 1e300])
def test_ratings_that_are_not_finite_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must be finite float32 numbers. Received: .*and 0 more"):
        Annotations.from_dense([[wrong, 1.0, np.nan]])
    with pytest.raises(ValueError, match=r"must be finite float32 numbers. Received: .*and 0 more"):
        Annotations.from_coo([0, 1], [0, 0], [wrong, 1.0])


# --- select and split ------------------------------------------------------------------------------


def test_select_by_ids_takes_their_order(votes):
    chosen = votes.select(items=["z", "x"], annotators=[20, 30])
    assert chosen.items.tolist() == ["z", "x"]
    assert chosen.annotators.tolist() == [20, 30]
    assert chosen.num_classes == 4
    assert_array_equal(chosen.dense(), [[0, 2], [-1, 0]])


@pytest.mark.parametrize("kind", [list, np.array, pd.Series, lambda mask: list(np.array(mask))])
def test_select_by_mask(votes, kind):
    chosen = votes.select(items=kind([True, True, False]))
    assert chosen.items.tolist() == ["x", "y"]
    assert_array_equal(chosen.dense(), [[0, 1, -1], [-1, -1, -1]])


@pytest.mark.parametrize("mask", [[True, False], [False, True]])
def test_a_mask_made_from_counts_is_no_list_of_ids(mask):
    annotations = Annotations.from_dense([[0, 1], [1, 0]])
    assert_array_equal(annotations.select(items=list(np.array(mask))).items, np.flatnonzero(mask))


def test_select_by_mask_and_by_ids(votes):
    chosen = votes.select(items=np.array([False, False, True]), annotators=[10, 20])
    assert chosen.items.tolist() == ["z"]
    assert_array_equal(chosen.dense(), [[-1, 0]])


def test_select_without_arguments_takes_all(votes):
    assert_same(votes.select(), votes)


def test_select_nothing_leaves_nothing(votes):
    nothing = votes.select(items=[])
    assert len(nothing) == 0
    assert nothing.dense().shape == (0, 3)
    assert nothing.slots()[0].shape == (0, 1)


@given(table=tables, data=st.data())
@random_examples
def test_select_cuts_the_dense_table(table, data):
    items = data.draw(st.lists(st.sampled_from(range(table.shape[0])), unique=True))
    annotators = data.draw(st.lists(st.sampled_from(range(table.shape[1])), unique=True))
    chosen = from_table(table).select(items=items, annotators=annotators)
    assert_array_equal(chosen.dense(), table[items][:, annotators])


@given(table=tables, fraction=st.floats(0.01, 0.99), seed=st.integers(0, 1000))
@random_examples
def test_split_parts_the_answers(table, fraction, seed):
    annotations = from_table(table)
    train, held_out = annotations.split(fraction, seed)
    ours, theirs = train.dense(), held_out.dense()
    assert ours.shape == theirs.shape == table.shape
    assert train.num_classes == held_out.num_classes == 4
    assert not np.any((ours >= 0) & (theirs >= 0))
    assert_array_equal(np.maximum(ours, theirs), table)
    assert len(held_out) == min(max(round(fraction * len(annotations)), 1), len(annotations) - 1)


def test_split_follows_the_seed():
    annotations = Annotations.from_dense(np.zeros((20, 10), int))
    first, again, other = (annotations.split(0.3, seed)[1].dense() for seed in (1, 1, 2))
    assert_array_equal(first, again)
    assert np.any(first != other)


def test_split_is_fair():
    annotations = Annotations.from_dense(np.zeros((3, 2), int))
    held_out = np.mean([annotations.split(0.5, seed)[1].dense() >= 0 for seed in range(400)], axis=0)
    assert np.all(np.abs(held_out - 0.5) < 5 * 0.5 / np.sqrt(400))


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, np.nan])
def test_split_of_no_fraction_is_refused(votes, fraction):
    with pytest.raises(ValueError, match=f"must be between 0 and 1. Received: fraction={fraction}"):
        votes.split(fraction)


# --- instances do not change -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_arrays_cannot_be_written_to(votes, name):
    for annotations in (votes, votes.select(items=["z"]), votes.split(0.5)[0], from_table([[1, 0]])):
        with pytest.raises(ValueError, match="read-only"):
            getattr(annotations, name)[0] = 9


def test_later_changes_to_what_was_read_change_nothing():
    table, ids = np.array([[0, 1]]), np.array(["a", "b"])
    dense = Annotations.from_dense(table, annotators=ids)
    view = Annotations.from_coo([0, 0], ["a", "b"], [0, 1], annotators=ids[::-1], classes=table[0])
    table[:], ids[:] = 7, "z"
    assert_array_equal(dense.dense(), [[0, 1]])
    assert dense.annotators.tolist() == ["a", "b"]
    assert view.annotators.tolist() == ["b", "a"]
    assert view.classes.tolist() == [0, 1]


def test_a_read_only_view_of_ids_is_not_trusted():
    ids = np.array(["a", "b"])
    view = ids[:]
    view.flags.writeable = False
    annotations = Annotations.from_dense([[0, 1]], annotators=view)
    ids[:] = "z"
    assert annotations.annotators.tolist() == ["a", "b"]


def test_later_changes_to_what_came_out_change_nothing(votes):
    votes.dense()[:] = 3
    for array in votes.slots():
        array[:] = 3
    assert_array_equal(votes.dense(), [[0, 1, -1], [-1, -1, -1], [2, -1, 0]])
    assert_array_equal(votes.slots()[1], [[0, 1], [-1, -1], [2, 0]])


# --- a million answers -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [None, "item {:06d}".format], ids=["int", "str"])
def test_a_million_answers(name):
    num_items, num_annotators = 200_000, 100
    item = np.repeat(np.arange(num_items), 5)
    annotator = (7 * item + 13 * np.tile(np.arange(5), num_items)) % num_annotators
    order = np.random.default_rng(0).permutation(len(item))
    ids = item[order] if name is None else [name(i) for i in item[order].tolist()]
    annotations = Annotations.from_coo(ids, annotator[order], ((3 * item + annotator) % 8)[order])
    dense, (slots, answers) = annotations.dense(), annotations.slots()
    assert len(annotations) == 1_000_000
    assert dense.shape == (num_items, num_annotators)
    assert slots.shape == answers.shape == (num_items, 5)
    for i in range(0, num_items, 997):
        expected = sorted((7 * i + 13 * j) % num_annotators for j in range(5))
        assert annotations.items[i] == (i if name is None else name(i))
        assert slots[i].tolist() == np.flatnonzero(dense[i] >= 0).tolist() == expected
        assert answers[i].tolist() == dense[i, expected].tolist() == [(3 * i + r) % 8 for r in expected]


# --- answers as a user may hand them over ----------------------------------------------------------


def test_annotations_pass_through(votes):
    assert as_annotations(votes) is votes
    assert as_annotations(votes, 4) is votes


def test_a_dense_array_becomes_annotations():
    annotations = as_annotations([[0, -1], [1, 1]], num_classes=3)
    assert annotations.num_classes == 3
    assert_array_equal(annotations.dense(), [[0, -1], [1, 1]])


def test_floats_are_refused_where_classes_are_needed():
    with pytest.raises(ValueError, match=r"integers of shape .* Received: floats of shape \(1, 2\)"):
        as_annotations([[0.0, 1.0]])
    numeric = Annotations.from_dense([[0.0, 1.0]])
    for num_classes in (None, 2):
        with pytest.raises(
            ValueError, match=r"`answers` must be of one class each. Received: numeric answers"
        ):
            as_annotations(numeric, num_classes)


def test_ratings_have_no_number_of_classes():
    with pytest.raises(ValueError, match=r"numeric answers \(floats\). Pass `classes=` when"):
        _ = Annotations.from_dense([[0.0, 1.0]]).num_classes


def test_another_number_of_classes_is_refused(votes):
    with pytest.raises(ValueError, match=r"which have 4. Received: num_classes=3"):
        as_annotations(votes, 3)
    with pytest.raises(ValueError, match=r"class codes 0 to 2, or -1 for missing. Received: 3"):
        as_annotations([[0, 3]], 3)


# --- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "arguments", "message"),
    [
        ([0, 1], {}, r"Received: shape \(2,\)"),
        (np.zeros((1, 2, 3), int), {}, r"Received: shape \(1, 2, 3\)"),
        ([["a", "b"]], {}, r"must be numbers .* Received: shape \(1, 2\), dtype <U1"),
        ([[True, False]], {}, r"must be numbers .* dtype bool"),
        ([[0, None]], {}, r"must be numbers .* dtype object"),
        ([[-1, -1]], {}, "`array` must hold at least one answer. Received: none, or all missing"),
        ([[np.nan]], {}, "`array` must hold at least one answer. Received: none, or all missing"),
        (np.zeros((0, 3), int), {}, "`array` must hold at least one answer. Received: none"),
        ([[0, -2]], {}, "class codes 0 to 0, or -1 for missing. Received: -2, and 0 more"),
        ([[-2, -3]], {}, "class codes 0 to 0, or -1 for missing. Received: -2, and 1 more"),
        ([[0, 3, 4]], {"classes": 3}, "class codes 0 to 2, or -1 for missing. Received: 3, and 1 more"),
        ([[0, 2]], {"classes": ["no", "yes"]}, "class codes 0 to 1, or -1 for missing. Received: 2"),
        ([[0, 0.5]], {"classes": 3}, "class codes 0 to 2, or -1 for missing. Received: 0.5"),
        ([[0, 1]], {"items": ["a", "b"]}, "`items` must have 1 ids. Received: 2"),
        ([[0, 1]], {"annotators": ["r"]}, "`annotators` must have 2 ids. Received: 1"),
        ([[0, 1]], {"annotators": ["r", "r"]}, "`annotators` must be distinct. Received: 2 ids, 1 of them"),
        ([[0], [1]], {"items": [1, 1.0]}, "`items` must be distinct. Received: 2 ids, 1 of them"),
        ([[0, 1]], {"classes": ["yes", "yes"]}, "`classes` must be distinct. Received: 2 ids, 1 of them"),
    ],
)
def test_wrong_tables_are_refused(array, arguments, message):
    with pytest.raises(ValueError, match=message):
        Annotations.from_dense(array, **arguments)


@pytest.mark.parametrize(
    ("columns", "arguments", "message"),
    [
        (([0, 1], [0], [0, 1]), {}, "must have the same length. Received: lengths 2, 1 and 2"),
        ((np.zeros((2, 2)), [0, 1], [0, 1]), {}, r"`item` must be 1-D. Received: shape \(2, 2\)"),
        (([], [], []), {}, "`answer` must hold at least one answer. Received: none, or all missing"),
        (([0, 1], [0, 0], [None, np.nan]), {}, "`answer` must hold at least one answer. Received: none"),
        ((["a"], [0], [0]), {"items": ["b"]}, r"`item` must be among `items`. Received: 1 unknown, 'a'"),
        (([0], ["r"], [0]), {"annotators": ["s"]}, "must be among `annotators`. Received: 1 unknown, 'r'"),
        (([0, 1], [0, 0], [5, 0]), {"classes": [0, 1]}, "must be among `classes`. Received: 1 unknown, 5"),
        (([0, 1], [0, 0], [0.5, 0]), {"classes": [0, 1]}, "among `classes`. Received: 1 unknown, 0.5"),
        ((range(9), [0] * 9, [0] * 9), {"items": [8]}, r"Received: 8 unknown, 0, 1, 2, 3, 4 \(known: 8\)$"),
        (([0], [0], [0]), {"items": [0, 1, 0]}, "`items` must be distinct. Received: 3 ids, 2 of them"),
        (([0], [0], [0]), {"classes": [0, 0]}, "`classes` must be distinct. Received: 2 ids, 1 of them"),
    ],
)
def test_wrong_columns_are_refused(columns, arguments, message):
    with pytest.raises(ValueError, match=message):
        Annotations.from_coo(*columns, **arguments)


def test_ids_that_cannot_be_hashed_are_refused():
    with pytest.raises(ValueError, match=r"`item` must be hashable ids.*Received: list \['a'\]"):
        Annotations.from_coo([["a"], ["b"]], [0, 0], [0, 1])


def test_an_annotator_who_answers_an_item_twice_is_refused():
    item, annotator = ["y", "x", "x", "x", "y"], ["ann", "bob", "ann", "bob", "ann"]
    with pytest.raises(ValueError, match="2 repeated answers, the first by annotator 'bob' to item 'x'"):
        Annotations.from_coo(item, annotator, ["a", "a", "a", "b", "a"])


def test_a_column_that_is_not_there_is_refused():
    df = pd.DataFrame({"task": [0], "annotator": [0], "answer": [0]})
    with pytest.raises(ValueError, match=r"item='item', columns \['task', 'annotator', 'answer'\]"):
        Annotations.from_dataframe(df)
    with pytest.raises(ValueError, match=r"must name a column of the table. Received: answer='label'"):
        Annotations.from_dataframe(df, "task", answer="label")


@pytest.mark.parametrize("num_slots", [1, 0, -1])
def test_too_few_slots_are_refused(votes, num_slots):
    with pytest.raises(ValueError, match=f"answers to one item, 2. Received: num_slots={num_slots}"):
        votes.slots(num_slots)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"items": ["x", "w"]}, "`items` must be among `annotations.items`. Received: 1 unknown, 'w'"),
        ({"annotators": [7]}, "must be among `annotations.annotators`. Received: 1 unknown, 7"),
        ({"items": ["x", "x"]}, "`items` must be distinct. Received: 2 ids, 1 of them distinct"),
        ({"items": [True, False]}, "The mask `items` must have length 3. Received: 2"),
        ({"annotators": np.ones(4, bool)}, "The mask `annotators` must have length 3. Received: 4"),
    ],
)
def test_wrong_selections_are_refused(votes, arguments, message):
    with pytest.raises(ValueError, match=message):
        votes.select(**arguments)


# --- several as one, and as a data frame -----------------------------------------------------------


def test_concat_keeps_items_nobody_answered_and_classes_nobody_gave():
    first = Annotations.from_coo(["b"], ["r"], ["dog"], items=["b", "x"], classes=["owl", "dog"])
    second = Annotations.from_coo(["a", "b"], ["s", "s"], ["cat", "owl"])
    joined = Annotations.concat(part for part in (first, second))
    assert joined.items.tolist() == ["b", "x", "a"]
    assert joined.classes.tolist() == ["owl", "dog", "cat"]
    assert joined.dense().tolist() == [[1, 0], [-1, -1], [-1, 2]]
    with pytest.raises(ValueError, match="`duplicates` must be one of"):
        Annotations.concat([first], duplicates="newest")
    with pytest.raises(ValueError, match=r"`duplicates=` of .*`concat`.* annotator 'r' to item 'b'"):
        Annotations.concat([first, first])
    assert Annotations.concat([first, first], duplicates="last").dense().tolist() == first.dense().tolist()


CLASSES_OF_ONE = Annotations.from_dense([[0]])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "`parts` must be `Annotations`, at least one.* Received: none"),
        ([CLASSES_OF_ONE, Annotations.from_dense([[0.5]])], "all of classes or all of numbers"),
        ([CLASSES_OF_ONE, np.zeros((1, 1), int)], r"Received: Annotations\(1 answers.*array\("),
        ([CLASSES_OF_ONE, Annotations.from_dense([[-1], [0]], items=["0", "1"], annotators=["r"])],
         "`items` must be of one kind in all parts. Received: '0' as text"),
    ],
)  # fmt: skip
def test_parts_that_cannot_be_joined(parts, message):
    with pytest.raises(ValueError, match=message):
        Annotations.concat(parts)


def test_data_frames_out_and_in(votes):
    table = votes.to_dataframe("task", "worker", "label")
    assert table.columns.tolist() == ["task", "worker", "label"]
    known = {name: getattr(votes, name).tolist() for name in ("items", "annotators", "classes")}
    again = Annotations.from_dataframe(table, "task", "worker", "label", **known)
    assert_array_equal(again.dense(), votes.dense())
    named = Annotations.from_coo(["b", "a"], ["r", "r"], ["cat", "owl"], classes=["owl", "dog", "cat"])
    assert named.to_dataframe().values.tolist() == [["a", "r", "owl"], ["b", "r", "cat"]]
    rated = Annotations.from_dense([[0.5, np.nan]], items=[("a", 1)])
    frame = rated.to_dataframe()
    assert frame.columns.tolist() == ["item", "annotator", "answer"]
    assert frame.values.tolist() == [[("a", 1), 0, 0.5]]
