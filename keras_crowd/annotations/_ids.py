"""From ids of any hashable kind to positions and back, without a Python loop over the answers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import repeat
from typing import Any

import numpy as np

MISSING = -1
"""The code of "did not answer" in integer answers, and of an empty slot."""


def column(name: str, values: Any) -> np.ndarray:
    """`values` as a 1-D array in which every hashable stays as it is (tuples too)."""
    if isinstance(values, str | bytes):
        raise ValueError(f"`{name}` must be a sequence. Received: the text {values!r}")
    if hasattr(values, "to_numpy"):
        values = _from_series(values)
    elif hasattr(values, "__array__"):  # tensors: their elements are neither equal nor hashable
        values = np.asarray(values)
    array = values if isinstance(values, np.ndarray) else _from_list(list(values))
    if array.ndim != 1:
        raise ValueError(f"`{name}` must be 1-D. Received: shape {array.shape}")
    return array


def id_array(name: str, ids: Iterable[Hashable], length: int | None = None) -> np.ndarray:
    """Distinct ids as an array; `length` says how many there must be."""
    array = column(name, ids)
    distinct = len(dict.fromkeys(array.tolist()))
    if distinct != len(array):
        raise ValueError(
            f"`{name}` must be distinct. Received: {len(array)} ids, {distinct} of them distinct"
        )
    if length is not None and len(array) != length:
        raise ValueError(f"`{name}` must have {length} ids. Received: {len(array)}")
    return array


def class_ids(codes: np.ndarray, classes: Sequence[Hashable] | int | None) -> np.ndarray:
    """The ids of the classes that `codes` (some answers, none missing) stand for."""
    if classes is None:
        classes = max(int(codes.max()), 0) + 1
    ids = np.arange(classes) if isinstance(classes, int | np.integer) else id_array("classes", classes)
    wrong = (codes < 0) | (codes >= len(ids)) | (codes != np.floor(codes))
    if np.any(wrong):
        raise ValueError(
            f"Answers must be class codes 0 to {len(ids) - 1}, or -1 for missing. "
            f"Received: {codes[wrong][0]}, and {int(wrong.sum()) - 1} more that are not"
        )
    return ids


def is_missing(values: np.ndarray) -> np.ndarray:
    """Where a column holds `None`, `NaN`, `NaT` or pandas' `NA`."""
    if values.dtype.kind in "iubSU":
        return np.zeros(len(values), bool)
    if values.dtype.kind != "O":
        return values != values
    as_list = values.tolist()
    missing = {id_ for id_ in dict.fromkeys(as_list) if _is_missing_id(id_)}
    return np.fromiter(map(missing.__contains__, as_list), bool, len(as_list))


def encode(
    name: str, values: np.ndarray, vocabulary_name: str, vocabulary: Sequence[Hashable] | None
) -> tuple[np.ndarray, np.ndarray]:
    """The vocabulary of a column (the one given, or the ids seen) and each value's position in it."""
    missing = is_missing(values)
    if np.any(missing):
        raise ValueError(
            f"`{name}` must not have missing ids. Received: {int(missing.sum())}, "
            f"the first at position {int(np.argmax(missing))} of the answered rows"
        )
    if vocabulary is None and values.dtype.kind != "O":
        return np.unique(values, return_inverse=True)
    as_list = values.tolist()
    ids = _sorted_ids(as_list) if vocabulary is None else id_array(vocabulary_name, vocabulary)
    position = {id_: i for i, id_ in enumerate(ids.tolist())}
    index = np.fromiter(map(position.get, as_list, repeat(MISSING)), np.int64, len(as_list))
    if np.any(index == MISSING):
        unknown = list(dict.fromkeys(as_list[i] for i in np.flatnonzero(index == MISSING)))
        raise ValueError(
            f"`{name}` must be among `{vocabulary_name}`. Received: "
            f"{len(unknown)} unknown, {', '.join(map(repr, unknown[:5]))} (known: "
            f"{', '.join(map(repr, ids.tolist()[:3]))}{', ...' * (len(ids) > 3)})"
        )
    return ids, index


