"""Features of the items for a crowd layer that looks at them: what a layer of the classifier gives or takes."""

import keras

from ..layers import CrowdLayer


def item_features(below: keras.Model, crowd: CrowdLayer, name: str | None) -> keras.KerasTensor | None:
    """The features that the crowd layer gets, `(batch, ..., num_features)`; `None` where it takes none.

    Args:
        below: Functional classifier.
        crowd: The crowd layer.
        name: Name of the layer whose output they are, or `None` for the input of the last layer with weights.
    """
    if not crowd.takes_features:
        if name is not None:
            raise ValueError(
                "`features` must go with a connection that looks at features of the items, as "
                f'`CrowdsClassification(..., "CoNAL")`. Received: features={name!r}, {type(crowd).__name__} '
                f"{crowd.name!r}"
            )
        return None
    features = _input_of_last(below) if name is None else _output_of(below, name)
    expected = below.outputs[0].shape
    if len(features.shape) != len(expected) or features.shape[-1] is None or "float" not in features.dtype:
        raise ValueError(
            "Features of the items must be floats with the axes of the predictions, "
            f"{(*expected[:-1], 'num_features')}: name a layer that gives such by "
            f"`crowd_model(..., features=name)`, one of {[layer.name for layer in below.layers]}. "
            f"Received: features={name!r}, of shape {tuple(features.shape)} and dtype {features.dtype}"
        )
    return features


def _output_of(below: keras.Model, name: str) -> keras.KerasTensor:
    found = [layer for layer in below.layers if layer.name == name]
    if not found:
        raise ValueError(
            f"`features` must be the name of a layer of the classifier, one of "
            f"{[layer.name for layer in below.layers]}. Received: features={name!r}"
        )
    return keras.tree.flatten(found[0].output)[0]


def _input_of_last(below: keras.Model) -> keras.KerasTensor:
    """The input of the last layer with weights; that of the classifier if there is none."""
    tensor = below.outputs[0]
    while True:
        history = tensor._keras_history
        given = history.operation._inbound_nodes[history.node_index].input_tensors
        if len(given) != 1:
            return tensor
        tensor = given[0]
        if getattr(history.operation, "weights", []):
            return tensor
