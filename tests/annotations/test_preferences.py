"""Preferences in the container: pairs in the order shown, ties, words for the winner, and what is refused."""

import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd.annotations import Preferences, pair_index

A, B = ["x", "y", "x", "z", "x"], ["y", "x", "y", "x", "z"]
WHO, WINNER = ["ann", "ann", "bob", "bob", "cid"], ["x", "x", "tie", None, "z"]


def read(**kwargs):
    return kc.Annotations.from_preferences(A, B, WHO, WINNER, **kwargs)


def test_a_pair_in_each_order_is_an_item_of_its_own():
    answers = read()
    assert answers.kind == Preferences(3)
    assert answers.items.tolist() == [("x", "y"), ("x", "z"), ("y", "x")]
    assert answers.classes.tolist() == ["first", "second", "tie"]
    assert answers.dense().tolist() == [[0, 2, -1], [-1, -1, 1], [1, -1, -1]]
    assert answers.ids().tolist() == ["first", "tie", "second", "second"]
    assert "preferences with ties" in repr(answers)
    assert answers.select(annotators=["bob"]).kind == Preferences(3)
    assert answers.soft().kind == Preferences(3, soft=True)


def test_what_was_shown_first_turns_pairs_and_answers():
    turned = read(shown_first=["y", "x", "y", "z", "x"])
    assert turned.items.tolist() == [("x", "y"), ("x", "z"), ("y", "x")]
    assert turned.dense().tolist() == [[0, -1, -1], [-1, -1, 1], [1, 2, -1]]


@pytest.mark.parametrize("choices", [(0, 1, 2), ("model_a", "model_b", "tie"), ("A", "B")])
def test_words_for_the_winner(choices):
    said = [choices[code] for code in (0, 1, 1)]
    answers = kc.Annotations.from_preferences([1, 2, 3], [2, 3, 1], [0, 0, 0], said, choices=choices)
    assert answers.items.tolist() == [(1, 2), (2, 3), (3, 1)]
    assert answers.answers.tolist() == [0, 1, 1]
    assert answers.num_classes == len(choices)


def test_ids_of_any_kind_in_the_order_asked():
    pairs = [("q", ("doc", 1)), (("doc", 1), "q"), ("q", 7)]
    answers = kc.Annotations.from_preferences(
        ["q", ("doc", 1)], [7, "q"], ["r", "r"], [7, "q"], pairs=pairs, annotators=["s", "r"], ties=True
    )
    assert answers.items.tolist() == pairs
    assert answers.dense().tolist() == [[-1, -1], [-1, 1], [-1, 1]]
    assert answers.kind == Preferences(3)
    ids, index = pair_index(answers.items, items=[7, "q", ("doc", 1)])
    assert index.tolist() == [[1, 2], [2, 1], [1, 0]]
    assert ids.tolist() == [7, "q", ("doc", 1)]


def test_tables_parts_and_aggregation_by_class():
    table = np.array([[0, 2], [1, -1]])
    dense = kc.Annotations.from_dense(table, kind=Preferences(), items=[("a", "b"), ("b", "c")])
    assert dense.classes.tolist() == ["first", "second", "tie"]
    assert dense.kind == Preferences(3)
    two = kc.Annotations.from_preferences(["a"], ["c"], [0], ["c"])
    joined = kc.Annotations.concat([two, dense])
    assert joined.kind == Preferences(3)
    assert joined.dense().tolist() == [[1, -1], [0, 2], [1, -1]]
    assert kc.aggregation.majority_vote(joined, ties="missing").tolist() == [1, -1, 1]
    soft = kc.Annotations.from_dense(np.array([[[0.7, 0.3]]]), kind=Preferences(soft=True))
    assert soft.classes.tolist() == ["first", "second"]


TWICE = ["a", "a", "a"], ["b", "b", "b"], ["r", "r", "r"], ["a", "b", "b"]


@pytest.mark.parametrize(("rule", "code"), [("first", 0), ("last", 1), ("majority", 1)])
def test_of_several_answers_to_a_pair_one_counts(rule, code):
    assert kc.Annotations.from_preferences(*TWICE, duplicates=rule).dense().tolist() == [[code]]


