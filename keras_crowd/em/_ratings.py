"""Expectation maximization over ratings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..aggregation import gold_ratings
from ..annotations import Answers, as_ratings, kind_given
from ._network import Network
from ._problem import Data, Prior, Problem
from ._raters import Raters


class RatingProblem(Problem):
    """The truth of an item is a number around the network's, `(batch, 1)`; annotators have biases and variances."""

    def __init__(self, network: Network, data: Data, prior: Prior) -> None:
        if prior.counts is not None:
            raise ValueError(
                "`prior` is for classes; for numbers give `strength`. Received: a classifier of output (batch, 1)"
            )
        ratings = as_ratings(data.answers)
        self.raters = Raters(ratings, gold_ratings(data.gold, ratings), prior.strength)
        super().__init__(network, data.features(ratings.num_items, ratings), ratings, self.raters.informed)

    @classmethod
    def takes(cls, network: Network, answers: Answers) -> bool:
        return (
            len(network.output_shape) == 2 and network.has_one_unit and not kind_given(answers).has_classes
        )

    def start(self, how: npt.ArrayLike | None) -> np.ndarray:
        return self.raters.start(how)

    def maximize(self, posterior: np.ndarray) -> None:
        self.raters.maximize(posterior)

    def targets(self, posterior: np.ndarray) -> np.ndarray:
        """The means, `(items, 1)`."""
        return posterior[:, :1]

    def predict(self) -> np.ndarray:
        """The network's numbers, `(items, 1)`."""
        return self.features.predict(self.network.model)

    def expect(self, predictions: np.ndarray) -> tuple[np.ndarray, float]:
        return self.raters.expect(predictions)

    def default_loss(self) -> str:
        return "mse"

    def estimates(self) -> dict[str, np.ndarray]:
        return self.raters.estimates()
