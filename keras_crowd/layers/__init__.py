"""Crowd layers: what a model predicts in, the answers of every annotator out; and a CRF over tags."""

from ._crowds_classification import CrowdsClassification as CrowdsClassification
from ._crowds_ordinal import CrowdsOrdinal as CrowdsOrdinal
from ._crowds_regression import CrowdsRegression as CrowdsRegression
from ._crowds_sequence_labeling import CrowdsSequenceLabeling as CrowdsSequenceLabeling
from ._linear_chain_crf import LinearChainCRF as LinearChainCRF
