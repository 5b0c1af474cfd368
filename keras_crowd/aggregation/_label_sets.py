"""Labels of items from sets of labels: shares of the votes, and Dawid-Skene label by label."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._arguments import number, whole_number
from .._repr import one_line
from ..annotations import Answers, as_label_sets, share
from ._ratings import by_annotator, by_item

_SURE = 1e-6  # how near to 0 and 1 sensitivities and specificities come


class DawidSkeneLabels(NamedTuple):
    """What `dawid_skene_labels` found.

    Attributes:
        posterior: Probability of each label for each item, `(items, labels)`.
        sensitivity: Probability that an annotator ticks a label that is there, `(annotators, labels)`.
        specificity: Probability that an annotator leaves out a label that is not there, likewise.
        prior: Share of the items that have each label, `(labels,)`.
        converged: Whether the tolerance was reached.
    """

    posterior: np.ndarray
    sensitivity: np.ndarray
    specificity: np.ndarray
    prior: np.ndarray
    converged: bool

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def labels(self) -> np.ndarray:
        """Labels more probable than not, booleans `(items, labels)`."""
        return self.posterior > 0.5


def label_shares(answers: Answers) -> np.ndarray:
    """Share of the annotators who ticked each label, of those who were shown it.

    Args:
        answers: `Annotations` of sets of labels, or integers `(items, annotators, labels)`: 1 ticked, 0 not ticked,
            -1 not shown.

    Returns:
        Float64 `(items, labels)`, `NaN` where nobody was shown the label of the item. Above 1/2 is the majority vote.

    Example:

    >>> label_shares([[[1, 0], [1, 1]], [[0, -1], [-1, -1]]])
    array([[1. , 0.5],
           [0. , nan]])
    """
    annotations = as_label_sets(answers)
    return share(
        by_item(annotations, annotations.answers > 0), by_item(annotations, annotations.answers >= 0)
    )


def dawid_skene_labels(
    answers: Answers,
    *,
    strength: float = 10.0,
    iterations: int = 100,
    tolerance: float = 1e-4,
) -> DawidSkeneLabels:
    """True labels and annotators' sensitivities and specificities from the answers alone, label by label.

    With posteriors `q_il` and answers `y_irl`, annotators are drawn to the population of each label:

        M:  s_rl ~ (m s_l + sum_i q_il y_irl) / (m + sum_i q_il),   c_rl likewise,
        E:  logit q_il = logit pi_l + sum_r [ y_irl log s_rl / (1 - c_rl) + (1 - y_irl) log (1 - s_rl) / c_rl ]

    started from the shares of the votes, where `m` is `strength` and `s_l` the sensitivity of all annotators together.

    Args:
        answers: `Annotations` of sets of labels, or integers `(items, annotators, labels)`: 1 ticked, 0 not ticked,
            -1 not shown.
        strength: Number. How many answers of the population are imagined for each annotator and label. Defaults to 10.
        iterations: Integer. Stop after so many iterations. Defaults to 100.
        tolerance: Number. Stop when no posterior changes by more. Defaults to 1e-4.

    Returns:
        `DawidSkeneLabels(posterior, sensitivity, specificity, prior, converged)`, float64.

    Example:

    >>> ticks = [[[1, 0], [1, 0], [0, 0]], [[0, 1], [0, 1], [1, 1]]]
    >>> dawid_skene_labels(ticks).labels.tolist()
    [[True, False], [False, True]]

    Reference:
        A. P. Dawid, A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm",
        Applied Statistics 28, 1979; annotators drawn towards a population as in S. Paun et al., "Comparing Bayesian
        models of annotation", Transactions of the ACL 6, 2018.
    """
    annotations = as_label_sets(answers)
    strength = number("strength", strength, above=0)
    whole_number("iterations", iterations)
    number("tolerance", tolerance)
    item, annotator = annotations.item_index, annotations.annotator_index
    ticked, judged = (annotations.answers > 0).astype(float), (annotations.answers >= 0).astype(float)
    shares = label_shares(annotations)
    known = ~np.isnan(shares)
    typical = share(np.sum(shares, axis=0, where=known), known.sum(axis=0))
    posterior = np.where(known, shares, np.nan_to_num(typical, nan=0.5))
    converged = False
    for _ in range(iterations):
        present = posterior[item]
        sums = [
            by_annotator(annotations, weight * of)
            for weight in (present, 1 - present)
            for of in (ticked, judged)
        ]
        s = _drawn(sums[0], sums[1], strength)
        c = 1 - _drawn(sums[2], sums[3], strength)
        prior = (np.sum(posterior, axis=0, where=known) + 0.5) / (known.sum(axis=0) + 1)
        for_tick, against = np.log(s / (1 - c)), np.log((1 - s) / c)
        evidence = ticked * for_tick[annotator] + (judged - ticked) * against[annotator]
        logits = np.log(prior / (1 - prior)) + by_item(annotations, evidence)
        before, posterior = posterior, 0.5 * (1 + np.tanh(0.5 * logits))
        converged = bool(np.max(np.abs(posterior - before)) < tolerance)
        if converged:
            break
    return DawidSkeneLabels(posterior, s, c, prior, converged)


def _drawn(part: np.ndarray, whole: np.ndarray, strength: float) -> np.ndarray:
    """Shares `(annotators, labels)`, drawn towards those of all annotators together."""
    of_all = (part.sum(axis=0) + 0.5) / (whole.sum(axis=0) + 1)
    return np.clip((part + strength * of_all) / (whole + strength), _SURE, 1 - _SURE)
