"""The classifier below the crowd layer, asked while the whole model is being trained."""

from collections.abc import Iterator

import keras

from .._typing import Features, Tensor
from ..layers import CrowdLayer


def check_classifier(classifier: keras.Model) -> None:
    """Refuses a model that does not give one row per class for each item."""
    outputs = getattr(classifier, "outputs", None) or []
    if [len(output.shape) for output in outputs] != [2]:
        shapes = [tuple(output.shape) for output in outputs]
        raise ValueError(
            "`classifier` must be the built Sequential or functional model below the crowd layer (of a "
            "`JointCrowdModel` its `classifier`), of output shape (batch, classes); another is "
            "one by `keras_crowd.models.as_functional(classifier, x[:1])`. "
            f"Received: {type(classifier).__name__}" + (f" of output shapes {shapes}" if shapes else "")
        )


def check_crowd(crowd: object) -> CrowdLayer:
    """The crowd layer, which it must be."""
    if not isinstance(crowd, CrowdLayer):
        raise ValueError(
            "`crowd` must be the crowd layer itself, as `model.layers[-1]`, and not the model. "
            f"Received: {type(crowd).__name__}"
        )
    return crowd


def predictions(
    classifier: keras.Model, x: Features, num_items: int, batch_size: int
) -> Iterator[tuple[slice, Tensor]]:
    """The classifier's output, batch after batch, and which items it is of.

    Not by `predict`: under PyTorch its data loader draws random numbers, which would change training.
    """
    for start in range(0, num_items, batch_size):
        batch = slice(start, start + batch_size)
        yield (
            batch,
            classifier.predict_on_batch(keras.tree.map_structure(lambda array, b=batch: array[b], x)),
        )
