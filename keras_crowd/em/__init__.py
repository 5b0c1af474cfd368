"""Expectation maximization over any Keras classifier, and what a kind of answers of your own takes."""

from ._mbem import MBEM as MBEM
from ._problem import Data as Data
from ._problem import Prior as Prior
from ._problem import Problem as Problem
from ._trainer import EMTrainer as EMTrainer


def __dir__() -> list[str]:
    return ["MBEM", "Data", "EMTrainer", "Prior", "Problem"]
