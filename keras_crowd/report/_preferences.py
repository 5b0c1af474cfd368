"""A report of preferences: which of two items is better."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from ..aggregation import BradleyTerry, bradley_terry, gold_classes
from ..annotations import Annotations, Preferences, pair_index, share, without_grades
from ._beside import Beside
from ._blocks import Block, Grid, Picture, Section
from ._class_sections import FEW_ROWS, MANY_NAMES, MOST_ROWS
from ._figures import forest, histograms
from ._intervals import of_normal
from ._over_time import pace, time_section
from ._report import CrowdReport
from ._request import Request
from ._shown import ItemViewer
from ._summary import Row, as_figures, size_rows


def preference_report(
    annotations: Annotations,
    more: Beside,
    request: Request,
) -> CrowdReport:
    """Makes tables and sections."""
    known = gold_classes(more.gold, annotations)
    if isinstance(annotations.kind, Preferences) and annotations.kind.grades > 1:
        plain, notes = without_grades(annotations), ["Grades are read as which item is better."]
        known = np.full(len(known), -1)  # of grades
    else:
        plain, notes = annotations, []
    found, warned = _fitted(plain)
    request = request._replace(notes=[*request.notes, *notes, *warned])
    tables = {
        "annotators": _annotators(plain, found, known),
        "items": _items(plain, found),
        "answers": _answers(plain, found),
    }
    for name, values in more.learned.items():
        tables["annotators"][f"learned_{name}"] = values
    rows = _summary(plain, found, known, request.level)
    parts: list[Section | None] = [
        Section("overview", "Overview", [as_figures(rows), _TEXT]),
        _annotator_section(tables["annotators"]),
        _item_section(tables["items"], request.viewer),
        _answer_section(tables["answers"]),
    ]
    if more.times is not None:
        right, who = tables["answers"]["probability"].to_numpy(), plain.annotator_index
        for name, values in pace(who, more.times, right, plain.num_annotators).items():
            tables["annotators"][name] = values
        parts += [time_section(tables["annotators"], who, more.times, right, "probability of the answer")]
    return request.report(rows, tables, parts)


_TEXT = (
    "Items have scores, of Bradley and Terry's model: the difference of two is the log odds that an annotator of "
    "reliability 1 prefers one to the other. A reliability of 0 is an answer at random, a negative one turns answers "
    "round. Position bias is the log odds of the item shown first among items alike."
)


def _fitted(annotations: Annotations) -> tuple[BradleyTerry, list[str]]:
    """Scores, and what there is to warn of: items that were never compared."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = bradley_terry(annotations)
    return found, [str(warning.message) for warning in caught]


def _annotators(annotations: Annotations, found: BradleyTerry, gold: np.ndarray) -> pd.DataFrame:
    table = pd.DataFrame(found.annotator_table(annotations)).drop(columns="random_rate")
    if not annotations.kind.ties:  # type: ignore[attr-defined]
        table = table.drop(columns="tie_rate")
    who, item = annotations.annotator_index, annotations.item_index
    first = np.bincount(who, annotations.hard().answers == 0, annotations.num_annotators)
    decided = np.bincount(who, annotations.hard().answers < 2, annotations.num_annotators)
    table["took_first"] = share(first, decided)
    if np.any(gold >= 0):
        known = gold[item] >= 0
        right = np.bincount(who, known & (annotations.hard().answers == gold[item]), len(table))
        table["gold_agreement"] = share(right, np.bincount(who, known, len(table)))
    return table


def _items(annotations: Annotations, found: BradleyTerry) -> pd.DataFrame:
    _, index = pair_index(annotations.items, found.items.tolist())
    compared = np.bincount(index[annotations.item_index].reshape(-1), minlength=len(found.items))
    low, high = of_normal(found.scores, found.standard_error)
    table = pd.DataFrame(
        {
            "item": found.items,
            "score": found.scores,
            "score_low": low,
            "score_high": high,
            "comparisons": compared,
        }
    )
    table["rank"] = table["score"].rank(ascending=False, method="min").astype(int)
    return table


