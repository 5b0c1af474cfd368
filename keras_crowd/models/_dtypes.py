"""Whether features keep their values on the way into a model."""

from collections.abc import Iterator

import keras
import numpy as np

from ._functional import is_symbolic

_OF_IDS = (
    keras.layers.CategoryEncoding,
    keras.layers.Embedding,
    keras.layers.Hashing,
    keras.layers.IntegerLookup,
)


def check_dtype(model: keras.Model, tensor: keras.KerasTensor, array: np.ndarray) -> None:
    """Refuses features that an input of another dtype cannot hold: strings, ids, numbers with a fraction."""
    is_text, takes_text = array.dtype.kind in "OSUT", tensor.dtype == "string"
    if is_text != takes_text:
        raise ValueError(
            f"Input {tensor.name!r} must be {'strings' if takes_text else tensor.dtype}. "
            + ("" if takes_text else _HOW.format("strings"))
            + f"Received: dtype {array.dtype}"
        )
    if array.dtype.kind in "SUT":
        raise ValueError(
            f"Strings for input {tensor.name!r} must be an array of objects, `x.astype(object)`: `fit` of Keras takes "
            f"no other. Received: dtype {array.dtype}"
        )
    if takes_text:
        return
    if "float" not in tensor.dtype:
        if array.dtype.kind == "f" and not np.array_equal(array, np.floor(array)):
            raise ValueError(
                f"Input {tensor.name!r} must be {tensor.dtype}: fractions would be cut off. "
                f"Received: dtype {array.dtype}"
            )
        return
    wanted = next((dtype for dtype in _wanted(model, tensor) if "float" not in dtype), None)
    if wanted is not None:
        raise ValueError(
            f"Input {tensor.name!r} is {tensor.dtype}, but the layers on it take {wanted}: ids would be cast to floats "
            "(under mixed precision rounded, 4097 to 4096) and the exported model would want floats. "
            + _HOW.format(f"ids; begin a model of your own with `keras.Input(shape, dtype={wanted!r})`")
            + f"Received: dtype {array.dtype}"
        )


_HOW = (
    "`keras_crowd.crowd_model(classifier, crowd)` keeps the dtypes of the classifier's inputs, which "
    "`keras.Sequential([classifier, crowd])` does not; give it {}. "
)


def _wanted(model: keras.Model, tensor: keras.KerasTensor) -> Iterator[str]:
    """The dtypes that layers on this input take, where they say so."""
    for layer in model.layers:
        for place in _places(layer, tensor):
            if is_symbolic(layer):
                inner = layer.inputs[min(place, len(layer.inputs) - 1)]
                yield inner.dtype
                if "float" in inner.dtype:
                    yield from _wanted(layer, inner)
            elif isinstance(layer, _OF_IDS):
                yield "int32"
            elif isinstance(layer, keras.layers.StringLookup | keras.layers.TextVectorization):
                yield "string"


def _places(layer: keras.layers.Layer, tensor: keras.KerasTensor) -> Iterator[int]:
    for node in layer._inbound_nodes:
        for place, given in enumerate(node.input_tensors):
            if given is tensor:
                yield place
