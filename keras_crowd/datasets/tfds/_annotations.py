"""Makes `Annotations` of the answers of a prepared data set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from ...annotations import Annotations
from .._published import Item
from ._builders import NUM_ANNOTATORS


def read_annotations(builder: Any, split: str = "train") -> Annotations:
    """Reads the answers in a prepared split. Images are not decoded.

    Item `i` is the `i`-th example as `builder.as_data_source(split)` has them, and as `builder.as_dataset(split)`
    where the split is a single file, as with these data sets. So either goes into `pipelines` with the answers.
    Items of `conll_ner_mturk` are its tokens, sentence after sentence.

    Args:
        builder: A builder of this package, prepared.
        split: String. The split. Only `train` has answers. Defaults to `"train"`.

    Returns:
        `Annotations` with items and annotators numbered from 0, and the classes' names. Annotators are those of the
        whole data set, also where a part of it is read, as by `split="train[:100]"`.

    Raises:
        ValueError: When an annotator answered an item twice, or nobody answered.

    Example:

    >>> builder = tfds.builder("labelme_mturk")  # doctest: +SKIP
    >>> files = tfds.download.DownloadConfig(manual_dir="folder")  # where LabelMe was unpacked
    >>> builder.download_and_prepare(download_config=files)  # doctest: +SKIP
    >>> keras_crowd.datasets.tfds.read_annotations(builder)  # doctest: +SKIP
    Annotations(2,547 answers: 1,000 items x 59 annotators, 8 classes, 2.5 answers per item, 0 items unanswered)
    """
    features = builder.info.features
    num_items, parts = 0, []
    for example in _in_order(builder, split):
        size, item, annotator, answer = _flat(example)
        parts.append((num_items + item, annotator, answer))
        num_items += size
    item, annotator, answer = map(np.concatenate, zip(*parts, strict=True))
    if len(answer) == 0:
        raise ValueError(
            f"`split` must have answers. Received: split={split!r} of {builder.name}, without any"
        )
    names = getattr(_innermost(features["answers"]["answer"]), "names", None)
    return Annotations(
        item,
        annotator,
        answer,
        items=np.arange(num_items),
        annotators=np.arange(builder.info.metadata[NUM_ANNOTATORS]),
        classes=None if names is None else np.array(names),
    )


def _in_order(builder: Any, split: str) -> Iterable[Item]:
    """The examples as they stand in the files, whatever the format of these."""
    decoders = {"image": tfds.decode.SkipDecoding()} if "image" in builder.info.features else None
    if builder.info.file_format == tfds.core.FileFormat.ARRAY_RECORD:
        return builder.as_data_source(split, decoders=decoders)
    forward = tfds.ReadConfig(interleave_cycle_length=1)
    return tfds.as_numpy(builder.as_dataset(split, decoders=decoders, read_config=forward))


def _flat(example: Item) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Returns the number of items of an example; and item, annotator and answer of each answer to them."""
    annotators, said = example["answers"]["annotator"], example["answers"]["answer"]
    size = len(example["tags"]) if "tags" in example else 1
    items = np.tile(np.arange(size), len(annotators))
    who = np.repeat(np.asarray(annotators, np.int32), size)  # a list where there are none
    return size, items, who, np.reshape(getattr(said, "flat_values", said), -1)


def _innermost(feature: Any) -> Any:
    while isinstance(feature, tfds.features.Sequence):
        feature = feature.feature
    return feature