def selection(
    name: str, ids: np.ndarray, wanted: Sequence[Hashable] | None
) -> tuple[np.ndarray, np.ndarray]:
    """The wanted ids (or those a boolean mask keeps), and each old position's new one or -1."""
    if wanted is None:
        return ids, np.arange(len(ids))
    chosen = column(name, wanted)
    if chosen.dtype == bool and ids.dtype != bool:
        if len(chosen) != len(ids):
            raise ValueError(f"The mask `{name}` must have length {len(ids)}. Received: {len(chosen)}")
        chosen = ids[chosen]
    chosen = id_array(name, chosen)
    _, old_positions = encode(name, chosen, f"annotations.{name}", ids.tolist())
    new_positions = np.full(len(ids), MISSING)
    new_positions[old_positions] = np.arange(len(chosen))
    return chosen, new_positions


def refuse_empty(answers: np.ndarray, argument: str) -> None:
    """Raises unless somebody answered something."""
    if len(answers) == 0:
        raise ValueError(f"`{argument}` must hold at least one answer. Received: none, or all missing")


def refuse_infinite(answers: np.ndarray) -> None:
    """Raises unless every numeric answer is finite in float32."""
    wrong = ~(np.abs(answers) <= np.finfo(np.float32).max)
    if np.any(wrong):
        raise ValueError(
            f"Numeric answers must be finite float32 numbers. Received: {answers[wrong][0]}, "
            f"and {int(wrong.sum()) - 1} more that are not"
        )


def refuse_duplicates(key: np.ndarray, items: np.ndarray, annotators: np.ndarray) -> None:
    """Raises where an (item, annotator) stands twice; `key`, sorted, is `item * annotators + annotator`."""
    repeated = np.flatnonzero(key[1:] == key[:-1])
    if len(repeated):
        item, annotator = divmod(int(key[repeated[0]]), len(annotators))
        raise ValueError(
            "An annotator must answer an item at most once (`duplicates=` of `from_coo`, `from_dataframe`, "
            "`from_csv` and `concat` says which answer counts). "
            f"Received: {len(repeated)} repeated answers, the first by annotator "
            f"{annotators.tolist()[annotator]!r} to item {items.tolist()[item]!r}"
        )


def answer_column(values: np.ndarray) -> np.ndarray:
    """Answers, none missing; objects that are all numbers, floats among them, become floats."""
    kinds = set(map(type, values.tolist())) if values.dtype.kind == "O" else set()
    floats = any(issubclass(kind, float | np.floating) for kind in kinds)
    if floats and all(issubclass(kind, int | float | np.number) for kind in kinds):
        return values.astype(float)
    return values


def frozen(array: np.ndarray) -> np.ndarray:
    """`array` read-only, and not shared with whoever can still write to it."""
    if array.flags.writeable or array.base is not None:
        array = array.copy()
        array.flags.writeable = False
    return array


def _from_series(series: Any) -> np.ndarray:
    array = series.to_numpy()
    if array.dtype.kind == "f" and getattr(series.dtype, "kind", "f") in "iub":
        # pandas makes floats of nullable integers with a hole; floats would be read as ratings.
        array = series.to_numpy(object)
    return array


def _from_list(values: list[Any]) -> np.ndarray:
    kinds = set(map(type, values))
    if len(kinds) == 1 and issubclass(kinds.pop(), int | float | str | np.number | np.bool_):
        array = np.asarray(values)
        if not _loses(array, values):
            return array
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _loses(array: np.ndarray, values: list[Any]) -> bool:
    """NumPy rounds integers that no 64 bits hold, and cuts NUL off the end of a string."""
    if array.dtype.kind == "U":
        return array.tolist() != values
    return array.dtype.kind == "f" and isinstance(values[0], int)


def _sorted_ids(values: list[Any]) -> np.ndarray:
    distinct = list(dict.fromkeys(values))
    try:
        return _from_list(sorted(distinct))
    except TypeError:
        return _from_list(distinct)


def _is_missing_id(id_: Any) -> bool:
    return id_ is None or type(id_).__name__ == "NAType" or bool(id_ != id_)
