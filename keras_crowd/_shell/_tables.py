"""Tables that a command writes: to a file, or to stdout as CSV."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import pathlib
import sys
import tempfile
from collections.abc import Iterator

from ._errors import UsageError


def add_output(parser: argparse.ArgumentParser, what: str, required: bool = False) -> None:
    """Adds `-o`."""
    default = "" if required else "; default: stdout, as CSV"
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=required,
        help=f"{what}, replaced whole where it exists{default}",
    )


def check_outputs(arguments: argparse.Namespace, *outputs: str | None) -> None:
    """Raises where an output is a file that is read, two are one file, or there is no such folder."""
    beside = (
        getattr(arguments, name, None) for name in ("gold", "costs", "show_from", "items", "classifier")
    )
    read = {os.path.realpath(path) for path in (*arguments.answers, *beside) if path}
    for path in filter(None, outputs):
        if os.path.realpath(path) in read:
            raise UsageError(
                f"An output must not be a file that is read, or that is written. Received: {path}"
            )
        read.add(os.path.realpath(path))
        folder = os.path.dirname(path)
        if folder and not os.path.isdir(folder):
            raise FileNotFoundError(errno.ENOENT, "No such folder", folder)


@contextlib.contextmanager
def table_at(path: str | None) -> Iterator[str]:
    """The path to write a table to; without one, what was written there goes to stdout."""
    if path is not None:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "table.csv")
        yield str(file)
        sys.stdout.write(file.read_text(encoding="utf-8"))
