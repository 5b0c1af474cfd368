"""A check that a layer is built."""

import keras


def check_built(layer: keras.layers.Layer, parts: str) -> None:
    """Refuses to tell the `parts` of a layer that does not know its inputs yet."""
    if not layer.built:
        raise ValueError(f"Layer {layer.name!r} must be built (called once) before it has {parts}.")
