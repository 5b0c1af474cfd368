"""Sets of labels from tables of rows: each form against answers that were made first, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import keras_crowd as kc

LABELS = ["cause", "none", "treat"]


def made(seed, not_shown=False):
    """Who ticked what: `{(item, annotator): {label: 1, 0 or -1}}`, some of nothing, some without an answer."""
    rng = np.random.default_rng(seed)
    states = [1, 0, -1] if not_shown else [1, 0]
    chosen = {(i, r): rng.choice(states, 3).tolist() for i in "abcd" for r in "xyz" if rng.random() < 0.7}
    return {key: dict(zip(LABELS, row, strict=True)) for key, row in chosen.items() if max(row) >= 0}


def dense(answers):
    """The table of the answers, cell by cell."""
    items, annotators = sorted({i for i, _ in answers}), sorted({r for _, r in answers})
    nothing = dict.fromkeys(LABELS, -1)
    return [[list(answers.get((i, r), nothing).values()) for r in annotators] for i in items]


def ticked(said):
    return [label for label, state in said.items() if state == 1]


def read(rows, **rules):
    items, annotators, answers = zip(*rows, strict=True)
    return kc.Annotations.from_coo(items, annotators, list(answers), sets=True, **rules)


@pytest.mark.parametrize("seed", range(4))
def test_each_form_gives_the_same_sets(seed):
    answers = made(seed)
    expected, rng = dense(answers), np.random.default_rng(seed)
    lists = [(*key, ticked(said)) for key, said in answers.items()]
    rows = [(*key, label) for key, said in answers.items() for label in ticked(said) or [None]]
    rng.shuffle(rows := [tuple(row) for row in rows])
    rows = [tuple(row) for row in rows]
    texts = [(i, r, "; ".join(labels)) for i, r, labels in lists]
    dicts = [(*key, {label: bool(state) for label, state in said.items()}) for key, said in answers.items()]
    assert read(lists, classes=LABELS).dense().tolist() == expected
    assert read(rows, classes=LABELS, empty="nothing").dense().tolist() == expected
    assert read(texts, classes=LABELS, label_sep=";", empty="nothing").dense().tolist() == expected
    assert read(dicts).dense().tolist() == expected
    found = kc.Annotations.from_sets(*map(list, zip(*dicts, strict=True)))
    assert found.dense().tolist() == expected
    assert found.classes.tolist() == LABELS


@pytest.mark.parametrize("seed", range(3))
def test_data_frames_go_round_with_labels_that_were_not_shown(seed):
    answers = made(seed, not_shown=True)
    dicts = [(*key, said) for key, said in answers.items()]
    found = read(dicts)
    assert found.dense().tolist() == dense(answers)
    frame = found.to_dataframe()
    back = kc.Annotations.from_dataframe(frame, ticks=LABELS)
    assert back.kind == found.kind
    np.testing.assert_array_equal(back.dense(), found.dense())
    np.testing.assert_array_equal(kc.Annotations.concat([back]).dense(), found.dense())
    renamed = kc.Annotations.from_dataframe(frame, ticks={"treat": 2, "none": 1, "cause": 0})
    assert renamed.classes.tolist() == [2, 1, 0]
    np.testing.assert_array_equal(renamed.dense(), found.dense()[..., ::-1])
    assert found.select(items=found.items[:2]).kind == found.kind


def test_a_blank_means_what_the_reader_is_told():
    rows = [("a", "r", "x"), ("a", "r", "y"), ("b", "r", None), ("b", "s", "x")]
    with pytest.raises(ValueError, match=r"`empty='nothing'`.*`empty='missing'`.*Received: None at row 2"):
        read(rows)
    assert read(rows, empty="nothing").dense().tolist() == [[[1, 1], [-1, -1]], [[0, 0], [1, 0]]]
    assert read(rows, empty="missing").dense().tolist() == [[[1, 1], [-1, -1]], [[-1, -1], [1, 0]]]
    frame = pd.DataFrame(
        {"item": ["a", "b"], "annotator": ["r", "r"], "x": [True, None], "y": [0.0, np.nan]}
    )
    with pytest.raises(ValueError, match=r"`empty='nothing'`.*at row 1"):
        kc.Annotations.from_dataframe(frame, ticks=["x", "y"])
    nothing = kc.Annotations.from_dataframe(frame, ticks=["x", "y"], empty="nothing")
    assert nothing.dense().tolist() == [[[1, 0]], [[0, 0]]]
    missing = kc.Annotations.from_dataframe(frame, ticks=["x", "y"], empty="missing", items=["a", "b"])
    assert missing.dense().tolist() == [[[1, 0]], [[-1, -1]]]


def test_labels_that_were_not_shown_are_told_from_those_left_out():
    lists = [("a", "r", ["x"]), ("b", "r", [])]
    found = read(lists, judged={"a": ["x", "z"], "b": ["y"], "c": []})
    assert (found.classes.tolist(), found.dense().tolist()) == (
        ["x", "y", "z"],
        [[[1, -1, 0]], [[-1, 0, -1]]],
    )
    dicts = [("a", "r", {"x": True}), ("b", "r", {"x": False, "y": True})]
    assert read(dicts).dense().tolist() == [[[1, -1]], [[0, 1]]]
    assert read(dicts, judged="listed").dense().tolist() == [[[1, -1]], [[0, 1]]]
    assert read(dicts, judged="all").dense().tolist() == [[[1, 0]], [[0, 1]]]


def test_csv_by_way_of_pandas(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("item,annotator,answer,x,y\na,r,x;y,1,1\nb,r,,0,0\nb,s,y,0,1\n")
    expected = [[[1, 1], [-1, -1]], [[0, 0], [0, 1]]]
    found = kc.Annotations.from_csv(path, sets=True, label_sep=";", empty="nothing")
    assert found.dense().tolist() == expected
    assert kc.Annotations.from_csv(path, ticks=["x", "y"]).dense().tolist() == expected
    holes = tmp_path / "holes.csv"
    holes.write_text("item,annotator,answer\na,r,7\na,r,3\nb,r,\n")  # floats to pandas
    found = kc.Annotations.from_csv(holes, sets=True, empty="nothing")
    assert ([*map(repr, found.classes.tolist())], found.dense().tolist()) == (
        ["3", "7"],
        [[[1, 1]], [[0, 0]]],
    )
    one = kc.Annotations.from_csv(path, answer="y", sets=True)
    assert (one.classes.tolist(), one.dense().tolist()) == ([0, 1], [[[0, 1], [-1, -1]], [[1, 0], [0, 1]]])


def test_unknown_labels_are_dropped_and_answers_kept():
    rows = [("a", "r", "x"), ("a", "r", "new"), ("a", "r", "newer"), ("b", "r", "new")]
    assert read(rows, classes=["x"], unknown="drop").dense().tolist() == [[[1]], [[0]]]
    texts = [("a", "r", "x;new"), ("b", "r", "new;newer")]
    assert read(texts, classes=["x"], unknown="drop", label_sep=";").dense().tolist() == [[[1]], [[0]]]


@pytest.mark.parametrize(
    ("rows", "rules", "message"),
    [
        ([("a", "r", ["x"]), ("a", "r", ["y"])], {}, "at most once.*annotator 'r' to item 'a'"),
        ([("a", "r", "x"), ("a", "s", "x"), ("a", "r", "x")], {}, "each label .* once.*rows 0 and 2"),
        ([("a", "r", "x"), ("a", "r", None)], {"empty": "nothing"}, "no blank beside them.*rows 0 and 1"),
        ([("a", "r", ["x", "x"])], {}, "each label once. Received: .*'x', 'x'"),
        ([("a", "r", "x;x")], {"label_sep": ";"}, "each label once. Received: 'x;x' at row 0"),
        ([("a", "r", "x;;y")], {"label_sep": ";"}, "a label on both sides of each ';'"),
        ([("a", "r", ["x"]), ("b", "r", "x")], {}, "not one class. Received: 'x' at row 1"),
        ([("a", "r", "x"), ("b", "r", ["x"])], {}, "one label, as before. Received: .*at row 1"),
        ([("a", "r", ["cuase"])], {"classes": LABELS}, "among `classes`, 'cause', .*Received: .*'cuase'"),
        ([("a", "r", [["x"]])], {}, "ids of labels, none missing"),
        ([("a", "r", [None])], {}, "ids of labels, none missing"),
        ([("a", "r", {"x": "maybe"})], {}, "true or false .* not 'maybe'"),
        ([("a", "r", {"x": 2})], {}, "true or false .* not 2"),
        ([("a", "r", "['x', 'y']")], {}, "labels in JSON"),
        ([("a", "r", [])], {}, "`classes` must be given where nobody ticked"),
        ([("a", "r", None)], {"empty": "missing"}, "`answer` must hold at least one answer"),
        ([("a", "r", ["x"])], {"judged": {"b": ["x"]}}, "`judged` .* every item. Received: none of 'a'"),
        ([("a", "r", ["x"])], {"judged": {"a": ["y"]}}, "Received: 'x' ticked of item 'a'"),
        ([("a", "r", ["x"])], {"judged": {"a": []}}, "`judged` must have a label of every item"),
        ([("a", "r", ["x"])], {"judged": "listed"}, "true or false for each label that was shown"),
        ([("a", "r", ["x"])], {"judged": "some"}, "`judged` must be 'all', 'listed' or a dict"),
        ([("a", "r", ["x"])], {"empty": "no"}, "`empty` must be 'nothing' or 'missing'"),
        ([("a", "r", "x")], {"label_sep": ""}, "`label_sep` must be the text between labels"),
        ([("a", "r", ["x"])], {"ratings": True}, "give one of them"),
        ([("a", "r", ["x"])], {"duplicates": "majority"}, "is for classes. Received: multi-label"),
        ([("a", "r", ["x"])], {"unknown": "keep"}, "`unknown` must be 'error' or 'drop'"),
    ],
)
def test_bad_sets_are_named(rows, rules, message):
    with pytest.raises(ValueError, match=message):
        read(rows, **rules)


def test_rules_for_sets_are_for_sets():
    frame = pd.DataFrame({"item": ["a"], "annotator": ["r"], "answer": ["x"], "x": [1]})
    with pytest.raises(ValueError, match=r"`empty` is for sets of labels \(`sets=True`\)"):
        kc.Annotations.from_dataframe(frame, empty="nothing")
    with pytest.raises(ValueError, match=r"`ticks` must name columns of the table\. Received: 'y'"):
        kc.Annotations.from_dataframe(frame, ticks=["x", "y"])
    with pytest.raises(ValueError, match="`ticks` must be the names"):
        kc.Annotations.from_dataframe(frame, ticks="x")
    with pytest.raises(ValueError, match="give one of them"):
        kc.Annotations.from_dataframe(frame, ticks=["x"], probabilities=["x"])
    with pytest.raises(ValueError, match=r"\(or sets of labels, by `sets=True`\)"):
        kc.Annotations.from_coo(["a"], ["r"], [["x", "y"]])
    with pytest.raises(ValueError, match=r"must have the same length\. Received: lengths 1, 2 and 2"):
        kc.Annotations.from_coo(["a"], ["r", "s"], [["x"], ["y"]], sets=True)


def test_the_first_or_last_set_counts_and_a_label_may_stand_twice():
    twice = [("a", "r", ["x"]), ("a", "r", ["y"])]
    assert read(twice, duplicates="last").dense().tolist() == [[[0, 1]]]
    rows = [("a", "r", "x"), ("a", "r", "y"), ("a", "r", "x")]
    assert read(rows, duplicates="first").dense().tolist() == [[[1, 1]]]
