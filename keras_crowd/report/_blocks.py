"""Parts of a page: sections of paragraphs, pictures, tables and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure of the page.

    Attributes:
        name: Key of the figure in `CrowdReport.figures`.
        figure: The matplotlib figure.
        alt: Text that says what can be seen, for who cannot see it.
        caption: Text below it.
    """

    name: str
    figure: Figure
    alt: str
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Grid:
    """A table of the page: some rows and columns of a table, with what they are called there.

    Attributes:
        frame: The rows and columns to show. Columns are headings.
        caption: Text above it.
        pictures: Columns whose cells are HTML of the package's own making: images, bars.
    """

    frame: pandas.DataFrame
    caption: str
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Figures:
    """The most important numbers, each with what it is: rows of (name, value, note)."""

    rows: list[tuple[str, str, str]]


Block: TypeAlias = "str | Picture | Grid | Figures"


@dataclass(frozen=True, eq=False)
class Section:
    """A part of the page below a heading; blocks that are text are paragraphs."""

    name: str
    heading: str
    blocks: list[Block]
