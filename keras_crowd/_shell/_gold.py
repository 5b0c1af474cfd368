"""Gold labels of some items, from a table beside the answers."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from .. import io
from ..annotations import Annotations
from ._errors import UsageError
from ._formats import item_names


def add_gold(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `read_gold`."""
    parser.add_argument(
        "--gold",
        metavar="FILE",
        help="table of gold labels of some items; its item column is named as in the answers",
    )
    parser.add_argument(
        "--gold-label", metavar="NAME", default="label", help="column of the gold labels; default: label"
    )


def read_gold(arguments: argparse.Namespace, annotations: Annotations) -> np.ndarray | None:
    """Gold labels of the items of `annotations` as codes or numbers, or `None` where none were given."""
    if arguments.gold is None:
        return None
    said = {name: getattr(arguments, name) for name in ("encoding", "sep", "unknown")}
    rules: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    if annotations.classes is not None and annotations.kind.name == "classes":
        rules["classes"] = annotations.classes.tolist()
    elif annotations.kind.name == "ratings":
        rules["ratings"] = True
    else:
        raise UsageError(f"--gold is for classes and ratings. The answers are {annotations.kind.name}.")
    columns = [arguments.gold_label]
    items = annotations.items.tolist()
    found = io.read_wide(arguments.gold, item_names(arguments), columns=columns, items=items, **rules)
    return found.dense()[:, 0]
