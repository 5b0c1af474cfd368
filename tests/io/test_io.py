"""Files of labeling tools: what the samples hold comes out, and back again; what is wrong is named."""

import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from io_samples import FORMATS, PEOPLE, PICTURES, SAMPLES, TABLE, WITH_EMPTY, expected, long, toloka, wide
from numpy.testing import assert_array_equal

import keras_crowd as kc

formats = pytest.mark.parametrize("name", FORMATS)


def read(name, path=None, **rules):
    file, reader, *_ = FORMATS[name]
    return reader(SAMPLES / file if path is None else path, **rules)


def assert_same(ours, theirs):
    for name in ("items", "annotators", "classes", "item_index", "annotator_index", "answers"):
        assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
        if getattr(ours, name) is not None:
            assert type(getattr(ours, name).tolist()[0]) is type(getattr(theirs, name).tolist()[0])


# --- samples ---------------------------------------------------------------------------------------


@formats
def test_sample_is_read(name):
    _, _, items, annotators, with_empty = FORMATS[name]
    annotations = read(name)
    assert annotations.items.tolist() == items
    assert annotations.annotators.tolist() == annotators
    assert annotations.classes.tolist() == ["cat", "dog"]
    assert annotations.dense().tolist() == expected(with_empty)


@formats
def test_given_vocabularies_set_order_and_size(name):
    _, _, items, annotators, with_empty = FORMATS[name]
    some = {"items": [*items[::-1], "more"], "annotators": annotators[::-1]}
    annotations = read(name, classes=["owl", "dog", "cat"], **some)
    table = np.array(expected(with_empty))[::-1, ::-1]
    assert_array_equal(annotations.dense()[:-1], np.where(table < 0, -1, 2 - table))
    assert_array_equal(annotations.dense()[-1], -1)


@formats
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_answers_survive_long_and_wide_tables(name, ending, tmp_path):
    annotations = read(name)
    known = {key: getattr(annotations, key).tolist() for key in ("items", "annotators", "classes")}
    kc.io.write_long(tmp_path / f"long{ending}", annotations)
    assert_same(kc.io.read_long(tmp_path / f"long{ending}", **known), annotations)
    kc.io.write_wide(tmp_path / f"wide{ending}", annotations)
    named = known | {"annotators": [str(id_) for id_ in known["annotators"]]}
    assert_array_equal(kc.io.read_wide(tmp_path / f"wide{ending}", **named).dense(), annotations.dense())


@formats
def test_the_file_is_named_when_it_is_empty_or_not_text(name, tmp_path):
    file, *_ = FORMATS[name]
    path = tmp_path / file
    for content in (b"", b"\n", b"[]", b"\xff\xfe\x00\x80", b"a,b\n1,2\n", b"{}", b"null", b"[" * 3000):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=file) as error:
            read(name, path)
        assert "Received" in str(error.value)
    with pytest.raises(FileNotFoundError):
        read(name, tmp_path / f"none-{file}")


@formats
def test_byte_order_mark_and_another_encoding(name, tmp_path):
    file, _, items, annotators, _ = FORMATS[name]
    text = (SAMPLES / file).read_text()
    (tmp_path / file).write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert_same(read(name, tmp_path / file), read(name))
    text = text.replace("dog", "chién") if "json" not in file else text.replace("dog", "chi\\u00e9n")
    (tmp_path / file).write_text(text, encoding="latin-1")
    annotations = read(name, tmp_path / file, encoding="latin-1")
    assert annotations.classes.tolist() == ["cat", "chién"]
    assert (annotations.items.tolist(), annotations.annotators.tolist()) == (items, annotators)
    if "json" not in file:
        with pytest.raises(ValueError, match=rf"{file}.*encoding utf-8"):
            read(name, tmp_path / file)
    (tmp_path / file).write_text(text, encoding="utf-16-le")
    with pytest.raises(ValueError, match=rf"{file}.*Received"):
        read(name, tmp_path / file)
    with pytest.raises(ValueError, match="must be one that Python knows"):
        read(name, tmp_path / file, encoding="klingon")


@formats
def test_unknown_answers_are_refused_with_their_place_or_dropped(name):
    with pytest.raises(
        ValueError, match=r"(line|task|object|annotation) \d+.*one of `classes`, 'cat', 'owl'.*'dog'"
    ):
        read(name, classes=["cat", "owl"])
    dropped = read(name, classes=["cat", "owl"], unknown="drop")
    full = np.array(expected(FORMATS[name][4]))
    assert_array_equal(dropped.answers, full[full == 0])
    assert dropped.classes.tolist() == ["cat", "owl"]
    with pytest.raises(ValueError, match="expected answers among `classes`"):
        read(name, classes=["owl"], unknown="drop")


@formats
@pytest.mark.parametrize("vocabulary", ["items", "annotators"])
def test_unknown_ids_are_refused_with_their_place(name, vocabulary):
    _, _, items, annotators, _ = FORMATS[name]
    ids = {"items": items, "annotators": annotators}[vocabulary]
    with pytest.raises(
        ValueError, match=rf"(line|task|object|annotation) \d+.*one of `{vocabulary}`.*{ids[1]}"
    ):
        read(name, **{vocabulary: [id_ for id_ in ids if id_ != ids[1]]})


