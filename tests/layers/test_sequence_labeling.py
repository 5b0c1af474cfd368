"""`CrowdsSequenceLabeling`: padding weighs nothing, however it is told."""

import keras
import numpy as np
import pytest
import references
from conftest import XLA
from contracts import CONN_TYPES
from keras import ops as kops

import keras_crowd as kc

B, T, R, K = 4, 6, 5, 3
LENGTHS = [6, 4, 1, 3]
TOKENS = np.array([[*range(1, n + 1), *[0] * (T - n)] for n in LENGTHS])


def answers_with(padding, seed=0, width=R):
    rng = np.random.default_rng(seed)
    answers = rng.integers(-1, K, (B, T, width))
    answers[TOKENS == 0] = padding
    return answers


def tagger(mask_zero, **kwargs):
    keras.utils.set_random_seed(1)
    tokens = keras.Input((None,), dtype="int32")
    hidden = keras.layers.Embedding(10, 8, mask_zero=mask_zero, name="words")(tokens)
    f = keras.layers.Dense(K, "softmax", name="tags")(hidden)
    return tokens, f, kc.layers.CrowdsSequenceLabeling(R, **kwargs)


def model_of(mask_zero, metrics=None, **kwargs):
    tokens, f, crowd = tagger(mask_zero, **kwargs)
    model = keras.Model(tokens, crowd(f))
    model.compile("sgd", kc.losses.MaskedCrowdCrossEntropy(), metrics=metrics, jit_compile=XLA)
    return model


def expected_loss(model, answers, weights=None):
    real = TOKENS > 0
    logits = kops.convert_to_numpy(model(TOKENS)).astype(float)
    return references.crowd_cross_entropy(
        answers[real], logits[real], None if weights is None else weights[real]
    )


@pytest.mark.by_turns
@pytest.mark.parametrize("conn_type", CONN_TYPES)
def test_keras_mask_hides_answers_in_the_padding(conn_type):
    clean, dirty = answers_with(-1), answers_with(2)
    by_answers = model_of(mask_zero=False, conn_type=conn_type)
    by_mask = model_of(
        mask_zero=True,
        conn_type=conn_type,
        metrics=[kc.metrics.CrowdCrossEntropy(), kc.metrics.CrowdAccuracy()],
    )
    expected = expected_loss(by_mask, clean)
    loss, nats, accuracy = by_mask.evaluate(TOKENS, dirty, verbose=0)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert nats == pytest.approx(expected, rel=1e-5)
    assert by_answers.evaluate(TOKENS, clean, verbose=0) == pytest.approx(expected, rel=1e-5)
    logits = kops.convert_to_numpy(by_mask(TOKENS))[TOKENS > 0]
    assert accuracy == pytest.approx(references.crowd_accuracy(clean[TOKENS > 0], logits), rel=1e-5)


@pytest.mark.only_under("jax")
def test_both_ways_train_alike():
    trained = []
    for mask_zero, padding in [(False, -1), (True, -1), (True, 1), (True, 99)]:
        model = model_of(mask_zero)
        model.fit(TOKENS, answers_with(padding), epochs=3, shuffle=False, verbose=0)
        trained.append([kops.convert_to_numpy(v) for v in model.trainable_variables])
    for weights in trained[1:]:
        for one, other in zip(trained[0][1:], weights[1:], strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(B, 1), (B, T)])
def test_weights_of_sequences_and_tokens(shape):
    weights = np.random.default_rng(0).uniform(0, 2, shape)
    model, answers = model_of(mask_zero=True), answers_with(0)
    expected = expected_loss(model, answers, np.broadcast_to(weights, (B, T)))
    loss = model.evaluate(TOKENS, answers, sample_weight=weights, verbose=0)
    assert loss == pytest.approx(expected, rel=1e-5)


def test_slots_equal_dense():
    tokens, f, crowd = tagger(True)
    annotators = keras.Input((None,), dtype="int32")
    on_slots = keras.Model([tokens, annotators], crowd(f, annotators=annotators))
    dense = keras.Model(tokens, crowd(f))
    ids = np.array([[0, 3, -1], [4, 1, 2], [2, -1, -1], [-1, -1, -1]])
    answers = answers_with(1, width=3)
    table = np.full((B, T, R), -1)
    for i, row in enumerate(ids):
        for s, r in enumerate(row):
            if r >= 0:
                table[i, :, r] = answers[i, :, s]
    answers[np.broadcast_to((ids < 0)[:, None], answers.shape)] = -1
    losses = []
    for model, x, y in [(on_slots, [TOKENS, ids], answers), (dense, TOKENS, table)]:
        model.compile("sgd", kc.losses.MaskedCrowdCrossEntropy(), jit_compile=XLA)
        losses.append(model.evaluate(x, y, verbose=0))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_regularizer_counts_real_tokens_only():
    tokens, f, crowd = tagger(
        True, conn_type="CM", classifier_regularizer=kc.regularizers.ClassifierLogDet(1.0, ramp_steps=0)
    )
    model = keras.Model(tokens, crowd(f))
    model(TOKENS, training=True)
    (penalty,) = model.losses
    p = kops.convert_to_numpy(kc.strip(model)(TOKENS))[TOKENS > 0]
    expected = float(kops.convert_to_numpy(kc.regularizers.ClassifierLogDet().penalty(kops.array(p))))
    assert float(kops.convert_to_numpy(penalty)) == pytest.approx(expected, rel=1e-3)


def test_strips_and_validates_and_saves(tmp_path):
    model = model_of(mask_zero=True)
    kc.validate(model, TOKENS, answers_with(-1))
    assert kc.strip(model).output_shape == (None, None, K)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        kops.convert_to_numpy(loaded(TOKENS)), kops.convert_to_numpy(model(TOKENS)), rtol=1e-5
    )


def test_bad_inputs_are_refused():
    layer = kc.layers.CrowdsSequenceLabeling(R)
    with pytest.raises(ValueError, match=r"shape \(batch, time, classes\). Received: shape \(4, 3\)"):
        layer(np.ones((4, 3), "float32"))
    layer = kc.layers.CrowdsSequenceLabeling(R, "MW")
    layer.build((None, None, K))
    with pytest.raises(ValueError, match=r"`conn_type` must be .CM.. Received: conn_type='MW'"):
        layer.log_confusion()
