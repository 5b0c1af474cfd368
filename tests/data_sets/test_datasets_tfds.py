"""`crowd_images`, on small TensorFlow Datasets that the tests write. Nothing is downloaded."""

import sys

import numpy as np
import pytest
from tfds_files import pictures, write

from keras_crowd.datasets import crowd_images, simulate_answers

tfds = pytest.importorskip("tensorflow_datasets", reason="needs tensorflow-datasets")

NAMES = ("cat", "dog", "owl")


def image(*shape, dtype=np.uint8):
    return tfds.features.Image(shape=shape, dtype=dtype)


def label():
    return tfds.features.ClassLabel(names=list(NAMES))


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    """TFDS asks a server of Google for the sizes of data sets that are not prepared."""
    monkeypatch.setattr(tfds.core.DatasetInfo, "initialize_from_bucket", lambda info: None)


@pytest.fixture
def folder(tmp_path):
    """A folder with the data set `pets`: 30 pictures to train on, 12 to test."""
    write(tmp_path, "pets", image(8, 6, 1), label(), {"train": pictures(30), "test": pictures(12)})
    return tmp_path


def experts(x, labels):
    """Two annotators who know everything."""
    return simulate_answers(labels, np.stack([np.eye(3)] * 2))


def test_pictures_labels_and_names_are_those_of_the_files(folder):
    data = crowd_images("pets", experts, data_dir=folder)
    for x, y, split in (
        (data.x_train, data.y_train, pictures(30)),
        (data.x_test, data.y_test, pictures(12)),
    ):
        images, labels = split
        assert (x.shape, x.dtype, y.dtype) == (images.shape, np.float32, np.int32)
        # TFDS shuffled them: each is found by its pixels.
        found = [int(np.flatnonzero((images == row).all(axis=(1, 2, 3)))[0]) for row in np.rint(255 * x)]
        assert sorted(found) == list(range(len(images)))
        np.testing.assert_allclose(x, images[found] / 255, rtol=1e-6)
        np.testing.assert_array_equal(y, labels[found])
    assert data.class_names == NAMES
    np.testing.assert_array_equal(data.annotations.dense(), np.stack([data.y_train] * 2, axis=1))


def test_annotators_see_the_pictures_they_answer(folder):
    def annotate(x, labels):
        np.testing.assert_array_equal(np.rint(255 * x[:, 0, 0, 0]), labels)
        return experts(x, labels)

    assert len(crowd_images("pets", annotate, data_dir=folder).x_train) == 30


def test_limit_takes_the_first_and_the_same_again(folder):
    whole = crowd_images("pets", experts, data_dir=folder)
    part = crowd_images("pets", experts, data_dir=folder, train_limit=7)
    np.testing.assert_array_equal(part.x_train, whole.x_train[:7])
    np.testing.assert_array_equal(part.y_train, whole.y_train[:7])
    np.testing.assert_array_equal(part.x_test, whole.x_test)
    assert part.annotations.num_items == 7


def test_pictures_of_16_bits_and_three_channels(tmp_path):
    split = pictures(6, (4, 4, 3), np.uint16)
    write(tmp_path, "deep", image(4, 4, 3, dtype=np.uint16), label(), {"train": split, "test": split})
    data = crowd_images("deep", experts, data_dir=tmp_path)
    assert data.x_train.shape == (6, 4, 4, 3)
    np.testing.assert_allclose(
        np.sort(data.x_train, axis=None), np.sort(split[0] / 65535, axis=None), rtol=1e-6
    )


def test_prepared_data_need_no_download(folder, monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("downloads")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    assert len(crowd_images("pets", experts, data_dir=folder, download=False).x_train) == 30
    with pytest.raises(FileNotFoundError, match="download=False"):
        crowd_images("mnist", experts, data_dir=folder, download=False)
    with pytest.raises(AssertionError, match="downloads"):
        crowd_images("mnist", experts, data_dir=folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "no_such_pets"}, "`name` must be a data set of TensorFlow Datasets"),
        ({"train_limit": 0}, "`train_limit` must be an integer from 1 to 30"),
        ({"train_limit": 31}, "`train_limit` must be an integer from 1 to 30"),
        ({"annotate": None}, "`annotate` must be a function"),
    ],
)
def test_wrong_arguments(folder, arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        crowd_images(**{"name": "pets", "annotate": experts, "data_dir": folder} | arguments)
    assert "Received" in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"splits": {"train": pictures(6), "validation": pictures(6)}}, "the splits train and test"),
        ({"supervised_keys": None}, "supervised_keys=None"),
        ({"supervised_keys": ("label", "image")}, "pairs images of one size with a class label"),
        ({"label": "count"}, "pairs images of one size with a class label"),
        ({"image": (None, None, 1)}, "pairs images of one size with a class label"),
        ({"image": "numbers"}, "pairs images of one size with a class label"),
    ],
    ids=["no_test_split", "no_pair", "swapped", "no_class_label", "any_size", "no_images"],
)
def test_data_sets_of_other_kinds(tmp_path, changes, message):
    arguments = {"splits": {"train": pictures(6), "test": pictures(6)}} | changes
    shape = arguments.get("image", (8, 6, 1))
    numbers = tfds.features.Tensor(shape=(8, 6, 1), dtype=np.uint8)
    arguments["image"] = numbers if shape == "numbers" else image(*shape)
    arguments["label"] = tfds.features.Scalar(np.int64) if "label" in changes else label()
    write(tmp_path, "pets", **arguments)
    with pytest.raises(ValueError, match=message):
        crowd_images("pets", experts, data_dir=tmp_path)


def test_unlabeled_pictures_are_refused(tmp_path):
    images, labels = pictures(6)
    splits = {"train": (images, labels), "test": (images, np.full(6, -1))}
    write(tmp_path, "pets", image(8, 6, 1), label(), splits)
    with pytest.raises(ValueError, match="from 0 to 2"):
        crowd_images("pets", experts, data_dir=tmp_path)


@pytest.mark.parametrize("module", ["tensorflow_datasets", "tensorflow"])
def test_without_its_packages_it_says_what_to_install(module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"pip install 'keras_crowd\[datasets\]'"):
        crowd_images("mnist", experts)