@formats
@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"duplicates": "newest"}, "`duplicates` must be one of 'error', 'first', 'last', 'majority'"),
        ({"unknown": "keep"}, "`unknown` must be 'error' or 'drop'"),
        ({"classes": True}, "`classes` must be ids, or how many"),
        ({"classes": ["cat", "cat", "dog"]}, "`classes` must be distinct"),
    ],
)
def test_wrong_rules(name, rules, message):
    with pytest.raises(ValueError, match=message):
        read(name, **rules)


# --- repeated answers ------------------------------------------------------------------------------


def repeated(tmp_path, answers):
    """A table in which ann answers a.png again and again."""
    rows = "".join(f"a.png,ann,{answer}\n" for answer in answers)
    (tmp_path / "again.csv").write_text(f"image,worker,label\nb.png,eve,\nb.png,bob,dog\n{rows}")
    return tmp_path / "again.csv"


@pytest.mark.parametrize(
    ("answers", "first", "last", "majority"),
    [
        (["cat", "dog"], 0, 1, 0),
        (["dog", "cat", "cat"], 1, 0, 0),
        (["dog", "cat", "owl", "cat", "dog"], 1, 1, 1),
        (["cat", "dog", "dog", "owl"], 0, 2, 1),
    ],
)
def test_rules_for_repeated_answers(tmp_path, answers, first, last, majority):
    path = repeated(tmp_path, answers)
    found = {
        rule: long(path, duplicates=rule, classes=["cat", "dog", "owl"])
        for rule in ("first", "last", "majority")
    }
    assert {rule: table.dense()[0, 0] for rule, table in found.items()} == {
        "first": first,
        "last": last,
        "majority": majority,
    }
    assert all(table.dense()[1].tolist() == [-1, 1] for table in found.values())


def test_repeated_answers_are_refused_with_both_places(tmp_path):
    with pytest.raises(
        ValueError, match=r"again.csv, line 5: .*annotator 'ann' and item 'a.png', as in line 4"
    ):
        long(repeated(tmp_path, ["cat", "cat"]))


def test_a_majority_of_ratings_is_refused(tmp_path):
    (tmp_path / "r.csv").write_text("image,worker,label\na,b,1.5\n")
    with pytest.raises(ValueError, match="is for classes"):
        long(tmp_path / "r.csv", duplicates="majority")


# --- tables ----------------------------------------------------------------------------------------


