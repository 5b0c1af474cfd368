"""`fit_crowd` and `held_out_choice` on sets of labels."""

import keras
import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd import _training

RNG = np.random.default_rng(0)
LABELS = ["cause", "treat", "other"]
TRUTH = RNG.random((120, 3)) < 0.4
X = (TRUTH @ RNG.normal(size=(3, 6)) + 0.1 * RNG.normal(size=(120, 6))).astype("float32")
ITEM = np.repeat(np.arange(120), 3)
WHO = np.argsort(RNG.random((120, 8)), axis=1)[:, :3].ravel()
SENSITIVITY, SPECIFICITY = RNG.uniform(0.7, 0.95, (2, 8, 3))
SENSITIVITY[2], SPECIFICITY[2] = 1.0, 0.0  # ticks everything
TICKED = RNG.random((360, 3)) < np.where(TRUTH[ITEM], SENSITIVITY[WHO], 1 - SPECIFICITY[WHO])
SETS = kc.Annotations.from_sets(ITEM, WHO, TICKED.astype(int), annotators=range(8), classes=LABELS)
FEW = {"conn_types": ["full", "annotator"], "num_replicas": 2, "epochs": 3, "batch_size": 60, "verbose": 0}


def network(activation="sigmoid", width=3):
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(width, activation)])


@pytest.fixture(scope="module")
def fit():
    keras.utils.set_random_seed(0)
    return kc.fit_crowd(network(), X, SETS, **FEW)


def test_connection_that_predicts_held_out_answers_best_is_trained_on_all(fit):
    assert fit.path.choices == ("full", "annotator")
    assert fit.crowd.conn_type == fit.path.chosen == fit.path.choices[int(fit.path.nats.argmin())]
    assert fit.path.losses.shape == (2, 2, 54)
    assert fit.history.epoch == [0, 1, 2]
    assert fit.weight is None


def test_result_has_labels_at_thresholds_annotators_and_a_summary(fit):
    f = fit.classifier.predict(X, verbose=0)
    expected = kc.aggregation.label_posterior(SETS, f, fit.crowd.sensitivity(), fit.crowd.specificity())
    np.testing.assert_allclose(fit.posterior, expected, rtol=1e-5)
    np.testing.assert_array_equal(fit.labels, expected > 0.5)
    present = fit.label_table([0.1, 0.5, 0.9])["present"].reshape(120, 3)
    np.testing.assert_array_equal(present, expected > [0.1, 0.5, 0.9])
    table = fit.annotators()
    assert table["annotator"][table["rank"].argmax()] == 2
    assert "sensitivity[cause]" in table
    assert f"connection: {fit.crowd.conn_type}, chosen by held-out answers" in str(fit)
    assert f"lowest 2 ({table['informedness'][2]:.2f})" in str(fit)
    sure = np.mean(np.abs(expected - 0.5) > 0.4)
    assert f"surer than .9 of {sure:.0%} of the labels of items" in str(fit)


@pytest.mark.only_under("tensorflow")
def test_logits_of_one_connection_in_batches_of_a_data_set():
    data = kc.pipelines.CrowdBatches(X, SETS, 40, form="items")
    classifier = network(None)
    fit = kc.fit_crowd(classifier, data, SETS, conn_types="additive", epochs=1, from_logits=True, verbose=0)
    assert fit.path is None
    assert fit.crowd.conn_type == "additive"
    assert "connection: additive, given" in str(fit)
    f = 1 / (1 + np.exp(-classifier.predict(X, verbose=0).astype(float)))
    expected = kc.aggregation.label_posterior(SETS, f, fit.crowd.sensitivity(), fit.crowd.specificity())
    np.testing.assert_allclose(fit.posterior, expected, rtol=1e-4)


