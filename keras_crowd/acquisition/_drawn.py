"""Answers that might come next, drawn from a model of the crowd."""

from __future__ import annotations

import numpy as np

from ..annotations import Annotations

_PAIRS = 2**22  # of items and annotators, enumerated up to here


def with_drawn_answers(
    annotations: Annotations,
    truth: np.ndarray,
    confusion: np.ndarray,
    count: int,
    rng: np.random.Generator,
) -> Annotations:
    """The answers and `count` more: items at random, annotators as busy as they were, answers by the confusions."""
    item, annotator = _questions(annotations, count, rng)
    answer = _draw(confusion[annotator, truth[item]], rng)
    if annotations.is_soft:
        answer = np.eye(annotations.num_classes, dtype=annotations.answers.dtype)[answer]
    return Annotations(
        np.concatenate([annotations.item_index, item]),
        np.concatenate([annotations.annotator_index, annotator]),
        np.concatenate([annotations.answers, answer.astype(annotations.answers.dtype)]),
        items=annotations.items,
        annotators=annotations.annotators,
        classes=annotations.classes,
        kind=annotations.kind,
    )


def num_left(annotations: Annotations) -> int:
    """Number of pairs of an item and an annotator without an answer."""
    return annotations.num_items * annotations.num_annotators - len(annotations)


def _questions(
    annotations: Annotations, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Distinct pairs without an answer."""
    size = annotations.num_annotators
    held = annotations.item_index.astype(np.int64) * size + annotations.annotator_index
    busy = annotations.answers_per_annotator() + 1.0
    if annotations.num_items * size <= _PAIRS:
        free = np.setdiff1d(np.arange(annotations.num_items * size), held)
        late = (
            rng.exponential(size=len(free)) / busy[free % size]
        )  # the first of these are drawn without repeats
        keys = free[np.argpartition(late, count - 1)[:count]]
    else:
        keys = np.empty(0, np.int64)
        while len(keys) < count:
            item = rng.integers(annotations.num_items, size=count)
            fresh = item * size + rng.choice(size, count, p=busy / busy.sum())
            keys = np.union1d(keys, fresh[~np.isin(fresh, held)])
        keys = rng.permutation(keys)[:count]
    item, annotator = np.divmod(keys, size)
    return item, annotator


def _draw(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One class of each distribution."""
    cumulative = rows.cumsum(axis=1)
    return (rng.random((len(rows), 1)) * cumulative[:, -1:] >= cumulative).sum(axis=1)
