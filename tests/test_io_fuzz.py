"""Files that were damaged: an error that names the file, or the answers that are still there; never others."""

import numpy as np
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


def read_or_refused(read, path):
    """What is read, or `None` after an error that names the file."""
    try:
        return read(path)
    except ValueError as error:
        message = str(error)
    assert path.name in message, message
    assert "Received" in message, message
    assert len(message) < 700 + len(str(path)), message
    return None


def assert_nothing_is_made_up(read, path, table):
    """Every answer that is read stands in the table."""
    annotations = read_or_refused(read, path)
    if annotations is not None:
        found = annotations.dense()
        assert found.shape == table.shape
        assert np.all((found == table) | (found == -1))


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files(name, tmp_path):
    file, reader, items, annotators, with_empty = FORMATS[name]
    data, table = (SAMPLES / file).read_bytes(), np.array(expected(with_empty))

    def read(path):
        return reader(path, items=items, annotators=annotators, classes=["cat", "dog"])

    @given(st.lists(damages(), min_size=1, max_size=3))
    @few_examples
    def check(changes):
        damaged = data
        for change in changes:
            damaged = change(damaged) or b"\n"
        (tmp_path / file).write_bytes(damaged)
        assert_nothing_is_made_up(read, tmp_path / file, table)

    check()


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
