"""The penalty on class probabilities that `adapt` settles."""

import numpy as np
from keras import ops as kops

from .._class_shares import inequality
from .._typing import Tensor
from ..regularizers import ClassifierLogDet
from ._penalty import Penalty

# Settled by benchmarks/zoo.py on the tasks for choosing.
_MOST_UNEQUAL = 0.06  # nats, up to which classes count as equally frequent
_WEIGHT = 1.0


class AdaptedLogDet(Penalty):
    """`ClassifierLogDet` where classes are about equally frequent. It has no weight until their shares are known.

    They are where a classifier that is sure of every item would pay little for these shares. Otherwise the weight stays
    0, as the penalty pulls towards equal shares.

    Args:
        **kwargs: `name` and `dtype`, as for every Keras layer.
    """

    def __init__(self, **kwargs: object) -> None:
        super().__init__(ClassifierLogDet(1.0), **kwargs)
        self.adapted_weight = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="adapted_weight"
        )

    def adapt(self, shares: np.ndarray) -> None:
        """Takes the share of each class, `(classes,)`."""
        self.adapted_weight.assign(_WEIGHT if inequality(shares) <= _MOST_UNEQUAL else 0.0)

    @property
    def chosen(self) -> ClassifierLogDet | None:
        """The regularizer that acts; `None` where there is none, and before `adapt`."""
        weight = float(kops.convert_to_numpy(self.adapted_weight))
        return ClassifierLogDet(weight) if weight else None

    def _unweighed(self, x: Tensor) -> Tensor:
        return self.adapted_weight * super()._unweighed(x)
