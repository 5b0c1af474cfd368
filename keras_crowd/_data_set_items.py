"""Matches the rows of a data set to the items of the answers, in every epoch anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from ._files import checksum_of
from ._typing import Features
from .annotations import Annotations

_VALUES = 256  # of a row are looked at, evenly spread, to know it again


class ByPosition:
    """Items of batches `(features, items)`: they are told, and the order is free."""

    def split(self, batch: tuple[Any, ...]) -> tuple[Any, np.ndarray]:
        """Features, and what tells their items."""
        return batch[0], batch[1]

    def number(self, features: Features, rest: np.ndarray) -> np.ndarray:
        """Items of the next batch of the first epoch."""
        return rest

    def items(self, index: int, features: Features, rest: np.ndarray) -> np.ndarray:
        """Items of the batch at an index of any later epoch."""
        return rest


class ByOrder:
    """Items of batches of features alone: row `i` of the data set is item `i`, in every epoch."""

    def __init__(self) -> None:
        self._starts = [0]
        self._checksums: list[np.ndarray] = []

    def split(self, batch: tuple[Any, ...]) -> tuple[Any, None]:
        """Features, and nothing."""
        return batch[0], None

    def number(self, features: Features, rest: None) -> np.ndarray:
        """Items of the next batch of the first epoch."""
        size = num_rows(features)
        self._starts.append(self._starts[-1] + size)
        self._checksums.append(row_checksums(features))
        return self._starts[-2] + np.arange(size)

    def items(self, index: int, features: Features, rest: None) -> np.ndarray:
        """Items of the batch at an index of any later epoch."""
        if not np.array_equal(row_checksums(features), self._checksums[index]):
            raise ValueError(
                "A data set of features alone must give the same rows in the same order each time, those of the "
                "answers' items: give it unshuffled, and let layers of the classifier augment. Or give batches "
                "(features, items) with the positions of the items among the answers, in any order, as "
                '`pipelines.tf_data(x, annotations, form="items")` makes them. '
                f"Received: other rows in batch {index} when it was read again"
            )
        return np.arange(self._starts[index], self._starts[index + 1])


class ByContent:
    """Items of batches `(features, answers)`, in any order: a row is known again by its features and answers.

    Args:
        num_inputs: Integer. Of the classifier, `None` where they are not known.
    """

    def __init__(self, num_inputs: int | None) -> None:
        self._num_inputs = num_inputs
        self._known: dict[tuple[int, bytes], list[int]] = {}
        self._rows: list[tuple[np.ndarray, np.ndarray]] = []
        self._num_items = self._num_annotators = 0

    def split(self, batch: tuple[Any, ...]) -> tuple[Any, tuple[np.ndarray, np.ndarray]]:
        """Features; annotators `(batch, slots)`, those of dense answers as well, and answers."""
        x, answers = batch[0], np.asarray(batch[1])
        if answers.ndim not in (2, 3) or answers.dtype.kind not in "iuf":
            raise ValueError(
                "Batches of a data set without `answers` must be (features, answers), answers of shape (batch, "
                "annotators or slots), or soft ones (batch, annotators or slots, classes). "
                f"Received: answers of dtype {answers.dtype} and shape {answers.shape}"
            )
        if (
            answers.ndim == 3
            and answers.dtype.kind == "i"
            and (answers.min() < 0 or answers.sum(axis=-1).max() > 1)
        ):
            raise ValueError(
                "`answers` must be given where they are sets of labels, with batches (features, items) as "
                '`pipelines.CrowdBatches(x, answers, form="items")` makes them. '
                f"Received: batches of answers of dtype {answers.dtype} and shape {answers.shape}"
            )
        width = answers.shape[1]
        annotators = self._annotators(x, answers.shape[:2])
        if annotators is None:
            self._num_annotators = max(self._num_annotators, width)
            return x, (np.tile(np.arange(width), (len(answers), 1)), answers)
        self._num_annotators = max(self._num_annotators, int(annotators.max(initial=-1)) + 1)
        if isinstance(x, dict):
            return {name: part for name, part in x.items() if name != "annotators"}, (annotators, answers)
        return (x[0] if len(x) == 2 else type(x)(x[:-1])), (annotators, answers)

    def number(self, features: Features, rest: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Items of the next batch of the first epoch: `0, 1, ...` as they come."""
        keys = self._keys(features, *rest)
        items = self._num_items + np.arange(len(keys))
        self._num_items += len(keys)
        for key, item in zip(keys, items.tolist(), strict=True):
            self._known.setdefault(key, []).append(item)
        self._rows.append(rest)
        return items

    def items(self, index: int, features: Features, rest: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Items of the batch at an index of any later epoch; of rows that are alike, one after the other."""
        found = []
        for key in self._keys(features, *rest):
            alike = self._known.get(key)
            if alike is None:
                raise ValueError(
                    "A data set of (features, answers) must give the same rows each time, in any order: let layers of "
                    "the classifier augment. Or give batches (features, items) with the positions of the items among "
                    '`answers`, as `pipelines.CrowdBatches(x, annotations, form="items")` makes them. '
                    f"Received: a row in batch {index} that was not there when it was first read"
                )
            alike.append(alike.pop(0))
            found.append(alike[-1])
        return np.array(found)

    def annotations(self, num_classes: int) -> Annotations:
        """The answers that were in the batches of the first epoch."""
        start, item, annotator, answer = 0, [], [], []
        for annotators, answers in self._rows:
            row, slot = np.nonzero(_observed(answers))
            item.append(start + row)
            annotator.append(annotators[row, slot])
            answer.append(answers[row, slot])
            start += len(answers)
        self._rows = []
        answers = np.concatenate(answer)
        if answers.ndim == 1 and np.any(answers != np.floor(answers)):
            raise ValueError(
                "Answers must be class codes, `-1` for missing, or soft answers. "
                f"Received: {answers[answers != np.floor(answers)][0]} in a batch of the data set"
            )
        return Annotations.from_coo(
            np.concatenate(item),
            np.concatenate(annotator),
            answers if answers.ndim == 2 else answers.astype(int),
            items=range(self._num_items),
            annotators=range(self._num_annotators),
            classes=range(num_classes),
        )

    def _annotators(self, x: Features, shape: tuple[int, ...]) -> np.ndarray | None:
        """Ids among the inputs, as a model on slots takes them; `None` for dense answers."""
        if isinstance(x, dict):
            return x.get("annotators")
        is_whole = not isinstance(x, list | tuple) or len(keras.tree.flatten(x)) == self._num_inputs
        last = None if is_whole else np.asarray(x[-1])
        return last if last is not None and last.dtype.kind in "iu" and last.shape == shape else None

    @staticmethod
    def _keys(features: Features, annotators: np.ndarray, answers: np.ndarray) -> list[tuple[int, bytes]]:
        observed = _observed(answers)
        return [
            (int(checksum), who[given].astype(np.int64).tobytes() + said[given].tobytes())
            for checksum, who, said, given in zip(
                row_checksums(features), annotators, answers, observed, strict=True
            )
        ]


def row_checksums(features: Features) -> np.ndarray:
    """A number for each row of the features, which other rows hardly share."""
    sums = np.zeros(num_rows(features), np.uint64)
    for array in keras.tree.flatten(features):
        rows = array.reshape(len(array), -1)
        rows = np.ascontiguousarray(rows[:, :: max(rows.shape[1] // _VALUES, 1)])
        sums = sums * np.uint64(31) + np.array([checksum_of([row]) for row in rows], np.uint64)
    return sums


def check_each_once(items: np.ndarray, num_items: int) -> None:
    """Refuses a data set that does not hold every item once; reading may have stopped at a row too many."""
    count = np.bincount(items[(items >= 0) & (items < num_items)], minlength=num_items)
    others = np.flatnonzero(count != 1)
    if len(items) == num_items and not len(others):
        return
    first = f"; item {others[0]} is there {count[others[0]]} times" if len(others) else ""
    raise ValueError(
        f"`x` must hold each of the {num_items} items of the answers once in an epoch (labels are no positions of "
        f"items: leave them out). Received: {'more than ' * (len(items) > num_items)}"
        f"{min(len(items), num_items)} rows, {np.count_nonzero(count)} of the items among them{first}"
    )


def predict_items(
    classifier: keras.Model, batches: Iterable[tuple[Features, np.ndarray]], num_items: int
) -> np.ndarray:
    """Returns the classifier's output for every item of batches `(features, items)`."""
    output: Any = None
    for features, items in batches:
        some = classifier.predict_on_batch(features)
        if output is None:
            output = np.zeros((num_items, *some.shape[1:]), some.dtype)
        output[items] = some
    return output


def num_rows(features: Features) -> int:
    """Rows of features of any structure, which must agree."""
    lengths = {len(array) for array in keras.tree.flatten(features)}
    if len(lengths) != 1:
        raise ValueError(
            f"Features of a batch must have as many rows for each input. Received: {sorted(lengths)}"
        )
    return lengths.pop()


def _observed(answers: np.ndarray) -> np.ndarray:
    return np.any(answers > 0, axis=-1) if answers.ndim == 3 else answers >= 0
