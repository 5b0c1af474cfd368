"""Crowd layers: what a model predicts in, the answers of every annotator out; and a CRF over tags."""

from . import connections as connections
from ._crowd_layer import CrowdLayer as CrowdLayer
from ._crowds_classification import CrowdsClassification as CrowdsClassification
from ._crowds_multi_label import CrowdsMultiLabel as CrowdsMultiLabel
from ._crowds_ordinal import CrowdsOrdinal as CrowdsOrdinal
from ._crowds_preference import CrowdsPreference as CrowdsPreference
from ._crowds_regression import CrowdsRegression as CrowdsRegression
from ._crowds_sequence_labeling import CrowdsSequenceLabeling as CrowdsSequenceLabeling
from ._linear_chain_crf import LinearChainCRF as LinearChainCRF
