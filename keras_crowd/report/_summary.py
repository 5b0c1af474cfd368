"""The most important numbers of a crowd, as a table and as the first thing of the page."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd

from ..aggregation import CrowdDraws, majority_vote
from ..annotations import Annotations
from ..evaluation import answer_statistics, fleiss_kappa
from ._blocks import Figures
from ._given import Given
from ._intervals import of_draws, share_right

Row: TypeAlias = tuple[str, float, float, float]
_NOTES = {
    "alpha": "Krippendorff's: 1 is perfect, 0 is chance",
    "fleiss_kappa": "1 is perfect, 0 is chance",
    "disputed": "items with two answers or more that differ",
    "label_accuracy": "estimated without gold; 15 points too high on two real crowds, whose annotators share mistakes",
    "vote_accuracy": "estimated without gold; about 10 points too high on two real crowds",
    "gold_label_accuracy": "measured with gold labels",
    "gold_vote_accuracy": "measured with gold labels",
    "label_error": "root mean square, estimated",
    "gold_label_error": "root mean square, against gold",
    "gold_mean_error": "root mean square, against gold",
    "took_first": "answers for the item shown first, of those without ties",
    "gold_score_accuracy": "gold pairs whose better item has the higher score",
    "undecided": "items below 90 % that more answers would settle",
    "ambiguous": "items whose answers split more than errors explain",
}
_NAMES = {
    "label_error": "Error of the estimated ratings",
    "gold_label_error": "Error of the estimated ratings",
    "gold_mean_error": "Error of the mean ratings",
    "took_first": "First item preferred",
    "gold_score_accuracy": "Pairs right by score",
    "compared_items": "Items that are compared",
    "alpha": "Agreement, alpha",
    "fleiss_kappa": "Agreement, Fleiss' kappa",
    "answers_per_item": "Answers per item",
    "label_accuracy": "Labels that are right",
    "vote_accuracy": "Majority votes that are right",
    "gold_label_accuracy": "Labels that are right, by gold",
    "gold_vote_accuracy": "Majority votes that are right, by gold",
}
_SHARES = {"took_first", "ties", "gold_score_accuracy"} | {
    "disputed",
    "label_accuracy",
    "vote_accuracy",
    "gold_label_accuracy",
    "gold_vote_accuracy",
}


def size_rows(annotations: Annotations, level: str | None = None) -> list[Row]:
    """Counts and agreement, of any kind of answers: rows of (name, value, low, high)."""
    found = answer_statistics(annotations, level)  # type: ignore[arg-type]
    values = {
        "items": annotations.num_items,
        "annotators": annotations.num_annotators,
        "answers": len(annotations),
        "unanswered": int(np.sum(found.answers_per_item == 0)),
        "answers_per_item": float(np.mean(found.answers_per_item)),
        "alpha": found.alpha,
        "disputed": found.disputed,
    }
    return [(name, float(value), np.nan, np.nan) for name, value in values.items()]


def class_rows(
    given: Given, draws: CrowdDraws, posterior: np.ndarray, level: str | None, status: pd.Series
) -> list[Row]:
    """All rows for answers of classes."""
    annotations = given.annotations
    rows = [*size_rows(annotations, level), ("fleiss_kappa", fleiss_kappa(annotations), np.nan, np.nan)]
    answered = annotations.answers_per_item() > 0
    votes = majority_vote(annotations)
    labelings = {"label_accuracy": posterior.argmax(axis=1), "vote_accuracy": votes}
    for name, codes in labelings.items():
        right = (draws.true[:, answered] == codes[answered]).mean(axis=1)
        low, high = of_draws(right)
        rows.append((name, float(right.mean()), float(low), float(high)))
    known = answered & (given.gold >= 0)
    if known.any():
        for name, codes in labelings.items():
            confidence = posterior[np.arange(len(codes)), codes]
            right = (codes == given.gold)[answered]
            rows.append((f"gold_{name}", *share_right(right, known[answered], confidence[answered])))
    counts = status.value_counts()
    return rows + [
        (name, float(counts.get(name, 0)), np.nan, np.nan) for name in ("undecided", "ambiguous")
    ]


def as_frame(rows: list[Row]) -> pd.DataFrame:
    """The rows as a data frame."""
    return pd.DataFrame(rows, columns=["name", "value", "low", "high"])


def as_figures(rows: list[Row]) -> Figures:
    """The rows as they are shown, those that say nothing left out."""
    shown = []
    for name, value, low, high in rows:
        if np.isnan(value) or (name == "unanswered" and value == 0):
            continue
        note = _NOTES.get(name, "")
        if not np.isnan(low):
            note = f"{_text(name, low)} to {_text(name, high)}; {note}".rstrip("; ")
        shown.append((_NAMES.get(name, name.replace("_", " ").capitalize()), _text(name, value), note))
    return Figures(shown)


def _text(name: str, value: float) -> str:
    if name in _SHARES:
        return f"{100 * value:.1f} %"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.2f}"
