"""Label Studio: its pairwise template as preferences."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from ..annotations import Annotations, ComparisonError, Duplicates, objects
from ._label_studio import annotator_of
from ._label_studio_results import answers, kept_annotations, only_control, read_tasks
from ._opened import FILE
from ._text import follow, scalar


def read_label_studio_pairs(
    path: FILE,
    item_a: str,
    item_b: str,
    from_name: str | None = None,
    *,
    choices: Sequence[Hashable] = ("left", "right"),
    pairs: Sequence[tuple[Hashable, Hashable]] | None = None,
    annotators: Sequence[Hashable] | None = None,
    duplicates: Duplicates = "error",
    encoding: str = "utf-8",
) -> Annotations:
    """Reads comparisons from the JSON export of Label Studio, as preferences between the two items of each task.

    Answers are the results of a `Pairwise` control ("left" or "right"), or of `Choices` with one choice, whose words
    `choices=` gives: that is how a tie can be answered. The item on the left counts as the one shown first. Two tasks
    of the same two items in the same order are one pair. `read_label_studio` reads the same answers as classes of
    tasks.

    Args:
        path: The file.
        item_a, item_b: Keys of the items on the left and on the right, joined by dots, as in `"data.left_id"`.
        from_name: String. Name of the control to read, where there are several. Defaults to `None`: the only one.
        choices: What the control says for the left item, the right one and, if there are ties, a tie. Defaults to
            `("left", "right")`.
        pairs, annotators, duplicates: As for `Annotations.from_preferences`.
        encoding: String. Encoding of the file. Defaults to `"utf-8"`.

    Returns:
        `Annotations` of preferences.

    Raises:
        ValueError: When the file is malformed, or holds no such comparisons; the message names task and annotation.

    Example:

    >>> import json, pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "export.json"
    >>> result = {"from_name": "better", "to_name": "l,r", "type": "pairwise", "value": {"selected": "right"}}
    >>> task = {"id": 7, "data": {"l": "x", "r": "y"}, "annotations": [{"completed_by": 1, "result": [result]}]}
    >>> size = file.write_text(json.dumps([task]))
    >>> answers = keras_crowd.io.read_label_studio_pairs(file, "data.l", "data.r")
    >>> answers.items.tolist(), answers.ids().tolist()
    ([('x', 'y')], ['second'])

    Reference:
        Label Studio documentation, "Pairwise" (`selected`) and "Label Studio JSON format of annotated tasks".
    """
    tasks = read_tasks(path, encoding)
    from_name = from_name or only_control(path, tasks, "annotations")
    rows: list[tuple[Any, Any, Any, Any]] = []
    places = []
    for place, task in tasks:
        two = [scalar(follow(task, key, place), f"{place}, {key!r}") for key in (item_a, item_b)]
        for one, annotation in kept_annotations(task, "annotations", place):
            place_of_one = f"{place}, annotation {one}"
            for said in answers(annotation, from_name, place_of_one):
                who = scalar(annotator_of(annotation), f"{place_of_one}, 'completed_by'")
                rows.append((*two, who, said))
                places.append(place_of_one)
    if not rows:
        raise ValueError(f"{path}: expected at least one answer of {from_name!r}. Received: none")
    columns = [objects(list(values)) for values in zip(*rows, strict=True)]
    rules: dict[str, Any] = {"pairs": pairs, "annotators": annotators, "duplicates": duplicates}
    try:
        return Annotations.from_preferences(*columns, choices=choices, **rules)
    except ComparisonError as error:
        raise ValueError(f"{places[error.row]}: {error.expected} Received: {error.received}") from error
