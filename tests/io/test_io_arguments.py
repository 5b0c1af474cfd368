"""What readers and writers are told, and how they say that it is wrong."""

import shutil

import numpy as np
import pandas as pd
import pytest
from io_samples import FORMATS, SAMPLES, mturk, prodigy, toloka, wide

import keras_crowd as kc

TABLE = "item,annotator,answer\n"


def table(tmp_path, text, name="t.csv"):
    (tmp_path / name).write_text(TABLE + text)
    return tmp_path / name


# --- one text for several --------------------------------------------------------------------------


def test_one_text_may_stand_for_several(tmp_path):
    path = table(tmp_path, "a,r,NA\nb,r,N\nc,r,A\n")
    assert kc.io.read_long(path, missing="NA").classes.tolist() == ["A", "N"]
    (tmp_path / "w.csv").write_text("item,ann,bob\na,NA,N\nb,A,A\n")
    found = kc.io.read_wide(tmp_path / "w.csv", missing="NA", columns="bob")
    assert (found.annotators.tolist(), found.classes.tolist()) == (["bob"], ["A", "N"])
    assert kc.io.read_wide(tmp_path / "w.csv", missing="NA").dense().tolist() == [[-1, 1], [0, 0]]
    assert mturk(SAMPLES / "mturk.csv", status="Rejected").num_annotators == 1
    assert toloka(SAMPLES / "toloka.tsv", status="REJECTED").num_annotators == 1
    (tmp_path / "t.conll").write_text("Mary NA\nsleeps N\n")
    found = kc.io.read_conll(tmp_path / "t.conll", "ann", missing="NA").annotations
    assert (found.annotators.tolist(), found.dense().tolist()) == (["ann"], [[-1], [0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: mturk(SAMPLES / "mturk.csv", status="approved"),
            "`status` must be some of Submitted, App",
        ),
        (lambda: toloka(SAMPLES / "toloka.tsv", status=["DONE"]), "`status` must be some of ACTIVE"),
        (lambda: wide(SAMPLES / "wide.csv", missing=[-1]), "`missing` must be text, or a sequence"),
        (lambda: wide(SAMPLES / "wide.csv", classes="cat"), "`classes` must be a sequence.*'cat'"),
        (lambda: wide(SAMPLES / "wide.csv").select(items="a.png"), "`items` must be a sequence.*'a.png'"),
        (lambda: kc.Annotations.from_coo("ab", ["r", "s"], [0, 1]), "`item` must be a sequence.*'ab'"),
    ],
)
def test_texts_that_are_none_of_those(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- names that nobody knows -----------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_a_misspelled_argument_is_told_by_the_reader(name):
    file, reader, *_ = FORMATS[name]
    with pytest.raises(TypeError, match=r"`read_\w+` takes path, .*duplicates, unknown.*duplicate='last'"):
        reader(SAMPLES / file, duplicate="last")


def test_a_misspelled_argument_of_annotations(tmp_path):
    frame = pd.DataFrame({"item": ["a"], "annotator": ["r"], "answer": ["cat"]})
    with pytest.raises(TypeError, match=r"`from_dataframe` takes df, item, .*unknown. Received: klasses=2"):
        kc.Annotations.from_dataframe(frame, klasses=2)
    with pytest.raises(
        TypeError, match=r"`from_csv` takes path, .* and what `read_csv` takes. .*klasses=2"
    ):
        kc.Annotations.from_csv(table(tmp_path, "a,r,cat\n"), klasses=2)
    with pytest.raises(TypeError, match="`read_hugging_face` takes dataset, annotator"):
        kc.io.read_hugging_face(None, duplicate="last")


def test_annotations_drop_unknown_answers(tmp_path):
    path = table(tmp_path, "a,r,cat\na,s,owl\nb,r,dog\nc,r,owl\n")
    rules = {"classes": ["dog", "cat"], "unknown": "drop"}
    for found in (
        kc.Annotations.from_csv(path, **rules),
        kc.Annotations.from_dataframe(pd.read_csv(path), **rules),
        kc.io.read_long(path, **rules),
    ):
        assert (found.items.tolist(), found.annotators.tolist()) == (["a", "b"], ["r"])
        assert found.dense().tolist() == [[1], [0]]
    assert kc.Annotations.from_coo([1, 2], [1, 1], [0, 7], classes=2, unknown="drop").items.tolist() == [1]
    with pytest.raises(ValueError, match="`unknown` must be 'error' or 'drop'"):
        kc.Annotations.from_coo([1], [1], [0], unknown="keep")
    with pytest.raises(ValueError, match="`answer` must hold at least one answer"):
        kc.Annotations.from_coo([1], [1], [7], classes=2, unknown="drop")


def test_repeated_answers_name_the_argument_that_decides():
    with pytest.raises(ValueError, match=r"at most once \(`duplicates=` of `from_coo`, `from_dataframe`"):
        kc.Annotations.from_coo(["a", "a"], ["r", "r"], [0, 1])


# --- separators, missing answers, numbers ----------------------------------------------------------


def test_another_separator(tmp_path):
    (tmp_path / "t.csv").write_text("item;annotator;answer\na;r;1,5\n")
    assert kc.io.read_long(tmp_path / "t.csv", sep=";").classes.tolist() == ["1,5"]
    (tmp_path / "w.tsv").write_text("item|r\na|cat\n")
    assert kc.io.read_wide(tmp_path / "w.tsv", sep="|").annotators.tolist() == ["r"]
    for sep in ("", ";;", '"', 7):
        with pytest.raises(ValueError, match="`sep` must be one character"):
            kc.io.read_long(tmp_path / "t.csv", sep=sep)
    with pytest.raises(ValueError, match=r"`sep` must be one character, of a .csv"):
        kc.io.read_wide(SAMPLES / "wide.jsonl", "image", sep=";")


@pytest.mark.parametrize("nothing", ["", "NaN", "nan"])
def test_missing_answers_are_those_of_from_csv(tmp_path, nothing):
    path = table(tmp_path, f"a,r,1.5\nb,r,{nothing}\nc,r,2\n")
    for found in (kc.io.read_long(path), kc.Annotations.from_csv(path)):
        assert found.classes is None
        assert (found.items.tolist(), found.answers.tolist()) == (["a", "c"], [1.5, 2])
    (tmp_path / "w.csv").write_text(f"item,r,s\na,1.5,{nothing}\n")
    assert kc.io.read_wide(tmp_path / "w.csv").answers.tolist() == [1.5]


@pytest.mark.parametrize("word", ["NA", "inf", "n/a", "1,5"])
def test_one_word_does_not_make_classes_of_ratings(tmp_path, word):
    path = table(tmp_path, f'a,r,1.5\nb,r,"{word}"\nc,r,2\n')
    message = (
        rf"line 3, 'answer': expected a number, as '1.5' is .*`classes=`.*`missing=`.* Received: '{word}'"
    )
    with pytest.raises(ValueError, match=message):
        kc.io.read_long(path)
    message = (
        r"t.csv, 'answer': expected numbers, as '1.5' is .*`na_values=`|must be finite .*Received: inf"
    )
    with pytest.raises(ValueError, match=message):
        kc.Annotations.from_csv(path)
    assert kc.io.read_long(path, missing=["", word]).classes is None
    for read in (kc.io.read_long, kc.Annotations.from_csv)[
        : 1 + (word != "inf")
    ]:  # which pandas takes for a number
        assert read(path, classes=["1.5", "2", word]).dense().tolist() == [[0], [2], [1]]


@pytest.mark.parametrize("answers", [["1", "2", "NA"], ["v1.5", "v2"], ["a", "1.0.2"], ["1e", "7"]])
def test_words_beside_whole_numbers_are_classes(tmp_path, answers):
    path = table(tmp_path, "".join(f"i{i},r,{answer}\n" for i, answer in enumerate(answers)))
    for found in (kc.io.read_long(path), kc.Annotations.from_csv(path)):
        assert found.classes.tolist() == sorted(answers)


# --- encodings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("t.csv", kc.io.read_long),
        ("t.jsonl", kc.io.read_long),
        ("t.conll", kc.io.read_conll),
    ],
)
@pytest.mark.parametrize("rows", [3, 30_000])
def test_the_line_that_cannot_be_decoded_is_named(tmp_path, name, read, rows):
    lines = [b"item,annotator,answer", *[b"a,b,c"] * rows]
    lines[-2] = b"a,chi\xe9n,c"
    (tmp_path / name).write_bytes(b"\n".join(lines))
    with pytest.raises(ValueError, match=rf"{name}, line {rows}: .*encoding utf-8. Received: b'\\xe9'"):
        read(tmp_path / name)


