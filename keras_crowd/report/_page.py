"""The page of a report: one HTML file that loads nothing."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from ._blocks import Figures, Grid, Picture, Section
from ._figures import svg

_LEAST_SHOWN = 1e-12  # smaller ones are rounding
_FOLDER = pathlib.Path(__file__).parent


def page(title: str, notes: list[str], sections: list[Section]) -> str:
    """Renders the page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.tests |= {
        "picture": lambda block: isinstance(block, Picture),
        "grid": lambda block: isinstance(block, Grid),
        "numbers": lambda block: isinstance(block, Figures),
    }
    environment.filters |= {"svg": lambda block: Markup(svg(block.figure, block.name)), "cells": _cells}
    return environment.get_template("page.html.jinja").render(title=title, notes=notes, sections=sections)


def _cells(grid: Grid) -> list[list[dict[str, object]]]:
    """The rows of a table: what a cell shows, what it is sorted by, and whether it is a number."""
    columns = [
        [_cell(value, name in grid.pictures) for value in grid.frame[name]] for name in grid.frame.columns
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _cell(value: Any, is_picture: bool) -> dict[str, object]:
    if is_picture:
        return {"shown": Markup(value), "key": "", "number": False}
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return {"shown": "yes" if value else "", "key": int(bool(value)), "number": False}
    if pd.api.types.is_number(value):
        missing = value != value
        return {
            "shown": "–" if missing else _number(value),
            "key": "" if missing else value,
            "number": True,
        }
    text = "" if value is None else str(value)
    interval = re.match(r"^(-?[\d.,]+) ", text)
    return {
        "shown": text,
        "key": interval[1].replace(",", "") if interval else text,
        "number": bool(interval),
    }


def _number(value: Any) -> str:
    value = 0 if abs(value) < _LEAST_SHOWN else value
    if float(value) == int(value):
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.1f}"
