"""Argilla: its ranking questions as preferences."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from ..annotations import ComparisonError, Rankings, from_rankings, objects
from ._opened import FILE
from ._text import expect, follow, read_objects, required, scalar


def read_argilla_rankings(
    path: FILE,
    question: str,
    prompt: str = "id",
    *,
    ties: bool | None = None,
    pairs: Sequence[tuple[Hashable, Hashable]] | None = None,
    annotators: Sequence[Hashable] | None = None,
    encoding: str = "utf-8",
) -> Rankings:
    """Reads the responses to a ranking question of Argilla, and turns each ranking into its pairs.

    The file is a list of records. As `dataset.records.to_json(path)` of Argilla 2 writes them, their responses are
    `{question: [{"value": ["b", "a"], "user_id": ...}]}`, the best first. As the server has them, and exports of
    Argilla 1, they are `[{"user_id": ..., "values": {question: {"value": [{"value": "b", "rank": 1}, ...]}}}]`.

    A list of values has no ties; with ranks, equal ones are ties. Responses whose status is not "submitted" are left
    out. Ids of items are tuples `(prompt, value)`, since the values of a question are the same in all records.
    `annotations.from_rankings` says what becomes of rankings.

    Args:
        path: The file.
        question: Name of the ranking question.
        prompt: String. Key of what names a record in the ids of its items, joined by dots, as in `"fields.prompt"` or
            `"metadata.key"`. Defaults to `"id"`.
        ties, pairs, annotators: As for `Annotations.from_preferences`.
        encoding: String. Encoding of the file. Defaults to `"utf-8"`.

    Returns:
        `Rankings(annotations, weights)`.

    Raises:
        ValueError: When the file is malformed, or holds no such rankings; the message names record and response.

    Example:

    >>> import json, pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "records.json"
    >>> responses = {"better": [{"value": ["b", "a"], "user_id": "ann"}]}
    >>> size = file.write_text(json.dumps([{"id": "p", "fields": {}, "responses": responses}]))
    >>> found = keras_crowd.io.read_argilla_rankings(file, "better")
    >>> found.annotations.items.tolist(), found.annotations.ids().tolist()
    ([(('p', 'a'), ('p', 'b'))], ['second'])

    Reference:
        Argilla documentation, "Import and export datasets" and "Response".
    """
    rows: list[tuple[Any, Any, Any, Any]] = []
    places: list[str] = []
    for place, record in read_objects(path, "record", lambda record, place: None, encoding):
        of_record = scalar(follow(record, prompt, place), f"{place}, {prompt!r}")
        for place_of_one, who, value in _responses(record, question, place):
            for said, rank in _ranks(value, place_of_one):
                rows.append((said, who, rank, of_record))
                places.append(place_of_one)
    if not rows:
        raise ValueError(f"{path}: expected at least one ranking of {question!r}. Received: none")
    item, annotator, rank, prompts = (objects(list(values)) for values in zip(*rows, strict=True))
    try:
        return from_rankings(
            item, annotator, rank, prompt=prompts, ties=ties, pairs=pairs, annotators=annotators
        )
    except ComparisonError as error:
        raise ValueError(f"{places[error.row]}: {error.expected} Received: {error.received}") from error


def _responses(record: dict[str, Any], question: str, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Place, annotator and value of each response to the question that was submitted."""
    given = record.get("responses")
    if isinstance(given, dict):
        given = given.get(question)
        of_server = False
    else:
        of_server = True
    for number, response in enumerate(expect(list, given or [], f"{place}, 'responses'"), 1):
        place_of_one = f"{place}, response {number}"
        if expect(dict, response, place_of_one).get("status") not in (None, "submitted"):
            continue
        if of_server:
            values = expect(dict, response.get("values") or {}, f"{place_of_one}, 'values'")
            if question not in values:
                continue
            value = required(expect(dict, values[question], place_of_one), "value", place_of_one)
        else:
            value = required(response, "value", place_of_one)
        who = scalar(required(response, "user_id", place_of_one), f"{place_of_one}, 'user_id'")
        yield place_of_one, who, value


def _ranks(value: Any, place: str) -> Iterator[tuple[Any, Any]]:
    """Each value of a ranking and its rank, which is its place in a list without ranks."""
    for number, said in enumerate(expect(list, value, place), 1):
        if isinstance(said, dict):
            yield scalar(required(said, "value", place), place), required(said, "rank", place)
        else:
            yield expect(str, said, place), number
