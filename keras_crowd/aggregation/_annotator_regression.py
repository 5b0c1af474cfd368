"""Priors of the annotators' confusions from a regression on what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..annotations import Annotations
from ._annotator_columns import Columns, as_columns
from ._one_coin import one_coin_confusion

AnnotatorTable = npt.ArrayLike | Mapping[str, npt.ArrayLike]

_INTERCEPT, _FEATURE, _CLASS = 0.01, 1.0, 4.0  # precisions of normal priors, in log-odds
_FEWEST, _MOST = 2.0, 1000.0  # answers that a prediction may be worth
_NEWTON_STEPS = 3  # in each M-step, from where the last one ended
_NEVER = 1e-9


class AnnotatorPopulation(NamedTuple):
    """Confusions predicted from features, by a logistic regression of whether answers are right; in `DawidSkene`.

    Attributes:
        columns: Names of the columns that the features become: numbers keep their names, and each text has a column.
        coefficients: Log odds of a right answer, `(classes, 1 + columns)`, the intercept first; for columns of numbers,
            per standard deviation.
        errors: Distribution of the wrong answers to each class, `(classes, classes)`, 0 on the diagonal.
        strength: Number of answers of the annotator that a prediction is worth.
        encoder: Turns features into columns.

    Example:

    >>> answers = [[0, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 0]]
    >>> families = {"family": ["a", "a", "b", "b"]}
    >>> found = keras_crowd.aggregation.dawid_skene(answers, annotator_features=families)
    >>> found.population.columns
    ('family=a', 'family=b')
    """

    columns: tuple[str, ...]
    coefficients: np.ndarray
    errors: np.ndarray
    strength: float
    encoder: Columns

    def confusion(self, features: AnnotatorTable) -> np.ndarray:
        """Predicts the confusions of annotators, also of those who never answered.

        Args:
            features: As the `annotator_features` of `dawid_skene`, of any annotators. A text that was not among them is
                ignored.

        Returns:
            float64 `(annotators, true, answer)`; rows sum to 1. Multiplied by a number of answers, it is a `prior` for
            `EMTrainer`, or the `strength` of `dawid_skene(confusion="full")`.

        Raises:
            ValueError: When the columns differ.

        Example:

        >>> answers = [[0, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 0]]
        >>> families = {"family": ["a", "a", "b", "b"]}
        >>> found = keras_crowd.aggregation.dawid_skene(answers, annotator_features=families)
        >>> found.population.confusion({"family": ["a", "c"]}).shape
        (2, 2, 2)
        """
        right = _sigmoid(_with_intercept(self.encoder.numbers(features)) @ self.coefficients.T)
        return _confusions(right, self.errors)


class AnnotatorRegression:
    """The regression, refitted in every M-step.

    With features `x_r` (the first 1), `n_rk` expected answers of annotator `r` to items of class `k` and `h_rk` of them
    right:

        p_rk = sigmoid(x_r' (b + d_k)),   h_rk / n_rk ~ p_rk with the weight n_rk (t + 1) / (n_rk + t)

    under normal priors of `b` and `d_k`. The accuracies of annotators of the same features have a Beta distribution
    worth `t` answers, by its moments. An annotator's own answers move all its log-odds by the same number.

    Args:
        features: What is known of the annotators.
        annotations: Their answers.
    """

    def __init__(self, features: AnnotatorTable, annotations: Annotations) -> None:
        self._encoder = as_columns(features, annotations.num_annotators)
        self._x = _with_intercept(self._encoder.numbers(features))
        self._num_classes = annotations.num_classes
        self.forget()

    def forget(self) -> None:
        """Forgets the answers, for another start."""
        classes, width = self._num_classes, self._x.shape[1]
        self._common, self._own = np.zeros(width), np.zeros((classes, width))
        self._errors, self._strength = one_coin_confusion(np.zeros(()), classes), _FEWEST

    @classmethod
    def of(cls, features: AnnotatorTable | None, annotations: Annotations) -> AnnotatorRegression | None:
        """Returns the regression, if there are features."""
        return None if features is None else cls(features, annotations)

    def update(self, counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Refits to expected counts `(annotators, true, answer)`; returns the prior of each annotator's confusion."""
        n, hits = counts.sum(axis=2), np.diagonal(counts, axis1=1, axis2=2)
        pooled = np.einsum("r,rkl->kl", weights, counts) * (1 - np.eye(len(self._own)))
        even = one_coin_confusion(np.zeros(()), len(self._own))
        self._errors = (pooled + even) / (pooled + even).sum(axis=1, keepdims=True)
        for _ in range(_NEWTON_STEPS):
            self._newton(n, hits, weights)
        p = self._right()
        answers, right = n.sum(axis=1), hits.sum(axis=1)
        expected = (np.sum(n * p, axis=1) + p.mean(axis=1)) / (answers + 1)
        self._strength = _moment_strength(answers, right, expected)
        own = (right + self._strength * expected) / (answers + self._strength)
        moved = _sigmoid(_logit(p) + (_logit(own) - _logit(expected))[:, None])
        return _confusions(moved, self._errors)

    def result(self) -> AnnotatorPopulation:
        """Returns what is known by now."""
        coefficients = self._common + self._own
        names = self._encoder.names
        return AnnotatorPopulation(names, coefficients, self._errors, self._strength, self._encoder)

    def _right(self) -> np.ndarray:
        return _sigmoid(self._x @ (self._common + self._own).T)

    def _newton(self, n: np.ndarray, hits: np.ndarray, weights: np.ndarray) -> None:
        """One Newton step of the penalized likelihood, over common and classes' coefficients at once."""
        num_classes, width = self._own.shape
        p = self._right()
        share = weights[:, None] * (self._strength + 1) / (n + self._strength)
        gradients = (share * (hits - n * p)).T @ self._x
        curvatures = np.einsum("rk,rf,rg->kfg", share * n * p * (1 - p), self._x, self._x)
        precision = np.full(width, _FEATURE)
        precision[0] = _INTERCEPT
        size = width * (num_classes + 1)
        hessian, gradient = np.zeros((size, size)), np.empty(size)
        hessian[:width, :width] = curvatures.sum(axis=0) + np.diag(precision)
        gradient[:width] = gradients.sum(axis=0) - precision * self._common
        for k in range(num_classes):
            rows = slice(width * (k + 1), width * (k + 2))
            hessian[rows, rows] = curvatures[k] + _CLASS * np.eye(width)
            hessian[:width, rows] = hessian[rows, :width] = curvatures[k]
            gradient[rows] = gradients[k] - _CLASS * self._own[k]
        step = np.linalg.solve(hessian, gradient).reshape(num_classes + 1, width)
        step *= min(1.0, 2.0 / max(np.abs(step).max(), _NEVER))
        self._common, self._own = self._common + step[0], self._own + step[1:]


def _moment_strength(answers: np.ndarray, right: np.ndarray, expected: np.ndarray) -> float:
    """The answers that a prediction is worth: of a Beta distribution with the variance of accuracies around it."""
    some = answers > 0
    if not some.any():
        return _FEWEST
    chance = expected[some] * (1 - expected[some])
    apart = (right[some] / answers[some] - expected[some]) ** 2
    between = np.average(apart - chance / answers[some], weights=answers[some])
    return float(
        np.clip(np.average(chance, weights=answers[some]) / max(between, _NEVER) - 1, _FEWEST, _MOST)
    )


def _confusions(right: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """`(annotators, true, answer)` with `right` `(annotators, true)` on the diagonal."""
    return right[..., None] * np.eye(len(errors)) + (1 - right)[..., None] * errors


def _with_intercept(numbers: np.ndarray) -> np.ndarray:
    return np.concatenate([np.ones((len(numbers), 1)), numbers], axis=1)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.clip(0.5 * (1 + np.tanh(0.5 * x)), _NEVER, 1 - _NEVER)


def _logit(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, _NEVER, 1 - _NEVER)
    return np.log(p / (1 - p))
