"""`LinearChainCRF`, `CRFTagger` and `HiddenCRF` against enumeration, and what they export."""

import keras
import numpy as np
import pytest
import references_crf
from conftest import BACKEND, XLA
from keras import ops as kops

import keras_crowd as kc

B, T, R, K = 4, 5, 4, 3
LENGTHS = [5, 3, 1, 4]
TOKENS = np.array([[*range(1, n + 1), *[0] * (T - n)] for n in LENGTHS], "int32")
IDS = np.array([[0, 3], [2, -1], [1, 2], [3, 1]], "int32")


def encoder(mask_zero=True, seed=1):
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Embedding(10, 8, mask_zero=mask_zero, embeddings_initializer="normal")]
    return keras.Sequential([keras.Input((None,), dtype="int32"), *layers, keras.layers.Dense(K)])


def randomized(model, seed=0):
    rng = np.random.default_rng(seed)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    return model


def hidden_crf(slots=True, mask_zero=True, jit_compile=XLA, **kwargs):
    crowd = kc.layers.CrowdsSequenceLabeling(R, "CM", **kwargs)
    model = randomized(kc.models.HiddenCRF(encoder(mask_zero), crowd, slots=slots))
    model.compile("sgd", jit_compile=jit_compile)
    return model


def crf_tagger(mask_zero=True, labels=None):
    crf = kc.layers.LinearChainCRF(labels)
    model = randomized(kc.models.CRFTagger(encoder(mask_zero), crf))
    model.compile("sgd", jit_compile=XLA)
    return model


def slot_answers(padding=-1, seed=0):
    answers = np.random.default_rng(seed).integers(-1, K, (B, T, 2))
    answers[np.arange(B), np.array(LENGTHS) - 1, 0] = 1  # the last token has an answer
    answers[TOKENS == 0] = padding
    answers[np.broadcast_to((IDS < 0)[:, None], answers.shape)] = -1
    return answers


def as_dense(answers):
    table = np.full((B, T, R), -1)
    for i, s in np.argwhere(IDS >= 0):
        table[i, :, IDS[i, s]] = answers[i, :, s]
    return table


def parts(model):
    """Emissions of each sequence without padding, and potentials, in float64."""
    e = kops.convert_to_numpy(model.encoder(TOKENS)).astype(float)
    potentials = [kops.convert_to_numpy(p).astype(float) for p in model.crf._potentials()]
    return [row[:n] for row, n in zip(e, LENGTHS, strict=True)], potentials


def likelihoods(model, answers):
    emissions, potentials = parts(model)
    table, confusion = as_dense(answers), model.crowd.confusion().astype(float)
    return [
        references_crf.answer_likelihood(e, potentials, confusion, table[i, : len(e)])
        for i, e in enumerate(emissions)
    ]


def loss_of(model, x, y, **kwargs):
    return model.evaluate(x, y, verbose=0, **kwargs)


def test_loss_is_the_joint_likelihood_of_all_answers():
    model, answers = hidden_crf(), slot_answers()
    expected = likelihoods(model, answers)
    np.testing.assert_allclose(model.answer_log_likelihood([TOKENS, IDS], answers), expected, rtol=1e-4)
    assert loss_of(model, [TOKENS, IDS], answers) == pytest.approx(
        -sum(expected) / (answers >= 0).sum(), rel=1e-4
    )


@pytest.mark.only_under("jax")
def test_slots_equal_dense():
    answers = slot_answers()
    on_slots, dense = hidden_crf(), hidden_crf(slots=False)
    assert loss_of(dense, TOKENS, as_dense(answers)) == pytest.approx(
        loss_of(on_slots, [TOKENS, IDS], answers), rel=1e-5
    )
    np.testing.assert_allclose(
        dense.posterior(TOKENS, as_dense(answers)),
        on_slots.posterior([TOKENS, IDS], answers),
        atol=1e-5,
    )


