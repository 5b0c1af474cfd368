"""`Annotations`: the answers of many annotators to many items."""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from ._forms import to_dense, to_slots
from ._ids import (
    MISSING,
    class_ids,
    column,
    encode,
    id_array,
    is_missing,
    refuse_duplicates,
    refuse_empty,
    selection,
)


class Annotations:
    """The answers that annotators gave to items, with the ids of all three.

    Inside, one row an answer (the *long* form), sorted by item and then by annotator. From it come the
    two forms that models train on: `dense()`, `(items, annotators)` with holes, and `slots()`, the same
    without the holes.

    Build one with `from_dense`, `from_coo`, `from_dataframe` or `from_csv`; instances do not change.

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
        answers: Each answer: its position in `classes` (int32), or a number (float32). `(num_answers,)`.

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
        key = item_index.astype(np.int64) * len(annotators) + annotator_index
        if np.any(key[1:] <= key[:-1]):
            order = np.argsort(key, kind="stable")
            key, item_index, annotator_index = key[order], item_index[order], annotator_index[order]
            answers = answers[order]
        refuse_duplicates(key, items, annotators)
        self.items, self.annotators, self.classes = items, annotators, classes
        self.item_index = item_index.astype(np.int32)
        self.annotator_index = annotator_index.astype(np.int32)
        self.answers = answers.astype(np.float32 if classes is None else np.int32)
        for array in (self.item_index, self.annotator_index, self.answers):
            array.flags.writeable = False

    @classmethod
    def from_dense(
        cls,
        array: Any,
        *,
        items: Sequence[Hashable] | None = None,
        annotators: Sequence[Hashable] | None = None,
        classes: Sequence[Hashable] | int | None = None,
    ) -> Annotations:
        """Reads a table with one row an item and one column an annotator.

        Args:
            array: `(items, annotators)`. Integers: class codes, `-1` where an annotator did not answer.
                Floats: numeric ratings, `NaN` where an annotator did not answer; with `classes=` given
                they are class codes instead.
            items: Ids of the rows. Defaults to `0, 1, ...`
            annotators: Ids of the columns. Defaults to `0, 1, ...`
            classes: Ids of the class codes, or how many there are. Defaults to the highest code seen
                plus one: say it if the last class may be absent.

        Raises:
            ValueError: When the array is not 2-D, a code is out of range, or nobody answered at all.
        """
        array = np.asarray(array)
        if array.ndim != 2 or array.dtype.kind not in "iuf":
            raise ValueError(
                "`array` must be numbers of shape (items, annotators). "
                f"Received: shape {array.shape}, dtype {array.dtype}"
            )
        numeric = array.dtype.kind == "f" and classes is None
        answered = ~np.isnan(array) if array.dtype.kind == "f" else array != MISSING
        if array.dtype.kind == "f" and not numeric:
            answered &= array != MISSING
        item_index, annotator_index = np.nonzero(answered)
        answers = array[answered]
        refuse_empty(answers, "array")
        return cls(
            item_index,
            annotator_index,
            answers,
            items=_ids("items", items, array.shape[0]),
            annotators=_ids("annotators", annotators, array.shape[1]),
            classes=None if numeric else class_ids(answers, classes),
        )

    @classmethod
    def from_coo(
        cls,
        item: Any,
        annotator: Any,
        answer: Any,
        *,
        items: Sequence[Hashable] | None = None,
        annotators: Sequence[Hashable] | None = None,
        classes: Sequence[Hashable] | None = None,
    ) -> Annotations:
        """Reads three parallel arrays: who said what of which item. Ids may be anything hashable.

        Args:
            item: Item id of each answer.
            annotator: Annotator id of each answer.
            answer: Class id of each answer. Floats without `classes=` are numeric ratings. A missing
                answer (`None` or `NaN`) drops its row.
            items: All item ids, **in the order of the rows of your features**. Items that nobody
                answered may be among them. Defaults to the ids seen, sorted (in order of appearance
                when they cannot be sorted).
            annotators: All annotator ids, likewise.
            classes: All class ids, in the order of the classifier's outputs. Defaults likewise.

        Raises:
            ValueError: When lengths disagree, an id is missing or unknown, an annotator answered an
                item twice, or nobody answered at all.
        """
        item, annotator = column("item", item), column("annotator", annotator)
        answer = column("answer", answer)
        if not len(item) == len(annotator) == len(answer):
            raise ValueError(
                "`item`, `annotator` and `answer` must have the same length. "
                f"Received: lengths {len(item)}, {len(annotator)} and {len(answer)}"
            )
        given = ~is_missing(answer)
        item, annotator, answer = item[given], annotator[given], answer[given]
        refuse_empty(answer, "answer")
        item_ids, item_index = encode("item", item, "items", items)
        annotator_ids, annotator_index = encode("annotator", annotator, "annotators", annotators)
        if answer.dtype.kind == "f" and classes is None:
            answer_ids, codes = None, answer
        else:
            answer_ids, codes = encode("answer", answer, "classes", classes)
        return cls(
            item_index,
            annotator_index,
            codes,
            items=item_ids,
            annotators=annotator_ids,
            classes=answer_ids,
        )

    @classmethod
    def from_dataframe(
        cls,
        df: Any,
        item: str = "item",
        annotator: str = "annotator",
        answer: str = "answer",
        **kwargs: Any,
    ) -> Annotations:
        """Reads a data frame with one row an answer.

        Args:
            df: A pandas data frame (or anything with `.columns` and `df[name]`).
            item: Name of the column of item ids.
            annotator: Name of the column of annotator ids.
            answer: Name of the column of answers. A categorical column gives `classes` its categories.
            **kwargs: `items=`, `annotators=` and `classes=`, as for `from_coo`.
        """
        for argument, name in (("item", item), ("annotator", annotator), ("answer", answer)):
            if name not in df.columns:
                raise ValueError(
                    f"`{argument}` must name a column of the table. "
                    f"Received: {argument}={name!r}, columns {list(df.columns)}"
                )
        if kwargs.get("classes") is None and str(df[answer].dtype) == "category":
            kwargs["classes"] = list(df[answer].cat.categories)
        return cls.from_coo(df[item], df[annotator], df[answer], **kwargs)

    @classmethod
    def from_csv(
        cls,
        path: str | os.PathLike[str],
        item: str = "item",
        annotator: str = "annotator",
        answer: str = "answer",
        *,
        items: Sequence[Hashable] | None = None,
        annotators: Sequence[Hashable] | None = None,
        classes: Sequence[Hashable] | None = None,
        **read_csv: Any,
    ) -> Annotations:
        """Reads a CSV file with one row an answer. Needs pandas.

        Args:
            path: The file.
            item, annotator, answer: Names of the columns.
            items, annotators, classes: As for `from_coo`.
            **read_csv: Passed to `pandas.read_csv` (`sep`, `dtype`, `encoding`, ...).
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("`Annotations.from_csv` needs pandas: pip install pandas") from error
        df = pandas.read_csv(path, **read_csv)
        return cls.from_dataframe(
            df, item, annotator, answer, items=items, annotators=annotators, classes=classes
        )

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

    def __len__(self) -> int:
        return len(self.answers)

    def __repr__(self) -> str:
        kind = "numeric" if self.classes is None else f"{self.num_classes} classes"
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
        """The answers as `(num_items, num_annotators)`: int32 with `-1`, or float32 with `NaN`."""
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
            and the answers `(num_items, num_slots)`: int32 padded with `-1`, or float32 with `NaN`.

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
        return Annotations(
            item_index[kept],
            annotator_index[kept],
            self.answers[kept],
            items=item_ids,
            annotators=annotator_ids,
            classes=self.classes,
        )

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

    def _subset(self, kept: np.ndarray) -> Annotations:
        return Annotations(
            self.item_index[kept],
            self.annotator_index[kept],
            self.answers[kept],
            items=self.items,
            annotators=self.annotators,
            classes=self.classes,
        )


def _ids(name: str, ids: Sequence[Hashable] | None, length: int) -> np.ndarray:
    return np.arange(length) if ids is None else id_array(name, ids, length)
