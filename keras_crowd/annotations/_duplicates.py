"""Rules for annotators who answered an item more than once, and for answers that are no class."""

from __future__ import annotations

from typing import get_args

import numpy as np

from ._answer_kind import AnswerKind
from ._rules import Duplicates, Unknown


def checked_rule(duplicates: str) -> None:
    """Raises unless there is such a rule."""
    if duplicates not in get_args(Duplicates):
        raise ValueError(
            f"`duplicates` must be one of {', '.join(map(repr, get_args(Duplicates)))}. "
            f"Received: duplicates={duplicates!r}"
        )


def checked_unknown(unknown: str) -> None:
    """Raises unless there is such a rule."""
    if unknown not in get_args(Unknown):
        raise ValueError(f"`unknown` must be 'error' or 'drop'. Received: unknown={unknown!r}")


def refuse_majority(duplicates: str, kind: str) -> None:
    """Raises where of several answers that are no classes the one given most often should count."""
    if duplicates == "majority":
        raise ValueError(f"`duplicates='majority'` is for classes. Received: {kind} answers")


def kept_rows(
    item: np.ndarray,
    annotator: np.ndarray,
    answer: np.ndarray,
    num_annotators: int,
    duplicates: str,
    kind: AnswerKind,
) -> np.ndarray | slice:
    """Positions of the answers to keep, one for each item and annotator; all of them under "error".

    "majority" keeps the answer given most often, of those given equally often the one given first.
    """
    checked_rule(duplicates)
    if duplicates == "error":
        return slice(None)
    if not kind.countable:
        refuse_majority(duplicates, "soft" if kind.has_classes else kind.describe())
    key = item.astype(np.int64) * num_annotators + annotator
    if duplicates == "majority":
        return _most_frequent(key, answer)
    order = np.argsort(key, kind="stable")
    start = _run_starts(key[order])
    return order[start if duplicates == "first" else np.append(start[1:], len(order)) - 1]


def repeated_rows(item: np.ndarray, annotator: np.ndarray, num_annotators: int) -> tuple[int, int] | None:
    """The first two answers by the same annotator to the same item, if any."""
    key = item.astype(np.int64) * num_annotators + annotator
    order = np.argsort(key, kind="stable")
    again = np.flatnonzero(key[order][1:] == key[order][:-1])
    if len(again) == 0:
        return None
    second = again[np.argmin(order[again + 1])]
    return int(order[second]), int(order[second + 1])


def _most_frequent(key: np.ndarray, answer: np.ndarray) -> np.ndarray:
    order = np.lexsort((answer, key))  # stable: within equal answers as they were given
    start = _run_starts(key[order], answer[order])
    count, first = np.diff(np.append(start, len(order))), order[start]
    best = np.lexsort((first, -count, key[first]))
    return first[best][_run_starts(key[first][best])]


def _run_starts(*columns: np.ndarray) -> np.ndarray:
    """Marks the rows at which sorted columns change."""
    changes = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return np.flatnonzero(np.append(True, changes))
