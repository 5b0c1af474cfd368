"""Labels from answers alone, without features: baselines and warm starts. NumPy in, NumPy out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import numpy as np

from .annotations import MISSING, Annotations, as_annotations


def majority_vote(
    answers: Any,
    num_classes: int | None = None,
    *,
    soft: bool = False,
    ties: Literal["lowest", "random", "missing"] = "lowest",
    seed: int | None = None,
) -> np.ndarray:
    """The most frequent answer to each item, or the share of each answer.

    Args:
        answers: `Annotations`, or integers `(items, annotators)` with `-1` for missing.
        num_classes: Number of classes. Defaults to that of the annotations; for an array, to the highest
            answer plus one.
        soft: Return the shares of the answers instead of one class.
        ties: What a tie becomes: the `"lowest"` class code, a `"random"` one of the tied classes, or
            `"missing"` (`-1`).
        seed: Seed of the random ties.

    Returns:
        Classes, int32 `(items,)`, `-1` for an item nobody answered; or with `soft=True` shares, float32
        `(items, classes)`, a row of zeros for an item nobody answered (it has no weight in a
        cross-entropy).

    Example:

    >>> majority_vote([[0, 1, 1], [2, -1, -1], [-1, -1, -1]])
    array([ 1,  2, -1], dtype=int32)
    """
    annotations = as_annotations(answers, num_classes)
    votes = _votes(annotations)
    total = votes.sum(axis=1, keepdims=True)
    if soft:
        return (votes / np.maximum(total, 1)).astype(np.float32)
    tied = votes == votes.max(axis=1, keepdims=True)
    if ties == "lowest":
        winner = tied.argmax(axis=1)
    elif ties == "random":
        winner = (tied * np.random.default_rng(seed).random(tied.shape)).argmax(axis=1)
    elif ties == "missing":
        winner = np.where(tied.sum(axis=1) == 1, tied.argmax(axis=1), MISSING)
    else:
        raise ValueError(f'`ties` must be "lowest", "random" or "missing". Received: ties={ties!r}')
    return np.where(total[:, 0] > 0, winner, MISSING).astype(np.int32)


class DawidSkene(NamedTuple):
    """What `dawid_skene` found.

    Attributes:
        posterior: Probability of each class for each item, `(items, classes)`; rows sum to 1. An item
            nobody answered has the class prior.
        confusion: `(annotators, true, answer)`; rows `[r, k, :]` sum to 1.
        class_prior: `(classes,)`, sums to 1.
        log_likelihood: The objective after each iteration (log-likelihood of the answers plus the log of
            the Dirichlet priors, up to a constant); it never falls.
        converged: Whether the tolerance was reached.
    """

    posterior: np.ndarray
    confusion: np.ndarray
    class_prior: np.ndarray
    log_likelihood: np.ndarray
    converged: bool

    @property
    def labels(self) -> np.ndarray:
        """The most probable class of each item, int32 `(items,)`."""
        return self.posterior.argmax(axis=1).astype(np.int32)


def dawid_skene(
    answers: Any,
    num_classes: int | None = None,
    *,
    pseudocount: float | np.ndarray = 0.01,
    class_pseudocount: float = 0.01,
    max_iterations: int = 100,
    tolerance: float = 1e-6,
) -> DawidSkene:
    """True classes and annotators' confusions from the answers alone, by expectation maximization.

    With responsibilities `q_ik`, answers `y_ir` and confusions `A_rkl`:

        E:  log q_ik = log pi_k + sum_r log A_r,k,y_ir + const
        M:  A_rkl ~ pseudocount + sum_i q_ik [y_ir = l],   pi_k ~ class_pseudocount + sum_i q_ik

    started from the shares of the votes. Time and memory follow the number of answers.

    Args:
        answers: `Annotations`, or integers `(items, annotators)` with `-1` for missing.
        num_classes: Number of classes, as in `majority_vote`.
        pseudocount: Answers of each annotator imagined beforehand (the Dirichlet prior's parameters
            minus one), in numerator and denominator: a positive number, or what you know of the
            annotators as anything that broadcasts to `(annotators, true, answer)`.
        class_pseudocount: Items of each class imagined beforehand, likewise.
        max_iterations: Stop after so many iterations.
        tolerance: Stop when the objective, per answer, rises by less than this.

    Returns:
        `DawidSkene(posterior, confusion, class_prior, log_likelihood, converged)`, float64.

    Reference:
        A. P. Dawid, A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM
        algorithm", Applied Statistics 28, 1979, eq. 2.3 to 2.5.

    Example:

    >>> answers = np.array([[0, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, -1]])
    >>> dawid_skene(answers).labels
    array([0, 1, 0, 1], dtype=int32)
    """
    annotations = as_annotations(answers, num_classes)
    pseudocounts = _pseudocounts(annotations, pseudocount)
    if not 0 < class_pseudocount < np.inf:
        raise ValueError(f"`class_pseudocount` must be positive and finite. Received: {class_pseudocount}")
    if max_iterations < 1:
        raise ValueError(f"`max_iterations` must be at least 1. Received: {max_iterations}")
    answered = annotations.answers_per_item() > 0
    posterior = _votes(annotations) / np.maximum(annotations.answers_per_item(), 1)[:, None]
    objective: list[float] = []
    converged = False
    while not converged and len(objective) < max_iterations:
        log_confusion = _log_confusion(annotations, posterior, pseudocounts)
        log_prior = _log_normalize(posterior[answered].sum(axis=0) + class_pseudocount)
        log_joint = log_prior + _answer_log_likelihood(annotations, log_confusion)
        evidence = np.logaddexp.reduce(log_joint, axis=1)
        posterior = np.exp(log_joint - evidence[:, None])
        log_priors = np.sum(pseudocounts * log_confusion) + class_pseudocount * log_prior.sum()
        objective.append(float(evidence[answered].sum() + log_priors))
        converged = len(objective) > 1 and objective[-1] - objective[-2] < tolerance * len(annotations)
    return DawidSkene(posterior, np.exp(log_confusion), np.exp(log_prior), np.asarray(objective), converged)


def annotator_accuracy(confusion: np.ndarray, class_prior: np.ndarray | None = None) -> np.ndarray:
    """How often each annotator is right: `sum_k pi_k A_rkk`.

    Args:
        confusion: `(annotators, true, answer)`, from a crowd layer's `.confusion()` or `dawid_skene`.
        class_prior: Share of each true class, `(classes,)`; or among the items of each annotator,
            `(annotators, classes)`, as from `annotator_class_prior`. Defaults to all alike.

    Returns:
        `(annotators,)`, between 0 and 1.

    Example:

    >>> annotator_accuracy([[[0.75, 0.25], [0.25, 0.75]], [[0.5, 0.5], [0.0, 1.0]]])
    array([0.75, 0.75])
    """
    confusion = np.asarray(confusion)
    if confusion.ndim != 3 or confusion.shape[1] != confusion.shape[2]:
        raise ValueError(
            f"`confusion` must be (annotators, true, answer). Received: shape {confusion.shape}"
        )
    diagonal = np.diagonal(confusion, axis1=1, axis2=2)
    weights = np.ones(diagonal.shape[1]) if class_prior is None else np.asarray(class_prior)
    if weights.shape not in (diagonal.shape, diagonal.shape[1:]):
        raise ValueError(
            f"`class_prior` must have shape {diagonal.shape[1:]} or {diagonal.shape}. "
            f"Received: shape {weights.shape}"
        )
    return np.average(diagonal, axis=1, weights=np.broadcast_to(weights, diagonal.shape))


def annotator_class_prior(answers: Any, probabilities: np.ndarray) -> np.ndarray:
    """Share of each true class among the items that each annotator answered.

    Annotators see different items: one who got the easy classes looks better than another who did not,
    unless their confusions are weighed by what each of them saw.

    Args:
        answers: `Annotations`, or integers `(items, annotators)` with `-1` for missing.
        probabilities: Probability of each class for each item, `(items, classes)`: the classifier's
            prediction (not its logits), or a posterior.

    Returns:
        `(annotators, classes)`; rows sum to 1. An annotator without answers has the mean over all items.

    Example:

    >>> annotator_class_prior(np.array([[0, -1], [1, -1], [1, 1]]), [[0.5, 0.5], [0.0, 1.0], [0.25, 0.75]])
    array([[0.25, 0.75],
           [0.25, 0.75]])
    """
    probabilities = np.asarray(probabilities, float)
    if probabilities.ndim != 2:
        raise ValueError(
            f"`probabilities` must have shape (items, classes). Received: shape {probabilities.shape}"
        )
    annotations = as_annotations(answers, probabilities.shape[1])
    if len(probabilities) != annotations.num_items:
        raise ValueError(
            f"`probabilities` must have {annotations.num_items} rows. Received: {len(probabilities)}"
        )
    if not (np.all(probabilities >= 0) and np.allclose(probabilities.sum(axis=1), 1, atol=1e-3)):
        raise ValueError(
            "Rows of `probabilities` must be distributions. Received: entries from "
            f"{probabilities.min():.3g} to {probabilities.max():.3g} (logits?)"
        )
    size = annotations.num_annotators
    seen = [
        np.bincount(annotations.annotator_index, weights=column[annotations.item_index], minlength=size)
        for column in probabilities.T
    ]
    seen_or_all = np.stack(seen, axis=1)
    seen_or_all[annotations.answers_per_annotator() == 0] = probabilities.mean(axis=0)
    return seen_or_all / seen_or_all.sum(axis=1, keepdims=True)


def expected_counts(annotations: Annotations, weights: Iterable[np.ndarray]) -> np.ndarray:
    """How often each annotator gave each answer to each true class, `n_rkl`.

    Args:
        annotations: The answers.
        weights: For each true class in turn, its weight for each answer, `(answers,)`.

    Returns:
        float64 `(annotators, true, answer)`.

    Example:

    >>> annotations = Annotations.from_dense([[0], [1], [1]])
    >>> expected_counts(annotations, [np.array([1.0, 0.5, 0.0]), np.array([0.0, 0.5, 1.0])])
    array([[[1. , 0.5],
            [0. , 1.5]]])
    """
    size, num_classes = annotations.num_annotators, annotations.num_classes
    cell = _annotator_answer(annotations)
    counts = np.empty((size, num_classes, num_classes))
    for k, weight in enumerate(weights):
        weighted = np.bincount(cell, weights=weight, minlength=size * num_classes)
        counts[:, k] = weighted.reshape(size, num_classes)
    return counts


def _votes(annotations: Annotations) -> np.ndarray:
    num_classes = annotations.num_classes
    cell = annotations.item_index.astype(np.int64) * num_classes + annotations.answers
    votes = np.bincount(cell, minlength=annotations.num_items * num_classes)
    return votes.reshape(annotations.num_items, num_classes)


def _annotator_answer(annotations: Annotations) -> np.ndarray:
    """The cell (annotator, answer) of each answer, as one index."""
    return annotations.annotator_index.astype(np.int64) * annotations.num_classes + annotations.answers


def _pseudocounts(annotations: Annotations, pseudocount: float | np.ndarray) -> np.ndarray:
    shape = (annotations.num_annotators, annotations.num_classes, annotations.num_classes)
    counts = np.asarray(pseudocount, float)
    try:
        np.broadcast_to(counts, shape)
    except ValueError:
        raise ValueError(
            "`pseudocount` must be a number or broadcast to (annotators, true, answer) = "
            f"{shape}. Received: shape {counts.shape}"
        ) from None
    if not np.all((counts > 0) & (counts < np.inf)):
        raise ValueError(f"`pseudocount` must be positive and finite. Received: pseudocount={pseudocount}")
    return counts


def _log_normalize(counts: np.ndarray) -> np.ndarray:
    return np.log(counts) - np.log(counts.sum(axis=-1, keepdims=True))


def _log_confusion(annotations: Annotations, posterior: np.ndarray, pseudocounts: np.ndarray) -> np.ndarray:
    """M-step. One pass a class over contiguous memory: as fast as a sparse matrix product."""
    item = annotations.item_index.astype(np.int64)
    weights = (column[item] for column in np.ascontiguousarray(posterior.T))
    return _log_normalize(expected_counts(annotations, weights) + pseudocounts)


def _answer_log_likelihood(annotations: Annotations, log_confusion: np.ndarray) -> np.ndarray:
    """E-step: `sum_r log A_r,k,y_ir` as `(items, true)`; the transpose of the M-step's product."""
    cell, item = _annotator_answer(annotations), annotations.item_index.astype(np.int64)
    log_likelihood = np.empty((annotations.num_items, annotations.num_classes))
    for k in range(annotations.num_classes):
        given_k = log_confusion[:, k].ravel()
        log_likelihood[:, k] = np.bincount(item, weights=given_k[cell], minlength=annotations.num_items)
    return log_likelihood
