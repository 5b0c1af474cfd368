"""Draws from the posterior of Dawid and Skene's model, from which all intervals come."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from typing import NamedTuple

import numpy as np

from ..annotations import Annotations
from ._answer_sums import AnswerSums
from ._population import ACCURACIES, STRENGTHS, RowLikelihood, draw_beta, pick

_NEVER, _LEAST_RATE = 1e-12, 1e-6
_CHECKS = 3  # every such draw is compared with replicated answers
_STRENGTH_EVERY = 5
_BURN_IN, _APART = 30, 5  # steps of `draw_states`


class CrowdDraws(NamedTuple):
    """Draws from the posterior of a crowd whose true classes are unknown.

    Attributes:
        accuracy: Probability of a right answer about an item drawn from all, `(draws, annotators)`.
        recall: Probability of a right answer given the true class, float32 `(draws, annotators, classes)`.
        confusion: Mean confusions, `(annotators, true, answer)`.
        posterior: Mean probability of each class, `(items, classes)`.
        class_share: Share of each class, `(draws, classes)`.
        true: True classes, int16 `(draws, items)`.
        surprise: Probability of answers to the item that are as improbable as these, or more, `(items,)`.
    """

    accuracy: np.ndarray
    recall: np.ndarray
    confusion: np.ndarray
    posterior: np.ndarray
    class_share: np.ndarray
    true: np.ndarray
    surprise: np.ndarray


def draw_crowd(
    annotations: Annotations,
    start: np.ndarray,
    item_prior: np.ndarray | None = None,
    *,
    draws: int = 400,
    seed: int = 0,
    by_row: bool = False,
) -> CrowdDraws:
    """Draws true classes, confusions and what annotators have in common, each given the others (Gibbs sampling).

    The model is that of `aggregation.dawid_skene` with hierarchical confusions; here how much annotators differ, and
    how far their rows are from one coin, is drawn as well.

    Args:
        annotations: Hard answers of one class each.
        start: Class probabilities to begin from, `(items, classes)`.
        item_prior: Class probabilities of each item before its answers, as a classifier's, `(items, classes)`.
            Defaults to the shares of the classes, which are drawn.
        draws: Integer. How many draws to keep; a third as many before them are left out. Defaults to 400.
        seed: Integer. Seed of the draws. Defaults to 0.
        by_row: Boolean. Whether, of two classes, sensitivities and specificities are drawn from distributions of their
            own and not towards one coin. Ticks need it: a label that is there is left out far more often than another
            is ticked. Defaults to `False`.
    """
    sampler = _Sampler(annotations, item_prior, np.random.default_rng(seed), by_row)
    steps = sampler.steps(start)
    for _ in range(max(draws // 3, 1)):
        next(steps)
    accuracy, recall, shares, true = [], [], [], []
    confusion, posterior = np.zeros(sampler.sums.shape), np.zeros(start.shape)
    surprising, checks = np.zeros(len(start)), 0
    for t in range(draws):
        z, drawn, share, q = next(steps)
        diagonal = np.diagonal(drawn, axis1=1, axis2=2)
        accuracy.append(diagonal @ share)
        recall.append(diagonal.astype(np.float32))
        shares.append(share)
        true.append(z.astype(np.int16))
        confusion += drawn / draws
        posterior += q / draws
        if t % _CHECKS == 0:
            surprising += sampler.as_surprising(z, drawn)
            checks += 1
    return CrowdDraws(
        np.array(accuracy),
        np.array(recall),
        confusion,
        posterior,
        np.array(shares),
        np.array(true),
        surprising / checks,
    )


def draw_states(
    annotations: Annotations, start: np.ndarray, number: int, *, seed: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields true classes `(items,)` and confusions `(annotators, true, answer)`, drawn together as in `draw_crowd`."""
    steps = _Sampler(annotations, None, np.random.default_rng(seed), by_row=False).steps(start)
    for z, confusion, *_ in itertools.islice(
        steps, _BURN_IN + _APART - 1, _BURN_IN + number * _APART, _APART
    ):
        yield z, confusion


