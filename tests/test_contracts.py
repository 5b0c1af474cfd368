"""The behaviour contract of every public Keras object, on every backend."""

import dataclasses
import functools
import inspect

import contracts
import keras
import numpy as np
import pytest
from conftest import BACKEND, XLA
from contracts import CHAINS, INITIALIZERS, LAYERS, LOSSES, METRICS, REGULARIZERS

SERIALIZABLE = [(case.cls, case.kwargs) for case in LAYERS] + [
    entry[:2] for entry in LOSSES + METRICS + INITIALIZERS + REGULARIZERS + CHAINS
]
layers = pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.id)


def as_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def called(case):
    keras.utils.set_random_seed(0)  # some layers start at random
    layer = case.cls(**case.kwargs)
    return layer, as_numpy(case.call(layer, case.inputs))


def model_of(case, layer, batch=None):
    keras.utils.set_random_seed(0)
    inputs = [keras.Input(x.shape[1:], batch, dtype=str(x.dtype)) for x in case.inputs]
    return keras.Model(inputs, case.call(layer, inputs))


def after_one_step(case, **compile_kwargs):
    """Trainable parameters after a step of `fit`, without the pipeline of batches that is dear to make."""
    model = model_of(case, case.cls(**case.kwargs))
    before = [as_numpy(w) for w in model.trainable_variables]
    model.compile("sgd", loss=case.loss(), **compile_kwargs)
    model.train_on_batch(list(case.inputs), case.answers)
    after = [as_numpy(w) for w in model.trainable_variables]
    assert any(np.abs(a - b).max() > 0 for a, b in zip(after, before, strict=True))
    assert all(np.isfinite(a).all() for a in after)
    return after


def test_no_public_object_is_missing():
    assert contracts.public_keras_classes() == contracts.covered()


@pytest.mark.parametrize(("cls", "kwargs"), SERIALIZABLE)
def test_config_round_trip(cls, kwargs):
    first = cls(**kwargs)
    second = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(first))
    assert type(second) is cls
    assert second.get_config() == first.get_config()
    for name, value in kwargs.items():
        if isinstance(value, int | float):
            assert getattr(second, name) == value, name
    assert keras.saving.get_registered_name(cls) == f"keras_crowd>{cls.__name__}"
    assert set(kwargs) <= set(first.get_config())


@pytest.mark.parametrize("cls", dict.fromkeys(cls for cls, _ in SERIALIZABLE))
def test_config_has_every_argument(cls):
    arguments = set(inspect.signature(cls.__init__).parameters) - {"self", "kwargs"}
    kwargs = next(kwargs for other, kwargs in SERIALIZABLE if other is cls)
    assert arguments <= set(cls(**kwargs).get_config())


@layers
def test_shapes_symbolic_and_eager_agree(case):
    layer, output = called(case)
    assert output.shape == case.output_shape
    assert len(layer.trainable_weights) == case.num_weights
    symbolic = model_of(case, layer).output
    assert symbolic.shape == (None, *case.output_shape[1:])
    assert str(output.dtype) == symbolic.dtype
    unknown_time = [
        keras.KerasTensor((None, None, *x.shape[2:]) if x.ndim > 2 else (None, *x.shape[1:]))
        for x in case.inputs
    ]
    shape = dataclasses.replace(case, names=tuple(f"{name}_shape" for name in case.names)).call(
        layer.compute_output_shape, [x.shape for x in unknown_time]
    )
    assert shape[0] is None
    assert shape[1:][-2:] == case.output_shape[1:][-2:]


@layers
def test_saves_and_loads(case, tmp_path):
    model = model_of(case, case.cls(**case.kwargs))
    for weight in model.weights:
        weight.assign(np.random.default_rng(0).normal(size=weight.shape))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    inputs = list(case.inputs)
    np.testing.assert_allclose(as_numpy(loaded(inputs)), as_numpy(model(inputs)), rtol=1e-6)


