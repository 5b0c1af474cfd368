"""`Annotations`: the answers of many annotators to many items."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, ParamSpec

import numpy as np

from . import _concat, _coo, _preferences, _readers, _set_readers, _table_readers
from ._factors import selection
from ._long_form import LongForm, Read

if TYPE_CHECKING:
    import pandas


P = ParamSpec("P")


def _reader(read: Callable[P, Read]) -> classmethod[Annotations, P, Annotations]:
    """A class method of `Annotations` that makes one of what a reader finds, with its signature and docstring."""

    @functools.wraps(read)
    def make(cls: type[Annotations], *args: P.args, **kwargs: P.kwargs) -> Annotations:
        found = read(*args, **kwargs)._asdict()
        has_item_ids = found.pop("has_item_ids")
        annotations = cls(**found)
        annotations.has_item_ids = has_item_ids
        return annotations

    own = inspect.signature(read)
    first = inspect.Parameter("cls", inspect.Parameter.POSITIONAL_ONLY)
    parameters = [first, *own.parameters.values()]
    make.__signature__ = own.replace(parameters=parameters, return_annotation="Annotations")  # type: ignore[attr-defined]
    return classmethod(make)


class Annotations(LongForm):
    """The answers that annotators gave to items, with the ids of items, annotators and classes.

    They are kept in *long* form, with one row per answer, sorted by item and then by annotator. Models train on one of
    two forms: `dense()`, `(items, annotators)` with holes, and `slots()`, the same without the holes.

    Build one with `from_dense`, `from_coo`, `from_dataframe`, `from_csv`, `from_sets` or `from_preferences`, or join
    several with `concat`. Instances are immutable.

    Row `i` of `dense()` and `slots()` belongs to `annotations.items[i]`. **Pass `items=`, the ids of the
    rows of your features in their order**, when you build from a table: then row `i` is also row `i` of
    `x`, and an item that nobody answered keeps its (empty) row.

    Attributes:
        items: Ids of the items, in the order of the rows. Object or native NumPy array `(num_items,)`.
        annotators: Ids of the annotators, in the order of the columns, `(num_annotators,)`.
        classes: Ids of the classes, in the order of their codes, `(num_classes,)`; `None` when the
            answers are numbers (ratings) and not classes.
        kind: What one answer is, an `AnswerKind`.
        item_index: Item of each answer, as a position in `items`. int32 `(num_answers,)`.
        annotator_index: Annotator of each answer, as a position in `annotators`. int32 `(num_answers,)`.
        answers: Each answer: its position in `classes` (int32), or a number (float32). `(num_answers,)`. Soft answers
            are distributions over the classes, float32 `(num_answers, num_classes)`; a hard answer among them is the
            distribution of one class. Sets of labels are int8 `(num_answers, num_classes)`: 1 ticked, 0 not ticked, -1
            not shown.
        has_item_ids: Whether `items` are ids, or only positions because `from_dense` was given none.

    Example:

    >>> annotations = Annotations.from_coo(
    ...     ["img1", "img1", "img2"], ["ann", "bob", "ann"], ["cat", "dog", "cat"])
    >>> annotations
    Annotations(3 answers: 2 items x 2 annotators, 2 classes, 1.5 answers per item, 0 items unanswered)
    >>> annotations.dense()
    array([[ 0,  1],
           [ 0, -1]], dtype=int32)
    """

    from_dense = _reader(_readers.from_dense)
    from_coo = _reader(_coo.from_coo)
    from_dataframe = _reader(_table_readers.from_dataframe)
    from_csv = _reader(_table_readers.from_csv)
    from_sets = _reader(_set_readers.from_sets)
    from_preferences = _reader(_preferences.from_preferences)
    from_preference_table = _reader(_table_readers.from_preference_table)
    concat = _reader(_concat.concat)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of items and annotators, the first axes of `dense()`."""
        return self.num_items, self.num_annotators

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        """Raises: only the caller knows which form is wanted."""
        raise ValueError(
            "`Annotations` are no array: which one it has to be depends on the model. For `model.fit(x, answers)` take "
            "`answers = annotations.dense()`; for a model with `slots=True`, `ids, answers = annotations.slots()` and "
            f"`model.fit((x, ids), answers)`. `fit_crowd` takes `Annotations`. Received: {self!r}"
        )

    def to_dataframe(
        self, item: str = "item", annotator: str = "annotator", answer: str = "answer"
    ) -> pandas.DataFrame:
        """Returns a pandas data frame with one row per answer, sorted by item and annotator. Needs pandas.

        Args:
            item, annotator, answer: Names of the columns: `to_dataframe("task", "worker", "label")` is what
                crowd-kit takes. Soft answers have a column per class instead, of its id.

        Returns:
            A data frame of ids (and probabilities); `from_dataframe` reads it, given the `items=` and `classes=` that
            it does not know (`probabilities=list(annotations.classes)` of soft answers).
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("`Annotations.to_dataframe` needs pandas: pip install pandas") from error
        columns = [self.items[self.item_index], self.annotators[self.annotator_index]]
        answers, names = [self.ids()], [answer]
        if self.classes is not None and self.answers.ndim == 2:
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
        """Selects the answers to some items and by some annotators.

        Args:
            items: Ids of the items to keep, in their new order; or a boolean mask `(num_items,)`. Defaults to `None`.
            annotators: Ids of the annotators to keep, likewise. Defaults to `None`.

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
            kind=self.kind,
        )
        selected.has_item_ids = self.has_item_ids or items is not None
        return selected

    def split(self, fraction: float = 0.15, seed: int | None = 0) -> tuple[Annotations, Annotations]:
        """Holds out a random part of the answers, to compare models without gold labels.

        Args:
            fraction: Float. Part of the answers to hold out, in (0, 1). Defaults to 0.15.
            seed: Integer. Seed of the draw. Defaults to 0.

        Returns:
            The answers to train on and the held-out answers. Both keep all items, annotators and
            classes, so their dense forms have the same shape.
        """
        if not 0 < fraction < 1:
            raise ValueError(f"`fraction` must be between 0 and 1. Received: fraction={fraction}")
        held_out = np.zeros(len(self), bool)
        count = min(max(round(fraction * len(self)), 1), len(self) - 1)
        held_out[np.random.default_rng(seed).permutation(len(self))[:count]] = True
        return some_answers(self, ~held_out), some_answers(self, held_out)


def some_answers(annotations: Annotations, kept: np.ndarray) -> Annotations:
    """The answers of a boolean mask, or at positions; all items, annotators and classes stay."""
    some = Annotations(
        annotations.item_index[kept],
        annotations.annotator_index[kept],
        annotations.answers[kept],
        items=annotations.items,
        annotators=annotations.annotators,
        classes=annotations.classes,
        kind=annotations.kind,
    )
    some.has_item_ids = annotations.has_item_ids
    return some
