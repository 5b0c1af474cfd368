"""Choosing the weight of a regularizer without clean labels."""

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
        "regularization_path",
        "replica_path",
    ]
