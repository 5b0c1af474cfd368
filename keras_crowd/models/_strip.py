"""`strip`: from a model with a crowd layer to the classifier below it."""

from typing import Any

import keras
import numpy as np

from ..annotations import refuse_sparse
from ..layers import CrowdsClassification, CrowdsOrdinal, CrowdsRegression

_REGRESSIONS = (CrowdsOrdinal, CrowdsRegression)
_CROWD_LAYERS = (CrowdsClassification, *_REGRESSIONS)


def strip(model: Any) -> Any:
    """The classifier (or regressor) below the crowd layer, as a plain `keras.Model` that shares its weights.

    Args:
        model: A Sequential or functional model with one crowd layer, built.

    Returns:
        A `keras.Model` from the features to the crowd layer's input (probabilities, or logits with
        `from_logits=True`; numbers for `CrowdsRegression` and `CrowdsOrdinal`). It knows nothing of
        `keras_crowd`: `save`, `export` and `quantize` it.

    Raises:
        ValueError: When the model has no crowd layer at its top level, or several, or was never built.

    Example:

    >>> model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, "softmax")])
    >>> model.add(keras_crowd.layers.CrowdsClassification(num_annotators=5))
    >>> keras_crowd.strip(model).output_shape
    (None, 10)
    """
    probabilities = inputs_of(crowd_layer(model))[0]
    sources = {id(tensor) for tensor in keras.utils.get_source_inputs(probabilities)}
    structure = getattr(model, "input", None)
    if isinstance(structure, dict):
        kept: Any = {name: tensor for name, tensor in structure.items() if id(tensor) in sources}
    else:
        kept = [tensor for tensor in model.inputs if id(tensor) in sources]
    if len(kept) != len(sources):  # the crowd layer was called in another model first
        kept = keras.utils.get_source_inputs(probabilities)
    if isinstance(kept, list) and len(kept) == 1:
        kept = kept[0]
    return keras.Model(kept, probabilities, name=_name(model))


def _name(model: Any) -> str:
    return "regressor" if isinstance(crowd_layer(model), _REGRESSIONS) else "classifier"


def crowd_layer(model: Any, symbolic: bool = True) -> Any:
    """The one crowd layer at the top level of a built model, of a symbolic one if so asked."""
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"`model` must be a Keras model with a crowd layer. Received: {type(model).__name__}"
        )
    layers = [layer for layer in model.layers if isinstance(layer, _CROWD_LAYERS)]
    symbolic = not symbolic or bool(getattr(model, "inputs", None))
    if len(layers) != 1 or not layers[0].built or not symbolic:
        state = f"{len(layers)} crowd layers"
        if len(layers) == 1:
            state = "a crowd layer that was never built" if not layers[0].built else "no symbolic inputs"
        raise ValueError(
            "`model` must be a built Sequential or functional model with one crowd layer at its top level. "
            f"Received: {type(model).__name__} {model.name!r} with {state}"
        )
    return layers[0]


def inputs_of(crowd: Any) -> list[Any]:
    """The symbolic probabilities, and the annotators where the layer works on slots."""
    return keras.tree.flatten(crowd.input)


def match_inputs(model: Any, x: Any) -> list[np.ndarray]:
    """The arrays of `x` in the order of `model.inputs`."""
    if isinstance(x, dict):
        missing = [tensor.name for tensor in model.inputs if tensor.name not in x]
        if missing:
            raise ValueError(f"`x` must have a key for each input. Received: no {', '.join(missing)}")
        return [_as_array(x[tensor.name]) for tensor in model.inputs]
    arrays = [_as_array(array) for array in (x if isinstance(x, list | tuple) else [x])]
    if len(arrays) != len(model.inputs):
        raise ValueError(
            f"`x` must have {len(model.inputs)} arrays, one for each input of the model. "
            f"Received: {len(arrays)}"
        )
    return arrays


def _as_array(x: Any) -> np.ndarray:
    if not hasattr(x, "shape") and not isinstance(x, list | tuple):
        raise ValueError(f"`x` must be arrays in memory, no batches of them. Received: {type(x).__name__}")
    refuse_sparse("x", x)
    return np.asarray(x)


def classifier_inputs(model: Any, classifier: Any, x: Any) -> Any:
    """Of the arrays of `x` those that `strip(model)` takes, in its structure."""
    arrays = zip(model.inputs, match_inputs(model, x), strict=True)
    by_name = {tensor.name: array for tensor, array in arrays}
    inputs: Any = [by_name[tensor.name] for tensor in classifier.inputs]
    if isinstance(classifier.input, dict):
        return dict(zip(classifier.input, inputs, strict=True))
    return inputs[0] if len(inputs) == 1 else inputs
