"""The penalty on class probabilities that `adapt` settles."""

import keras
import numpy as np
from keras import ops as kops

from .. import ops
from .._typing import Tensor
from ..regularizers import ClassifierLogDet
from ._penalty import Penalty

# Settled by benchmarks/zoo.py on the tasks for choosing.
_MOST_UNEQUAL = 0.1  # nats, up to which classes count as equally frequent
_TINY = 1e-9
_EQUAL_SHARES = ClassifierLogDet(1.0)
_UNEQUAL_SHARES = ClassifierLogDet(0.5, normalized=True)


class AdaptedLogDet(Penalty):
    """`ClassifierLogDet` whose form and weight are those that suit the shares of the classes. 0 until they are known.

    Where a classifier that is sure of every item would pay little for these shares, the penalty pulls towards equal
    shares; otherwise it is normalized.

    Args:
        **kwargs: `name` and `dtype`, as for every Keras layer.
    """

    def __init__(self, **kwargs: object) -> None:
        super().__init__(ClassifierLogDet(1.0), **kwargs)
        self.adapted_weight = self._number("adapted_weight")
        self.normalized = self._number("normalized")

    def adapt(self, shares: np.ndarray) -> None:
        """Takes the share of each class, `(classes,)`."""
        chosen = _EQUAL_SHARES if inequality(shares) <= _MOST_UNEQUAL else _UNEQUAL_SHARES
        self.adapted_weight.assign(chosen.weight)
        self.normalized.assign(float(chosen.normalized))

    @property
    def chosen(self) -> ClassifierLogDet | None:
        """The regularizer that acts; `None` before `adapt`."""
        weight, normalized = (
            float(kops.convert_to_numpy(v)) for v in (self.adapted_weight, self.normalized)
        )
        return ClassifierLogDet(weight, normalized=normalized > 0) if weight else None

    def _unweighed(self, x: Tensor) -> Tensor:
        gram, num_items = ops.gram(x), ops.num_rows(x)
        equal_shares = self.regularizer.equal_shares_penalty(gram, num_items)
        shares = self.regularizer.shares_term(gram, num_items)
        return self.adapted_weight * (equal_shares + self.normalized * shares)

    def _number(self, name: str) -> keras.Variable:
        return self.add_weight(shape=(), initializer="zeros", trainable=False, name=name)


def inequality(shares: np.ndarray) -> float:
    """`-1/K sum_k log(K f_k)` in nats: `ClassifierLogDet` of a classifier that is sure of every item."""
    return float(-np.log(np.maximum(len(shares) * shares, _TINY)).mean())
