"""Choosing the weight of a regularizer without clean labels, and the weights of annotators who err together."""

from ._annotator_weights import annotator_weights as annotator_weights
from ._regularization_path import WEIGHTS as WEIGHTS
from ._regularization_path import RegularizationPath as RegularizationPath
from ._regularization_path import regularization_path as regularization_path
from ._replica_path import REPLICA_WEIGHTS as REPLICA_WEIGHTS
from ._replica_path import ReplicaPath as ReplicaPath
from ._replica_path import replica_path as replica_path


def __dir__() -> list[str]:
    return [
        "REPLICA_WEIGHTS",
        "WEIGHTS",
        "RegularizationPath",
        "ReplicaPath",
        "annotator_weights",
        "regularization_path",
        "replica_path",
    ]
