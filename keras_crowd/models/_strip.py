"""`strip`: from a model with a crowd layer to the classifier below it."""

from typing import Any

import keras
import numpy as np

from .._typing import Features, Tensors
from ..annotations import refuse_sparse
from ..layers import CrowdLayer
from ._functional import is_symbolic, without_two_classes
from ._joint_crowd_model import JointCrowdModel


def strip(model: keras.Model, layer: str | keras.layers.Layer | None = None) -> keras.Model:
    """Returns the classifier (or regressor) below the crowd layer, as a plain `keras.Model` that shares its weights.

    Args:
        model: A Sequential or functional model with a crowd layer, built; or a `JointCrowdModel`.
        layer: The crowd layer, or its name, where the model has several. Defaults to the only one.

    Returns:
        A `keras.Model` from the features to the crowd layer's input (probabilities, or logits with
        `from_logits=True`; numbers for `CrowdsRegression` and `CrowdsOrdinal`; the score of one item for
        `CrowdsPreference`); of a head of one sigmoid, that one output. It knows nothing of `keras_crowd`: `save`,
        `export` and `quantize` it.

    Raises:
        ValueError: When the model has no crowd layer at its top level, or several and `layer` is not given, or was
            never built.

    Example:

    >>> classifier = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, "softmax")])
    >>> model = keras_crowd.crowd_model(classifier, keras_crowd.layers.CrowdsClassification(num_annotators=5))
    >>> keras_crowd.strip(model).output_shape
    (None, 10)
    """
    if isinstance(model, JointCrowdModel):
        return without_two_classes(model.classifier)
    return without_two_classes(below(model, crowd_layer(model, layer=layer)))


def below(model: keras.Model, crowd: CrowdLayer) -> keras.Model:
    """The model from the features to what the crowd layer gets."""
    probabilities = inputs_of(crowd, model)[0]
    tower = probabilities._keras_history.operation
    if crowd.num_predictions > 1 and isinstance(tower, keras.Model) and is_symbolic(tower):
        return tower  # of both items
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
    return keras.Model(kept, probabilities, name=_name(crowd))


def _name(crowd: CrowdLayer) -> str:
    return "regressor" if crowd.prediction_kind == "numbers" else "classifier"


def crowd_layer(
    model: keras.Model, symbolic: bool = True, layer: str | keras.layers.Layer | None = None
) -> CrowdLayer:
    """Finds the crowd layer at the top level of a built model, which must be symbolic unless `symbolic=False`."""
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"`model` must be a Keras model with a crowd layer. Received: {type(model).__name__}"
        )
    layers = [found for found in model.layers if isinstance(found, CrowdLayer)]
    if layer is not None:
        layers = [found for found in layers if layer is found or layer == found.name]
    elif len(layers) > 1:
        raise ValueError(
            "`layer` must say which of several crowd layers is meant, as `strip` and `validate` take it. "
            f"Received: {type(model).__name__} {model.name!r} with crowd layers {[found.name for found in layers]}"
        )
    if not layers:
        raise ValueError(
            "`model` must be a built Sequential or functional model with a crowd layer at its top level"
            + ("" if layer is None else f", {layer if isinstance(layer, str) else layer.name!r}")
            + ", as `crowd_model(classifier, crowd)` makes it. "
            f"Received: {type(model).__name__} {model.name!r} with 0 such crowd layers"
        )
    if not layers[0].built or (symbolic and not is_symbolic(model)):
        state = "no symbolic inputs" if layers[0].built else "a crowd layer that was never built"
        raise ValueError(
            "`model` must be a built Sequential or functional model with a crowd layer at its top level. Begin a "
            "Sequential model with `keras.Input`; of a subclassed one put the part below the crowd layer into "
            f"`crowd_model(classifier, crowd, x=x[:1])`. Received: {type(model).__name__} {model.name!r} with {state}"
        )
    return layers[0]


def inputs_of(crowd: CrowdLayer, model: keras.Model) -> list[keras.KerasTensor]:
    """Returns the layer's inputs in this model: the symbolic probabilities, on slots the annotators, and features."""
    known, outputs = {id(tensor) for tensor in model.inputs}, {id(tensor) for tensor in model.outputs}
    best, most = keras.tree.flatten(crowd.input), (False, -1)
    for node in crowd._inbound_nodes:  # a layer may be called in several models
        sources = {id(t) for tensor in node.input_tensors for t in keras.utils.get_source_inputs(tensor)}
        rank = (any(id(tensor) in outputs for tensor in node.output_tensors), len(sources))
        if sources <= known and rank > most:
            best, most = list(node.input_tensors), rank
    return best


def annotators_of_slots(crowd: CrowdLayer, model: keras.Model) -> keras.KerasTensor | None:
    """The symbolic annotators that the layer gets in this model, `None` where it is dense."""
    rest = inputs_of(crowd, model)[crowd.num_predictions :]
    return rest[0] if len(rest) > crowd.takes_features else None  # features of the items come last


def match_inputs(model: keras.Model, x: Features) -> list[np.ndarray]:
    """The arrays of `x` in the order of `model.inputs`."""
    if isinstance(x, dict):
        names = input_names(model)
        missing = [name for name in names if name not in x]
        if missing:
            raise ValueError(f"`x` must have a key for each input. Received: no {', '.join(missing)}")
        return [_as_array(x[name]) for name in names]
    arrays = [_as_array(array) for array in (x if isinstance(x, list | tuple) else [x])]
    if len(arrays) != len(model.inputs):
        is_text = any(array.dtype.kind in "OSUT" for array in arrays)
        hint = (
            "of a KerasHub task apply `classifier.preprocessor` to the features first. " if is_text else ""
        )
        raise ValueError(
            f"`x` must have {len(model.inputs)} arrays, one for each input of the model; {hint}"
            f"Received: {len(arrays)}".replace("; R", ". R")
        )
    return arrays


def input_names(model: keras.Model) -> list[str]:
    """The keys of `model.inputs` in a dict of features."""
    structure = getattr(model, "input", None)
    keys = {id(t): key for key, t in structure.items()} if isinstance(structure, dict) else {}
    return [keys.get(id(tensor), tensor.name) for tensor in model.inputs]


def _as_array(x: Features) -> np.ndarray:
    if not hasattr(x, "shape") and not isinstance(x, list | tuple):
        raise ValueError(f"`x` must be arrays in memory, no batches of them. Received: {type(x).__name__}")
    refuse_sparse("x", x)
    return np.asarray(x)


def classifier_inputs(model: keras.Model, classifier: keras.Model, x: Features) -> Tensors:
    """Returns the arrays of `x` that the classifier below the crowd layer takes, in its structure."""
    by_name = dict(zip(input_names(model), match_inputs(model, x), strict=True))
    inputs: Any = [by_name[name] for name in input_names(classifier)]
    if isinstance(classifier.input, dict):
        return dict(zip(input_names(classifier), inputs, strict=True))
    return inputs[0] if len(inputs) == 1 else inputs
