"""Tables of comparisons: long ones, chosen and rejected, and rankings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from ..annotations import Annotations, Duplicates, Rankings, from_rankings, objects
from ._comparison_table import ComparisonTable
from ._names import texts
from ._tables import MISSING_TEXTS
from ._text import FILE


def read_preferences(
    path: FILE,
    item_a: str = "item_a",
    item_b: str = "item_b",
    annotator: str | None = "annotator",
    winner: str | None = "winner",
    *,
    shown_first: str | None = None,
    prompt: str | None = None,
    choices: Sequence[Hashable] | None = None,
    ties: bool | None = None,
    grades: int = 1,
    pairs: Sequence[tuple[Hashable, Hashable]] | None = None,
    annotators: Sequence[Hashable] | None = None,
    duplicates: Duplicates = "error",
    missing: str | Sequence[str] = MISSING_TEXTS,
    sep: str | None = None,
    names: Sequence[str] | None = None,
    encoding: str = "utf-8",
) -> Annotations:
    """Reads a table with one row per comparison, in the format of the file's ending.

    | the table | how to read it |
    |---|---|
    | ids of both items and of the winner | `read_preferences(path)`, with the names of the columns |
    | sides, or codes, for the winner | `choices=("left", "right", "tie")`, `choices=(0, 1, 2)` |
    | how much better, from -3 (`item_a`) to 3 (`item_b`) | `grades=3` |
    | crowd-kit's | `read_preferences(path, "left", "right", "worker", "label")` |
    | chosen and rejected, as TRL's | `read_preferences(path, "chosen", "rejected", None, None, prompt="prompt")` |

    Formats are those of `read_long`. Items of JSON Lines and Parquet may be lists of messages, as of conversations;
    their ids are then JSON texts.

    Args:
        path: The file.
        item_a, item_b: Names of the columns of the two items.
        annotator: Name of the column of annotator ids. `None` where the file does not say who answered: annotators are
            then numbers, 0 for the first answer to a pair, 1 for the second and so on, which may be other people for
            each pair. Train with `conn_type="common"` then. Defaults to `"annotator"`.
        winner: Name of the column that says which is better, as `Annotations.from_preferences` takes it. `None` where
            the first item is always the better one (chosen and rejected). The order shown is then not known: each pair
            stands in one order (that of its ids) for all annotators, so leave position biases out of the model.
            Defaults to `"winner"`.
        shown_first: Name of the column of the item that the annotator saw first. Defaults to `None`: `item_a`.
        prompt: Name of a column of what both items answer. Ids of items are then tuples `(prompt, item)`. Defaults to
            `None`.
        choices, ties, grades, pairs, annotators, duplicates: As for `Annotations.from_preferences`.
        missing: Winners in a text format that mean "did not answer", one or several.
        sep, names, encoding: As for `read_long`.

    Returns:
        `Annotations` of preferences.

    Raises:
        ValueError: When the file is malformed, an id is missing, an item is compared with itself, a winner is neither
            of the two, or an annotator compared a pair twice in the same order; the message names file and line.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "votes.csv"
    >>> size = file.write_text("left,right,worker,label\\nx,y,ann,x\\nx,y,bob,tie\\ny,x,bob,x\\n")
    >>> answers = keras_crowd.io.read_preferences(file, "left", "right", "worker", "label")
    >>> answers.items.tolist(), answers.dense().tolist()
    ([('x', 'y'), ('y', 'x')], [[0, 2], [-1, 1]])

    Reference:
        TRL documentation, "Dataset formats" (`prompt`, `chosen`, `rejected`); crowd-kit documentation,
        `NoisyBradleyTerry` (`worker`, `left`, `right`, `label`).
    """
    asked = {"item_a": item_a, "item_b": item_b, "annotator": annotator, "winner": winner}
    asked |= {"shown_first": shown_first, "prompt": prompt}
    table = ComparisonTable(path, asked, texts("missing", missing), sep, names, encoding)
    ids = table.ids(_items_of(pairs, prompt))
    a, b, first = ids["item_a"], ids["item_b"], ids.get("shown_first")
    if winner is None:
        said, choices, ties, first = a, None, bool(ties), _in_one_order(a, b)
    else:
        said = ids["winner"] if choices is None and grades == 1 else table.column("winner", choices)
    who = _places(a, b) if annotator is None else table.column("annotator", annotators)
    rules: dict[str, Any] = {"pairs": pairs, "annotators": annotators, "duplicates": duplicates}
    with table.placed():
        return Annotations.from_preferences(
            a, b, who, said, shown_first=first, choices=choices, ties=ties, grades=grades, **rules
        )


def read_rankings(
    path: FILE,
    item: str = "item",
    annotator: str = "annotator",
    rank: str = "rank",
    *,
    prompt: str | None = None,
    ties: bool | None = None,
    pairs: Sequence[tuple[Hashable, Hashable]] | None = None,
    annotators: Sequence[Hashable] | None = None,
    missing: str | Sequence[str] = MISSING_TEXTS,
    sep: str | None = None,
    names: Sequence[str] | None = None,
    encoding: str = "utf-8",
) -> Rankings:
    """Reads a table with one row for each item of a ranking, and turns each ranking into its pairs.

    Formats are those of `read_long`; `annotations.from_rankings` says what becomes of rankings.

    Args:
        path: The file.
        item, annotator, rank: Names of the columns of item ids, annotator ids and ranks, 1 for the best.
        prompt: Name of the column of what the items were ranked for, where an annotator gave several rankings. Ids of
            items are then tuples `(prompt, item)`. Defaults to `None`.
        ties, pairs, annotators: As for `Annotations.from_preferences`.
        missing: Ranks in a text format that mean "not ranked", one or several.
        sep, names, encoding: As for `read_long`.

    Returns:
        `Rankings(annotations, weights)`.

    Raises:
        ValueError: When the file is malformed, a rank is no number, or an item is ranked twice; the message names file
            and line.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "ranks.csv"
    >>> size = file.write_text("item,annotator,rank\\nx,ann,2\\ny,ann,1\\nz,ann,2\\n")
    >>> found = keras_crowd.io.read_rankings(file)
    >>> found.annotations.items.tolist(), found.annotations.answers.tolist()
    ([('x', 'y'), ('x', 'z'), ('y', 'z')], [1, 2, 0])
    """
    asked = {"item": item, "annotator": annotator, "rank": rank, "prompt": prompt}
    table = ComparisonTable(path, asked, texts("missing", missing), sep, names, encoding)
    items = table.column("item", _items_of(pairs, prompt))
    who = table.column("annotator", annotators)
    prompts = None if prompt is None else table.column("prompt")
    with table.placed():
        return from_rankings(
            items, who, table.ranks(), prompt=prompts, ties=ties, pairs=pairs, annotators=annotators
        )


def _items_of(pairs: Sequence[Any] | None, prompt: str | None) -> list[Any] | None:
    """The ids of items, without prompts, that the pairs a user gives are made of."""
    if pairs is None:
        return None
    ids = [id_ for pair in pairs for id_ in pair]
    return ids if prompt is None else [id_[-1] for id_ in ids if isinstance(id_, tuple)]


def _in_one_order(item_a: np.ndarray, item_b: np.ndarray) -> np.ndarray:
    """Says, for each two items, which one to put first, whichever is better."""
    pairs = zip(item_a.tolist(), item_b.tolist(), strict=True)
    return objects([min(pair, key=str) for pair in pairs])


def _places(item_a: np.ndarray, item_b: np.ndarray) -> np.ndarray:
    """Counts, for each row, how many before it compare the same two items."""
    seen: Counter[frozenset[Any]] = Counter()
    places = []
    for pair in map(frozenset, zip(item_a.tolist(), item_b.tolist(), strict=True)):
        places.append(seen[pair])
        seen[pair] += 1
    return np.array(places, int)
