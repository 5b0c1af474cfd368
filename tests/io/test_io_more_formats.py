"""Formats beside those of `io_samples`: JSON of objects, doccano, lists without annotators; -1 in wide tables."""

import gzip
import json
import warnings

import numpy as np
import pyarrow as pa
import pytest

import keras_crowd as kc


def written(path, value):
    path.write_text(json.dumps(value))
    return path


# --- JSON of objects -------------------------------------------------------------------------------

NESTED = {"10": {"7": 1, "8": 0}, "9": {}, "2": {"8": None, "7": 1}}


def test_nested_json_is_a_table_by_items_or_by_annotators(tmp_path):
    found = kc.io.read_nested(written(tmp_path / "a.json", NESTED))
    assert (found.items.tolist(), found.annotators.tolist()) == ([10, 9, 2], [7, 8])
    assert found.dense().tolist() == [[1, 0], [-1, -1], [1, -1]]
    turned = {"7": {"10": 1, "2": 1}, "8": {"10": 0, "2": None}}
    other = kc.io.read_nested(written(tmp_path / "b.json", turned), outer="annotator")
    assert (other.items.tolist(), other.annotators.tolist()) == ([10, 2], [7, 8])
    assert other.dense().tolist() == [[1, 0], [1, -1]]
    with gzip.open(tmp_path / "a.json.gz", "wt") as file:
        json.dump(NESTED, file)
    assert kc.io.read_nested(tmp_path / "a.json.gz").dense().tolist() == found.dense().tolist()


def test_nested_json_keeps_text_where_it_is_told_or_needed(tmp_path):
    path = written(tmp_path / "a.json", NESTED)
    assert kc.io.read_nested(path, items=["2", "9", "10"]).dense().tolist() == [[1, -1], [-1, -1], [1, 0]]
    path = written(tmp_path / "a.json", NESTED | {"007": {"x": 0}})
    assert kc.io.read_nested(path).items.tolist() == ["10", "9", "2", "007"]
    ratings = kc.io.read_nested(path, ratings=True)
    assert (ratings.classes, ratings.answers.tolist()) == (None, [1, 0, 1, 0])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "a.json: expected an object"),
        ({}, "a.json: expected at least one answer"),
        ({"1": 2}, "a.json, item '1': expected an object. Received: 2"),
        ({"1": {"2": [3]}}, r"a.json, item '1', annotator '2', 'answer': expected text, .*Received: \[3\]"),
        ({"1": {"2": "x", "3": 4}}, "item '1', annotator '3', 'answer': expected text, as before"),
        ({"1": {"": "x"}}, "item '1', annotator '', 'annotator': expected an id"),
        ({"": {"2": "x"}}, "item '', 'item': expected an id"),
    ],
)
def test_nested_json_that_is_wrong(tmp_path, value, message):
    with pytest.raises(ValueError, match=message):
        kc.io.read_nested(written(tmp_path / "a.json", value))


def test_nested_json_tells_wrong_arguments_and_repeated_keys(tmp_path):
    with pytest.raises(
        ValueError, match=r"`outer` must be 'item' or 'annotator'. Received: outer='worker'"
    ):
        kc.io.read_nested(written(tmp_path / "a.json", NESTED), outer="worker")
    (tmp_path / "a.json").write_text('{"1": {"2": 3, "2": 4}}')
    with pytest.raises(ValueError, match=r"expected JSON. Received: a key twice"):
        kc.io.read_nested(tmp_path / "a.json")


# --- doccano ---------------------------------------------------------------------------------------


def lines(path, *examples):
    path.write_text("".join(json.dumps(example) + "\n" for example in examples))
    return path


def test_doccano_files_of_annotators(tmp_path):
    ann = lines(tmp_path / "ann.b.jsonl", {"id": 3, "label": ["cat"]}, {"id": 1, "label": []})
    bob = lines(tmp_path / "bob.jsonl", {"id": 3, "label": ["dog"]}, {"id": 2, "label": "cat"})
    found = kc.io.read_doccano([ann, bob])
    assert (found.items.tolist(), found.annotators.tolist()) == ([3, 1, 2], ["ann.b", "bob"])
    assert found.dense().tolist() == [[0, 1], [-1, -1], [-1, 0]]
    assert kc.io.read_doccano(ann).dense().tolist() == [[0], [-1]]


