"""The index of a data frame or series against the ids that it should name."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np

from ._ids import column


def has_index(values: object) -> bool:
    """Whether rows of `values` have labels, as those of pandas: lists have a method of that name."""
    return hasattr(values, "to_numpy") and hasattr(getattr(values, "index", None), "tolist")


def positions(
    name: str, axis: str, labels: Iterable[Any], vocabulary_name: str, vocabulary: np.ndarray | None
) -> np.ndarray | None:
    """Finds each id of the vocabulary among the labels; `None` if they are in its order, or say nothing."""
    given = column(f"{name}.{axis}", labels)
    plain = is_plain_range(given)
    if vocabulary is None:
        if plain:
            return None
        raise ValueError(
            f"`{name}` has an {axis}, but the answers came without ids of items, so that rows cannot be matched: give "
            "`Annotations` the ids as `items=`, or an array (`.to_numpy()`) in the order of the answers. "
            f"Received: the {axis} {_few(given.tolist())}"
        )
    if given.dtype == vocabulary.dtype and np.array_equal(given, vocabulary):
        return None
    if plain:
        _refuse_two_meanings(name, axis, vocabulary_name, vocabulary)
        return None
    return _permutation(name, axis, given.tolist(), vocabulary_name, vocabulary.tolist())


def is_plain_range(labels: Iterable[Hashable]) -> bool:
    """Whether an index is `0, ..., n - 1`, which names nothing."""
    labels = column("index", labels)
    return labels.dtype.kind in "iu" and np.array_equal(labels, np.arange(len(labels)))


def _refuse_two_meanings(name: str, axis: str, vocabulary_name: str, vocabulary: np.ndarray) -> None:
    """Raises where a plain range are the ids in another order: it may mean them, or positions."""
    if vocabulary.dtype.kind in "iu" and np.array_equal(np.sort(vocabulary), np.arange(len(vocabulary))):
        raise ValueError(
            f"The {axis} of `{name}` is a plain range, as are `{vocabulary_name}` in another order: say "
            f"which row is whose by `.loc[{vocabulary_name}]` (ids) or `.to_numpy()` (positions). "
            f"Received: ids {_few(vocabulary.tolist())}"
        )


def _permutation(
    name: str, axis: str, given: list[Any], vocabulary_name: str, wanted: list[Any]
) -> np.ndarray | None:
    position = {id_: i for i, id_ in enumerate(given)}
    known = set(wanted)
    for problem, ids in (
        ("without", [id_ for id_ in wanted if id_ not in position]),
        ("with the unknown", [id_ for id_ in position if id_ not in known]),
        ("with more than one of", [id_ for i, id_ in enumerate(given) if position[id_] != i]),
    ):
        if ids:
            raise ValueError(
                f"The {axis} of `{name}` must be `{vocabulary_name}`, in any order "
                "(or give an array, `.to_numpy()`, in their order). "
                f"Received: {problem} {_few(ids)}"
            )
    return np.array([position[id_] for id_ in wanted], np.intp)


def _few(ids: list[Any]) -> str:
    return f"{', '.join(map(repr, ids[:5]))}{', ...' * (len(ids) > 5)}"


def refuse_sparse(name: str, values: Any) -> None:
    """Raises for a sparse matrix, which has no rows that batches could be made of."""
    if hasattr(values, "toarray") and hasattr(values, "nnz"):
        raise ValueError(
            f"`{name}` must be a dense array (`.toarray()`), or, in pipelines, a function of positions that gives one "
            f"(`lambda rows: {name}[rows].toarray()`). Received: {type(values).__name__} of shape {values.shape}"
        )
