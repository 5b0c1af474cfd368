"""Models of what can be answered to a pair: the better item, a tie, or how much better it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from .. import ops
from .._typing import Tensor

PreferenceConnType = Literal["full", "reliability", "position", "common"]
_OWN = {"full": {"reliability", "position"}, "reliability": {"reliability"}, "position": {"position"}}


def checked_conn_type(conn_type: object) -> PreferenceConnType:
    """Returns the argument `conn_type`; refuses what is none."""
    for known in get_args(PreferenceConnType):
        if isinstance(conn_type, str) and conn_type == known:
            return known
    raise ValueError(
        f"`conn_type` must be one of {', '.join(map(repr, get_args(PreferenceConnType)))}. "
        f"Received: conn_type={conn_type!r}"
    )


@dataclass(frozen=True)
class Davidson:
    """The better of two items, and with `ties` Davidson's ties: logits `u, -u, log nu_r` of half the log odds `u`."""

    ties: bool

    num_gaps = 0

    @property
    def num_choices(self) -> int:
        return 2 + self.ties

    @property
    def parameter(self) -> str | None:
        """Name of what annotators have beside reliability and position."""
        return "tie" if self.ties else None

    def logits(self, odds: Tensor, own: Tensor, log_gaps: Tensor | None) -> Tensor:
        return ops.preference_logits(odds, own if self.ties else None)

    def start(self, counts: np.ndarray | None = None) -> np.ndarray:
        """Log gaps of thresholds: none."""
        return np.zeros(0)


@dataclass(frozen=True)
class CumulativeLogits:
    """Grades from `-grades` to `grades`, 0 among them with `ties`: `P(y <= l) = sigmoid(odds + t_rl)`.

    The thresholds are symmetric about 0; annotators have a width, the log of a factor of all of them.
    """

    grades: int
    ties: bool

    parameter = "width"

    @property
    def num_choices(self) -> int:
        return 2 * self.grades + self.ties

    @property
    def num_gaps(self) -> int:
        """Number of positive thresholds."""
        return self.grades - (not self.ties)

    def logits(self, odds: Tensor, own: Tensor, log_gaps: Tensor) -> Tensor:
        return ops.graded_logits(odds, ops.symmetric_thresholds(log_gaps, own, not self.ties))

    def start(self, counts: np.ndarray | None = None) -> np.ndarray:
        """Log gaps for which two items alike get grades as often as counted, of each two opposite ones the mean."""
        rates = np.ones(self.num_choices) if counts is None else counts
        both = rates + rates[::-1]
        below = np.cumsum(both / both.sum())[self.num_choices // 2 : -1]
        return np.log(np.diff(np.log(below / (1 - below)), prepend=0.0))


def parameters_of(model: Davidson | CumulativeLogits, random_answers: bool) -> tuple[str, ...]:
    """Names of what annotators can have of their own."""
    found = ("reliability", "position", model.parameter, "random" if random_answers else None)
    return tuple(name for name in found if name is not None)


def own_parameters(conn_type: PreferenceConnType, parameters: Sequence[str]) -> tuple[str, ...]:
    """Returns the parameters that each annotator has, all that are neither reliability nor position among them."""
    if conn_type == "common":
        return ()
    others = {"reliability", "position"} - _OWN[conn_type]
    return tuple(name for name in parameters if name not in others)
