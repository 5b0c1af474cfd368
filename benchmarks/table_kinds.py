"""Ratings and tags in `benchmarks/table.py`: rows of `regression.py` and `sequences.py`, in the protocols told there.

They have no settings to choose among. Their scores are R2 and the F1 of spans, in percent.
"""

import functools
import importlib
from collections.abc import Callable
from typing import NamedTuple

import keras


class Kind(NamedTuple):
    """The module with the rows, how one is measured, what the score is, and the rows that a gap lies between."""

    module: str
    measure: Callable
    score: str
    low: str
    high: str

    @property
    def methods(self):
        return importlib.import_module(self.module).METHODS


@functools.cache
def _reviews():
    import regression

    return regression.Reviews()


@functools.lru_cache(maxsize=1)
def _problem(seed):
    import sequences

    return sequences.Problem(seed=seed)


def of_ratings(method, seed, epochs):
    """R2 on new reviews."""
    import regression

    if epochs:
        raise ValueError(f"Ratings are trained for {regression.EPOCHS} epochs. Received: epochs={epochs}")
    r2 = regression.scores(_reviews(), method, seed)[0]
    return {"accuracy": float(r2), "trained_for": regression.EPOCHS}


def of_tags(method, seed, epochs):
    """F1 of the spans of new sentences, and of those whose answers were known."""
    import sequences

    epochs, problem = epochs or sequences.EPOCHS, _problem(seed)
    keras.utils.set_random_seed(seed)
    tested, trained = sequences.METHODS[method](problem, epochs)
    labels = None if trained is None else 100 * problem.scores(trained, "train").f1
    return {"accuracy": 100 * problem.scores(tested).f1, "labels": labels, "trained_for": epochs}


KINDS = {
    "MovieReviews": Kind("regression", of_ratings, "R2", "mean answer", "gold"),
    "NER": Kind("sequences", of_tags, "F1", "majority vote + CRF", "gold + CRF"),
}
