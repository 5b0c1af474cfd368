"""Ratings: the scale is stretched and shifted, by annotator."""

import numpy as np
from keras import ops as kops

from ... import ops
from ..._registration import register
from ..._typing import Tensor
from ._connection import Parameter, RatingConnection


def _scale_shift(weights: Tensor, scale: Tensor) -> Tensor:
    """Returns the shift of the scales so that `sum_r w_r s_r = 1`."""
    return 1.0 - kops.sum(weights * scale, axis=0, keepdims=True)


def _bias_shift(weights: Tensor, bias: Tensor) -> Tensor:
    """Returns the shift of the biases so that `sum_r w_r b_r = 0`, with weights that sum to 1."""
    return -kops.sum(weights * bias, axis=0, keepdims=True)


class _Affine(RatingConnection):
    """`x s_r + b_r`, or a part of it. Abstract."""

    def shifts(self, weights: Tensor, **parameters: Tensor) -> dict[str, Tensor]:
        by_name = {"scale": _scale_shift, "bias": _bias_shift}
        return {name: by_name[name](weights, rows) for name, rows in parameters.items()}

    def answers(self, x: Tensor, **parameters: Tensor) -> Tensor:
        return ops.affine_answers(x, parameters.get("scale"), parameters.get("bias"))


@register
class Scale(_Affine):
    """`"S"`: `x s_r`. Some annotators use more of the scale than others.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsRegression(num_annotators=3, conn_type="S")

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, section "Crowd layer" (regression).
    """

    name = "S"

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"scale": Parameter((width,), "ones")}


@register
class Bias(_Affine):
    """`"B"`: `x + b_r`. Some annotators are milder than others.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsRegression(num_annotators=3, conn_type="B")

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, section "Crowd layer" (regression).
    """

    name = "B"

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"bias": Parameter((width,), "zeros")}


@register
class ScaleBias(_Affine):
    """`"S+B"`: `x s_r + b_r`, both.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsRegression(num_annotators=3, conn_type="S+B")

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, section "Crowd layer" (regression).
    """

    name = "S+B"

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"scale": Parameter((width,), "ones"), "bias": Parameter((width,), "zeros")}


@register
class BiasScale(_Affine):
    """`"B+S"`: `(x + b_r) s_r`, both; with few answers another start and path.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsRegression(num_annotators=3, conn_type="B+S")

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, section "Crowd layer" (regression).
    """

    name = "B+S"

    def of_lines(self, scale: np.ndarray, bias: np.ndarray) -> dict[str, np.ndarray]:
        return {"scale": scale, "bias": bias / scale}

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"scale": Parameter((width,), "ones"), "bias": Parameter((width,), "zeros")}

    def shifts(self, weights: Tensor, **parameters: Tensor) -> dict[str, Tensor]:
        scale = _scale_shift(weights, parameters["scale"])
        scaled_weights = weights * (parameters["scale"] + scale)
        return {"scale": scale, "bias": _bias_shift(scaled_weights, parameters["bias"])}

    def answers(self, x: Tensor, **parameters: Tensor) -> Tensor:
        return ops.affine_answers(x, parameters["scale"], parameters["bias"], bias_first=True)
