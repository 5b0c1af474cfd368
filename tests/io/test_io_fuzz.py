"""Files that were damaged: an error that names the file, or the answers that are still there; never others."""

import csv
import io
import json
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_samples import FORMATS, PEOPLE, SAMPLES, expected

import keras_crowd as kc

few_examples = settings(max_examples=40, deadline=None, database=None)
BYTES = b"\x00\xff\"',\t\n\r [{]}:?\\019anx"


@st.composite
def damages(draw):
    """A function that damages bytes, here or there."""
    where, byte = draw(st.floats(0, 1)), bytes([draw(st.sampled_from(BYTES))])
    kind = draw(st.sampled_from(["replace", "insert", "delete", "cut", "line twice", "line away"]))

    def damage(data):
        at = min(int(where * len(data)), len(data) - 1)
        start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at) % len(data) + 1
        line = data[start:end]
        return {
            "replace": data[:at] + byte + data[at + 1 :],
            "insert": data[:at] + byte + data[at:],
            "delete": data[:at] + data[at + 1 :],
            "cut": data[:at],
            "line twice": data[:end] + line + data[end:],
            "line away": data[:start] + data[end:],
        }[kind]

    return damage


PLACE = re.compile(r"(line|task|object|annotation) \d+|header")


def read_or_refused(read, path, placed=False):
    """What is read, or `None` after an error that names the file, and the place in it where it has one."""
    try:
        return read(path)
    except ValueError as error:
        message = str(error)
    assert path.name in message, message
    assert not placed or PLACE.search(message), message
    assert "Received" in message, message
    assert len(message) < 700 + len(str(path)), message
    return None


def assert_nothing_is_made_up(read, path, table, placed=False):
    """Every answer that is read stands in the table."""
    annotations = read_or_refused(read, path, placed)
    if annotations is not None:
        found = annotations.dense()
        assert found.shape == table.shape
        assert np.all((found == table) | (found == -1))


STATUS = {
    "mturk": (b"AssignmentStatus", ["Submitted", "Approved", "Rejected"]),
    "mturk_forms": (b"AssignmentStatus", ["Submitted", "Approved", "Rejected"]),
    "toloka": (b"ASSIGNMENT:status", ["SUBMITTED", "APPROVED", "REJECTED"]),
}


class Format:
    """A sample, how it is read when everything about it is known, and what stands in it."""

    def __init__(self, name):
        self.file, self.reader, self.items, self.annotators, with_empty = FORMATS[name]
        self.data, self.table = (SAMPLES / self.file).read_bytes(), np.array(expected(with_empty))
        self.status, states = STATUS.get(name, (b"", None))
        if states:
            self.of_any_status = self.read(SAMPLES / self.file, status=states).dense()

    def read(self, path, **options):
        known = {"items": self.items, "annotators": self.annotators, "classes": ["cat", "dog"]}
        return self.reader(path, **known, **options)

    def check(self, folder, data, placed=False):
        """Writes data, and reads nothing that is not in the sample."""
        data = data.encode() if isinstance(data, str) else data
        (folder / self.file).write_bytes(data)
        table = self.table if self.status in data else self.of_any_status  # which is optional
        assert_nothing_is_made_up(self.read, folder / self.file, table, placed)


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files(name, tmp_path):
    sample = Format(name)

    @given(st.lists(damages(), min_size=1, max_size=3))
    @few_examples
    def check(changes):
        damaged = sample.data
        for change in changes:
            damaged = change(damaged) or b"\n"
        sample.check(tmp_path, damaged)

    check()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("end", ["\r\n", "\n\n"])
def test_other_line_ends_and_empty_lines_change_nothing(name, end, tmp_path):
    sample = Format(name)
    text = sample.data.decode().rstrip("\n").replace("\n", end)
    for path in (sample.file, f"ended-{sample.file}"):
        (tmp_path / path).write_bytes((text + end * path.startswith("ended")).encode())
        assert sample.read(tmp_path / path).dense().tolist() == sample.table.tolist()


