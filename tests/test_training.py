"""What Keras offers `fit`, under XLA: half precision for every layer, loss and regularizer, the rest for some.

Under TensorFlow, which compiles longest, half precision is for each kind of variable and of loss once.
"""

import heads as every_head
import keras
import numpy as np
import pytest
from conftest import BACKEND, XLA

import keras_crowd as kc

LINEAR = ["MW", "W", "B_S"]
OF_CLASS_PROBABILITIES = ["F_running"]  # with a log det of the batch's Gram matrix
SOME = LINEAR + OF_CLASS_PROBABILITIES
HEADS = [*every_head.HEADS] if BACKEND != "tensorflow" else [*dict.fromkeys(SOME + every_head.SOME)]
COARSE = {"mixed_float16": 5e-3, "mixed_bfloat16": 4e-2}
# Each costs a compilation of all heads, which PyTorch does without.
POLICIES = {"tensorflow": ["mixed_float16"], "jax": ["mixed_bfloat16"]}.get(BACKEND, [*COARSE])


def trained(names=HEADS, share=(0.2, 0.8), batch_size=every_head.BATCH, optimizer=None, **kwargs):
    """The parameters of each head after 10 steps of 16 items, and the logs."""
    model = every_head.compiled(names, optimizer, metrics=False, jit_compile=XLA, **kwargs)
    if BACKEND == "tensorflow":
        every_head.with_variables(model, names)
    x, y = every_head.data(names, share=share)
    logs = model.fit(x, y, batch_size, shuffle=False, verbose=0).history
    return {name: every_head.parameters(every_head.parts(model, name)) for name in names}, logs


@pytest.fixture(scope="module")
def plain():
    return trained()


@pytest.fixture(scope="module", params=POLICIES)
def half(request):
    """float16 with a loss scale that overflows in no step, which would be left out."""
    keras.config.set_dtype_policy(request.param)
    try:
        optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
        if request.param == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=256.0)
        return request.param, *trained(optimizer=optimizer)
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="module")
def several_steps():
    return trained(SOME, steps_per_execution=5)


@pytest.fixture(scope="module")
def whole_and_accumulated():
    """Trained on batches, and on their halves with as many answers, two and two."""
    halves = keras.optimizers.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2)
    return trained(SOME, (1, 1))[0], trained(SOME, (1, 1), every_head.BATCH // 2, halves)[0]


@pytest.mark.parametrize("name", HEADS)
def test_mixed_precision_takes_the_steps_of_float32(plain, half, name):
    policy, parameters, logs = half
    np.testing.assert_allclose(parameters[name], plain[0][name], rtol=COARSE[policy], atol=COARSE[policy])
    loss = f"{name}_loss"
    assert logs[loss][-1] == pytest.approx(plain[1][loss][-1], rel=COARSE[policy])


@pytest.mark.skipif(BACKEND == "torch", reason="Keras takes one step an execution under PyTorch")
@pytest.mark.parametrize("name", SOME)
def test_several_steps_an_execution_are_the_same_steps(plain, several_steps, name):
    np.testing.assert_allclose(several_steps[0][name], plain[0][name], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", LINEAR)
def test_accumulated_gradients_of_as_many_answers_are_those_of_the_batch(whole_and_accumulated, name):
    whole, accumulated = whole_and_accumulated
    np.testing.assert_allclose(accumulated[name], whole[name], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", OF_CLASS_PROBABILITIES)
def test_accumulated_log_det_is_that_of_the_parts(whole_and_accumulated, name):
    whole, accumulated = whole_and_accumulated
    assert np.abs(accumulated[name] - whole[name]).max() > 1e-3


def test_accumulated_sums_are_those_of_the_batch_whatever_the_counts():
    def train(batch_size, rate, parts, reduction):
        model = every_head.model(["MW"])
        optimizer = keras.optimizers.SGD(rate, momentum=0.9, gradient_accumulation_steps=parts)
        loss = kc.losses.MaskedCrowdCrossEntropy(reduction=reduction)
        model.compile(optimizer, {"MW": loss}, jit_compile=XLA)
        model.fit(*every_head.data(["MW"]), batch_size, shuffle=False, verbose=0)
        return every_head.parameters(every_head.parts(model, "MW"))

    whole = train(every_head.BATCH, 0.01, None, "sum")
    np.testing.assert_allclose(train(every_head.BATCH // 2, 0.02, 2, "sum"), whole, rtol=0, atol=1e-5)
    means = [
        train(size, 0.1, parts, "mean")
        for size, parts in [(every_head.BATCH, None), (every_head.BATCH // 2, 2)]
    ]
    assert np.abs(means[0] - means[1]).max() > 1e-3
