"""Speed of the annotators, and whether their answers change with time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..annotations import share
from ._blocks import Block, Picture, Section
from ._figures import forest, lines
from ._intervals import of_normal

_FEWEST, _BINS, _SHOWN = 20, 10, 20  # answers, parts of the whole time, annotators


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
    order = np.lexsort((times, who))
    order = order[np.isfinite(times[order]) & np.isfinite(quality[order])]
    for rows in np.split(order, np.flatnonzero(np.diff(who[order])) + 1):
        if len(rows) < 2:
            continue
        seconds[who[rows[0]]] = np.median(np.diff(times[rows]))
        halves = quality[rows[: len(rows) // 2]], quality[rows[len(rows) // 2 :]]
        if len(rows) >= _FEWEST:
            drift[who[rows[0]]] = halves[1].mean() - halves[0].mean()
            error[who[rows[0]]] = np.sqrt(sum(half.var(ddof=1) / len(half) for half in halves))
    low, high = of_normal(drift, error)
    return {"seconds": seconds, "drift": drift, "drift_low": low, "drift_high": high}


def time_section(
    table: pd.DataFrame, times: np.ndarray, quality: np.ndarray, measure: str
) -> Section | None:
    """The crowd's answers in the order of time, and the annotators who change most; `None` where little is known."""
    known = np.isfinite(times) & np.isfinite(quality)
    if known.sum() < 2 * _BINS:
        return None
    parts = np.array_split(quality[known][np.argsort(times[known], kind="stable")], _BINS)
    mean = np.array([part.mean() for part in parts])
    low, high = of_normal(mean, np.array([part.std() / np.sqrt(len(part)) for part in parts]))
    place = (np.arange(_BINS) + 0.5) / _BINS
    alt = (
        f"The {measure} in ten parts of the answers, in the order of time: {mean[0]:.2f} at first, {mean[-1]:.2f} at "
        f"last, between {mean.min():.2f} and {mean.max():.2f}."
    )
    text = (
        f"The later half of an annotator's answers beside the first half, by the {measure}. Items are taken to come in "
        "random order; where hard ones came late, all seem to change. Of annotators who do not change, one in twenty "
        "has an interval without 0."
    )
    figure = lines(place, mean, low, high, ("answers so far, as a share", measure))
    blocks: list[Block] = [text, Picture("over_time", figure, alt, f"Mean {measure}, of all annotators.")]
    drifting = _drift_picture(table)
    return Section("time", "Over time", [*blocks, *([] if drifting is None else [drifting])])


def _drift_picture(table: pd.DataFrame) -> Picture | None:
    known = table[np.isfinite(table["drift"])]
    if known.empty:
        return None
    width = (known["drift_high"] - known["drift_low"]).to_numpy()
    clear = share(known["drift"].abs().to_numpy(), width)
    some = known.iloc[np.argsort(-np.nan_to_num(clear), kind="stable")[:_SHOWN]].sort_values("drift")
    drift, low, high = (some[name].to_numpy() for name in ("drift", "drift_low", "drift_high"))
    outside = int(np.sum((known["drift_low"] > 0) | (known["drift_high"] < 0)))
    alt = (
        f"Drift with 95 % interval of the {len(some)} annotators who change most clearly, from {drift.min():.2f} to "
        f"{drift.max():.2f}. Of {len(known):,} annotators with {_FEWEST} answers or more, {outside} have an interval "
        "without 0."
    )
    caption = f"Later half less first half; {outside} of {len(known):,} intervals are without 0."
    return Picture("drift", forest(some["annotator"], drift, low, high, "drift"), alt, caption)
