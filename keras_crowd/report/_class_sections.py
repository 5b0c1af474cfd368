"""Sections of a report of answers of classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..aggregation import CrowdDraws
from ._blocks import Block, Grid, Picture, Section
from ._figures import bars, forest, heat_maps, histograms, shortened
from ._given import Given
from ._intervals import percent
from ._shown import ItemViewer

MOST_ROWS, FEW_ROWS, MANY_NAMES = 200, 20, 40
Tables = dict[str, pd.DataFrame]


def annotator_section(tables: Tables) -> Section:
    """Accuracies of the annotators."""
    table = tables["annotators"]
    answered = table[table["answers"] > 0].sort_values("accuracy", ignore_index=True)
    suspects = answered[(answered["informedness"] < 0.2) & (answered["answers"] >= 10)]
    blocks: list[Block] = [
        "Accuracy is the probability of a right answer about an item drawn from all. The true classes are not known, "
        "and the intervals allow for that: few answers, or answers to items that are themselves unsure, widen them. "
        "Informedness is 1 where the answer always tells the class and 0 where it does not depend on the class.",
        _suspects(suspects, answered),
        _forest(answered),
    ]
    blocks.append(
        Grid(annotator_rows(answered.head(MOST_ROWS)), _which(answered, "the least accurate first"))
    )
    return Section("annotators", "Annotators", blocks)


def _suspects(suspects: pd.DataFrame, answered: pd.DataFrame) -> str:
    one_class = answered.loc[answered["one_class"], "annotator"]
    parts = []
    if len(one_class):
        parts.append(f"{len(one_class)} gave answers of one class only: {_names(one_class)}.")
    if len(suspects):
        parts.append(
            f"{len(suspects)} with ten answers or more answer almost alike whatever the item (informedness below 0.2): "
            f"{_names(suspects['annotator'])}."
        )
    return (
        " ".join(parts)
        or "Nobody gave answers of one class only, or answers that do not depend on the item."
    )


def _names(ids: pd.Series, at_most: int = 8) -> str:
    more = f" and {len(ids) - at_most} more" if len(ids) > at_most else ""
    return ", ".join(map(str, ids.head(at_most))) + more


def _forest(answered: pd.DataFrame) -> Picture:
    some = answered
    if len(answered) > MANY_NAMES:
        some = pd.concat([answered.head(MANY_NAMES // 2), answered.tail(MANY_NAMES // 2)])
    accuracy, low, high = (some[name].to_numpy() for name in ("accuracy", "accuracy_low", "accuracy_high"))
    gold = some["gold_accuracy"].to_numpy() if "gold_accuracy" in some else None
    figure = forest(some["annotator"], accuracy, low, high, "accuracy", gold)
    which = (
        "all"
        if some is answered
        else f"the {MANY_NAMES // 2} least and the {MANY_NAMES // 2} most accurate"
    )
    alt = (
        f"Estimated accuracy with 95 % interval of {which} annotators. Lowest {answered['accuracy'].min():.2f}, "
        f"median {answered['accuracy'].median():.2f}, highest {answered['accuracy'].max():.2f}."
    )
    return Picture("accuracy", figure, alt, f"Accuracy of {which} of {len(answered):,} annotators.")


def annotator_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The annotators as the page shows them."""
    shown = pd.DataFrame({"annotator": table["annotator"].astype(str), "answers": table["answers"]})
    for name in ("accuracy", "sensitivity", "specificity"):
        if name in table:
            shown[f"{name}, %"] = intervals(table, name)
    if "gold_accuracy" in table:
        columns = table[["gold_accuracy", "gold_low", "gold_high"]].to_numpy(float)
        shown["by gold, %"] = [percent(*row) for row in columns]
    names = {
        "learned_accuracy": "learned",
        "agreement": "agreement",
        "informedness": "informedness",
        "one_class": "one class only",
        "grade_bias": "bias in grades",
        "grade_error": "error in grades",
        "seconds": "seconds",
        "drift": "drift",
        "cost_per_right_answer": "cost per right answer",
    }
    for name, heading in names.items():
        if name in table and not (name == "one_class" and not table[name].any()):
            shown[heading] = table[name]
    return shown


