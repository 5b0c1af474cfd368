"""Scores of spans, and the callback that gives them."""

import keras
import numpy as np
import pytest

import keras_crowd as kc

pytest.importorskip("nervaluate", reason="needs nervaluate")
LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
TRUE = np.array([[1, 2, 0, 3, -1], [0, 1, 1, 2, 0]])  # PER, LOC; PER, PER


def test_a_span_is_right_as_a_whole_only():
    predicted = np.array([[1, 0, 0, 3, 4], [0, 1, 1, 2, 0]])  # the first PER is too short
    scores = kc.evaluation.span_scores(TRUE, predicted, LABELS)
    assert scores == pytest.approx((3 / 4, 3 / 4, 3 / 4))


def test_a_span_without_beginning_begins_one():
    assert kc.evaluation.span_scores([[1, 2]], [[2, 2]], LABELS).f1 == 1.0


def test_nothing_predicted_is_zero():
    assert kc.evaluation.span_scores(TRUE, np.zeros_like(TRUE), LABELS) == (0.0, 0.0, 0.0)


def slow_spans(tags):
    """Spans of one sentence as (class, first, last), by what CoNLL's script calls the start and the end of one."""
    found, kind, first = set(), None, 0
    for place, tag in enumerate([*tags, "O"]):
        if kind is not None and tag != f"I-{kind}":
            found.add((kind, first, place - 1))
            kind = None
        if kind is None and tag != "O":
            kind, first = tag[2:], place
    return found


def test_scores_are_those_of_sets_of_spans():
    rng = np.random.default_rng(0)
    for _ in range(50):
        true = rng.choice(5, (3, 8), p=[0.4, 0.15, 0.15, 0.15, 0.15])
        predicted = np.where(rng.random((3, 8)) < 0.7, true, rng.integers(0, 5, (3, 8)))
        spans = [[slow_spans([LABELS[k] for k in row]) for row in tags] for tags in (true, predicted)]
        right = sum(len(a & b) for a, b in zip(*spans, strict=True))
        in_truth, in_prediction = (sum(map(len, found)) for found in spans)
        expected = (right / max(in_prediction, 1), right / max(in_truth, 1))
        expected += (2 * right / max(in_prediction + in_truth, 1),)
        assert kc.evaluation.span_scores(true, predicted, LABELS) == pytest.approx(expected)


def test_no_sentence_and_no_known_tag_score_zero():
    assert kc.evaluation.span_scores(TRUE[:0], TRUE[:0], LABELS) == (0.0, 0.0, 0.0)
    assert kc.evaluation.span_scores(TRUE * 0 - 1, TRUE, LABELS) == (0.0, 0.0, 0.0)


def test_labels_out_of_the_scheme_are_refused():
    with pytest.raises(ValueError, match=r"the BIO scheme. Received: \['PER', 'S-LOC'\]"):
        kc.evaluation.span_scores([[1]], [[1]], ["O", "PER", "S-LOC"])


def test_annotators_are_judged_on_what_they_answered():
    annotators = np.array([[1, 0], [1, -1]])
    answers = np.full((2, 5, 2), -1)
    answers[0, :4, 0], answers[0, :4, 1], answers[1, :, 0] = TRUE[0, :4], 0, 0
    found = kc.evaluation.annotator_span_scores(annotators, answers, TRUE, LABELS, 3)
    np.testing.assert_allclose(found, [[0, 0, 0], [1, 0.5, 2 / 3], [np.nan] * 3])


def test_callback_scores_tags_and_scores_alike():
    keras.utils.set_random_seed(3)
    x = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    encoder = keras.Sequential([keras.Input((None, 4)), keras.layers.Dense(5)])
    model = kc.models.CRFTagger(encoder)
    model.compile("sgd")
    callbacks = [
        kc.callbacks.SpanValidation(tagger, x, TRUE, LABELS, prefix=prefix)
        for tagger, prefix in [(model.tagger(), "tags_"), (encoder, "scores_")]
    ]
    logs = [{}, {}]
    for callback, log in zip(callbacks, logs, strict=True):
        callback.on_epoch_end(0, log)
    expected = kc.evaluation.span_scores(TRUE, encoder.predict(x, verbose=0).argmax(-1), LABELS)
    assert logs[1]["scores_f1"] == expected.f1
    assert logs[0]["tags_f1"] == expected.f1  # the transitions are still zero


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"same shape \(sentences, time\). Received: shapes \(2, 5\) and"):
        kc.evaluation.span_scores(TRUE, TRUE[:1], LABELS)
    with pytest.raises(ValueError, match=r"Tags must be codes of the 2 `labels`"):
        kc.evaluation.span_scores(TRUE, TRUE, LABELS[:2])
    with pytest.raises(ValueError, match=r"`tags` \(sentences, time\)"):
        kc.evaluation.annotator_span_scores([[0]], [[[0]]], [[0, 0]], LABELS, 1)
    with pytest.raises(ValueError, match=r"gold tags of shape \(items, time\)"):
        kc.callbacks.SpanValidation(None, np.zeros((3, 5)), TRUE, LABELS)
    with pytest.raises(ValueError, match=r"codes of the 2 `labels`"):
        kc.callbacks.SpanValidation(None, np.zeros((2, 5)), TRUE, LABELS[:2])


def test_a_text_is_no_list_of_labels():
    with pytest.raises(ValueError, match=r"`labels` must be a sequence of names. Received: the text 'OB'"):
        kc.evaluation.span_scores([[1, 0]], [[1, 0]], "OB")
