"""The problems there are, one file each."""

from __future__ import annotations

from ..annotations import Answers, refuse_preferences
from ._chains import ChainProblem
from ._classes import ClassProblem
from ._label_sets import LabelSetProblem
from ._network import Network
from ._problem import Problem
from ._ratings import RatingProblem
from ._tags import TagProblem

PROBLEMS: tuple[type[Problem], ...] = (
    LabelSetProblem,
    ChainProblem,
    ClassProblem,
    RatingProblem,
    TagProblem,
)


def problem_for(network: Network, answers: Answers) -> type[Problem]:
    """The problem of such a network and such answers."""
    refuse_preferences(answers)
    for problem in PROBLEMS:
        if problem.takes(network, answers):
            return problem
    raise ValueError(
        "`classifier` must have the output shape (batch, classes), (batch, time, classes) or (batch, 1). "
        f"Received: {network.output_shape or 'several outputs'}"
    )
