"""Texts that are hard to write and to read: line ends, quotes, blanks, long fields, formulas, many digits."""

import csv
import gzip
import json
import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import keras_crowd as kc

AWKWARD = ["\rx", "p\rq", "x\r", "r\r\ns", "y\ny", "\ny"] + [
    '"',
    'a"b',
    '""',
    "'",
    " x",
    "x ",
    "\tx",
    "a\tb",
    "a,b",
    "a;b",
    "\\",
    "\\n",
    "#x",
    "\x85",
    "\u2028x",
    "é",
]
ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet")
TEXTS = (".csv", ".tsv")


def annotations_of(ids):
    """Everybody answers something, and everything is an id: of an item, of an annotator and of a class."""
    shifted = ids[1:] + ids[:1]
    return kc.Annotations.from_coo(ids + ids, ids + shifted, ids + ids, classes=sorted(ids))


def assert_same(found, expected):
    for name in ("items", "annotators", "classes"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()
    assert_array_equal(found.dense(), expected.dense())


@pytest.mark.parametrize("ending", ENDINGS)
def test_awkward_ids_come_back(tmp_path, ending):
    annotations = annotations_of(AWKWARD)
    kc.io.write_long(tmp_path / f"long{ending}", annotations, "the\ritem", "who\n", ' "said" ')
    names = ("the\ritem", "who\n", ' "said" ')
    classes = annotations.classes.tolist()
    assert_same(kc.io.read_long(tmp_path / f"long{ending}", *names, classes=classes), annotations)
    kc.io.write_wide(tmp_path / f"wide{ending}", annotations)
    assert_same(
        kc.io.read_wide(tmp_path / f"wide{ending}", classes=annotations.classes.tolist()), annotations
    )


def test_awkward_ids_are_read_by_pandas(tmp_path):
    annotations = annotations_of(AWKWARD)
    kc.io.write_long(tmp_path / "t.csv", annotations)
    found = kc.Annotations.from_csv(tmp_path / "t.csv", classes=annotations.classes.tolist())
    assert_same(found, annotations)


@pytest.mark.parametrize("ending", ENDINGS)
def test_awkward_labels_and_annotators_come_back(tmp_path, ending):
    annotations = annotations_of(AWKWARD)
    codes = np.arange(annotations.num_items)
    kc.io.write_labels(tmp_path / f"l{ending}", annotations, codes)
    # Read as answers of one annotator for each label.
    found = kc.io.read_long(tmp_path / f"l{ending}", "item", "label", "label", classes=AWKWARD)
    assert found.items[found.item_index].tolist() == annotations.items.tolist()
    assert found.classes[found.answers].tolist() == annotations.classes.tolist()
    kc.io.write_annotators(tmp_path / f"a{ending}", annotations, score=codes + 1)
    found = kc.io.read_long(tmp_path / f"a{ending}", "annotator", "annotator", "score", ratings=True)
    assert found.items[found.item_index].tolist() == annotations.annotators.tolist()


def test_rows_end_in_a_line_feed(tmp_path):
    kc.io.write_long(tmp_path / "t.csv", kc.Annotations.from_coo(["a\r", "b"], ["r", "r"], ["x", "y"]))
    assert (tmp_path / "t.csv").read_bytes() == b'item,annotator,answer\n"a\r",r,x\nb,r,y\n'


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("annotators", [[3, 1, 20], ["3", "x", "20"], ["03", "1", "20"]])
def test_annotators_of_wide_tables_are_what_they_were(tmp_path, ending, annotators):
    table = [[0, 1, -1], [1, -1, 0]]
    annotations = kc.Annotations.from_dense(table, annotators=annotators)
    kc.io.write_wide(tmp_path / f"t{ending}", annotations)
    found = kc.io.read_wide(tmp_path / f"t{ending}")
    assert found.annotators.tolist() == annotators
    again = kc.io.read_wide(tmp_path / f"t{ending}", annotators=sorted(annotators))
    assert again.annotators.tolist() == sorted(annotators)
    for one in (found, again.select(annotators=annotators)):
        assert_array_equal(one.dense(), table)


def test_annotators_of_wide_tables_stay_text_where_they_are_said_to_be(tmp_path):
    for ending in ENDINGS:
        kc.io.write_wide(tmp_path / f"t{ending}", kc.Annotations.from_dense([[0, 1]]))
        found = kc.io.read_wide(tmp_path / f"t{ending}", annotators=["1", "0"])
        assert found.dense().tolist() == [[1, 0]]


# --- long fields -----------------------------------------------------------------------------------

LONG = "x" * 200_000


def test_fields_of_any_length_are_read(tmp_path):
    limit = csv.field_size_limit()
    assert len(LONG) > limit
    path = tmp_path / "batch.csv"
    header = ["HITId", "WorkerId", "AssignmentStatus", "Input.page", "Answer.kind"]
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, ["H1", "W1", "Approved", LONG, "cat"]])
    assert kc.io.read_mturk(path, "HITId", "Answer.kind").classes.tolist() == ["cat"]
    assert kc.io.read_long(path, "HITId", "WorkerId", "Answer.kind").classes.tolist() == ["cat"]
    assert kc.io.read_long(path, "Input.page", "WorkerId", "Answer.kind").items.tolist() == [LONG]
    assert csv.field_size_limit() == limit


