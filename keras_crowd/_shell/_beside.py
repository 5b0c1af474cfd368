"""Columns beside the answers, in their tables or in another one: times, and what to show of the items."""

from __future__ import annotations

import argparse
import inspect
import os
import pathlib
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from ..annotations import Annotations
from ._errors import UsageError
from ._formats import reader_and_arguments

_SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".parquet")


def add_beside(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `read_times` and `read_shown`."""
    parser.add_argument(
        "--times", metavar="NAME", help="column with the time of each answer: seconds, or dates in ISO 8601"
    )
    parser.add_argument(
        "--show", metavar="NAME", help="column with a text of each item, or with the path of an image file"
    )
    parser.add_argument(
        "--show-from",
        metavar="FILE",
        help="table of the items that has the column of --show; default: the tables of answers",
    )


def read_times(arguments: argparse.Namespace, annotations: Annotations) -> np.ndarray | None:
    """Seconds of each answer, NaN where unknown; `None` where no column was named."""
    if arguments.times is None:
        return None
    ids, who = _names(arguments, "item"), _names(arguments, "annotator")
    known: dict[Hashable, float] = {}
    for path in arguments.answers:
        table = _table(path, [*ids, *who, arguments.times], arguments)
        seconds = _seconds(path, arguments.times, table[arguments.times])
        known |= dict(zip(zip(_keys(table, ids), _keys(table, who), strict=True), seconds, strict=True))
    pairs = zip(
        map(_key, annotations.items[annotations.item_index].tolist()),
        map(_key, annotations.annotators[annotations.annotator_index].tolist()),
        strict=True,
    )
    return np.array([known.get(pair, np.nan) for pair in pairs])


def read_shown(arguments: argparse.Namespace) -> Callable[[Hashable], str] | None:
    """A function from the id of an item to its text, or to the path of its image; `None` where no column was named."""
    if arguments.show is None:
        if arguments.show_from is not None:
            raise UsageError("--show-from needs --show, the name of the column.")
        return None
    paths = arguments.answers if arguments.show_from is None else [arguments.show_from]
    ids, known = _names(arguments, "item"), dict[Hashable, str]()
    for path in paths:
        table = _table(path, [*ids, arguments.show], arguments)
        shown = (_found(text, os.path.dirname(path)) for text in table[arguments.show].fillna(""))
        known |= dict(zip(_keys(table, ids), shown, strict=True))
    return lambda id_: known.get(_key(id_), "")


def _names(arguments: argparse.Namespace, what: str) -> list[str]:
    """Columns of the ids, as the reader of the format calls them."""
    said = getattr(arguments, what)
    if said is not None:
        return [said] if isinstance(said, str) else said
    reader, _ = reader_and_arguments(arguments)
    default = getattr(inspect.signature(reader).parameters.get(what), "default", None)
    return [default] if isinstance(default, str) else [what]


def _table(path: str, names: list[str], arguments: argparse.Namespace) -> Any:
    """These columns of a table, as text."""
    import pandas as pd

    given: dict[str, Any] = {"encoding": arguments.encoding or "utf-8", "dtype": str}
    suffix = pathlib.Path(path.removesuffix(".gz")).suffix.lower()
    if suffix not in _SUFFIXES:
        raise UsageError(
            f"--times and --show are for tables: {', '.join(_SUFFIXES)}; --show-from names one. Received: {path}"
        )
    if suffix == ".parquet":
        table = pd.read_parquet(path).astype("string")
    elif suffix in (".jsonl", ".ndjson"):
        table = pd.read_json(path, lines=True, convert_dates=False, **given)
    else:
        sep = arguments.sep or ("," if suffix == ".csv" else "\t")
        table = pd.read_csv(
            path, sep=sep, keep_default_na=False, na_values=[""], names=arguments.names, **given
        )
    missing = [name for name in names if name not in table]
    if missing:
        columns = ", ".join(map(repr, table.columns[:20]))
        raise ValueError(f"{path}: expected a column {missing[0]!r}. Received: the columns {columns}")
    return table[names]


def _seconds(path: str, name: str, column: Any) -> list[float]:
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    if (numbers.isna() == column.isna()).all():
        return numbers.astype(float).tolist()
    dates = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
    wrong = column[dates.isna() & column.notna()]
    if len(wrong):
        raise ValueError(
            f"{path}: expected seconds, or dates in ISO 8601, in column {name!r}. Received: {wrong.iloc[0]!r}"
        )
    return ((dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)).tolist()


def _keys(table: Any, names: list[str]) -> list[Hashable]:
    if len(names) == 1:
        return table[names[0]].astype(str).tolist()
    return list(zip(*(table[name].astype(str) for name in names), strict=True))


def _key(id_: Hashable) -> Hashable:
    """Files tell ids as text: 7 is "7"."""
    return tuple(map(str, id_)) if isinstance(id_, tuple) else str(id_)


def _found(text: str, folder: str) -> str:
    """Paths of files are those from here, or from the folder of the table."""
    beside = os.path.join(folder, text)
    return beside if text and not os.path.isfile(text) and os.path.isfile(beside) else text