@pytest.mark.by_turns
@pytest.mark.parametrize(("mask_zero", "padding"), [(True, -1), (True, 2), (True, 99), (False, -1)])
def test_padding_reaches_nothing(mask_zero, padding):
    wide = [np.pad(TOKENS, ((0, 0), (0, 3))), IDS]
    answers = np.pad(slot_answers(padding), ((0, 0), (0, 3), (0, 0)), constant_values=padding)
    answers[np.broadcast_to((IDS < 0)[:, None], answers.shape)] = -1
    expected = -sum(likelihoods(hidden_crf(), slot_answers())) / (slot_answers() >= 0).sum()
    assert loss_of(hidden_crf(mask_zero=mask_zero), wide, answers) == pytest.approx(expected, rel=1e-4)


def test_weights_of_sequences():
    model, answers = hidden_crf(), slot_answers()
    weights = np.array([0.0, 2.0, 1.0, 0.5])
    expected = -np.dot(weights, likelihoods(model, answers)) / (answers >= 0).sum()
    assert loss_of(model, [TOKENS, IDS], answers, sample_weight=weights) == pytest.approx(
        expected, rel=1e-4
    )


def test_token_of_weight_zero_is_as_if_nobody_had_answered():
    model, answers = hidden_crf(), slot_answers()
    weights = np.ones((B, T))
    weights[:, 0] = 0.0
    without = answers.copy()
    without[1:, 0] = without[0, 0] = -1
    without[2] = answers[2]  # its only token: nobody's answer would make it padding
    weights[2] = 1.0
    found = loss_of(model, [TOKENS, IDS], answers, sample_weight=weights)
    expected = -sum(likelihoods(model, without)) / (answers >= 0).sum()
    assert found == pytest.approx(expected, rel=1e-4)


def test_truth_given_the_answers_equals_enumeration():
    model, answers = hidden_crf(), slot_answers()
    emissions, potentials = parts(model)
    log_a = np.log(model.crowd.confusion().astype(float))
    tags = model.truth_tagger().predict([TOKENS, answers, IDS], verbose=0)
    posterior = model.posterior([TOKENS, IDS], answers, batch_size=3)
    table = as_dense(answers)
    for i, e in enumerate(emissions):
        for t, r in np.argwhere(table[i, : len(e)] >= 0):
            e[t] += log_a[r, :, table[i, t, r]]
        assert tuple(tags[i, : len(e)]) == references_crf.best(e, *potentials)
        assert np.all(tags[i, len(e) :] == -1)
        np.testing.assert_allclose(
            posterior[i, : len(e)], references_crf.marginals(e, *potentials), atol=1e-4
        )


def test_tagger_is_viterbi_over_the_emissions():
    model = hidden_crf()
    emissions, potentials = parts(model)
    tags = model.tagger().predict(TOKENS, verbose=0)
    for row, e in zip(tags, emissions, strict=True):
        assert tuple(row[: len(e)]) == references_crf.best(e, *potentials)


def test_tagger_on_tags_sums_out_what_is_unknown():
    model = crf_tagger()
    tags = np.random.default_rng(0).integers(-1, K, (B, T))
    emissions, potentials = parts(model)
    total = 0.0
    for e, z in zip(emissions, tags, strict=True):
        scores = references_crf.all_scores(e, *potentials)
        fits = [
            s
            for chain, s in scores.items()
            if all(k in (-1, c) for k, c in zip(z[: len(e)], chain, strict=True))
        ]
        total += np.log(np.exp(fits).sum()) - references_crf.log_partition(e, *potentials)
    known = ((tags >= 0) & (TOKENS > 0)).sum()
    assert loss_of(model, TOKENS, tags) == pytest.approx(-total / known, rel=1e-4)


def test_bio_rules_are_kept():
    model = crf_tagger(labels=["O", "B-PER", "I-PER"])
    for seed in range(5):
        tags = randomized(model, seed).tagger().predict(TOKENS, verbose=0)
        before = np.concatenate([np.zeros((B, 1), int), tags[:, :-1]], axis=1)
        assert np.all(before[tags == 2] > 0)


@pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.skipif(not XLA, reason="no XLA"))]
)
def test_training_raises_the_likelihood(jit_compile):
    model, answers = hidden_crf(jit_compile=jit_compile), slot_answers()
    model.compile(keras.optimizers.Adam(0.05), jit_compile=jit_compile)
    epochs = 20 if jit_compile else 3
    losses = model.fit([TOKENS, IDS], answers, epochs=epochs, verbose=0).history["loss"]
    assert np.all(np.isfinite(losses))
    assert losses[-1] < losses[0]
    for name in ("transitions", "start", "end"):
        assert np.isfinite(kops.convert_to_numpy(getattr(model.crf, name))).all()


def test_batch_without_answers_changes_nothing():
    model = hidden_crf()
    before = [kops.convert_to_numpy(w) for w in model.trainable_variables]
    history = model.fit([TOKENS, IDS], np.full((B, T, 2), -1), verbose=0)
    assert history.history["loss"] == [0.0]
    for old, new in zip(before, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, kops.convert_to_numpy(new))


@pytest.mark.only_under("jax")
def test_confusion_regularizer_is_in_the_loss():
    answers = slot_answers()
    plain = hidden_crf().fit([TOKENS, IDS], answers, verbose=0).history["loss"][0]
    model = hidden_crf(confusion_regularizer=kc.regularizers.ConfusionTrace(2.0, ramp_steps=0))
    trace = np.diagonal(model.crowd.confusion(), axis1=1, axis2=2).mean()
    found = model.fit([TOKENS, IDS], answers, verbose=0).history["loss"][0]
    assert found == pytest.approx(plain + 2.0 * trace, rel=1e-4)


@pytest.mark.by_turns
@pytest.mark.parametrize("bad", [{"answer": 3}, {"annotator": R}])
def test_codes_out_of_range_make_the_loss_nan(bad):
    model, answers, ids = hidden_crf(), slot_answers(), IDS.copy()
    if "answer" in bad:
        answers[0, 0, 0] = bad["answer"]
    else:
        ids[0, 0] = bad["annotator"]
    assert np.isnan(loss_of(model, [TOKENS, ids], answers))


@pytest.mark.only_under("jax")
def test_two_answers_of_half_the_weight_are_one_answer():
    model, answers = hidden_crf(), slot_answers()
    half = kc.models.HiddenCRF(model.encoder, model.crowd, model.crf, slots=True, answer_weight=0.5)
    half.compile("sgd", jit_compile=XLA)
    twice = [TOKENS, np.tile(IDS, 2)], np.tile(answers, 2)
    once = [TOKENS, IDS], answers
    np.testing.assert_allclose(
        half.answer_log_likelihood(*twice), model.answer_log_likelihood(*once), rtol=1e-5
    )
    np.testing.assert_allclose(half.posterior(*twice), model.posterior(*once), atol=1e-5)
    assert 2 * loss_of(half, *twice) == pytest.approx(loss_of(model, *once), rel=1e-5)
    loaded = kc.models.HiddenCRF.from_config(half.get_config())
    assert loaded.answer_weight == loaded.evidence.weight == 0.5
    found = half.truth_tagger().predict([TOKENS, twice[1], twice[0][1]], verbose=0)
    np.testing.assert_array_equal(found, model.truth_tagger().predict([TOKENS, answers, IDS], verbose=0))


@pytest.mark.only_under("torch")
def test_dict_inputs():
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    scores = encoder()(tokens)
    by_dict = keras.Model({"tokens": tokens}, scores)
    model = kc.models.HiddenCRF(by_dict, kc.layers.CrowdsSequenceLabeling(R, "CM"), slots=True)
    randomized(model).compile("sgd", jit_compile=XLA)
    found = loss_of(model, {"tokens": TOKENS, "annotators": IDS}, slot_answers())
    assert found == pytest.approx(loss_of(hidden_crf(), [TOKENS, IDS], slot_answers()), rel=1e-5)