def test_doccano_lines_with_several_annotators(tmp_path):
    said = [{"label": 5, "user": 1}, {"label": 7, "user": 2}], [], [{"label": 7, "user": 2}]
    path = lines(tmp_path / "all.jsonl", *[{"id": i, "annotations": one} for i, one in enumerate(said)])
    found = kc.io.read_doccano(path)
    assert (found.classes.tolist(), found.annotators.tolist()) == ([5, 7], [1, 2])
    assert found.dense().tolist() == [[0, 1], [-1, -1], [-1, 1]]
    named = [{"doc_id": 20, "labels": [who], "username": who} for who in ("ann", "bob")]
    found = kc.io.read_doccano(lines(tmp_path / "all.jsonl", *named), item="doc_id")
    assert (found.annotators.tolist(), found.dense().tolist()) == (["ann", "bob"], [[0, 1]])


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (
            {"label": ["a", "b"]},
            r"'label': expected one label, which is a class, not several .*Received: \['a', 'b'\]",
        ),
        ({"label": [[0, 2, "ORG"]]}, r"expected a label of the whole example. Received: a span"),
        (
            {"annotations": [{"label": 1, "user": 1, "start_offset": 0}]},
            "expected labels of the whole .* a span",
        ),
        ({"annotations": [{"label": 1}]}, "expected the key 'user'"),
        (
            {"annotations": [{"label": i, "user": "ann"} for i in "ab"]},
            "expected one answer of an annotator to an item",
        ),
        ({"entities": []}, "expected the key 'label', 'labels' or 'annotations'"),
        ({"label": [{"x": 1}]}, "'label': expected text"),
        ({"id": None, "label": ["a"]}, "'id': expected an id"),
    ],
)
def test_doccano_that_is_wrong(tmp_path, example, message):
    first = lines(tmp_path / "ann.jsonl", {"id": 7, "label": ["a"]})
    bob = lines(tmp_path / "bob.jsonl", {"id": 1, "label": ["a"]}, {"id": 2} | example)
    for paths in (bob, [first, bob]):
        with pytest.raises(ValueError, match=rf"bob.jsonl, line 2.*{message}"):
            kc.io.read_doccano(paths)


def test_doccano_files_that_do_not_tell_who_answered(tmp_path):
    for name in ("all.jsonl", "unknown.jsonl"):
        path = lines(tmp_path / name, {"id": 1, "label": ["a"]})
        with pytest.raises(
            ValueError, match=r"line 1: expected a 'username' or 'user', or a file that is named"
        ):
            kc.io.read_doccano(path)
    with pytest.raises(ValueError, match="`path` must be a file, or a list of files"):
        kc.io.read_doccano([])


# --- Hugging Face ----------------------------------------------------------------------------------


def test_lists_without_annotators():
    table = pa.table({"votes": [[1, 0, 1], [], [None, 2], [0]]})
    found = kc.io.read_hugging_face(table, annotator=None, answer="votes")
    assert (found.items.tolist(), found.annotators.tolist()) == ([0, 1, 2, 3], [0, 1, 2])
    assert found.dense().tolist() == [[1, 0, 1], [-1, -1, -1], [-1, 2, -1], [0, -1, -1]]
    by_batches = pa.concat_tables([table.slice(i, 1) for i in range(4)])
    found_again = kc.io.read_hugging_face(by_batches, annotator=None, answer="votes")
    assert found_again.dense().tolist() == found.dense().tolist()
    ratings = kc.io.read_hugging_face(table, None, "votes", ratings=True)
    np.testing.assert_array_equal(ratings.dense()[2], [np.nan, 2, np.nan])
    with pytest.raises(ValueError, match=r"data set: expected one column 'annotators'. Received: 0 in"):
        kc.io.read_hugging_face(table, answer="votes")


# --- -1 in wide tables -----------------------------------------------------------------------------


def wide(folder, text, name="w.csv"):
    (folder / name).write_text(text)
    return folder / name


def test_minus_one_is_missing_in_a_wide_table_of_whole_numbers(tmp_path):
    path = wide(tmp_path, "item,r,s\na,0,-1\nb,1,0\nc,-1,-1\n")
    with pytest.warns(UserWarning, match=r"w.csv: 3 of 6 answers are -1 and are read as missing"):
        found = kc.io.read_wide(path)
    assert (found.classes.tolist(), found.dense().tolist()) == ([0, 1], [[0, -1], [1, 0], [-1, -1]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for rules in ({"missing": "-1"}, {"classes": 2}, {"classes": [0, 1]}):
            assert kc.io.read_wide(path, **rules).dense().tolist() == found.dense().tolist()
        assert kc.io.read_wide(path, classes=[-1, 0, 1]).dense().tolist() == [[1, 0], [2, 1], [0, 0]]
        assert kc.io.read_wide(path, classes=["-1", "0", "1"]).dense().tolist() == [[1, 0], [2, 1], [0, 0]]
        assert kc.io.read_wide(path, ratings=True).dense().tolist() == [[0, -1], [1, 0], [-1, -1]]
        floats = kc.io.read_wide(wide(tmp_path, "item,r,s\na,0.5,-1\n"))
        assert floats.dense().tolist() == [[0.5, -1]]


def test_minus_one_in_other_formats_of_wide_tables(tmp_path):
    path = wide(tmp_path, '{"item": 1, "r": 0, "s": -1}\n{"item": 2, "r": 1, "s": 1}\n', "w.jsonl")
    assert kc.io.read_wide(path, classes=2).dense().tolist() == [[0, -1], [1, 1]]
    kc.io.write_wide(tmp_path / "w.parquet", kc.io.read_wide(path, classes=[-1, 0, 1]))
    with pytest.warns(UserWarning, match="1 of 4 answers are -1"):
        assert kc.io.read_wide(tmp_path / "w.parquet").dense().tolist() == [[0, -1], [1, 1]]


def test_minus_one_beside_blanks_may_be_either(tmp_path):
    path = wide(tmp_path, "item,r,s\na,0,-1\nb,1,\n")
    with pytest.raises(ValueError, match=r"w.csv: expected answers that are missing .* -1. Received: both"):
        kc.io.read_wide(path)
    assert kc.io.read_wide(path, classes=[-1, 0, 1]).dense().tolist() == [[1, 0], [2, -1]]
    assert kc.io.read_wide(path, missing=["", "-1"]).dense().tolist() == [[0, -1], [1, -1]]
