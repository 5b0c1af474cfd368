"""Preferences: which of two items each annotator finds better, the order in which they saw the two kept."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .._arguments import shown, whole_number
from ._answer_kind import AnswerKind
from ._duplicates import repeated_rows
from ._factors import encode, factor
from ._grade_codes import ComparisonError, class_names, grade_codes
from ._ids import MISSING, column, id_array, objects, refuse_empty
from ._kinds import OfClasses
from ._long_form import Read
from ._readers import from_classes_or_ratings
from ._rules import Duplicates
from ._tuples import id_column

_OTHER = -2  # a winner that is neither of the two


@dataclass(frozen=True)
class Preferences(OfClasses):
    """An answer says which of two items is better: 0 the one shown first, 1 the second, 2 neither, a tie.

    What `Annotations` call an item is a pair `(first, second)` of ids, in the order shown. A pair that was shown in
    both orders is two items: so an annotator's leaning to the first position can be told from taste. Soft answers are
    distributions over the two (and the tie).

    Of four classes or more, each answer is a grade: how much better one of them is, from `-g` (the first by far) to
    `g` (the second by far), its code its place in that order. `2 g` classes have no tie, `2 g + 1` have one, 0.

    Args:
        num_classes: Integer. 2; 3 where ties are allowed; 4 or more for grades. Defaults to `None`, not known.
        soft: Boolean. Whether answers are distributions. Defaults to `False`.

    Example:

    >>> kind = keras_crowd.annotations.Preferences(3)
    >>> kind.is_answered(np.array([[0, 2], [1, -1]])).tolist()
    [[True, True], [True, False]]
    """

    name: ClassVar[str] = "preferences"
    aggregations: ClassVar[tuple[str, ...]] = (
        "bradley_terry",
        "dawid_skene",
        "majority_vote",
        "posterior",
    )

    def __post_init__(self) -> None:
        if self.num_classes is not None:
            whole_number("num_classes", self.num_classes, low=2)

    @property
    def grades(self) -> int:
        """The largest grade; 1 where answers only say which item is better."""
        return (self.num_classes or 2) // 2

    @property
    def ties(self) -> bool:
        """Whether a tie can be answered."""
        return self.num_classes is not None and self.num_classes % 2 == 1

    def union(self, others: Sequence[AnswerKind], num_classes: int) -> AnswerKind:
        kinds = [kind for kind in (self, *others) if isinstance(kind, Preferences)]
        if any(kind.grades > 1 for kind in kinds) and len({kind.num_classes for kind in kinds}) > 1:
            raise ValueError(
                "Preferences can be joined where all have the same grades (`annotations.without_grades` takes them "
                f"away). Received: {', '.join(kind.describe() for kind in kinds)}"
            )
        return super().union(others, num_classes)

    def class_ids(self, answers: np.ndarray, classes: Sequence[Hashable] | int | None) -> np.ndarray | None:
        if classes is None and not self.soft:
            classes = self.num_classes or max(int(answers.max()) + 1, 2)
        found = super().class_ids(answers, classes)
        if found is not None and found.dtype.kind in "iu":
            return class_names(len(found))
        return found

    def describe(self) -> str:
        graded = f" from {-self.grades} to {self.grades}" if self.grades > 1 else ""
        return f"preferences{graded}{' with ties' * self.ties}{', soft' * self.soft}"


def from_preferences(
    item_a: Any,
    item_b: Any,
    annotator: Any,
    winner: Any,
    *,
    shown_first: Any = None,
    choices: Sequence[Hashable] | None = None,
    ties: bool | None = None,
    grades: int = 1,
    pairs: Sequence[tuple[Hashable, Hashable]] | None = None,
    annotators: Sequence[Hashable] | None = None,
    duplicates: Duplicates = "error",
) -> Read:
    """Reads preferences, one comparison per row: who found which of two items better.

    Args:
        item_a, item_b: Ids of the two items of each comparison.
        annotator: Annotator id of each comparison.
        winner: Id of the better item, `"tie"` for neither, `None` (or `NaN`) where there is no answer; or one of
            `choices`; or with `grades=g` an integer from `-g` (`item_a` is better by far) to `g` (`item_b` is).
        shown_first: Id of the item that the annotator saw first (or on the left), one of the two. Defaults to
            `item_a`. Where nobody knows and `item_a` is always the better one (chosen and rejected), leave position
            biases out of the model.
        choices: What `winner` says for `item_a`, for `item_b` and, if there are ties, for a tie, as
            `("model_a", "model_b", "tie")` or `(0, 1, 2)`. Defaults to `None`, ids of items.
        ties: Boolean. Whether a tie can be answered. Defaults to whether anybody did; with grades to `True`.
        grades: Integer. The largest grade, where answers say how much better an item is. Defaults to 1: `winner` says
            which one.
        pairs: All pairs `(first, second)` in the order shown, **in the order of the rows of your features**. Defaults
            to the pairs seen, sorted.
        annotators: All annotator ids. Defaults to those seen, sorted.
        duplicates: What to do when an annotator compared a pair more than once in the same order: `"error"`; keep the
            `"first"` or the `"last"` answer; or the one given most often, `"majority"`. Defaults to `"error"`.

    Raises:
        ValueError: When lengths disagree, an item is compared with itself, a winner or what was shown first is
            neither of the two, or an annotator compared a pair twice.

    Example:

    >>> answers = keras_crowd.Annotations.from_preferences(
    ...     ["x", "x", "y"], ["y", "y", "z"], ["ann", "bob", "ann"], ["x", "tie", "z"], shown_first=["x", "y", "y"])
    >>> answers.items.tolist(), answers.classes.tolist()
    ([('x', 'y'), ('y', 'x'), ('y', 'z')], ['first', 'second', 'tie'])
    >>> answers.dense().tolist()
    [[0, -1], [-1, 2], [1, -1]]
    """
    a, b = column("item_a", item_a), column("item_b", item_b)
    who, said = column("annotator", annotator), column("winner", winner)
    lengths = [len(values) for values in (a, b, who, said)]
    if len({*lengths}) > 1:
        raise ValueError(
            "`item_a`, `item_b`, `annotator` and `winner` must have the same length. "
            f"Received: lengths {', '.join(map(str, lengths))}"
        )
    ids, index = encode("item_a` and `item_b", objects([*a.tolist(), *b.tolist()]), "", None)
    index = index.reshape(2, -1)
    if np.any(same := index[0] == index[1]):
        row = int(np.argmax(same))
        raise ComparisonError(
            "`item_a` and `item_b` must differ in each comparison.",
            f"{int(same.sum())} of an item with itself, the first of {shown(a.tolist()[row])}",
            row,
        )
    first = np.zeros(len(a), int) if shown_first is None else _first(shown_first, ids, index)
    if whole_number("grades", grades) > 1:
        codes, size = grade_codes(said, grades, ties, choices, first)
    else:
        codes = _sides("winner", said, ids, index) if choices is None else _choices(said, choices)
        codes = np.where((first == 1) & (codes >= 0) & (codes < 2), 1 - codes, codes)
        size = _number_of_choices(codes, ties, choices)
    in_order = np.take_along_axis(index, np.stack([first, 1 - first]), axis=0)
    kept = np.flatnonzero(codes >= 0)
    refuse_empty(kept, "winner")
    pair = id_column(
        {"first": ids[in_order[0, kept]], "second": ids[in_order[1, kept]]}, ["first", "second"]
    )
    rules: dict[str, Any] = {"items": _as_pairs(pairs), "annotators": annotators, "duplicates": duplicates}
    read = from_classes_or_ratings(pair, who[kept], codes[kept], classes=size, **rules)
    _refuse_repeated(read, kept)
    return read._replace(classes=class_names(size), kind=Preferences(size))


def pair_index(
    pairs: Sequence[tuple[Hashable, Hashable]] | np.ndarray, items: Sequence[Hashable] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the two items of each pair: which rows of their features a model compares.

    Args:
        pairs: Pairs of ids, as `annotations.items` of preferences.
        items: Ids of all items, in the order of the rows of your features. Defaults to those of the pairs, sorted.

    Returns:
        The ids of the items, and of each pair the positions of the first and the second among them, int32
        `(pairs, 2)`.

    Raises:
        ValueError: When something is no pair, or an id is not among `items`.

    Example:

    >>> items, index = keras_crowd.annotations.pair_index([("x", "z"), ("z", "y")], items=["z", "y", "x"])
    >>> index.tolist()
    [[2, 0], [0, 1]]
    """
    listed = [pair if isinstance(pair, tuple) and len(pair) == 2 else None for pair in _as_list(pairs)]
    if None in listed:
        raise ValueError(
            "`pairs` must be tuples of two ids, as `annotations.items` of preferences. "
            f"Received: {_as_list(pairs)[listed.index(None)]!r}"
        )
    flat = objects([item for pair in listed if pair is not None for item in pair])
    ids, index = encode("pairs", flat, "items", items)
    return ids, index.reshape(-1, 2).astype(np.int32)


