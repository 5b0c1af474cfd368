"""Image data sets of TensorFlow Datasets, with answers of simulated annotators."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from .._arguments import class_codes
from ..annotations import Annotations
from ._crowd_dataset import CrowdDataset
from ._prepared import prepared, split_of, tensorflow_datasets, unit_range


def crowd_images(
    name: str,
    annotate: Callable[[np.ndarray, np.ndarray], Annotations],
    *,
    train_limit: int | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    download: bool = True,
) -> CrowdDataset:
    """Loads an image data set of TensorFlow Datasets and has its training images labeled by simulated annotators.

    Needs `pip install 'keras_crowd[datasets]'`. TensorFlow reads the files, whatever the backend: under
    another one on a GPU, first call `tf.config.set_visible_devices([], "GPU")` so that it leaves the memory alone.

    Args:
        name: `"mnist"`, `"fashion_mnist"`, `"cifar10"` or any other that pairs images of one size with one
            label and has the splits `train` and `test`. Other splits are not read.
        annotate: Callable. Called as `annotate(x_train, y_train)` with images and labels as below; returns
            `Annotations`, one row per image. `machine_annotators` errs where images are hard; `simulate_answers` errs
            by given confusions.
        train_limit: Integer. Number of training images to take, the first ones; data sets are shuffled when they are
            prepared. Defaults to all of them.
        data_dir: Folder of the prepared data sets. Defaults to that of TensorFlow Datasets,
            `TFDS_DATA_DIR` or `~/tensorflow_datasets`.
        download: Boolean. Whether to download and prepare a data set that is not in `data_dir`. Defaults to `True`.

    Returns:
        `CrowdDataset` with `x_*` float32 `(images, height, width, channels)` from 0 to 1.

    Raises:
        ImportError: When `tensorflow-datasets` or TensorFlow is not installed.
        FileNotFoundError: When the data set is not in `data_dir` and `download` is `False`.
        ValueError: When there is no such data set, it is not one of labeled images of one size, it lacks a
            split, or `train_limit` is out of range.

    Example:

    >>> def annotate(x, labels):
    ...     confusion = keras_crowd.datasets.hammer_spammer(30, num_classes=10, seed=0)
    ...     return keras_crowd.datasets.simulate_answers(labels, confusion, answers_per_item=2, seed=0)
    >>> data = keras_crowd.datasets.crowd_images("cifar10", annotate)  # doctest: +SKIP
    >>> data.x_train.shape, data.annotations.dense().shape  # doctest: +SKIP
    ((50000, 32, 32, 3), (50000, 30))
    """
    if not callable(annotate):
        raise ValueError(f"`annotate` must be a function of images and labels. Received: {annotate!r}")
    tfds = tensorflow_datasets("crowd_images")
    builder = prepared(tfds, name, data_dir, download)
    class_names = _class_names(tfds, builder.info)
    x_train, y_train = _read(tfds, builder, split_of(builder, "train", train_limit), len(class_names))
    x_test, y_test = _read(tfds, builder, "test", len(class_names))
    return CrowdDataset(x_train, annotate(x_train, y_train), y_train, x_test, y_test, class_names)


def _class_names(tfds: Any, info: Any) -> tuple[str, ...]:
    """Names of the classes of a data set that pairs images of one size with labels."""
    match info.supervised_keys:
        case (str(image_key), str(label_key)):
            image, label = info.features[image_key], info.features[label_key]
            if _is_image_of_one_size(tfds, image) and isinstance(label, tfds.features.ClassLabel):
                return tuple(label.names)
    raise ValueError(
        "`name` must be a data set that pairs images of one size with a class label (`supervised_keys`). "
        f"Received: {info.name!r} with supervised_keys={info.supervised_keys} of {info.features}"
    )


def _is_image_of_one_size(tfds: Any, feature: Any) -> bool:
    is_image = isinstance(feature, tfds.features.Image) and None not in feature.shape
    return is_image and np.dtype(feature.np_dtype).kind == "u"  # 8 or 16 bits: those have a white


def _read(tfds: Any, builder: Any, split: str, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Images float32 from 0 to 1, and labels int32."""
    x, y = tfds.as_numpy(builder.as_dataset(split=split, batch_size=-1, as_supervised=True))
    return unit_range(x), class_codes("labels", y, num_classes).astype(np.int32)


def __dir__() -> list[str]:
    return ["crowd_images"]
