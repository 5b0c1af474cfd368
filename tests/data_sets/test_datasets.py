"""`keras_crowd.datasets`: the readers of prepared files, and the examples of all docstrings."""

import doctest
import importlib
import os

import numpy as np
import pytest

from keras_crowd import datasets
from keras_crowd.aggregation import majority_vote
from keras_crowd.annotations import Annotations
from keras_crowd.datasets import CrowdDataset

needs_data = pytest.mark.skipif(
    not os.environ.get("KERAS_CROWD_DATA"),
    reason="the real data are not here: KERAS_CROWD_DATA is unset",
)


def labelme_arrays():
    rng = np.random.default_rng(0)
    rows = {"train": 4, "valid": 2, "test": 3}
    return {
        "answers": np.array([[0, -1], [1, 1], [-1, 2], [0, 2]], np.int8),
        **{f"vgg_avg_{split}": rng.random((n, 5)) for split, n in rows.items()},
        **{f"labels_{split}": np.arange(n, dtype=np.int8) % 3 for split, n in rows.items()},
        "class_names": np.array(["coast", "forest", "street"]),
    }


def music_arrays():
    rng = np.random.default_rng(0)
    x_train = rng.normal(5, 3, (6, 4))
    x_train[:, 2] = 0.1  # the std of six of them is 1.4e-17
    return {
        "X_train": x_train,
        "X_test": rng.normal(5, 3, (3, 4)),
        "y_train": np.array([0, 1, 0, 1, 0, 1], np.int8),
        "y_test": np.array([1, 0, 1], np.int8),
        "answers": np.array([[0, 1, -1]] * 6, np.int8),
        "classes": np.array(["blues", "rock"]),
    }


