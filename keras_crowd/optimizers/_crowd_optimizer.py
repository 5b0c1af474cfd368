"""`crowd_optimizer`: one optimizer for the classifier, one for the annotators."""

import re

import keras

from .._older_keras import several_optimizers
from .._typing import LearningRate, Optimizer
from ..models import crowd_layer
from ._lazy_adam import LazyAdam


def crowd_optimizer(
    model: keras.Model, optimizer: Optimizer, learning_rate: LearningRate | None = None
) -> keras.optimizers.Optimizer:
    """Makes an optimizer that gives the crowd layer a learning rate of its own.

    The crowd layer's parameters are never weight-decayed: decay would pull every annotator towards one who answers at
    random. They may also need a larger learning rate, because each annotator is seen in few batches. Keras's
    `LearningRateScheduler` sets both rates to the same value (before Keras 3.15, it raises an error); use schedules
    instead.

    A crowd layer with `max_batch_slots` gets `LazyAdam`, whose steps cost what the batch's answers cost.

    Args:
        model: A built model with a crowd layer.
        optimizer: A Keras optimizer or its name, for everything but the crowd layer; with `max_batch_slots` an `Adam`
            or `AdamW`, without clipping, averages and accumulated gradients.
        learning_rate: Learning rate of the crowd layer: a number or a schedule. Defaults to that of `optimizer`.

    Returns:
        An optimizer to be given to `model.compile`: a `keras.optimizers.MultiOptimizer`, or, before Keras 3.15, which
        introduced it, an equivalent optimizer.

    Example:

    >>> model.compile(
    ...     keras_crowd.optimizers.crowd_optimizer(model, keras.optimizers.AdamW(1e-3), learning_rate=1e-2),
    ...     loss=keras_crowd.losses.MaskedCrowdCrossEntropy())
    """
    optimizer = keras.optimizers.get(optimizer)
    layer = crowd_layer(model, symbolic=False)
    crowd = _of_annotators(optimizer, learning_rate)
    if layer.max_batch_slots is None:
        return several_optimizers(optimizer, {_paths(layer.weights, layer, model): crowd})
    rows = layer.annotators.trainable_variables
    optimizers = {_paths(rows, layer, model): _lazy(optimizer, crowd)}
    ids = {id(variable) for variable in rows}
    common = [variable for variable in layer.trainable_variables if id(variable) not in ids]
    if common:
        optimizers[_paths(common, layer, model)] = crowd
    return several_optimizers(optimizer, optimizers)


def _paths(variables: list[keras.Variable], layer: keras.layers.Layer, model: keras.Model) -> str:
    """A regular expression of the paths of some of the layer's variables, and of no others.

    They begin with anything: a loaded model has other paths above the layer than the model that was saved.
    """
    within = [f"/{variable.path}".rpartition(f"/{layer.name}/")[2] for variable in variables]
    pattern = rf"(.*/)?{re.escape(layer.name)}/({'|'.join(map(re.escape, within))})"
    own = {id(variable) for variable in layer.weights}
    others = [v.path for v in model.weights if id(v) not in own and re.fullmatch(pattern, v.path)]
    if others:
        raise ValueError(
            f"The crowd layer must have a name that nothing else has. Received: {layer.name!r}, which {others[0]!r} "
            "has as well"
        )
    return pattern


def _of_annotators(
    optimizer: keras.optimizers.Optimizer, learning_rate: LearningRate | None
) -> keras.optimizers.Optimizer:
    """An optimizer like the classifier's, without weight decay."""
    config = {**optimizer.get_config(), "name": f"{optimizer.name}_crowd"}
    if learning_rate is not None:
        config["learning_rate"] = learning_rate
    if config.get("weight_decay"):
        config["weight_decay"] = 0.0
    return type(optimizer).from_config(config)


def _lazy(optimizer: keras.optimizers.Optimizer, crowd: keras.optimizers.Optimizer) -> LazyAdam:
    """The annotators' optimizer, with steps that touch the annotators of the batch only."""
    config = crowd.get_config()
    amsgrad = config.pop("amsgrad", False)
    if not isinstance(optimizer, keras.optimizers.Adam) or amsgrad:
        received = type(optimizer).__name__ + (" with amsgrad=True" if amsgrad else "")
        raise ValueError(
            "`optimizer` must be an `Adam` or `AdamW` without `amsgrad` where the crowd layer has "
            f"`max_batch_slots`. Received: {received}"
        )
    return LazyAdam.from_config({**config, "name": f"lazy_{crowd.name}"})
