"""Inputs of models that may get annotators on slots."""

from .._typing import Tensor, Tensors


def features_of(inputs: Tensors, slots: bool) -> Tensors:
    """Returns the inputs of the classifier or encoder below among those of the model."""
    if not slots:
        return inputs
    if isinstance(inputs, dict):
        return {name: array for name, array in inputs.items() if name != "annotators"}
    *features, _ = inputs
    return features[0] if len(features) == 1 else features


def annotators_of(inputs: Tensors, slots: bool) -> Tensor | None:
    """Returns the annotators of the slots among the model's inputs, or `None`."""
    if not slots:
        return None
    return inputs["annotators"] if isinstance(inputs, dict) else inputs[-1]
