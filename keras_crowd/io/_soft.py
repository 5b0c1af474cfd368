"""Soft answers in tables: a column of probabilities for each class, or one of JSON objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .._arguments import SUM_TOLERANCE
from ..annotations import (
    NUMBER,
    Annotations,
    Distributions,
    distributions_of,
    in_place_of_codes,
    refuse_majority,
    with_typed_keys,
)
from ._names import refuse_same_names, texts
from ._opened import FILE
from ._parquet import parquet_batches
from ._row_builder import Rows, refuse
from ._rows import assemble
from ._tables import plain
from ._text import parsed_json

Record = tuple[int, list[Any]]


def soft_names(probabilities: str | Sequence[str]) -> tuple[str, ...]:
    """The columns of soft answers: one of JSON objects, or two and more of probabilities."""
    names = texts("probabilities", probabilities)
    refuse_same_names(*names)
    if len(names) < 2 and not isinstance(probabilities, str):
        raise ValueError(
            "`probabilities` must be the names of two or more columns, one for each class, or the name of one column "
            f"of JSON objects. Received: probabilities={probabilities!r}"
        )
    return names


def read_soft(
    path: FILE,
    records: Iterable[Record],
    names: Sequence[str],
    collect: Callable[[Iterator[Record]], Rows],
    noun: str,
    missing: Sequence[str],
    **rules: Any,
) -> Annotations:
    """`Annotations` of the rows of a table.

    Args:
        path: The file.
        records: Number and fields of each row: ids, then those of the soft answer.
        names: What the latter are called.
        collect: Makes `Rows` of records with one answer.
        noun: String. What a row is called, for messages.
        missing: Texts that mean "did not answer".
        **rules: As for `read_long`.
    """
    if rules.pop("ratings", False):
        raise ValueError(
            "`ratings=True` is for numbers, `probabilities=` for soft answers: give one of them."
        )
    refuse_majority(rules.get("duplicates", "error"), "soft")
    classes, unknown = rules.pop("classes", None), rules.pop("unknown", "error")
    parser = _Parser(str(path), names, noun, missing)
    numbers, ids, answers = [], [], []
    for number, fields in records:
        numbers.append(number)
        ids.append(fields[: -len(names)])
        answers.append(parser(fields[-len(names) :], number))
    found = _distributions(str(path), answers, names, classes, unknown)
    given: list[bool] = found.rows.any(axis=1).tolist()  # type: ignore[assignment]
    places = (
        (number, [*ids[i], i if given[i] else None]) for i, number in enumerate(numbers)
    )  # the number of a row stands for its answer
    return in_place_of_codes(assemble(collect(places), **rules), found)


def parquet_records(path: FILE, columns: Sequence[str]) -> Iterator[Record]:
    """Number and fields of each row of a Parquet file."""
    row = 0
    for batch in parquet_batches(path, columns):
        for values in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
            row += 1
            yield row, [None if value != value else value for value in values]


def soft_columns(
    annotations: Annotations, answer: str, probabilities: Sequence[str] | None, as_text: bool
) -> dict[str, Any]:
    """Columns to write: probabilities of each class under names that are given, or objects `{class: probability}`."""
    soft = annotations.soft()
    classes = [str(id_) for id_ in plain("classes", soft.classes)]
    if probabilities is not None:
        names = soft_names(list(probabilities))
        if len(names) != len(classes):
            raise ValueError(
                f"`probabilities` must name {len(classes)} columns, one for each class. Received: {len(names)}"
            )
        return dict(zip(names, soft.answers.T, strict=True))
    refuse_same_names(*classes)
    rows = [
        {classes[k]: float(str(row[k])) for k in np.flatnonzero(row)} for row in soft.answers
    ]  # 0.1, not 0.10000000149011612
    return {answer: [json.dumps(row, ensure_ascii=False) for row in rows] if as_text else rows}


class _Parser:
    """The soft answer in the fields of a row: numbers, or an object, or a class; `None` for none."""

    def __init__(self, source: str, names: Sequence[str], noun: str, missing: Sequence[str]) -> None:
        self.source, self.names, self.noun = source, names, noun
        self.missing = frozenset(missing)

    def __call__(self, fields: Sequence[Any], number: int) -> Any:
        given = [None if isinstance(field, str) and field in self.missing else field for field in fields]
        if all(field is None for field in given):
            return None
        place = f"{self.noun} {number}"
        return self._object(given[0], place) if len(self.names) == 1 else self._row(given, place)

    def _row(self, fields: Sequence[Any], place: str) -> np.ndarray | None:
        numbers = [
            self._probability(name, field, place) for name, field in zip(self.names, fields, strict=True)
        ]
        return np.array(numbers) if self._is_distribution(numbers, place) else None

    def _object(self, field: Any, place: str) -> Any:
        if isinstance(field, str) and field.lstrip().startswith("{"):
            field = parsed_json(field, f"{self.source}, {place}, {self.names[0]!r}")
        if not isinstance(field, dict):
            if isinstance(field, list):
                refuse(
                    self.source, place, self.names[0], "an object {class: probability}, or a class", field
                )
            return field
        found = {
            key: self._probability(self.names[0], p, place) for key, p in field.items() if p is not None
        }
        return found if self._is_distribution(list(found.values()), place) else None

    def _probability(self, name: str, field: Any, place: str) -> float:
        number = float(field) if isinstance(field, str) and NUMBER(field) else field
        if (
            isinstance(number, bool)
            or not isinstance(number, int | float)
            or not 0 <= number <= 1 + SUM_TOLERANCE
        ):
            refuse(self.source, place, name, "a probability", field)
        return float(number)

    def _is_distribution(self, numbers: Sequence[float], place: str) -> bool:
        """Whether there is an answer; refused where it does not sum to 1."""
        if not any(numbers):
            return False
        if not abs(sum(numbers) - 1) <= SUM_TOLERANCE:
            refuse(self.source, place, ", ".join(self.names), "probabilities that sum to 1", list(numbers))
        return True


def _distributions(
    source: str, answers: list[Any], names: Sequence[str], classes: Any, unknown: str
) -> Distributions:
    """Ids of the classes, and a row for each answer."""
    if all(answer is None for answer in answers):
        raise ValueError(f"{source}: expected at least one answer. Received: none in {len(answers)} rows")
    if len(names) > 1:
        nothing = np.zeros(len(names))
        answers = np.array([nothing if answer is None else answer for answer in answers])  # type: ignore[assignment]
        classes = list(names) if classes is None else classes
    else:
        answers = with_typed_keys(answers, classes)
    try:
        return distributions_of(answers, classes, unknown)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error
