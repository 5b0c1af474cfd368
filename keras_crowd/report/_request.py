"""A request for a report, whatever the kind of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from ._blocks import Picture, Section
from ._report import CrowdReport
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
        """Makes a report of summary, tables and sections, whose figures are those of the sections."""
        sections = [section for section in parts if section is not None]
        blocks = [block for section in sections for block in section.blocks]
        figures = {block.name: block.figure for block in blocks if isinstance(block, Picture)}
        tables = {"summary": as_frame(rows), **tables}
        return CrowdReport(self.title, tables, figures, self.notes, sections)