@pytest.mark.parametrize(
    ("arguments", "kwargs", "message"),
    [
        (TWICE, {}, "at most once"),
        ((["a"], ["a"], ["r"], ["a"]), {}, "must differ in each comparison.*'a'"),
        (
            (["a"], ["b"], ["r"], ["c"]),
            {},
            "`winner` must be one of the two items.*'c' for .* 'b', in row 0",
        ),
        ((["a", "b"], ["b", "c"], [0, 0], ["c", "b"]), {}, "Received: 'c' for .* in row 0"),
        ((["a"], ["b"], ["r"], [None]), {}, "`winner` must hold at least one"),
        ((["a"], ["b"], ["r", "s"], ["a", "a"]), {}, "lengths 1, 1, 2, 2"),
        ((["a"], [None], ["r"], ["a"]), {}, "`item_a` and `item_b` must not have missing ids"),
        ((["a"], ["b"], ["r"], ["tie"]), {"ties": False}, "no ties with ties=False"),
        ((["a"], ["b"], ["r"], ["c"]), {"choices": ("a", "b")}, r"one of \('a', 'b'\).*'c'"),
        ((["a"], ["b"], ["r"], ["a"]), {"choices": ("a",)}, "`choices` must be two words"),
        ((["a"], ["b"], ["r"], ["a"]), {"shown_first": ["tie"]}, "`shown_first` must be one of the two"),
        ((["a"], ["b"], ["r"], ["a"]), {"shown_first": []}, "`shown_first` must have length 1"),
        ((["a"], ["b"], ["r"], ["a"]), {"pairs": [("b", "a")]}, "must be among `items`"),
    ],
)
def test_bad_comparisons_are_named(arguments, kwargs, message):
    with pytest.raises(ValueError, match=message):
        kc.Annotations.from_preferences(*arguments, **kwargs)


def test_other_answers_are_no_preferences():
    with pytest.raises(ValueError, match=r"`num_classes` must be an integer at least 2"):
        Preferences(1)
    with pytest.raises(ValueError, match=r"`pairs` must be tuples of two ids.*Received: 'x'"):
        pair_index(["x"])
    for answers in (kc.Annotations.from_dense([[0, 1]]), np.array([[0, 1]])):
        with pytest.raises(ValueError, match=r"must be preferences, as `Annotations.from_preferences`"):
            kc.aggregation.bradley_terry(answers)


@pytest.mark.parametrize("ties", [None, False])
def test_grades_are_codes_in_the_order_shown_and_can_be_taken_away(ties):
    said = [-3, 2, 1, None, 3] if ties is False else [-3, 2, 0, None, 3]
    shown_first = ["x", "x", "x", "z", "x"]
    answers = kc.Annotations.from_preferences(
        A, B, WHO, said, shown_first=shown_first, grades=3, ties=ties, duplicates="first"
    )
    expected = kc.Annotations.from_preferences(
        A,
        B,
        WHO,
        [*WINNER[:2], "y" if ties is False else "tie", None, "z"],
        shown_first=shown_first,
        duplicates="first",
    )
    assert answers.kind == Preferences(6 if ties is False else 7)
    assert answers.classes.tolist() == [g for g in range(-3, 4) if g or ties is None]
    place = {pair: i for i, pair in enumerate(answers.items.tolist())}
    table = answers.ids()[np.lexsort((answers.annotator_index, answers.item_index))]
    assert table.tolist() == [-3, said[2], 3]
    assert place == {("x", "y"): 0, ("x", "z"): 1}
    plain = kc.annotations.without_grades(answers)
    np.testing.assert_array_equal(plain.dense(), expected.dense())
    assert plain.kind == Preferences(2 if ties is False else 3)
    np.testing.assert_allclose(
        kc.annotations.without_grades(answers.soft()).answers, plain.soft().answers, atol=1e-7
    )
    assert kc.annotations.without_grades(plain) is plain
    with pytest.raises(ValueError, match=r"can be joined where all have the same grades"):
        kc.Annotations.concat([answers, plain])
    with pytest.raises(ValueError, match=r"annotations.without_grades\(answers\)`, or train") as error:
        kc.aggregation.bradley_terry(answers)
    assert "from -3 to 3" in str(error.value)


@pytest.mark.parametrize(
    ("said", "kwargs", "message"),
    [
        ([4], {}, "whole number from -3 to 3. Received: 4, in row 0"),
        ([0], {"ties": False}, "and not 0 with ties=False. Received: 0, in row 0"),
        (["x"], {}, "whole number from -3 to 3. Received: 'x'"),
        ([1], {"choices": (0, 1)}, "`choices` must not be given with `grades`"),
    ],
)
def test_what_is_no_grade_is_named(said, kwargs, message):
    with pytest.raises(ValueError, match=message):
        kc.Annotations.from_preferences(["x"], ["y"], ["ann"], said, grades=3, **kwargs)


def test_grades_are_turned_where_the_second_item_was_shown_first():
    answers = kc.Annotations.from_preferences(
        ["x", "x"], ["y", "z"], [0, 0], [-2, 1], grades=2, shown_first=["y", "x"]
    )
    assert answers.items.tolist() == [("x", "z"), ("y", "x")]
    assert answers.ids().tolist() == [1, 2]
