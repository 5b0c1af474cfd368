"""Runs the command line tool: `python -m keras_crowd aggregate answers.csv -o labels.csv`."""

import sys

from ._shell import main

if __name__ == "__main__":
    sys.exit(main())
