"""The reader of MovieReviews."""

import gzip

import numpy as np
import pytest

from keras_crowd import aggregation
from keras_crowd.datasets import moviereviews

ARRAYS = {
    "answers": np.array([[0.5, np.nan], [1.1, 0.2], [np.nan, np.nan]], np.float32),
    "ratings_train": np.array([0.4, 0.9, 0.1], np.float32),
    "ratings_test": np.array([0.3, 0.6], np.float32),
}
TEXTS = {"train": ["a b", "c\x85d", "e"], "test": ["f", "g"]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_CROWD_DATA", raising=False)
    np.savez(tmp_path / "moviereviews.npz", **ARRAYS)
    for split, lines in TEXTS.items():
        with gzip.open(tmp_path / f"moviereviews_texts_{split}.txt.gz", "wt", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
    return tmp_path


@pytest.mark.parametrize("name", ["", "moviereviews.npz"])
def test_has_the_arrays_of_its_file_from_0_to_10(folder, name):
    data = moviereviews.load_data(folder / name)
    assert data.x_train.tolist() == TEXTS["train"]
    assert data.x_test.tolist() == TEXTS["test"]
    np.testing.assert_allclose(data.annotations.dense(), 10 * ARRAYS["answers"], rtol=1e-6)
    np.testing.assert_allclose(data.y_train, 10 * ARRAYS["ratings_train"], rtol=1e-6)
    np.testing.assert_allclose(data.y_test, 10 * ARRAYS["ratings_test"], rtol=1e-6)
    assert data.y_test.dtype == np.float32
    assert repr(data).startswith("CrowdDataset(x_train (3,), x_test (2,), ratings, Annotations(3 answers")


@pytest.mark.parametrize("name", ["moviereviews.npz", "moviereviews_texts_test.txt.gz"])
def test_says_what_is_missing(folder, name):
    (folder / name).unlink()
    with pytest.raises(
        FileNotFoundError, match=rf"`path` must be the file {name}.*fprodrigues\.com.*Received"
    ):
        moviereviews.load_data(folder)


def test_texts_and_ratings_must_have_the_same_rows(folder):
    np.savez(folder / "moviereviews.npz", **{**ARRAYS, "ratings_train": np.zeros(2)})
    with pytest.raises(
        ValueError, match=r"`x_train` and `y_train` must have the same .* Received: 3 and 2"
    ):
        moviereviews.load_data(folder)


@pytest.mark.parametrize("counts", [(1500, 3506), (1498, 3508)], ids=["files", "notebook"])
def test_both_published_counts_of_reviews_are_read(folder, counts):
    train, test = counts
    answers = np.full((train, 2), 0.5, np.float32)
    ratings = {"ratings_train": np.full(train, 0.5), "ratings_test": np.full(test, 0.5)}
    np.savez(folder / "moviereviews.npz", answers=answers, **ratings)
    for split, count in zip(("train", "test"), counts, strict=True):
        with gzip.open(folder / f"moviereviews_texts_{split}.txt.gz", "wt", encoding="utf-8") as file:
            file.write("a\n" * count)
    data = moviereviews.load_data(folder)
    assert (len(data.x_train), len(data.y_train), len(data.x_test), len(data.y_test)) == (
        train,
        train,
        test,
        test,
    )


def test_the_real_data_are_the_published_ones(crowd_data):
    data = moviereviews.load_data()
    assert (len(data.annotations), data.annotations.num_annotators) == (7440, 135)
    assert (len(data.x_train), len(data.x_test)) == (1500, 3506)
    error = aggregation.mean_rating(data.annotations) - data.y_train
    assert 1 - np.mean(error**2) / np.var(data.y_train) == pytest.approx(0.83, abs=0.005)
    found = aggregation.raykar(data.annotations)
    error = found.truth - data.y_train
    assert 1 - np.mean(error**2) / np.var(data.y_train) > 0.9
    gold = aggregation.deviations(data.annotations, data.y_train)
    by_em = aggregation.deviations(data.annotations, found.truth)
    by_mean = aggregation.deviations(data.annotations, aggregation.mean_rating(data.annotations))
    for em, mean, true in zip(by_em, by_mean, gold, strict=True):
        assert np.corrcoef(em, true)[0, 1] > np.corrcoef(mean, true)[0, 1]
