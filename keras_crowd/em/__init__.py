"""Expectation maximization over any Keras classifier."""

from ._trainer import EMTrainer as EMTrainer
