"""Crowd layers: what a model predicts in, the answers of every annotator out."""

from ._crowds_classification import CrowdsClassification as CrowdsClassification
from ._crowds_ordinal import CrowdsOrdinal as CrowdsOrdinal
from ._crowds_regression import CrowdsRegression as CrowdsRegression
