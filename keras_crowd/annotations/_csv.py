"""CSV files by way of pandas."""

from __future__ import annotations

import gzip
import os
import warnings
import zlib
from collections.abc import Mapping
from typing import Any

from ._numbers import float_beside_words


def read_frame(pandas: Any, path: str | os.PathLike[str], options: Mapping[str, Any]) -> Any:
    """The data frame of a file; only blanks and NaN are missing, unless the options say otherwise.

    Raises:
        ValueError: When the file is no table, or rows are longer than its header.
    """
    # Longer rows would have their first fields as an index, and all others in a wrong column.
    strict = {"keep_default_na": False, "na_values": ["", "NaN", "nan"], "index_col": False}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Length of header", pandas.errors.ParserWarning)
            return pandas.read_csv(path, **{**strict, **options})
    except (ValueError, EOFError, zlib.error, gzip.BadGzipFile, pandas.errors.ParserWarning) as error:
        raise ValueError(f"{path}: expected a table that pandas can read. Received: {error}") from error


def refuse_words(path: str | os.PathLike[str], answer: str, values: list[Any]) -> None:
    """Whether ratings would be read as classes because some of them are no numbers."""
    found = float_beside_words(values) if all(isinstance(value, str) for value in values) else None
    if found:
        raise ValueError(
            f"{path}, {answer!r}: expected numbers, as {found[0]!r} is (or `classes=`, or `na_values=` for what is "
            f"no answer). Received: {values[found[1].index(True)][:80]!r}"
        )
