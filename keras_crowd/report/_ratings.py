"""A report of ratings: answers that are numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..aggregation import Raykar, deviations, gold_ratings, mean_rating, raykar
from ..annotations import Annotations, share
from ._beside import Beside
from ._blocks import Block, Grid, Picture, Section
from ._class_sections import FEW_ROWS, MANY_NAMES, MOST_ROWS, item_grid
from ._figures import forest, histograms, scatter
from ._intervals import of_normal
from ._over_time import pace, time_section
from ._report import CrowdReport
from ._request import Request
from ._shown import ItemViewer
from ._summary import Row, as_figures, size_rows

_ENDS = ["bias_low", "bias_high", "drift_low", "drift_high"]
_LARGE = 2.0  # spread of an item's ratings, in what the annotators' noise explains


def rating_report(
    annotations: Annotations,
    more: Beside,
    request: Request,
) -> CrowdReport:
    """Makes tables and sections."""
    found, known = raykar(annotations), gold_ratings(more.gold, annotations)
    tables = {
        "annotators": _annotators(annotations, found, known, more),
        "items": _items(annotations, found, known),
        "answers": _answers(annotations, found),
    }
    if more.predictions is not None:
        tables["items"]["predicted"] = more.predictions
    rows = _summary(annotations, found, known, request.level)
    parts: list[Section | None] = [
        Section("overview", "Overview", [as_figures(rows), _picture(annotations, found)]),
        _annotator_section(tables["annotators"]),
        _item_section(tables["items"], request.viewer),
        _answer_section(tables["answers"], annotations, request.viewer),
    ]
    if more.times is not None:
        far = np.abs(annotations.answers - found.truth[annotations.item_index])
        parts += [
            time_section(
                tables["annotators"],
                annotations.annotator_index,
                more.times,
                far,
                "distance from the label",
            )
        ]
    if np.isfinite(known).any():
        parts.append(_gold_section(tables["items"]))
    return request.report(rows, tables, parts)


def _annotators(annotations: Annotations, found: Raykar, gold: np.ndarray, more: Beside) -> pd.DataFrame:
    """One row per annotator. The interval of the bias allows for ratings' noise and for truths that are estimated."""
    who, given = annotations.annotator_index, annotations.answers_per_annotator()
    noise = 1 / found.precision
    unsure = share(np.bincount(who, found.truth_variance[annotations.item_index], len(given)), given)
    error = np.sqrt(share(noise + found.scale**2 * np.nan_to_num(unsure), given))
    low, high = of_normal(found.bias, error)
    table = pd.DataFrame(
        {
            "annotator": annotations.annotators,
            "answers": given,
            "bias": np.where(given > 0, found.bias, np.nan),
            "bias_low": low,
            "bias_high": high,
            "scale": np.where(given > 0, found.scale, np.nan),
            "noise": np.where(given > 0, np.sqrt(noise), np.nan),
            "rmse": deviations(annotations, found.truth).rmse,
        }
    )
    if np.isfinite(gold).any():
        by_gold = deviations(annotations, gold)
        table["gold_bias"], table["gold_rmse"] = by_gold.bias, by_gold.rmse
    for name, values in more.learned.items():
        table[f"learned_{name}"] = values
    if more.times is not None:
        far = np.abs(annotations.answers - found.truth[annotations.item_index])
        for name, values in pace(who, more.times, far, len(given)).items():
            table[name] = values
    if more.costs is not None:
        table["cost"] = np.bincount(who, more.costs, len(given))
    return table


def _items(annotations: Annotations, found: Raykar, gold: np.ndarray) -> pd.DataFrame:
    item, who, n = annotations.item_index, annotations.annotator_index, annotations.answers_per_item()
    residual = (annotations.answers - _expected(annotations, found)) * np.sqrt(found.precision[who])
    spread = np.sqrt(share(np.bincount(item, residual**2, len(n)), n))
    sigma = np.sqrt(found.truth_variance)
    usual = np.median(sigma[n > 0]) if np.any(n > 0) else 0.0
    choices = [n == 0, (spread > _LARGE) & (n >= 3), sigma > 1.5 * usual]
    table = pd.DataFrame(
        {
            "item": annotations.items,
            "label": found.truth,
            "standard_deviation": sigma,
            "answers": n,
            "mean": mean_rating(annotations),
            "spread": spread,
            "status": np.select(choices, ["unanswered", "ambiguous", "undecided"], "settled"),
        }
    )
    if np.isfinite(gold).any():
        table["gold"] = gold
    return table


def _expected(annotations: Annotations, found: Raykar) -> np.ndarray:
    truth, who = found.truth[annotations.item_index], annotations.annotator_index
    return found.center + found.scale[who] * (truth - found.center) + found.bias[who]


def _answers(annotations: Annotations, found: Raykar) -> pd.DataFrame:
    expected, who = _expected(annotations, found), annotations.annotator_index
    return pd.DataFrame(
        {
            "item": annotations.items[annotations.item_index],
            "annotator": annotations.annotators[who],
            "answer": annotations.answers,
            "label": found.truth[annotations.item_index],
            "expected": expected,
            "deviation": (annotations.answers - expected) * np.sqrt(found.precision[who]),
        }
    )