@pytest.mark.by_turns
@pytest.mark.parametrize("make", [hidden_crf, crf_tagger])
def test_saves_and_loads(make, tmp_path):
    model = make()
    inputs = [TOKENS, IDS] if make is hidden_crf else TOKENS
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    y = slot_answers() if make is hidden_crf else np.maximum(slot_answers()[..., 0], 0)
    loaded.compile("sgd")
    assert loss_of(loaded, inputs, y) == pytest.approx(loss_of(model, inputs, y), rel=1e-5)
    tagger = model.tagger()
    tagger.save(tmp_path / "tagger.keras")
    found = keras.models.load_model(tmp_path / "tagger.keras").predict(TOKENS, verbose=0)
    np.testing.assert_array_equal(found, tagger.predict(TOKENS, verbose=0))


@pytest.mark.skipif(BACKEND == "torch", reason="Keras exports no SavedModel under PyTorch")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_exports_keep_viterbi(tmp_path):
    import tensorflow as tf

    model, answers = hidden_crf(), slot_answers().astype("int32")
    model.tagger().export(tmp_path / "tagger", verbose=False)
    served = tf.saved_model.load(tmp_path / "tagger")
    for wide in (TOKENS, np.pad(TOKENS, ((0, 0), (0, 7)))):  # any length
        np.testing.assert_array_equal(served.serve(wide), model.tagger().predict(wide, verbose=0))
    truth = model.truth_tagger()
    # JAX takes two unknown lengths for different ones: truth inference is exported for known lengths.
    shapes = [(None, T), (None, T, 2), (None, 2)]
    signature = [keras.InputSpec(shape=shape, dtype="int32") for shape in shapes]
    truth.export(tmp_path / "truth", verbose=False, input_signature=[signature])
    served = tf.saved_model.load(tmp_path / "truth")
    found = served.serve([TOKENS, answers, IDS])
    np.testing.assert_array_equal(found, truth.predict([TOKENS, answers, IDS], verbose=0))


def test_scores_stay_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = hidden_crf()
    assert {w.dtype for w in [*model.crf.weights, *model.crowd.weights]} == {"float32"}
    assert np.isfinite(loss_of(model, [TOKENS, IDS], slot_answers()))
    assert model.tagger().predict(TOKENS, verbose=0).dtype == np.int32


@pytest.mark.only_under("torch")
def test_own_learning_rate_of_the_annotators():
    model = hidden_crf()
    optimizer = kc.optimizers.crowd_optimizer(model, keras.optimizers.SGD(0.0), 0.1)
    model.compile(optimizer, jit_compile=XLA)
    encoder_before, crowd_before = model.encoder.get_weights(), model.crowd.confusion()
    model.fit([TOKENS, IDS], slot_answers(), verbose=0)
    for old, new in zip(encoder_before, model.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert np.abs(model.crowd.confusion() - crowd_before).max() > 0


def test_bad_arguments_are_refused():
    regularizer = kc.regularizers.ClassifierLogDet()
    regularized = kc.layers.CrowdsSequenceLabeling(R, "CM", classifier_regularizer=regularizer)
    cm, hidden = kc.layers.CrowdsSequenceLabeling(R, "CM"), kc.models.HiddenCRF
    with pytest.raises(ValueError, match=r"`encoder` must be a built Sequential or functional model"):
        hidden(keras.layers.Dense(3), cm)
    flat = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match=r"scores of shape \(batch, time, classes\). Received"):
        hidden(flat, cm)
    with pytest.raises(
        ValueError,
        match=r"`crowd` must be a crowd layer with confusions.*Received: CrowdsSequenceLabeling, conn_type='MW'",
    ):
        hidden(encoder(), kc.layers.CrowdsSequenceLabeling(R, "MW"))
    with pytest.raises(ValueError, match=r"`crf` must be a `LinearChainCRF`.*Received: Dense"):
        hidden(encoder(), cm, keras.layers.Dense(3))
    with pytest.raises(ValueError, match=r"must have no `classifier_regularizer`"):
        hidden(encoder(), regularized)
    for weight in (0, 1.5, "half", np.nan):
        with pytest.raises(ValueError, match=r"`answer_weight` must be a number in \(0, 1\]. Received"):
            hidden(encoder(), cm, answer_weight=weight)
    with pytest.raises(ValueError, match=r"BIO scheme.*Received: labels="):
        kc.layers.LinearChainCRF(["O", "PER"])
    with pytest.raises(ValueError, match=r"names of 3 classes. Received: 2 labels"):
        kc.models.CRFTagger(encoder(), kc.layers.LinearChainCRF(["O", "B-PER"]))
    with pytest.raises(ValueError, match=r"Answers must have shape"):
        loss_of(hidden_crf(), [TOKENS, IDS], np.zeros((B, T), int))
    with pytest.raises(ValueError, match=r"Tags must have shape \(batch, time\)"):
        loss_of(crf_tagger(), TOKENS, np.zeros((B, T, 2), int))


