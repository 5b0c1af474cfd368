"""Choosing without clean labels: weights of regularizers, or anything else; weights of annotators who err together."""

from ._annotator_weights import annotator_weights as annotator_weights
from ._held_out_choice import HeldOutChoice as HeldOutChoice
from ._held_out_choice import held_out_choice as held_out_choice
from ._out_of_sample import out_of_sample_predictions as out_of_sample_predictions
from ._out_of_sample import predictions_by_fold as predictions_by_fold
from ._regularization_path import WEIGHTS as WEIGHTS
from ._regularization_path import RegularizationPath as RegularizationPath
from ._regularization_path import regularization_path as regularization_path
from ._replica_path import REPLICA_WEIGHTS as REPLICA_WEIGHTS
from ._replica_path import ReplicaPath as ReplicaPath
from ._replica_path import replica_path as replica_path


def __dir__() -> list[str]:
    return [
        "HeldOutChoice",
        "REPLICA_WEIGHTS",
        "WEIGHTS",
        "RegularizationPath",
        "ReplicaPath",
        "annotator_weights",
        "held_out_choice",
        "out_of_sample_predictions",
        "regularization_path",
        "replica_path",
    ]