def _sides(name: str, values: Any, ids: np.ndarray, index: np.ndarray) -> np.ndarray:
    """0 where a value is the first of two items, 1 the second, 2 a tie, -1 where it is missing."""
    found = factor(name, values)
    place = {id_: i for i, id_ in enumerate(ids.tolist())}
    tie = len(ids)
    table = [place.get(id_, tie if id_ == "tie" else _OTHER) for id_ in found.values.tolist()]
    placed = np.array([*table, MISSING])[found.codes]
    codes = np.full(len(placed), _OTHER)
    for code, value in enumerate((*index, np.full(len(placed), tie))):
        codes[placed == value] = code
    codes[placed == MISSING] = MISSING
    if np.any(other := codes == _OTHER):
        row = int(np.argmax(other))
        wrong, two = found.values.tolist()[found.codes[row]], ids[index[:, row]].tolist()
        raise ComparisonError(
            f"`{name}` must be one of the two items, or 'tie' (other words for them are given by `choices=`).",
            f"{shown(wrong)} for the items {shown(two[0])} and {shown(two[1])}",
            row,
        )
    return codes


def _first(shown_first: Any, ids: np.ndarray, index: np.ndarray) -> np.ndarray:
    """0 where the annotator saw the first of two items first, 1 where the second."""
    seen = column("shown_first", shown_first)
    if len(seen) != index.shape[1]:
        raise ValueError(
            f"`shown_first` must have length {index.shape[1]}, one for each comparison. Received: {len(seen)}"
        )
    found = _sides("shown_first", seen, ids, index)
    if np.any(unknown := (found < 0) | (found > 1)):
        row = int(np.argmax(unknown))
        raise ComparisonError("`shown_first` must be one of the two items.", shown(seen.tolist()[row]), row)
    return found