def _summary(annotations: Annotations, found: Raykar, gold: np.ndarray, level: str | None) -> list[Row]:
    answered = annotations.answers_per_item() > 0
    rows = [
        row for row in size_rows(annotations, level) if row[0] != "disputed"
    ]  # numbers hardly ever agree
    claimed = float(np.sqrt(found.truth_variance[answered].mean()))
    rows.append(("label_error", claimed, np.nan, np.nan))
    known = answered & np.isfinite(gold)
    if known.any():
        for name, labels in (
            ("gold_label_error", found.truth),
            ("gold_mean_error", mean_rating(annotations)),
        ):
            rows.append((name, float(np.sqrt(np.mean((labels[known] - gold[known]) ** 2))), np.nan, np.nan))
    return rows


def _picture(annotations: Annotations, found: Raykar) -> Picture:
    panels = [
        (annotations.answers, "ratings given", 20),
        (found.truth[annotations.answers_per_item() > 0], "true ratings, estimated", 20),
    ]
    alt = (
        f"Two histograms. Ratings given: median {np.median(annotations.answers):.2f}. Estimated true ratings: median "
        f"{np.median(found.truth):.2f}, from {found.truth.min():.2f} to {found.truth.max():.2f}."
    )
    return Picture("ratings", histograms(panels, "number"), alt)


def _annotator_section(table: pd.DataFrame) -> Section:
    answered = table[table["answers"] > 0].sort_values("noise", ascending=False, ignore_index=True)
    by_bias = answered.sort_values("bias", ignore_index=True)
    some, which = by_bias, "all"
    if len(by_bias) > MANY_NAMES:
        half = MANY_NAMES // 2
        some, which = pd.concat([by_bias.head(half), by_bias.tail(half)]), f"the {half} lowest and highest"
    bias, low, high = (some[name].to_numpy() for name in ("bias", "bias_low", "bias_high"))
    gold = some["gold_bias"].to_numpy() if "gold_bias" in some else None
    figure = forest(some["annotator"], bias, low, high, "bias", gold)
    alt = (
        f"Bias with 95 % interval of {which} annotators, from {by_bias['bias'].min():.2f} to "
        f"{by_bias['bias'].max():.2f}; below 0 is a strict annotator, above 0 a lenient one."
    )
    shown = answered.head(MOST_ROWS).drop(columns=_ENDS, errors="ignore").astype({"annotator": str})
    shown["bias"] = [
        f"{b:.2f} ({lo:.2f} to {hi:.2f})"
        for b, lo, hi in answered.head(MOST_ROWS)[["bias", "bias_low", "bias_high"]].to_numpy().round(2)
        + 0.0
    ]
    shown.columns = [name.replace("_", " ") for name in shown.columns]
    text = (
        "Bias is what an annotator adds to the true rating, on average. Scale says how much of the differences between "
        "items the ratings show: 1 all of it, 0 none. Noise is the standard deviation of what is left. Biases are "
        "relative to the mean of the crowd: one that all share cannot be seen in the answers."
    )
    blocks: list[Block] = [
        text,
        Picture("bias", figure, alt),
        Grid(shown, "Annotators, the noisiest first"),
    ]
    return Section("annotators", "Annotators", blocks)


def _item_section(table: pd.DataFrame, viewer: ItemViewer) -> Section:
    counts = table["status"].value_counts()
    blocks: list[Block] = [
        f"Of {int((table['answers'] > 0).sum()):,} items, {counts.get('undecided', 0):,} are undecided: their rating "
        "is less sure than that of most, and more answers would help. "
        f"{counts.get('ambiguous', 0):,} are ambiguous: their ratings spread twice as much as the annotators' noise "
        "explains, and more answers would hardly help."
    ]
    for status, order, caption in (
        ("undecided", "standard_deviation", "Undecided items, the least sure first"),
        ("ambiguous", "spread", "Ambiguous items, the widest spread first"),
    ):
        some = table[table["status"] == status].nlargest(FEW_ROWS, order)
        if len(some):
            columns = ("label", "standard_deviation", "mean", "predicted", "answers", "spread", "gold")
            blocks.append(item_grid(some, caption, viewer, columns))
    return Section("items", "Items", blocks)


def _answer_section(table: pd.DataFrame, annotations: Annotations, viewer: ItemViewer) -> Section:
    some = table.loc[table["deviation"].abs().nlargest(FEW_ROWS).index]
    shown = some.astype({"item": str, "annotator": str})
    if viewer.shows:
        shown.insert(1, "shown", [viewer.cell(annotations.item_index[row]) for row in some.index])
    text = (
        "Deviations are from what the annotator was expected to say, in standard deviations of their noise."
    )
    return Section("answers", "Answers", [text, Grid(shown, "Answers that deviate most", ("shown",))])


def _gold_section(table: pd.DataFrame) -> Section:
    known = table[np.isfinite(table["gold"]) & (table["answers"] > 0)]
    correlation = np.corrcoef(known["label"], known["gold"])[0, 1] if len(known) > 2 else np.nan
    figure = scatter(
        known["gold"].to_numpy(), known["label"].to_numpy(), ("gold rating", "estimated rating")
    )
    alt = f"Estimated against gold ratings of {len(known):,} items; their correlation is {correlation:.2f}."
    text = "Gold ratings were not used for any estimate of this report, only to check it."
    return Section("gold", "Compared with gold ratings", [text, Picture("gold", figure, alt)])
