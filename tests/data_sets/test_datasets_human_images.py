"""`human_images`, on small files that TFDS's own builders of CIFAR-N and CIFAR-H would read. Nothing is downloaded."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from tfds_files import pictures

from keras_crowd.datasets import human_images

tfds = pytest.importorskip("tensorflow_datasets", reason="needs tensorflow-datasets")
pytest.importorskip(
    "importlib_resources", reason="tensorflow_datasets needs importlib_resources to find its builders"
)

NUM_CLASSES = {"cifar10_n": 10, "cifar100_n": 100, "cifar10_h": 10}
# Annotators and their answers; nobody answered the last.
ANSWERS = (
    [(3, 0), (5, 1), (4, 9)],
    [(5, 2), (3, 2), (9, 0)],
    [(4, 7), (9, 7), (5, 7)],
    [(9, 1), (4, 1), (3, 0)],
    [],
)


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    """TFDS asks a server of Google for the sizes of data sets that are not prepared."""
    monkeypatch.setattr(tfds.core.DatasetInfo, "initialize_from_bucket", lambda info: None)


def said(name, answers):
    """The answers to one image as an example of the data set has them; none in the other split."""
    if name == "cifar10_h":
        who, what = ([pair[i] for pair in answers] for i in (0, 1))
        times = {
            "trial_indices": who,
            "reaction_times": [0.5] * len(who),
            "soft_label": np.zeros(10, np.float32),
        }
        return {"annotator_ids": who, "human_labels": what, **times}
    if name == "cifar100_n":
        who, what = answers[0] if answers else (-1, -1)
        return {"worker_id": who, "noise_label": what, "worker_time": 1.0, "coarse_label": 0}
    example = {"worse_label": -1, "aggre_label": -1}
    for i, (who, what) in enumerate(answers or [(-1, -1)] * 3, start=1):
        example |= {f"worker{i}_id": who, f"random_label{i}": what, f"worker{i}_time": 2.0}
    return example


def write(folder, name, answers=ANSWERS):
    """Writes the data set with TFDS's own features: as many labeled images as there are rows of answers, and 6 more."""
    labeled = "test" if name == "cifar10_h" else "train"

    class Written(tfds.builder_cls(name), skip_registration=True):
        MANUAL_DOWNLOAD_INSTRUCTIONS = None

        def _split_generators(self, dl_manager):
            self.info.features["label"].names = [f"class{i}" for i in range(NUM_CLASSES[name])]
            other = "train" if labeled == "test" else "test"
            return {labeled: self._generate_examples(answers), other: self._generate_examples([[]] * 6)}

        def _generate_examples(self, rows):
            images, labels = pictures(len(rows), (32, 32, 3))
            for i, row in enumerate(rows):
                yield i, {"id": str(i), "image": images[i], "label": labels[i], **said(name, row)}

    Written.name = name
    Written(data_dir=folder).download_and_prepare()
    return folder


@pytest.mark.parametrize("name", NUM_CLASSES)
def test_images_labels_and_answers_are_those_of_the_files(tmp_path, name):
    data = human_images(name, data_dir=write(tmp_path, name), download=False)
    images, labels = pictures(5, (32, 32, 3))
    # TFDS shuffled them: each is found by its pixels.
    found = [
        int(np.flatnonzero((images == row).all(axis=(1, 2, 3)))[0]) for row in np.rint(255 * data.x_train)
    ]
    assert sorted(found) == [0, 1, 2, 3, 4]
    assert_array_equal(data.y_train, labels[found])
    assert (data.x_train.dtype, data.x_test.shape) == (np.float32, (6, 32, 32, 3))
    assert (len(data.class_names), data.class_names[1]) == (NUM_CLASSES[name], "class1")
    assert tuple(data.annotations.classes) == data.class_names
    for row, i in zip(data.annotations.dense(), found, strict=True):
        expected = dict(ANSWERS[i][:1] if name == "cifar100_n" else ANSWERS[i])
        assert {
            int(who): int(code)
            for who, code in zip(data.annotations.annotators, row, strict=True)
            if code >= 0
        } == expected


def test_the_first_of_the_labeled_images(tmp_path):
    folder = write(tmp_path, "cifar10_h")
    whole = human_images("cifar10_h", data_dir=folder)
    assert (len(whole.x_train), len(whole.annotations)) == (5, 12)
    part = human_images("cifar10_h", data_dir=folder, train_limit=2)
    assert_array_equal(part.x_train, whole.x_train[:2])
    assert len(part.x_test) == 6
    with pytest.raises(ValueError, match="`train_limit` must be an integer from 1 to 5"):
        human_images("cifar10_h", data_dir=folder, train_limit=6)


def test_who_answered_twice(tmp_path):
    folder = write(tmp_path, "cifar10_n", [[(3, 0), (3, 1), (4, 0)]])
    with pytest.raises(ValueError, match="at most once"):
        human_images("cifar10_n", data_dir=folder)
    data = human_images("cifar10_n", data_dir=folder, duplicates="first")
    assert data.annotations.dense().tolist() == [[0, 0]]


def test_wrong_arguments(tmp_path):
    with pytest.raises(
        ValueError, match=r"`name` must be one of 'cifar10_n', 'cifar100_n', 'cifar10_h'\. Received"
    ):
        human_images("cifar10")
    with pytest.raises(FileNotFoundError, match="download=False"):
        human_images("cifar10_n", data_dir=tmp_path, download=False)