@pytest.mark.only_under("torch")
def test_interrupt_leaves_a_replica_and_the_same_call_goes_on(monkeypatch, tmp_path):
    """In the first replica of the second connection."""
    fit_once, trained = _training.Training.fit, []

    def fit(self, setting, annotations, replica=None, *rest):
        if len(trained) == 1:
            trained.append("interrupted")
            raise KeyboardInterrupt
        history = fit_once(self, setting, annotations, replica, *rest)
        trained.append((setting, replica, self.model.get_weights()))
        return history

    monkeypatch.setattr(_training.Training, "fit", fit)
    keras.utils.set_random_seed(0)
    with pytest.warns(UserWarning, match="a replica trained with connection 'full', without the answers"):
        found = kc.fit_crowd(network(), X, SETS, backup_dir=tmp_path, **FEW)
    assert found.interrupted
    for value, kept in zip(found.model.get_weights(), trained[0][2], strict=True):
        np.testing.assert_array_equal(value, kept)
    trained[:] = [None, None]
    again = kc.fit_crowd(network(), X, SETS, backup_dir=tmp_path, **FEW)
    assert [of[:2] for of in trained[2:]] == [
        ("annotator", 0),
        ("full", 1),
        ("annotator", 1),
        (again.crowd.conn_type, None),
    ]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


CODES = np.tile([0, 1, 2, -1], (120, 1))


@pytest.mark.parametrize(
    ("classifier", "answers", "arguments", "message"),
    [
        (network(), SETS, {"weights": 1.0}, "`weights` must be left out for sets of labels"),
        (
            network(),
            SETS,
            {"conn_types": ["full", "CM"]},
            "`conn_types` must be some of 'full', 'additive'",
        ),
        (network(), SETS, {"conn_types": []}, "`conn_types` must be some of"),
        (
            network("softmax"),
            CODES,
            {"conn_types": "full"},
            "`conn_types` must be left out unless answers are sets",
        ),
        (
            network("softmax"),
            SETS,
            {},
            "for sets of labels. Received: a last layer with activation 'softmax'",
        ),
        (network(None), SETS, {}, "The classifier must give a probability of each label"),
        (
            network(width=2),
            SETS,
            {},
            r"one number per label: the answers have 3 labels. Received: \(None, 2\)",
        ),
        (network(), CODES / 3, {}, "`answers` must be `Annotations` or integers"),
    ],
)
def test_what_does_not_fit_sets_is_refused_before_training(classifier, answers, arguments, message):
    with pytest.raises(ValueError, match=message):
        kc.fit_crowd(classifier, X, answers, verbose=0, epochs=1, **arguments)


def test_sets_in_a_data_set_without_answers_are_refused():
    with pytest.raises(ValueError, match="`answers` must be given where they are sets of labels"):
        kc.fit_crowd(network(), kc.pipelines.CrowdBatches(X, SETS, 40), epochs=1, verbose=0)


def test_held_out_choice_scores_every_choice_on_the_same_answers(tmp_path):
    calls = []

    def train(strength, annotations, replica):
        calls.append((strength, replica, annotations))
        if len(calls) == stop:
            raise RuntimeError
        return np.full((120, 3), 0.4), *(np.full((8, 3), strength),) * 2

    arguments = {"num_replicas": 2, "seed": 3, "backup_dir": tmp_path}
    stop = 4
    with pytest.raises(RuntimeError):
        kc.selection.held_out_choice(train, SETS, [0.5, 0.8], **arguments)
    stop = None
    found = kc.selection.held_out_choice(train, SETS, [0.5, 0.8], **arguments)
    assert [call[:2] for call in calls] == [(0.5, 0), (0.8, 0), (0.5, 1), (0.8, 1), (0.8, 1)]
    for r in range(2):
        kept, held_out = SETS.split(0.15, 3 + r)
        for c, strength in enumerate([0.5, 0.8]):
            rates = np.full((8, 3), strength)
            nats = kc.aggregation.held_out_label_cross_entropy(
                held_out, kept, np.full((120, 3), 0.4), rates, rates
            )
            np.testing.assert_allclose(found.losses[c, r], nats)
    assert found.chosen == 0.8
    np.testing.assert_allclose(found.above_best, found.nats - found.nats[1])
    assert found.to_dataframe()["chosen"].tolist() == [False, True]
    assert "<- chosen" in str(found).splitlines()[2]
