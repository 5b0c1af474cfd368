"""`keras-crowd agreement`: how far annotators agree."""

from __future__ import annotations

import argparse
import math

import numpy as np

from .. import evaluation
from ..annotations import Annotations
from ._formats import read_answers
from ._progress import Progress

NAME = "agreement"
SUMMARY = "Prints how far annotators agree beyond chance: Krippendorff's alpha, Fleiss' and Cohen's kappa."
EXAMPLE = "keras-crowd agreement answers.csv --item task --annotator worker --answer label"
_MANY = 1000  # annotators, above which the table of all pairs is left out


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds what only this command has."""
    parser.add_argument(
        "--level",
        choices=("nominal", "ordinal", "interval", "masi"),
        help="of Krippendorff's alpha; default: nominal for classes, interval for ratings, masi for sets",
    )


def run(arguments: argparse.Namespace, progress: Progress) -> None:
    """Reads the answers and prints one measure per line: its name, a tab, its value."""
    with progress.step("reading answers"):
        annotations = read_answers(arguments)
    with progress.step(f"comparing {len(annotations):,} answers"):
        found = _measures(annotations, arguments)
    for name, value in found.items():
        print(name, value if isinstance(value, int) else _text(value), sep="\t")


def _measures(annotations: Annotations, arguments: argparse.Namespace) -> dict[str, float | int]:
    statistics = evaluation.answer_statistics(annotations, arguments.level)
    found: dict[str, float | int] = {
        "items": annotations.num_items,
        "annotators": annotations.num_annotators,
        "answers": len(annotations),
        "answers_per_item": len(annotations) / annotations.num_items,
        "disputed_items": statistics.disputed,
        "krippendorff_alpha": statistics.alpha,
    }
    if annotations.kind.name == "classes":
        found["fleiss_kappa"] = evaluation.fleiss_kappa(annotations)
        if annotations.num_annotators <= _MANY:
            found["mean_cohen_kappa"] = _mean_cohen_kappa(annotations)
    return found


def _mean_cohen_kappa(annotations: Annotations) -> float:
    """The mean over pairs of annotators, each weighted by its common items."""
    kappa, common = evaluation.cohen_kappa(annotations), evaluation.pairwise_agreement(annotations).common
    known = np.isfinite(kappa)
    return float(np.average(kappa[known], weights=common[known])) if known.any() else math.nan


def _text(value: float) -> str:
    return f"{value:.4f}"
