"""A table of items beside the answers."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from .. import io
from ..annotations import Annotations
from ._formats import item_names


def read_item_table(
    arguments: argparse.Namespace, path: str, columns: list[str], annotations: Annotations, **rules: Any
) -> tuple[np.ndarray, np.ndarray]:
    """The values of some columns, `(rows, columns)`, and the place of each row's item in `annotations`, `-1` for none.

    `rules` are those of `io.read_wide`, where they are not `None`. Files tell ids as text: 7 is "7".
    """
    rules = {"encoding": arguments.encoding, "sep": arguments.sep, **rules}
    said = {name: value for name, value in rules.items() if value is not None}
    found = io.read_wide(path, item_names(arguments), columns=columns, **said)
    known = {str(item): row for row, item in enumerate(annotations.items.tolist())}
    return found.dense(), np.array([known.get(str(item), -1) for item in found.items.tolist()])
