"""Soft answers in files: columns of probabilities and JSON, there and back, and what is malformed with its place."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_crowd import io
from keras_crowd.annotations import Annotations

NAMES = ["cat", "dog", "owl"]
ENDINGS = [".csv", ".tsv", ".jsonl", ".parquet", ".csv.gz"]
ARRAYS = ("items", "annotators", "classes", "item_index", "annotator_index", "answers")


def soft(classes=NAMES, items=("a", "b", "c")):
    table = np.random.default_rng(0).dirichlet(np.ones(3), (3, 2))
    table[1, 0], table[2, 1] = 0, [0, 1, 0]
    return Annotations.from_dense(table, items=items, annotators=["ann", "7"], classes=classes)


def known(annotations):
    return {name: getattr(annotations, name).tolist() for name in ("items", "annotators", "classes")}


def assert_same(ours, theirs):
    for name in ARRAYS:
        assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)


def path_of(tmp_path, ending):
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    return tmp_path / f"answers{ending}"


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("classes", [NAMES, [0, 1, 2]], ids=["text", "integers"])
def test_what_is_written_is_read(tmp_path, ending, classes):
    path, annotations = path_of(tmp_path, ending), soft(classes)
    io.write_long(path, annotations)
    assert_same(io.read_long(path, probabilities="answer", **known(annotations)), annotations)
    io.write_long(path, annotations, probabilities=["p", "q", "r"])
    assert_same(io.read_long(path, probabilities=["p", "q", "r"], **known(annotations)), annotations)


@pytest.mark.parametrize("ending", ENDINGS)
def test_names_of_columns_are_classes(tmp_path, ending):
    path = path_of(tmp_path, ending)
    io.write_long(path, soft(), "task", "who", probabilities=NAMES)
    read = io.read_long(path, "task", "who", probabilities=NAMES)
    assert read.classes.tolist() == NAMES
    assert_array_equal(read.hard().dense()[:, ::-1], soft().hard().dense())  # "7" sorts before "ann"
    hard = soft().hard()
    io.write_long(path, hard, probabilities=NAMES)
    assert_same(io.read_long(path, probabilities=NAMES, **known(hard)).hard(), hard)


def test_hard_answers_stand_beside_objects(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(
        'item,annotator,p\na,judge,"{""cat"": 0.75, ""dog"": 0.25}"\na,ann,dog\nb,judge,\nb,ann,{}\nc,ann,owl\n'
    )
    read = io.read_long(path, probabilities="p", items=["a", "b", "c"])
    assert read.classes.tolist() == NAMES
    assert read.dense().tolist() == [[[0, 1, 0], [0.75, 0.25, 0]], [[0] * 3] * 2, [[0, 0, 1], [0] * 3]]
    integers = tmp_path / "p.jsonl"
    integers.write_text(
        '{"item": 1, "annotator": 1, "p": {"0": 0.5, "4": 0.5}}\n{"item": 2, "annotator": 1, "p": 4}\n'
    )
    assert io.read_long(integers, probabilities="p").classes.tolist() == [0, 4]


def test_blanks_are_missing_and_unknown_classes_dropped(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("item,annotator,cat,dog\n1,1,,\n1,2,0.5,0.5\n2,1,0,0\n2,2,NaN,nan\n3,1,1,0\n")
    read = io.read_long(path, probabilities=["cat", "dog"])
    assert read.items.tolist() == [1, 3]
    assert read.answers.tolist() == [[0.5, 0.5], [1, 0]]
    other = tmp_path / "p.jsonl"
    lines = [{"cat": 0.5, "emu": 0.5}, {"cat": 1}]
    other.write_text(
        "".join(json.dumps({"item": i, "annotator": 1, "p": p}) + "\n" for i, p in enumerate(lines))
    )
    assert io.read_long(
        other, probabilities="p", classes=["cat", "dog"], unknown="drop"
    ).items.tolist() == [1]
    with pytest.raises(ValueError, match=r"p\.jsonl: `answer` must be among `classes`.*'emu'"):
        io.read_long(other, probabilities="p", classes=["cat", "dog"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            "1,1,0.5,0.6",
            r"line 2, 'cat, dog': expected probabilities that sum to 1. Received: \[0.5, 0.6\]",
        ),
        ("1,1,0.5,", "line 2, 'dog': expected a probability. Received: None"),
        ("1,1,1,0\n2,1,much,0", "line 3, 'cat': expected a probability. Received: 'much'"),
        ("1,1,-0.5,1.5", "line 2, 'cat': expected a probability. Received: '-0.5'"),
        ("1,1,1,0\n1,1,0,1", "line 3: expected one answer of an annotator to an item"),
        (",1,1,0", "line 2, 'item': expected an id"),
        ("1,1,,", "expected at least one answer"),
    ],
)
def test_what_is_malformed_is_refused_with_its_place(tmp_path, rows, message):
    path = tmp_path / "p.csv"
    path.write_text(f"item,annotator,cat,dog\n{rows}\n")
    with pytest.raises(ValueError, match=message):
        io.read_long(path, probabilities=["cat", "dog"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"{""cat"": 0.5"', "line 2, 'p': expected JSON"),
        ('"{""cat"": ""x""}"', "line 2, 'p': expected a probability. Received: 'x'"),
        ('"{""cat"": 0.5}"', r"line 2, 'p': expected probabilities that sum to 1. Received: \[0.5\]"),
    ],
)
def test_malformed_objects_are_refused_with_their_place(tmp_path, text, message):
    path = tmp_path / "p.csv"
    path.write_text(f"item,annotator,p\n1,1,{text}\n")
    with pytest.raises(ValueError, match=message):
        io.read_long(path, probabilities="p")


def test_arguments_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "p.csv"
    io.write_long(path, soft(), probabilities=NAMES)
    for arguments, message in (
        ({"probabilities": ["cat"]}, "two or more columns"),
        ({"probabilities": ["cat", "cat"]}, "different names"),
        ({"probabilities": NAMES, "ratings": True}, "give one of them"),
        ({"probabilities": NAMES, "duplicates": "majority"}, "is for classes. Received: soft"),
        ({"probabilities": NAMES, "classes": ["a", "b"]}, "as many as the columns"),
        ({"probabilities": ["cat", "emu"]}, "header: expected one column 'emu'"),
    ):
        with pytest.raises(ValueError, match=message):
            io.read_long(path, **arguments)
    with pytest.raises(ValueError, match="must name 3 columns"):
        io.write_long(path, soft(), probabilities=["a", "b"])
    with pytest.raises(ValueError, match=r"`write_wide` takes hard answers.*hard\(\)"):
        io.write_wide(path, soft())
    with pytest.raises(ValueError, match="`hugging_face_columns` takes hard answers"):
        io.hugging_face_columns(soft())
