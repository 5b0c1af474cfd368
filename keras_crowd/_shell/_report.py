"""`keras-crowd report`: one HTML page about a crowd."""

from __future__ import annotations

import argparse

from .. import report
from ._beside import add_beside, read_shown, read_times
from ._costs import add_costs, read_costs
from ._errors import UsageError
from ._formats import read_answers
from ._gold import add_gold, read_gold
from ._predictions import add_predictions, read_predictions
from ._progress import Progress
from ._tables import add_output, check_outputs

NAME = "report"
SUMMARY = (
    "Writes one HTML page with tables and pictures: annotators, items, answers, agreement, label quality."
)
EXAMPLE = "keras-crowd report answers.csv --item task --annotator worker --answer label -o report.html"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds what only this command has."""
    add_output(parser, "the page, one file that opens offline", required=True)
    parser.add_argument("--title", default="Crowd report", help="title of the page")
    parser.add_argument("--cost", type=float, help="what one answer costs")
    add_costs(parser, "none, or --cost")
    add_beside(parser)
    add_predictions(parser)
    parser.add_argument(
        "--level",
        choices=("nominal", "ordinal", "interval", "masi"),
        help="of Krippendorff's alpha; ordinal reads classes as grades, in the order of --classes",
    )
    parser.add_argument("--draws", type=int, default=400, help="number of draws; default: 400")
    parser.add_argument(
        "--max-answers", type=int, default=200_000, help="items are sampled above this; default: 200000"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the draws and the sample; default: 0")
    add_gold(parser)


def run(arguments: argparse.Namespace, progress: Progress) -> None:
    """Reads the answers and writes the page."""
    if arguments.cost is not None and arguments.costs is not None:
        raise UsageError(
            "--cost is one number for all annotators, --costs a table of them: give one of the two."
        )
    check_outputs(arguments, arguments.output)
    with progress.step("reading answers"):
        annotations = read_answers(arguments)
    gold, costs = read_gold(arguments, annotations), read_costs(arguments, annotations)
    times, show = read_times(arguments, annotations), read_shown(arguments)
    probabilities = read_predictions(arguments, annotations)
    with progress.step(f"reporting on {len(annotations):,} answers"):
        found = report.crowd_report(
            annotations,
            gold=gold,
            costs=arguments.cost if costs is None else costs,
            times=times,
            show=show,
            probabilities=probabilities,
            level=arguments.level,
            draws=arguments.draws,
            title=arguments.title,
            max_answers=arguments.max_answers,
            seed=arguments.seed,
        )
        found.to_html(arguments.output)