def csv(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    return kc.io.read_long(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("ids", "kept"),
    [
        (["7", "10"], [7, 10]),
        (["007", "10"], ["007", "10"]),
        (["-3", "0"], [-3, 0]),
        (["1.0", "2.0"], ["1.0", "2.0"]),
        (["+1", "2"], ["+1", "2"]),
        (["1e3", "2"], ["1e3", "2"]),
        (["NA", "None"], ["NA", "None"]),
        (["99999999999999999999", "1"], [1, 99999999999999999999]),
        ([" a", "b"], [" a", "b"]),
    ],
)
def test_text_becomes_integers_only_without_loss(tmp_path, ids, kept):
    annotations = csv(tmp_path, "item,annotator,answer\n" + "".join(f"{id_},{id_},{id_}x\n" for id_ in ids))
    for found in (annotations.items, annotations.annotators):
        assert sorted(map(str, found.tolist())) == sorted(map(str, kept))
        assert set(map(type, found.tolist())) == {type(kept[0])}


def test_classes_that_are_integers_are_in_the_order_of_integers(tmp_path):
    rows = "".join(f"i{k},r,{k}\n" for k in range(12))
    assert csv(tmp_path, f"item,annotator,answer\n{rows}").classes.tolist() == list(range(12))


def test_numbers_with_a_fraction_are_ratings_unless_classes_are_given(tmp_path):
    text = "item,annotator,answer\na,r,1.5\nb,r,2\nc,r,\n"
    annotations = csv(tmp_path, text)
    assert annotations.classes is None
    assert_array_equal(annotations.dense(), [[1.5], [2]])
    path = tmp_path / "t.csv"
    assert kc.io.read_long(path, classes=["1.5", "2"]).dense().tolist() == [[0], [1]]
    assert kc.io.read_long(path, classes=[2.0, 1.5]).dense().tolist() == [[1], [0]]
    with pytest.raises(ValueError, match="line 2, 'answer': expected one of `classes`"):
        kc.io.read_long(path, classes=3)


def test_classes_may_be_a_number(tmp_path):
    (tmp_path / "t.csv").write_text("item,annotator,answer\na,r,0\nb,r,2\n")
    annotations = kc.io.read_long(tmp_path / "t.csv", classes=4)
    assert annotations.classes.tolist() == [0, 1, 2, 3]
    assert annotations.dense().tolist() == [[0], [2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item,annotator\na,r\n", "header: expected one column 'answer'. Received: 0 in"),
        ("item,answer,annotator,answer\na,r,1,1\n", "expected one column 'answer'. Received: 2"),
        ("item,annotator,answer\na,r,cat\nb,r\n", "line 3: expected 3 fields.* Received: 2"),
        ("item,annotator,answer\na,r,cat,dog\n", "line 2: expected 3 fields.* Received: 4"),
        ('item,annotator,answer\na,r,"cat\nb,r,dog\n', "line 3.*unexpected end of data"),
        ('item,annotator,answer\na,r,"cat"x\n', "line 2.*expected after"),
        ("item,annotator,answer\na,,cat\n", "line 2, 'annotator': expected an id"),
        ("item,annotator,answer\n,r,cat\n", "line 2, 'item': expected an id"),
        ("item,annotator,answer\n", "expected at least one answer. Received: none in 0 rows"),
        ("item,annotator,answer\na,r,\n", "expected at least one answer. Received: none in 1 rows"),
        ("item,annotator,answer\na,r,c\0t\n", "line 2: expected text in the encoding utf-8. Received: NUL"),
        ("item,annotator,answer\na,r,1e99\nb,r,1\n", "line 2, 'answer': expected a finite number"),
    ],
)
def test_malformed_tables(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as error:
        csv(tmp_path, text)
    assert "t.csv" in str(error.value)
    assert len(str(error.value)) < 500


def test_quoted_line_ends_and_empty_lines_keep_the_numbers_of_lines(tmp_path):
    text = 'item,annotator,answer\n"a\nb",r,"x ""y"" z,"\n\nc,r,\rd,r,cat\n'
    annotations = csv(tmp_path, text)
    assert annotations.items.tolist() == ["a\nb", "d"]
    assert annotations.classes.tolist() == ["cat", 'x "y" z,']
    with pytest.raises(ValueError, match=r"line 6, 'answer'.*'cat'"):
        kc.io.read_long(tmp_path / "t.csv", classes=['x "y" z,'])


def test_missing_words_are_told(tmp_path):
    (tmp_path / "t.csv").write_text("item,annotator,answer\na,r,n/a\nb,r,\nc,r,cat\n")
    assert kc.io.read_long(tmp_path / "t.csv", missing=["", "n/a"]).items.tolist() == ["c"]
    assert kc.io.read_long(tmp_path / "t.csv").classes.tolist() == ["cat", "n/a"]


def test_ending_must_be_known(tmp_path):
    for call in (kc.io.read_long, kc.io.read_wide):
        with pytest.raises(ValueError, match=r"must end in one of .csv, .tsv.*t.xlsx"):
            call(tmp_path / "t.xlsx")


def test_wide_tables_say_line_and_column(tmp_path):
    with pytest.raises(ValueError, match=r"wide.csv, line 2, column 'bob', 'answer': .*`classes`"):
        wide(SAMPLES / "wide.csv", classes=["cat"])
    few = kc.io.read_wide(SAMPLES / "wide.csv", "image", columns=["eve", "ann"])
    assert few.dense().tolist() == [[-1, 0], [0, 1], [-1, -1]]
    with pytest.raises(ValueError, match="header: expected one column 'dan'"):
        kc.io.read_wide(SAMPLES / "wide.csv", "image", columns=["dan"])
    (tmp_path / "twice.csv").write_text("item,r\na,cat\na,dog\n")
    with pytest.raises(ValueError, match=r"line 3, column 'r': expected one answer.*as in line 2"):
        kc.io.read_wide(tmp_path / "twice.csv")


def test_wide_tables_of_ratings(tmp_path):
    rated = kc.Annotations.from_dense([[0.1, np.nan], [np.nan, np.nan], [3, 2.5]], annotators=["r", "s"])
    for ending in (".csv", ".jsonl", ".parquet"):
        kc.io.write_wide(tmp_path / f"t{ending}", rated)
        assert_same(kc.io.read_wide(tmp_path / f"t{ending}"), rated)


def test_wide_refuses_two_columns_of_one_name(tmp_path):
    with pytest.raises(ValueError, match="must have different names"):
        kc.io.write_wide(tmp_path / "t.csv", kc.Annotations.from_dense([[1, 1]], annotators=[1, "1"]))


def test_ids_that_no_table_can_hold_are_refused(tmp_path):
    annotations = kc.Annotations.from_coo([("a", 1)], ["r"], ["cat"])
    with pytest.raises(ValueError, match=r"`item` must be 2 names, .*Received: item='item', .*\('a', 1\)"):
        kc.io.write_long(tmp_path / "t.csv", annotations)


# --- JSON Lines, Parquet ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"item": 1, "annotator": 1}', "line 2: expected the key 'answer'"),
        ('{"item": 1, "annotator": 1, "answer": [1]}', r"line 2, 'answer': expected text.*Received: \[1\]"),
        ('{"item": 1, "annotator": 1, "answer": true}', "'answer': expected a number, as before"),
        ('{"item": "1", "annotator": 1, "answer": 1}', "'item': expected a number, as before.*'1'"),
        ('{"item": null, "annotator": 1, "answer": 1}', "'item': expected an id. Received: None"),
        ('{"item": 1, "annotator": 1, "answer": NaN}', "line 2: expected JSON. Received: NaN"),
        ('{"item": 1, "annotator": 1, "answer": 1, "item": 2}', "line 2: expected JSON.* a key twice"),
        ('{"item": 1, "annotator": 1, "answer": 1', "line 2: expected JSON. Received.* column 40"),
        ("[1, 1, 1]", "line 2: expected an object. Received"),
    ],
)
def test_malformed_json_lines(tmp_path, line, message):
    (tmp_path / "t.jsonl").write_text('{"item": 7, "annotator": 7, "answer": 0}\n' + line + "\n")
    with pytest.raises(ValueError, match=message) as error:
        kc.io.read_long(tmp_path / "t.jsonl")
    assert "t.jsonl" in str(error.value)


