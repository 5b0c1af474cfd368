"""Costs of answers, from a table beside the answers."""

from __future__ import annotations

import argparse

import numpy as np

from .. import io
from ..annotations import Annotations


def add_costs(parser: argparse.ArgumentParser, default: str) -> None:
    """Adds the option of `read_costs`."""
    parser.add_argument(
        "--costs", metavar="FILE", help=f"table with a column cost per annotator; default: {default}"
    )


def read_costs(arguments: argparse.Namespace, annotations: Annotations) -> np.ndarray | None:
    """Cost of an answer of each annotator, or `None` where no table was given."""
    if arguments.costs is None:
        return None
    column = arguments.annotator or "annotator"
    ids = annotations.annotators.tolist()
    found = io.read_wide(arguments.costs, column, columns=["cost"], items=ids, ratings=True)
    return found.dense()[:, 0]