def test_the_limit_of_the_users_is_theirs(tmp_path):
    """Between rows, after an error, and while tables are read by several threads."""
    path = tmp_path / "t.csv"
    rows = "".join(f"{i},r,{LONG if i % 100 == 0 else 'cat'}\n" for i in range(300))
    path.write_text("item,annotator,answer\n" + rows)
    limit = csv.field_size_limit(1000)
    try:
        table = kc.io._text.read_table(path, None)
        next(table)
        assert csv.field_size_limit() == 1000
        table.close()
        (tmp_path / "bad.csv").write_text('a,b\n"x"y,2\n')
        with pytest.raises(ValueError, match="line 2"):
            list(kc.io._text.read_table(tmp_path / "bad.csv", None))
        assert csv.field_size_limit() == 1000
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(len(kc.io.read_long(path, missing=LONG))))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [297] * 4
        assert csv.field_size_limit() == 1000
    finally:
        csv.field_size_limit(limit)


def test_the_first_error_of_a_file_is_the_one_that_is_told(tmp_path):
    (tmp_path / "t.csv").write_text('item,annotator,answer\n1,r\n"x"y,r,a\n')
    with pytest.raises(ValueError, match="line 2: expected 3 fields"):
        kc.io.read_long(tmp_path / "t.csv")


# --- numbers, characters, formulas -----------------------------------------------------------------


@pytest.mark.parametrize("digits", [600, 5_000])
def test_ids_of_many_digits(tmp_path, digits):
    """Integers, as long as Python makes integers of them whatever its settings; text beyond."""
    id_ = "9" * digits
    (tmp_path / "t.csv").write_text(f"item,annotator,answer\n{id_},1,a\n")
    assert kc.io.read_long(tmp_path / "t.csv").items.tolist() == [int(id_) if digits < 640 else id_]


def test_numbers_are_what_they_were():
    from keras_crowd.annotations._numbers import NUMBER

    for text in ["0", "7", "-7", "+7", "1.", ".5", "1.5", "-.5", "1e5", "1.E-5", ".5e+05", "007"]:
        assert NUMBER(text), text
        assert np.isfinite(float(text))
    for text in [
        "",
        ".",
        "-",
        "+-1",
        "e5",
        "1e",
        "1e+",
        "1.2.3",
        "1_0",
        "nan",
        "inf",
        " 1",
        "1 ",
        "1\n",
        "٣",
        "0x1",
    ]:
        assert not NUMBER(text), text


@pytest.mark.parametrize("ending", TEXTS)
@pytest.mark.parametrize(("id_", "message"), [("a\0b", "NUL"), ("\ud800", "utf-8"), ("x\udcff", "utf-8")])
def test_what_no_text_can_hold_is_refused_and_the_old_file_stays(tmp_path, ending, id_, message):
    path = tmp_path / f"t{ending}"
    path.write_text("old")
    annotations = kc.Annotations.from_coo([id_], ["r"], ["x"])
    with pytest.raises(ValueError, match=f"{message}.*Received: "):
        kc.io.write_long(path, annotations)
    assert path.read_text() == "old"


def test_json_lines_hold_all_but_lone_surrogates(tmp_path):
    annotations = kc.Annotations.from_coo(["a\0b"], ["r"], ["x"])
    kc.io.write_long(tmp_path / "t.jsonl", annotations)
    assert_same(kc.io.read_long(tmp_path / "t.jsonl"), annotations)
    with pytest.raises(ValueError, match=r"t\.jsonl.*utf-8.*Received: "):
        kc.io.write_long(tmp_path / "t.jsonl", kc.Annotations.from_coo(["\ud800"], ["r"], ["x"]))


@pytest.mark.parametrize("sep", ["\t", " ", "||"])
def test_tokens_come_back(tmp_path, sep):
    tokens = [['"', "a,b", "\x85", "é"], ["'x"]]
    annotations = kc.Annotations.from_dense([[0], [1], [0], [1], [1]], classes=['"O', "B-'x"])
    kc.io.write_conll(tmp_path / "t.txt", tokens, annotations, [0, 1, 0, 1, 1], sep=sep)
    found = kc.io.read_conll(tmp_path / "t.txt", sep=sep)
    assert found.tokens == tokens
    assert found.annotations.classes[found.annotations.answers].tolist() == [
        '"O',
        "B-'x",
        '"O',
        "B-'x",
        "B-'x",
    ]


