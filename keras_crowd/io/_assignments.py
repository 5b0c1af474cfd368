"""Assignments of a platform that are read, by their status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ._headers import column_positions
from ._opened import FILE
from ._row_builder import refuse


class Assignments(NamedTuple):
    """The assignments of a file that are read.

    Attributes:
        path: The file.
        column: Name of the column of the status.
        known: Every status there is.
        read: Those that are read.
        position: Where the column is; `None` for a file without one, which is read whole.
    """

    path: FILE
    column: str
    known: tuple[str, ...]
    read: Sequence[str]
    position: int | None

    @classmethod
    def of(
        cls,
        path: FILE,
        header: list[str],
        column: str,
        known: tuple[str, ...],
        read: Sequence[str],
        default: Sequence[str],
    ) -> Assignments:
        """Finds the column; refuses a file without one where a status was asked for that is not the default."""
        if column not in header and tuple(read) == tuple(default):
            return cls(path, column, known, read, None)
        return cls(path, column, known, read, column_positions(path, header, [column])[0])

    def reads(self, row: Sequence[str], line: int) -> bool:
        """Whether a row is of an assignment to read; refuses a status that is not known."""
        if self.position is None:
            return True
        if row[self.position] not in self.known:
            refuse(
                str(self.path),
                f"line {line}",
                self.column,
                f"one of {', '.join(self.known)}",
                row[self.position],
            )
        return row[self.position] in self.read
