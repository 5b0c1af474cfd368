"""Data sets of TensorFlow Datasets, found or prepared, and their images."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

import numpy as np

from .._arguments import whole_number

_SPLITS = ("train", "test")


def tensorflow_datasets(caller: str) -> Any:
    """The package, or an error that says how to get it."""
    # It does not depend on TensorFlow, but reads its files with it.
    missing = [module for module in ("tensorflow_datasets", "tensorflow") if find_spec(module) is None]
    if missing:
        raise ImportError(f"`{caller}` needs {' and '.join(missing)}: pip install 'keras_crowd[datasets]'")
    import tensorflow_datasets

    return tensorflow_datasets


def prepared(tfds: Any, name: str, data_dir: str | os.PathLike[str] | None, download: bool) -> Any:
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


def split_of(builder: Any, name: str, limit: int | None) -> str:
    """Returns TFDS's name for the first `limit` examples of a split, or for all of them."""
    if limit is None:
        return name
    available = builder.info.splits[name].num_examples
    return f"{name}[:{whole_number('train_limit', limit, 1, available)}]"


def unit_range(images: np.ndarray) -> np.ndarray:
    """Images of whole numbers as float32 from 0 to 1."""
    return np.divide(images, np.iinfo(images.dtype).max, dtype=np.float32)
