"""`keras-crowd next`: the questions to ask next."""

from __future__ import annotations

import argparse
import pathlib
import re
import warnings
from typing import Any

import numpy as np

from .. import acquisition, io
from ._costs import add_costs, read_costs
from ._errors import UsageError
from ._formats import item_names, read_answers
from ._predictions import add_predictions, read_predictions
from ._progress import Progress
from ._tables import add_output, check_outputs, table_at

NAME = "next"
SUMMARY = "Chooses which items to ask about next, and whom, for a budget; for answers of one class each."
EXAMPLE = (
    "keras-crowd next answers.csv --item task --annotator worker --answer label \\\n"
    "    --budget 100 -o questions.csv"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds what only this command has."""
    add_output(parser, "table of questions, the first one first")
    parser.add_argument("--budget", type=float, required=True, help="the most that all questions may cost")
    add_costs(parser, "1 each")
    add_predictions(parser)
    parser.add_argument(
        "--out-of-sample",
        action="store_true",
        help="each item was predicted by a classifier that had not been trained on its answers: the predictions are "
        "then sharpened or flattened as the answers say",
    )
    parser.add_argument(
        "--items",
        metavar="FILE",
        help="text file with one item id per line: all items, also those without an answer",
    )
    parser.add_argument(
        "--most-per-annotator", type=int, metavar="N", help="the most questions for each annotator"
    )
    parser.add_argument(
        "--criterion", help="what a question is to bring: mixed (the default), information or accuracy"
    )
    parser.add_argument(
        "--min-gain",
        type=float,
        help="the least expected gain of a question, whatever is left of the budget; default: 0.001, of one label",
    )
    parser.add_argument("--seed", type=int, default=0, help="decides between equal questions; default: 0")


def run(arguments: argparse.Namespace, progress: Progress) -> None:
    """Reads the answers, chooses, and writes."""
    check_outputs(arguments, arguments.output)
    with progress.step("reading answers"):
        annotations = read_answers(arguments, _items(arguments.items, arguments.item or ["item"]))
    costs = read_costs(arguments, annotations)
    probabilities = read_predictions(arguments, annotations)
    if arguments.out_of_sample and probabilities is None:
        raise UsageError("--out-of-sample needs --classifier.")
    given: dict[str, Any] = {"criterion": arguments.criterion, "min_gain": arguments.min_gain}
    given = {name: value for name, value in given.items() if value is not None}
    with progress.step(f"choosing among the questions about {annotations.num_items:,} items"):
        questions = acquisition.next_questions(
            annotations,
            arguments.budget,
            costs=1.0 if costs is None else costs,
            probabilities=probabilities,
            out_of_sample=arguments.out_of_sample,
            most_per_annotator=arguments.most_per_annotator,
            seed=arguments.seed,
            **given,
        )
    _warn_of_what_is_left(questions, arguments.budget)
    with table_at(arguments.output) as path:
        names = item_names(arguments), arguments.annotator or "annotator"
        io.write_questions(path, questions, *names)


def _warn_of_what_is_left(questions: dict[str, np.ndarray], budget: float) -> None:
    """Says so where there is no question that is worth asking."""
    if len(questions["item"]) == 0:
        warnings.warn(
            f"No question is worth asking: all of the budget of {budget:g} is left.", stacklevel=2
        )


def _items(path: str | None, names: list[str]) -> list[str] | None:
    if path is None:
        return None
    lines = pathlib.Path(path).read_text(encoding="utf-8-sig").splitlines()
    if lines and len(head := re.split("[,;\t]", lines[0])) > 1 and set(names) & set(head):
        raise ValueError(f"{path}: expected one item id per line. Received: a table, {lines[0]!r}")
    return [line.strip() for line in lines if line.strip()]