# --- JSON ------------------------------------------------------------------------------------------

GARBAGE = [None, True, -1, 1.5, "", "x", [], {}, [[{}]], {"x": [None]}]
JSON = [name for name, (file, *_) in FORMATS.items() if "json" in file]
LINES = {name for name in JSON if FORMATS[name][0].endswith("jsonl")}


def document(name):
    text = (SAMPLES / FORMATS[name][0]).read_text()
    return [json.loads(line) for line in text.splitlines()] if name in LINES else json.loads(text)


def written(name, value):
    if name not in LINES:
        return json.dumps(value)
    return "\n".join(map(json.dumps, value)) if isinstance(value, list) else json.dumps(value)


def nodes(value, path=()):
    """Keys that lead to everything in a document."""
    yield path
    inside = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in inside:
        yield from nodes(child, (*path, key))


def changed(value, path, change):
    """A copy of the document, what stands at the path given to `change`, which may give nothing."""
    if not path:
        return change(value)
    copy = value.copy()
    inner = changed(value[path[0]], path[1:], change)
    if inner is NOTHING:
        del copy[path[0]]
    else:
        copy[path[0]] = inner
    return copy


NOTHING = object()


@pytest.mark.parametrize("name", JSON)
def test_garbage_in_any_place_of_json(name, tmp_path):
    sample, whole = Format(name), document(name)
    for i, path in enumerate(nodes(whole)):
        for value in [*GARBAGE[i % 3 :: 3], NOTHING] if path else GARBAGE:
            damaged = changed(whole, path, lambda _, value=value: value)
            sample.check(tmp_path, written(name, damaged), placed=bool(path))


@pytest.mark.parametrize("name", JSON)
def test_keys_that_stand_twice(name, tmp_path):
    sample, whole = Format(name), document(name)
    twice = 0
    for path in nodes(whole):
        if path and isinstance(path[-1], str):
            damaged = changed(whole, path[:-1], lambda one, key=path[-1]: {**one, f"{key} again": None})
            text = written(name, damaged).replace(f"{path[-1]} again", path[-1])
            (tmp_path / sample.file).write_text(text)
            with pytest.raises(ValueError, match=rf"{sample.file}.*a key twice"):
                sample.read(tmp_path / sample.file)
            twice += 1
    assert twice > 10


@pytest.mark.parametrize("form", [json.dumps(value) for value in GARBAGE] + ['{"kind": {}', "cat", "NaN"])
def test_garbage_in_the_forms_of_sagemaker(form, tmp_path):
    whole = document("sagemaker")
    path = (0, "annotations", 0, "annotationData", "content")
    Format("sagemaker").check(tmp_path, json.dumps(changed(whole, path, lambda _: form)))


# --- tables of text --------------------------------------------------------------------------------

TABLES = [name for name in FORMATS if name not in JSON]
CELLS = ["", " ", "x", "1.5", '"', "cat\tdog,", "[]", '{"kind": {"cat": true, "dog": true}}', "\r\n"]


def rows(name):
    text = (SAMPLES / FORMATS[name][0]).read_text()
    return list(csv.reader(io.StringIO(text), delimiter=sep(name)))


def sep(name):
    return "\t" if FORMATS[name][0].endswith("tsv") else ","


def table(name, rows):
    text = io.StringIO()
    csv.writer(text, delimiter=sep(name)).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("name", TABLES)
def test_garbage_in_any_cell(name, tmp_path):
    sample, whole = Format(name), rows(name)
    for i, row in enumerate(whole):
        for j in range(len(row)):
            for cell in CELLS[(i + j) % 2 :: 2]:
                damaged = [*row[:j], cell, *row[j + 1 :]]
                sample.check(tmp_path, table(name, [*whole[:i], damaged, *whole[i + 1 :]]), placed=True)


