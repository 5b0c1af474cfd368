"""The population that annotators are drawn from: their common parameters, and how far they differ."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops as kops

from .. import ops
from .._typing import Tensor


class Population(keras.layers.Layer):
    """Means that are learned, and normal priors of the annotators' deviations from them.

    Args:
        parameters: Names of the parameters, in the order of `precision`.
        means: Starting values of the parameters whose mean is learned, by name.
        spread: Float. Standard deviation of the priors, until `assign` sets others.
        **kwargs: `name` and `dtype`, as for every Keras layer.
    """

    def __init__(
        self, parameters: Sequence[str], means: Mapping[str, float], spread: float, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.parameters = tuple(parameters)
        start = keras.initializers.Constant(spread**-2)
        self.precision = self.add_weight(
            shape=(len(parameters),), initializer=start, trainable=False, name="precision"
        )
        self.means = {
            name: self.add_weight(shape=(), initializer=keras.initializers.Constant(value), name=name)
            for name, value in means.items()
        }
        self.built = True

    def mean(self, name: str) -> Tensor:
        """The mean of a parameter, 0 where it is not learned."""
        return kops.cast(self.means.get(name, 0.0), self.compute_dtype)

    def penalty(
        self, deviations: Mapping[str, Tensor], counts: Sequence[float], annotators: Tensor | None = None
    ) -> Tensor:
        """Minus the log of the priors over the number of answers.

        Args:
            deviations: Deviations from the means by name, of all annotators `(R,)`, or of slots `(batch, slots)`.
            counts: Number of answers of each annotator.
            annotators: Annotator of each slot. Then it is the expectation of the same over batches of answers. Defaults
                to `None`.
        """
        shares: Tensor | float = 1.0
        total: Tensor | float = float(sum(counts))
        if annotators is not None:
            table = kops.convert_to_tensor(np.maximum(counts, 1), dtype=self.compute_dtype)
            answered = kops.cast(annotators >= 0, self.compute_dtype)
            shares = answered / kops.take(table, kops.clip(annotators, 0, len(counts) - 1))
            total = kops.maximum(kops.sum(answered), 1.0)
        precision = kops.cast(self.precision, self.compute_dtype)
        return (
            sum(
                ops.normal_penalty(deviation, precision[self.parameters.index(name)], shares)
                for name, deviation in deviations.items()
            )
            / total
        )

    def assign(self, means: Mapping[str, float], variances: Mapping[str, float]) -> None:
        """Sets the means that are learned, and the variances of the priors, as far as they are given."""
        for name, variable in self.means.items():
            if name in means:
                variable.assign(means[name])
        precision = np.array(kops.convert_to_numpy(self.precision))
        for name, variance in variances.items():
            precision[self.parameters.index(name)] = 1 / variance
        self.precision.assign(precision)
