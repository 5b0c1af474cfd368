"""Files of preferences: comparisons, chosen and rejected, scores."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from ..annotations import Annotations, by_ids, column, objects, without_grades
from ._estimates import labels
from ._names import refuse_same_names
from ._opened import FILE
from ._tables import format_of, write_json_lines, write_table


def write_preferences(
    path: FILE,
    annotations: Annotations,
    item_a: str = "item_a",
    item_b: str = "item_b",
    annotator: str = "annotator",
    winner: str = "winner",
    *,
    prompt: str | None = None,
    choices: Sequence[Any] | None = None,
    encoding: str = "utf-8",
    escape_formulas: bool = False,
) -> None:
    """Writes one row per comparison, in the format of the file's ending; `read_preferences` reads it.

    The item shown first is `item_a`. `item_a="left", item_b="right", annotator="worker", winner="label"` is crowd-kit's
    frame.

    Args:
        path: The file, as for `write_long`.
        annotations: `Annotations` of preferences, hard ones.
        item_a, item_b, annotator, winner: Names of the columns. The winner is the id of the better item, or "tie"; of
            graded preferences it is the grade.
        choices: What to write as the winner in place of ids: for the item shown first, for the second one and for a
            tie, as `(0, 1, 2)`. Needed for ids that are numbers, with ties, in JSON Lines and Parquet, whose columns
            are of one type. Defaults to `None`.
        prompt: Name of the column of prompts, where ids are tuples `(prompt, item)`. Defaults to `None`.
        encoding, escape_formulas: As for `write_long`.

    Raises:
        ValueError: When the answers are no preferences, or soft, or `choices` are too few.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "votes.csv"
    >>> answers = keras_crowd.Annotations.from_preferences(["x", "y"], ["y", "z"], ["ann", "bob"], ["y", "tie"])
    >>> keras_crowd.io.write_preferences(file, answers)
    >>> print(file.read_text())
    item_a,item_b,annotator,winner
    x,y,ann,y
    y,z,bob,tie
    """
    hard = _checked(annotations)
    if hard.is_soft:
        raise ValueError(
            "`annotations` must be hard preferences (`annotations.hard()`). Received: soft ones"
        )
    refuse_same_names(*([] if prompt is None else [prompt]), item_a, item_b, annotator, winner)
    two, prompts = _items(hard, prompt)
    if choices is not None and len(choices) < hard.num_classes:
        raise ValueError(
            f"`choices` must be {hard.num_classes} words or codes. Received: choices={choices!r}"
        )
    graded = hard.num_classes > 3
    words = np.asarray(hard.classes).tolist() if graded and choices is None else choices
    sides = [[*pair, "tie"] if words is None else words for pair in two]
    first, second = (np.array([pair[k] for pair in two], object)[hard.item_index] for k in (0, 1))
    said = [sides[i][code] for i, code in zip(hard.item_index.tolist(), hard.answers.tolist(), strict=True)]
    who = hard.annotators[hard.annotator_index]
    columns = {} if prompt is None else {prompt: objects(prompts)[hard.item_index]}
    columns |= {item_a: first, item_b: second, annotator: who, winner: said}
    write_table(path, columns, encoding, escape_formulas)


def write_chosen_rejected(
    path: FILE,
    annotations: Annotations,
    estimates: Any,
    chosen: str = "chosen",
    rejected: str = "rejected",
    *,
    prompt: str | None = None,
    confidence: str | None = "confidence",
    contents: Mapping[Hashable, Any] | None = None,
    encoding: str = "utf-8",
) -> None:
    """Writes one row per pair, the better item and the other one, as trainers of reward models take them.

    Pairs whose likeliest answer is a tie, or that have no estimate, are left out. A pair in both orders is two rows.

    Args:
        path: The file, as for `write_long`.
        annotations: `Annotations` of preferences, whose pairs the estimates are of.
        estimates: Probabilities that the first and that the second item is better `(pairs, 2)`, as
            `aggregation.pair_posterior` gives them, or of a tie as well `(pairs, 3)`; or codes `(pairs,)`: 0 first, 1
            second, 2 tie, `-1` for none.
        chosen, rejected: Names of the columns.
        prompt: Name of the column of prompts, where ids are tuples `(prompt, item)`. Defaults to `None`.
        confidence: Name of the column of the probability of the answer, which is there for probabilities only. `None`
            leaves it out. Defaults to `"confidence"`.
        contents: What to write in the place of ids, such as texts; for `.jsonl` lists of messages as well. Defaults to
            `None`: the ids.
        encoding: String. Encoding of a text format. Defaults to `"utf-8"`.

    Raises:
        ValueError: When the answers are no preferences, or `estimates` do not fit them.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "pairs.jsonl"
    >>> answers = keras_crowd.Annotations.from_preferences(["x", "y"], ["y", "z"], ["ann", "bob"], ["x", "z"])
    >>> keras_crowd.io.write_chosen_rejected(
    ...     file, answers, [[0.1, 0.9], [0.8, 0.2]], contents={"x": "Yes.", "y": "No.", "z": "Perhaps."})
    >>> print(file.read_text())
    {"chosen": "No.", "rejected": "Yes.", "confidence": 0.9}
    {"chosen": "No.", "rejected": "Perhaps.", "confidence": 0.8}

    Reference:
        TRL documentation, "Dataset formats": preference (`prompt`, `chosen`, `rejected`).
    """
    preferences = without_grades(_checked(annotations))
    found = labels(preferences, _with_no_ties(preferences, estimates))
    two, prompts = _items(preferences, prompt)
    names = [*([] if prompt is None else [prompt]), chosen, rejected]
    confident = confidence is not None and found.probabilities is not None
    names += [confidence] if confident and confidence is not None else []
    refuse_same_names(*names)
    rows = []
    for i, code in enumerate(found.codes or []):
        if code in (0, 1):
            better, other = (_content(contents, id_) for id_ in (two[i][code], two[i][1 - code]))
            row = [] if prompt is None else [prompts[i]]
            rows.append([*row, better, other, *([found.confidences[i]] if confident else [])])
    if not rows:
        raise ValueError("`estimates` must prefer one item in at least one pair. Received: none that does")
    if format_of(path) == "jsonl":
        write_json_lines(path, (dict(zip(names, row, strict=True)) for row in rows), encoding)
        return
    write_table(path, dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)), encoding)


def write_scores(
    path: FILE,
    items: Any,
    scores: Any,
    item: str = "item",
    score: str = "score",
    *,
    encoding: str = "utf-8",
    escape_formulas: bool = False,
    **columns: Any,
) -> None:
    """Writes one row per item and its score, from the best to the worst.

    Args:
        path: The file, as for `write_long`.
        items: Ids of the items, `(items,)`, such as `found.items` of `aggregation.bradley_terry`.
        scores: Score of each item, `(items,)`, or `(items, 1)` as a scorer predicts them.
        item, score: Names of the columns.
        encoding, escape_formulas: As for `write_long`.
        **columns: More columns, `(items,)` each, such as `standard_error=found.standard_error, group=found.groups`.

    Raises:
        ValueError: When a column does not have one value for each item.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "scores.csv"
    >>> keras_crowd.io.write_scores(file, ["x", "y"], [-0.5, 0.5], standard_error=[0.1, 0.2])
    >>> print(file.read_text())
    item,score,standard_error
    y,0.5,0.2
    x,-0.5,0.1
    """
    refuse_same_names(item, score, *columns)
    values = np.asarray(scores)
    found = {item: column("items", items), score: values[:, 0] if values.shape[1:] == (1,) else values}
    found |= {name: np.asarray(values) for name, values in columns.items()}
    size = len(found[item])
    for name, values in found.items():
        if values.shape != (size,):
            raise ValueError(
                f"`{name}` must have one value for each of {size} items. Received: shape {values.shape}"
            )
    order = np.argsort(-found[score].astype(float), kind="stable")
    write_table(path, {name: values[order] for name, values in found.items()}, encoding, escape_formulas)


def _checked(annotations: Annotations) -> Annotations:
    if annotations.kind.name != "preferences":
        raise ValueError(f"`annotations` must be of preferences. Received: {annotations!r}")
    return annotations


def _with_no_ties(annotations: Annotations, estimates: Any) -> Any:
    """Probabilities of the two items, which say nothing of ties, as those of all answers."""
    found = np.asarray(by_ids("estimates", estimates, annotations))
    if annotations.num_classes == 3 and found.shape == (annotations.num_items, 2):
        return np.pad(found, ((0, 0), (0, 1)))
    return found


def _items(annotations: Annotations, prompt: str | None) -> tuple[list[Any], list[Any]]:
    """The ids of the two items of each pair, without prompts if these are asked for; and the prompts."""
    pairs = annotations.items.tolist()
    if prompt is None:
        return pairs, []
    for pair in pairs:
        if any(not isinstance(id_, tuple) or len(id_) != 2 for id_ in pair) or pair[0][0] != pair[1][0]:
            raise ValueError(
                "`prompt` is for ids that are tuples (prompt, item), of one prompt in each pair. "
                f"Received: the pair {pair!r}"
            )
    return [tuple(id_[1] for id_ in pair) for pair in pairs], [pair[0][0] for pair in pairs]


def _content(contents: Mapping[Hashable, Any] | None, id_: Any) -> Any:
    if contents is None:
        return id_
    if id_ not in contents:
        raise ValueError(f"`contents` must have all items of the pairs. Received: none for {id_!r}")
    return contents[id_]
