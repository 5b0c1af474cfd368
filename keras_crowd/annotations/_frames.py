"""What pandas brings with ids: its rows and columns in the order of the annotations."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np

from ._container import Annotations
from ._ids import MISSING, encode, is_missing


def by_ids(name: str, values: Any, annotations: Annotations) -> Any:
    """`values`, one row an item, in the order of the annotations if they know their ids; anything else as it is.

    Args:
        name: What to call them, for messages.
        values: A data frame of class probabilities: its index are ids of items, its columns ids of classes. A series
            of labels: its index are ids of items, its values ids of classes (`None` or NaN for none), or numbers.
            Anything else is in the order of the annotations.
        annotations: Whose items and classes they are.

    Returns:
        Of a frame, an array `(items, classes)`. Of a series, class codes `(items,)` with `-1` for none, or floats
        with NaN.
    """
    if not hasattr(values, "index") or not hasattr(values, "to_numpy"):
        return values
    rows = _positions(name, "index", values.index, "items", annotations.items)
    if hasattr(values, "columns"):
        annotations.num_classes  # noqa: B018  which ratings do not have
        columns = _positions(name, "columns", values.columns, "classes", annotations.classes)
        return values.to_numpy()[np.ix_(rows, columns)]
    labels = values.to_numpy()[rows]
    return labels if annotations.classes is None else _codes(name, labels, annotations.classes)


def _positions(
    name: str, axis: str, labels: Iterable[Hashable], vocabulary_name: str, vocabulary: Any
) -> np.ndarray:
    """Where each id of the vocabulary stands among the labels, which must be the same ids."""
    given, wanted = list(labels), vocabulary.tolist()
    position = {id_: i for i, id_ in enumerate(given)}
    known = set(wanted)
    for problem, ids in (
        ("without", [id_ for id_ in wanted if id_ not in position]),
        ("with the unknown", [id_ for id_ in position if id_ not in known]),
        ("with more than one of", [id_ for i, id_ in enumerate(given) if position[id_] != i]),
    ):
        if ids:
            raise ValueError(
                f"The {axis} of `{name}` must be `annotations.{vocabulary_name}`, in any order "
                "(or give an array, in their order). "
                f"Received: {problem} {', '.join(map(repr, ids[:5]))}{', ...' * (len(ids) > 5)}"
            )
    return np.array([position[id_] for id_ in wanted], np.intp)


def _codes(name: str, labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    codes = np.full(len(labels), MISSING)
    known = ~is_missing(labels)
    codes[known] = encode(name, labels[known], "annotations.classes", classes.tolist())[1]
    return codes
