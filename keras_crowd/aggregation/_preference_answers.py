"""Probabilities of the answers to a pair, and their slopes in the parameters of the annotator."""

from __future__ import annotations

import numpy as np

from ._comparisons import Comparisons


def half_odds(score: np.ndarray, raters: np.ndarray, given: Comparisons) -> np.ndarray:
    """`(beta_r (s_first - s_second) + position_r) / 2` of each answer."""
    beta, position = raters[given.annotator, 0], raters[given.annotator, 1]
    return 0.5 * (beta * (score[given.first] - score[given.second])[given.pair] + position)


def answer_probabilities(
    u: np.ndarray, tie: np.ndarray, ties: bool, random: np.ndarray | float = 0.0
) -> np.ndarray:
    """Davidson's model, `exp(u)`, `exp(-u)` and, where a tie can be answered, `exp(tie)`, over their sum.

    With probability `random` each of the answers is as probable as the others. `(2 or 3, answers)`.
    """
    z = np.stack([u, -u, tie][: 2 + ties])
    q = np.exp(z - z.max(axis=0))
    q /= q.sum(axis=0)
    return (1 - random) * q + random / len(q)


def answer_slopes(
    u: np.ndarray, tie: np.ndarray, ties: bool, random: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities `(2 or 3, answers)`, and the slopes of their logs in `u`, `tie` and the logit of `random`.

    The slopes are `(3, 2 or 3, answers)`. With `w` the probability that an answer is not a random one, a slope of the
    log of the mixture is `w` times that of Davidson's model, and in the logit of the rate it is `1 - w - random`.
    """
    q = answer_probabilities(u, tie, ties)
    p = (1 - random) * q + random / len(q)
    meant = (1 - random) * q / p
    sides = np.array([1.0, -1.0, 0.0])[: len(q), None]
    of_tie = np.array([0.0, 0.0, 1.0])[: len(q), None] - q[2] if ties else np.zeros_like(q)
    return p, np.stack([meant * (sides - (q[0] - q[1])), meant * of_tie, 1 - meant - random])
