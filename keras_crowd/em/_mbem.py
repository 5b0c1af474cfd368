"""`MBEM`: confusions estimated against what the classifier predicts."""

from __future__ import annotations

import numpy as np

from ._classes import ClassProblem


class MBEM(ClassProblem):
    """Model-bootstrapped expectation maximization: annotators are judged by the classifier's predictions.

    With the class `t_i` that the classifier predicts for item `i`, or its gold class where known, each iteration of
    `keras_crowd.EMTrainer` is

        f:      some epochs of `fit` on the posterior q
        A, p:   A_rkl = (a_rkl + sum_i [t_i = k] [y_ir = l]) / sum_l (...),   p_k = (1 + sum_i [t_i = k]) / (K + n)
        q:      q_ik ~ p_k prod_r A_r,k,y_ir

    Plain expectation maximization counts by the posterior, and has `f_ik` in place of the shares `p_k`. Here the
    features tell how good an annotator is, but not the class of an item, so it works with one answer per item. Use
    `EMTrainer(classifier, problem=keras_crowd.em.MBEM)`, start from the votes, and train for many epochs in each of a
    few iterations, because the predictions of an untrained classifier say nothing about the annotators.

    Example:

    >>> trainer = keras_crowd.EMTrainer(classifier, problem=keras_crowd.em.MBEM)
    >>> history = trainer.fit(x, answers, start="majority_vote", iterations=2, epochs=3, verbose=0)
    >>> trainer.posterior().shape, trainer.confusion().shape
    ((20, 10), (5, 10, 10))

    Reference:
        A. Khetan, Z. C. Lipton, A. Anandkumar, "Learning from noisy singly-labeled data", ICLR 2018, algorithm 1. The
        pseudo-counts `a` are those of `EMTrainer(prior=, strength=)`, and that of each class is ours.
    """

    _predicted: np.ndarray | None = None

    def maximize(self, posterior: np.ndarray) -> None:
        """Counts confusions from the predictions, or from the posterior before there are any."""
        super().maximize(posterior if self._predicted is None else self._predicted)

    def expect(self, predictions: np.ndarray) -> tuple[np.ndarray, float]:
        """Returns the posterior from the answers, and the log-likelihood of all answers, which can fall."""
        self._predicted = self.confusions.decided(predictions)
        self.maximize(self._predicted)
        counts = 1 + self._predicted[self.informed].sum(axis=0)
        return super().expect(np.broadcast_to(counts / counts.sum(), predictions.shape))
