"""`ratings=True`: whole numbers are ratings, whatever reads them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from io_made import READERS, frame_of
from io_samples import FORMATS, SAMPLES

import keras_crowd as kc

ROWS = [("a", "r", 4), ("b", "r", 2), ("a", "s", 5)]
TABLE = [[4, 5], [2, np.nan]]


def from_nullable_integers(folder, rows):
    frame = pd.concat([frame_of(rows), pd.DataFrame({"item": ["b"], "annotator": ["s"], "answer": [None]})])
    return kc.Annotations.from_dataframe, frame.astype({"answer": "Int64"})


@pytest.mark.parametrize("make", [*READERS, from_nullable_integers])
def test_whole_numbers_are_ratings_where_it_is_said(tmp_path, make):
    read, source = make(tmp_path, ROWS)
    assert read(source).classes is not None
    found = read(source, ratings=True)
    assert (found.classes, found.items.tolist(), found.annotators.tolist()) == (
        None,
        ["a", "b"],
        ["r", "s"],
    )
    np.testing.assert_array_equal(found.dense(), TABLE)
    with pytest.raises(
        ValueError, match=r"`ratings=True` is for numbers.* Received: .*classes=\[2, 4, 5\]"
    ):
        read(source, ratings=True, classes=[2, 4, 5])


@pytest.mark.parametrize("name", FORMATS)
def test_words_are_no_ratings_and_the_place_is_told(name):
    file, reader, *_ = FORMATS[name]
    with pytest.raises(
        ValueError, match=rf"{file}, .*\d.*: expected a number \(`ratings=True`\).*'(cat|dog)'"
    ):
        reader(SAMPLES / file, ratings=True)


@pytest.mark.parametrize("answer", ["cat", True, None, "4"])
def test_from_coo_takes_numbers_only_for_ratings(answer):
    found = kc.Annotations.from_coo([1, 2], ["r", "r"], [3, 4], ratings=True)
    assert (found.classes, found.answers.tolist()) == (None, [3, 4])
    if answer is None:
        assert len(kc.Annotations.from_coo([1, 2], ["r", "r"], [3, None], ratings=True)) == 1
        return
    with pytest.raises(ValueError, match=r"`answer` must be numbers \(`ratings=True`\). Received: "):
        kc.Annotations.from_coo([1, 2], ["r", "r"], [3, answer], ratings=True)


def test_files_of_whole_and_of_other_numbers_are_joined(tmp_path):
    for name, answers in (("whole", "a,r,4\nb,r,3"), ("other", "c,r,4.5\nd,r,1")):
        (tmp_path / f"{name}.csv").write_text(f"item,annotator,answer\n{answers}\n")
    paths = [tmp_path / "whole.csv", tmp_path / "other.csv"]
    with pytest.raises(ValueError, match=r"all of classes or all of numbers .*`ratings=True`"):
        kc.Annotations.concat([kc.io.read_long(path) for path in paths])
    for read in (kc.io.read_long, kc.Annotations.from_csv):
        joined = kc.Annotations.concat([read(path, ratings=True) for path in paths])
        assert (joined.classes, joined.answers.tolist()) == (None, [4, 3, 4.5, 1])


def test_similarities_from_zero_to_ten_are_ratings(tmp_path):
    """As in the word similarities of Snow et al. (2008): 0 to 10, most of them whole."""
    lines = [
        f"{worker}\tpair{pair}\t{(3 * worker + pair) % 11}" for worker in range(4) for pair in range(11)
    ]
    (tmp_path / "wordsim.tsv").write_text("\n".join(["!amt_worker_ids\torig_id\tresponse", *lines]) + "\n")
    columns = ("orig_id", "!amt_worker_ids", "response")
    assert kc.io.read_long(tmp_path / "wordsim.tsv", *columns).num_classes == 11
    found = kc.io.read_long(tmp_path / "wordsim.tsv", *columns, ratings=True)
    assert found.classes is None
    assert kc.aggregation.mean_rating(found).max() <= 10


def test_numbers_too_large_are_named_with_their_place(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"item": 1, "annotator": 1, "answer": 1%s}\n' % ("0" * 400))
    with pytest.raises(ValueError, match=r"t.jsonl, line 1, 'answer': expected a finite number"):
        kc.io.read_long(tmp_path / "t.jsonl", ratings=True)
    pq.write_table(pa.table({"item": [1], "annotator": [1], "answer": [1e300]}), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"row 1, 'answer': expected a finite number"):
        kc.io.read_long(tmp_path / "t.parquet", ratings=True)
