"""`Prototypes`: annotators are mixtures of a few confusion matrices."""

import numpy as np
from keras import ops as kops

from ... import ops
from ..._arguments import whole_number
from ..._registration import register
from ..._typing import Config, DType, Tensor
from ._connection import ClassConnection, Parameter

_SUREST = 0.9  # of the prototypes before `adapt`; the least sure guesses
_OWN_SHARE = 0.8  # of an annotator's nearest prototype, after `adapt`


@register
class Prototypes(ClassConnection):
    """`"prototypes"`: `A_r = sum_p w_rp B_p`, a few confusion matrices `B_p` that annotators mix.

    Annotators with few answers borrow from similar ones: P numbers per annotator, `w_r = softmax`, and P matrices K x K
    in all. Without `adapt` the prototypes start between annotators who are right with 0.9 and those who guess; `adapt`
    takes groups of annotators by their accuracy.

    Args:
        num_prototypes: Integer. Number of matrices, P. Defaults to 4.

    Example:

    >>> prototypes = keras_crowd.layers.connections.Prototypes(num_prototypes=3)
    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=50, conn_type=prototypes)

    Reference:
        M. Venanzi, J. Guiver, G. Kazai, P. Kohli, M. Shokouhi, "Community-based Bayesian aggregation models for
        crowdsourcing", WWW 2014, where an annotator belongs to one community.
    """

    name = "prototypes"
    is_confusion = True
    permutable = True

    def __init__(self, num_prototypes: int = 4) -> None:
        self.num_prototypes = whole_number("num_prototypes", num_prototypes, low=2)

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"mixture": Parameter((self.num_prototypes,), "zeros")}

    def shared_parameters(self, width: int) -> dict[str, Parameter]:
        return {"prototypes": Parameter((self.num_prototypes, width, width), _from_sure_to_guessing)}

    def logits(self, f: Tensor, **parameters: Tensor) -> Tensor:
        return ops.prototype_logits(f, parameters["mixture"], parameters["prototypes"])

    def log_confusion(self, **parameters: Tensor) -> Tensor:
        return ops.prototype_log_confusion(parameters["mixture"], parameters["prototypes"])

    def closest_to(self, confusion: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the mean confusions of groups of annotators, the least accurate first, and who is in which group."""
        order = np.argsort(np.trace(confusion, axis1=1, axis2=2), kind="stable")
        groups = np.array_split(order, self.num_prototypes)
        means = np.stack([confusion[group if len(group) else order].mean(axis=0) for group in groups])
        mixture = np.zeros((len(confusion), self.num_prototypes))
        for p, group in enumerate(groups):
            mixture[group, p] = np.log(_OWN_SHARE * (self.num_prototypes - 1) / (1 - _OWN_SHARE))
        return {"mixture": mixture, "prototypes": np.log(means)}

    def permuted(self, order: np.ndarray, **parameters: np.ndarray) -> dict[str, np.ndarray]:
        return {**parameters, "prototypes": parameters["prototypes"][:, order]}

    def get_config(self) -> Config:
        return {"num_prototypes": self.num_prototypes}


def _from_sure_to_guessing(shape: tuple[int, int, int], dtype: DType = None) -> Tensor:
    """Kernels `(P, K, K)` of annotators who are right with 0.9 down to those who guess."""
    num_prototypes, width, _ = shape
    accuracies = np.linspace(_SUREST, 1.0 / width, num_prototypes)
    scales = np.array([ops.identity_scale(accuracy, width) for accuracy in accuracies])
    return kops.convert_to_tensor(scales[:, None, None] * np.eye(width), dtype=dtype)
