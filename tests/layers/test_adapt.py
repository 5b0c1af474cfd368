"""`crowd.adapt(answers)`: what the answers alone tell of annotators, before training."""

import keras
import numpy as np
import pytest

import keras_crowd as kc

R, K = 6, 4
RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, K, 400)
ACCURACY = np.array([0.95, 0.9, 0.8, 0.7, 0.6, 0.5])
ANSWERS = np.where(RNG.random((400, R)) < ACCURACY, TRUTH[:, None], RNG.integers(0, K, (400, R)))
ANSWERS[RNG.random((400, R)) < 0.3] = -1
COINS = kc.warm_start.from_accuracy(ACCURACY, K)
SURE = np.eye(K, dtype="float32")


def answered(crowd):
    """The probability of every answer to items of which the classifier is sure, `(true, annotators, answer)`."""
    return keras.ops.convert_to_numpy(keras.ops.softmax(crowd(SURE), axis=-1))


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize("conn_type", ["MW", "CM"])
def test_confusions_are_those_of_dawid_and_skene(conn_type, built):
    crowd = kc.layers.CrowdsClassification(R, conn_type)
    if built:
        crowd.build((None, K))
    crowd.adapt(ANSWERS)
    np.testing.assert_allclose(crowd.confusion(), kc.warm_start.from_dawid_skene(ANSWERS, K), atol=1e-5)


@pytest.mark.parametrize("conn_type", ["VW", "VW+B"])
def test_connections_by_class_are_right_as_often(conn_type):
    crowd = kc.layers.CrowdsClassification(R, conn_type)
    crowd.adapt(ANSWERS)
    expected = np.diagonal(kc.warm_start.from_dawid_skene(ANSWERS, K), axis1=1, axis2=2)
    np.testing.assert_allclose(np.diagonal(answered(crowd), axis1=0, axis2=2), expected, atol=1e-5)


def test_one_number_each_is_right_as_often_on_average():
    connection = kc.layers.connections.get("SW", kc.layers.connections.ClassConnection)
    crowd = kc.layers.CrowdsClassification(R, "SW")
    crowd.build((None, K))
    crowd.annotators.assign("kernel", connection.closest_to(COINS)["kernel"])
    np.testing.assert_allclose(answered(crowd).transpose(1, 0, 2), COINS, atol=1e-5)


def test_biases_follow_how_errors_fall():
    crowd = kc.layers.CrowdsClassification(R, "VB")
    answers = np.where(RNG.random((400, R)) < 0.4, 2, ANSWERS)
    crowd.adapt(answers)
    assert np.all(keras.ops.convert_to_numpy(crowd.bias).argmax(axis=1) == 2)


def judges_where_most_err():
    """Of two classes, 400 items; three annotators who err together on half of the items, and one who is right."""
    rng = np.random.default_rng(0)
    truth, fooled = rng.integers(2, size=400), rng.random(400) < 0.6
    fools = np.where(fooled, 1 - truth, truth)[:, None] ^ (rng.random((400, 3)) < 0.05)
    return truth, np.concatenate([fools, truth[:, None] ^ (rng.random((400, 1)) < 0.05)], axis=1)


@pytest.mark.filterwarnings("ignore:Two solutions")
def test_gold_labels_tell_who_is_right_where_most_err():
    truth, answers = judges_where_most_err()
    gold = np.where(np.arange(400) < 60, truth, -1)
    recalls = []
    for known in (None, gold):
        crowd = kc.layers.CrowdsClassification(4, "CM")
        crowd.adapt(answers, known)
        recalls.append(np.diagonal(crowd.confusion(), axis1=1, axis2=2).mean(axis=1))
    assert recalls[0].argmin() == 3
    assert recalls[1].argmax() == 3
    tagger = kc.layers.CrowdsSequenceLabeling(4, "CM")
    tagger.adapt(answers.reshape(40, 10, 4), gold.reshape(40, 10))
    np.testing.assert_allclose(tagger.confusion(), crowd.confusion(), rtol=1e-5)


