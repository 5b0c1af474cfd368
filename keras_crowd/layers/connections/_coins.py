"""`OneCoin` and `ClassWise`: how often an annotator is right, and errors that all annotators share."""

from typing import Any

import numpy as np

from ... import ops
from ..._registration import register
from ..._typing import Tensor
from ._connection import ClassConnection, Parameter, accurate_start

_SUREST = 1e-4  # probability of an error, at least, in what is started from


class _Coins(ClassConnection):
    """`A_rkk = p_rk` and `A_rkl = (1 - p_rk) E_kl`, with `E` the errors of all annotators. Abstract."""

    is_confusion = True

    def shared_parameters(self, width: int) -> dict[str, Parameter]:
        return {"errors": Parameter((width, width), "zeros")}

    def logits(self, f: Tensor, **parameters: Tensor) -> Tensor:
        return ops.coin_logits(f, parameters["kernel"], parameters["errors"])

    def log_confusion(self, **parameters: Tensor) -> Tensor:
        return ops.coin_log_confusion(parameters["kernel"], parameters["errors"])

    def closest_to(self, confusion: np.ndarray) -> dict[str, Any]:
        """Takes how often each annotator is right, and the errors of all annotators added up."""
        width = confusion.shape[-1]
        right = np.diagonal(confusion, axis1=1, axis2=2)
        right = right.mean(axis=1, keepdims=True) if self._one_coin else right
        right = np.clip(right, _SUREST, 1 - _SUREST)
        errors = np.log(np.where(np.eye(width, dtype=bool), 1.0, confusion.sum(axis=0)))
        return {"kernel": np.log(right / (1 - right)) + np.log(width - 1), "errors": errors}

    @property
    def _one_coin(self) -> bool:
        return self.parameters(2)["kernel"].shape == (1,)


@register
class OneCoin(_Coins):
    """`"one_coin"`: right with `p_r`, errors as all annotators make them; one number per annotator.

    `A_rkk = p_r` and `A_rkl = (1 - p_r) E_kl`, with `p_r = exp(s_r) / (exp(s_r) + K - 1)`, and `E` a K x K matrix of
    errors that all annotators share. It suits annotators with few answers, and many classes: a step costs about
    as much as without annotators.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=3, conn_type="one_coin")

    Reference:
        A. P. Dawid, A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm",
        Applied Statistics 28, 1979, with one number per annotator.
    """

    name = "one_coin"

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"kernel": Parameter((1,), accurate_start(width))}


@register
class ClassWise(_Coins):
    """`"class_wise"`: right with `p_rk` on class `k`, errors as all annotators make them; K numbers per annotator.

    `A_rkk = p_rk` and `A_rkl = (1 - p_rk) E_kl`, with `p_rk = exp(s_rk) / (exp(s_rk) + K - 1)`, and `E` a K x K
    matrix of errors that all annotators share.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=3, conn_type="class_wise")

    Reference:
        A. P. Dawid, A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm",
        Applied Statistics 28, 1979, with the errors of an annotator pooled.
    """

    name = "class_wise"

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"kernel": Parameter((width,), accurate_start(width))}
