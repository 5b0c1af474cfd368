"""The same batches made by tf.data, its own operations on the answers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from .._arguments import whole_number
from .._typing import Features
from ..annotations import Answers, as_answers
from ._answer_rows import AnswerRows, Form
from ._features import FeatureRows, checked_weights, with_annotators

_BUFFER = 10_000  # items


def tf_data(
    x: Features,
    annotations: Answers,
    batch_size: int = 32,
    *,
    form: Form = "slots",
    num_slots: int | None = None,
    shuffle: bool | int = True,
    seed: int = 0,
    sample_weight: npt.ArrayLike | None = None,
) -> Any:
    """Makes a `tf.data.Dataset` of the batches of `CrowdBatches`. Needs TensorFlow, whatever the backend.

    Under another backend on a GPU, first call `tf.config.set_visible_devices([], "GPU")` so that TensorFlow leaves the
    memory alone.

    Args:
        x: Features as for `CrowdBatches`; or a `tf.data.Dataset` (one of TFDS, files on disk, ...) whose elements
            are the features of one item each, in the order of `annotations.items`.
        annotations, batch_size, form, seed, sample_weight: As for `CrowdBatches`.
        num_slots: Integer. Width of slots. Defaults to the highest number of answers in each batch; XLA compiles once
            for each width.
        shuffle: Whether items are in another order each epoch. Of a `tf.data.Dataset` only those in a buffer are
            shuffled, 10,000 or as many as `shuffle` says. Defaults to `True`.

    Returns:
        A `tf.data.Dataset` of batches, prefetched.

    Raises:
        ImportError: When TensorFlow is not installed.
        ValueError: When features and answers disagree, or an argument is out of range.

    Example:

    >>> x = np.arange(6).reshape(3, 2)
    >>> batches = keras_crowd.pipelines.tf_data(x, [[0, 1], [-1, -1], [-1, 1]], 2, shuffle=False)
    >>> (features, annotators), answers = next(iter(batches))
    >>> features.numpy().tolist(), annotators.numpy().tolist(), answers.numpy().tolist()
    ([[0, 1], [4, 5]], [[0, 1], [1, -1]], [[0, 1], [1, -1]])
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError("`tf_data` needs TensorFlow: pip install 'keras_crowd[tensorflow]'") from error
    annotations = as_answers(annotations)
    whole_number("batch_size", batch_size)
    answers = AnswerRows(annotations, form, num_slots)
    weights = checked_weights(sample_weight, annotations)
    if isinstance(x, tf.data.Dataset):
        buffer = 0 if shuffle is False else _BUFFER if shuffle is True else whole_number("shuffle", shuffle)
        batches = _read_in_order(tf, x, answers, buffer, seed).batch(batch_size)
    else:
        batches = _read_at_random(tf, x, answers, batch_size, bool(shuffle), seed)
    finish = _finish(tf, answers, weights)
    batches = batches.apply(tf.data.experimental.assert_cardinality(-(-len(answers.used()) // batch_size)))
    return batches.map(finish, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def _read_in_order(tf: Any, x: Features, answers: AnswerRows, buffer: int, seed: int) -> Any:
    """Position and features of each item; a data set of another length is an error."""
    size = answers.annotations.num_items
    known = int(x.cardinality())
    if known >= 0 and known != size:
        raise ValueError(f"`x` must have an element for each of {size} items. Received: {known} elements")
    if known < 0:  # it does not know how many it has: counted as they are read
        x = x.apply(tf.data.experimental.assert_cardinality(size))
    used = np.zeros(size, bool)
    used[answers.used()] = True
    is_used = tf.constant(used)
    pairs = tf.data.Dataset.zip(x, tf.data.Dataset.range(size))
    pairs = pairs.map(lambda features, item: (item, features)).filter(lambda item, _: is_used[item])
    return pairs.shuffle(buffer, seed, reshuffle_each_iteration=True) if buffer else pairs


def _read_at_random(
    tf: Any, x: Features, answers: AnswerRows, batch_size: int, shuffle: bool, seed: int
) -> Any:
    """Positions and features of batches; only positions are shuffled."""
    read, used = FeatureRows(x, answers.annotations), answers.used()
    example = read(used[:1])
    kinds = [part.dtype for part in keras.tree.flatten(example)]
    shapes = [(None, *part.shape[1:]) for part in keras.tree.flatten(example)]

    def features(items: Any) -> Any:
        parts = tf.numpy_function(lambda i: keras.tree.flatten(read(i)), [items], kinds)
        for part, shape in zip(parts, shapes, strict=True):
            part.set_shape(shape)
        return items, keras.tree.pack_sequence_as(example, parts)

    items = tf.data.Dataset.from_tensor_slices(used)
    if shuffle:
        items = items.shuffle(len(used), seed, reshuffle_each_iteration=True)
    return items.batch(batch_size).map(features, num_parallel_calls=tf.data.AUTOTUNE)


def _finish(tf: Any, answers: AnswerRows, weights: np.ndarray | None) -> Any:
    """Makes inputs, answers and weights from positions and features."""
    annotations, form = answers.annotations, answers.form
    offsets, who = tf.constant(answers.offsets), tf.constant(annotations.annotator_index)
    said = tf.constant(annotations.answers)
    missing, of_classes = tf.constant(annotations.kind.missing, said.dtype), tuple(said.shape[1:])
    weight = None if weights is None else tf.constant(weights)

    def finish(items: Any, x: Features) -> Any:
        weighted = () if weight is None else (tf.gather(weight, items),)
        if form == "items":
            return (x, items, *weighted)
        positions = tf.ragged.range(tf.gather(offsets, items), tf.gather(offsets, items + 1))
        given_by = positions.with_flat_values(tf.gather(who, positions.flat_values))
        given = positions.with_flat_values(tf.gather(said, positions.flat_values))
        if form == "dense":
            cells = tf.stack([given.value_rowids(), tf.cast(given_by.flat_values, tf.int64)], axis=1)
            table = tf.fill([tf.shape(items)[0], annotations.num_annotators, *of_classes], missing)
            return (x, tf.tensor_scatter_nd_update(table, cells, given.flat_values), *weighted)
        shape = (None, answers.num_slots)
        table = given.to_tensor(missing, shape=(*shape, *of_classes))
        annotators = given_by.to_tensor(-1, shape=shape)
        return (with_annotators(x, annotators), table, *weighted)

    return finish
