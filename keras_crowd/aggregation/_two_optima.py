"""Whether the answers have two explanations about equally likely, as those of annotators who err together may."""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import numpy as np

from ..annotations import Annotations
from ._answer_sums import vote_counts

MOST_NUMBERS = 1_000_000  # answers times classes, up to which a second solution is looked for by default
_NEAR = 0.06  # nats per answer, settled on simulated panels
_OTHER = 0.1  # share of the items in which solutions differ
_BEYOND_CHANCE = 1.5  # times the largest eigenvalue that independent annotators have
_FEWEST_ITEMS, _POWER_STEPS = 30, 8
_LABELS_THAT_DECIDE = 10
_TINY = 1e-12


class Solution(NamedTuple):
    """An end of expectation maximization.

    Attributes:
        labels: Class codes `(items,)`.
        log_likelihood: Of the answers.
        right: Whether the answers alone give the gold label under this solution, `(gold items,)`.
    """

    labels: np.ndarray
    log_likelihood: float
    right: np.ndarray


def second_start(
    annotations: Annotations, posterior: np.ndarray, confusion: np.ndarray
) -> np.ndarray | None:
    """Votes of the annotators who depart together from a solution, `(items, classes)`; `None` where none do.

    The residuals of the answers, `y_irl - sum_k q_ik A_rkl`, of each annotator of norm 1, have a largest eigenvalue of
    about `(1 + sqrt(annotators / (items * (classes - 1))))^2` if annotators are independent. Where it is far larger,
    the eigenvector parts two camps of annotators. The solution follows one, and the votes of the other are a start for
    another solution.
    """
    if annotations.num_items < _FEWEST_ITEMS or annotations.num_annotators < 3:
        return None
    direction, largest = _common_departure(annotations, posterior, confusion)
    degrees = annotations.num_items * max(annotations.num_classes - 1, 1)
    if largest < _BEYOND_CHANCE * (1 + math.sqrt(annotations.num_annotators / degrees)) ** 2:
        return None
    camps = [vote_counts(annotations, np.maximum(sign * direction, _TINY)) for sign in (1, -1)]
    found = posterior.argmax(axis=1)
    votes = max(camps, key=lambda counts: differing(counts.argmax(axis=1), found))
    return votes / np.maximum(votes.sum(axis=1, keepdims=True), _TINY**2)


def differing(labels: np.ndarray, others: np.ndarray) -> float:
    """Share of the items with another label, where classes may have changed places."""
    size = 1 + max(labels.max(initial=0), others.max(initial=0))
    common = np.bincount(labels * size + others, minlength=size**2).reshape(size, size).astype(float)
    same = 0.0
    for _ in range(size):
        k, l = np.unravel_index(common.argmax(), common.shape)
        same += max(common[k, l], 0)
        common[k, :] = common[:, l] = -1
    return 1 - same / max(len(labels), 1)


def chosen(solutions: list[Solution], num_answers: float) -> int:
    """The index of the likeliest solution, or of the one that gold labels prefer; warns where they do not decide.

    The last one counts only where its labels are others. A solution far less likely than another needs gold labels that
    decide.
    """
    first = max(range(len(solutions) - 1), key=lambda i: solutions[i].log_likelihood)
    if differing(solutions[-1].labels, solutions[first].labels) <= _OTHER:
        return first
    best = max(range(len(solutions)), key=lambda i: solutions[i].log_likelihood)
    least = solutions[best].log_likelihood - _NEAR * num_answers
    near = [
        i for i, s in enumerate(solutions) if s.log_likelihood >= least or not _tied(s, solutions[best])
    ]
    if all(differing(solutions[i].labels, solutions[best].labels) <= _OTHER for i in near):
        return best
    taken = max(near, key=lambda i: (solutions[i].right.sum(), solutions[i].log_likelihood))
    open_to = [solutions[i] for i in near if i != taken and _tied(solutions[taken], solutions[i])]
    share = max((differing(rival.labels, solutions[taken].labels) for rival in open_to), default=0.0)
    if share > _OTHER:
        _warn(share)
    return taken


def _tied(taken: Solution, rival: Solution) -> bool:
    """Whether gold labels leave open which of two solutions is right."""
    ahead, behind = np.sum(taken.right & ~rival.right), np.sum(rival.right & ~taken.right)
    return bool(ahead - behind < 2 * math.sqrt(max(ahead + behind, 1)))


def _warn(share: float) -> None:
    warnings.warn(
        "Two solutions explain the answers about equally well, and their labels differ in "
        f"{share:.0%} of the items. Annotators may err together, and their answers cannot tell which is right. "
        f"Gold labels decide: `gold=` with {_LABELS_THAT_DECIDE} of those items, or about "
        f"{math.ceil(_LABELS_THAT_DECIDE / share)} items drawn at random.",
        RuntimeWarning,
        stacklevel=4,
    )


def _common_departure(
    annotations: Annotations, posterior: np.ndarray, confusion: np.ndarray
) -> tuple[np.ndarray, float]:
    """The annotators' part in the largest common departure `(annotators,)`, and its eigenvalue, by power iteration."""
    item, who = annotations.item_index, annotations.annotator_index
    residual = -np.einsum("ak,akl->al", posterior[item], confusion[who])
    if annotations.answers.ndim == 2:
        residual += annotations.answers
    else:
        residual[np.arange(len(residual)), annotations.answers] += 1
    norms = np.bincount(who, weights=np.sum(residual**2, axis=1), minlength=annotations.num_annotators)
    residual /= np.sqrt(np.maximum(norms, _TINY))[who, None]
    columns, largest = residual.T.copy(), 0.0
    direction: np.ndarray = np.random.default_rng(0).normal(size=annotations.num_annotators)
    for _ in range(_POWER_STEPS):
        direction = direction / max(float(np.linalg.norm(direction)), _TINY)
        sums = [np.bincount(item, weights=e * direction[who], minlength=len(posterior)) for e in columns]
        back = np.sum([e * of_items[item] for e, of_items in zip(columns, sums, strict=True)], axis=0)
        direction = np.bincount(who, weights=back, minlength=len(direction))
        largest = float(np.linalg.norm(direction))
    return direction, largest
