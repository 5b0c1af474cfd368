"""Numeric answers through every form of `Annotations`."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from keras_crowd import Annotations
from keras_crowd.annotations import as_annotations, as_ratings

TABLE = np.array([[0.5, np.nan, -1.0], [np.nan, np.nan, np.nan], [2.25, 7.0, np.nan]], np.float32)
ITEMS, ANNOTATORS = ["a", "b", "c"], ["ann", "bob", "eve"]
ROWS = [("a", "ann", 0.5), ("a", "eve", -1.0), ("c", "ann", 2.25), ("c", "bob", 7.0)]
IDS = {"items": ITEMS, "annotators": ANNOTATORS}


def from_csv(tmp_path):
    path = tmp_path / "ratings.csv"
    pd.DataFrame(ROWS, columns=["item", "annotator", "answer"]).to_csv(path, index=False)
    return Annotations.from_csv(path, **IDS)


@pytest.mark.parametrize(
    "read",
    [
        lambda path: Annotations.from_dense(TABLE, **IDS),
        lambda path: Annotations.from_coo(*zip(*ROWS, strict=True), **IDS),
        lambda path: Annotations.from_dataframe(
            pd.DataFrame(ROWS, columns=["item", "annotator", "answer"]), **IDS
        ),
        from_csv,
    ],
    ids=["dense", "coo", "data frame", "csv"],
)
def test_every_reader_gives_the_same_ratings(read, tmp_path):
    ratings = read(tmp_path)
    assert ratings.classes is None
    assert ratings.answers.dtype == np.float32
    assert_array_equal(ratings.dense(), TABLE)
    ids, answers = ratings.slots()
    assert_array_equal(ids, [[0, 2], [-1, -1], [0, 1]])
    assert_array_equal(answers, np.array([[0.5, -1], [np.nan, np.nan], [2.25, 7]], np.float32))


def test_held_out_ratings_and_the_others_are_all_ratings():
    ratings = Annotations.from_dense(TABLE)
    kept, held_out = ratings.split(0.25)
    assert (len(kept), len(held_out)) == (3, 1)
    assert kept.classes is held_out.classes is None
    both = np.where(np.isnan(kept.dense()), held_out.dense(), kept.dense())
    assert_array_equal(both, TABLE)
    assert np.all(np.isnan(kept.dense()) | np.isnan(held_out.dense()))


def test_ratings_and_classes_are_not_mistaken_for_each_other():
    assert_array_equal(as_ratings(TABLE).dense(), TABLE)
    ratings = Annotations.from_dense(TABLE)
    assert as_ratings(ratings) is ratings
    with pytest.raises(ValueError, match=r"or floats of shape .* Received: dtype int64, shape \(1, 2\)"):
        as_ratings(np.array([[1, 2]]))
    with pytest.raises(ValueError, match=r"must be numbers: .* Received: Annotations\(2 answers"):
        as_ratings(Annotations.from_dense([[1, 2]]))
    with pytest.raises(ValueError, match="numeric answers"):
        as_annotations(ratings)
