"""Rankings as preferences: each ranking becomes its pairs."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .._arguments import shown
from ._container import Annotations
from ._factors import encode
from ._grade_codes import ComparisonError
from ._ids import MISSING, column, objects
from ._tuples import id_column, joined_codes

_LARGEST = sys.float_info.max  # compared with integers of any size, as a NumPy number cannot be


class Rankings(NamedTuple):
    """Result of `from_rankings`.

    Attributes:
        annotations: The pairs of all rankings, as preferences.
        weights: Weight of each answer, in the order of `annotations.answers`: 2 / n in a ranking of n items, so that
            its n (n - 1) / 2 pairs count as n - 1 comparisons.

    Example:

    >>> found = keras_crowd.annotations.from_rankings(["x", "y", "z"], ["ann", "ann", "ann"], [1, 3, 2])
    >>> found.pair_weights().round(2).tolist()
    [0.67, 0.67, 0.67]
    """

    annotations: Annotations
    weights: np.ndarray

    def pair_weights(self) -> np.ndarray:
        """Returns the mean weight of the answers to each pair, `(num_items,)`: `sample_weight` for `fit`.

        Weights differ within a pair only where annotators ranked sets of different sizes that have it in common.
        """
        answers = self.annotations
        total = np.bincount(answers.item_index, self.weights, answers.num_items)
        return total / np.maximum(answers.answers_per_item(), 1)


def from_rankings(
    item: Any,
    annotator: Any,
    rank: Any,
    *,
    prompt: Any = None,
    ties: bool | None = None,
    pairs: Sequence[tuple[Hashable, Hashable]] | None = None,
    annotators: Sequence[Hashable] | None = None,
) -> Rankings:
    """Reads rankings, one row for each item of a ranking, and turns each ranking into its pairs.

    Pairs of a ranking depend on each other: who finds a better than b and b better than c cannot but find a better than
    c. A ranking of n items is n - 1 choices, of the best among those that are left, so each of its pairs weighs 2 / n.
    The order in which the items were shown is not known; each pair stands in one order for all annotators, so leave
    position biases out of the model.

    Args:
        item: Item id of each row.
        annotator: Annotator id of each row.
        rank: Rank of the item, a number, 1 for the best. Equal ranks are ties. `NaN` or `None` for an item that was
            not ranked.
        prompt: What the items were ranked for (a prompt, a question), where an annotator gave several rankings. Ids
            are then tuples `(prompt, item)`. Defaults to `None`: each annotator gave one ranking.
        ties, pairs, annotators: As for `Annotations.from_preferences`.

    Returns:
        `Rankings(annotations, weights)`.

    Raises:
        ValueError: When lengths disagree, a rank is no number, an item is ranked twice in one ranking, or no ranking
            has two items.

    Example:

    >>> found = keras_crowd.annotations.from_rankings(
    ...     ["x", "y", "z", "x", "y"], ["ann", "ann", "ann", "bob", "bob"], [1, 2, 3, 2, 1])
    >>> found.annotations.items.tolist(), found.annotations.dense().tolist()
    ([('x', 'y'), ('x', 'z'), ('y', 'z')], [[0, 1], [0, -1], [0, -1]])
    >>> found.weights.round(2).tolist()
    [0.67, 1.0, 0.67, 0.67]

    Reference:
        R. L. Plackett, "The analysis of permutations", Applied Statistics 24, 1975 (a ranking as n - 1 choices).
    """
    given = {"item": item, "annotator": annotator, "rank": rank}
    given |= {} if prompt is None else {"prompt": prompt}
    columns = {name: column(name, values) for name, values in given.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len({*lengths.values()}) > 1:
        raise ValueError(f"Columns must have the same length. Received: {lengths}")
    ranks = _numbers(columns["rank"])
    ids = id_column(columns, "item" if prompt is None else ["prompt", "item"])
    item_ids, place = encode("item", ids, "", None)
    of_ranking = [name for name in ("prompt", "annotator") if name in columns]
    ranking = joined_codes([(encode(name, columns[name], "", None)[1], len(ids)) for name in of_ranking])[0]
    rows = np.flatnonzero(~np.isnan(ranks))
    rows = rows[np.lexsort((place[rows], ranking[rows]))]
    _refuse_twice(rows, ranking, place, item_ids)
    first, second, weights = _pairs(rows, ranking)
    answers = Annotations.from_preferences(
        objects(item_ids[place[first]].tolist()),
        objects(item_ids[place[second]].tolist()),
        columns["annotator"][first],
        np.array([0, 2, 1])[1 + np.sign(ranks[first] - ranks[second]).astype(int)],
        choices=(0, 1, 2),
        ties=bool(np.any(ranks[first] == ranks[second])) if ties is None else ties,
        pairs=pairs,
        annotators=annotators,
    )
    order = _order_in(answers, place[first], place[second], columns["annotator"][first], item_ids)
    return Rankings(answers, weights[order])


def _numbers(ranks: np.ndarray) -> np.ndarray:
    """Ranks as floats, `NaN` where there is none."""
    found = np.full(len(ranks), np.nan)
    for row, rank in enumerate(ranks.tolist()):
        if rank is None:
            continue
        if isinstance(rank, bool) or not isinstance(rank, int | float) or abs(rank) > _LARGEST:
            raise ComparisonError("`rank` must be numbers, 1 for the best.", shown(rank), row)
        found[row] = rank
    return found


def _refuse_twice(rows: np.ndarray, ranking: np.ndarray, place: np.ndarray, ids: np.ndarray) -> None:
    """Refuses an item that stands twice in a ranking; rows are sorted by both."""
    again = (ranking[rows][1:] == ranking[rows][:-1]) & (place[rows][1:] == place[rows][:-1])
    if np.any(again):
        row = int(rows[1:][np.argmax(again)])
        raise ComparisonError(
            "`item` must stand once in each ranking.", f"{shown(ids.tolist()[place[row]])} again", row
        )


def _pairs(rows: np.ndarray, ranking: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the two items of each pair, and its weight; rows are sorted by ranking."""
    starts = np.flatnonzero(np.diff(ranking[rows], prepend=MISSING))
    sizes = np.diff(np.append(starts, len(rows)))
    if not np.any(sizes > 1):
        raise ValueError(
            "`rank` must hold a ranking of at least two items. "
            f"Received: {len(sizes)} rankings of at most {sizes.max(initial=0)}"
        )
    found = [
        (start + np.array(np.triu_indices(size, 1))) for start, size in zip(starts, sizes, strict=True)
    ]
    weights = np.repeat(2 / sizes, sizes * (sizes - 1) // 2)
    first, second = rows[np.concatenate(found, axis=1)]
    return first, second, weights


def _order_in(
    answers: Annotations, first: np.ndarray, second: np.ndarray, annotator: np.ndarray, ids: np.ndarray
) -> np.ndarray:
    """Finds the comparison that each answer belongs to."""
    pair_ids, who_ids = answers.items.tolist(), answers.annotators.tolist()
    pair = {id_: i for i, id_ in enumerate(pair_ids)}
    who = {id_: i for i, id_ in enumerate(who_ids)}
    named = ids.tolist()
    pair_of = [pair[named[a], named[b]] for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    return np.lexsort(([who[id_] for id_ in annotator.tolist()], pair_of))
