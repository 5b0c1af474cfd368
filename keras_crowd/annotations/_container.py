"""`Annotations`: the answers of many annotators to many items."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from . import _concat, _readers
from ._factors import selection
from ._forms import answer_ids, to_dense, to_slots
from ._ids import frozen, refuse_infinite
from ._order import rows_in_order
from ._soft import is_soft, one_hot


class Annotations:
    """The answers that annotators gave to items, with the ids of all three.

    Inside, one row an answer (the *long* form), sorted by item and then by annotator. From it come the
    two forms that models train on: `dense()`, `(items, annotators)` with holes, and `slots()`, the same
    without the holes.

    Build one with `from_dense`, `from_coo`, `from_dataframe` or `from_csv`, or of several with `concat`; instances do
    not change.

    Row `i` of `dense()` and `slots()` belongs to `annotations.items[i]`. **Pass `items=`, the ids of the
    rows of your features in their order**, when you build from a table: then row `i` is also row `i` of
    `x`, and an item that nobody answered keeps its (empty) row.

    Attributes:
        items: Ids of the items, in the order of the rows. Object or native NumPy array `(num_items,)`.
        annotators: Ids of the annotators, in the order of the columns, `(num_annotators,)`.
        classes: Ids of the classes, in the order of their codes, `(num_classes,)`; `None` when the
            answers are numbers (ratings) and not classes.
        item_index: Item of each answer, as a position in `items`. int32 `(num_answers,)`.
        annotator_index: Annotator of each answer, as a position in `annotators`. int32 `(num_answers,)`.
        answers: Each answer: its position in `classes` (int32), or a number (float32). `(num_answers,)`. Soft answers
            are distributions over the classes, float32 `(num_answers, num_classes)`, hard ones among them that of one
            class.
        has_item_ids: Whether `items` are ids, or only positions because `from_dense` was given none.

    Example:

    >>> annotations = Annotations.from_coo(
    ...     ["img1", "img1", "img2"], ["ann", "bob", "ann"], ["cat", "dog", "cat"])
    >>> annotations
    Annotations(3 answers: 2 items x 2 annotators, 2 classes, 1.5 answers an item, 0 items unanswered)
    >>> annotations.dense()
    array([[ 0,  1],
           [ 0, -1]], dtype=int32)
    """

    items: np.ndarray
    annotators: np.ndarray
    classes: np.ndarray | None
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
    ) -> None:
        """Takes indices and ids as described under Attributes; the `from_...` methods make them."""
        item_index, annotator_index, answers = rows_in_order(
            item_index, annotator_index, answers, items, annotators
        )
        if classes is None:
            refuse_infinite(answers)
        self.items, self.annotators = frozen(items), frozen(annotators)
        self.classes = None if classes is None else frozen(classes)
        self.item_index = frozen(item_index.astype(np.int32, copy=False))
        self.annotator_index = frozen(annotator_index.astype(np.int32, copy=False))
        floats = classes is None or is_soft(answers)
        self.answers = frozen(answers.astype(np.float32 if floats else np.int32, copy=False))

    from_dense = classmethod(_readers.from_dense)
    from_coo = classmethod(_readers.from_coo)
    from_dataframe = classmethod(_readers.from_dataframe)
    from_csv = classmethod(_readers.from_csv)
    concat = classmethod(_concat.concat)

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
        return is_soft(self.answers)

    def soft(self) -> Annotations:
        """The same with soft answers: hard ones as distributions of one class."""
        return self if self.is_soft else self._with(one_hot(self.answers, self.num_classes))

    def hard(self) -> Annotations:
        """The same with hard answers: of soft ones the likeliest class, the first of those alike."""
        return self._with(self.answers.argmax(axis=1).astype(np.int32)) if self.is_soft else self

    def __len__(self) -> int:
        return len(self.answers)

    def __repr__(self) -> str:
        kind = "numeric" if self.classes is None else f"{self.num_classes} classes{', soft' * self.is_soft}"
        unanswered = int(np.sum(self.answers_per_item() == 0))
        return (
            f"Annotations({len(self):,} answers: {self.num_items:,} items x {self.num_annotators:,} "
            f"annotators, {kind}, {len(self) / max(self.num_items, 1):.1f} answers an item, "
            f"{unanswered:,} items unanswered)"
        )

    def answers_per_item(self) -> np.ndarray:
        """How many answers each item has, `(num_items,)`."""
        return np.bincount(self.item_index, minlength=self.num_items)

    def answers_per_annotator(self) -> np.ndarray:
        """How many answers each annotator gave, `(num_annotators,)`."""
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
        )

    def slots(self, num_slots: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The answers without the holes: each item's answers side by side, padded at the end.

        Args:
            num_slots: Width of the result. Defaults to the highest number of answers to one item.

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
        return to_slots(self.item_index, self.annotator_index, self.answers, (self.num_items, num_slots))

    def to_dataframe(self, item: str = "item", annotator: str = "annotator", answer: str = "answer") -> Any:
        """The answers as a pandas data frame, one row an answer, sorted by item and annotator. Needs pandas.

        Args:
            item, annotator, answer: Names of the columns: `to_dataframe("task", "worker", "label")` is what
                crowd-kit takes. Soft answers have a column a class instead, of its id.

        Returns:
            A data frame of ids (and probabilities); `from_dataframe` reads it, given the `items=` and `classes=` that
            it does not know (`probabilities=list(annotations.classes)` of soft answers).
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("`Annotations.to_dataframe` needs pandas: pip install pandas") from error
        columns = [self.items[self.item_index], self.annotators[self.annotator_index]]
        answers, names = [answer_ids(self.answers, self.classes)], [answer]
        if self.classes is not None and self.is_soft:
            answers, names = list(self.answers.T), self.classes.tolist()
        frame = pandas.DataFrame(dict(enumerate([*columns, *answers])))
        frame.columns = [item, annotator, *names]
        return frame

    def select(
        self,
        *,
        items: Sequence[Hashable] | None = None,
        annotators: Sequence[Hashable] | None = None,
    ) -> Annotations:
        """The answers to some items and by some annotators.

        Args:
            items: Ids of the items to keep, in their new order; or a boolean mask `(num_items,)`.
            annotators: Ids of the annotators to keep, likewise.

        Returns:
            `Annotations` with exactly these items and annotators, and all classes.
        """
        item_ids, new_item = selection("items", self.items, items)
        annotator_ids, new_annotator = selection("annotators", self.annotators, annotators)
        item_index, annotator_index = new_item[self.item_index], new_annotator[self.annotator_index]
        kept = (item_index >= 0) & (annotator_index >= 0)
        selected = Annotations(
            item_index[kept],
            annotator_index[kept],
            self.answers[kept],
            items=item_ids,
            annotators=annotator_ids,
            classes=self.classes,
        )
        selected.has_item_ids = self.has_item_ids or items is not None
        return selected

    def split(self, fraction: float = 0.15, seed: int | None = 0) -> tuple[Annotations, Annotations]:
        """Holds out a random part of the answers, for choosing between models without gold labels.

        Args:
            fraction: Part of the answers to hold out, in (0, 1).
            seed: Seed of the draw.

        Returns:
            The answers to train on and the held-out answers. Both keep all items, annotators and
            classes, so their dense forms have the same shape.
        """
        if not 0 < fraction < 1:
            raise ValueError(f"`fraction` must be between 0 and 1. Received: fraction={fraction}")
        held_out = np.zeros(len(self), bool)
        count = min(max(round(fraction * len(self)), 1), len(self) - 1)
        held_out[np.random.default_rng(seed).permutation(len(self))[:count]] = True
        return self._subset(~held_out), self._subset(held_out)

    def _with(self, answers: np.ndarray) -> Annotations:
        """Other answers in the place of these."""
        other = copy.copy(self)
        other.answers = frozen(answers)
        return other

    def _subset(self, kept: np.ndarray) -> Annotations:
        subset = Annotations(
            self.item_index[kept],
            self.annotator_index[kept],
            self.answers[kept],
            items=self.items,
            annotators=self.annotators,
            classes=self.classes,
        )
        subset.has_item_ids = self.has_item_ids
        return subset
