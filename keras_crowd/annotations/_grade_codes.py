"""Names of the answers of preferences, and grades, from `-g` to `g`, as codes from 0."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from .._arguments import shown
from ._ids import MISSING


class ComparisonError(ValueError):
    """A comparison that cannot be read; readers of files put its place there instead of the number of its row."""

    def __init__(self, expected: str, received: str, row: int) -> None:
        super().__init__(f"{expected} Received: {received}, in row {row}")
        self.expected, self.received, self.row = expected, received, row


def class_names(num_classes: int) -> np.ndarray:
    """Ids of the answers: first, second, tie; or grades, without 0 where there is no tie."""
    if num_classes <= 3:
        return np.array(["first", "second", "tie"][:num_classes])
    grades = np.arange(-(num_classes // 2), num_classes // 2 + 1)
    return grades if num_classes % 2 else grades[grades != 0]


def grade_codes(
    said: np.ndarray,
    grades: int,
    ties: bool | None,
    choices: Sequence[Hashable] | None,
    second_first: np.ndarray,
) -> tuple[np.ndarray, int]:
    """Codes of grades, for the item shown first; and how many there are.

    Args:
        said: A grade each, from `-grades` for the first item of the row to `grades` for the second; `None` or `NaN`
            where there is none.
        grades: Integer. The largest grade.
        ties: Boolean. Whether 0 is one; `None` for yes.
        choices: Refused: grades are numbers.
        second_first: 1 in rows whose second item was shown first, 0 in others.
    """
    if choices is not None:
        raise ValueError(f"`choices` must not be given with `grades`. Received: choices={choices!r}")
    ties = ties is not False
    found = np.zeros(len(said), int)
    answered = np.ones(len(said), bool)
    for row, grade in enumerate(said.tolist()):
        if grade is None or grade != grade:
            answered[row] = False
            continue
        whole = isinstance(grade, int | float) and not isinstance(grade, bool) and grade == int(grade)
        if not whole or abs(grade) > grades or (grade == 0 and not ties):
            expected = f"`winner` must be a whole number from {-grades} to {grades}"
            raise ComparisonError(
                f"{expected}{'' if ties else ', and not 0 with ties=False'}.", shown(grade), row
            )
        found[row] = grade
    found = np.where(second_first == 1, -found, found)
    codes = found + grades - (0 if ties else (found > 0))
    return np.where(answered, codes, MISSING), 2 * grades + ties
