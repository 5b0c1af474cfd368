"""Every door that takes an array of items takes it by id, or refuses it."""

import keras
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import keras_crowd as kc

IDS, ORDER = ["a", "b", "c", "d"], ["c", "a", "d", "b"]
X = np.array([[1.0, -1.0], [2.0, 0.5], [-3.0, 2.0], [4.0, 1.0]], "float32")
FRAME = pd.DataFrame(X, IDS)
WEIGHTS = pd.Series([1.0, 2.0, 3.0, 4.0], IDS)
GOLD = pd.Series(["cat", None, "dog", "cat"], IDS)
ANSWERS = kc.Annotations.from_dense(
    [[0, 0], [1, 0], [1, 1], [0, -1]], items=IDS, classes=["cat", "dog"], annotators=["ann", "bob"]
)


def first_batch(batches):
    return [keras.ops.convert_to_numpy(part) for part in keras.tree.flatten(next(iter(batches)))]


def crowd_batches(*args, **kwargs):
    return [kc.pipelines.CrowdBatches(*args, **kwargs)[0]]


@pytest.mark.parametrize(
    ("make", "needs"),
    [
        (crowd_batches, "numpy"),
        (kc.pipelines.tf_data, "tensorflow"),
        (kc.pipelines.torch_data, "torch"),
        (kc.pipelines.grain_data, "grain"),
    ],
    ids=["CrowdBatches", "tf_data", "torch_data", "grain_data"],
)
def test_pipelines(make, needs):
    pytest.importorskip(needs)

    def batch(x, weights):
        return first_batch(make(x, ANSWERS, 4, form="items", shuffle=False, sample_weight=weights))

    for x, weights in (
        (FRAME.loc[ORDER], WEIGHTS.loc[ORDER]),
        (FRAME.reset_index(drop=True), WEIGHTS.to_numpy()),
        ({"one": FRAME.loc[ORDER], "two": X[:, 0]}, WEIGHTS[::-1]),
    ):
        found = batch(x, weights)
        assert_array_equal(found[0], X)
        assert_array_equal(found[-1], [1, 2, 3, 4])
    with pytest.raises(ValueError, match=r"index of `x` must be `annotations.items`.*unknown 'z'"):
        batch(FRAME.rename({"a": "z"}).reindex(["z", *IDS]), None)
    with pytest.raises(
        ValueError, match=r"index of `sample_weight` must be `annotations.items`.*without 'd'"
    ):
        batch(X, WEIGHTS.rename({"d": "e"}))


def classifier():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "softmax")])


def of_fit_crowd(x):
    fit = kc.fit_crowd(classifier(), x, ANSWERS, weights=0.0, epochs=1, verbose=0)
    return fit.classifier.get_weights()[0]


def of_em(x):
    trainer = kc.EMTrainer(classifier())
    trainer.fit(x, ANSWERS, iterations=1, verbose=0)
    return trainer.posterior()


def of_monitor(x):
    model = keras.Sequential([below := classifier(), kc.layers.CrowdsClassification(2)])
    return kc.callbacks.CrowdMonitor(model.layers[-1], below, x, ANSWERS).x


def of_align(x):
    model = keras.Sequential([below := classifier(), kc.layers.CrowdsClassification(2)])
    model.predict(X, verbose=0)
    below.set_weights([np.array([[0.0, 0.0], [30.0, -30.0]]), np.array([-20.0, 20.0])])
    return kc.align_classes(model, x, ANSWERS)


@pytest.mark.parametrize("read", [of_fit_crowd, of_em, of_monitor, of_align])
def test_features(read):
    assert_allclose(read(FRAME.loc[ORDER]), read(X), rtol=1e-5)
    with pytest.raises(ValueError, match=r"index of `x` must be `annotations.items`.*without 'd'"):
        read(FRAME.rename({"d": "e"}))


def em_gold(gold):
    trainer = kc.EMTrainer(classifier())
    trainer.fit(X, ANSWERS, gold=gold, iterations=1, verbose=0)
    return trainer.posterior()


GOLD_DOORS = {
    "EMTrainer": em_gold,
    "from_labels": lambda gold: kc.warm_start.from_labels(ANSWERS, gold),
    "agreement": lambda gold: kc.aggregation.agreement(ANSWERS, gold),
}


