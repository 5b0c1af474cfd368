"""Builders of `Annotations` of sets of labels."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from .._arguments import shown
from ._duplicates import checked_unknown, refuse_majority
from ._factors import factor
from ._ids import MISSING, class_ids_of_columns, column, refuse_empty
from ._label_sets import LabelSets
from ._long_form import Read
from ._readers import check_lengths, from_rows
from ._rules import Duplicates, Unknown
from ._set_coder import SetCoder
from ._set_rows import join_labels, with_judged


def from_sets(
    item: Any,
    annotator: Any,
    ticked: Any,
    *,
    items: Sequence[Hashable] | None = None,
    annotators: Sequence[Hashable] | None = None,
    classes: Sequence[Hashable] | int | None = None,
    duplicates: Duplicates = "error",
    unknown: Unknown = "error",
) -> Read:
    """Reads sets of labels, one per answer: who ticked which labels of which item.

    Args:
        item: Item id of each answer.
        annotator: Annotator id of each answer.
        ticked: The labels that were ticked: a list, tuple or set of their ids for each answer, an empty one where
            nothing was ticked, `None` where the annotator did not answer; or a dict of the labels that were shown,
            `{"cat": True, "dog": False}`. Or a table `(answers, labels)`: 1 for ticked, 0 for not ticked, -1 for a
            label that was not shown.
        items: All item ids, **in the order of the rows of your features**. Defaults to the ids seen, sorted.
        annotators: All annotator ids, likewise. Defaults to `None`.
        classes: Ids of all labels, in the order of the classifier's outputs; a label that nobody ticked may be among
            them. A number `L` means `0, ..., L - 1`. Defaults to the labels ticked.
        duplicates: What to do when an annotator answered an item more than once: `"error"`, or keep the `"first"` or
            the `"last"` answer. Defaults to `"error"`.
        unknown: What to do with ticked labels that are not among `classes`: `"error"`, or `"drop"` them. Defaults to
            `"error"`.

    Raises:
        ValueError: When an answer is no collection of labels (a single label is none), lengths disagree, an id is
            unknown, or an annotator answered an item twice.

    Example:

    >>> answers = keras_crowd.Annotations.from_sets(
    ...     ["a", "a", "b"], ["ann", "bob", "ann"], [["cat", "dog"], [], ["dog"]], classes=["cat", "dog", "owl"])
    >>> answers.dense().tolist()
    [[[1, 1, 0], [0, 0, 0]], [[0, 1, 0], [-1, -1, -1]]]
    """
    checked_unknown(unknown)
    coder = SetCoder("ticked", classes=classes, unknown=unknown, empty="missing", whole=True)
    return from_cells(
        item, annotator, ticked, coder, items=items, annotators=annotators, duplicates=duplicates
    )


def from_cells(item: Any, annotator: Any, cells: Any, coder: SetCoder, **rules: Any) -> Read:
    """`from_coo` of sets of labels.

    Args:
        item, annotator: As for `from_coo`.
        cells: What `coder` reads: a set each, or a label of a set.
        coder: Knows the rules for labels.
        **rules: `items`, `annotators` and `duplicates` of `from_coo`.
    """
    refuse_majority(rules["duplicates"], "multi-label")
    if hasattr(cells, "columns") or getattr(cells, "ndim", 1) == 2:
        return _from_table(item, annotator, cells, coder, **rules)
    codes = _codes_of(cells, coder)
    item, annotator = column("item", item), column("annotator", annotator)
    check_lengths(coder.name, len(item), len(annotator), len(codes))
    kept = np.flatnonzero(codes != MISSING)
    refuse_empty(kept, coder.name)
    labels, rows = coder.table()
    said = rows[codes[kept]]
    if coder.joins:
        places = factor("item", item).codes[kept], factor("annotator", annotator).codes[kept], codes[kept]
        if rules["duplicates"] == "error":
            _refuse_label_twice(coder, places, kept)
        first, said = join_labels(*places, rows)
        kept = kept[first]
    read = from_rows(item[kept], annotator[kept], coder.name, said, np.ones(len(said), bool), **rules)
    answers = with_judged(read.answers, read.item_index, read.items, labels, coder.judged)
    return read._replace(answers=answers, classes=labels, kind=LabelSets(len(labels)))


def _codes_of(cells: Any, coder: SetCoder) -> np.ndarray:
    """The code of each cell."""
    as_list = cells if isinstance(cells, list | tuple) else column(coder.name, cells).tolist()
    for row, cell in enumerate(as_list):
        problem = coder.problem(cell)
        if problem:
            raise ValueError(f"`{coder.name}` must hold {problem}. Received: {shown(cell)} at row {row}")
        coder.add(cell)
    return coder.codes()


def _from_table(item: Any, annotator: Any, table: Any, coder: SetCoder, **rules: Any) -> Read:
    """`from_cells` of a table `(answers, labels)` of 1, 0 and -1."""
    named = hasattr(table, "columns") and coder.classes is None
    classes: Any = list(table.columns) if named else coder.classes
    rows = LabelSets().checked(coder.name, np.asarray(table))
    labels = class_ids_of_columns(classes, rows.shape[1])
    kind = LabelSets(len(labels))
    read = from_rows(item, annotator, coder.name, rows, kind.is_answered(rows), **rules)
    answers = with_judged(kind.kept(read.answers), read.item_index, read.items, labels, coder.judged)
    return read._replace(answers=answers, classes=labels, kind=kind)


def _refuse_label_twice(coder: SetCoder, places: Any, rows: np.ndarray) -> None:
    repeated = coder.repeated(*places)
    if repeated:
        first, second = (int(rows[place]) for place in repeated)
        raise ValueError(
            f"`{coder.name}` must name each label that an annotator ticked of an item once, and no blank beside them. "
            f"Received: rows {first} and {second}"
        )
