"""Labels of items from sets of labels: shares of the votes, and Dawid-Skene label by label."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import number, whole_number
from .._repr import one_line
from ..annotations import Annotations, Answers, as_label_sets, share
from ._ratings import by_annotator, by_item

SURE = 1e-6  # how near to 0 and 1 sensitivities and specificities come


class DawidSkeneLabels(NamedTuple):
    """Result of `dawid_skene_labels`.

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
    """Computes the share of the annotators who ticked each label, among those who were shown it.

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
    gold: npt.ArrayLike | None = None,
    strength: float = 10.0,
    iterations: int = 100,
    tolerance: float = 1e-4,
) -> DawidSkeneLabels:
    """Estimates true labels and annotators' sensitivities and specificities from the answers alone, label by label.

    With posteriors `q_il` and answers `y_irl`, annotators are drawn to the population of each label:

        M:  s_rl ~ (m s_l + sum_i q_il y_irl) / (m + sum_i q_il),   c_rl likewise,
        E:  logit q_il = logit pi_l + sum_r [ y_irl log s_rl / (1 - c_rl) + (1 - y_irl) log (1 - s_rl) / c_rl ]

    started from the shares of the votes, where `m` is `strength` and `s_l` the sensitivity of all annotators together.

    Args:
        answers: `Annotations` of sets of labels, or integers `(items, annotators, labels)`: 1 ticked, 0 not ticked,
            -1 not shown.
        gold: What is known of the truth, integers `(items, labels)`: 1, 0, and -1 where unknown. It is taken for the
            truth. Defaults to `None`, nothing.
        strength: Number. Pseudo-answers of the population for each annotator and label. Defaults to 10.
        iterations: Integer. Largest number of iterations. Defaults to 100.
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
    truth = gold_labels(gold, annotations)
    shares = label_shares(annotations)
    known = ~np.isnan(shares) | (truth >= 0)
    shares = with_gold_labels(shares, truth)
    typical = share(np.sum(shares, axis=0, where=known), known.sum(axis=0))
    posterior = np.where(known, shares, np.nan_to_num(typical, nan=0.5))
    converged = False
    for _ in range(iterations):
        population = population_rates(annotations, posterior)
        s, c = label_rates(annotations, posterior, strength, population)
        prior = (np.sum(posterior, axis=0, where=known) + 0.5) / (known.sum(axis=0) + 1)
        there, absent = label_likelihoods(annotations, s, c)
        logits = np.log(prior / (1 - prior)) + there - absent
        before, posterior = posterior, with_gold_labels(sigmoid(logits), truth)
        converged = bool(np.max(np.abs(posterior - before)) < tolerance)
        if converged:
            break
    return DawidSkeneLabels(posterior, s, c, prior, converged)


def population_rates(annotations: Annotations, posterior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sensitivity and specificity of all annotators together, `(labels,)`."""
    right, judged = right_and_judged(annotations, posterior)
    s, c = (
        (part.sum(axis=0) + 0.5) / (whole.sum(axis=0) + 1)
        for part, whole in zip(right, judged, strict=True)
    )
    return s, c


def label_rates(
    annotations: Annotations,
    posterior: np.ndarray,
    strength: float,
    population: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """M-step: sensitivities and specificities `(annotators, labels)`, drawn to those of the population."""
    right, judged = right_and_judged(annotations, posterior)
    s, c = (
        np.clip(
            (by_annotator(annotations, part) + strength * of_all)
            / (by_annotator(annotations, whole) + strength),
            SURE,
            1 - SURE,
        )
        for part, whole, of_all in zip(right, judged, population, strict=True)
    )
    return s, c


def right_and_judged(annotations: Annotations, posterior: np.ndarray) -> tuple[list, list]:
    """Right ticks and right omissions in each answer, and the labels there and not there that it judged."""
    ticked, judged = annotations.answers > 0, annotations.answers >= 0
    present = posterior[annotations.item_index]
    there, absent = present * judged, (1 - present) * judged
    return [there * ticked, absent * ~ticked], [there, absent]


def label_likelihoods(
    annotations: Annotations, s: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Log-likelihoods of the answers to each item if it has a label, and if it has not, `(items, labels)` each."""
    ticked, judged = annotations.answers > 0, annotations.answers >= 0
    there, absent = (
        by_item(
            annotations,
            np.where(
                ticked, np.log(p)[annotations.annotator_index], np.log1p(-p)[annotations.annotator_index]
            )
            * judged,
        )
        for p in (s, 1 - c)
    )
    return there, absent


def gold_labels(gold: npt.ArrayLike | None, annotations: Annotations) -> np.ndarray:
    """Returns what is known of the truth as integers `(items, labels)`, -1 where unknown; checked."""
    shape = (annotations.num_items, annotations.num_classes)
    if gold is None:
        return np.full(shape, -1)
    gold = np.asarray(gold)
    if gold.shape != shape or gold.dtype.kind not in "biu" or np.any(gold > 1):
        raise ValueError(
            f"`gold` must be integers of shape {shape}, (items, labels): 1, 0, and -1 where unknown. "
            f"Received: shape {gold.shape}, dtype {gold.dtype}"
        )
    return gold.astype(int)


def with_gold_labels(posterior: np.ndarray, gold: np.ndarray) -> np.ndarray:
    """The posterior, with the truth where it is known."""
    return np.where(gold >= 0, gold, posterior)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """`1 / (1 + exp(-logits))`, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))