@pytest.mark.parametrize("name", GOLD_DOORS)
def test_gold_by_id_and_by_name(name):
    read, codes = GOLD_DOORS[name], np.array([0, -1, 1, 0])
    expected = read(codes)
    assert not np.allclose(expected, read(codes[[2, 0, 3, 1]]))
    for gold in (GOLD, GOLD.loc[ORDER], GOLD.tolist(), pd.Series(codes, IDS).loc[ORDER], pd.Series(codes)):
        assert_allclose(read(gold), expected)
    with pytest.raises(
        ValueError, match=r"index of `(gold|labels)` must be `annotations.items`.*without 'd'"
    ):
        read(GOLD.rename({"d": "e"}))
    with pytest.raises(ValueError, match=r"`(gold|labels)` must be among `annotations.classes`.*'bird'"):
        read(GOLD.replace("cat", "bird"))


@pytest.mark.parametrize(
    "read", [em_gold, lambda gold: kc.aggregation.dawid_skene(ANSWERS, gold=gold).posterior]
)
def test_a_series_of_gold_names_some_items_alone(read):
    assert_allclose(read(GOLD.dropna().loc[["d", "a"]]), read(np.array([0, -1, -1, 0])))
    with pytest.raises(ValueError, match="index of `gold` must be"):
        read(GOLD.dropna().rename({"d": "e"}))


def test_a_series_of_gold_ratings_names_some_items_alone():
    rated = kc.Annotations.from_coo(list("aabbcd"), list("uvuvuv"), [1.0, 2.0, 3.0, 4.5, 2.0, 0.5])
    read = kc.aggregation.raykar(rated, gold=pd.Series({"d": 1.0, "b": 3.5})).truth
    assert_allclose(read, kc.aggregation.raykar(rated, gold=np.array([np.nan, 3.5, np.nan, 1.0])).truth)


def test_gold_ratings():
    rated = kc.Annotations.from_dense(
        np.array([[1.0, 2.0], [3.0, 3.5], [2.0, np.nan], [0.0, 1.0]]), items=IDS
    )
    gold = pd.Series([1.0, np.nan, 2.5, 0.5], IDS)

    def truth(gold):
        keras.utils.set_random_seed(0)
        trainer = kc.EMTrainer(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
        trainer.fit(X, rated, gold=gold, iterations=1, verbose=0)
        return trainer.posterior()

    assert_allclose(truth(gold.loc[ORDER]), truth(gold.to_numpy()), rtol=1e-5)


def test_gold_validation():
    frame, y = FRAME.loc[ORDER], pd.Series([0, 1, 1, 0], IDS)
    gold = kc.callbacks.GoldValidation(classifier(), frame, y)
    assert_array_equal(gold.x, X)
    gold = kc.callbacks.GoldValidation(classifier(), frame, GOLD, classes=ANSWERS.classes)
    assert_array_equal(gold.x, X[[0, 2, 3]])
    assert_array_equal(gold.y, [0, 1, 0])
    assert_array_equal(kc.callbacks.GoldValidation(classifier(), X, y).x, X)
    with pytest.raises(ValueError, match=r"index of `x` must be `y.index`.*without 'd'"):
        kc.callbacks.GoldValidation(classifier(), FRAME.rename({"d": "e"}), y)
    with pytest.raises(ValueError, match=r"`y` must be class codes.*classes=annotations.classes"):
        kc.callbacks.GoldValidation(classifier(), X, GOLD)


def test_scores_match_two_indices():
    p = pd.DataFrame([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], ["a", "b", "c"])
    y = pd.Series([0, 1, 1], ["a", "b", "c"])
    expected = kc.evaluation.brier_score(y.to_numpy(), p.to_numpy())
    assert kc.evaluation.brier_score(y[::-1], p) == expected
    assert kc.evaluation.brier_score(y, p.to_numpy()) == expected
    with pytest.raises(ValueError, match=r"index of `y_true` must be `probabilities.index`"):
        kc.evaluation.brier_score(y.rename({"a": "z"}), p)
    estimated, gold = (
        pd.Series({"ann": 0.9, "bob": 0.5, "cid": 0.6}),
        pd.Series({"cid": 0.3, "ann": 0.8, "bob": 0.2}),
    )
    assert kc.evaluation.annotator_correlation(estimated, gold).spearman == pytest.approx(1)
