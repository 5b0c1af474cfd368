"""`keras-crowd aggregate`: labels of the items."""

from __future__ import annotations

import argparse
from typing import Any

from .. import aggregation, io
from ..annotations import Annotations
from ._errors import UsageError
from ._formats import UNORDERED, item_names, read_answers
from ._gold import add_gold, read_gold
from ._methods import METHODS, Found, method_named
from ._progress import Progress
from ._tables import add_output, check_outputs, table_at

NAME = "aggregate"
SUMMARY = "Estimates the label of each item from the answers alone, and judges the annotators."
EXAMPLE = (
    "keras-crowd aggregate answers.csv --item task --annotator worker --answer label \\\n"
    "    -o labels.csv --annotators-out annotators.csv"
)
_TOOLS = ("label-studio", "prodigy")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds what only this command has."""
    add_output(parser, "table of labels and confidences, or of scores")
    parser.add_argument("--annotators-out", metavar="FILE", help="table of the annotators")
    parser.add_argument(
        "--intervals",
        action="store_true",
        help="95 percent intervals of accuracies in --annotators-out, of classes",
    )
    names = dict.fromkeys(name for methods in METHODS.values() for name in methods)
    kinds = "; ".join(f"{', '.join(methods)} for {kind}" for kind, methods in METHODS.items())
    parser.add_argument(
        "--method", choices=names, metavar="NAME", help=f"{kinds}. Default: the first of each"
    )
    parser.add_argument(
        "--threshold", type=float, help="probability above which a label of a set is present"
    )
    parser.add_argument(
        "--to",
        choices=("table", *_TOOLS),
        default="table",
        help="a table, or the file of the tool with labels added",
    )
    parser.add_argument("--escape-formulas", action="store_true", help="for tables opened in a spreadsheet")
    add_gold(parser)


def run(arguments: argparse.Namespace, progress: Progress) -> None:
    """Reads the answers, estimates, and writes."""
    _refuse_tool(arguments)
    check_outputs(arguments, arguments.output, arguments.annotators_out)
    with progress.step("reading answers"):
        annotations = read_answers(arguments)
    _refuse_intervals(arguments, annotations)
    gold = read_gold(arguments, annotations)
    with progress.step(f"aggregating {len(annotations):,} answers"):
        unordered = arguments.format in UNORDERED
        found = method_named(arguments.method, annotations.kind.name, unordered)(annotations, gold)
    people = found.annotators
    if arguments.intervals:
        with progress.step("drawing intervals"):
            people = aggregation.annotator_table(annotations, found.estimates, intervals=True) | people
    with progress.step("writing"):
        _write_items(arguments, annotations, found)
        if arguments.annotators_out is not None:
            columns: dict[str, Any] = {**people, "escape_formulas": arguments.escape_formulas}
            io.write_annotators(arguments.annotators_out, annotations, **columns)


def _refuse_intervals(arguments: argparse.Namespace, annotations: Annotations) -> None:
    if arguments.intervals and (arguments.annotators_out is None or annotations.kind.name != "classes"):
        raise UsageError("--intervals needs --annotators-out, and answers that are classes.")


def _refuse_tool(arguments: argparse.Namespace) -> None:
    if arguments.to == "table":
        return
    if arguments.format != arguments.to or len(arguments.answers) != 1 or arguments.output is None:
        raise UsageError(f"--to {arguments.to} needs one file, --format {arguments.to} and -o.")


def _write_items(arguments: argparse.Namespace, annotations: Annotations, found: Found) -> None:
    if arguments.to != "table":
        _write_for_tool(arguments, annotations, found)
        return
    safe = arguments.escape_formulas
    with table_at(arguments.output) as path:
        if annotations.kind.name == "preferences":
            table = dict(found.estimates)
            ids = table.pop("item").tolist()
            if isinstance(ids[0], tuple):  # what was asked for, and the item
                table["prompt"], ids = [id_[0] for id_ in ids], [id_[1] for id_ in ids]
            io.write_scores(path, ids, table.pop("score"), escape_formulas=safe, **table)
            return
        names, threshold = item_names(arguments), arguments.threshold
        io.write_labels(
            path, annotations, found.estimates, names, threshold=threshold, escape_formulas=safe
        )


def _write_for_tool(arguments: argparse.Namespace, annotations: Annotations, found: Found) -> None:
    export, name = arguments.answers[0], arguments.item[0] if arguments.item else None
    given: dict[str, Any] = {"threshold": arguments.threshold} | ({"item": name} if name else {})
    if arguments.to == "label-studio":
        given["from_name"] = arguments.from_name
        io.write_label_studio(arguments.output, export, annotations, found.estimates, **given)
    else:
        given["label"] = arguments.label
        io.write_prodigy(arguments.output, export, annotations, found.estimates, **given)
