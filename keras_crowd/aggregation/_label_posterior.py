"""Posteriors of sets of labels from classifier and annotators together, and scores of held-out sets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._arguments import array_of_numbers
from ..annotations import Annotations, Answers, as_label_sets, by_ids
from ._label_sets import SURE, label_likelihoods, sigmoid


def label_posterior(
    answers: Answers,
    probabilities: npt.ArrayLike,
    sensitivity: npt.ArrayLike,
    specificity: npt.ArrayLike,
) -> np.ndarray:
    """Computes the probability of each label, given the features of an item and the sets that its annotators ticked.

    With probabilities `f`, answers `y` (1 ticked, 0 not ticked), sensitivities `s` and specificities `c`:

        logit q_il = logit f_il + sum_r [ y_irl log s_rl / (1 - c_rl) + (1 - y_irl) log (1 - s_rl) / c_rl ]

    Args:
        answers: `Annotations` of sets of labels, or integers `(items, annotators, labels)`: 1 ticked, 0 not ticked,
            -1 not shown.
        probabilities: The classifier's prediction `f`, `(items, labels)`, each between 0 and 1.
        sensitivity: `s`, `(annotators, labels)`, from `CrowdsMultiLabel.sensitivity()`.
        specificity: `c`, `(annotators, labels)`, from `CrowdsMultiLabel.specificity()`.

    Returns:
        float64 `(items, labels)`. A label that nobody judged keeps `f`.

    Raises:
        ValueError: When shapes disagree, or numbers are not between 0 and 1.

    Example:

    >>> label_posterior([[[1, 0]], [[0, -1]]], [[0.5, 0.5], [0.5, 0.3]], [[0.8, 0.5]], [[0.8, 0.5]])
    array([[0.8, 0.5],
           [0.2, 0.3]])

    Reference:
        A. P. Dawid, A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm",
        Applied Statistics 28, 1979, for each label.
    """
    annotations = as_label_sets(answers)
    f = within(checked_probabilities("probabilities", probabilities, annotations))
    s, c = checked_rates(annotations, sensitivity, specificity)
    there, absent = label_likelihoods(annotations, s, c)
    return sigmoid(np.log(f / (1 - f)) + there - absent)


def held_out_label_cross_entropy(
    held_out: Answers,
    answers: Answers,
    probabilities: npt.ArrayLike,
    sensitivity: npt.ArrayLike,
    specificity: npt.ArrayLike,
) -> np.ndarray:
    """Computes the nats of held-out sets, given the features and the *other* sets ticked for the same item.

    With the `label_posterior` `q` of the answers that were kept, an annotator ticks a label with the probability
    `t_irl = q_il s_rl + (1 - q_il) (1 - c_rl)`, and an answer has

        - sum_l [ y_irl log t_irl + (1 - y_irl) log (1 - t_irl) ]

    nats, the sum over the labels shown. Lower is better: it compares connections, classifiers and numbers of epochs
    without gold labels.

    Args:
        held_out: The answers held out: `Annotations` of sets of labels, or integers `(items, annotators, labels)`: 1
            ticked, 0 not ticked, -1 not shown; as `Annotations.split` gives them.
        answers: The answers kept, of the same items, annotators and labels.
        probabilities: Prediction of a classifier that was trained on the answers kept, `(items, labels)`, each between
            0 and 1.
        sensitivity: `s`, `(annotators, labels)`, from `CrowdsMultiLabel.sensitivity()`.
        specificity: `c`, `(annotators, labels)`, from `CrowdsMultiLabel.specificity()`.

    Returns:
        float64 `(held-out answers,)`, in the order of `Annotations.answers`.

    Raises:
        ValueError: When shapes disagree, or numbers are not between 0 and 1.

    Example:

    >>> kept, held_out = [[[1], [-1]]], [[[-1], [1]]]
    >>> rates = [[0.8], [0.8]]
    >>> held_out_label_cross_entropy(held_out, kept, [[0.5]], rates, rates).round(3)
    array([0.386])
    """
    kept, others = as_label_sets(answers), as_label_sets(held_out)
    q = label_posterior(kept, probabilities, sensitivity, specificity)
    q = checked_probabilities("probabilities", q, others)[others.item_index]
    s, c = (rates[others.annotator_index] for rates in checked_rates(others, sensitivity, specificity))
    tick = within(q * s + (1 - q) * (1 - c))
    chosen = np.where(others.answers > 0, tick, 1 - tick)
    return -np.sum(np.log(chosen), axis=1, where=others.answers >= 0)


def checked_probabilities(name: str, values: npt.ArrayLike, annotations: Annotations) -> np.ndarray:
    """Numbers between 0 and 1, one for each item and label; a data frame's by its ids."""
    shape = (annotations.num_items, annotations.num_classes)
    return _checked(name, by_ids(name, values, annotations), shape)


def checked_rates(
    annotations: Annotations, sensitivity: npt.ArrayLike, specificity: npt.ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Sensitivities and specificities, `(annotators, labels)`, within what logarithms stand."""
    shape = (annotations.num_annotators, annotations.num_classes)
    s, c = _checked("sensitivity", sensitivity, shape), _checked("specificity", specificity, shape)
    return within(s), within(c)


def within(p: np.ndarray) -> np.ndarray:
    """Probabilities that are neither 0 nor 1."""
    return np.clip(p, SURE, 1 - SURE)


def _checked(name: str, values: npt.ArrayLike, shape: tuple[int, int]) -> np.ndarray:
    found = array_of_numbers(name, values)
    if found.shape != shape or not np.all((found >= 0) & (found <= 1)):
        raise ValueError(
            f"`{name}` must be numbers between 0 and 1 of shape {shape}. "
            f"Received: shape {found.shape}, from {np.min(found, initial=np.inf):.3g} to "
            f"{np.max(found, initial=-np.inf):.3g}"
        )
    return found