def _answers(annotations: Annotations, found: BradleyTerry) -> pd.DataFrame:
    hard = annotations.hard()
    probability = found.answer_probabilities(annotations)[np.arange(len(hard)), hard.answers]
    first, second = zip(*annotations.items[hard.item_index], strict=True)
    return pd.DataFrame(
        {
            "first": pd.Series(first, dtype=object),
            "second": pd.Series(second, dtype=object),
            "annotator": annotations.annotators[hard.annotator_index],
            "answer": np.array(["first", "second", "tie"])[hard.answers],
            "probability": probability,
        }
    )


def _summary(
    annotations: Annotations, found: BradleyTerry, gold: np.ndarray, level: str | None
) -> list[Row]:
    hard = annotations.hard()
    rows: list[Row] = [
        ("pairs" if name == "items" else name, value, low, high)
        for name, value, low, high in size_rows(hard, level)
        if name != "answers_per_item"
    ]
    _, index = pair_index(annotations.items, found.items.tolist())
    values = {
        "compared_items": len(found.items),
        "took_first": float(np.mean(hard.answers[hard.answers < 2] == 0)),
        "ties": float(np.mean(hard.answers == 2)),
    }
    better = (np.diff(found.scores[index], axis=1)[:, 0] > 0).astype(int)
    known = (gold >= 0) & (gold < 2)
    if known.any():
        values["gold_score_accuracy"] = float(np.mean(better[known] == gold[known]))
    return [*rows, *((name, float(value), np.nan, np.nan) for name, value in values.items())]


def _annotator_section(table: pd.DataFrame) -> Section:
    answered = table[table["answers"] > 0].sort_values("reliability", ignore_index=True)
    panels = [
        (answered["reliability"].to_numpy(), "reliability", 20),
        (answered["position_bias"].to_numpy(), "position bias", 20),
    ]
    alt = (
        f"Two histograms of {len(answered):,} annotators. Reliability: from {answered['reliability'].min():.2f} to "
        f"{answered['reliability'].max():.2f}, median {answered['reliability'].median():.2f}. Position bias: median "
        f"{answered['position_bias'].median():.2f}."
    )
    shown = answered.head(MOST_ROWS).astype({"annotator": str})
    shown.columns = [name.replace("_", " ") for name in shown.columns]
    more = f", the first {MOST_ROWS} of {len(answered):,}" if len(answered) > MOST_ROWS else ""
    blocks: list[Block] = [
        "Annotators with few answers are drawn to the mean of all.",
        Picture("annotators", histograms(panels, "annotators"), alt),
        Grid(shown, f"Annotators{more}, the least reliable first"),
    ]
    return Section("annotators", "Annotators", blocks)


def _item_section(table: pd.DataFrame, viewer: ItemViewer) -> Section:
    order = table.sort_values("score", ascending=False)
    half = MANY_NAMES // 2
    some = order if len(order) <= MANY_NAMES else pd.concat([order.head(half), order.tail(half)])
    which = "all" if some is order else f"the {half} best and the {half} worst"
    score, low, high = (some[name].to_numpy() for name in ("score", "score_low", "score_high"))
    picture = Picture(
        "scores",
        forest(some["item"], score, low, high, "score"),
        f"Scores with 95 % interval of {which} of {len(order):,} items, from {order['score'].min():.2f} to "
        f"{order['score'].max():.2f}.",
        f"Scores of {which} items, with intervals of 95 percent, given the annotators.",
    )
    shown = pd.DataFrame({"item": some["item"].astype(str)})
    if viewer.shows:
        shown["shown"] = [viewer.of_id(id_) for id_ in some["item"]]
    for name in ("rank", "score", "score_low", "score_high", "comparisons"):
        shown[name.replace("score_", "")] = some[name]
    return Section("items", "Items", [picture, Grid(shown, f"Scores of {which} items", ("shown",))])


def _answer_section(table: pd.DataFrame) -> Section:
    shown = table.nsmallest(FEW_ROWS, "probability").astype({"first": str, "second": str, "annotator": str})
    return Section(
        "answers", "Answers", [Grid(shown, "Answers that are most surprising, given scores and annotator")]
    )
