"""Sets of labels: each annotator ticks several of some labels, or none."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ._answer_kind import AnswerKind, Places, refuse_places
from ._duplicates import checked_unknown, refuse_majority
from ._factors import encode
from ._ids import MISSING, class_ids_of_columns, column, id_array, is_missing, named_classes, refuse_empty
from ._long_form import Read
from ._readers import from_rows
from ._rules import Duplicates, Unknown


@dataclass(frozen=True)
class LabelSets(AnswerKind):
    """An answer is a set of labels: 1 for a label that was ticked, 0 for one that was not, -1 for one not shown.

    An answer of zeros is one of an annotator who ticked nothing; one of -1 alone is missing.

    Args:
        num_labels: Integer. Number of labels. Defaults to `None`, not known.

    Example:

    >>> kind = keras_crowd.annotations.LabelSets(2)
    >>> kind.is_answered(np.array([[[1, 0], [0, 0], [-1, -1]]])).tolist()
    [[True, True, False]]
    """

    num_labels: int | None = None

    name: ClassVar[str] = "sets of labels"
    losses: ClassVar[tuple[str, ...]] = ("keras_crowd>MaskedCrowdBinaryCrossEntropy",)
    metrics: ClassVar[tuple[str, ...]] = (
        "keras_crowd>CrowdBinaryAccuracy",
        "keras_crowd>CrowdBinaryCrossEntropy",
    )
    aggregations: ClassVar[tuple[str, ...]] = ("dawid_skene_labels", "label_shares")
    has_classes: ClassVar[bool] = True

    @property
    def shape(self) -> Places:
        return (self.num_labels,)

    @property
    def dtype(self) -> str:
        return "int8"

    @property
    def missing(self) -> float:
        return MISSING

    def is_answered(self, table: np.ndarray) -> np.ndarray:
        return np.any(table >= 0, axis=-1)

    def checked(self, name: str, answers: np.ndarray) -> np.ndarray:
        if answers.ndim != 2 or answers.dtype.kind not in "biuf":
            raise ValueError(
                f"`{name}` must hold sets of labels: numbers 1, 0 and -1 with the labels on the last axis. "
                f"Received: dtype {answers.dtype}, shape {answers.shape}"
            )
        self.observed(answers)
        return answers

    def kept(self, answers: np.ndarray) -> np.ndarray:
        return np.where(answers >= 0, answers, MISSING).astype(self.dtype)

    def observed(self, table: np.ndarray) -> np.ndarray:
        wrong = (table > 0) & (table != 1)
        refuse_places(wrong, table, "1 (ticked), 0 (not ticked) or -1 (not shown) for each label")
        return self.is_answered(table)

    def class_ids(self, answers: np.ndarray, classes: Sequence[Hashable] | int | None) -> np.ndarray:
        return class_ids_of_columns(classes, answers.shape[1])

    def recoded(self, answers: np.ndarray, positions: np.ndarray, kind: AnswerKind) -> np.ndarray:
        rows = kind.empty((len(answers),))
        rows[:, positions] = answers
        return rows

    def union(self, others: Sequence[AnswerKind], num_classes: int) -> LabelSets:
        return LabelSets(num_classes)

    def describe(self) -> str:
        return f"sets of {self.num_labels} labels"


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
    """Reads sets of labels, one an answer: who ticked which labels of which item.

    Args:
        item: Item id of each answer.
        annotator: Annotator id of each answer.
        ticked: The labels that were ticked: a list, tuple or set of their ids for each answer, an empty one where
            nothing was ticked, `None` where the annotator did not answer. Or a table `(answers, labels)`: 1 for
            ticked, 0 for not ticked, -1 for a label that was not shown.
        items: All item ids, **in the order of the rows of your features**. Defaults to the ids seen, sorted.
        annotators: All annotator ids, likewise.
        classes: Ids of all labels, in the order of the classifier's outputs; a label that nobody ticked may be among
            them. A number `L` means `0, ..., L - 1`. Defaults to the labels ticked.
        duplicates: What to do when an annotator answered an item more than once: `"error"`, or keep the `"first"` or
            the `"last"` answer.
        unknown: What to do with ticked labels that are not among `classes`: `"error"`, or `"drop"` them.

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
    labels, rows = _rows_of(ticked, named_classes(classes), unknown)
    kind = LabelSets(len(labels))
    refuse_majority(duplicates, kind.describe())
    rules: dict[str, Any] = {"items": items, "annotators": annotators, "duplicates": duplicates}
    read = from_rows(item, annotator, "ticked", rows, kind.is_answered(rows), **rules)
    return read._replace(classes=labels, kind=kind)


def _rows_of(
    ticked: Any, classes: Sequence[Hashable] | None, unknown: Unknown
) -> tuple[np.ndarray, np.ndarray]:
    """The ids of the labels, and a row of 1, 0 and -1 for each answer."""
    if hasattr(ticked, "columns") and classes is None:
        classes = list(ticked.columns)
    if getattr(ticked, "ndim", 1) == 2:
        table = LabelSets().checked("ticked", np.asarray(ticked))
        return class_ids_of_columns(classes, table.shape[1]), table
    sets = [None if _is_none(labels) else _collection(labels) for labels in ticked]
    given = [i for i, labels in enumerate(sets) if labels is not None]
    refuse_empty(np.array(given), "ticked")
    known = None
    if unknown == "drop" and classes is not None:
        known = set(id_array("classes", classes).tolist())
    ticks = [(i, label) for i in given for label in sets[i] or () if known is None or label in known]
    flat = column("ticked", [label for _, label in ticks])
    missing = is_missing(flat)
    if missing.any():
        answer = ticks[int(missing.argmax())][0]
        raise ValueError(f"`ticked` must hold ids of labels. Received: a missing one in {sets[answer]!r}")
    ids, codes = _encoded(flat, classes)
    rows = np.full((len(sets), len(ids)), MISSING, np.int8)
    rows[given] = 0
    rows[[i for i, _ in ticks], codes] = 1
    return ids, rows


def _encoded(flat: np.ndarray, classes: Sequence[Hashable] | None) -> tuple[np.ndarray, np.ndarray]:
    if not len(flat) and classes is None:
        raise ValueError(
            "`classes` must be given where nobody ticked any label. Received: classes=None, empty sets alone"
        )
    if not len(flat):
        return id_array("classes", classes or []), np.zeros(0, np.intp)
    return encode("ticked", flat, "classes", classes)


def _is_none(labels: Any) -> bool:
    return labels is None or (isinstance(labels, float) and labels != labels)


def _collection(labels: Any) -> list[Hashable]:
    if isinstance(labels, np.ndarray) and labels.ndim == 1:
        labels = labels.tolist()
    if not isinstance(labels, list | tuple | set | frozenset):
        raise ValueError(
            "`ticked` must hold a list, tuple or set of labels for each answer, `[]` where nothing was ticked "
            "(`Annotations.from_coo` reads answers of one class each). "
            f"Received: {labels!r}"
        )
    return list(labels)
