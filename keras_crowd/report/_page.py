"""The page of a report: one HTML file that loads nothing."""

from __future__ import annotations

import math
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
        [{"shown": Markup(value), "key": "", "number": False} for value in grid.frame[name]]
        if name in grid.pictures
        else _column(grid.frame[name].tolist())
        for name in grid.frame.columns
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _column(values: list[Any]) -> list[dict[str, object]]:
    """Cells whose numbers have the same decimals, so that they can be compared at a glance."""
    numbers = [abs(value) for value in values if _is_number(value) and abs(value) < math.inf]
    whole = all(value == int(value) for value in numbers)
    decimals = 0 if whole else min(max(2 - math.floor(math.log10(max(numbers))), 0), 3)
    return [_cell(value, decimals) for value in values]


def _is_number(value: Any) -> bool:
    return pd.api.types.is_number(value) and not isinstance(value, bool)


def _cell(value: Any, decimals: int) -> dict[str, object]:
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return {"shown": "yes" if value else "", "key": int(bool(value)), "number": False}
    if pd.api.types.is_number(value):
        missing = value != value
        return {
            "shown": "–" if missing else _number(value, decimals),
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


def _number(value: Any, decimals: int) -> str:
    """Formats a number; one that would be rounded to 0 with a digit of its own."""
    if abs(value) < _LEAST_SHOWN:
        value = 0
    elif abs(value) < 0.5 * 10**-decimals:
        return f"{value:.1g}"
    return f"{value:,.{decimals}f}"
