"""The page of a report: one HTML file that loads nothing."""

from __future__ import annotations

import math
import pathlib
import re
from collections.abc import Callable
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from ._blocks import Figures, Grid, Picture, Section
from ._figures import svg

_ROUNDING, _LEAST_SHOWN = 1e-12, 1e-4  # smaller numbers are 0, or shown as a bound
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
    filters: dict[str, Callable[..., Any]] = {
        "svg": lambda block: Markup(svg(block.figure, block.name)),
        "cells": _cells,
        "prose": _prose,
    }
    environment.filters |= filters
    return environment.get_template("page.html.jinja").render(title=title, notes=notes, sections=sections)


def _prose(text: str) -> Markup:
    """A paragraph as HTML: what stands between backticks is code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _cells(grid: Grid) -> list[list[dict[str, object]]]:
    """The rows of a table: what a cell shows, what it is sorted by, and its CSS class."""
    columns = [
        [{"shown": Markup(value), "key": "", "class": "shown"} for value in grid.frame[name]]
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
        return {"shown": "yes" if value else "", "key": int(bool(value)), "class": ""}
    if pd.api.types.is_number(value):
        missing = value != value
        return {
            "shown": "–" if missing else _number(value, decimals),
            "key": "" if missing else value,
            "class": "number",
        }
    text = "" if value is None else str(value)
    interval = re.match(r"^(-?[\d.,]+) ", text)
    return {
        "shown": text,
        "key": interval[1].replace(",", "") if interval else text,
        "class": "number" if interval else "",
    }


def _number(value: Any, decimals: int) -> str:
    """Formats a number; one that would be rounded to 0 with a digit of its own, or as a bound."""
    if abs(value) < _ROUNDING:
        value = 0
    elif decimals and abs(value) < _LEAST_SHOWN:
        return f"<{_LEAST_SHOWN}" if value > 0 else f">-{_LEAST_SHOWN}"
    elif abs(value) < 0.5 * 10**-decimals:
        return f"{value:.1g}"
    return f"{value:,.{decimals}f}"
