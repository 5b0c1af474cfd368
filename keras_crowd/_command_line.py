"""Tells whether Python runs the command line tool, which needs neither Keras nor a backend."""

import os
import sys


def is_command_line() -> bool:
    """Whether Python was started as `python -m keras_crowd` or as `keras-crowd`.

    `python -m` imports a package to find what to run in it, and `sys.argv[0]` is "-m" meanwhile.
    """
    started_as = (getattr(sys, "argv", None) or [""])[0]
    if started_as == "-m":
        given = sys.orig_argv
        return "-m" in given and given[given.index("-m") + 1 :][:1] == ["keras_crowd"]
    return os.path.basename(started_as) in ("keras-crowd", "keras-crowd.exe")