READERS = pytest.mark.parametrize(
    ("reader", "arrays"),
    [(datasets.labelme, labelme_arrays()), (datasets.music, music_arrays())],
    ids=["labelme", "music"],
)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes arrays to a file in `tmp_path`; the environment variable is unset."""
    monkeypatch.delenv("KERAS_CROWD_DATA", raising=False)

    def write(file_name, arrays):
        np.savez(tmp_path / file_name, **arrays)
        return tmp_path / file_name

    return write


def test_labelme_has_the_arrays_of_its_file(write):
    arrays = labelme_arrays()
    data = datasets.labelme.load_data(write("any_name.npz", arrays))
    for split in ("train", "valid", "test"):
        x, y = getattr(data, f"x_{split}"), getattr(data, f"y_{split}")
        assert (x.dtype, y.dtype) == (np.float32, np.int32)
        np.testing.assert_allclose(x, arrays[f"vgg_avg_{split}"], rtol=1e-6)
        np.testing.assert_array_equal(y, arrays[f"labels_{split}"])
    np.testing.assert_array_equal(data.annotations.dense(), arrays["answers"])
    assert data.class_names == tuple(data.annotations.classes) == ("coast", "forest", "street")


def test_music_is_standardized_by_its_training_items(write):
    arrays = music_arrays()
    data = datasets.music.load_data(write("music.npz", arrays))
    varying = [0, 1, 3]
    np.testing.assert_allclose(data.x_train[:, varying].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(data.x_train[:, varying].std(axis=0), 1, rtol=1e-5)
    mean, std = arrays["X_train"].mean(axis=0), arrays["X_train"].std(axis=0)
    expected = (arrays["X_test"] - mean)[:, varying] / std[varying]
    np.testing.assert_allclose(data.x_test[:, varying], expected, rtol=1e-4)
    assert data.x_train.dtype == data.x_test.dtype == np.float32
    assert data.x_valid is data.y_valid is None


def test_music_only_centers_a_constant_column(write):
    arrays = music_arrays()
    data = datasets.music.load_data(write("music.npz", arrays))
    np.testing.assert_allclose(data.x_train[:, 2], 0, atol=1e-6)
    np.testing.assert_allclose(data.x_test[:, 2], arrays["X_test"][:, 2] - 0.1, rtol=1e-5)


def test_music_as_it_is_in_the_file(write):
    data = datasets.music.load_data(write("music.npz", music_arrays()), standardize=False)
    np.testing.assert_array_equal(data.x_train, music_arrays()["X_train"].astype(np.float32))


@READERS
def test_a_file_is_found_by_folder_and_by_environment_variable(reader, arrays, write, monkeypatch):
    folder = write(reader._FILE, arrays).parent
    by_path = reader.load_data(folder)
    monkeypatch.setenv("KERAS_CROWD_DATA", str(folder))
    by_variable = reader.load_data()
    np.testing.assert_array_equal(by_path.x_test, by_variable.x_test)


@READERS
def test_no_file_says_where_it_was_looked_for_and_where_the_data_are(reader, arrays, write, tmp_path):
    expected = rf"`path` .*{reader._FILE}.*KERAS_CROWD_DATA.*answers.*fprodrigues\.com.*"
    with pytest.raises(FileNotFoundError, match=expected + "Received: path=None, KERAS_CROWD_DATA=None"):
        reader.load_data()
    with pytest.raises(FileNotFoundError, match=expected + "Received: path='.*nowhere'"):
        reader.load_data(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=expected):
        reader.load_data(tmp_path)


@READERS
def test_a_file_that_lacks_arrays_is_refused_with_their_names(reader, arrays, write):
    names = list(arrays)
    file = write("some.npz", {name: arrays[name] for name in names[2:]})
    missing = [name for name in reader._ARRAYS if name in names[:2]]
    with pytest.raises(ValueError, match=f"which lacks {', '.join(missing)}$"):
        reader.load_data(file)


@READERS
def test_a_file_that_is_no_archive_is_refused(reader, arrays, tmp_path):
    (tmp_path / "answers.txt").write_text("0 -1 2")
    with pytest.raises(ValueError, match=r"must be an \.npz archive.*answers\.txt"):
        reader.load_data(tmp_path / "answers.txt")


@READERS
def test_answers_and_features_must_have_the_same_rows(reader, arrays, write):
    file = write("short.npz", {**arrays, "answers": arrays["answers"][1:]})
    with pytest.raises(ValueError, match="`x_train` and `annotations` must have the same number of rows"):
        reader.load_data(file)


def test_crowd_dataset_is_frozen_and_short_to_print():
    x, y = np.zeros((2, 3)), np.zeros(2, np.int32)
    data = CrowdDataset(x, Annotations.from_dense([[0, 1], [1, -1]]), y, x, y, ("no", "yes"))
    assert repr(data) == (
        "CrowdDataset(x_train (2, 3), x_test (2, 3), 2 classes, Annotations(3 answers: 2 items x 2 "
        "annotators, 2 classes, 1.5 answers per item, 0 items unanswered))"
    )
    with pytest.raises(AttributeError):
        data.y_train = y


def test_crowd_dataset_refuses_features_without_labels():
    x, y = np.zeros((2, 3)), np.zeros(2, np.int32)
    annotations = Annotations.from_dense([[0, 1], [1, -1]])
    with pytest.raises(ValueError, match=r"`x_test` and `y_test` .* Received: 2 and 1"):
        CrowdDataset(x, annotations, y, x, y[1:], ("no", "yes"))
    with pytest.raises(ValueError, match=r"`x_valid` and `y_valid` .* Received: 2 and None"):
        CrowdDataset(x, annotations, y, x, y, ("no", "yes"), x_valid=x)


@needs_data
@pytest.mark.parametrize(
    ("reader", "answers", "annotators", "vote_accuracy", "rows", "features"),
    [
        (datasets.labelme, 2547, 59, 0.766, (1000, 1188), 512),
        (datasets.music, 2945, 44, 0.704, (700, 300), 124),
    ],
    ids=["labelme", "music"],
)
def test_the_real_data_are_the_published_ones(reader, answers, annotators, vote_accuracy, rows, features):
    data = reader.load_data()
    assert (len(data.annotations), data.annotations.num_annotators) == (answers, annotators)
    assert data.x_train.shape == (rows[0], features)
    assert data.x_test.shape == (rows[1], features)
    accuracy = np.mean(majority_vote(data.annotations) == data.y_train)
    assert accuracy == pytest.approx(vote_accuracy, abs=0.01)
    assert np.isfinite(data.x_train).all()
    assert np.isfinite(data.x_test).all()


@pytest.mark.parametrize(
    "module",
    [
        "_confusions",
        "simulated",
        pytest.param("labelme", marks=needs_data),
        pytest.param("music", marks=needs_data),
    ],
)
def test_the_examples_of_the_docstrings_run(module):
    result = doctest.testmod(importlib.import_module(f"keras_crowd.datasets.{module}"))
    assert result.attempted > 0
    assert result.failed == 0