def write_parquet(path, row_group_size=None, **columns):
    pq.write_table(pa.table(columns), path, row_group_size=row_group_size)
    return path


def test_parquet_of_many_chunks_is_the_same_table(tmp_path, monkeypatch):
    from keras_crowd.io import _parquet

    monkeypatch.setattr(_parquet, "_CHUNK", 7)
    rng = np.random.default_rng(0)
    cells = rng.permutation(40 * 9)[:200]
    item, who, answer = cells // 9, cells % 9, rng.integers(0, 4, 200)
    names = [f"w{r}" for r in who]
    path = write_parquet(
        tmp_path / "t.parquet", 11, item=item, annotator=pa.array(names).dictionary_encode(), answer=answer
    )
    assert_same(kc.io.read_long(path), kc.Annotations.from_coo(item, names, answer))


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (pa.array([3, 1, 2, 1], pa.int8()), [3, 1, 2, 1]),
        (pa.array([2**63, 1, 5, 1], pa.uint64()), [2**63, 1, 5, 1]),
        (pa.array(["b", "a", "c", "a"], pa.large_string()), ["b", "a", "c", "a"]),
        (pa.array([True, False, True, False]), [True, False, True, False]),
    ],
)
def test_parquet_ids_of_other_types(tmp_path, values, kept):
    path = write_parquet(tmp_path / "t.parquet", item=[1, 2, 3, 4], annotator=["r"] * 4, answer=values)
    annotations = kc.io.read_long(path)
    assert annotations.classes.tolist() == sorted(set(kept))
    assert annotations.classes[annotations.answers].tolist() == kept


def test_parquet_floats_are_ratings_and_their_holes_no_answers(tmp_path):
    answer = pa.array([0.5, None, float("nan"), 2])
    path = write_parquet(tmp_path / "t.parquet", item=[1, 2, 3, 4], annotator=["r"] * 4, answer=answer)
    annotations = kc.io.read_long(path)
    assert annotations.classes is None
    assert annotations.items.tolist() == [1, 4]
    assert_array_equal(annotations.dense(), [[0.5], [2]])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"item": [1, None], "answer": [1, 1]}, "row 2, 'item': expected an id"),
        ({"item": [1, 1], "answer": [1, 0]}, "row 2: expected one answer.* as in row 1"),
        ({"item": [1, 2], "answer": [[1], [1]]}, "column 'answer': expected text, numbers.*list<"),
        ({"item": [1, 2], "answer": [None, None]}, "column 'answer': expected text, numbers.*null"),
        ({"item": [1, 2]}, "expected one column 'answer'. Received: 0 in"),
        ({"item": pa.array([], "int64"), "answer": pa.array([], "int64")}, "none in 0 rows"),
    ],
)
def test_parquet_that_is_wrong(tmp_path, columns, message):
    who = ["r"] * len(columns["item"])
    path = write_parquet(tmp_path / "t.parquet", annotator=pa.array(who, "string"), **columns)
    with pytest.raises(ValueError, match=rf"t.parquet.*{message}"):
        kc.io.read_long(path)


def test_parquet_that_is_none(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 nothing PAR1")
    for reader in (kc.io.read_long, kc.io.read_wide):
        with pytest.raises(ValueError, match=r"t.parquet: expected a Parquet file"):
            reader(tmp_path / "t.parquet")


def test_without_pyarrow_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ImportError, match=r"pip install 'keras_crowd\[io\]'"):
        kc.io.read_long(tmp_path / "t.parquet")
    assert len(long(SAMPLES / "long.csv")) == 5  # needs nothing


# --- rules of the tools ----------------------------------------------------------------------------


def test_toloka_leaves_control_tasks_out_on_request():
    annotations = toloka(SAMPLES / "toloka.tsv", control_tasks=False)
    assert annotations.items.tolist() == ["a.png"]
    everything = toloka(SAMPLES / "toloka.tsv", status=["SUBMITTED", "APPROVED", "REJECTED"])
    assert everything.dense().tolist() == [[0, 1, 0], [1, 1, 0]]


def test_mturk_reads_other_states_and_other_columns():
    path = SAMPLES / "mturk.csv"
    states = ["Approved", "Submitted", "Rejected"]
    everything = kc.io.read_mturk(path, "HITId", "Answer.kind.label", status=states)
    assert everything.items.tolist() == ["3HA", "3HB"]
    assert everything.dense().tolist() == [[0, 1, 0], [1, 1, 0]]
    with pytest.raises(ValueError, match=r"line 2, 'Answer.taskAnswers': expected the key 'animal'"):
        kc.io.read_mturk(path, "HITId", "Answer.taskAnswers", field="animal")
    with pytest.raises(ValueError, match=r"line 2, 'Answer.kind.label': expected JSON"):
        kc.io.read_mturk(path, "HITId", "Answer.kind.label", field="kind")


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ('{"kind": {"cat": true, "dog": true}}', r"expected one class, one of \['cat', 'dog'\]"),
        ('{"kind": {"cat": 1, "dog": 0}}', "expected an answer under 'kind'"),
        ('{"kind": ["cat"]}', "expected one answer under 'kind'"),
        ("[{}, {}]", "expected one form. Received: 2"),
        ("3", "expected an object. Received: 3"),
    ],
)
def test_forms_of_no_answer(tmp_path, form, message):
    text = (SAMPLES / "sagemaker.json").read_text()
    (tmp_path / "s.json").write_text(
        text.replace(json.dumps('{"kind": {"label": "cat"}}'), json.dumps(form))
    )
    with pytest.raises(ValueError, match=rf"s.json, object 1, annotation 1: {message}"):
        kc.io.read_sagemaker(tmp_path / "s.json", "kind")


