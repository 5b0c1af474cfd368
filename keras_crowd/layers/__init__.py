"""Crowd layers: class probabilities in, answer logits of every annotator out."""

from ._crowds_classification import CrowdsClassification as CrowdsClassification