def test_weights_and_features_of_annotators_are_those_of_dawid_and_skene():
    """Copies that weigh one together change nothing, and who answered nothing starts as others of the same kind."""
    rng = np.random.default_rng(0)
    copies = np.repeat(np.arange(R), [5, 1, 1, 1, 1, 1])
    alone, often = (kc.layers.CrowdsClassification(n) for n in (R, len(copies)))
    alone.adapt(ANSWERS)
    often.adapt(ANSWERS[:, copies], annotator_weights=np.where(copies == 0, 0.2, 1.0))
    np.testing.assert_allclose(often.confusion()[[0, *range(5, 10)]], alone.confusion(), atol=1e-5)

    truth, good = rng.integers(2, size=300), np.tile([True, False], 6)
    answers = truth[:, None] ^ (rng.random((300, 12)) > np.where(good, 0.95, 0.6))
    answers[:, -2:] = -1  # a good one and another, of whom nothing is seen
    crowd = kc.layers.CrowdsClassification(12)
    crowd.adapt(answers, annotator_features={"kind": np.where(good, "expert", "layman")})
    expert, layman = np.diagonal(crowd.confusion()[-2:], axis1=1, axis2=2).mean(axis=1)
    assert expert > 0.9
    assert layman < 0.7


def test_gold_of_other_items_is_refused():
    with pytest.raises(ValueError, match="`gold`"):
        kc.layers.CrowdsClassification(4, "CM").adapt(judges_where_most_err()[1], [0, 1])


def test_tokens_of_sequences_are_items():
    crowd = kc.layers.CrowdsSequenceLabeling(R, "CM")
    crowd.adapt(ANSWERS.reshape(40, 10, R))
    np.testing.assert_allclose(crowd.confusion(), kc.warm_start.from_dawid_skene(ANSWERS, K), atol=1e-5)


def test_annotations_and_soft_answers_adapt_as_well():
    hard, soft = (kc.layers.CrowdsClassification(R, "CM") for _ in range(2))
    hard.adapt(kc.Annotations.from_dense(ANSWERS))
    table = np.where(ANSWERS[..., None] >= 0, np.eye(K)[np.maximum(ANSWERS, 0)], 0.0)
    soft.adapt(table)
    np.testing.assert_allclose(soft.confusion(), hard.confusion(), atol=1e-5)


BIAS = np.array([0.8, -0.6, 0.3, 0.0, -0.5, 0.0])
SCALE = np.array([1.3, 0.7, 1.0, 1.2, 0.8, 1.0])
NOISE = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
VALUES = RNG.normal(size=(3000, 1))


def ratings(scale=1.0, bias=0.0):
    return (VALUES * scale + bias + NOISE * RNG.normal(size=(3000, R))).astype("float32")


def test_biases_and_variances_of_raters_are_found():
    crowd = kc.layers.CrowdsRegression(R, "B", answers_per_annotator=[3000] * R, learn_variance=True)
    crowd.adapt(ratings(bias=BIAS))
    np.testing.assert_allclose(crowd.bias(), BIAS, atol=0.05)
    np.testing.assert_allclose(crowd.variance(), NOISE**2, rtol=0.15, atol=0.02)


@pytest.mark.parametrize("conn_type", ["S+B", "B+S"])
def test_lines_of_raters_are_found(conn_type):
    crowd = kc.layers.CrowdsRegression(R, conn_type)
    crowd.adapt(ratings(SCALE, BIAS))
    answers = keras.ops.convert_to_numpy(crowd(np.array([[-1.0], [0.0], [1.0]], "float32")))
    np.testing.assert_allclose(answers, [[-1], [0], [1]] * SCALE + BIAS, atol=0.1)


@pytest.mark.parametrize("targets", [1, 2])
def test_gold_settles_level_and_scale_of_the_model_below(targets):
    """The crowd answers `0.5 z - 2`; adapted to some gold, the layer expects that of a model that knows `z`."""
    answers = 0.5 * ratings(SCALE / SCALE.mean(), BIAS) - 2
    gold = np.where(np.arange(3000) < 30, VALUES[:, 0], np.nan)
    if targets == 2:
        answers, gold = np.stack([answers, ratings()], axis=-1), np.stack([gold, gold], axis=-1)
    crowd = kc.layers.CrowdsRegression(R, "S+B")
    crowd.adapt(answers, gold)
    truth = np.array([[-1.0], [0.0], [1.0]], "float32")
    expected = keras.ops.convert_to_numpy(crowd(np.tile(truth, targets))).reshape(3, R, targets)[..., 0]
    np.testing.assert_allclose(expected, 0.5 * (truth * SCALE / SCALE.mean() + BIAS) - 2, atol=0.12)
    copy = kc.layers.CrowdsRegression.from_config(crowd.get_config())
    copy.build((None, targets))
    copy.set_weights(crowd.get_weights())
    np.testing.assert_array_equal(
        *(keras.ops.convert_to_numpy(one(np.tile(truth, targets))) for one in (crowd, copy))
    )


