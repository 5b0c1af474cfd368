"""`VectorWeights`, `VectorBias`, both, and `ScalarWeight`: the classes are scaled and shifted, by annotator."""

import numpy as np

from ... import ops
from ..._registration import register
from ..._typing import Tensor
from ._connection import ClassConnection, Parameter, accurate_start


class _Elementwise(ClassConnection):
    """`z_rl = w_rl f_l + b_rl`, or a part of it. Abstract."""

    def logits(self, f: Tensor, **parameters: Tensor) -> Tensor:
        return ops.vector_logits(f, parameters.get("kernel"), parameters.get("bias"))

    def closest_to(self, confusion: np.ndarray) -> dict[str, np.ndarray]:
        """Biases as errors fall on the answers, factors so that each class is answered right as often."""
        width = confusion.shape[-1]
        parameters, right = self.parameters(width), np.diagonal(confusion, axis1=1, axis2=2)
        bias = np.zeros_like(right)
        if "bias" in parameters:
            errors = np.where(np.eye(width, dtype=bool), 0.0, np.log(confusion))
            bias = errors.sum(axis=1) / (width - 1)
            bias -= bias.mean(axis=1, keepdims=True)
        if "kernel" in parameters and parameters["kernel"].shape == (1,):
            right = right.mean(axis=1, keepdims=True)
        others = np.log(np.exp(bias).sum(axis=1, keepdims=True) - np.exp(bias))
        weights = np.log(right / (1 - right)) + (others - bias)[:, : right.shape[1]]
        return {name: {"kernel": weights, "bias": bias}[name] for name in parameters}


@register
class VectorWeights(_Elementwise):
    """`"VW"`: `z_rl = w_rl f_l`, K numbers per annotator.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=3, conn_type="VW")

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, section "Crowd layer".
    """

    name = "VW"

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"kernel": Parameter((width,), accurate_start(width))}


@register
class VectorBias(_Elementwise):
    """`"VB"`: `z_rl = f_l + b_rl`, K numbers per annotator.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=3, conn_type="VB")

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, section "Crowd layer".
    """

    name = "VB"

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"bias": Parameter((width,), "zeros")}


@register
class VectorWeightsBias(_Elementwise):
    """`"VW+B"`: `z_rl = w_rl f_l + b_rl`, 2 K numbers per annotator.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=3, conn_type="VW+B")

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, section "Crowd layer".
    """

    name = "VW+B"

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"kernel": Parameter((width,), accurate_start(width)), "bias": Parameter((width,), "zeros")}


@register
class ScalarWeight(_Elementwise):
    """`"SW"`: `z_rl = s_r f_l`, one number per annotator.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=3, conn_type="SW")

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, section "Crowd layer".
    """

    name = "SW"

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"kernel": Parameter((1,), accurate_start(width))}
