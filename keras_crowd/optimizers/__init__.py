"""Optimizers that treat the parameters of annotators apart from those of the classifier."""

from ._crowd_optimizer import crowd_optimizer as crowd_optimizer
from ._lazy_adam import LazyAdam as LazyAdam
