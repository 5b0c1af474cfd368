"""A classifier's predictions, from a table beside the answers."""

from __future__ import annotations

import argparse

import numpy as np

from ..annotations import Annotations
from ._errors import UsageError
from ._item_table import read_item_table


def add_predictions(parser: argparse.ArgumentParser) -> None:
    """Adds the option of `read_predictions`."""
    parser.add_argument(
        "--classifier",
        metavar="FILE",
        help="table of a classifier's predictions: the item column, named as in the answers, and one column for each "
        "class with its probability",
    )


def read_predictions(arguments: argparse.Namespace, annotations: Annotations) -> np.ndarray | None:
    """Probabilities `(items, classes)` in the order of `annotations`, or `None` where no table was given."""
    path = arguments.classifier
    if path is None:
        return None
    if annotations.kind.name != "classes":
        raise UsageError(f"--classifier is for classes. The answers are {annotations.kind.name}.")
    columns = [str(name) for name in np.asarray(annotations.classes).tolist()]
    values, place = read_item_table(arguments, path, columns, annotations, ratings=True)
    known = np.full((annotations.num_items, len(columns)), np.nan)
    known[place[place >= 0]] = values[place >= 0]
    missing = np.flatnonzero(np.isnan(known).any(axis=1))
    if len(missing):
        raise ValueError(
            f"{path}: expected a probability of each class for each item. "
            f"Received: none for item {annotations.items[missing[0]]!r}"
        )
    return known