@layers
def test_takes_one_step_plain_and_under_xla(case):
    """TensorFlow is dear under XLA and JAX without it: there each connection and each form, not each with each."""
    one_of_each = any(case is other for other in contracts.ONE_OF_EACH)
    ways = [{"run_eagerly": True}] if BACKEND != "jax" or one_of_each else []
    ways += [{"jit_compile": True}] if BACKEND == "jax" or (XLA and one_of_each) else []
    first, *others = [after_one_step(case, **way) for way in ways]
    for other in others:
        for plain, xla in zip(first, other, strict=True):
            np.testing.assert_allclose(xla, plain, rtol=1e-5, atol=1e-6)


@layers
def test_stays_float32_under_mixed_precision(case):
    expected = called(case)[1]
    keras.config.set_dtype_policy("mixed_float16" if BACKEND != "torch" else "mixed_bfloat16")
    layer, output = called(case)
    assert {w.dtype for w in layer.weights} == {"float32"}
    assert output.dtype == np.float32
    np.testing.assert_allclose(output, expected, rtol=1e-6)
    half = keras.ops.cast(case.inputs[0], "float16" if BACKEND != "torch" else "bfloat16")
    np.testing.assert_allclose(as_numpy(case.call(layer, (half, *case.inputs[1:]))), expected, atol=0.2)


@layers
def test_explicit_half_precision_is_finite(case):
    layer = case.cls(**case.kwargs, dtype="mixed_bfloat16")
    output = keras.ops.cast(case.call(layer, case.inputs), "float32")
    assert np.isfinite(as_numpy(output)).all()


@layers
def test_stateless_call_equals_call(case):
    layer, output = called(case)
    call = functools.partial(layer.stateless_call, layer.trainable_variables, layer.non_trainable_variables)
    result, _ = case.call(call, case.inputs)
    np.testing.assert_allclose(as_numpy(result), output, rtol=1e-6)


@layers
def test_works_without_gradient(case):
    layer = case.cls(**case.kwargs, trainable=False)
    case.call(layer, case.inputs)
    assert layer.trainable_variables == []


@pytest.mark.parametrize(("cls", "kwargs", "y_true", "y_pred"), LOSSES)
def test_loss_gives_one_value_an_item(cls, kwargs, y_true, y_pred):
    values = as_numpy(cls(reduction="none")(y_true, y_pred))
    assert values.shape == (len(y_true),)
    weights = np.array([1.0, 2.0, 0.0, 3.0])
    weighted = as_numpy(cls(reduction="none")(y_true, y_pred, sample_weight=weights))
    np.testing.assert_allclose(weighted, weights * values, rtol=1e-6)


@pytest.mark.parametrize(("cls", "kwargs", "y_true", "y_pred"), METRICS)
def test_metric_counts_over_batches(cls, kwargs, y_true, y_pred):
    whole, parts = cls(**kwargs), cls(**kwargs)
    whole.update_state(y_true, y_pred)
    parts.update_state(y_true[:1], y_pred[:1])
    parts.update_state(y_true[1:], y_pred[1:])
    assert float(parts.result()) == pytest.approx(float(whole.result()), rel=1e-6)
    whole.reset_state()
    assert float(whole.result()) == 0.0


@pytest.mark.parametrize(("cls", "kwargs", "shape"), INITIALIZERS)
def test_initializer_gives_shape_and_dtype(cls, kwargs, shape):
    value = cls(**kwargs)(shape, dtype="float32")
    assert tuple(value.shape) == shape
    assert keras.backend.standardize_dtype(value.dtype) == "float32"


@pytest.mark.parametrize(("cls", "kwargs", "x"), REGULARIZERS)
def test_regularizer_is_its_weight_times_its_penalty(cls, kwargs, x):
    regularizer = cls(**kwargs)
    value = float(as_numpy(regularizer(x)))
    assert value == pytest.approx(0.5 * float(as_numpy(regularizer.penalty(x))), rel=1e-6)
    assert value > 0
    half = keras.ops.cast(x, "bfloat16")
    assert float(as_numpy(keras.ops.cast(regularizer(half), "float32"))) == pytest.approx(value, rel=0.1)