def test_radio_buttons_that_nobody_pressed_are_no_answer(tmp_path):
    text = (SAMPLES / "sagemaker.json").read_text()
    for label, pressed in (("cat", False), ("dog", True)):
        form = json.dumps({"kind": {"cat": False, "dog": pressed}})
        text = text.replace(json.dumps(json.dumps({"kind": {"label": label}})), json.dumps(form))
    (tmp_path / "s.json").write_text(text)
    annotations = kc.io.read_sagemaker(tmp_path / "s.json", "kind", classes=["cat", "dog"])
    assert annotations.dense().tolist() == [[-1, 1], [1, 1], [-1, -1]]


def test_prodigy_of_a_label_to_accept_or_reject(tmp_path):
    path = SAMPLES / "prodigy_binary.jsonl"
    annotations = kc.io.read_prodigy(path, classes=["reject", "accept"])
    assert annotations.dense().tolist() == TABLE
    assert kc.io.read_prodigy(path, annotator="_session_id").annotators.tolist()[0] == "mail-ann"
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text(path.read_text() + (SAMPLES / "prodigy.jsonl").read_text())
    with pytest.raises(
        ValueError, match=r"mixed.jsonl, line 6: expected examples of one label.*'SPAM' in line 1"
    ):
        kc.io.read_prodigy(mixed)
    assert_same(kc.io.read_prodigy(mixed, label="SPAM"), kc.io.read_prodigy(path))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"accept": ["cat"]', '"accept": ["cat", "dog"]', r"'accept': expected one option"),
        ('"answer": "accept"', '"answer": "yes"', "'answer': expected one of accept, reject, ignore"),
        ('"answer": "accept"', '"answer": "reject"', "'answer': expected a choice to be accepted"),
        ('"_annotator_id"', '"_who"', "expected the key '_annotator_id'"),
        ('"_input_hash": -1187043', '"_input_hash": null', "'_input_hash': expected an id"),
    ],
)
def test_prodigy_that_is_wrong(tmp_path, old, new, message):
    text = (SAMPLES / "prodigy.jsonl").read_text()
    assert old in text
    (tmp_path / "p.jsonl").write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=rf"p.jsonl, line 1.*{message}"):
        kc.io.read_prodigy(tmp_path / "p.jsonl")


def label_studio(tmp_path, change):
    tasks = json.loads((SAMPLES / "label_studio.json").read_text())
    change(tasks)
    (tmp_path / "ls.json").write_text(json.dumps(tasks))
    return tmp_path / "ls.json"


def first_value(tasks):
    return tasks[0]["annotations"][0]["result"][0]["value"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[0].pop("annotations"), "task 1: expected the key 'annotations'"),
        (lambda t: t[1].update(id=11), "task 2: expected an id of its own.*task 1"),
        (lambda t: t[0].update(annotations={}), "task 1, 'annotations': expected a list"),
        (lambda t: t[0]["annotations"][1].update(result=None), "task 1, annotation 2: expected a list"),
        (lambda t: first_value(t).update(choices=["cat", "dog"]), "annotation 1, 'kind': expected one choice"),
        (lambda t: t[0]["annotations"][1].update(was_cancelled="no"), "2, 'was_cancelled': expected true or"),
        (lambda t: first_value(t).update(choices=[7]), "task 1, annotation 1, 'kind': expected text"),
        (lambda t: first_value(t).pop("choices"), "annotation 1: expected the key 'choices'"),
        (lambda t: t[0]["annotations"][0].pop("completed_by"), "annotation 1, 'completed_by': expected an id"),
        (lambda t: t[0]["annotations"][0].update(completed_by=[1]), r"'completed_by': expected text"),
        (lambda t: t[0]["annotations"][0]["result"].append(t[0]["annotations"][0]["result"][0]),
         "expected one result of 'kind'. Received: 2"),
        (lambda t: t[0]["annotations"][0]["result"][0].update(from_name="sort"),
         "'sort' in task 1, annotation 1; 'kind' in task 1, annotation 2"),
        (lambda t: t[0]["annotations"].append(t[0]["annotations"][0]),
         "task 1, annotation 3: expected one answer.* as in task 1, annotation 1"),
        (lambda t: t.insert(0, 1), "task 1: expected an object"),
    ],
)  # fmt: skip
def test_label_studio_that_is_wrong(tmp_path, change, message):
    path = label_studio(tmp_path, change)
    with pytest.raises(ValueError, match=rf"ls.json.*{message}"):
        kc.io.read_label_studio(path)


