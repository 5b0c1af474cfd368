"""The command line tool: labels, agreement, reports and what to ask next, from files of answers. NumPy only."""

from ._main import main as main
