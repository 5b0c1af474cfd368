"""Sets of labels to write: as cells of a table, and as what was learned about the items."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from .._arguments import shown
from ..annotations import Annotations, SetCoder, by_ids, rows_by_id, ticks_columns
from ._tables import OBJECTS, TEXT_FORMATS, plain


def set_columns(
    annotations: Annotations,
    answer: str,
    format_: str,
    label_sep: str | None,
    ticks: Sequence[str] | Mapping[str, Hashable] | None,
) -> dict[str, Any]:
    """Columns to write, with one row per answer: a set in each field, or a column for each label."""
    if ticks is None:
        return {answer: set_cells(annotations.answers, annotations.classes, format_, label_sep)}
    names = ticks_columns(ticks)
    labels = [] if annotations.classes is None else annotations.classes.tolist()
    if isinstance(ticks, Mapping):
        missing = [label for label in labels if label not in names.values()]
        places = {name: labels.index(label) for name, label in names.items() if label in labels}
        if missing or len(places) < len(names):
            raise ValueError(
                f"`ticks` must name a column for each of the labels {shown(labels)}. Received: {ticks!r}"
            )
    elif len(names) != len(labels):
        raise ValueError(
            f"`ticks` must name {len(labels)} columns, one for each label. Received: {len(names)}"
        )
    else:
        places = {name: i for i, name in enumerate(names)}
    return {name: annotations.answers[:, i] for name, i in places.items()}


def set_cells(rows: np.ndarray, classes: Any, format_: str, label_sep: str | None = None) -> list[Any]:
    """Sets of labels as fields of a table.

    Args:
        rows: `(sets, labels)`: 1 in the set, 0 not, -1 not shown; -1 alone for no answer.
        classes: Ids of the labels.
        format_: String. That of the table.
        label_sep: String. What to write between labels. Defaults to `None`: lists, in text formats as JSON; where some
            labels were not shown, objects that say true or false of the others.

    Returns:
        One field for each row, `None` for no answer.
    """
    labels = plain("classes", classes)
    answered = np.any(rows >= 0, axis=1)
    if label_sep is not None:
        return _separated(rows, labels, label_sep)
    if np.any(rows[answered] < 0):
        names = [str(label) for label in labels]
        cells: list[Any] = [
            {names[i]: bool(row[i]) for i in np.flatnonzero(row >= 0)} if any_ else None
            for row, any_ in zip(rows, answered, strict=True)
        ]
    else:
        cells = [
            [labels[i] for i in np.flatnonzero(row > 0).tolist()] if any_ else None
            for row, any_ in zip(rows, answered, strict=True)
        ]
    kept = OBJECTS.get(format_, frozenset())
    return [
        cell if cell is None or type(cell) in kept else json.dumps(cell, ensure_ascii=False)
        for cell in cells
    ]


def list_cells(values: Sequence[Any], format_: str, label_sep: str | None) -> list[Any]:
    """Lists of labels as fields of a table."""
    if label_sep is not None:
        return [_text(labels, label_sep) for labels in values]
    as_text = format_ in TEXT_FORMATS
    return [json.dumps(labels, ensure_ascii=False) if as_text else labels for labels in values]


def _separated(rows: np.ndarray, labels: Sequence[Any], label_sep: str) -> list[str]:
    if np.any(rows < 0):
        raise ValueError(
            "`label_sep` is for answers that say something of every label: write columns, `ticks=`, or JSON, "
            f"`label_sep=None`. Received: {int(np.sum(np.any(rows < 0, axis=1)))} answers with labels not shown"
        )
    return [_text([labels[i] for i in np.flatnonzero(row > 0).tolist()], label_sep) for row in rows]


def _text(labels: Sequence[Any], label_sep: str) -> str:
    texts = [str(label) for label in labels]
    wrong = next((text for text in texts if label_sep in text or text != text.strip() or not text), None)
    if wrong is not None:
        raise ValueError(
            "`label_sep` must stand between labels only, which are no blanks and have none at their ends. "
            f"Received: label_sep={label_sep!r} and the label {wrong!r}"
        )
    return label_sep.join(texts)


def estimated_sets(
    annotations: Annotations, estimates: Any, threshold: Any
) -> tuple[list[list[Any] | None], list[float | None], np.ndarray | None]:
    """The labels of each item, `None` for no estimate; how sure they are; and the probabilities, if there are any."""
    names = _as_names(annotations, estimates)
    table = _of_names(annotations, names) if names is not None else _table(annotations, estimates)
    known = np.any(table >= 0, axis=1)
    is_set = _above(table, threshold, annotations)
    labels = [] if annotations.classes is None else annotations.classes.tolist()
    values = [
        [labels[i] for i in np.flatnonzero(row)] if any_ else None
        for row, any_ in zip(is_set, known, strict=True)
    ]
    if table.dtype.kind != "f":
        return values, [None] * len(values), None
    sure = np.where(table < 0, np.inf, np.where(is_set, table, 1 - table)).min(axis=1)
    confidences = [float(p) if any_ else None for p, any_ in zip(sure, known, strict=True)]
    return values, confidences, np.where(table < 0, np.nan, table)


def _above(table: np.ndarray, threshold: Any, annotations: Annotations) -> np.ndarray:
    limits = np.asarray(0.5 if threshold is None else threshold)
    if (
        limits.dtype.kind not in "if"
        or limits.shape not in ((), (annotations.num_classes,))
        or not np.all((limits >= 0) & (limits < 1))
    ):
        raise ValueError(
            f"`threshold` must be a number from 0 to below 1, or {annotations.num_classes} of them, one per label. "
            f"Received: threshold={threshold!r}"
        )
    return (table > limits) & (table >= 0)


def _as_names(annotations: Annotations, estimates: Any) -> Any:
    """The estimates if they are collections of labels, in the order of the items."""
    if hasattr(estimates, "columns") or getattr(estimates, "ndim", 1) == 2:
        return None
    found = list(rows_by_id("estimates", estimates, annotations))
    try:
        is_table = np.asarray(found).dtype.kind in "biuf" and np.ndim(found) == 2 and np.size(found) > 0
    except ValueError:  # rows of different lengths
        is_table = False
    return None if is_table else found


def _of_names(annotations: Annotations, names: list[Any]) -> np.ndarray:
    if len(names) != annotations.num_items:
        raise ValueError(
            f"`estimates` must have {annotations.num_items} rows, one for each item. Received: {len(names)}"
        )
    classes: Any = annotations.classes
    coder = SetCoder("estimates", classes=classes, empty="missing", whole=True)
    for row, labels in enumerate(names):
        problem = coder.problem(labels)
        if problem:
            raise ValueError(f"`estimates` must hold {problem}. Received: {shown(labels)} at row {row}")
        coder.add(labels)
    table = np.append(coder.table()[1], np.full((1, annotations.num_classes), -1, np.int8), axis=0)
    return table[coder.codes()]  # -1 takes the last


def _table(annotations: Annotations, estimates: Any) -> np.ndarray:
    """`(items, labels)`: 1 and 0, or probabilities, and -1 for what is not known."""
    table = np.asarray(by_ids("estimates", estimates, annotations))
    table = table.astype(np.int8) if table.dtype.kind == "b" else table
    expected = (annotations.num_items, annotations.num_classes)
    if table.dtype.kind == "f":
        table = np.where(np.isnan(table), -1.0, table.astype(float))
        wrong = (table != -1) & ~((table >= 0) & (table <= 1))
    else:
        wrong = ~np.isin(table, (-1, 0, 1))
    if table.shape != expected or table.dtype.kind not in "iuf" or np.any(wrong):
        raise ValueError(
            f"`estimates` must be sets of labels: probabilities, booleans, or 1, 0 and -1 {expected}; or a list of "
            f"labels for each item. Received: shape {table.shape}, dtype {table.dtype}"
            + (f", with {table[wrong][0]}" if table.shape == expected and np.any(wrong) else "")
        )
    return table