def test_label_studio_of_another_item_another_control_and_ratings(tmp_path):
    path = label_studio(tmp_path, lambda tasks: None)
    assert kc.io.read_label_studio(path, item="data.image").items[0] == "/data/upload/a.png"
    cancelled = label_studio(tmp_path, lambda tasks: tasks[0]["annotations"][1].update(was_cancelled=True))
    assert kc.io.read_label_studio(cancelled).dense()[0].tolist() == [0, -1, -1]
    with pytest.raises(
        ValueError,
        match=r"ls.json: .* the control 'another' .* Received: 'kind' \(choices\), 'box' \(rectanglelabels\)",
    ):
        kc.io.read_label_studio(path, "another")
    with pytest.raises(ValueError, match=r"the control 'another' \(`from_name=`\).* Received: none"):
        kc.io.read_label_studio(path, "another", predictions=True)

    def rated(kind, value):
        def change(tasks):
            result = tasks[0]["annotations"][0]["result"][0]
            result.update(type=kind, value={kind: value}, from_name="stars")

        return change

    found = kc.io.read_label_studio(label_studio(tmp_path, rated("rating", 4)), "stars")
    assert found.classes.tolist() == [4]
    found = kc.io.read_label_studio(label_studio(tmp_path, rated("number", 4)), "stars")
    assert found.classes is None
    assert_array_equal(found.answers, [4.0])
    with pytest.raises(ValueError, match=r"annotation 1, 'stars': expected a number. Received: 'x'"):
        kc.io.read_label_studio(label_studio(tmp_path, rated("number", "x")), "stars")


# --- labels back -----------------------------------------------------------------------------------

POSTERIOR = np.array([[0.25, 0.75], [0.9, 0.1]])


def posterior(annotations):
    return np.vstack([POSTERIOR, [[0.5, 0.5]] * (annotations.num_items - 2)])


def test_label_studio_reads_its_predictions_back(tmp_path):
    annotations, path = read("label_studio"), tmp_path / "tasks.json"
    export = SAMPLES / "label_studio.json"
    kc.io.write_label_studio(path, export, annotations, posterior(annotations), model_version="v1")
    tasks, original = json.loads(path.read_text()), json.loads(export.read_text())
    assert [task["data"] for task in tasks] == [task["data"] for task in original]
    assert all("annotations" not in task for task in tasks)
    assert tasks[0]["predictions"] == [
        {
            "model_version": "v1",
            "score": 0.75,
            "result": [
                {"from_name": "kind", "to_name": "image", "type": "choices", "value": {"choices": ["dog"]}}
            ],
        }
    ]
    back = kc.io.read_label_studio(path, predictions=True)
    assert back.items.tolist() == annotations.items.tolist()
    assert back.annotators.tolist() == ["v1"]
    assert back.classes[back.answers].tolist() == ["dog", "cat", "cat"]
    kc.io.write_label_studio(path, export, annotations, np.array([1, -1, 0]))
    tasks = json.loads(path.read_text())
    assert [task["id"] for task in tasks] == [11, 13]
    assert "score" not in tasks[0]["predictions"][0]
    with pytest.raises(
        ValueError, match=r"expected results of the control 'another' .*Received: 'kind' \(choices\)"
    ):
        kc.io.write_label_studio(path, export, annotations, posterior(annotations), "another")


def test_prodigy_reads_its_examples_back(tmp_path):
    for name, classes in (("prodigy", ["cat", "dog"]), ("prodigy_binary", ["reject", "accept"])):
        export, path = SAMPLES / f"{name}.jsonl", tmp_path / "out.jsonl"
        annotations = kc.io.read_prodigy(export, classes=classes)
        kc.io.write_prodigy(path, export, annotations, POSTERIOR)
        back = kc.io.read_prodigy(path, classes=classes)
        assert back.items.tolist() == annotations.items.tolist()
        assert back.annotators.tolist() == ["keras_crowd"]
        assert back.dense().tolist() == [[1], [0]]
        assert [json.loads(line)["meta"]["confidence"] for line in path.read_text().splitlines()] == [
            0.75,
            0.9,
        ]


def test_sagemaker_manifest_has_label_and_metadata(tmp_path):
    annotations, path = read("sagemaker"), tmp_path / "out.manifest"
    kc.io.write_sagemaker(path, SAMPLES / "sagemaker.json", annotations, posterior(annotations), "kind")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["source-ref"] for line in lines] == [f"s3://bucket/{name}" for name in WITH_EMPTY]
    assert [line["kind"] for line in lines] == [1, 0, 0]
    metadata = lines[0]["kind-metadata"]
    assert (metadata["class-name"], metadata["confidence"]) == ("dog", 0.75)
    assert metadata["type"] == "groundtruth/image-classification"
    with pytest.raises(ValueError, match="must have classes"):
        kc.io.write_sagemaker(path, SAMPLES / "sagemaker.json", kc.Annotations.from_dense([[0.5]]), [0.5])


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_labels_are_read_back_as_answers_of_one_annotator(tmp_path, ending):
    annotations, path = read("toloka"), tmp_path / f"labels{ending}"
    kc.io.write_labels(path, annotations, POSTERIOR, "task", "label")
    back = kc.io.read_long(path, "task", "confidence", "label")
    assert back.items.tolist() == PICTURES
    assert back.classes[back.answers].tolist() == ["dog", "cat"]
    assert sorted(map(float, back.annotators)) == [0.75, 0.9]


def test_labels_of_codes_and_of_ratings(tmp_path):
    kc.io.write_labels(
        tmp_path / "l.tsv", read("toloka"), np.array([-1, 1]), "INPUT:image", "GOLDEN:result"
    )
    assert (tmp_path / "l.tsv").read_text() == "INPUT:image\tGOLDEN:result\nb.png\tdog\n"
    kc.io.write_labels(
        tmp_path / "l.csv", kc.Annotations.from_dense([[0.5], [2.0]]), np.array([0.5, np.nan])
    )
    assert (tmp_path / "l.csv").read_text() == "item,label\n0,0.5\n"


