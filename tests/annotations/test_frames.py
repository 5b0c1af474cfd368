"""Data frames and series of pandas are read by their ids, never by position."""

import json

import keras
import numpy as np
import pandas as pd
import pytest
from io_samples import SAMPLES
from numpy.testing import assert_allclose, assert_array_equal

import keras_crowd as kc

ITEMS, CLASSES = ["a", "b", "c"], ["cat", "dog", "owl"]
P = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.2, 0.1, 0.7]])
FRAME = pd.DataFrame(P, ITEMS, CLASSES)
SHUFFLED = FRAME.loc[["c", "a", "b"], ["dog", "cat", "owl"]]
LABELS = pd.Series({"c": "owl", "a": "cat", "b": "dog"})


@pytest.fixture
def annotations():
    columns = (["a", "a", "b", "c"], ["ann", "bob", "ann", "bob"], ["cat", "dog", "dog", "owl"])
    return kc.Annotations.from_coo(*columns, items=ITEMS, classes=CLASSES)


CONFUSION = np.full((2, 3, 3), 0.1) + 0.7 * np.eye(3)


def numbers(table):
    return pd.DataFrame(table).drop(columns=["item", "label", "annotator"], errors="ignore").astype(float)


READERS = {
    "label_table": lambda a, q: numbers(kc.aggregation.label_table(a, q)),
    "annotator_table": lambda a, q: numbers(kc.aggregation.annotator_table(a, q)),
    "posterior": lambda a, q: kc.aggregation.posterior(a, q, CONFUSION),
    "annotator_class_prior": kc.aggregation.annotator_class_prior,
    "held_out": lambda a, q: kc.aggregation.held_out_cross_entropy(a, a, q, CONFUSION),
    "classifier_alignment": lambda a, q: kc.evaluation.classifier_alignment(q, a),
    "warm_start": kc.warm_start.from_labels,
    "hugging_face": lambda a, q: np.array(kc.io.hugging_face_columns(a, q)["probabilities"]),
}


@pytest.mark.parametrize("name", READERS)
def test_probabilities_are_read_by_their_ids(name, annotations):
    read = READERS[name]
    assert_allclose(read(annotations, SHUFFLED), read(annotations, P))
    with pytest.raises(ValueError, match=r"columns of `\w+` must be `annotations.classes`.*without 'owl'"):
        read(annotations, FRAME[["cat", "dog"]])
    with pytest.raises(ValueError, match=r"index of `\w+` must be `annotations.items`.*unknown 'd'"):
        read(annotations, pd.concat([FRAME, FRAME.rename({"a": "d"}).loc[["d"]]]))
    with pytest.raises(ValueError, match=r"index of `\w+` must be.*more than one of 'b'"):
        read(annotations, FRAME.loc[["a", "b", "b", "c"]])


def test_a_frame_without_ids_is_read_as_an_array(annotations):
    assert_allclose(
        numbers(kc.aggregation.label_table(annotations, pd.DataFrame(P))),
        numbers(kc.aggregation.label_table(annotations, P)),
    )
    dense = kc.aggregation.label_table(annotations.dense(), pd.DataFrame(P)[[2, 0, 1]])
    assert dense["label"].tolist() == [0, 1, 2]


def test_em_starts_from_a_frame(annotations):
    def start(q):
        classifier = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "softmax")])
        classifier.compile("sgd", "categorical_crossentropy")
        classifier.set_weights([np.ones((2, 3)), np.zeros(3)])
        trainer = kc.EMTrainer(classifier)
        trainer.fit(np.zeros((3, 2)), annotations, start=q, iterations=1, verbose=0)
        return trainer.confusion()

    assert_allclose(start(SHUFFLED), start(P), rtol=1e-5)


@pytest.mark.parametrize("estimates", [SHUFFLED, LABELS], ids=["frame", "series"])
def test_estimates_of_pandas_are_written_to_their_items(estimates, annotations, tmp_path):
    kc.io.write_labels(tmp_path / "l.csv", annotations, estimates, confidence=None)
    assert (tmp_path / "l.csv").read_text() == "item,label\na,cat\nb,dog\nc,owl\n"


def test_a_series_goes_back_into_label_studio(tmp_path):
    annotations = kc.io.read_label_studio(SAMPLES / "label_studio.json")
    labels = pd.Series({13: "cat", 12: None, 11: "dog"})
    kc.io.write_label_studio(tmp_path / "out.json", SAMPLES / "label_studio.json", annotations, labels)
    found = json.loads((tmp_path / "out.json").read_text())
    values = {task["id"]: task["predictions"][0]["result"][0]["value"]["choices"] for task in found}
    assert values == {11: ["dog"], 13: ["cat"]}
    with pytest.raises(ValueError, match=r"`estimates` must be among `annotations.classes`.*'horse'"):
        kc.io.write_labels(tmp_path / "l.csv", annotations, labels.replace("dog", "horse"))


def test_series_of_labels_and_of_ratings(annotations):
    assert_array_equal(kc.aggregation.agreement(annotations, LABELS), [1, 0.5])
    rated = kc.Annotations.from_dense([[1.0, 3.0], [2.0, np.nan]], items=["a", "b"])
    truth = pd.Series({"b": 1.0, "a": 0.0})
    assert_array_equal(kc.aggregation.deviations(rated, truth).bias, [1, 3])
    assert_array_equal(
        kc.aggregation.raykar(rated, truth).truth, kc.aggregation.raykar(rated, [0.0, 1.0]).truth
    )


def test_scores_without_items_take_no_columns_in_another_order():
    assert kc.evaluation.brier_score([0, 1, 2], pd.DataFrame(P)) == kc.evaluation.brier_score([0, 1, 2], P)
    with pytest.raises(
        ValueError, match=r"`probabilities` must have its columns in the order.*'dog', 'cat'"
    ):
        kc.evaluation.brier_score([0, 1, 2], SHUFFLED)


def test_what_crowdkit_finds_is_read(annotations):
    aggregators = pytest.importorskip("crowdkit.aggregation", reason="needs crowd-kit")
    rows = zip(annotations.item_index, annotations.annotator_index, annotations.answers, strict=True)
    table = pd.DataFrame(
        [(ITEMS[i], f"w{r}", CLASSES[k]) for i, r, k in rows], columns=["task", "worker", "label"]
    )
    q = aggregators.MajorityVote().fit_predict_proba(table.iloc[::-1])
    found = kc.aggregation.label_table(annotations, q)
    assert_array_equal(found["confidence"], [0.5, 1, 1])
    assert found["label"].tolist()[1:] == ["dog", "owl"]
