"""The section that compares labels with gold labels."""

from __future__ import annotations

import numpy as np

from ..evaluation import calibration_error
from ._blocks import Picture, Section
from ._figures import lines
from ._given import Given
from ._intervals import wilson


def gold_section(given: Given, posterior: np.ndarray, calibrated: bool) -> Section:
    """Calibration of the confidences, where gold labels are known."""
    known = (given.gold >= 0) & (given.annotations.answers_per_item() > 0)
    q, gold = posterior[known], given.gold[known]
    confidence, right = q.max(axis=1), q.argmax(axis=1) == gold
    edges = np.unique(np.quantile(confidence, np.linspace(0, 1, 11)))
    place = np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, max(len(edges) - 2, 0))
    used = np.unique(place)
    n = np.array([np.sum(place == b) for b in used])
    mean = np.array([confidence[place == b].mean() for b in used])
    hits = np.array([right[place == b].sum() for b in used])
    figure = lines(mean, hits / n, *wilson(hits, n), ("confidence", "share that equals gold"))
    figure.axes[0].plot([mean.min(), 1], [mean.min(), 1], color="#8b8f98", linewidth=1, linestyle="--")
    error = calibration_error(gold, q)
    text = (
        f"Gold labels are known of {int(known.sum()):,} items. They were not used for any estimate of this report, "
        f"only to check it. Confidences are off by {100 * error:.1f} percentage points on average (the expected "
        "calibration error)."
    )
    if calibrated:
        text += (
            " The column `calibrated_confidence` of `tables['items']` allows for that: it is what the gold labels "
            "leave of the confidence (`aggregation.calibrated_posterior`)."
        )
    alt = f"Share of right labels against their confidence, in {len(used)} groups of items: " + "; ".join(
        f"{m:.2f} confident, {h / c:.2f} right" for m, h, c in zip(mean, hits, n, strict=True)
    )
    caption = "Points below the dashed line: the labels are less often right than they claim."
    return Section(
        "gold", "Compared with gold labels", [text, Picture("calibration", figure, alt, caption)]
    )
