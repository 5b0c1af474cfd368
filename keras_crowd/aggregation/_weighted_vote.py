"""A vote whose weights a few gold labels tell, however much the annotators depend on each other."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._repr import one_line
from ..annotations import Annotations, Answers, Votes, as_annotations
from ._answer_sums import log_normalize
from ._given_answers import gold_classes

_VARIANCES = 4.0 ** np.arange(-3, 5)  # of the log-odds that all answers to an item give, from .02 to 256
_NUM_FOLDS = 10
_SPREAD_OF_SHARPNESS = 0.5  # of its logarithm
_SHARPNESS = np.geomspace(0.25, 4, 33)
_NEWTON_STEPS, _NEWTON_TOLERANCE = 50, 1e-8


class WeightedVote(NamedTuple):
    """Result of `weighted_vote`.

    Attributes:
        posterior: Probability of each class of each item, `(items, classes)`; rows sum to 1. One-hot for gold items;
            the same for all classes where nobody answered.
        weights: Log odds that an annotator's answer adds to its class, `(annotators,)`; negative where the answer
            speaks against its class, given those of the others.
        sharpness: Power to which probabilities were raised to calibrate them on gold labels; 1 leaves them as they are.

    Example:

    >>> weighted_vote([[0, 1], [1, 0], [0, 0], [1, 1]], gold=[0, 1, -1, -1]).labels
    array([0, 1, 0, 1], dtype=int32)
    """

    posterior: np.ndarray
    weights: np.ndarray
    sharpness: float

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def labels(self) -> np.ndarray:
        """The most probable class of each item, int32 `(items,)`."""
        return self.posterior.argmax(axis=1).astype(np.int32)


class _Laplace(NamedTuple):
    """A normal approximation to what gold labels say of the weights, under one prior."""

    mean: np.ndarray
    covariance: np.ndarray
    log_evidence: float


def weighted_vote(answers: Answers, gold: npt.ArrayLike, num_classes: int | None = None) -> WeightedVote:
    """Estimates labels by a vote whose weights are learned from gold labels.

    With answers `y` (of a soft answer its distribution) and a weight `b_r` per annotator:

        log q_ik = t sum_r b_r y_irk + const,   b_r ~ N(m, u),   m ~ N(0, v)

    Unlike `dawid_skene`, this does not model how the answers came about, and does not assume that annotators are
    independent: annotators who err together share one weight, as far as the gold labels show it. The two variances are
    averaged over by their evidence, and the weights by a normal approximation around their mode. The sharpness `t` is
    the one that predicts each tenth of the gold labels best from the others, drawn towards 1. With few gold labels the
    weights stay close to one another, and the vote to the majority's.

    If a judge saw a pair in both orders, give the two answers as one soft answer (half and half where they differ), so
    that the effect of the order cancels out.

    Time grows with the cube of the number of annotators, and with the number of items.

    Args:
        answers: `Annotations` with classes; integers `(items, annotators)` with `-1` for missing; or soft answers,
            floats `(items, annotators, classes)` with zeros.
        gold: True classes of some items, integers `(items,)`, `-1` where unknown; or ids of the classes, `None` where
            unknown. A series is matched to the items by its index. About 20 or more are needed for good weights, and at
            least one must be of an item with answers.
        num_classes: Integer. Number of classes, as in `majority_vote`. Defaults to `None`.

    Returns:
        `WeightedVote(posterior, weights, sharpness)`, float64.

    Raises:
        ValueError: When the answers are not classes, or no item with answers has a gold label.

    Example:

    >>> answers = [[0, 0, 1], [1, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 0]]
    >>> weighted_vote(answers, gold=[0, 1, 0, 1, 0, 1, -1, -1]).labels  # the first annotator knows
    array([0, 1, 0, 1, 0, 1, 0, 1], dtype=int32)

    Reference:
        D. J. C. MacKay, "The evidence framework applied to classification networks", Neural Computation 4, 1992, for
        the evidence and for probabilities under uncertain weights.
    """
    annotations = as_annotations(answers, num_classes)
    known = gold_classes(gold, annotations)
    features = _features(annotations)
    rows = np.flatnonzero((known >= 0) & (annotations.answers_per_item() > 0))
    if not len(rows):
        raise ValueError("`gold` must have a label of an item with answers. Received: none")
    priors = _priors(features[rows])
    fits = [_fit(features[rows], known[rows], prior) for prior in priors]
    evidence = np.array([fit.log_evidence for fit in fits])
    shares = np.exp(evidence - evidence.max())
    shares /= shares.sum()
    sharpness = _sharpness(features[rows], known[rows], priors[int(evidence.argmax())])
    posterior = sum(
        share * _predict(features, fit) for share, fit in zip(shares, fits, strict=True) if share > 1e-4
    )
    posterior = log_normalize(sharpness * np.log(posterior))[0]
    posterior[known >= 0] = np.eye(annotations.num_classes)[known[known >= 0]]
    weights = np.sum([share * fit.mean for share, fit in zip(shares, fits, strict=True)], axis=0)
    return WeightedVote(posterior, sharpness * weights, sharpness)


def _features(annotations: Annotations) -> np.ndarray:
    """`y_irk` as `(items, classes, annotators)`."""
    votes = Votes(annotations)
    features = np.zeros((annotations.num_items, annotations.num_classes, annotations.num_annotators))
    weights = votes.weights()
    features[votes.of(annotations.item_index), votes.code, votes.of(annotations.annotator_index)] = (
        1.0 if weights is None else weights
    )
    return features


def _priors(features: np.ndarray) -> list[np.ndarray]:
    """Covariances `u I + v 11'` of the weights, scaled to the spread of log-odds that they give."""
    size = features.shape[-1]
    centered = features - features.mean(axis=1, keepdims=True)
    scales = [np.mean(np.sum(centered**2, axis=-1)), np.mean(np.sum(centered, axis=-1) ** 2)]
    own, common = (
        matrix / max(scale, 1e-12)
        for matrix, scale in zip((np.eye(size), np.ones((size, size))), scales, strict=True)
    )
    return [u * own + v * common for u, v in itertools.product(_VARIANCES, (0, *_VARIANCES[::2]))]


def _fit(features: np.ndarray, labels: np.ndarray, prior: np.ndarray) -> _Laplace:
    """Newton's method for the mode of the weights, and the curvature there."""
    inverse, weights = np.linalg.inv(prior), np.zeros(len(prior))
    right = features[np.arange(len(labels)), labels]
    for _ in range(_NEWTON_STEPS):
        p, _ = log_normalize(features @ weights)
        expected = np.einsum("ik,ikr->ir", p, features)
        spread = (features - expected[:, None]) * np.sqrt(p)[..., None]
        spread = spread.reshape(-1, len(prior))
        precision = inverse + spread.T @ spread
        step = np.linalg.solve(precision, np.sum(right - expected, axis=0) - inverse @ weights)
        weights = weights + step
        if np.abs(step).max() < _NEWTON_TOLERANCE:
            break
    covariance = np.linalg.inv(precision)
    log_joint = (
        np.sum(right @ weights - log_normalize(features @ weights)[1]) - weights @ inverse @ weights / 2
    )
    log_volume = (np.linalg.slogdet(covariance)[1] - np.linalg.slogdet(prior)[1]) / 2
    return _Laplace(weights, covariance, float(log_joint + log_volume))


