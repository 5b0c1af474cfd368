"""Rows of sets of labels: joined of single labels, and without the labels that were not shown."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence

import numpy as np

from ._ids import MISSING


def join_labels(
    item: np.ndarray, annotator: np.ndarray, codes: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One set of each annotator's rows about an item.

    Args:
        item, annotator: Codes of both in each row that holds an answer.
        codes: Which of `rows` stands there.
        rows: Different rows of 1 and 0, of one label or none.

    Returns:
        The first row of each set, and the sets, in the order in which they come first.
    """
    key = item.astype(np.int64) * (int(annotator.max(initial=0)) + 1) + annotator
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.append(True, key[order][1:] != key[order][:-1]))
    first = order[starts]
    joined = np.maximum.reduceat(rows[codes[order]], starts, axis=0)
    appearance = np.argsort(first)
    return first[appearance], joined[appearance]


def with_judged(
    answers: np.ndarray,
    item_index: np.ndarray,
    items: np.ndarray,
    labels: np.ndarray,
    judged: Mapping[Hashable, Collection[Hashable]] | None,
) -> np.ndarray:
    """The answers with -1 for the labels that were not shown of the item.

    Raises:
        ValueError: When nothing is said of an item, or a label was ticked that was not shown.
    """
    if judged is None:
        return answers
    position = {label: i for i, label in enumerate(labels.tolist())}
    was_shown = np.zeros((len(items), len(labels)), bool)
    ids = items.tolist()
    for i in np.unique(item_index).tolist():
        if ids[i] not in judged:
            raise ValueError(
                f"`judged` must have the labels shown of every item. Received: none of {ids[i]!r}"
            )
        was_shown[i, [position[label] for label in judged[ids[i]] if label in position]] = True
        if not was_shown[i].any():
            raise ValueError(f"`judged` must have a label of every item. Received: none of {ids[i]!r}")
    wrong = (answers > 0) & ~was_shown[item_index]
    if np.any(wrong):
        row, label = (int(place) for place in np.argwhere(wrong)[0])
        raise ValueError(
            "`judged` must have all labels that were ticked. "
            f"Received: {labels.tolist()[label]!r} ticked of item {ids[item_index[row]]!r}, which it does not list"
        )
    return np.where(was_shown[item_index], answers, MISSING)


def ticks_columns(ticks: Sequence[str] | Mapping[str, Hashable]) -> dict[str, Hashable]:
    """Names of columns, and the label that each is about."""
    labels: dict[str, Hashable] = dict(
        ticks if isinstance(ticks, Mapping) else zip(ticks, ticks, strict=True)
    )
    several = isinstance(ticks, Mapping | list | tuple) and len(labels) == len(ticks) > 0
    if not several or len(set(labels.values())) < len(labels):
        raise ValueError(
            "`ticks` must be the names of the columns, one for each label, or a dict of them and their labels. "
            f"Received: ticks={ticks!r}"
        )
    return labels