def test_a_file_that_ends_within_a_character(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"item,annotator,answer\na,b,caf\xc3")
    with pytest.raises(ValueError, match=r"line 2: .* Received: b'.xc3', unexpected end of data"):
        kc.io.read_long(tmp_path / "t.csv")


@pytest.mark.parametrize("content", [b"", b"item,annotator,answer\na,r,caf\xe9\n"])
def test_from_csv_names_the_file(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"t.csv: expected a table that pandas can read. Received: "):
        kc.Annotations.from_csv(tmp_path / "t.csv")
    with pytest.raises(FileNotFoundError):
        kc.Annotations.from_csv(tmp_path / "none.csv")


# --- what would be lost ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (kc.io.write_label_studio, "label_studio"),
        (kc.io.write_prodigy, "prodigy"),
        (kc.io.write_sagemaker, "sagemaker"),
    ],
)
def test_an_export_is_not_written_over(tmp_path, write, name):
    file, reader, *_ = FORMATS[name]
    shutil.copy(SAMPLES / file, tmp_path / file)
    annotations = reader(tmp_path / file)
    (tmp_path / "link").symlink_to(tmp_path / file)
    codes = np.zeros(annotations.num_items, int)
    for path in (tmp_path / file, tmp_path / "link", str(tmp_path / "." / file)):
        with pytest.raises(ValueError, match=r"`path` must be another file than `(export|source)`"):
            write(path, tmp_path / file, annotations, codes)
    assert (tmp_path / file).read_text() == (SAMPLES / file).read_text()
    write(tmp_path / "other", tmp_path / file, annotations, codes)


