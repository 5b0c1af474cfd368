"""`MatrixWeights`: every class pulls every answer, by annotator."""

from typing import Any

import numpy as np

from ... import ops
from ..._registration import register
from ..._typing import Tensor
from ...initializers import FromConfusion
from ._connection import ClassConnection, Parameter, accurate_start


@register
class MatrixWeights(ClassConnection):
    """`"MW"`: `z_rl = sum_k f_k W_rkl`, K x K numbers per annotator.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=3, conn_type="MW")

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, section "Crowd layer".
    """

    name = "MW"
    permutable = True

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"kernel": Parameter((width, width), accurate_start(width))}

    def logits(self, f: Tensor, **parameters: Tensor) -> Tensor:
        return ops.matrix_logits(f, parameters["kernel"])

    def from_confusion(self, confusion: np.ndarray) -> dict[str, Any]:
        return {"kernel": FromConfusion(confusion)(confusion.shape)}

    def permuted(self, order: np.ndarray, **parameters: np.ndarray) -> dict[str, np.ndarray]:
        return {"kernel": parameters["kernel"][:, order]}
