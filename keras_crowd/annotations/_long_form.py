"""`LongForm`: the answers, one per row, and what they say of themselves."""

from __future__ import annotations

import copy
from typing import NamedTuple, Self

import numpy as np

from ._answer_kind import AnswerKind
from ._forms import to_dense, to_slots
from ._ids import frozen
from ._kinds import kind_of
from ._order import rows_in_order
from ._soft import one_hot


class Read(NamedTuple):
    """Arguments of `LongForm` that a reader has found, with rows in any order."""

    item_index: np.ndarray
    annotator_index: np.ndarray
    answers: np.ndarray
    items: np.ndarray
    annotators: np.ndarray
    classes: np.ndarray | None
    kind: AnswerKind | None = None
    has_item_ids: bool = True


class LongForm:
    """Answers, sorted by item and annotator, and their ids. `Annotations` adds how they are read. Abstract."""

    items: np.ndarray
    annotators: np.ndarray
    classes: np.ndarray | None
    kind: AnswerKind
    item_index: np.ndarray
    annotator_index: np.ndarray
    answers: np.ndarray
    has_item_ids: bool = True

    def __init__(
        self,
        item_index: np.ndarray,
        annotator_index: np.ndarray,
        answers: np.ndarray,
        *,
        items: np.ndarray,
        annotators: np.ndarray,
        classes: np.ndarray | None,
        kind: AnswerKind | None = None,
    ) -> None:
        """Takes indices and ids as described under Attributes; the `from_...` methods make them."""
        item_index, annotator_index, answers = rows_in_order(
            item_index, annotator_index, answers, items, annotators
        )
        self.kind = kind_of(answers, classes) if kind is None else kind
        self.items, self.annotators = frozen(items), frozen(annotators)
        self.classes = None if classes is None else frozen(classes)
        self.item_index = frozen(item_index.astype(np.int32, copy=False))
        self.annotator_index = frozen(annotator_index.astype(np.int32, copy=False))
        self.answers = frozen(self.kind.kept(answers))

    @property
    def num_items(self) -> int:
        """Number of items, those nobody answered among them."""
        return len(self.items)

    @property
    def num_annotators(self) -> int:
        """Number of annotators."""
        return len(self.annotators)

    @property
    def num_classes(self) -> int:
        """Number of classes.

        Raises:
            ValueError: When the answers are numbers.
        """
        if self.classes is None:
            raise ValueError(
                "Class answers are needed here. Received: numeric answers (floats). "
                "Pass `classes=` when the floats are class ids."
            )
        return len(self.classes)

    @property
    def is_soft(self) -> bool:
        """Whether answers are distributions over the classes."""
        return bool(getattr(self.kind, "soft", False))

    def soft(self) -> Self:
        """The same with soft answers: hard ones as distributions of one class."""
        if self.is_soft:
            return self
        if self.answers.ndim > 1:
            raise ValueError(f"Answers of one class each are needed here. Received: {self!r}")
        return self._with(one_hot(self.answers, self.num_classes))

    def hard(self) -> Self:
        """The same with hard answers: of soft ones the likeliest class, the first of those alike."""
        return self._with(self.answers.argmax(axis=1).astype(np.int32)) if self.is_soft else self

    def __len__(self) -> int:
        return len(self.answers)

    def __repr__(self) -> str:
        unanswered = int(np.sum(self.answers_per_item() == 0))
        return (
            f"Annotations({len(self):,} answers: {self.num_items:,} items x {self.num_annotators:,} "
            f"annotators, {self.kind.describe()}, {len(self) / max(self.num_items, 1):.1f} answers per item, "
            f"{unanswered:,} items unanswered)"
        )

    def answers_per_item(self) -> np.ndarray:
        """Counts the answers of each item, `(num_items,)`."""
        return np.bincount(self.item_index, minlength=self.num_items)

    def answers_per_annotator(self) -> np.ndarray:
        """Counts the answers of each annotator, `(num_annotators,)`."""
        return np.bincount(self.annotator_index, minlength=self.num_annotators)

    def dense(self) -> np.ndarray:
        """The answers as `(num_items, num_annotators)`: int32 with `-1`, or float32 with `NaN`.

        Soft answers are float32 `(num_items, num_annotators, num_classes)`, zeros where there is none.
        """
        return to_dense(
            self.item_index,
            self.annotator_index,
            self.answers,
            (self.num_items, self.num_annotators),
            self.kind,
        )

    def slots(self, num_slots: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The answers without the holes: each item's answers side by side, padded at the end.

        Args:
            num_slots: Integer. Width of the result. Defaults to the highest number of answers to one item.

        Returns:
            Annotator ids as positions in `annotators`, int32 `(num_items, num_slots)` padded with `-1`,
            and the answers `(num_items, num_slots)`: int32 padded with `-1`, or float32 with `NaN`; soft ones
            float32 `(num_items, num_slots, num_classes)`, padded with zeros.

        Raises:
            ValueError: When an item has more than `num_slots` answers.
        """
        needed = max(int(self.answers_per_item().max(initial=0)), 1)
        if num_slots is None:
            num_slots = needed
        elif num_slots < needed:
            raise ValueError(
                "`num_slots` must be at least the highest number of answers to one item, "
                f"{needed}. Received: num_slots={num_slots}"
            )
        shape = (self.num_items, num_slots)
        return to_slots(self.item_index, self.annotator_index, self.answers, shape, self.kind)

    def ids(self) -> np.ndarray:
        """The ids of the answers that are codes of classes; numbers, and those of several numbers, as they are."""
        return self.kind.ids(self.answers, self.classes)

    def _with(self, answers: np.ndarray) -> Self:
        """Other answers in the place of these, hard or soft ones."""
        other = copy.copy(self)
        other.kind, other.answers = self.kind.like(answers, 1), frozen(answers)
        return other
