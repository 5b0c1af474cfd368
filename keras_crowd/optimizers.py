"""Optimizers that treat the parameters of annotators apart from those of the classifier."""

import re
from typing import Any

import keras

from .models import crowd_layer


def crowd_optimizer(model: Any, optimizer: Any, learning_rate: Any = None) -> Any:
    """`optimizer` for the classifier, and its like for the crowd layer with its own learning rate.

    The crowd layer's parameters are never weight-decayed: decay would pull every annotator towards one who
    answers at random. They may also want a larger learning rate, for each annotator is seen in few batches.
    Keras's `LearningRateScheduler` sets both rates to the same value; give schedules instead.

    Args:
        model: A built model with a crowd layer.
        optimizer: A Keras optimizer, for everything but the crowd layer.
        learning_rate: Of the crowd layer: a number or a schedule. Defaults to that of `optimizer`.

    Returns:
        A `keras.optimizers.MultiOptimizer`, to be given to `model.compile`.

    Example:

    >>> model.compile(
    ...     keras_crowd.optimizers.crowd_optimizer(model, keras.optimizers.AdamW(1e-3), learning_rate=1e-2),
    ...     loss=keras_crowd.losses.MaskedCrowdCrossEntropy())
    """
    config = optimizer.get_config()
    config["name"] = f"{optimizer.name}_crowd"
    if config.get("weight_decay"):
        config["weight_decay"] = 0.0
    if learning_rate is not None:
        config["learning_rate"] = learning_rate
    crowd = type(optimizer).from_config(config)
    # By the layer's name: a loaded model has other paths above it than the model that was saved.
    variables = rf"(.*/)?{re.escape(crowd_layer(model, symbolic=False).name)}/.*"
    return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(optimizer, {variables: crowd}))
