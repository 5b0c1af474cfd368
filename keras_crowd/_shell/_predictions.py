"""A classifier's predictions, from a table beside the answers."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from .. import io
from ..annotations import Annotations
from ._errors import UsageError
from ._formats import item_names
from ._gold import places


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
    said = {name: getattr(arguments, name) for name in ("encoding", "sep")}
    rules: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    columns = [str(name) for name in np.asarray(annotations.classes).tolist()]
    found = io.read_wide(path, item_names(arguments), columns=columns, ratings=True, **rules)
    place, values = places(found, annotations), found.dense()
    known = np.full((annotations.num_items, len(columns)), np.nan)
    known[place[place >= 0]] = values[place >= 0]
    missing = np.flatnonzero(np.isnan(known).any(axis=1))
    if len(missing):
        raise ValueError(
            f"{path}: expected a probability of each class for each item. "
            f"Received: none for item {annotations.items[missing[0]]!r}"
        )
    return known