@pytest.mark.parametrize("bad", ["", "a\tb", "a\nb", "a\r", "-DOCSTART-"])
def test_tokens_and_tags_that_no_line_holds_are_refused(tmp_path, bad):
    annotations = kc.Annotations.from_dense([[0], [1]], classes=["O", "B"])
    with pytest.raises(ValueError, match=r"`tokens` must be text without.*Received: "):
        kc.io.write_conll(tmp_path / "t.txt", [["a", bad]], annotations, [0, 1])
    if bad != "-DOCSTART-":
        annotations = kc.Annotations.from_dense([[0], [1]], classes=["O", bad])
        with pytest.raises(ValueError, match=r"tags must be text without.*Received: "):
            kc.io.write_conll(tmp_path / "t.txt", [["a", "b"]], annotations, [0, 1])
    assert not (tmp_path / "t.txt").exists()


FORMULAS = ["=1+1", "+cmd|'x'!A0", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"]
PLAIN = ["-1", "+1.5", "-1e5", "a=b", "'=1", " =1", "x"]


@pytest.mark.parametrize("ending", TEXTS)
def test_formulas_are_escaped_where_it_is_asked_for(tmp_path, ending):
    annotations, path = annotations_of(FORMULAS + PLAIN), tmp_path / f"t{ending}"
    calls = {
        "long": lambda **how: kc.io.write_long(path, annotations, "=item", **how),
        "wide": lambda **how: kc.io.write_wide(path, annotations, **how),
        "labels": lambda **how: kc.io.write_labels(
            path, annotations, np.arange(len(annotations.items)), **how
        ),
        "annotators": lambda **how: kc.io.write_annotators(path, annotations, **{"=x": [-1.5] * 15}, **how),
    }
    for name, call in calls.items():
        call()
        rows = cells(path)
        assert {*FORMULAS} <= {cell for row in rows for cell in row}, name
        call(escape_formulas=True)
        escaped = [
            [f"'{cell}" if cell in (*FORMULAS, "=item", "=x") else cell for cell in row] for row in rows
        ]
        assert cells(path) == escaped, name


def test_formulas_stay_where_there_are_none(tmp_path):
    annotations = annotations_of(FORMULAS)
    for ending in (".jsonl", ".parquet"):
        kc.io.write_long(tmp_path / f"t{ending}", annotations, escape_formulas=True)
        assert_same(kc.io.read_long(tmp_path / f"t{ending}"), annotations)


def cells(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter="\t" if path.suffix == ".tsv" else ","))


def test_rows_longer_than_the_header_are_refused_by_from_csv_too(tmp_path):
    """pandas takes the first field for an index then, and every column for its neighbor."""
    (tmp_path / "t.csv").write_text("item,annotator,answer\n1,2,0,x\n2,2,1,y\n")
    for read in (kc.Annotations.from_csv, kc.io.read_long):
        with pytest.raises(ValueError, match=r"t\.csv.*Received: "):
            read(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("item,annotator,answer\n5,2,0,\n")  # nothing is lost
    assert kc.Annotations.from_csv(tmp_path / "t.csv").items.tolist() == [5]
    (tmp_path / "t.csv").write_text("item,annotator,answer\n5,1,2,0\n")
    assert kc.Annotations.from_csv(tmp_path / "t.csv", index_col=0).dense().tolist() == [[0]]


@pytest.mark.parametrize("cut", [1, 5, 30, -4])
def test_half_a_compressed_file_is_refused_by_from_csv_too(tmp_path, cut):
    data = gzip.compress(b"item,annotator,answer\n1,2,0\n" * 5)
    (tmp_path / "t.csv.gz").write_bytes(data[:cut])
    for read in (kc.Annotations.from_csv, kc.io.read_long):
        with pytest.raises(ValueError, match=r"t\.csv\.gz.*Received: "):
            read(tmp_path / "t.csv.gz")


def test_integers_beside_floats_are_floats_or_refused(tmp_path):
    for number, fine in (("7", True), ("9" * 400, False)):
        lines = [{"item": 1, "annotator": 1, "answer": 0.5}, {"item": 2, "annotator": 1, "answer": "N"}]
        (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)).replace('"N"', number))
        if fine:
            assert kc.io.read_long(tmp_path / "t.jsonl").answers.tolist() == [0.5, 7]
        else:
            with pytest.raises(ValueError, match=r"'answer': expected numbers.*Received: "):
                kc.io.read_long(tmp_path / "t.jsonl")
