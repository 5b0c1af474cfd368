"""Gold labels of some items, from a table beside the answers."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

from ..annotations import Annotations
from ._errors import UsageError
from ._item_table import read_item_table


def add_gold(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `read_gold`."""
    parser.add_argument(
        "--gold",
        metavar="FILE",
        help="table of gold labels of some items; its item column is named as in the answers, and items "
        "without an answer are left out",
    )
    parser.add_argument(
        "--gold-label", metavar="NAME", default="label", help="column of the gold labels; default: label"
    )


def read_gold(arguments: argparse.Namespace, annotations: Annotations) -> np.ndarray | None:
    """Gold labels of the items of `annotations` as codes or numbers, or `None` where none were given.

    Those of items that nobody answered are left out, and counted on stderr.
    """
    if arguments.gold is None:
        return None
    rules: dict[str, Any] = {"unknown": arguments.unknown}
    if annotations.classes is not None and annotations.kind.name == "classes":
        rules["classes"] = annotations.classes.tolist()
    elif annotations.kind.name == "ratings":
        rules["ratings"] = True
    else:
        raise UsageError(f"--gold is for classes and ratings. The answers are {annotations.kind.name}.")
    table, place = read_item_table(arguments, arguments.gold, [arguments.gold_label], annotations, **rules)
    values = table[:, 0]
    if np.all(place < 0):
        raise ValueError(f"{arguments.gold}: no item is among those of the answers")
    if np.any(place < 0):
        left = (
            f"gold labels of {np.sum(place < 0):,} of {len(place):,} items without an answer are left out"
        )
        print(f"keras-crowd: {arguments.gold}: {left}", file=sys.stderr)
    gold = np.full(annotations.num_items, np.nan if values.dtype.kind == "f" else -1, values.dtype)
    gold[place[place >= 0]] = values[place >= 0]
    return gold
