"""`CrowdReport`: sections of text, tables and figures, and the page made of them."""

from __future__ import annotations

import html
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .._files import replacing
from ._blocks import Section

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class CrowdReport:
    """Result of `crowd_report`: tables, figures, and a page that shows them.

    In a notebook the page is shown when the report is the last line of a cell.

    Attributes:
        title: String. Title of the page.
        tables: Data frames by name, complete and unrounded: `"summary"`, `"annotators"`, `"items"`, `"answers"` and
            others that depend on the kind of the answers (see `crowd_report`).
        figures: Matplotlib figures by name.
        notes: What a reader must know, such as that the crowd was sampled.

    Example:

    >>> report = keras_crowd.report.crowd_report(np.tile([[0, 0, 1], [1, 1, 1]], (10, 1)), draws=20)
    >>> sorted(report.tables)
    ['annotators', 'answers', 'classes', 'items', 'pairs', 'recall', 'summary']
    >>> report.tables["items"]["label"].tolist()[:3]
    [0, 1, 0]
    """

    title: str
    tables: dict[str, pandas.DataFrame]
    figures: dict[str, Figure]
    notes: list[str]
    sections: list[Section] = field(default_factory=list)

    def html(self) -> str:
        """Returns the whole page as one string. It loads nothing from elsewhere.

        Example:

        >>> report = keras_crowd.report.crowd_report(np.tile([[0, 0, 1], [1, 1, 1]], (10, 1)), draws=20)
        >>> report.html()[:15]
        '<!doctype html>'
        """
        from ._page import page

        return page(self.title, self.notes, self.sections)

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Writes the page as one file, which opens offline, in light and dark, and prints.

        Args:
            path: Path of the file. An existing file is replaced as a whole.

        Example:

        >>> import pathlib, tempfile
        >>> report = keras_crowd.report.crowd_report(np.tile([[0, 0, 1], [1, 1, 1]], (10, 1)), draws=20)
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "crowd.html"
        >>> report.to_html(file)
        >>> file.exists()
        True
        """
        text = self.html()
        with replacing(path, encoding="utf-8") as file:
            file.write(text)

    def _repr_html_(self) -> str:
        frame = 'style="width:100%;height:640px;border:1px solid #8884" sandbox="allow-scripts"'
        return f'<iframe title="{html.escape(self.title)}" {frame} srcdoc="{html.escape(self.html())}"></iframe>'

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {len(table):,}" for name, table in self.tables.items())
        return f"CrowdReport({self.title!r}, tables: {sizes}; {len(self.figures)} figures)"