def intervals(table: pd.DataFrame, name: str) -> list[str]:
    """A column with its interval, in percent."""
    columns = table[[name, f"{name}_low", f"{name}_high"]].to_numpy(float)
    return [percent(*row) for row in columns]


def _which(table: pd.DataFrame, order: str) -> str:
    more = f"the first {MOST_ROWS} of {len(table):,}, " if len(table) > MOST_ROWS else ""
    return f"Annotators, {more}{order}"


def confusion_section(given: Given, draws: CrowdDraws, tables: Tables) -> Section:
    """Pictures of confusion matrices."""
    table, shown = tables["annotators"], given.learned if given.learned is not None else draws.confusion
    enough = table.index[table["answers"] >= min(20, table["answers"].max())]
    order = enough[np.argsort(table.loc[enough, "accuracy"].to_numpy())]
    by_answers = table["answers"].sort_values(ascending=False, kind="stable").index
    chosen = {"least accurate": order[0], "most accurate": order[-1], "most answers": by_answers[0]}
    classes = given.classes
    names = table["annotator"]
    titles = [f"{what}: {shortened(names[r], 14)}" for what, r in chosen.items()]
    three = Picture(
        "confusions",
        heat_maps([shown[r] for r in chosen.values()], titles, classes),
        "Confusion matrices, true classes by answers, of "
        + "; ".join(_confusion_alt(f"the {what}", shown[r], classes) for what, r in chosen.items()),
        "Share of each answer in percent, given the true class. Of those with 20 answers or more. "
        + ("As the crowd layer learned them." if given.learned is not None else ""),
    )
    blocks: list[Block] = [three]
    many = by_answers[:24]
    if len(many) > 3:
        blocks.append(
            Picture(
                "all_confusions",
                heat_maps([shown[r] for r in many], [shortened(names[r], 18) for r in many], classes, 6),
                f"Confusion matrices of the {len(many)} annotators with the most answers, small, without numbers. The "
                "table of annotators and the data frame of recalls hold the same.",
                f"The {len(many)} annotators with the most answers. Dark on the diagonal is right.",
            )
        )
    return Section("confusions", "Confusions", blocks)


def _confusion_alt(what: str, confusion: np.ndarray, classes: np.ndarray) -> str:
    wrong = np.where(np.eye(len(confusion), dtype=bool), 0, confusion)
    k, answer = np.unravel_index(wrong.argmax(), wrong.shape)
    return (
        f"{what}: recall from {np.diagonal(confusion).min():.2f} to {np.diagonal(confusion).max():.2f}, takes "
        f"{classes[k]} for {classes[answer]} in {wrong.max():.2f}"
    )


def together_section(tables: Tables) -> Section:
    """Pairs of annotators who err together."""
    table = tables["pairs"]
    intro = (
        "Annotators who copy, share an account or were taught the same mistake agree more often than their accuracies "
        "explain. These pairs do, at a false discovery rate of 5 percent; their answers count as fewer than they are."
    )
    if table.empty:
        return Section("together", "Who errs together", [intro, "No two annotators were found that do."])
    shown = table.head(FEW_ROWS).astype({"annotator": str, "other": str})
    shown["p_value"] = shown["p_value"].clip(lower=1e-9)  # never shown as 0
    shown.columns = ["annotator", "other", "common items", "correlation of errors", "p value"]
    caption = f"Pairs that err together, the strongest {len(shown)} of {len(table):,}"
    return Section("together", "Who errs together", [intro, Grid(shown, caption)])


def item_section(given: Given, tables: Tables, viewer: ItemViewer) -> Section:
    """Items to look at, and to ask again."""
    table = tables["items"]
    answered = table[table["answers"] > 0]
    counts = answered["status"].value_counts()
    blocks: list[Block] = [
        f"Of {len(answered):,} items, {counts.get('settled', 0):,} are settled. {counts.get('undecided', 0):,} are "
        "undecided: their label is below 90 percent, and more answers would help. "
        f"{counts.get('ambiguous', 0):,} are ambiguous: good annotators disagree about them more than their errors "
        "explain, and more answers would hardly help. Clearer instructions or an expert may.",
        _item_picture(table, answered),
    ]
    undecided = answered[answered["status"] == "undecided"].nlargest(FEW_ROWS, "gain")
    ambiguous = answered[answered["status"] == "ambiguous"].nlargest(FEW_ROWS, "runner_up_share")
    differ = answered[answered["vote"] != answered["label"]].nlargest(FEW_ROWS, "confidence")
    for some, caption in (
        (undecided, "Undecided items, those that one more answer would help most"),
        (ambiguous, "Ambiguous items"),
        (differ, "Items whose majority vote is most surely wrong"),
    ):
        if len(some):
            blocks.append(item_grid(some, caption, viewer))
    return Section("items", "Items", blocks)