class _Sampler:
    """The steps of one chain over the same answers."""

    def __init__(
        self,
        annotations: Annotations,
        item_prior: np.ndarray | None,
        rng: np.random.Generator,
        by_row: bool,
    ) -> None:
        self.sums, self.rng = AnswerSums(annotations), rng
        self.draw_confusions = self._by_row() if by_row else self._by_coin()
        self.item, self.who, self.answer = (
            annotations.item_index,
            annotations.annotator_index.astype(np.intp),
            annotations.answers,
        )
        self.answered = annotations.answers_per_item() > 0
        self.log_item_prior = None if item_prior is None else np.log(np.maximum(item_prior, _NEVER))

    def steps(self, q: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Yields true classes, confusions, class shares, and the class probabilities that these two give."""
        next(self.draw_confusions)
        while True:
            z = pick(np.log(np.maximum(q, _NEVER)), self.rng)
            confusion = self.draw_confusions.send(self._counts(z))
            share = self.rng.dirichlet(np.bincount(z[self.answered], minlength=q.shape[1]) + 1.0)
            log_prior = np.log(share) if self.log_item_prior is None else self.log_item_prior
            q = _softmax(self.sums.log_likelihood(np.log(confusion)) + log_prior)
            yield z, confusion, share, q

    def as_surprising(self, z: np.ndarray, confusion: np.ndarray) -> np.ndarray:
        """Whether answers drawn anew to each item are as improbable as the answers, `(items,)`."""
        rows = confusion[self.who, z[self.item]]
        anew = np.minimum(
            (rows.cumsum(axis=1) < self.rng.random((len(rows), 1))).sum(axis=1), rows.shape[1] - 1
        )
        size, log_rows = len(z), np.log(rows)
        here = np.arange(len(rows))
        given, drawn = (
            np.bincount(self.item, weights=log_rows[here, y], minlength=size) for y in (self.answer, anew)
        )
        return drawn <= given + 1e-9

    def _counts(self, z: np.ndarray) -> np.ndarray:
        size, num_classes, _ = self.sums.shape
        cell = (self.who * num_classes + z[self.item]) * num_classes + self.answer
        return np.bincount(cell, minlength=size * num_classes**2).reshape(self.sums.shape)

    def _by_coin(self) -> Generator[np.ndarray, np.ndarray, None]:
        """Draws confusions whose rows lean to the annotator's one coin, for counts that are sent."""
        strength, beta, confusion, t = 10.0, (3.0, 2.0), np.empty(0), 0
        while True:
            counts = yield confusion
            likelihood = RowLikelihood(counts)
            log_prior = (beta[0] - 1) * np.log(ACCURACIES) + (beta[1] - 1) * np.log1p(-ACCURACIES)
            accuracy = ACCURACIES[pick(likelihood.at_all(strength) + log_prior, self.rng)]
            if t % _STRENGTH_EVERY == 0:
                log_weights = np.array([[likelihood.at(s, accuracy) for s in STRENGTHS]])
                strength = float(STRENGTHS[pick(log_weights, self.rng)[0]])
            beta = draw_beta(accuracy, 1 / counts.shape[2], self.rng)
            confusion, t = self._confusions(counts, accuracy, strength), t + 1

    def _by_row(self) -> Generator[np.ndarray, np.ndarray, None]:
        """Draws specificities and sensitivities, each from a distribution of its own, for counts that are sent."""
        betas, confusion = [(3.0, 1.0), (2.0, 1.0)], np.empty(0)
        while True:
            counts = yield confusion
            confusion = np.empty(counts.shape)
            for k, least_mean in enumerate((0.5, 0.0)):
                a, b = betas[k]
                rate = self.rng.beta(a + counts[:, k, k], b + counts[:, k, 1 - k])
                rate = np.clip(rate, _LEAST_RATE, 1 - _LEAST_RATE)
                confusion[:, k, k], confusion[:, k, 1 - k] = rate, 1 - rate
                betas[k] = draw_beta(rate, least_mean, self.rng)

    def _confusions(self, counts: np.ndarray, accuracy: np.ndarray, strength: float) -> np.ndarray:
        num_classes = counts.shape[2]
        wrong = (1 - accuracy) / max(num_classes - 1, 1)
        right = np.eye(num_classes, dtype=bool)
        coins = np.where(right, accuracy[:, None, None], wrong[:, None, None])
        drawn = self.rng.standard_gamma(counts + strength * coins) + _NEVER
        return drawn / drawn.sum(axis=2, keepdims=True)


def _softmax(log_weights: np.ndarray) -> np.ndarray:
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)
