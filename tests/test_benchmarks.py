"""Benchmarks run in small."""

import importlib
import pathlib
import sys

import numpy as np
import pytest
from tfds_files import pictures, write

BENCHMARKS = pathlib.Path(__file__).parents[1] / "benchmarks"
METHODS = ["majority vote", "Dawid-Skene labels", "CM", "GeoCrowdNet(F)", "GeoCrowdNet(W)", "gold"]


@pytest.fixture
def images(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    yield importlib.import_module("images")
    del sys.modules["images"]


def table(text):
    """Test accuracies by method, read from the markdown."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "+-" in line]
    return {method: float(accuracy.split(" +- ")[0]) for method, accuracy, *_ in rows}


def test_images_on_digits(images, capsys):
    found = images.main(["--data", "digits", "--seeds", "1", "--epochs", "5", "--limit", "300"])
    text = capsys.readouterr().out
    assert list(found) == ["digits"]
    assert list(table(text)) == METHODS
    assert "300 items x 30 annotators" in text
    assert table(text)["gold"] == pytest.approx(found["digits"]["gold"].mean(), abs=0.06)
    assert found["digits"]["gold"][0] > 30  # 10 is chance
    assert all(values.shape == (1,) and 0 <= values[0] <= 100 for values in found["digits"].values())


@pytest.mark.parametrize(
    ("name", "shape", "version"), [("mnist", (28, 28, 1), "3.0.1"), ("cifar10", (32, 32, 3), "3.0.2")]
)
def test_images_reads_tensorflow_datasets(images, name, shape, version, tmp_path, monkeypatch, capsys):
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs tensorflow-datasets")
    monkeypatch.setattr(tfds.core.DatasetInfo, "initialize_from_bucket", lambda info: None)
    image, label = tfds.features.Image(shape=shape), tfds.features.ClassLabel(num_classes=10)
    splits = {"train": pictures(120, shape, num_classes=10), "test": pictures(20, shape, num_classes=10)}
    write(tmp_path, name, image, label, splits, version=version)
    few = ("majority vote", "GeoCrowdNet(F)", "gold")
    monkeypatch.setattr(images, "METHODS", {method: images.METHODS[method] for method in few})
    small = ["--seeds", "1", "--epochs", "1", "--limit", "100", "--data-dir", str(tmp_path)]
    found = images.main(["--data", name, *small])[name]
    text = capsys.readouterr().out
    assert tuple(table(text)) == few
    assert "100 items x 30 annotators" in text
    # 20 test pictures: a multiple of 5 %.
    assert all(np.isclose(values[0] % 5, [0, 5]).any() for values in found.values())
