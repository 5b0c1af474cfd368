"""A report of sets of labels: each label is there or not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..aggregation import (
    CrowdDraws,
    annotator_table,
    dawid_skene,
    draw_crowd,
    gold_labels,
    label_shares,
    label_table,
)
from ..annotations import Annotations, share
from ._beside import Beside
from ._blocks import Block, Grid, Picture, Section
from ._class_sections import FEW_ROWS, MOST_ROWS, intervals
from ._figures import bars, shares_forest
from ._intervals import of_draws
from ._over_time import pace, time_section
from ._report import CrowdReport
from ._request import Request
from ._shown import ItemViewer
from ._summary import Row, as_figures, size_rows


def set_report(
    annotations: Annotations,
    more: Beside,
    request: Request,
) -> CrowdReport:
    """Makes tables and sections; each label is two classes of its own."""
    known, prior = gold_labels(more.gold, annotations), more.predictions
    draws = max(request.draws // 4, 1)
    drawn = [
        _draw(annotations, label, draws, request.seed, None if prior is None else prior[:, label])
        for label in range(annotations.num_classes)
    ]
    posterior = np.minimum(np.stack([found.posterior[:, 1] for found in drawn], axis=1), 1)
    tables = {
        "annotators": _annotators(annotations, posterior, drawn),
        "rates": _rates(annotations, drawn),
        "items": pd.DataFrame(label_table(annotations, posterior)),
        "labels": _labels(annotations, posterior, drawn, known),
    }
    for name, values in more.learned.items():
        tables["rates"][f"learned_{name}"] = values.T.reshape(-1)
    rows = _summary(annotations, posterior, drawn, known, request.level)
    parts: list[Section | None] = [
        Section("overview", "Overview", [as_figures(rows), _TEXT]),
        _annotator_section(tables["annotators"]),
        _label_section(tables["labels"]),
        _item_section(annotations, posterior, request.viewer),
    ]
    if more.times is not None:
        right = _right(annotations, posterior)
        for name, values in pace(
            annotations.annotator_index, more.times, right, annotations.num_annotators
        ).items():
            tables["annotators"][name] = values
        parts += [
            time_section(
                tables["annotators"],
                annotations.annotator_index,
                more.times,
                right,
                "probability of a right tick",
            )
        ]
    return request.report(rows, tables, parts)


_TEXT = (
    "Each label is looked at by itself. Sensitivity is the share of the labels there that an annotator ticks, and "
    "specificity the share of the others left without a tick. The true labels are not known, and the intervals allow "
    "for that. Annotators are assumed to err independently; mistakes that most of them share cannot be seen."
)


def _right(annotations: Annotations, posterior: np.ndarray) -> np.ndarray:
    """Mean probability that what an answer says of a label is right, over the labels shown."""
    q, shown = posterior[annotations.item_index], annotations.answers >= 0
    return share(np.where(annotations.answers > 0, q, 1 - q).sum(axis=1, where=shown), shown.sum(axis=1))


def _draw(
    annotations: Annotations, label: int, draws: int, seed: int, prior: np.ndarray | None
) -> CrowdDraws:
    ticks = annotations.answers[:, label]
    shown = ticks >= 0
    binary = Annotations(
        annotations.item_index[shown],
        annotations.annotator_index[shown],
        (ticks[shown] > 0).astype(np.int32),
        items=annotations.items,
        annotators=annotations.annotators,
        classes=np.arange(2),
    )
    both = None if prior is None else np.stack([1 - prior, prior], axis=1)
    return draw_crowd(binary, dawid_skene(binary).posterior, both, draws=draws, seed=seed, by_row=True)


def _annotators(annotations: Annotations, posterior: np.ndarray, drawn: list[CrowdDraws]) -> pd.DataFrame:
    found = annotator_table(annotations, posterior)
    names = ("annotator", "answers", "ticks", "shown", "informedness", "ticks_all", "ticks_none")
    table = pd.DataFrame({name: found[name] for name in names})
    item, who = annotations.item_index, annotations.annotator_index
    seen = [np.bincount(who, q[item], annotations.num_annotators) for q in posterior.T]
    absent = [np.bincount(who, 1 - q[item], annotations.num_annotators) for q in posterior.T]
    for name, k, weights in (("sensitivity", 1, seen), ("specificity", 0, absent)):
        total = np.maximum(np.sum(weights, axis=0), 1e-12)
        rate = sum(w / total * of.recall[:, :, k] for w, of in zip(weights, drawn, strict=True))
        table[name] = rate.mean(axis=0)
        table[f"{name}_low"], table[f"{name}_high"] = of_draws(rate)
    return table


def _rates(annotations: Annotations, drawn: list[CrowdDraws]) -> pd.DataFrame:
    """One row per annotator and label."""
    size, labels = annotations.num_annotators, np.asarray(annotations.classes)
    columns = {"annotator": np.tile(annotations.annotators, len(labels)), "label": np.repeat(labels, size)}
    for name, k in (("sensitivity", 1), ("specificity", 0)):
        columns[name] = np.concatenate([of.recall[:, :, k].mean(axis=0) for of in drawn])
        low, high = zip(*(of_draws(of.recall[:, :, k]) for of in drawn), strict=True)
        columns[f"{name}_low"], columns[f"{name}_high"] = np.concatenate(low), np.concatenate(high)
    return pd.DataFrame(columns)


def _labels(
    annotations: Annotations, posterior: np.ndarray, drawn: list[CrowdDraws], gold: np.ndarray
) -> pd.DataFrame:
    shown = annotations.answers >= 0
    low, high = zip(*(of_draws(of.class_share[:, 1]) for of in drawn), strict=True)
    weights = annotations.answers_per_annotator()
    table = pd.DataFrame(
        {
            "label": np.asarray(annotations.classes),
            "tick_share": (annotations.answers > 0).sum(axis=0) / np.maximum(shown.sum(axis=0), 1),
            "true_share": [of.class_share[:, 1].mean() for of in drawn],
            "true_share_low": low,
            "true_share_high": high,
            "sensitivity": [np.average(of.confusion[:, 1, 1], weights=weights) for of in drawn],
            "specificity": [np.average(of.confusion[:, 0, 0], weights=weights) for of in drawn],
            "unsure": np.mean(
                (posterior > 0.1) & (posterior < 0.9), axis=0, where=_answered(annotations)[:, None]
            ),
        }
    )
    if np.any(gold >= 0):
        known = gold >= 0
        right = ((posterior > 0.5) == (gold == 1)) & known
        table["gold_accuracy"] = np.where(
            known.any(axis=0), right.sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.nan
        )
    return table


def _summary(
    annotations: Annotations,
    posterior: np.ndarray,
    drawn: list[CrowdDraws],
    gold: np.ndarray,
    level: str | None,
) -> list[Row]:
    rows = size_rows(annotations, level)
    answered = _answered(annotations)
    right = np.mean(
        [
            (of.true == (q > 0.5))[:, answered].mean(axis=1)
            for of, q in zip(drawn, posterior.T, strict=True)
        ],
        axis=0,
    )
    low, high = of_draws(right)
    rows.append(("label_accuracy", float(right.mean()), float(low), float(high)))
    rows.append(("labels_per_item", float((posterior > 0.5)[answered].sum(axis=1).mean()), np.nan, np.nan))
    if np.any(gold >= 0):
        accuracy = np.mean((posterior > 0.5)[gold >= 0] == (gold[gold >= 0] == 1))
        rows.append(("gold_label_accuracy", float(accuracy), np.nan, np.nan))
    return rows


def _answered(annotations: Annotations) -> np.ndarray:
    return annotations.answers_per_item() > 0


def _annotator_section(table: pd.DataFrame) -> Section:
    answered = table[table["answers"] > 0].sort_values("informedness", ignore_index=True)
    most = answered.nlargest(30, "answers")
    figure = shares_forest(most, ("sensitivity", "specificity"))
    alt = (
        f"Sensitivity and specificity with 95 % intervals of the {len(most)} annotators with the most answers. Median "
        f"sensitivity {most['sensitivity'].median():.2f}, median specificity {most['specificity'].median():.2f}."
    )
    shown = pd.DataFrame({"annotator": answered["annotator"].astype(str)}).head(MOST_ROWS)
    for name in ("answers", "ticks", "informedness"):
        shown[name] = answered[name]
    for name in ("sensitivity", "specificity"):
        shown[f"{name}, %"] = intervals(answered.head(MOST_ROWS), name)
    for name in ("ticks_all", "ticks_none"):
        if answered[name].any():
            shown[name.replace("_", " ")] = answered[name]
    more = f", the first {MOST_ROWS} of {len(answered):,}" if len(answered) > MOST_ROWS else ""
    blocks: list[Block] = [
        "Informedness is 0 for who ticks the same set whatever the item, and 1 if the ticks are the true labels.",
        Picture("annotators", figure, alt),
        Grid(shown, f"Annotators{more}, the least informed first"),
    ]
    return Section("annotators", "Annotators", blocks)


def _label_section(table: pd.DataFrame) -> Section:
    low, high = (np.abs(table["true_share"] - table[f"true_share_{end}"]) for end in ("low", "high"))
    series = {
        "of the ticks": table["tick_share"].to_numpy(),
        "of the items, estimated": table["true_share"].to_numpy(),
    }
    alt = "Share of each label among the answers and, with 95 % interval, among the items: " + "; ".join(
        f"{row['label']} {row['tick_share']:.2f} and {row['true_share']:.2f}"
        for _, row in table.head(20).iterrows()
    )
    shown = table.drop(columns=["true_share_low", "true_share_high"]).astype({"label": str})
    shown["true_share"] = intervals(table, "true_share")
    shown.columns = [
        f"{name.replace('_', ' ')}, %" if name == "true_share" else name.replace("_", " ") for name in shown
    ]
    picture = Picture("labels", bars(table["label"], series, "share", np.stack([low, high])), alt)
    return Section("labels", "Labels", [picture, Grid(shown, "Labels, as ticked and as estimated")])


def _item_section(annotations: Annotations, posterior: np.ndarray, viewer: ItemViewer) -> Section:
    entropy = -np.sum(
        posterior * np.log(np.maximum(posterior, 1e-12))
        + (1 - posterior) * np.log(np.maximum(1 - posterior, 1e-12)),
        axis=1,
    )
    answered = _answered(annotations)
    votes = np.nan_to_num(label_shares(annotations)) > 0.5
    order = np.argsort(-np.where(answered, entropy, -1), kind="stable")[:FEW_ROWS]
    names = np.asarray(annotations.classes).astype(str)
    shown = pd.DataFrame({"item": annotations.items[order].astype(str)})
    if viewer.shows:
        shown["shown"] = [viewer.cell(position) for position in order]
    shown["labels"] = [_sure(names, posterior[i]) for i in order]
    shown["unsure"] = [_unsure(names, posterior[i]) for i in order]
    shown["vote"] = [", ".join(names[votes[i]]) or "none" for i in order]
    shown["nats"] = entropy[order]
    return Section("items", "Items", [Grid(shown, "Items whose labels are least sure", ("shown",))])


def _sure(names: np.ndarray, q: np.ndarray) -> str:
    return ", ".join(names[q >= 0.9]) or "none"


def _unsure(names: np.ndarray, q: np.ndarray) -> str:
    return ", ".join(f"{names[k]} {100 * q[k]:.0f} %" for k in np.argsort(-q) if 0.1 < q[k] < 0.9)