def test_who_answers_without_looking_does_not_squeeze_the_scale():
    answers = ratings()
    answers[:, 3:] = 0.5 * RNG.normal(size=(3000, 3))
    crowd = kc.layers.CrowdsRegression(R, "S")
    crowd.adapt(answers)
    np.testing.assert_allclose(crowd.scale()[:3], 1, atol=0.05)


def test_scales_of_raters_are_found_and_counts_of_answers_taken():
    answers = ratings(SCALE)
    answers[100:, 5] = np.nan
    crowd = kc.layers.CrowdsRegression(R, "S")
    crowd.adapt(answers)
    assert crowd.answers_per_annotator == [3000.0] * 5 + [100.0]
    np.testing.assert_allclose(crowd.scale()[:5] / crowd.scale()[0], SCALE[:5] / SCALE[0], atol=0.06)


def test_an_annotator_without_ratings_is_the_typical_one():
    answers = ratings(bias=BIAS)
    answers[:, 0] = np.nan
    crowd = kc.layers.CrowdsRegression(R, "S+B")
    crowd.adapt(answers)
    shift = crowd.bias() - keras.ops.convert_to_numpy(crowd.annotators["bias"])[:, 0]
    assert abs(crowd.bias()[0] - shift[0]) < 0.2


def test_several_targets_adapt_each_for_itself():
    one, two = ratings(bias=BIAS), ratings(bias=-BIAS)
    crowd = kc.layers.CrowdsRegression(R, "B")
    crowd.adapt(np.stack([one, two], axis=-1))
    np.testing.assert_allclose(crowd.bias(), np.stack([BIAS, -BIAS], axis=-1), atol=0.05)


def test_strict_graders_have_high_thresholds():
    strict = np.array([0.8, 0.0, -0.8])
    score = RNG.normal(2, 1.2, (1500, 1))
    grades = np.clip(np.round(score - strict + RNG.normal(0, 0.4, (1500, 3))), 0, 4).astype(int)
    crowd = kc.layers.CrowdsOrdinal(3, num_classes=5)
    crowd.adapt(grades)
    level = crowd.thresholds().mean(axis=1)
    np.testing.assert_allclose(level - level.mean(), strict, atol=0.25)
    np.testing.assert_allclose(level.mean(), 2, atol=1e-3)


def test_soft_grades_adapt_as_their_likeliest():
    grades = RNG.integers(0, 5, (100, 3))
    hard, soft = (kc.layers.CrowdsOrdinal(3, num_classes=5) for _ in range(2))
    hard.adapt(grades)
    soft.adapt(0.6 * np.eye(5)[grades] + 0.08)
    np.testing.assert_allclose(soft.thresholds(), hard.thresholds(), atol=1e-6)


def test_training_goes_on_from_there():
    """Adapted and trained is better on held-out items than the identity start, in as many steps."""
    x = np.eye(K, dtype="float32")[TRUTH] + RNG.normal(0, 0.3, (400, K)).astype("float32")
    losses = {}
    for adapted in (False, True):
        keras.utils.set_random_seed(0)
        classifier = keras.Sequential([keras.Input((K,)), keras.layers.Dense(K, "softmax")])
        crowd = kc.layers.CrowdsClassification(R, "CM")
        if adapted:
            crowd.adapt(ANSWERS)
        model = kc.crowd_model(classifier, crowd)
        model.compile(keras.optimizers.Adam(0.01), loss=kc.losses.MaskedCrowdCrossEntropy())
        model.fit(x, ANSWERS, epochs=3, verbose=0)
        losses[adapted] = model.evaluate(x, ANSWERS, verbose=0)  # without the penalty
    assert losses[True] < losses[False]


@pytest.mark.parametrize(
    ("layer", "answers", "message"),
    [
        (
            kc.layers.CrowdsClassification(R),
            ANSWERS[:, :3],
            "`answers` must be of 6 annotators.*Received: Ann",
        ),
        (kc.layers.CrowdsClassification(R), ratings(), r"`answers` must be .*classes"),
        (kc.layers.CrowdsRegression(R), ANSWERS, "`answers` must be numbers"),
        (kc.layers.CrowdsOrdinal(R, num_classes=3), ANSWERS, "must be class codes 0 to 2"),
    ],
)
def test_what_cannot_be_adapted_to_is_refused(layer, answers, message):
    with pytest.raises(ValueError, match=message):
        layer.adapt(answers)


def test_a_layer_of_ones_own_says_that_it_cannot():
    class Plain(kc.layers.CrowdLayer):
        pass

    with pytest.raises(ValueError, match=r"does not define `adapt`\. Received: Plain"):
        Plain(R).adapt(ANSWERS)
