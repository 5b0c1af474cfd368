"""Tables: compressed, without a header, items that several columns tell apart, columns that are not there."""

import gzip
import itertools
import shutil

import numpy as np
import pandas as pd
import pytest
from io_samples import FORMATS, SAMPLES, expected

import keras_crowd as kc

PAIRS = [("a", 10), ("a", 9), ("b", 10)]
ENDINGS = [".csv", ".tsv", ".txt", ".jsonl", ".csv.gz", ".txt.gz", ".jsonl.gz", ".parquet"]


@pytest.fixture
def paired():
    """Answers to items whose ids are tuples, which are not in the order of a sort."""
    item, annotator, answer = zip(*[(0, 7, "x"), (0, 8, "y"), (1, 7, "y"), (2, 8, "x")], strict=True)
    return kc.Annotations.from_coo([PAIRS[i] for i in item], annotator, answer, items=PAIRS)


def same(found, wanted):
    assert found.items.tolist() == wanted.items.tolist()
    assert found.annotators.tolist() == wanted.annotators.tolist()
    assert found.dense().tolist() == wanted.dense().tolist()


# --- ids of several columns ------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_tuples_are_written_and_read(tmp_path, paired, ending):
    path, names = tmp_path / f"t{ending}", ["left", "right"]
    kc.io.write_long(path, paired, names)
    same(kc.io.read_long(path, names, items=PAIRS), paired)
    assert kc.io.read_long(path, names).items.tolist() == sorted(PAIRS)
    kc.io.write_wide(path, paired, names)
    wide = kc.io.read_wide(path, names)
    assert (wide.items.tolist(), wide.dense().tolist()) == (PAIRS, paired.dense().tolist())
    kc.io.write_labels(path, paired, [0, -1, 1], names)
    found = kc.io.read_long(path, names, "label", "label")
    assert found.items.tolist() == [PAIRS[0], PAIRS[2]]


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_items_of_three_columns_are_those_of_pandas(tmp_path, ending):
    rng = np.random.default_rng(0)
    triples = list(itertools.product(range(6), "pqrs", ["07", "8"]))
    rows = [
        (*triples[i], f"w{j}", int(rng.integers(3))) for i in rng.permutation(48)[:40] for j in range(2)
    ]
    frame = pd.DataFrame(rows, columns=["a", "b", "c", "who", "said"])
    path, names = tmp_path / f"t{ending}", ["a", "b", "c"]
    if ending == ".csv":
        frame.to_csv(path, index=False)
    elif ending == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    found = kc.io.read_long(path, names, "who", "said")
    table = frame.pivot(index=names, columns="who", values="said")
    assert found.items.tolist() == table.index.tolist()
    assert found.dense().tolist() == table.to_numpy().tolist()


def test_tuples_that_differ_in_one_part_are_different_items(tmp_path):
    """As Toloka's pairs side by side: either column alone would merge them."""
    path = tmp_path / "pool.tsv"
    header = "INPUT:left\tINPUT:right\tOUTPUT:result\tASSIGNMENT:worker_id\tASSIGNMENT:status\n"
    lines = ["a\tb\tleft\tw", "a\tc\tright\tw", "b\tc\tleft\tw", "b\ta\tleft\tw"]
    path.write_text(header + "".join(f"{line}\tAPPROVED\n" for line in lines))
    with pytest.raises(ValueError, match="expected one answer of an annotator to an item"):
        kc.io.read_toloka(path, "INPUT:left", "OUTPUT:result")
    found = kc.io.read_toloka(path, ["INPUT:left", "INPUT:right"], "OUTPUT:result")
    assert found.items.tolist() == [("a", "b"), ("a", "c"), ("b", "a"), ("b", "c")]
    rows = [line.split("\t") for line in lines]
    frame = pd.DataFrame(rows, columns=["Input.l", "Input.r", "Answer.x", "WorkerId"])
    frame.assign(AssignmentStatus="Approved").to_csv(tmp_path / "batch.csv", index=False)
    same(kc.io.read_mturk(tmp_path / "batch.csv", ["Input.l", "Input.r"], "Answer.x"), found)


def test_parts_that_are_missing_or_named_twice_are_refused(tmp_path, paired):
    path = tmp_path / "t.csv"
    path.write_text("left,right,annotator,answer\na,1,r,x\nb,,r,x\n")
    with pytest.raises(ValueError, match=r"t.csv, line 3, 'left, right': expected an id. Received: None"):
        kc.io.read_long(path, ["left", "right"])
    for read in (kc.io.read_long, kc.io.read_wide):
        with pytest.raises(ValueError, match=r"different names. Received: 'left' twice"):
            read(path, ["left", "left"])
        with pytest.raises(ValueError, match=r"`item` must name a column, or several. Received: item=\[\]"):
            read(path, [])
    with pytest.raises(ValueError, match=r"line 3, 'left, right': expected an id"):
        kc.io.read_wide(path, ["left", "right"], columns="answer")
    for names in ("item", ["a", "b", "c"]):
        with pytest.raises(ValueError, match=r"`item` must be 2 names.* Received: item=.*\('a', 10\)"):
            kc.io.write_long(path, paired, names)
    assert path.read_text().startswith("left,right,annotator")
    plain = kc.Annotations.from_dense([[0]])
    with pytest.raises(ValueError, match=r"`item` must be 1 names"):
        kc.io.write_wide(path, plain, ["left", "right"])


