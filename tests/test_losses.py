"""What is missing weighs nothing: losses and metrics against the loops of `references.py`."""

import keras
import numpy as np
import pytest
import references
from conftest import XLA
from gradients import value_and_gradients
from keras import ops as kops

import keras_crowd as kc

loss = kc.losses.MaskedCrowdCrossEntropy


def problem(num_classes=3, items=6, annotators=5, missing=0.5, seed=0):
    rng = np.random.default_rng(seed)
    answers = rng.integers(0, num_classes, (items, annotators))
    answers[rng.random(answers.shape) < missing] = -1
    answers[0, 0] = 0
    return answers, rng.normal(scale=3.0, size=(items, annotators, num_classes)).astype("float32")


@pytest.mark.parametrize("num_classes", [2, 100])
@pytest.mark.parametrize("dtype", ["int8", "int64", "float32"])
def test_value_is_the_mean_over_observed_answers(num_classes, dtype):
    answers, logits = problem(num_classes)
    expected = references.crowd_cross_entropy(answers, logits.astype(float))
    assert float(loss()(answers.astype(dtype), logits)) == pytest.approx(expected, rel=1e-5)


def test_missing_may_be_any_negative_code_or_nan():
    answers, logits = problem()
    expected = float(loss()(answers, logits))
    assert float(loss()(np.where(answers < 0, -999, answers), logits)) == pytest.approx(expected)
    assert float(loss()(np.where(answers < 0, np.nan, answers), logits)) == pytest.approx(expected)


def test_masked_equals_subset_in_value_and_gradient():
    answers, logits = problem()
    rows, columns = np.nonzero(answers >= 0)
    subset = answers[rows, columns][:, None], logits[rows, columns][:, None]
    masked_value, (masked_gradient,) = value_and_gradients(lambda z: loss()(answers, z), logits)
    subset_value, (subset_gradient,) = value_and_gradients(lambda z: loss()(subset[0], z), subset[1])
    assert masked_value == pytest.approx(subset_value, rel=1e-6)
    np.testing.assert_allclose(masked_gradient[rows, columns], subset_gradient[:, 0], rtol=1e-5, atol=1e-7)
    assert np.all(masked_gradient[answers < 0] == 0.0)


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf, 1e30])
def test_what_stands_at_a_missing_answer_reaches_nothing(poison):
    answers, logits = problem()
    expected_value, (expected_gradient,) = value_and_gradients(lambda z: loss()(answers, z), logits)
    value, (gradient,) = value_and_gradients(
        lambda z: loss()(answers, z), np.where((answers < 0)[..., None], poison, logits).astype("float32")
    )
    assert value == pytest.approx(expected_value)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-6)


def test_batch_without_answers_is_zero_with_zero_gradient():
    answers, logits = problem()
    value, (gradient,) = value_and_gradients(lambda z: loss()(np.full_like(answers, -1), z), logits)
    assert value == 0.0
    assert np.all(gradient == 0.0)


@pytest.mark.parametrize("conn_type", ["MW", "CM", "VW+B"])
@pytest.mark.skipif(not XLA, reason="PyTorch has no XLA here")
def test_training_on_nothing_changes_nothing_under_xla(conn_type):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, "softmax"), kc.layers.CrowdsClassification(5, conn_type)]
    )
    model.compile("sgd", loss=loss(), jit_compile=True)
    before = [kops.convert_to_numpy(v) for v in model.trainable_variables]
    history = model.fit(np.ones((6, 4)), np.full((6, 5), -1), verbose=0)
    assert history.history["loss"] == [0.0]
    for old, new in zip(before, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, kops.convert_to_numpy(new))


def test_soft_answers_of_certainty_are_hard_answers():
    answers, logits = problem()
    soft = np.eye(3)[answers] * (answers >= 0)[..., None]
    assert float(loss()(soft, logits)) == pytest.approx(float(loss()(answers, logits)), rel=1e-6)


