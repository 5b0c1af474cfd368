"""Inputs of models that may get annotators on slots."""

from typing import Any


def features_of(inputs: Any, slots: bool) -> Any:
    """Of a model's inputs those of the classifier or encoder below."""
    if not slots:
        return inputs
    if isinstance(inputs, dict):
        return {name: array for name, array in inputs.items() if name != "annotators"}
    *features, _ = inputs
    return features[0] if len(features) == 1 else features


def annotators_of(inputs: Any, slots: bool) -> Any:
    """Of a model's inputs the annotators of the slots, or `None`."""
    if not slots:
        return None
    return inputs["annotators"] if isinstance(inputs, dict) else inputs[-1]
