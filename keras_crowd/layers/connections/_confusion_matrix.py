"""`ConfusionMatrix`: each annotator answers by the row of a confusion matrix."""

from typing import Any

import numpy as np
from keras import ops as kops

from ... import ops
from ..._registration import register
from ..._typing import Tensor
from ...initializers import FromConfusion
from ._connection import ClassConnection, Parameter, accurate_start


@register
class ConfusionMatrix(ClassConnection):
    """`"CM"`: `z_rl = log sum_k f_k A_rkl`, `A_r = softmax(W_r)` over answers, K x K numbers per annotator.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=3, conn_type="CM")

    Reference:
        S. Ibrahim, T. Nguyen, X. Fu, "Deep learning from crowdsourced labels: coupled cross-entropy
        minimization, identifiability, and regularization", ICLR 2023 (CCEM).
    """

    name = "CM"
    is_confusion = True
    permutable = True

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"kernel": Parameter((width, width), accurate_start(width))}

    def logits(self, f: Tensor, **parameters: Tensor) -> Tensor:
        return ops.mixture_logits(f, parameters["kernel"])

    def slot_logits(self, f: Tensor, annotators: Tensor, **parameters: Tensor) -> Tensor:
        return ops.mixture_logits(f, parameters["kernel"], annotators)

    def log_confusion(self, **parameters: Tensor) -> Tensor:
        return kops.log_softmax(parameters["kernel"], axis=-1)

    def from_confusion(self, confusion: np.ndarray) -> dict[str, Any]:
        return {"kernel": FromConfusion(confusion)(confusion.shape)}

    def permuted(self, order: np.ndarray, **parameters: np.ndarray) -> dict[str, np.ndarray]:
        return {"kernel": parameters["kernel"][:, order]}
