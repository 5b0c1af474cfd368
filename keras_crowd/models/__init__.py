"""Whole models with a crowd layer: checks before `fit`, repair and the classifier after it.

`JointCrowdModel` has the joint likelihood of an item's answers; over sequences there are `CRFTagger` (one tag
per token) and `HiddenCRF` (the answers of a crowd).
"""

from ._align_classes import align_classes as align_classes
from ._align_classes import permute_classes as permute_classes
from ._crf_tagger import CRFTagger as CRFTagger
from ._crowd_model import crowd_model as crowd_model
from ._doctor_net import DoctorNet as DoctorNet
from ._functional import as_functional as as_functional
from ._functional import check_binary_head as check_binary_head
from ._functional import check_one_output as check_one_output
from ._functional import check_strings_work as check_strings_work
from ._functional import classifier_model as classifier_model
from ._functional import give_input as give_input
from ._functional import is_symbolic as is_symbolic
from ._functional import is_task as is_task
from ._functional import model_below as model_below
from ._functional import own_training as own_training
from ._functional import prepared as prepared
from ._functional import warn_of_own_training as warn_of_own_training
from ._given import is_data_set as is_data_set
from ._given import one_epoch as one_epoch
from ._hidden_crf import HiddenCRF as HiddenCRF
from ._joint_crowd_model import JointCrowdModel as JointCrowdModel
from ._max_mig import MaxMIG as MaxMIG
from ._outputs import check_label_outputs as check_label_outputs
from ._outputs import check_outputs as check_outputs
from ._outputs import outputs_of_few as outputs_of_few
from ._preference_model import pair_features as pair_features
from ._preference_model import preference_model as preference_model
from ._strip import crowd_layer as crowd_layer
from ._strip import strip as strip
from ._validate import validate as validate


def __dir__() -> list[str]:
    return [
        "CRFTagger",
        "DoctorNet",
        "HiddenCRF",
        "JointCrowdModel",
        "MaxMIG",
        "align_classes",
        "as_functional",
        "crowd_layer",
        "crowd_model",
        "pair_features",
        "preference_model",
        "strip",
        "validate",
    ]