@pytest.mark.parametrize(
    "estimates",
    [np.zeros((2, 3)), np.full((2, 2), 0.7), np.array([0, 2]), np.array([0.5, 0.5]), np.array([0])],
)
def test_estimates_that_do_not_fit(tmp_path, estimates):
    with pytest.raises(ValueError, match="`estimates` must"):
        kc.io.write_labels(tmp_path / "l.csv", read("toloka"), estimates)


def test_annotators_with_what_was_learned(tmp_path):
    annotations, path = read("toloka"), tmp_path / "annotators.jsonl"
    confusion = np.arange(12).reshape(3, 2, 2) / 12
    kc.io.write_annotators(
        path, annotations, accuracy=np.array([0.5, 1, 0], "float32"), confusion=confusion
    )
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["annotator"] for row in rows] == PEOPLE
    assert [row["answers"] for row in rows] == [2, 2, 1]
    assert rows[1]["confusion[cat,dog]"] == confusion[1, 0, 1]
    with pytest.raises(ValueError, match="`bias` must have one value for each of 3 annotators"):
        kc.io.write_annotators(path, annotations, bias=[1, 2])


# --- tokens ----------------------------------------------------------------------------------------

TAGS = ["O", "B-PER", "I-PER"]


def test_tokens_are_read_by_sentences():
    found = kc.io.read_conll(SAMPLES / "tokens.conll", PEOPLE, classes=TAGS)
    assert found.tokens == [["Mary", "Jones", "sleeps"], ["Why", "."]]
    dense = [[[1, 1, -1], [2, 0, -1], [0, 0, -1]], [[-1, 0, 0], [-1, 0, 0], [-1, -1, -1]]]
    assert found.dense().tolist() == dense
    annotators, answers = found.slots()
    assert annotators.tolist() == [[0, 1], [1, 2]]
    for i, ids in enumerate(annotators):
        assert_array_equal(answers[i], np.array(dense)[i][:, ids])


def test_tags_are_read_back(tmp_path):
    found, path = kc.io.read_conll(SAMPLES / "tokens.conll", classes=TAGS), tmp_path / "tags.conll"
    tags = np.array([1, 2, 0, -1, 0])
    kc.io.write_conll(path, found.tokens, found.annotations, tags)
    back = kc.io.read_conll(path, classes=TAGS)
    assert back.tokens == found.tokens
    assert_array_equal(back.annotations.dense()[:, 0], tags)
    kc.io.write_conll(path, found.tokens, found.annotations, np.eye(3)[np.maximum(tags, 0)] * 0.8 + 0.2 / 3)
    assert path.read_text().splitlines()[0] == "Mary\tB-PER\t0.866667"
    with pytest.raises(ValueError, match=r"`tokens` must be 5, one for each item. Received: 3"):
        kc.io.write_conll(path, found.tokens[:1], found.annotations, tags)


def test_tags_by_sentences_are_written(tmp_path):
    found = kc.io.read_conll(SAMPLES / "tokens.conll", classes=TAGS)
    flat = np.array([1, 2, 0, -1, 0])
    tags = np.array([[1, 2, 0, 7], [-1, 0, 7, 7]])  # 7: whatever stands at padding
    probabilities = np.full((2, 4, 3), 0.05) + 0.85 * np.eye(3)[np.maximum(tags, 0) % 7]
    probabilities[tags == 7] = 0
    for name, by_sentence, by_token in (
        ("codes", tags, flat),
        ("probabilities", probabilities, probabilities[tags < 7]),
    ):
        paths = tmp_path / f"{name}_by_sentence", tmp_path / f"{name}_by_token"
        for path, estimates in zip(paths, (by_sentence, by_token), strict=True):
            kc.io.write_conll(path, found.tokens, found.annotations, estimates)
        assert paths[0].read_text() == paths[1].read_text()
        with pytest.raises(ValueError, match=r"`estimates` by sentences must be of 2 .* at least 3 tokens"):
            kc.io.write_conll(paths[0], found.tokens, found.annotations, by_sentence[:, :2])
    with pytest.raises(ValueError, match=r"`estimates` by sentences must be of 2 .* shape \(4, 4, 3\)"):
        kc.io.write_conll(paths[0], found.tokens, found.annotations, np.tile(probabilities, (2, 1, 1)))
    one_hot = np.eye(3, dtype=int)[[1, 2, 0, 0, 0]]
    kc.io.write_conll(tmp_path / "one_hot", found.tokens, found.annotations, one_hot)
    assert (tmp_path / "one_hot").read_text().startswith("Mary\tB-PER\t1\n")
    words = ["Mary", "W"]
    with pytest.raises(ValueError, match=r"`tokens` must be sentences, lists of tokens. Received: text"):
        kc.io.write_conll(tmp_path / "text", words, found.annotations, flat)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Mary B O\nJones I\n",
            r"line 2: expected 3 columns, .* a token, and 2 of answers. Received: 2",
        ),
        ("Mary\n", r"line 1: expected columns of answers \(from `first_answer=1` on.* Received: 0 of 1"),
        ("Mary X O\n", "line 1, column 2, 'answer': expected one of `classes`"),
        ("\n\n-DOCSTART- O O\n", "expected a token per line. Received: an empty file"),
        ("Mary ? ?\n", "expected at least one answer"),
    ],
)
def test_malformed_tokens(tmp_path, text, message):
    (tmp_path / "t.conll").write_text(text)
    with pytest.raises(ValueError, match=rf"t.conll.*{message}"):
        kc.io.read_conll(tmp_path / "t.conll", classes=["O", "B"])


