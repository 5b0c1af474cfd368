"""Sets of labels in tables: what each form says, and the place of what is wrong."""

import json

import numpy as np
import pandas as pd
import pytest

import keras_crowd as kc

HEADER = "item,annotator,answer\n"
EXPECTED = [[[1, 1], [0, 1]], [[0, 0], [-1, -1]]]  # a: r x and y, s y; b: r nothing


def written(tmp_path, text, name="t.csv"):
    (tmp_path / name).write_text(text)
    return tmp_path / name


def long(tmp_path, rows, **rules):
    return kc.io.read_long(written(tmp_path, HEADER + rows), sets=True, **rules)


def test_rows_of_one_label_are_joined(tmp_path):
    found = long(tmp_path, "a,r,y\na,s,y\nb,r,\na,r,x\n", empty="nothing")
    assert found.kind == kc.annotations.LabelSets(2)
    assert found.dense().tolist() == EXPECTED
    missing = long(tmp_path, "a,r,y\na,s,y\nb,r,\na,r,x\n", empty="missing", items=["a", "b"])
    assert missing.dense().tolist() == [EXPECTED[0], [[-1, -1], [-1, -1]]]
    said_no = long(tmp_path, "a,r,x\na,s,NaN\nb,r,\n", empty="nothing")  # as for one class: no answer
    assert said_no.annotators.tolist() == ["r"]


@pytest.mark.parametrize("cells", ["x;y|y|", '"[""y"", ""x""]"|"[""y""]"|[]', "x; y | y | "])
def test_a_field_holds_a_whole_set(tmp_path, cells):
    one, two, three = cells.split("|")
    found = long(tmp_path, f"a,r,{one}\na,s,{two}\nb,r,{three}\n", label_sep=";", empty="nothing")
    assert found.dense().tolist() == EXPECTED


def test_labels_that_look_joined_are_warned_of(tmp_path):
    rows = "a,r,x;y\na,s,y\nb,r,x\n"
    with pytest.warns(UserWarning, match=r"`answer`: 1 of 3 labels .*'x;y'.*`label_sep=';'`"):
        assert long(tmp_path, rows).num_classes == 3
    assert long(tmp_path, rows, classes=["x", "y", "x;y"]).num_classes == 3  # no warning


def test_labels_that_are_whole_numbers_become_integers(tmp_path):
    found = long(tmp_path, "a,r,2;10\nb,r,7\n", label_sep=";")
    assert (found.classes.tolist(), found.dense().tolist()) == ([2, 7, 10], [[[1, 0, 1]], [[0, 1, 0]]])
    assert long(tmp_path, "a,r,2;10\nb,r,07\n", label_sep=";").classes.tolist() == ["07", "10", "2"]
    assert long(tmp_path, "a,r,2;1\n", label_sep=";", classes=4).dense().tolist() == [[[0, 1, 1, 0]]]
    texts = long(tmp_path, "a,r,2;1\n", label_sep=";", classes=["1", "2", "3"])
    assert texts.dense().tolist() == [[[1, 1, 0]]]


def test_columns_of_true_and_false(tmp_path):
    path = written(tmp_path, "item,annotator,x,y\na,r,true,1\na,s,False,TRUE\nb,r,0,0.0\n")
    assert kc.io.read_long(path, ticks=["x", "y"]).dense().tolist() == EXPECTED
    renamed = kc.io.read_long(path, ticks={"y": 1, "x": 0}, classes=[0, 1, 2])
    assert renamed.dense().tolist()[0] == [[1, 1, -1], [0, 1, -1]]
    path = written(tmp_path, "item,annotator,x,y\na,r,1,1\na,s,,1\nb,r,,\n")
    with pytest.raises(ValueError, match=r"line 3, 'ticks': .*`empty='nothing'`.*`empty='missing'`"):
        kc.io.read_long(path, ticks=["x", "y"])
    assert kc.io.read_long(path, ticks=["x", "y"], empty="nothing").dense().tolist() == EXPECTED
    missing = kc.io.read_long(path, ticks=["x", "y"], empty="missing")
    assert missing.dense().tolist() == [[[1, 1], [-1, 1]]]


def test_json_lines_tell_nothing_from_no_answer(tmp_path):
    answers = [["a", "r", ["y", "x"]], ["a", "s", ["y"]], ["b", "r", []], ["b", "s", None]]
    lines = [json.dumps(dict(zip(["item", "annotator", "answer"], row, strict=True))) for row in answers]
    path = written(tmp_path, "\n".join(lines), "t.jsonl")
    assert kc.io.read_long(path, sets=True, empty="missing").dense().tolist() == EXPECTED
    with pytest.raises(ValueError, match=r"line 4, 'answer': .*`empty='nothing'`"):
        kc.io.read_long(path, sets=True)
    with pytest.raises(ValueError, match=r"line 1, 'answer': .*one class .*or `sets=True`"):
        kc.io.read_long(path)
    path = written(tmp_path, '{"item": 1, "annotator": 2, "answer": {"3": true, "4": false}}', "t.jsonl")
    assert kc.io.read_long(path, sets=True).classes.tolist() == [3, 4]


