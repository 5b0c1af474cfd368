"""Sets of labels: from the rows of a file to `Annotations`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..annotations import (
    MISSING,
    Annotations,
    LabelSets,
    Rules,
    SetCoder,
    is_of_sets,
    join_labels,
    refuse_majority,
    with_judged,
)
from ._columns import Column
from ._row_builder import Rows

Record = tuple[int, list[Any]]


def refuse_sets(rules: Rules, ticks: object = None) -> None:
    """Raises where a reader of soft answers is asked for sets of labels."""
    if is_of_sets(rules) or ticks is not None:
        raise ValueError(
            "`probabilities=` is for soft answers, `ticks=` and `sets=True` for sets of labels: give one of them."
        )


def of_ticks(rules: Rules, labels: Mapping[str, Hashable]) -> Rules:
    """The rules for a table that has a column for each label."""
    classes = rules.get("classes")
    return {**rules, "sets": True, "classes": list(labels.values()) if classes is None else classes}


def with_ticks(records: Iterable[Record], labels: Mapping[str, Hashable]) -> Iterator[Record]:
    """Number and fields of each row, the last so many fields as what they say of each label."""
    size = len(labels)
    for number, fields in records:
        said = dict(zip(labels.values(), fields[-size:], strict=True))
        yield number, [*fields[:-size], said]


def assemble_sets(
    rows: Rows, coder: SetCoder, assemble: Callable[..., Annotations], **rules: Any
) -> Annotations:
    """`Annotations` of rows whose answers are sets of labels, or labels of sets.

    Args:
        rows: Their answers are rows of the table of `coder`.
        coder: Has read them.
        assemble: Makes `Annotations` of answers that are one class each.
        **rules: `items`, `annotators` and `duplicates` of `read_long`; the others are those of `coder`.
    """
    refuse_majority(rules.get("duplicates", "error"), "multi-label")
    wanted = {name: rules[name] for name in ("items", "annotators", "duplicates") if name in rules}
    labels, table = _labels_and_table(rows, coder)
    ids_known = not any(np.any(column.codes == MISSING) for column in (rows.item, rows.annotator))
    if coder.joins and ids_known:  # ids that are missing are refused below
        rows, table = _joined(rows, coder, table, wanted.get("duplicates", "error"))
    # The number of a set stands for it, as if it were a class of its own.
    numbers = np.arange(max(len(table), 1))
    rows = rows._replace(answer=Column(rows.answer.codes, numbers, rows.answer.name), sets=None)
    found = assemble(rows, classes=len(numbers), **wanted)
    try:
        answers = with_judged(table[found.answers], found.item_index, found.items, labels, coder.judged)
    except ValueError as error:
        raise ValueError(f"{rows.source}: {error}") from error
    sets = Annotations(
        found.item_index,
        found.annotator_index,
        answers,
        items=found.items,
        annotators=found.annotators,
        classes=labels,
        kind=LabelSets(len(labels)),
    )
    sets.has_item_ids = found.has_item_ids
    return sets


def _labels_and_table(rows: Rows, coder: SetCoder) -> tuple[np.ndarray, np.ndarray]:
    if not len(coder):  # nobody answered, which `assemble` says
        return np.zeros(0, object), np.zeros((0, 0), np.int8)
    try:
        return coder.table()
    except ValueError as error:
        raise ValueError(f"{rows.source}: {error}") from error


def _joined(rows: Rows, coder: SetCoder, table: np.ndarray, duplicates: str) -> tuple[Rows, np.ndarray]:
    """One row for all rows of an annotator about an item."""
    kept = np.flatnonzero(rows.answer.codes != MISSING)
    places = rows.item.codes[kept], rows.annotator.codes[kept], rows.answer.codes[kept]
    repeated = coder.repeated(*places) if duplicates == "error" else None
    if repeated:
        first, second = (rows.place(int(kept[place])) for place in repeated)
        raise ValueError(
            f"{rows.source}, {second}, {rows.answer.name!r}: expected each label that an annotator ticked of an item "
            f"once, and no blank beside them. Received: another answer in {first}"
        )
    index, sets = join_labels(*places, table)
    of_set, place = kept[index], rows.place
    joined = rows._replace(
        item=rows.item._replace(codes=rows.item.codes[of_set]),
        annotator=rows.annotator._replace(codes=rows.annotator.codes[of_set]),
        answer=rows.answer._replace(codes=np.arange(len(sets), dtype=np.int32)),
        place=lambda row: place(int(of_set[row])),
    )
    return joined, sets
