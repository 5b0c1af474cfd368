"""Figures that read in light and in dark: text and axes take the color of the page."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ParamSpec

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

P = ParamSpec("P")
_INK = "#0a0b0c"  # replaced by the color of the page's text
BLUE, ORANGE, GREEN, GRAY = "#3b82c4", "#e07b39", "#3fa372", "#8b8f98"
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "keras_crowd",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
}


def svg(figure: Figure, name: str) -> str:
    """Returns a figure as SVG to stand inside of a page, its ids its own."""
    file = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = text.replace(_INK, "currentColor")
    text = re.sub(r"font: ?([\d.]+px)[^;\"]*", r"font: \1 system-ui, sans-serif", text)
    text = re.sub(r'\b(id="|url\(#|xlink:href="#)', rf"\g<1>{name}-", text)
    width, height = re.findall(r'(?:width|height)="([\d.]+)pt"', text)[:2]
    size = f'style="--width:{float(width) * 4 / 3:.0f}px"'
    text = re.sub(r'(<svg[^>]*?) width="[\d.]+pt"', rf"\1 {size}", text, count=1)
    return (
        re.sub(r'(<svg[^>]*?) height="[\d.]+pt"', r'\1 aria-hidden="true"', text, count=1)
        if height
        else text
    )


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draws in the style of the page, whatever the user's own is."""

    @functools.wraps(draw)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with matplotlib.rc_context(matplotlib.rcParamsDefault | _STYLE):
            figure = draw(*args, **kwargs)
            figure.draw_without_rendering()
            figure.set_layout_engine("none")  # else it moves a little at every use
            return figure

    return wrapped


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, np.ndarray]:
    """Returns a figure and its axes `(rows, columns)`, without any global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


@styled
def forest(
    names: Iterable[object],
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    label: str,
    reference: np.ndarray | None = None,
) -> Figure:
    """Draws estimates with intervals, one line each, and beside them what gold labels say."""
    figure, axes = new_figure(6.4, 0.8 + 0.2 * len(values))
    ax, y = axes[0, 0], np.arange(len(values))[::-1]
    ax.hlines(y, low, high, color=BLUE, linewidth=2, alpha=0.6)
    ax.plot(values, y, "o", color=BLUE, markersize=4, label="estimated, with 95 % interval")
    if reference is not None:
        ax.plot(reference, y, "D", color=ORANGE, markersize=4, label="by gold labels")
        figure.legend(loc="outside upper right", ncols=2, fontsize=9)
    ax.set_yticks(y, [shortened(name, 24) for name in names], fontsize=8)
    ax.set_ylim(-0.7, len(values) - 0.3)
    ax.set_xlabel(label)
    ax.grid(axis="x", color=GRAY, alpha=0.3, linewidth=0.5)
    return figure


@styled
def heat_maps(
    tables: Sequence[np.ndarray], titles: Sequence[str], classes: Iterable[object], columns: int = 3
) -> Figure:
    """Draws confusion matrices as small multiples: rows are true classes, columns answers."""
    columns = min(columns, len(tables))
    rows = -(-len(tables) // columns)
    side = 2.2 if columns > 3 else 2.9
    figure, axes = new_figure(side * columns, (side + 0.1) * rows, rows, columns)
    classes = list(classes)
    few = len(classes) <= 12
    for place, ax in enumerate(axes.flat):
        if place >= len(tables):
            ax.set_axis_off()
            continue
        ax.imshow(tables[place], vmin=0, vmax=1, cmap="Blues")
        ax.set_title(titles[place], fontsize=9)
        _class_ticks(ax, classes, few and place % columns == 0, few and place >= len(tables) - columns)
        if len(classes) <= 10 and columns <= 3:
            _write_shares(ax, tables[place])
    figure.supxlabel("answer", fontsize=9)
    figure.supylabel("true class", fontsize=9)
    return figure


def _class_ticks(ax: Axes, classes: Iterable[object], at_left: bool, below: bool) -> None:
    names = [shortened(name, 14) for name in classes]
    ax.set_yticks(range(len(names)) if at_left else [], names if at_left else [], fontsize=8)
    ax.set_xticks(range(len(names)) if below else [], names if below else [], fontsize=8, rotation=90)
    ax.spines[:].set_visible(False)


def _write_shares(ax: Axes, table: np.ndarray) -> None:
    for k, row in enumerate(table):
        for answer, value in enumerate(row):
            if value >= 0.095:
                color = "#ffffff" if value > 0.5 else "#123456"
                ax.text(answer, k, f"{100 * value:.0f}", ha="center", va="center", fontsize=7, color=color)


@styled
def histograms(panels: Sequence[tuple[np.ndarray, str, Any]], count: str) -> Figure:
    """Draws how often values occur, side by side: rows of (values, what they are, bins)."""
    figure, axes = new_figure(4.2 * len(panels), 2.4, 1, len(panels))
    for ax, (values, label, bins) in zip(axes.flat, panels, strict=True):
        ax.hist(values, bins=bins, color=BLUE, alpha=0.85)
        ax.set_xlabel(label)
        ax.set_ylabel(count)
        ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        if not np.isscalar(bins):
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


@styled
def bars(
    names: Iterable[object], series: dict[str, np.ndarray], label: str, errors: np.ndarray | None = None
) -> Figure:
    """Draws horizontal bars, those of all series side by side; `errors` `(2, names)` belong to the last one."""
    names = list(names)
    figure, axes = new_figure(6.4, 0.9 + 0.22 * len(names) * len(series))
    ax, thick = axes[0, 0], 0.8 / len(series)
    y = np.arange(len(names))[::-1]
    for place, (name, values) in enumerate(series.items()):
        color = (GRAY, BLUE, ORANGE)[place % 3]
        shift = 0.4 - thick * (place + 0.5)
        ax.barh(y + shift, values, thick, color=color, label=name)
        if errors is not None and place == len(series) - 1:
            ax.errorbar(values, y + shift, xerr=errors, fmt="none", ecolor=_INK, elinewidth=1)
    ax.set_yticks(y, [shortened(name, 24) for name in names], fontsize=9)
    ax.set_xlabel(label)
    if len(series) > 1:
        figure.legend(loc="outside upper right", ncols=len(series), fontsize=9)
    return figure


@styled
def shares_forest(table: Any, names: Sequence[str]) -> Figure:
    """Draws shares with their intervals, those of each name in a panel of its own, a line per annotator."""
    figure, axes = new_figure(8.0, 0.8 + 0.2 * len(table), 1, len(names))
    y = np.arange(len(table))[::-1]
    for ax, name in zip(axes.flat, names, strict=True):
        ax.hlines(y, table[f"{name}_low"], table[f"{name}_high"], color=BLUE, linewidth=2, alpha=0.6)
        ax.plot(table[name], y, "o", color=BLUE, markersize=4)
        ax.set_xlabel(name)
        ax.set_ylim(-0.7, len(table) - 0.3)
        ax.grid(axis="x", color=GRAY, alpha=0.3, linewidth=0.5)
        ax.set_yticks([])
    axes[0, 0].set_yticks(y, [shortened(id_, 24) for id_ in table["annotator"]], fontsize=8)
    return figure


@styled
def scatter(x: np.ndarray, y: np.ndarray, labels: tuple[str, str]) -> Figure:
    """Draws points, as a picture within the picture where they are many, and the diagonal."""
    figure, axes = new_figure(4.2, 3.8)
    ax, ends = axes[0, 0], [min(x.min(), y.min()), max(x.max(), y.max())]
    ax.plot(ends, ends, color=GRAY, linewidth=1, linestyle="--")
    ax.plot(x, y, "o", color=BLUE, markersize=3, alpha=0.4, rasterized=len(x) > 300)
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
    return figure


@styled
def lines(
    x: np.ndarray, y: np.ndarray, low: np.ndarray, high: np.ndarray, labels: tuple[str, str]
) -> Figure:
    """Draws a line with a band, and the diagonal if both axes are probabilities."""
    figure, axes = new_figure(4.6, 3.0)
    ax = axes[0, 0]
    ax.vlines(x, low, high, color=BLUE, alpha=0.6, linewidth=2)
    ax.plot(x, y, "o-", color=BLUE, markersize=4, linewidth=1)
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
    return figure


@styled
def courses(panels: Sequence[tuple[object, Any]], labels: tuple[str, str]) -> Figure:
    """Draws small lines with bands side by side, on common axes: rows of (title, (x, y, low, high))."""
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    figure, axes = new_figure(2.5 * columns, 1.9 * rows, rows, columns)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for place, (title, (x, y, low, high)) in enumerate(panels):
        ax = axes.flat[place]
        if place:
            ax.sharey(axes[0, 0])
        ax.vlines(x, low, high, color=BLUE, alpha=0.6, linewidth=2)
        ax.plot(x, y, "o-", color=BLUE, markersize=4, linewidth=1)
        ax.set_title(shortened(title, 18))
        ax.set_xlim(0, 1)
        ax.set_xticks([0, 0.5, 1])
        ax.tick_params(labelsize=8, labelleft=place % columns == 0)
    figure.supxlabel(labels[0], fontsize=10)
    figure.supylabel(labels[1], fontsize=10)
    return figure


def shortened(name: object, size: int) -> str:
    """Text of an id that is at most so long; dollars are no formulas."""
    text = str(name)
    text = text if len(text) <= size else text[: size - 1] + "…"
    return text.replace("$", r"\$")
