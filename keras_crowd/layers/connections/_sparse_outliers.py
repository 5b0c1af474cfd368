"""`SparseOutliers`: a confusion per annotator, and on a few items other answers."""

import keras
import numpy as np
from keras import ops as kops

from ... import ops
from ..._arguments import number
from ..._registration import register
from ..._typing import Config, Tensor
from ...initializers import CrowdIdentity
from ._connection import Parameter
from ._network_connection import NetworkConnection

_RARE = -3.0  # log odds of an outlier, at first


@register
class SparseOutliers(NetworkConnection):
    """`"COINNet"`: `f A_r + e_r(x)`: a confusion per annotator, and on a few items an outlier `e_r(x)`.

    So that answers keep their distributions, the outlier is a second answer that replaces the first:
    `z_rl = log [(1 - s_ir) sum_k f_k A_rkl + s_ir q_irl]`, hence `e_ir = s_ir (q_ir - f_i A_r)`. A network of one
    hidden layer, `h_ir = relu(x_i H + b + v_r)`, gives `s_ir = sigmoid(h_ir . a + c)` and `q_ir = softmax(h_ir Q)`. A
    penalty keeps outliers rare: `weight` times the mean over the items of `(|E_i|_F^2 + epsilon)^(power / 2)`, with
    `E_i` the outliers of all annotators, on slots of those of the item.

    The paper's criterion has `keras_crowd.regularizers.ClassifierLogDet` as well: give the layer
    `classifier_regularizer=`. `adapt` starts `A_r` from Dawid-Skene; outliers start rare, and alike for all answers.

    Args:
        num_hidden: Integer. Width of the hidden layer, and of the embeddings `v_r`. Defaults to 32.
        weight: Float, not negative. Weight of the penalty. Defaults to 0.01.
        power: Float between 0 and 2. The power q of the norm; the smaller, the fewer items have an outlier. Defaults
            to 0.4.
        epsilon: Float, positive. The zeta of the norm. Defaults to 1e-6.

    Example:

    >>> outliers = keras_crowd.layers.connections.SparseOutliers(weight=0.1)
    >>> crowd = keras_crowd.layers.CrowdsClassification(
    ...     5, outliers, classifier_regularizer=keras_crowd.regularizers.ClassifierLogDet(0.01))
    >>> model = keras_crowd.crowd_model(classifier, crowd)

    Reference:
        T. Nguyen, S. Ibrahim, X. Fu, "Noisy label learning with instance-dependent outliers: Identifiability via
        crowd wisdom", NeurIPS 2024 (COINNet), with another form of the outliers.
    """

    name = "COINNet"
    permutable = True

    def __init__(
        self, num_hidden: int = 32, weight: float = 0.01, power: float = 0.4, epsilon: float = 1e-6
    ) -> None:
        super().__init__(num_hidden)
        self.weight = number("weight", weight, at_least=0)
        self.power = number("power", power, above=0, below=2)
        self.epsilon = number("epsilon", epsilon, above=0)

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"own": Parameter((width, width), CrowdIdentity()), **super().parameters(width)}

    def shared_parameters(self, width: int) -> dict[str, Parameter]:
        return {
            "gate": Parameter((self.num_hidden, 1), "zeros"),
            "gate_bias": Parameter((1,), keras.initializers.Constant(_RARE)),
            "outlier": Parameter((self.num_hidden, width), "zeros"),
        }

    def logits(self, f: Tensor, **parameters: Tensor) -> Tensor:
        return ops.outlier_logits(f, parameters["own"], *self._outliers(parameters))

    def penalty(self, f: Tensor, real: Tensor | None, **parameters: Tensor) -> Tensor | None:
        if not self.weight:
            return None
        gate, outlier = self._outliers(parameters)
        regular = kops.stop_gradient(kops.exp(ops.mixture_logits(f, parameters["own"])))
        e = kops.sigmoid(gate) * (kops.softmax(outlier, axis=-1) - regular)
        return self.weight * ops.outlier_penalty(e, real, self.power, self.epsilon)

    def closest_to(self, confusion: np.ndarray) -> dict[str, np.ndarray]:
        return {"own": np.log(confusion)}

    def permuted(self, order: np.ndarray, **parameters: np.ndarray) -> dict[str, np.ndarray]:
        return {**parameters, "own": parameters["own"][:, order]}

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "weight": self.weight,
            "power": self.power,
            "epsilon": self.epsilon,
        }

    def _outliers(self, parameters: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Log odds of an outlier, `(batch, ..., R or S, 1)`, and logits of its answers."""
        h = self.hidden(parameters)
        gate = kops.matmul(h, parameters["gate"]) + parameters["gate_bias"]
        return gate, kops.matmul(h, parameters["outlier"])
