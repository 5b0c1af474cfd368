"""Annotations of several sources as one; the function becomes a class method of `Annotations`."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from ._answer_kind import AnswerKind
from ._duplicates import kept_rows
from ._ids import id_array
from ._long_form import LongForm, Read
from ._rules import Duplicates


def concat(parts: Sequence[LongForm], *, duplicates: Duplicates = "error") -> Read:
    """Joins what was read from several files: batches, pools, iterations.

    Items, annotators and classes are those of all parts, in the order in which they come first. Who has the same id
    in two parts is the same; `select(items=...)` brings the items into the order of your features.

    Args:
        parts: `Annotations`, all of classes or all of numbers (`ratings=True` makes readers take whole numbers for
            ratings).
        duplicates: What to do when an annotator answered an item in several parts, as for `from_coo`; the first is that
            of the first part. Defaults to `"error"`.

    Raises:
        ValueError: When there are no parts, classes and numbers are mixed, an annotator answered an item twice, or an
            id is a number in one part and the same text in another (7 and "7").

    Example:

    >>> first = keras_crowd.Annotations.from_coo(["a", "b"], ["ann", "ann"], ["cat", "dog"])
    >>> second = keras_crowd.Annotations.from_coo(["b", "c"], ["bob", "bob"], ["owl", "cat"])
    >>> joined = keras_crowd.Annotations.concat([first, second])
    >>> joined.items.tolist(), joined.classes.tolist(), joined.dense().tolist()
    (['a', 'b', 'c'], ['cat', 'dog', 'owl'], [[0, -1], [1, 2], [-1, 0]])
    """
    parts = list(parts)
    are_parts = all(isinstance(part, LongForm) for part in parts)
    if not are_parts or len({type(part.kind) for part in parts}) != 1:
        raise ValueError(
            "`parts` must be `Annotations`, at least one, all of classes or all of numbers "
            "(`ratings=True` makes readers take whole numbers for ratings). "
            f"Received: {', '.join(map(repr, parts[:5])) or 'none'}"
        )
    items, item = _joined("items", parts, "item_index")
    annotators, annotator = _joined("annotators", parts, "annotator_index")
    classes, answer, kind = _joined_answers(parts)
    kept = kept_rows(item, annotator, answer, len(annotators), duplicates, kind)
    return Read(item[kept], annotator[kept], answer[kept], items, annotators, classes, kind)


def _joined_answers(parts: Sequence[LongForm]) -> tuple[np.ndarray | None, np.ndarray, AnswerKind]:
    """The classes of all parts, if there are any; each answer, its classes among these; and their kind."""
    first = parts[0].kind
    if not first.has_classes:
        return None, np.concatenate([part.answers for part in parts]), first
    classes, positions = _vocabulary("classes", parts)
    kind = first.union([part.kind for part in parts], len(classes))
    answers = [
        part.kind.recoded(part.answers, places, kind) for part, places in zip(parts, positions, strict=True)
    ]
    return classes, np.concatenate(answers), kind


def _joined(name: str, parts: Sequence[LongForm], index_name: str) -> tuple[np.ndarray, np.ndarray]:
    """The ids of all parts, and the position among them of each answer's."""
    ids, positions = _vocabulary(name, parts)
    index = [new[getattr(part, index_name)] for new, part in zip(positions, parts, strict=True)]
    return ids, np.concatenate(index)


def _vocabulary(name: str, parts: Sequence[LongForm]) -> tuple[np.ndarray, list[np.ndarray]]:
    """The ids of all parts, and where among them each part's are."""
    ids: dict[Hashable, int] = {}
    positions = [
        np.array([ids.setdefault(id_, len(ids)) for id_ in getattr(part, name).tolist()], np.intp)
        for part in parts
    ]
    texts = {str(id_) for id_ in ids if not isinstance(id_, str)}
    both = next((id_ for id_ in ids if isinstance(id_, str) and id_ in texts), None)
    if both is not None:
        raise ValueError(
            f"`{name}` must be of one kind in all parts. Received: {both!r} as text and as something else "
            f"(give the readers `{name}=`)"
        )
    return id_array(name, ids), positions
