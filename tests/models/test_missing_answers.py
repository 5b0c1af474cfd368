"""`NaN` is a missing answer wherever -1 is, in the models that have a likelihood of their own."""

import keras
import numpy as np
import pytest
from conftest import XLA
from test_chain_models import IDS, TOKENS, crf_tagger, hidden_crf, loss_of, slot_answers
from test_joint_model import ANSWERS, GOLD, X, joint, loss

import keras_crowd as kc


def with_nan(answers):
    return np.where(answers < 0, np.nan, answers).astype("float32")


@pytest.mark.only_under("jax")
def test_hidden_crf_reads_nan_as_missing():
    model, answers = hidden_crf(), slot_answers()
    x = [TOKENS, IDS]
    for method in (model.posterior, model.answer_log_likelihood):
        np.testing.assert_allclose(method(x, with_nan(answers)), method(x, answers), rtol=1e-5)
    assert loss_of(model, x, with_nan(answers)) == pytest.approx(loss_of(model, x, answers), rel=1e-5)
    truth = model.truth_tagger()
    expected = truth.predict([TOKENS, answers, IDS], verbose=0)
    np.testing.assert_array_equal(truth.predict([TOKENS, with_nan(answers), IDS], verbose=0), expected)
    kc.validate(model, x, with_nan(answers))


@pytest.mark.only_under("jax")
def test_expectation_maximization_of_chains_reads_nan_as_missing():
    found = []
    for answers in (slot_answers(), with_nan(slot_answers())):
        model = hidden_crf()
        model.crowd.trainable = False
        model.compile(keras.optimizers.SGD(0.1), jit_compile=XLA)
        trainer = kc.EMTrainer(model)
        trainer.fit([TOKENS, IDS], answers, iterations=1, verbose=0)
        found.append((trainer.posterior(), model.crowd.confusion()))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.only_under("jax")
def test_tagger_reads_nan_as_an_unknown_tag():
    model, tags = crf_tagger(), np.random.default_rng(0).integers(-1, 3, TOKENS.shape)
    assert loss_of(model, TOKENS, with_nan(tags)) == pytest.approx(loss_of(model, TOKENS, tags), rel=1e-5)


def test_joint_model_reads_nan_as_missing_answers_and_gold():
    model = joint()
    model.compile(keras.optimizers.SGD(0.1), jit_compile=False)  # XLA takes any index
    expected = loss(model, X, (ANSWERS, GOLD))
    assert loss(model, X, (with_nan(ANSWERS), with_nan(GOLD))) == pytest.approx(expected, rel=1e-5)
    model.fit(X, (with_nan(ANSWERS), with_nan(GOLD)), verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    kc.validate(model, X, (with_nan(ANSWERS), with_nan(GOLD)))