def _choices(said: np.ndarray, choices: Sequence[Hashable]) -> np.ndarray:
    words = id_array("choices", choices)
    if len(words) not in (2, 3):
        raise ValueError(
            "`choices` must be two words, for `item_a` and `item_b`, and a third for a tie if there are ties. "
            f"Received: choices={choices!r}"
        )
    found = factor("winner", said)
    place = {word: i for i, word in enumerate(words.tolist())}
    codes = np.array([*(place.get(word, _OTHER) for word in found.values.tolist()), MISSING])[found.codes]
    if np.any(other := codes == _OTHER):
        row = int(np.argmax(other))
        raise ComparisonError(f"`winner` must be one of {choices!r}.", shown(said.tolist()[row]), row)
    return codes


def _number_of_choices(codes: np.ndarray, ties: bool | None, choices: Sequence[Hashable] | None) -> int:
    tied = codes == 2
    if ties is False and np.any(tied):
        raise ComparisonError(
            "`winner` must hold no ties with ties=False.", str(int(tied.sum())), int(np.argmax(tied))
        )
    if ties is None:
        ties = bool(np.any(tied)) if choices is None else len(choices) == 3
    return 3 if ties else 2


def _refuse_repeated(read: Read, rows: np.ndarray) -> None:
    """Refuses two answers of an annotator to a pair in the same order; `rows` are those of the comparisons."""
    repeated = repeated_rows(read.item_index, read.annotator_index, len(read.annotators))
    if repeated is None:
        return
    who, pair = read.annotator_index[repeated[1]], read.item_index[repeated[1]]
    raise ComparisonError(
        "An annotator must compare a pair at most once in the same order "
        "(or `duplicates='first'`, 'last' or 'majority').",
        f"annotator {shown(read.annotators.tolist()[who])} and pair {shown(read.items.tolist()[pair])} again",
        int(rows[repeated[1]]),
    )


def _as_list(pairs: Any) -> list[Any]:
    if isinstance(pairs, np.ndarray) and pairs.ndim == 2:
        return list(map(tuple, pairs.tolist()))
    return pairs.tolist() if isinstance(pairs, np.ndarray) else list(pairs)


def _as_pairs(pairs: Any) -> list[Any] | None:
    return None if pairs is None else _as_list(pairs)
