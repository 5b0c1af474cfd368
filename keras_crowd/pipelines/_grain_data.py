"""The same batches as a data set of Grain."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._arguments import whole_number
from .._typing import Features
from ..annotations import Answers
from ._answer_rows import Form
from ._batch_rows import BatchRows


def grain_data(
    x: Features,
    annotations: Answers,
    batch_size: int = 32,
    *,
    form: Form = "slots",
    num_slots: int | None = None,
    shuffle: bool = True,
    seed: int = 0,
    sample_weight: npt.ArrayLike | None = None,
) -> Any:
    """Makes a `grain.MapDataset` of the batches of `CrowdBatches`. Needs `pip install 'keras_crowd[grain]'`.

    Batches are made when they are asked for, in any order, so Grain can prefetch them in threads (`to_iter_dataset()`)
    or other processes (`mp_prefetch`), shard them, and go on where it was interrupted. Every pass has the same order,
    but passes of a repeated data set differ, so for `fit` use `fit(batches.repeat(), steps_per_epoch=len(batches),
    shuffle=False)`.

    Args:
        x: Features as for `CrowdBatches`. A data source of TFDS goes in as a function of positions.
        annotations, batch_size, form, num_slots, shuffle, seed, sample_weight: As for `CrowdBatches`.

    Returns:
        A `grain.MapDataset`, which `fit` takes.

    Raises:
        ImportError: When Grain is not installed.
        ValueError: When features and answers disagree, or an argument is out of range.

    Example:

    >>> x = np.arange(6).reshape(3, 2)
    >>> batches = keras_crowd.pipelines.grain_data(
    ...     x, [[0, 1], [-1, -1], [-1, 1]], 2, shuffle=False)  # doctest: +SKIP
    >>> (features, annotators), answers = batches[0]  # doctest: +SKIP
    >>> features.tolist(), annotators.tolist(), answers.tolist()  # doctest: +SKIP
    ([[0, 1], [4, 5]], [[0, 1], [1, -1]], [[0, 1], [1, -1]])
    """
    try:
        import grain
    except ImportError as error:
        raise ImportError("`grain_data` needs Grain: pip install 'keras_crowd[grain]'") from error
    whole_number("batch_size", batch_size)
    rows = BatchRows(x, annotations, form, num_slots, sample_weight)
    items = grain.MapDataset.source(rows.used()).seed(seed)
    if shuffle:
        items = items.shuffle()
    return items.batch(batch_size, batch_fn=np.array).map(rows.__getitem__)
