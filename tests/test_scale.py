"""The memory model of `docs/scale.md`."""

import keras
import numpy as np
import pytest

import keras_crowd as kc

R, K, T = 50, 4, 2
COUNTS = np.ones(R)
LAYERS = [  # layer, input, parameters
    *[
        (lambda conn_type=conn_type: kc.layers.CrowdsClassification(R, conn_type), K, parameters)
        for conn_type, parameters in {
            "MW": R * K * K,
            "CM": R * K * K,
            "VW": R * K,
            "VB": R * K,
            "VW+B": 2 * R * K,
            "SW": R,
        }.items()
    ],
    *[
        (lambda conn_type=conn_type: kc.layers.CrowdsRegression(R, conn_type), T, parameters)
        for conn_type, parameters in {"S": R * T, "B": R * T, "S+B": 2 * R * T, "B+S": 2 * R * T}.items()
    ],
    (
        lambda: kc.layers.CrowdsRegression(R, "S", learn_variance=True, answers_per_annotator=COUNTS),
        T,
        R * T + R * T + T,
    ),
    (lambda: kc.layers.CrowdsOrdinal(R, K), 1, R * (K - 1) + 1),
    *[
        (lambda conn_type=conn_type: kc.layers.CrowdsMultiLabel(R, conn_type), K, parameters)
        for conn_type, parameters in {
            "full": 2 * R * K,
            "additive": 2 * R + 2 * K,
            "annotator": 2 * R,
        }.items()
    ],
]
KEPT = [  # optimizer, variables for each parameter
    (keras.optimizers.SGD(0.1), 0),
    (keras.optimizers.SGD(0.1, momentum=0.9), 1),
    (keras.optimizers.Adam(), 2),
    (keras.optimizers.Adam(gradient_accumulation_steps=2), 3),
    (keras.optimizers.Adam(use_ema=True), 3),
]


def size(variables):
    """Bytes of all variables that are not scalars."""
    return sum(4 * int(np.prod(v.shape)) for v in variables if len(v.shape) and v.dtype == "float32")


@pytest.mark.parametrize(("layer", "width", "parameters"), LAYERS)
def test_parameters_of_a_layer(layer, width, parameters):
    crowd = layer()
    crowd.build((None, width))
    assert sum(int(np.prod(v.shape)) for v in crowd.trainable_variables) == parameters
    kept = (
        width if isinstance(crowd, kc.layers.CrowdsClassification) else 0
    )  # counts of the classes predicted
    if isinstance(crowd, kc.layers.CrowdsRegression):
        kept = (R + 2) * width  # weights, and the line of all raters
    assert size(crowd.non_trainable_variables) == 4 * kept


@pytest.mark.parametrize(("optimizer", "kept"), KEPT)
def test_bytes_that_training_keeps(optimizer, kept):
    crowd = kc.layers.CrowdsClassification(R, "CM")
    crowd.build((None, K))
    optimizer = type(optimizer).from_config(optimizer.get_config())
    optimizer.build(crowd.trainable_variables)
    assert size(crowd.variables) == 4 * (R * K * K + K)
    assert size(optimizer.variables) == kept * 4 * R * K * K