def _item_picture(table: pd.DataFrame, answered: pd.DataFrame) -> Picture:
    counts = table["answers"].to_numpy()
    panels = [
        (answered["confidence"].to_numpy(), "confidence of the label", 20),
        (counts, "answers per item", _whole_bins(counts)),
    ]
    alt = (
        f"Two histograms of the items. Confidence of the labels: {np.mean(answered['confidence'] >= 0.9):.0%} "
        f"are at .9 or above. Answers per item: from {counts.min()} to {counts.max()}, median {np.median(counts):.0f}."
    )
    return Picture("items", histograms(panels, "items"), alt)


def _whole_bins(values: np.ndarray) -> np.ndarray:
    span = int(values.max()) - int(values.min()) + 1
    return np.arange(values.min(), values.max() + 2, max(span // 30, 1)) - 0.5


_COLUMNS = ("label", "confidence", "vote", "answers", "gain", "gold")


def item_grid(
    some: pd.DataFrame, caption: str, viewer: ItemViewer, columns: Sequence[str] = _COLUMNS
) -> Grid:
    """Items with what there is to see of them."""
    shown = pd.DataFrame({"item": some["item"].astype(str)})
    if viewer.shows:
        shown["shown"] = [viewer.cell(position) for position in some.index]
    for name in columns:
        if name in some:
            values = some[name]
            is_class = "vote" in columns and name in ("label", "vote", "gold")
            shown[name.replace("_", " ")] = values.astype(str) if is_class else values
    return Grid(shown, caption, pictures=("shown",))


def answer_section(given: Given, tables: Tables, viewer: ItemViewer) -> Section:
    """Single answers that are most surely wrong."""
    table = tables["answers"]
    some = table.nsmallest(FEW_ROWS, "probability")
    shown = pd.DataFrame({"item": some["item"].astype(str)})
    if viewer.shows:
        shown["shown"] = [viewer.cell(given.annotations.item_index[row]) for row in some.index]
    for name in ("annotator", "answer", "label"):
        shown[name] = some[name].astype(str)
    shown["probability"] = some["probability"]
    text = (
        f"{100 * np.mean(table['probability'] < 0.5):.1f} % of the answers are more probably wrong than right. The "
        "data frame `tables['answers']` has the probability of each."
    )
    grid = Grid(shown, "Answers that are most surely wrong", pictures=("shown",))
    return Section("answers", "Answers", [text, grid])


def class_section(tables: Tables) -> Section:
    """Frequencies of the classes, and which are hard."""
    table = tables["classes"].head(MANY_NAMES)
    low, high = (np.abs(table["true_share"] - table[f"true_share_{end}"]) for end in ("low", "high"))
    figure = bars(
        table["class"],
        {
            "of the answers": table["answer_share"].to_numpy(),
            "of the true classes": table["true_share"].to_numpy(),
        },
        "share",
        np.stack([low, high]),
    )
    alt = (
        "Share of each class among the answers and, with 95 % interval, among the estimated true classes: "
        + "; ".join(
            f"{row['class']} {row['answer_share']:.2f} and {row['true_share']:.2f}"
            for _, row in table.head(12).iterrows()
        )
    )
    shown = pd.DataFrame(
        {
            "class": table["class"].astype(str),
            "answers": table["answers"],
            "share of answers": table["answer_share"],
            "true share, %": intervals(table, "true_share"),
            "recall of an answer": table["recall"],
            "most often taken for": table["taken_for"].astype(str),
            "in a share of": table["taken_for_share"],
        }
    )
    if "gold_share" in table:
        shown.insert(4, "gold share", table["gold_share"])
    return Section(
        "classes",
        "Classes",
        [Picture("classes", figure, alt), Grid(shown, "Classes, as answered and as estimated")],
    )
