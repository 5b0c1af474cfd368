"""What Keras and its tools do to models, with a crowd layer on top or after `strip`: LoRA, int8, KerasTuner."""

import keras
import numpy as np
import pytest
from model_kinds import ANSWERS, X, head, text_task

import keras_crowd as kc


def network(units=4):
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(units, "relu"), head()])


def compiled(classifier, learning_rate=0.1):
    model = kc.crowd_model(classifier, kc.layers.CrowdsClassification(3))
    metrics = [kc.metrics.CrowdCrossEntropy()]
    model.compile(
        keras.optimizers.Adam(learning_rate), kc.losses.MaskedCrowdCrossEntropy(), metrics=metrics
    )
    return model


def output(model, x=X):
    return keras.ops.convert_to_numpy(model(x, training=False))


def loaded(model, folder):
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


@pytest.mark.parametrize("by_recipe", [False, True])
def test_lora_of_a_dense_layer_is_all_that_is_trained_of_it(by_recipe, tmp_path):
    classifier = network()
    layer = classifier.layers[0]
    layer.enable_lora(2)
    before = [np.array(w) for w in (layer._kernel, layer.lora_kernel_b)]
    if by_recipe:
        model = kc.fit_crowd(classifier, X, ANSWERS, weights=0.0, epochs=1, verbose=0).model
    else:
        model = compiled(classifier)
        kc.validate(model, X, ANSWERS)
        model.fit(X, ANSWERS, verbose=0)
    np.testing.assert_array_equal(layer._kernel, before[0])
    assert np.any(np.array(layer.lora_kernel_b) != before[1])
    stripped = kc.strip(model)
    np.testing.assert_allclose(output(stripped), output(classifier), rtol=1e-5)
    np.testing.assert_allclose(output(loaded(stripped, tmp_path)), output(classifier), rtol=1e-5)


def test_lora_of_a_backbone_is_trained_in_place_of_its_kernels():
    task, texts = text_task()
    task.backbone.enable_lora(2)
    model, x = compiled(task), task.preprocessor(texts.tolist())
    x = {name: keras.ops.convert_to_numpy(part) for name, part in x.items()}
    before = {v.path: np.array(v) for v in task.backbone.weights}
    kc.validate(model, x, ANSWERS)
    model.fit(x, ANSWERS, verbose=0)
    moved = {v.path for v in task.backbone.weights if np.any(np.array(v) != before[v.path])}
    assert any("lora" in path for path in moved)
    held = [v.path for v in task.backbone.non_trainable_weights]
    assert any("query/kernel" in path for path in held)
    assert not moved & set(held)


@pytest.mark.filterwarnings("ignore:Layer InputLayer does not have:UserWarning")
def test_int8_after_strip(tmp_path):
    model = compiled(network(16))
    model.fit(X, ANSWERS, epochs=2, verbose=0)
    stripped = kc.strip(model)
    expected = output(stripped)
    assert expected.std(axis=0).min() > 0.01  # there is something to keep
    stripped.quantize("int8")
    assert [str(layer.kernel.dtype) for layer in stripped.layers if hasattr(layer, "kernel")] == [
        "int8"
    ] * 2
    np.testing.assert_allclose(output(stripped), expected, atol=0.05)
    np.testing.assert_allclose(output(loaded(stripped, tmp_path)), output(stripped), rtol=1e-5)


@pytest.mark.only_under("torch")
@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer:UserWarning")
def test_keras_tuner_on_nats_of_held_out_answers(tmp_path):
    tuner_of = pytest.importorskip("keras_tuner")

    def build(choices):
        return compiled(network(choices.Choice("units", [4, 8])), choices.Fixed("learning_rate", 0.01))

    objective = tuner_of.Objective("val_crowd_cross_entropy", "min")
    tuner = tuner_of.RandomSearch(build, objective, max_trials=2, seed=0, directory=tmp_path)
    tuner.search(X[:8], ANSWERS[:8], validation_data=(X[8:], ANSWERS[8:]), epochs=1, verbose=0)
    best, trial = tuner.get_best_models()[0], tuner.oracle.get_best_trials()[0]
    nats = best.evaluate(X[8:], ANSWERS[8:], return_dict=True, verbose=0)["crowd_cross_entropy"]
    assert trial.score == pytest.approx(nats, rel=1e-4)
    assert kc.strip(best).output_shape == (None, 3)
