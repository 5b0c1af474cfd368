"""Soft answers as users have them: tables, frames, dicts of probabilities, JSON."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ._factors import encode
from ._ids import class_ids_of_columns, column, is_missing
from ._numbers import INTEGER

Classes = Sequence[Hashable] | int | None


class Distributions(NamedTuple):
    """Ids of the classes; and a row for each answer, zeros for none."""

    classes: np.ndarray
    rows: np.ndarray


def hold_distributions(answer: Any) -> bool:
    """Whether a column of answers is a table, or has elements that are no ids: rows, or dicts of probabilities."""
    if (
        isinstance(answer, Distributions)
        or hasattr(answer, "columns")
        or len(getattr(answer, "shape", ())) == 2
    ):
        return True
    if hasattr(answer, "dtype"):
        return isinstance(answer.dtype, np.dtype) and answer.dtype.kind == "O" and _has_rows(answer)
    return isinstance(answer, list | tuple) and _has_rows(answer)


def distributions_of(answer: Any, classes: Classes, unknown: str) -> Distributions:
    """A table with a column per class, or elements each a row, a dict of probabilities, a class or missing."""
    if hasattr(answer, "columns"):
        return _of_columns(list(answer.columns), np.asarray(answer.to_numpy(), float), classes)
    if getattr(answer, "ndim", 1) == 2:
        table = np.asarray(answer, float)
        return Distributions(class_ids_of_columns(classes, table.shape[1]), _without_nan(table))
    elements = list(answer)
    widths = {len(element) for element in elements if _is_row(element)}
    if not widths:
        return _of_dicts(elements, classes, unknown)
    if len(widths) > 1:
        raise ValueError(
            "`answer` must have rows of one length, probabilities of the classes (lists of labels are sets of labels: "
            f"`sets=True`). Received: lengths {sorted(widths)}"
        )
    ids = class_ids_of_columns(classes, widths.pop()).tolist()
    dicts = [dict(zip(ids, e, strict=True)) if _is_row(e) else e for e in elements]
    return _of_dicts(dicts, ids, unknown)


def columns_of(df: Any, probabilities: str | Sequence[str], classes: Classes) -> Any:
    """The soft answers in a data frame: some columns, or one of dicts or of JSON."""
    names = [probabilities] if isinstance(probabilities, str) else list(probabilities)
    missing = [name for name in names if name not in df.columns]
    if missing or (len(names) < 2 and not isinstance(probabilities, str)):
        raise ValueError(
            "`probabilities` must name two or more columns of the table, one per class, or one column of JSON objects. "
            f"Received: probabilities={probabilities!r}, columns {list(df.columns)}"
        )
    if not isinstance(probabilities, str):
        return df[names] if classes is None else df[names].to_numpy(float)
    elements = df[probabilities].tolist()
    parsed = [_parsed(element, row) for row, element in enumerate(elements)]
    if all(element is same for element, same in zip(elements, parsed, strict=True)):
        return parsed
    return with_typed_keys(parsed, classes)


def with_typed_keys(elements: Sequence[Any], classes: Classes) -> list[Any]:
    """Classes and keys of dicts that were text, as integers where all are and `classes` has no text."""
    texts = {element for element in elements if isinstance(element, str)}
    texts |= {key for element in elements if isinstance(element, dict) for key in element}
    of_text = not isinstance(classes, int | None) and any(isinstance(id_, str) for id_ in classes)
    if of_text or not all(map(INTEGER, texts)):
        return list(elements)

    def typed(id_: Any) -> Any:
        return int(id_) if isinstance(id_, str) else id_

    return [
        {typed(key): p for key, p in element.items()} if isinstance(element, dict) else typed(element)
        for element in elements
    ]


def _of_columns(given: list[Hashable], table: np.ndarray, classes: Classes) -> Distributions:
    """The columns of a data frame, their names the ids of classes."""
    if isinstance(classes, int):
        classes = range(classes)
    ids, code = encode("answer", column("answer", given), "classes", given if classes is None else classes)
    rows = np.zeros((len(table), len(ids)))
    rows[:, code] = table
    return Distributions(ids, _without_nan(rows))


def _of_dicts(elements: Sequence[Any], classes: Classes, unknown: str) -> Distributions:
    dicts = [_as_dict(element, row) for row, element in enumerate(elements)]
    keys = column("answer", [key for probabilities in dicts for key in probabilities])
    values = np.array([p for probabilities in dicts for p in probabilities.values()], float)
    row = np.repeat(np.arange(len(dicts)), [len(probabilities) for probabilities in dicts])
    if isinstance(classes, int):
        classes = range(classes)
    if unknown == "drop" and classes is not None:
        ids = set(column("classes", classes).tolist())
        known = np.fromiter(map(ids.__contains__, keys.tolist()), bool, len(keys))
        known &= ~np.isin(row, row[~known & (values > 0)])
        keys, values, row = keys[known], values[known], row[known]
    ids_, code = encode("answer", keys, "classes", classes)
    rows = np.zeros((len(dicts), len(ids_)))
    rows[row, code] = values
    return Distributions(ids_, rows)


def _as_dict(element: object, row: int) -> dict[Hashable, float]:
    """Reads what an element says about the classes it names."""
    try:
        if not isinstance(element, Mapping):
            return {} if _is_missing(element) else {element: 1.0}
        found = {key: float(p) for key, p in element.items() if p is not None}
        return {} if all(p != p for p in found.values()) else found
    except (TypeError, ValueError):
        raise ValueError(
            "`answer` must hold classes, or probabilities of classes (or sets of labels, by `sets=True`). "
            f"Received: {element!r} at row {row}"
        ) from None


def _parsed(element: object, row: int) -> Any:
    """A dict that is written as JSON; a class, or a dict, as it is."""
    if not isinstance(element, str) or not element.lstrip().startswith("{"):
        return element
    try:
        return json.loads(element)
    except ValueError as error:
        raise ValueError(
            f"`probabilities` must name a column of JSON objects. Received: {element[:60]!r} at row {row} ({error})"
        ) from None


def _without_nan(table: np.ndarray) -> np.ndarray:
    """Rows that are all `NaN` as zeros; others with `NaN` are left to be refused."""
    return np.where(np.all(np.isnan(table), axis=1, keepdims=True), 0.0, table)


def _has_rows(elements: Iterable[object]) -> bool:
    return any(issubclass(kind, Mapping | list | np.ndarray) for kind in set(map(type, elements)))


def _is_row(element: object) -> bool:
    return isinstance(element, list | np.ndarray) and np.ndim(element) == 1


def _is_missing(element: object) -> bool:
    found = np.empty(1, object)
    found[0] = element
    return bool(is_missing(found)[0])
