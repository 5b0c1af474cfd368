"""Images of CIFAR with the labels that people gave them, through TensorFlow Datasets."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..annotations import Annotations, Duplicates
from ._crowd_dataset import CrowdDataset
from ._prepared import prepared, split_of, tensorflow_datasets, unit_range


class _Layout(NamedTuple):
    """Locates the answers of a data set: the split that people labeled, and pairs of annotator and answer."""

    labeled: str
    other: str
    pairs: tuple[tuple[str, str], ...]


_LAYOUTS = {
    "cifar10_n": _Layout("train", "test", tuple((f"worker{i}_id", f"random_label{i}") for i in (1, 2, 3))),
    "cifar100_n": _Layout("train", "test", (("worker_id", "noise_label"),)),
    "cifar10_h": _Layout("test", "train", (("annotator_ids", "human_labels"),)),
}


def human_images(
    name: str,
    *,
    train_limit: int | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    download: bool = True,
    duplicates: Duplicates = "error",
) -> CrowdDataset:
    """Loads images of CIFAR with the labels that people gave them, from TensorFlow Datasets.

    Needs `pip install 'keras_crowd[datasets]'`. TensorFlow reads the files, whatever the backend. For `cifar10_n` and
    `cifar100_n`, some files must be downloaded by hand first; TFDS says which.

    | name | labeled by people, `x_train` | `x_test` |
    |---|---|---|
    | `"cifar10_n"` | 50,000 of CIFAR-10's training images, 3 answers each | its 10,000 test images |
    | `"cifar100_n"` | 50,000 of CIFAR-100's training images, 1 answer each | its 10,000 test images |
    | `"cifar10_h"` | CIFAR-10's 10,000 **test** images, about 50 answers each | its 50,000 training images |

    Args:
        name: One of these names.
        train_limit: Integer. Number of labeled images to take, the first ones. Defaults to all of them.
        data_dir: Folder of the prepared data sets. Defaults to that of TensorFlow Datasets.
        download: Boolean. Whether to download and prepare a data set that is not in `data_dir`. Defaults to `True`.
        duplicates: What to do if an annotator answered an image twice, as for `Annotations.from_coo`. Defaults to
            `"error"`.

    Returns:
        `CrowdDataset` with `x_*` float32 `(images, 32, 32, 3)` from 0 to 1. Annotators have the ids of the data set.

    Raises:
        ImportError: When `tensorflow-datasets` or TensorFlow is not installed.
        FileNotFoundError: When the data set is not in `data_dir` and `download` is `False`.
        ValueError: When `name` is another, `train_limit` is out of range, or answers are repeated.

    Example:

    >>> data = keras_crowd.datasets.human_images("cifar10_n")  # doctest: +SKIP
    >>> data.x_train.shape, len(data.annotations)  # doctest: +SKIP
    ((50000, 32, 32, 3), 150000)

    Reference:
        J. Wei et al., "Learning with noisy labels revisited", ICLR 2022; J. Peterson et al., "Human uncertainty makes
        classification more robust", ICCV 2019.
    """
    if name not in _LAYOUTS:
        raise ValueError(f"`name` must be one of {', '.join(map(repr, _LAYOUTS))}. Received: name={name!r}")
    tfds, layout = tensorflow_datasets("human_images"), _LAYOUTS[name]
    builder = prepared(tfds, name, data_dir, download)
    class_names = tuple(builder.info.features["label"].names)
    labeled = _examples(tfds, builder, split_of(builder, layout.labeled, train_limit), layout.pairs)
    others = _examples(tfds, builder, layout.other, ())
    return CrowdDataset(
        x_train=labeled["image"],
        annotations=_annotations(labeled, layout.pairs, class_names, duplicates),
        y_train=labeled["label"],
        x_test=others["image"],
        y_test=others["label"],
        class_names=class_names,
    )


def _examples(tfds: Any, builder: Any, split: str, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Images, labels, and what each example has of annotators and answers."""
    names = ("image", "label", *(name for pair in pairs for name in pair))
    found: dict[str, Any] = {name: [] for name in names}
    wanted = tfds.decode.PartialDecoding({name: builder.info.features[name] for name in names})
    for example in tfds.as_numpy(builder.as_dataset(split=split, decoders=wanted)):
        for name in names:
            found[name].append(example[name])
    images, labels = np.stack(found["image"]), np.array(found["label"], np.int32)
    return {**found, "image": unit_range(images), "label": labels}


def _annotations(
    examples: dict[str, Any],
    pairs: Iterable[tuple[str, str]],
    class_names: tuple[str, ...],
    duplicates: Duplicates,
) -> Annotations:
    parts = []
    for annotators, answers in pairs:
        said = [np.atleast_1d(answer) for answer in examples[answers]]
        items = np.repeat(np.arange(len(said)), [len(row) for row in said])
        who = np.concatenate([np.atleast_1d(annotator) for annotator in examples[annotators]])
        parts.append((items, who, np.concatenate(said)))
    item, annotator, answer = map(np.concatenate, zip(*parts, strict=True))
    given = answer >= 0
    return Annotations.from_coo(
        item[given],
        annotator[given],
        np.array(class_names)[answer[given]],
        items=range(len(examples["label"])),
        classes=class_names,
        duplicates=duplicates,
    )


def __dir__() -> list[str]:
    return ["human_images"]
