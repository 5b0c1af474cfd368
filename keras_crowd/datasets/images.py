"""Image data sets of TensorFlow Datasets, with answers of imaginary annotators."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from .._arguments import whole_number
from ..annotations import Annotations
from ._arguments import class_labels
from ._crowd_dataset import CrowdDataset

_SPLITS = ("train", "test")


def crowd_images(
    name: str,
    annotate: Callable[[np.ndarray, np.ndarray], Annotations],
    *,
    train_limit: int | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    download: bool = True,
) -> CrowdDataset:
    """An image data set of TensorFlow Datasets, its training images labeled by imaginary annotators.

    Needs `pip install 'keras_crowd[datasets]'`. TensorFlow reads the files, whatever the backend: under
    another one on a GPU, first call `tf.config.set_visible_devices([], "GPU")` so that it leaves the memory alone.

    Args:
        name: `"mnist"`, `"fashion_mnist"`, `"cifar10"` or any other that pairs images of one size with one
            label and has the splits `train` and `test`. Other splits are not read.
        annotate: Called as `annotate(x_train, y_train)`, with images and labels as below; gives
            `Annotations`, one row an image. `machine_annotators` errs where images are hard,
            `simulate_answers` as the given confusions do.
        train_limit: Takes the first so many training images; data sets are shuffled when they are prepared.
            Defaults to all of them.
        data_dir: Folder of the prepared data sets. Defaults to that of TensorFlow Datasets,
            `TFDS_DATA_DIR` or `~/tensorflow_datasets`.
        download: Whether to download and prepare a data set that is not in `data_dir`.

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
    tfds = _tensorflow_datasets()
    builder = _prepared(tfds, name, data_dir, download)
    class_names = _class_names(tfds, builder.info)
    limit = ""
    if train_limit is not None:
        available = builder.info.splits["train"].num_examples
        limit = f"[:{whole_number('train_limit', train_limit, 1, available)}]"
    x_train, y_train = _read(tfds, builder, f"train{limit}", len(class_names))
    x_test, y_test = _read(tfds, builder, "test", len(class_names))
    return CrowdDataset(x_train, annotate(x_train, y_train), y_train, x_test, y_test, class_names)


def _tensorflow_datasets() -> Any:
    # It does not depend on TensorFlow, but reads its files with it.
    missing = [module for module in ("tensorflow_datasets", "tensorflow") if find_spec(module) is None]
    if missing:
        raise ImportError(
            f"`crowd_images` needs {' and '.join(missing)}: pip install 'keras_crowd[datasets]'"
        )
    import tensorflow_datasets

    return tensorflow_datasets


def _prepared(tfds: Any, name: str, data_dir: Any, download: bool) -> Any:
    """The builder of a data set that is on disk and has the splits."""
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError:  # its message lists all there are
        raise ValueError(
            "`name` must be a data set of TensorFlow Datasets or one prepared in `data_dir`. "
            f"Received: name={name!r}, data_dir={data_dir!r}"
        ) from None
    if download:
        builder.download_and_prepare()
    elif not builder.is_prepared():
        raise FileNotFoundError(
            f"`data_dir` must have the prepared data set {name!r}, or `download` be True. "
            f"Received: download=False, and nothing at {builder.data_path}"
        )
    if not set(_SPLITS) <= set(builder.info.splits):
        raise ValueError(
            f"`name` must be a data set with the splits {' and '.join(_SPLITS)}. "
            f"Received: {name!r} with {', '.join(builder.info.splits)}"
        )
    return builder


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
    x = np.divide(x, np.iinfo(x.dtype).max, dtype=np.float32)
    return x, class_labels(y, num_classes).astype(np.int32)
