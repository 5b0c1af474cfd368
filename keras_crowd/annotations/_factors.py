"""Columns as codes of their distinct values: what costs Python time is done once a value, not once an answer."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._ids import MISSING, as_id_array, column, id_array, is_missing, objects


class Factor(NamedTuple):
    """A column: the position of each row's value among the distinct ones, -1 where it is missing."""

    codes: np.ndarray
    values: np.ndarray

    def rows(self, kept: np.ndarray | slice) -> Factor:
        """Some of the rows."""
        return Factor(self.codes[kept], self.values)

    def used(self) -> np.ndarray:
        """Marks the values that occur in a row."""
        used = np.zeros(len(self.values) + 1, bool)  # the last is that of -1
        used[self.codes] = True
        return used[:-1]


def factor(name: str, values: Any) -> Factor:
    """A column of hashables as a `Factor`; categories and dictionaries by their codes, tables by their own means.

    Raises:
        ValueError: When the column is not 1-D, or a value is not hashable.
    """
    try:
        if isinstance(values, Factor):
            return values
        if categorical := _categorical(values):
            return Factor(np.asarray(categorical[0]), column(name, categorical[1]))
        if hasattr(values, "dictionary_encode"):
            return _without_missing(name, *_from_arrow(name, values))
        if hasattr(values, "factorize") and hasattr(values, "to_numpy"):
            codes, distinct = values.factorize()  # which takes all that is missing for -1
            return Factor(np.asarray(codes), column(name, distinct))
        return _from_array(column(name, values))
    except TypeError as error:
        if "unhashable" not in str(error):
            raise
        raise ValueError(
            f"`{name}` must be hashable ids, one for each row. Received: {_first_unhashable(values)}"
        ) from None


def encode(
    name: str, values: Any, vocabulary_name: str, vocabulary: Sequence[Hashable] | None
) -> tuple[np.ndarray, np.ndarray]:
    """The vocabulary of a column (the one given, or the ids seen) and each value's position in it."""
    codes, distinct = found = factor(name, values)
    if np.any(codes == MISSING):
        missing = codes == MISSING
        raise ValueError(
            f"`{name}` must not have missing ids. Received: {int(missing.sum())}, "
            f"the first at position {int(np.argmax(missing))} of the answered rows"
        )
    position = np.full(len(distinct), MISSING, np.int32)
    if vocabulary is None:
        ids, order = _sorted(found)
        position[order] = np.arange(len(order))
    else:
        ids = id_array(vocabulary_name, vocabulary)
        place = {id_: i for i, id_ in enumerate(ids.tolist())}
        position[:] = [place.get(id_, MISSING) for id_ in distinct.tolist()]
        _refuse_unknown(name, found, position, vocabulary_name, ids)
    return ids, position[codes]


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


def _refuse_unknown(
    name: str, found: Factor, position: np.ndarray, vocabulary_name: str, ids: np.ndarray
) -> None:
    unknown = found.used() & (position == MISSING)
    if np.any(unknown):
        rows = np.flatnonzero(unknown[found.codes])
        values = list(dict.fromkeys(found.values[found.codes[rows]].tolist()))
        raise ValueError(
            f"`{name}` must be among `{vocabulary_name}`. Received: "
            f"{len(values)} unknown, {', '.join(map(repr, values[:5]))} (known: "
            f"{', '.join(map(repr, ids.tolist()[:3]))}{', ...' * (len(ids) > 3)})"
        )


def _sorted(found: Factor) -> tuple[np.ndarray, np.ndarray]:
    """The values that stand in a row, sorted, or in the order of their rows if they cannot be; and their positions."""
    used = np.flatnonzero(found.used())
    ids = as_id_array(found.values[used])
    if ids.dtype.kind != "O":
        order = np.argsort(ids, kind="stable")
        ids = ids[order]
        ids.flags.writeable = False
        return ids, used[order]
    values = ids.tolist()
    try:
        order = np.array(sorted(range(len(values)), key=values.__getitem__), np.intp)
    except TypeError:
        order = np.argsort(np.unique(found.codes, return_index=True)[1])
    return ids[order], used[order]


def has_categories(values: object) -> bool:
    """Whether a column is a categorical, whose categories are more than the values seen."""
    return _categorical(values) is not None


def _categorical(values: object) -> tuple[Any, Any] | None:
    """Codes and categories of a categorical (or a series of one) of pandas."""
    values = getattr(values, "cat", values)
    if not hasattr(values, "codes") or not hasattr(values, "categories"):
        return None
    return np.asarray(values.codes), values.categories


def _from_arrow(name: str, values: Any) -> tuple[np.ndarray, Any]:
    """Codes and dictionary of an array of pyarrow."""
    nested = getattr(values.type, "num_fields", 0) and not hasattr(values.type, "index_type")
    if nested:
        return factor(name, values.to_pylist())
    encoded = values.dictionary_encode()
    if hasattr(encoded, "chunks"):
        encoded = encoded.unify_dictionaries().combine_chunks()
        if hasattr(encoded, "chunks"):  # of no rows, or too long for one
            return factor(name, encoded.to_pylist())
    indices = encoded.indices
    codes = (indices.fill_null(MISSING) if indices.null_count else indices).to_numpy()
    return codes, encoded.dictionary.to_pylist()


def _from_array(array: np.ndarray) -> Factor:
    if array.dtype.kind in "OSU":
        as_list = array.tolist()
        place = {id_: i for i, id_ in enumerate(dict.fromkeys(as_list))}
        codes = np.fromiter(map(place.__getitem__, as_list), np.int64, len(as_list))
        return _without_missing("", codes, as_id_array(objects([*place])))
    if array.dtype.kind in "iu" and len(array):
        low, high = int(array.min()), int(array.max())
        if high - low < 4 * len(array) and high <= np.iinfo(np.int64).max:  # counted, not sorted
            shifted = array.astype(np.int64) - low
            used = np.flatnonzero(np.bincount(shifted))
            place_of = np.full(high - low + 1, MISSING)
            place_of[used] = np.arange(len(used))
            return Factor(place_of[shifted], (used + low).astype(array.dtype))
    values, codes = np.unique(array, return_inverse=True)
    return _without_missing("", codes, values)


def _without_missing(name: str, given: npt.ArrayLike, values: Any) -> Factor:
    """Missing values (`None`, `NaN`) as -1."""
    codes, values = np.asarray(given), column(name, values)
    missing = is_missing(values)
    if np.any(missing):
        position = np.append(np.where(missing, MISSING, np.cumsum(~missing) - 1), MISSING)
        codes, values = position[codes], values[~missing]
    return Factor(codes, values)


def _first_unhashable(values: Any) -> str:
    for value in values.to_pylist() if hasattr(values, "to_pylist") else values:
        try:
            hash(value)
        except TypeError:
            shown = repr(value)
            return f"{type(value).__name__} {shown if len(shown) <= 80 else shown[:77] + '...'}"
    return type(values).__name__
