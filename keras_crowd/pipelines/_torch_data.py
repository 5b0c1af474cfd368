"""The same batches from a data loader of PyTorch."""

from __future__ import annotations

from typing import Any

import keras
import numpy.typing as npt

from .._arguments import whole_number
from .._typing import Features, Tensors
from ..annotations import Answers
from ._answer_rows import Form
from ._batch_rows import BatchRows


def torch_data(
    x: Features,
    annotations: Answers,
    batch_size: int = 32,
    *,
    form: Form = "slots",
    num_slots: int | None = None,
    shuffle: bool = True,
    seed: int = 0,
    sample_weight: npt.ArrayLike | None = None,
    **kwargs: Any,
) -> Any:
    """Makes a `torch.utils.data.DataLoader` of the batches of `CrowdBatches`. Needs PyTorch, whatever the backend.

    Args:
        x: Features as for `CrowdBatches`.
        annotations, batch_size, form, num_slots, shuffle, seed, sample_weight: As for `CrowdBatches`.
        **kwargs: `num_workers=`, `pin_memory=` and the like of `DataLoader`.

    Returns:
        A `DataLoader`, which `fit` takes; its batches are tuples of tensors.

    Raises:
        ImportError: When PyTorch is not installed.
        ValueError: When features and answers disagree, or an argument is out of range.

    Example:

    >>> x = np.arange(6).reshape(3, 2)
    >>> batches = keras_crowd.pipelines.torch_data(
    ...     x, [[0, 1], [-1, -1], [-1, 1]], 2, shuffle=False)  # doctest: +SKIP
    >>> (features, annotators), answers = next(iter(batches))  # doctest: +SKIP
    >>> features.tolist(), annotators.tolist(), answers.tolist()  # doctest: +SKIP
    ([[0, 1], [4, 5]], [[0, 1], [1, -1]], [[0, 1], [1, -1]])
    """
    try:
        import torch
    except ImportError as error:
        raise ImportError("`torch_data` needs PyTorch: pip install 'keras_crowd[torch]'") from error
    data: Any = torch.utils.data
    whole_number("batch_size", batch_size)
    rows = BatchRows(x, annotations, form, num_slots, sample_weight)
    order: Any = rows.used().tolist()
    if shuffle:
        order = data.SubsetRandomSampler(order, torch.Generator().manual_seed(seed))
    batches = data.BatchSampler(order, batch_size, drop_last=False)
    # The default makes lists of tuples, which `fit` does not take under TensorFlow.
    return data.DataLoader(rows, sampler=batches, batch_size=None, collate_fn=_tensors, **kwargs)


def _tensors(batch: Tensors) -> Any:
    import torch

    return keras.tree.map_structure(torch.as_tensor, batch)