def test_soft_answers_are_a_mixture_of_hard_ones():
    answers, logits = problem(missing=0.0)
    other = (answers + 1) % 3
    soft = 0.75 * np.eye(3)[answers] + 0.25 * np.eye(3)[other]
    expected = 0.75 * float(loss()(answers, logits)) + 0.25 * float(loss()(other, logits))
    assert float(loss()(soft, logits)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("wrong", [3, 0.5])
def test_answer_that_is_no_class_makes_the_loss_nan(wrong):
    answers, logits = problem()
    answers = answers.astype("float32")
    answers[0, 0] = wrong
    assert np.isnan(float(loss()(answers, logits)))


def test_sample_weight_weighs_items():
    answers, logits = problem()
    weights = np.array([1.0, 0.0, 2.0, 3.0, 1.0, 0.5])
    expected = references.crowd_cross_entropy(answers, logits.astype(float), weights)
    assert float(loss()(answers, logits, sample_weight=weights)) == pytest.approx(expected, rel=1e-5)


def test_tokens_can_be_weighted():
    answers, logits = problem(items=6)
    answers, logits = answers.reshape(2, 3, 5), logits.reshape(2, 3, 5, 3)
    weights = np.array([[1.0, 0.0, 2.0], [3.0, 1.0, 0.5]])
    expected = references.crowd_cross_entropy(
        answers.reshape(6, 5), logits.reshape(6, 5, 3), weights.ravel()
    )
    assert float(loss()(answers, logits, sample_weight=weights)) == pytest.approx(expected, rel=1e-5)


def test_sums_are_plain_sums():
    answers, logits = problem()
    mean = references.crowd_cross_entropy(answers, logits.astype(float))
    total = mean * (answers >= 0).sum()
    assert float(loss(reduction="sum")(answers, logits)) == pytest.approx(total, rel=1e-5)
    assert float(kops.sum(loss(reduction="none")(answers, logits))) == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.skipif(not XLA, reason="no XLA"))]
)
def test_metrics_equal_the_loops_in_fit(jit_compile):
    answers, _ = problem(items=11)
    f = np.random.default_rng(0).dirichlet(np.ones(3), 11)
    model = keras.Sequential([keras.Input((3,)), kc.layers.CrowdsClassification(5, initial_accuracy=0.9)])
    metrics = [kc.metrics.CrowdAccuracy(), kc.metrics.CrowdCrossEntropy()]
    model.compile(loss=loss(), metrics=metrics, jit_compile=jit_compile)
    logits = model.predict(f, verbose=0).astype(float)
    result = model.evaluate(f, answers, batch_size=4, verbose=0, return_dict=True)
    assert result["crowd_accuracy"] == pytest.approx(references.crowd_accuracy(answers, logits), rel=1e-6)
    assert result["crowd_cross_entropy"] == pytest.approx(
        references.crowd_cross_entropy(answers, logits), rel=1e-5
    )


def test_metrics_weigh_items():
    answers, logits = problem()
    metric = kc.metrics.CrowdAccuracy()
    metric.update_state(answers, logits, sample_weight=np.array([0, 0, 1, 0, 0, 0]))
    assert float(metric.result()) == pytest.approx(references.crowd_accuracy(answers[2:3], logits[2:3]))


def test_metrics_take_soft_answers():
    answers, logits = problem()
    soft = np.eye(3)[answers] * (answers >= 0)[..., None]
    hard_metric, soft_metric = kc.metrics.CrowdAccuracy(), kc.metrics.CrowdAccuracy()
    hard_metric.update_state(answers, logits)
    soft_metric.update_state(soft, logits)
    assert float(soft_metric.result()) == float(hard_metric.result())


@pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 4), (6, 5, 2), (6, 5, 3, 1)])
def test_answers_of_another_shape_are_refused_and_not_broadcast(shape):
    logits = problem()[1]
    for measure in (loss(), kc.metrics.CrowdAccuracy()):
        with pytest.raises(ValueError, match=r"Answers must have shape .* Received: answers of shape"):
            measure(np.zeros(shape, "int32"), logits)


@pytest.mark.parametrize("mark", [-1.0, np.nan])
def test_soft_answers_may_mark_missing_as_hard_ones_do(mark):
    answers, logits = problem()
    soft = np.where((answers >= 0)[..., None], np.eye(3)[answers], mark)
    value, (gradient,) = value_and_gradients(lambda z: loss()(soft.astype("float32"), z), logits)
    assert value == pytest.approx(float(loss()(answers, logits)), rel=1e-6)
    assert np.all(gradient[answers < 0] == 0.0)


@pytest.mark.parametrize("tokens", [False, True])
def test_weighted_mean_is_over_the_weights_of_the_answers(tokens):
    answers, logits = problem()
    weights = np.array([1.0, 0.0, 2.0, 3.0, 1.0, 0.5])
    if tokens:  # weights of whole sequences
        answers, logits, weights = answers.reshape(3, 2, 5), logits.reshape(3, 2, 5, 3), weights[:3]
    sums = kops.convert_to_numpy(loss(reduction="none")(answers, logits)).reshape(len(weights), -1)
    counts = (answers >= 0).reshape(len(weights), -1).sum(axis=1)
    weighted = loss(reduction="mean_with_sample_weight")
    expected = weights @ sums.sum(axis=1) / (weights @ counts)
    assert float(weighted(answers, logits, sample_weight=weights)) == pytest.approx(expected, rel=1e-5)
    assert float(weighted(answers, logits)) == pytest.approx(sums.sum() / counts.sum(), rel=1e-5)
    assert float(weighted(answers, logits, sample_weight=0 * weights)) == 0


def test_weighted_mean_of_ratings_of_several_targets():
    answers = np.where(np.random.default_rng(0).random((4, 3, 2)) < 0.5, np.nan, 1.0)
    weights = np.array([0.5, 1.0, 2.0, 0.0])
    weighted = kc.losses.MaskedCrowdMeanSquaredError(reduction="mean_with_sample_weight")
    found = float(weighted(answers, np.full((4, 3, 2), 3.0), sample_weight=weights))
    assert found == pytest.approx(4.0)