# --- compressed ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_every_sample_may_be_compressed(tmp_path, name):
    file, reader, items, _, with_empty = FORMATS[name]
    path = tmp_path / f"{file}.gz"
    with open(SAMPLES / file, "rb") as plain, gzip.open(path, "wb") as packed:
        shutil.copyfileobj(plain, packed)
    found = reader(path)
    assert (found.items.tolist(), found.dense().tolist()) == (items, expected(with_empty))
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(
        ValueError, match=rf"{file}.gz: expected a file that gzip has compressed. Received: "
    ):
        reader(path)
    shutil.copy(SAMPLES / file, path)
    with pytest.raises(ValueError, match=rf"{file}.gz: expected a file that gzip .* Not a gzipped file"):
        reader(path)


def test_what_is_written_compressed_is_the_same_text(tmp_path, paired):
    for ending in (".csv", ".jsonl"):
        for name in (f"a{ending}", f"b{ending}.gz", f"c{ending}.gz"):
            kc.io.write_long(tmp_path / name, paired, ["left", "right"])
        packed = (tmp_path / f"b{ending}.gz").read_bytes()
        assert gzip.decompress(packed) == (tmp_path / f"a{ending}").read_bytes()
        assert packed == (tmp_path / f"c{ending}.gz").read_bytes()
        assert packed[3:8] == bytes(5)  # neither a name nor a time
    with pytest.raises(
        ValueError, match=r"`path` must end in one of .*\.gz after it. Received: '.*parquet.gz'"
    ):
        kc.io.write_long(tmp_path / "t.parquet.gz", paired, ["left", "right"])


def test_the_line_that_cannot_be_decoded_is_named_in_a_compressed_file(tmp_path):
    with gzip.open(tmp_path / "t.csv.gz", "wb") as file:
        file.write(b"item,annotator,answer\na,r,x\na,chi\xe9n,c\n")
    with pytest.raises(ValueError, match=r"t.csv.gz, line 3: .*encoding utf-8. Received: b'\\xe9'"):
        kc.io.read_long(tmp_path / "t.csv.gz")


# --- without a header ------------------------------------------------------------------------------


def test_tables_without_a_header(tmp_path):
    (tmp_path / "t.txt").write_text("w1\t7\tcat\nw2\t7\tdog\n\nw1\t8\tcat\n")
    found = kc.io.read_long(tmp_path / "t.txt", names=["annotator", "item", "answer"])
    assert (found.items.tolist(), found.annotators.tolist()) == ([7, 8], ["w1", "w2"])
    assert found.dense().tolist() == [[0, 1], [0, -1]]
    (tmp_path / "t.csv").write_text("w1 7 0 cat\nw2 7 0 dog\n")
    rules = {"names": ["who", "a", "b", "said"], "sep": " "}
    found = kc.io.read_long(tmp_path / "t.csv", ["a", "b"], "who", "said", **rules)
    assert found.items.tolist() == [(7, 0)]
    found = kc.io.read_wide(tmp_path / "t.txt", ["w", "i"], names=["w", "i", "r"])
    assert (found.items.tolist(), found.annotators.tolist()) == ([("w1", 7), ("w2", 7), ("w1", 8)], ["r"])


def test_names_that_do_not_fit(tmp_path):
    (tmp_path / "t.txt").write_text("w1\t7\tcat\n")
    with pytest.raises(ValueError, match=r"t.txt, line 1: expected 2 fields, as in `names`. Received: 3"):
        kc.io.read_long(tmp_path / "t.txt", "a", "b", "b", names=["a", "b"])
    with pytest.raises(ValueError, match=r"expected one column 'answer'. Received: 0 in \['item'"):
        kc.io.read_long(tmp_path / "t.txt", names=["item", "annotator", "said"])
    for file, read in (("long.jsonl", kc.io.read_long), ("wide.jsonl", kc.io.read_wide)):
        with pytest.raises(ValueError, match=r"`names` are for a .csv, .*without a header. Received: "):
            read(SAMPLES / file, names=["a", "b", "c"])


# --- columns that are not there --------------------------------------------------------------------


def test_another_separator_is_a_likely_cause(tmp_path):
    (tmp_path / "t.txt").write_text("item,annotator,answer\na,r,x\n")
    with pytest.raises(
        ValueError, match=r"expected one column 'item' \(`sep=` says .*'item,annotator,answer'"
    ):
        kc.io.read_long(tmp_path / "t.txt")


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_columns_like_the_one_that_is_not_there_are_shown(tmp_path, ending):
    names = [f"column{i}" for i in range(40)] + ["item", "Annotator", "OUTPUT:answer", "_unit_id"]
    frame = pd.DataFrame([range(len(names))], columns=names)
    path = tmp_path / f"t{ending}"
    frame.to_csv(path, index=False) if ending == ".csv" else frame.to_parquet(path)
    with pytest.raises(
        ValueError, match=r"'annotator'. Received: 0 in 44 columns, among them \['Annotator'\]"
    ):
        kc.io.read_long(path, "item", "annotator", "OUTPUT:answer")
    with pytest.raises(ValueError, match=r"'anwser'. Received: 0 in 44 columns, among them \['OUTPUT:ans"):
        kc.io.read_long(path, "item", "Annotator", "anwser")
    with pytest.raises(ValueError, match=r"'unit'. Received: 0 in 44 columns, among them \['_unit_id'\]"):
        kc.io.read_long(path, "unit", "Annotator", "OUTPUT:answer")
    with pytest.raises(
        ValueError, match=r"'zzz'. Received: 0 in 44 columns, among them \['column0', .*, and more"
    ):
        kc.io.read_long(path, "item", "Annotator", "zzz")