def test_parquet_has_lists_or_columns(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"item": ["a", "a", "b"], "annotator": ["r", "s", "r"]})
    frame["answer"] = [["x", "y"], ["y"], []]
    frame["x"], frame["y"] = [True, False, False], [1, 1, 0]
    frame.to_parquet(tmp_path / "t.parquet")
    assert kc.io.read_long(tmp_path / "t.parquet", sets=True).dense().tolist() == EXPECTED
    assert kc.io.read_long(tmp_path / "t.parquet", ticks=["x", "y"]).dense().tolist() == EXPECTED


def test_wide_and_nested_tables_have_whole_sets(tmp_path):
    path = written(tmp_path, "item,r,s\na,x;y,y\nb,,\n")
    with pytest.raises(ValueError, match=r"line 3, column 'r'.*`empty='nothing'`"):
        kc.io.read_wide(path, sets=True, label_sep=";")
    nothing = kc.io.read_wide(path, sets=True, label_sep=";", empty="nothing")
    assert nothing.dense().tolist() == [EXPECTED[0], [[0, 0], [0, 0]]]
    missing = kc.io.read_wide(path, sets=True, label_sep=";", empty="missing")
    assert missing.dense().tolist() == [EXPECTED[0], [[-1, -1], [-1, -1]]]
    with pytest.raises(ValueError, match=r"column 'r'.*not one class. Received: 'x;y'"):
        kc.io.read_wide(path, sets=True, empty="missing")
    path = written(tmp_path, json.dumps({"a": {"r": ["x", "y"], "s": ["y"]}, "b": {"r": []}}), "t.json")
    assert kc.io.read_nested(path, sets=True).dense().tolist() == EXPECTED


def test_labels_that_were_not_shown(tmp_path):
    rows = "a,r,x;y\nb,r,\n"
    found = long(tmp_path, rows, label_sep=";", empty="nothing", judged={"a": ["x", "y"], "b": ["y", "z"]})
    assert found.dense().tolist() == [[[1, 1, -1]], [[-1, 0, 0]]]
    with pytest.raises(ValueError, match=r"t\.csv: `judged` .* of every item. Received: none of 'b'"):
        long(tmp_path, rows, label_sep=";", empty="nothing", judged={"a": ["x", "y"]})


@pytest.mark.parametrize(
    ("rows", "rules", "message"),
    [
        ("a,r,x\na,r,x\n", {}, "line 3, 'answer': .*each label .*once.* another answer in line 2"),
        ("a,r,x\na,r,\n", {"empty": "nothing"}, "line 3, 'answer': .*no blank beside them"),
        ("a,r,x;y\na,r,y\n", {"label_sep": ";"}, "line 3: expected one answer of an annotator to an item"),
        ("a,r,x;x\n", {"label_sep": ";"}, "line 2, 'answer': expected each label once. Received: 'x;x'"),
        ("a,r,;x\n", {"label_sep": ";"}, "line 2, 'answer': expected a label on both sides"),
        ("a,r,x\nb,r,treet\n", {"classes": ["treat", "x"]}, "line 3.*among `classes`, 'treat', .*'treet'"),
        ('a,r,"{""x"": 5}"\n', {}, "line 2, 'answer': expected true or false .* not 5"),
        ('a,r,"{""x"": 1, ""x"": 0}"\n', {}, "line 2, 'answer': expected each label once"),
        ('a,r,"[""x"", [""y""]]"\n', {}, "line 2, 'answer': expected ids of labels"),
        ("a,r,['x']\n", {}, "line 2, 'answer': expected labels in JSON"),
        (",r,x\n", {}, "line 2, 'item': expected an id"),
        ("a,r,x\na,r,y\nb,r,x\n", {"items": ["a"]}, "line 4, 'item': expected one of `items`, 'a'"),
        ("a,r,\n", {"empty": "missing"}, "expected at least one answer. Received: none in 1 rows"),
        ("a,r,\n", {"empty": "nothing"}, "t.csv: `classes` must be given where nobody ticked any label"),
        ("a,r,x\n", {"ratings": True}, "give one of them"),
        ("a,r,x\n", {"probabilities": ["x", "y"]}, "give one of them"),
        ("a,r,x\n", {"duplicates": "majority"}, "is for classes. Received: multi-label"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path, rows, rules, message):
    with pytest.raises(ValueError, match=message):
        long(tmp_path, rows, **rules)


def test_many_rows_against_a_slow_oracle(tmp_path):
    rng = np.random.default_rng(0)
    truth = (rng.random((30, 4, 5)) < 0.4).astype(int)
    truth[rng.random((30, 4)) < 0.3] = -1
    rows = [
        f"{i},{r},{'' if label is None else label}"
        for i, r in np.ndindex(30, 4)
        if truth[i, r, 0] >= 0
        for label in (np.flatnonzero(truth[i, r]).tolist() or [None])
    ]
    rng.shuffle(rows)
    found = long(
        tmp_path, "\n".join(rows), empty="nothing", items=range(30), annotators=range(4), classes=5
    )
    np.testing.assert_array_equal(found.dense(), truth)