def test_tokens_of_other_columns(tmp_path):
    (tmp_path / "t.tsv").write_text("1\tMary Ann\tB\tO\r\n2\tsleeps\tO\tO\r\n")
    found = kc.io.read_conll(tmp_path / "t.tsv", token=1, sep="\t")
    assert found.tokens == [["Mary Ann", "sleeps"]]
    assert found.dense().tolist() == [[[0, 1], [1, 1]]]
    with pytest.raises(
        ValueError, match=r"line 1: expected 3 columns of answers .*first_answer=2.* Received: 2 of 4"
    ):
        kc.io.read_conll(tmp_path / "t.tsv", PEOPLE, token=1, sep="\t")


# --- Hugging Face ----------------------------------------------------------------------------------


def lists(**columns):
    table = {
        "image": WITH_EMPTY,
        "annotators": [["ann", "bob"], ["bob", "ann", "eve"], []],
        "answers": [["cat", "dog"], ["dog", "dog", "cat"], []],
    }
    return table | columns


def test_lists_in_arrow_tables():
    found = kc.io.read_hugging_face(pa.table(lists()), item="image")
    assert found.items.tolist() == WITH_EMPTY
    assert found.annotators.tolist() == PEOPLE
    assert found.dense().tolist() == expected(True)
    columns = kc.io.hugging_face_columns(found, posterior(found))
    assert columns["label"] == ["dog", "cat", "cat"]
    assert columns["confidence"] == [0.75, 0.9, 0.5]
    assert_same(kc.io.read_hugging_face(pa.table(columns), item="item"), found)
    assert kc.io.read_hugging_face(pa.table(columns)).items.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"answers": [["cat"], ["dog", "dog", "cat"], []]}, "row 0: expected as many 'annotators' as 'answers'"),
        ({"answers": [["cat", "dog"], None, []]}, "row 1, 'answers': expected a list. Received: null"),
        ({"answers": ["cat", "dog", "cat"]}, "column 'answers': expected lists. Received: string"),
        ({"answers": [["cat", "dog"], ["dog", "owl", "cat"], []]}, "row 1, 'answers': expected one of .*'owl'"),
        ({"annotators": [["ann", "ann"], ["bob", "ann", "eve"], []]}, "row 0: expected one answer"),
        ({"annotators": [["ann", None], ["bob", "ann", "eve"], []]}, "row 0, 'annotators': expected an id"),
        ({"answers": [[["cat"], ["dog"]], [["a"], ["b"], ["c"]], []]}, "column 'answers': expected text"),
        ({"answers": [[], [], []], "annotators": [[], [], []]}, "expected at least one answer"),
    ],
)  # fmt: skip
def test_lists_that_are_wrong(columns, message):
    with pytest.raises(ValueError, match=message):
        kc.io.read_hugging_face(pa.table(lists(**columns)), classes=["cat", "dog"])


def test_hugging_face_datasets():
    datasets = pytest.importorskip("datasets", reason="needs Hugging Face's datasets")
    features = datasets.Features(
        {
            "image": datasets.Value("string"),
            "annotators": datasets.Sequence(datasets.Value("string")),
            "answers": datasets.Sequence(datasets.ClassLabel(names=["cat", "dog", "owl"])),
        }
    )
    dataset = datasets.Dataset.from_dict(lists(), features=features)
    found = kc.io.read_hugging_face(dataset.select([2, 1, 0]), item="image")
    assert found.items.tolist() == WITH_EMPTY[::-1]
    assert found.classes.tolist() == ["cat", "dog", "owl"]
    assert found.dense().tolist() == expected(True)[::-1]
    with pytest.raises(ValueError, match="expected one column 'votes'"):
        kc.io.read_hugging_face(dataset, "votes")
    with pytest.raises(ValueError, match=r"`dataset` must be a .* of one split.* Received: DatasetDict"):
        kc.io.read_hugging_face(datasets.DatasetDict(train=dataset))


@pytest.mark.parametrize("dataset", [lists(), [1], None], ids=["dict", "list", "None"])
def test_what_is_no_data_set(dataset):
    with pytest.raises(
        ValueError, match=r"`dataset` must be a `datasets.Dataset` of one split.* Received: "
    ):
        kc.io.read_hugging_face(dataset)


@pytest.mark.parametrize("name", ["labels.csv", "labels.parquet"])
def test_what_stood_there_stays_when_writing_fails(name, tmp_path, monkeypatch):
    annotations = kc.Annotations.from_coo(["a", "b"], ["ann", "ann"], ["cat", "dog"])
    file = tmp_path / name
    kc.io.write_labels(file, annotations, [0, 1])
    before = file.read_bytes()

    def fails(*_):
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", fails)
    with pytest.raises(OSError, match="no space left"):
        kc.io.write_labels(file, annotations, [1, 1])
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]
