"""Runs a command given by its words, and returns its exit code."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence

from .._version import __version__
from . import _aggregate, _agreement, _next, _report
from ._errors import UsageError
from ._formats import add_options
from ._progress import Progress

_COMMANDS = (_aggregate, _agreement, _report, _next)
_BAD_DATA, _BAD_USAGE, _INTERRUPTED, _NO_READER = 1, 2, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: The words after the name of the tool. Defaults to those of the process.

    Returns:
        0; 1 for data that cannot be read or used, with one line on stderr; 2 for wrong usage; 130 for Ctrl-C;
        141 where nobody reads stdout any more.
    """
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as left:  # argparse has printed help, or the error
        return int(left.code or 0)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: _say("warning", message)
            arguments.run(arguments, Progress(arguments.quiet))
        sys.stdout.flush()
    except UsageError as error:
        _say("error", error)
        return _BAD_USAGE
    except BrokenPipeError:  # of `keras-crowd ... | head`; Python would complain once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _NO_READER
    except OSError as error:
        _say("error", f"{error.filename}: {error.strerror}" if error.filename else error)
        return _BAD_DATA
    except (ValueError, ImportError) as error:
        _say("error", error)
        return _BAD_DATA
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def _say(what: str, message: object) -> None:
    print(f"keras-crowd: {what}: {' '.join(str(message).split())}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="keras-crowd",
        description="Labels, agreement, reports and what to ask next, from files of crowd answers.",
        epilog="`keras-crowd COMMAND --help` shows the options of a command, and an example.",
    )
    parser.add_argument("--version", action="version", version=f"keras_crowd {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in _COMMANDS:
        command = commands.add_parser(
            module.NAME,
            usage=f"keras-crowd {module.NAME} FILE [FILE ...] [options]",
            help=module.SUMMARY[0].lower() + module.SUMMARY[1:-1],
            description=module.SUMMARY,
            epilog=f"example:\n  {module.EXAMPLE}\n\nexit codes: 0, 1 for bad data, 2 for wrong usage.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_argument("answers", nargs="+", metavar="FILE", help="files of answers, of one format")
        module.add_options(command)
        command.add_argument("-q", "--quiet", action="store_true", help="print no progress")
        add_options(command)
        command.set_defaults(run=module.run)
    return parser