def _predict(features: np.ndarray, fit: _Laplace) -> np.ndarray:
    """Probabilities under uncertain weights, those of each class against the most probable one moderated."""
    logits = features @ fit.mean
    best = logits.argmax(axis=1)
    rows = np.arange(len(features))
    apart = features - features[rows, best][:, None]
    variance = np.sum((apart @ fit.covariance) * apart, axis=-1)
    return log_normalize((logits - logits.max(axis=1, keepdims=True)) / np.sqrt(1 + np.pi * variance / 8))[
        0
    ]


def _sharpness(features: np.ndarray, labels: np.ndarray, prior: np.ndarray) -> float:
    """The power of the probabilities that predicts gold labels held out best, under a log-normal prior."""
    fold = np.arange(len(labels)) % _NUM_FOLDS
    log_q = np.empty(features.shape[:2])
    for held_out in np.unique(fold):
        there = fold == held_out
        if there.all():
            return 1.0
        log_q[there] = np.log(_predict(features[there], _fit(features[~there], labels[~there], prior)))
    chosen = log_q[np.arange(len(labels)), labels]
    score = [
        np.sum(t * chosen - log_normalize(t * log_q)[1]) - np.log(t) ** 2 / (2 * _SPREAD_OF_SHARPNESS**2)
        for t in _SHARPNESS
    ]
    return float(_SHARPNESS[int(np.argmax(score))])
