"""Speed of the annotators, and whether their answers change with time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..annotations import share
from ._blocks import Block, Picture, Section
from ._figures import GRAY, courses, forest, lines
from ._intervals import of_normal

_FEWEST, _BINS, _SHOWN = 20, 10, 20  # answers, parts of the whole time, annotators
_PARTS, _COURSES = 5, 6  # of an annotator's answers, annotators
_ENDS = ["drift", "drift_low", "drift_high"]


def pace(
    who: np.ndarray, times: np.ndarray, quality: np.ndarray, num_annotators: int
) -> dict[str, np.ndarray]:
    """Median seconds between an annotator's answers, and how much better the later half is than the first.

    Args:
        who: The annotator of each answer.
        times: Seconds, NaN where unknown.
        quality: Of each answer, such as the probability that it is right.
        num_annotators: Integer. How many there are.

    Returns:
        `"seconds"`, `"drift"` with a 95 percent interval (`"drift_low"`, `"drift_high"`), NaN of fewer than 20 answers.
    """
    seconds, drift, error = (np.full(num_annotators, np.nan) for _ in range(3))
    for r, rows in _in_order(who, times, quality).items():
        if len(rows) < 2:
            continue
        seconds[r] = np.median(np.diff(times[rows]))
        if len(rows) >= _FEWEST:
            _, (first, later), errors = _parts(quality[rows], 2)
            drift[r], error[r] = later - first, np.hypot(*errors)
    low, high = of_normal(drift, error)
    return {"seconds": seconds, "drift": drift, "drift_low": low, "drift_high": high}


def _in_order(who: np.ndarray, times: np.ndarray, quality: np.ndarray) -> dict[int, np.ndarray]:
    """The answers of each annotator in the order of time, those of unknown time left out."""
    order = np.lexsort((times, who))
    order = order[np.isfinite(times[order]) & np.isfinite(quality[order])]
    parts = np.split(order, np.flatnonzero(np.diff(who[order])) + 1)
    return {int(who[rows[0]]): rows for rows in parts if len(rows)}


def _parts(quality: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The middle of each part of so many answers in the order of time, their mean, and its standard error."""
    parts = np.array_split(quality, number)
    mean = np.array([part.mean() for part in parts])
    error = np.array([np.sqrt(part.var(ddof=1) / len(part)) for part in parts])
    return (np.arange(number) + 0.5) / number, mean, error


def time_section(
    table: pd.DataFrame, who: np.ndarray, times: np.ndarray, quality: np.ndarray, measure: str
) -> Section | None:
    """The crowd's answers in the order of time, and the annotators who change most; `None` where little is known."""
    known = np.isfinite(times) & np.isfinite(quality)
    if known.sum() < 2 * _BINS:
        return None
    place, mean, error = _parts(quality[known][np.argsort(times[known], kind="stable")], _BINS)
    low, high = of_normal(mean, error)
    alt = (
        f"The {measure} in ten parts of the answers, in the order of time: {mean[0]:.2f} at first, {mean[-1]:.2f} at "
        f"last, between {mean.min():.2f} and {mean.max():.2f}."
    )
    text = (
        f"The later half of an annotator's answers beside the first half, by the {measure}. Items are taken to come in "
        "random order; where hard ones came late, all seem to change. Of annotators who do not change, one in twenty "
        "has an interval that excludes 0."
    )
    figure = lines(place, mean, low, high, ("answers so far, as a share", measure))
    blocks: list[Block] = [text, Picture("over_time", figure, alt, f"Mean {measure}, of all annotators.")]
    known_drift = table[np.isfinite(table["drift"])]
    if not known_drift.empty:
        width = (known_drift["drift_high"] - known_drift["drift_low"]).to_numpy()
        clear = np.nan_to_num(share(known_drift["drift"].abs().to_numpy(), width))
        ordered = known_drift.iloc[np.argsort(-clear, kind="stable")]
        blocks += [_drift_picture(ordered), _course_picture(ordered, who, times, quality, measure)]
    return Section("time", "Over time", blocks)


def _drift_picture(ordered: pd.DataFrame) -> Picture:
    some = ordered.head(_SHOWN).sort_values("drift")
    drift, low, high = (some[name].to_numpy() for name in _ENDS)
    outside = int(np.sum((ordered["drift_low"] > 0) | (ordered["drift_high"] < 0)))
    alt = (
        f"Drift with 95 % interval of the {len(some)} annotators who change most clearly, from {drift.min():.2f} to "
        f"{drift.max():.2f}. Of {len(ordered):,} annotators with {_FEWEST} answers or more, {outside} have an interval "
        "that excludes 0."
    )
    caption = f"Later half less first half; {outside} of {len(ordered):,} intervals exclude 0."
    figure = forest(some["annotator"], drift, low, high, "drift: later half less first half")
    figure.axes[0].axvline(0, color=GRAY, linewidth=1, linestyle="--")
    return Picture("drift", figure, alt, caption)


def _course_picture(
    ordered: pd.DataFrame, who: np.ndarray, times: np.ndarray, quality: np.ndarray, measure: str
) -> Picture:
    """Parts of the answers of those who change most clearly, each annotator's own answers in the order of time."""
    rows_of, panels, said = _in_order(who, times, quality), [], []
    for r, name in ordered["annotator"].head(_COURSES).items():
        place, mean, error = _parts(quality[rows_of[r]], _PARTS)
        panels.append((name, (place, mean, *of_normal(mean, error))))
        said.append(f"{name}: {', '.join(f'{value:.2f}' for value in mean)}")
    alt = f"The {measure} in five parts of the answers of single annotators, the first one first. {'; '.join(said)}."
    caption = f"The {len(panels)} annotators who change most clearly, each one's own answers in the order of time."
    figure = courses(panels, ("own answers so far, as a share", measure))
    return Picture("courses", figure, alt, caption)