def test_columns_of_one_name_are_refused(tmp_path):
    annotations, path = prodigy(SAMPLES / "prodigy.jsonl"), tmp_path / "t.csv"
    for write in (
        lambda: kc.io.write_labels(path, annotations, [0, 1], "label"),
        lambda: kc.io.write_labels(path, annotations, np.eye(2), "confidence"),
        lambda: kc.io.write_long(path, annotations, annotator="answer"),
        lambda: kc.io.write_annotators(path, annotations, "answers"),
        lambda: kc.io.write_annotators(path, annotations, "accuracy", accuracy=[1, 1, 1]),
        lambda: kc.io.write_wide(path, annotations, annotations.annotators[0]),
    ):
        with pytest.raises(
            ValueError, match=r"Columns must have different names. Received: '[\w-]+' twice"
        ):
            write()
    assert not path.exists()
    kc.io.write_labels(path, annotations, np.eye(2), "confidence", confidence=None)


@pytest.mark.parametrize("as_columns", [dict, pd.DataFrame])
def test_a_table_of_annotators_is_written_as_it_is(tmp_path, as_columns):
    annotations = toloka(SAMPLES / "toloka.tsv")
    table = kc.aggregation.annotator_table(annotations, [[0.5, 0.5], [0.0, 1.0]])
    kc.io.write_annotators(tmp_path / "a.csv", annotations, **as_columns(table))
    back = pd.read_csv(tmp_path / "a.csv")
    pd.testing.assert_frame_equal(back, pd.DataFrame(table), check_dtype=False)
    others = {**table, "annotator": table["annotator"][::-1]}
    with pytest.raises(
        ValueError, match=r"`annotator` must be a name, or the ids of `annotations.annotators`"
    ):
        kc.io.write_annotators(tmp_path / "a.csv", annotations, **others)
    with pytest.raises(ValueError, match=r"`annotator` must be a name.* Received: annotator=7"):
        kc.io.write_annotators(tmp_path / "a.csv", annotations, annotator=7)
