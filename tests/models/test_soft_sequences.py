"""Soft answers to tokens: `HiddenCRF` against enumeration, one-hot answers as hard ones, `TokenAnswers`."""

import keras
import numpy as np
import pytest
import references_crf
from conftest import XLA
from numpy.testing import assert_allclose, assert_array_equal
from test_chain_models import IDS, TOKENS, B, K, R, T, as_dense, hidden_crf, loss_of, parts, slot_answers

import keras_crowd as kc


def soft_slots(missing=0.0, seed=0):
    """Distributions where `slot_answers` has an answer."""
    given = slot_answers(seed=seed) >= 0
    drawn = np.random.default_rng(seed).dirichlet(np.ones(K) / 2, (B, T, 2))
    return np.where(given[..., None], drawn, missing).astype("float32")


def one_hot(answers):
    return (answers[..., None] == np.arange(K)).astype("float32")


def soft_dense(soft):
    table = np.zeros((B, T, R, K), "float32")
    for i, s in np.argwhere(IDS >= 0):
        table[i, :, IDS[i, s]] = np.nan_to_num(soft[i, :, s])
    return table


def likelihoods(model, soft):
    emissions, potentials = parts(model)
    table, confusion = soft_dense(soft).astype(float), model.crowd.confusion().astype(float)
    return [
        references_crf.soft_answer_likelihood(e, potentials, confusion, table[i, : len(e)])
        for i, e in enumerate(emissions)
    ]


@pytest.mark.by_turns
@pytest.mark.parametrize("missing", [0.0, np.nan])
def test_loss_is_the_joint_likelihood_of_all_soft_answers(missing):
    model, soft = hidden_crf(jit_compile=False), soft_slots(missing)
    expected = likelihoods(model, soft)
    kc.validate(model, [TOKENS, IDS], soft)
    assert_allclose(model.answer_log_likelihood([TOKENS, IDS], soft), expected, rtol=1e-4)
    found = loss_of(model, [TOKENS, IDS], soft)
    assert found == pytest.approx(-sum(expected) / (slot_answers() >= 0).sum(), rel=1e-4)
    dense = hidden_crf(slots=False, jit_compile=False)
    assert_allclose(dense.answer_log_likelihood(TOKENS, soft_dense(soft)), expected, rtol=1e-4)


def test_what_stands_in_empty_slots_reaches_nothing():
    model, soft = hidden_crf(jit_compile=False), soft_slots()
    other = soft.copy()
    other[1, :, 1] = [0.2, 0.3, 0.5]  # the empty slot
    assert IDS[1, 1] == -1
    assert loss_of(model, [TOKENS, IDS], other) == loss_of(model, [TOKENS, IDS], soft)


def test_truth_given_soft_answers_equals_enumeration():
    model, soft = hidden_crf(), soft_slots()
    emissions, potentials = parts(model)
    log_a = np.log(model.crowd.confusion().astype(float))
    tags = model.truth_tagger(soft=True).predict([TOKENS, soft, IDS], verbose=0)
    posterior = model.posterior([TOKENS, IDS], soft, batch_size=3)
    table = soft_dense(soft)
    for i, e in enumerate(emissions):
        for t, r, answer in np.argwhere(table[i, : len(e)] > 0):
            e[t] += table[i, t, r, answer] * log_a[r, :, answer]
        assert tuple(tags[i, : len(e)]) == references_crf.best(e, *potentials)
        assert np.all(tags[i, len(e) :] == -1)
        assert_allclose(posterior[i, : len(e)], references_crf.marginals(e, *potentials), atol=1e-4)


@pytest.mark.only_under("jax")
def test_training_on_one_hot_answers_is_that_on_hard_ones():
    hard, found = slot_answers(), []
    for answers, jit_compile in ((hard, False), (one_hot(hard), XLA)):
        model = hidden_crf(jit_compile=jit_compile)
        model.fit([TOKENS, IDS], answers, epochs=2, verbose=0, shuffle=False)
        found.append([model.posterior([TOKENS, IDS], answers), *model.get_weights()])
    for a, b in zip(*found, strict=True):
        assert_allclose(a, b, atol=1e-5)


@pytest.mark.by_turns
@pytest.mark.parametrize("slots", [True, False])
def test_expectation_maximization_of_one_hot_answers_is_that_of_hard_ones(slots):
    hard = slot_answers()
    hard[3] = -1  # a sentence that nobody answered
    found = []
    for answers in (hard, one_hot(hard)):
        model = hidden_crf(slots=slots, jit_compile=False, trainable=False)
        table = answers if slots else (as_dense(answers) if answers.ndim == 3 else soft_dense(answers))
        trainer = kc.EMTrainer(model)
        trainer.fit([TOKENS, IDS] if slots else TOKENS, table, iterations=2, verbose=0)
        found.append([trainer.posterior(), trainer.confusion(), *model.get_weights()])
    for a, b in zip(*found, strict=True):
        assert_allclose(a, b, atol=1e-4)


def test_gradients_are_finite_where_answers_are_missing():
    model = hidden_crf()
    before = [np.array(w) for w in model.get_weights()]
    model.fit([TOKENS, IDS], soft_slots(np.nan), verbose=0)
    after = model.get_weights()
    assert all(np.isfinite(w).all() for w in after)
    assert any(np.any(a != b) for a, b in zip(after, before, strict=True))


def test_wrong_soft_answers_are_refused():
    model, soft = hidden_crf(), soft_slots()
    for answers, message in [
        (soft * 2, "sum to 1"),
        (soft[..., :2], r"`answers` must have shape \(4, 5, 2, 3\)"),
        (soft * 0, "at least one answer"),
    ]:
        with pytest.raises(ValueError, match=message):
            kc.validate(model, [TOKENS, IDS], answers)
    with pytest.raises(ValueError, match="`soft` must be a bool"):
        model.truth_tagger(soft=1)


def test_model_of_soft_answers_is_saved_as_it_was(tmp_path):
    """The readers that were made for soft answers are no part of it."""
    model, soft = hidden_crf(jit_compile=XLA), soft_slots()
    expected = model.posterior([TOKENS, IDS], soft)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert len(loaded.variables) == len(model.variables)
    assert_allclose(loaded.posterior([TOKENS, IDS], soft), expected, atol=1e-5)


def test_sentences_of_soft_answers():
    hard = kc.Annotations.from_dense([[0, -1], [1, 2], [2, 0], [-1, -1]], classes=range(K))
    sentences = [["Mary", "sleeps"], ["Why"], ["So"]]
    ours = kc.io.TokenAnswers(sentences, hard.soft())
    theirs = kc.io.TokenAnswers(sentences, hard)
    assert_array_equal(ours.dense(), one_hot(theirs.dense()))
    annotators, answers = ours.slots()
    assert_array_equal(annotators, theirs.slots()[0])
    assert_array_equal(answers, one_hot(theirs.slots()[1]))
