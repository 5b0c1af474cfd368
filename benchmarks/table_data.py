"""The data sets of `benchmarks/table.py`. A new one is one line in `DATA`, or an `.npz` file given in its place.

Such a file has `x_train`, `answers` (integers `(items, annotators)`, -1 for missing), `x_test`, `y_test`, and `y_train`
where the true classes of the training items are known: without it there is no row "gold".
"""

import functools
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import images
import numpy as np
from em import SENSITIVITY, SPECIFICITY
from zoo_tasks import CHOOSING, REPORTED, Task

import keras_crowd as kc


class Data(NamedTuple):
    """A task for each seed, and what the defaults of the package owe to it."""

    make: Callable[[int], Task]
    half: str = "not used"


def of_images(name, seed):
    """Images with the annotators of `images.py`."""
    load, annotate = images.DATA[name]
    data = load(annotate, seed, None, None)
    return Task(data.x_train, data.y_train, data.x_test, data.y_test, data.annotations)


def five_of_aaai_18(x, labels, seed):
    """The five annotators of AAAI-18's Dogs vs. Cats, who label every image."""
    rows = [SPECIFICITY, 1 - SPECIFICITY], [1 - SENSITIVITY, SENSITIVITY]
    confusion = np.stack([np.stack(row, axis=-1) for row in rows], axis=1)
    return kc.datasets.simulate_answers(labels, confusion, answers_per_item=len(confusion), seed=seed)


def dogs_and_cats(seed, size=64, test=0.2):
    """Images of `cats_vs_dogs` (TensorFlow Datasets), scaled to squares; a part of them is set apart to test on."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    images.hide_gpu_from_tensorflow()
    stored = tfds.load("cats_vs_dogs", split="train", as_supervised=True)
    pairs = [(tf.image.resize(x, (size, size)).numpy() / 255, int(y)) for x, y in stored]
    x, y = np.stack([x for x, _ in pairs]), np.array([y for _, y in pairs], "int32")
    order = np.random.default_rng(0).permutation(len(y))
    held, rest = order[: int(test * len(y))], order[int(test * len(y)) :]
    annotations = five_of_aaai_18(x[rest], y[rest], seed)
    return Task(x[rest], y[rest], x[held], y[held], annotations)


def of_file(path, seed=0):
    """Features, answers and gold labels of the user's own."""
    with np.load(path) as stored:
        arrays = dict(stored)
    if missing := {"x_train", "answers", "x_test", "y_test"} - set(arrays):
        raise ValueError(
            f"{path} must hold `x_train`, `answers`, `x_test`, `y_test`. Missing: {sorted(missing)}"
        )
    answers, y_test = arrays["answers"], arrays["y_test"]
    y_train = arrays.get("y_train", np.full(len(answers), -1))
    num_classes = 1 + max(int(part.max()) for part in (answers, y_test, y_train))
    annotations = kc.Annotations.from_dense(answers, classes=range(num_classes))
    x_train, x_test = (arrays[name].astype("float32") for name in ("x_train", "x_test"))
    return Task(x_train, y_train, x_test, y_test, annotations)


DEFAULT = {
    **{name: Data(make, "choosing") for name, make in CHOOSING.items()},
    **{name: Data(make, "reported") for name, make in REPORTED.items()},
    "digits, machines": Data(functools.partial(of_images, "digits")),
}
DATA = {
    **DEFAULT,
    "mnist": Data(functools.partial(of_images, "mnist")),
    "cifar10": Data(functools.partial(of_images, "cifar10")),
    "dogs vs. cats": Data(dogs_and_cats),
}


def data_of(name):
    """The data set of a name, or of an `.npz` file."""
    if name.endswith(".npz"):
        return Data(functools.partial(of_file, name))
    return DATA[name]


def name_of(name):
    """What a data set is called in the table."""
    return pathlib.Path(name).stem if name.endswith(".npz") else name
