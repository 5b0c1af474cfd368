"""Ids that stand in several columns: tuples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._factors import factor
from ._ids import MISSING, objects


def joined_codes(parts: Sequence[tuple[np.ndarray, int]]) -> tuple[np.ndarray, np.ndarray]:
    """The codes of tuples whose parts have codes of their own.

    Args:
        parts: Of each part its codes, one per row, -1 where it is missing, and how many there are.

    Returns:
        The code of each row's tuple, in the order in which tuples come first, -1 where a part is missing; and the
        first row of each tuple.
    """
    codes = parts[0][0].astype(np.int64)
    for other, size in parts[1:]:
        lacking = (codes == MISSING) | (other == MISSING)
        # Numbered anew at each column: products of many columns' sizes would not fit.
        numbered = np.unique(codes * (size + 1) + other, return_inverse=True)[1]
        codes = np.where(lacking, MISSING, numbered)
    whole = np.flatnonzero(codes != MISSING)
    _, first, index = np.unique(codes[whole], return_index=True, return_inverse=True)
    joined = np.full(len(codes), MISSING, np.int32)
    joined[whole] = np.argsort(np.argsort(first))[index]
    return joined, whole[np.sort(first)]


def id_column(table: Any, names: str | Sequence[str]) -> Any:
    """A column of a table; of a list of names the tuples of these columns, `None` where a part is missing.

    Raises:
        ValueError: When columns differ in length.
    """
    if not isinstance(names, list):
        return table[names]
    parts = [factor("item", table[name]) for name in names]
    codes, first = joined_codes([(part.codes, len(part.values)) for part in parts])
    rows = zip(*(part.values[part.codes[first]].tolist() for part in parts), strict=True)
    return objects([*rows, None])[codes]