@pytest.mark.parametrize("kind", ["onnx", "litert"])
def test_formats_that_lose_tags_are_refused(kind, tmp_path):
    model = hidden_crf()
    signature = [keras.InputSpec(shape=(None, T), dtype="int32")]
    for tagger in (model.tagger(), model.truth_tagger()):
        for arguments in ({}, {"input_signature": signature}):
            with pytest.raises(ValueError, match=rf"`format` must be 'tf_saved_model'.*format='{kind}'"):
                tagger.export(tmp_path / "tagger", format=kind, **arguments)
    assert not list(tmp_path.iterdir())


def test_saved_tagger_is_loaded_as_one(tmp_path):
    tagger = crf_tagger().tagger()
    tagger.save(tmp_path / "tagger.keras")
    loaded = keras.saving.load_model(tmp_path / "tagger.keras")
    np.testing.assert_array_equal(loaded.predict(TOKENS, verbose=0), tagger.predict(TOKENS, verbose=0))
    with pytest.raises(ValueError, match="`format` must be"):
        loaded.export(tmp_path / "tagger.onnx", format="onnx")


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch's way to ONNX")
@pytest.mark.filterwarnings("ignore")
def test_tagger_of_known_lengths_is_exported_to_onnx(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    tagger = crf_tagger().tagger()
    signature = [keras.InputSpec(shape=TOKENS.shape, dtype="int32")]
    path = str(tmp_path / "tagger.onnx")
    tagger.export(path, format="onnx", verbose=False, input_signature=signature)
    session = onnxruntime.InferenceSession(path)
    (found,) = session.run(None, {session.get_inputs()[0].name: TOKENS})
    np.testing.assert_array_equal(found, tagger.predict(TOKENS, verbose=0))


class Independent(keras.layers.Layer):
    """A chain without transitions, written by somebody else."""

    def build(self, shape):
        self.built = True

    def call(self, emissions, mask=None):
        return kops.argmax(emissions, axis=-1)

    def log_likelihood(self, emissions, evidence, mask=None):
        values = kops.logsumexp(kops.log_softmax(emissions) + evidence, axis=-1)
        return kops.sum(kops.where(mask, values, 0), axis=-1)

    def marginals(self, emissions, mask=None):
        return kops.softmax(emissions)


@pytest.mark.only_under("torch")
def test_a_chain_of_somebody_else_is_taken():
    crowd = kc.layers.CrowdsSequenceLabeling(R, "CM")
    model = randomized(kc.models.HiddenCRF(encoder(), crowd, crf=Independent(), slots=True))
    free = kc.models.HiddenCRF(model.encoder, crowd, slots=True)  # transitions of 0
    answers = slot_answers()
    for chain in (model, free):
        chain.compile("sgd")
    assert loss_of(model, [TOKENS, IDS], answers) == pytest.approx(
        loss_of(free, [TOKENS, IDS], answers), rel=1e-5
    )