@pytest.mark.parametrize("name", TABLES)
def test_columns_that_are_missing_or_there_twice(name, tmp_path):
    sample, whole = Format(name), rows(name)
    for j in range(len(whole[0])):
        sample.check(tmp_path, table(name, [row[:j] + row[j + 1 :] for row in whole]))
        sample.check(tmp_path, table(name, [row[: j + 1] + row[j:] for row in whole]))


@pytest.mark.parametrize("name", TABLES)
def test_rows_with_a_field_too_few_or_too_many(name, tmp_path):
    sample, whole = Format(name), rows(name)
    for row in (whole[2][:-1], [*whole[2], ""]):
        (tmp_path / sample.file).write_text(table(name, [*whole[:2], row, *whole[3:]]))
        with pytest.raises(ValueError, match=rf"{sample.file}, line 3: expected \d+ fields"):
            sample.read(tmp_path / sample.file)


# --- Parquet, Hugging Face, tokens -----------------------------------------------------------------


@given(
    data=st.lists(
        st.lists(
            st.tuples(st.sampled_from([*PEOPLE, None]), st.sampled_from(["cat", "dog", None])), max_size=4
        ),
        min_size=1,
        max_size=4,
    ),
    cut=st.booleans(),
)
@few_examples
def test_lists_of_any_answers(data, cut):
    """What is read is what stands in the lists; or an id is missing, one stands twice, or there is no answer."""
    who, what = [[[pair[j] for pair in row] for row in data] for j in (0, 1)]
    if cut and what[0]:
        what[0].pop()
    columns = {
        "annotators": pa.array(who, pa.list_(pa.string())),
        "answers": pa.array(what, pa.list_(pa.string())),
    }
    answered = [(i, r, k) for i, row in enumerate(data) for r, k in row if k is not None]
    cells = [(i, r) for i, r, _ in answered]
    right = not (cut and data[0]) and answered and len({*cells}) == len(cells) and all(r for _, r in cells)
    known = {"annotators": PEOPLE, "classes": ["cat", "dog"]}
    if not right:
        with pytest.raises(ValueError, match=r"data set.*Received"):
            kc.io.read_hugging_face(pa.table(columns), **known)
        return
    table = np.full((len(data), 3), -1)
    for i, r, k in answered:
        table[i, PEOPLE.index(r)] = ["cat", "dog"].index(k)
    assert kc.io.read_hugging_face(pa.table(columns), **known).dense().tolist() == table.tolist()


def test_damaged_parquet(tmp_path):
    path, annotations = (
        tmp_path / "t.parquet",
        kc.Annotations.from_dense(expected(False), annotators=PEOPLE),
    )
    kc.io.write_long(path, annotations)
    data, table = path.read_bytes(), annotations.dense()
    known = {"items": [0, 1], "annotators": PEOPLE, "classes": [0, 1]}

    @given(damages())
    @few_examples
    def check(change):
        path.write_bytes(change(data))
        assert_nothing_is_made_up(lambda path: kc.io.read_long(path, **known), path, table)

    check()


def test_damaged_tokens(tmp_path):
    data, tags = (SAMPLES / "tokens.conll").read_bytes(), ["O", "B-PER", "I-PER"]
    table = kc.io.read_conll(SAMPLES / "tokens.conll", classes=tags).annotations.dense()
    path = tmp_path / "tokens.conll"

    @given(damages())
    @few_examples
    def check(change):
        path.write_bytes(change(data))
        found = read_or_refused(lambda path: kc.io.read_conll(path, PEOPLE, classes=tags), path)
        if found is not None:
            dense = found.annotations.dense()
            assert len(dense) == sum(map(len, found.tokens))
            # A line more or less moves the tokens; their answers stay theirs.
            rows = {tuple(row) for row in table}
            assert sum(tuple(row) not in rows for row in dense) <= 1

    check()
