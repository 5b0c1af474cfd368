"""The answers to some of the items, in memory that follows the number of answers."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from .._arguments import whole_number
from ..annotations import Annotations, to_dense, to_slots

Form = Literal["slots", "dense", "items"]


class AnswerRows:
    """Answers item by item, as slots or dense.

    Args:
        annotations: The answers.
        form: `"slots"`, `"dense"`, or `"items"` (no answers, the positions of the items instead).
        num_slots: Integer. Width of slots; `None` for that of the batch.
    """

    def __init__(self, annotations: Annotations, form: str, num_slots: int | None) -> None:
        if form not in get_args(Form):
            raise ValueError(
                f"`form` must be one of {', '.join(map(repr, get_args(Form)))}. Received: form={form!r}"
            )
        self.annotations, self.form = annotations, form
        self.offsets = np.concatenate([[0], np.cumsum(annotations.answers_per_item())])
        self.widest = widest = max(int(np.diff(self.offsets).max(initial=0)), 1)
        if num_slots is not None:
            whole_number("num_slots", num_slots)
            if form != "slots" or num_slots < widest:
                raise ValueError(
                    "`num_slots` must be, for slots, at least the highest number of answers to one item, "
                    f"{widest}. Received: num_slots={num_slots}, form={form!r}"
                )
        self.num_slots = num_slots

    def slots(self, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Annotators and answers of these items, `(len(items), slots)` each; soft answers have the classes last."""
        row, position = self._positions(items)
        width = self.num_slots or max(int(np.bincount(row).max(initial=0)), 1)
        annotations = self.annotations
        return to_slots(
            row,
            annotations.annotator_index[position],
            annotations.answers[position],
            (len(items), width),
            annotations.kind,
        )

    def dense(self, items: np.ndarray) -> np.ndarray:
        """Answers to these items, `(len(items), annotators)`."""
        row, position = self._positions(items)
        annotations = self.annotations
        return to_dense(
            row,
            annotations.annotator_index[position],
            annotations.answers[position],
            (len(items), annotations.num_annotators),
            annotations.kind,
        )

    def used(self) -> np.ndarray:
        """Positions of the items that batches are made of: those with an answer, or all for `"items"`."""
        if self.form == "items":
            return np.arange(self.annotations.num_items)
        return np.flatnonzero(np.diff(self.offsets))

    def _positions(self, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row of each answer to these items, and where it stands among all."""
        counts = self.offsets[items + 1] - self.offsets[items]
        row = np.repeat(np.arange(len(items)), counts)
        before = np.cumsum(counts) - counts
        return row, np.arange(len(row)) + (self.offsets[items] - before)[row]
