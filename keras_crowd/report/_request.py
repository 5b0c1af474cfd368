"""A request for a report, whatever the kind of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from ._blocks import Section
from ._report import CrowdReport, assembled
from ._shown import ItemViewer
from ._summary import Row, as_frame


class Request(NamedTuple):
    """A request, as the arguments of `crowd_report` make it.

    Attributes:
        title: Title of the page.
        notes: What a reader must know beforehand.
        level: Level of Krippendorff's alpha, or `None`.
        viewer: Shows the items.
        draws: Number of draws.
        seed: Seed of the draws.
    """

    title: str
    notes: list[str]
    level: str | None
    viewer: ItemViewer
    draws: int
    seed: int

    def report(
        self, rows: list[Row], tables: dict[str, pd.DataFrame], parts: Sequence[Section | None]
    ) -> CrowdReport:
        """Assembles the summary, the tables and the sections."""
        return assembled(self.title, {"summary": as_frame(rows), **tables}, self.notes, parts)
