"""Reads whatever `fit` takes, as features and answers in memory."""

import sys
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops as kops

from .._typing import Features
from ..annotations import Annotations, Answers, rows_by_id
from ..pipelines import with_annotators


def as_given(model_on_slots: bool, x: Features, answers: Answers | None) -> Iterator[tuple[Any, Any]]:
    """Features and answers: one pair, or one for each batch of a data set.

    Args:
        model_on_slots: Boolean. Whether `Annotations` are meant in slots.
        x: Features, or a data set of `(x, answers)` or `(x, answers, sample_weight)`.
        answers: Answers as for `fit`, or `Annotations`; `None` with a data set.
    """
    if is_data_set(x):
        if answers is not None:
            raise ValueError(
                f"`answers` must be left out where `x` is a data set, which holds them. Received: {type(x).__name__} "
                f"and {type(answers).__name__}"
            )
        yield from _batches(x)
    elif isinstance(answers, Annotations):
        yield _from_annotations(model_on_slots, x, answers)
    else:
        yield x, answers


def is_data_set(x: Features) -> bool:
    """Whether `x` gives batches, and is no array nor a structure of arrays."""
    if isinstance(x, keras.utils.PyDataset):
        return True
    is_array = hasattr(x, "shape") or hasattr(x, "iloc")
    return hasattr(x, "__iter__") and not is_array and not isinstance(x, list | tuple | dict | str | bytes)


def one_epoch(data: Features) -> Iterator[Any]:
    """The batches of one epoch of a data set.

    Raises:
        ValueError: When it has no end, or is used up by reading.
    """
    if isinstance(data, keras.utils.PyDataset):
        endless, batches = data.num_batches is None, (data[i] for i in range(data.num_batches or 0))
    else:
        cardinality, endless = getattr(data, "cardinality", None), False
        if callable(cardinality):
            endless = int(cardinality()) == -1
        elif hasattr(data, "__len__"):
            endless = len(data) >= sys.maxsize
        batches = iter(data)
    if endless or batches is data:
        raise ValueError(
            "A data set must end, and begin anew: give it as it is before `repeat`, and no iterator. "
            f"Received: {type(data).__name__}, "
            + ("which has no end" if endless else "which is used up by reading")
        )
    return iter(batches)


def _from_annotations(
    model_on_slots: bool, x: Features, annotations: Annotations
) -> tuple[Any, np.ndarray]:
    x = keras.tree.map_structure(lambda part: rows_by_id("x", part, annotations), x)
    if not model_on_slots:
        return x, annotations.dense()
    annotators, answers = annotations.slots()
    return with_annotators(x, annotators), answers


def _batches(data: Any) -> Iterator[tuple[Any, Any]]:
    for batch in one_epoch(data):
        if not isinstance(batch, list | tuple) or len(batch) not in (2, 3):
            raise ValueError(
                "Batches of a data set must be (x, answers) or (x, answers, sample_weight), as `fit` takes them. "
                f"Received: {type(batch).__name__}"
                + (f" of {len(batch)}" if isinstance(batch, list | tuple) else "")
            )
        yield tuple(keras.tree.map_structure(kops.convert_to_numpy, tuple(batch[:2])))
