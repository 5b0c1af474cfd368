"""Against crowd-kit, the library of aggregators, on the same answers."""

import numpy as np
import pandas as pd
import pytest

import keras_crowd as kc

aggregators = pytest.importorskip("crowdkit.aggregation", reason="needs crowd-kit")
ITERATIONS = 30


@pytest.fixture(params=["labelme", "music", "imaginary"])
def annotations(request, monkeypatch):
    if request.param != "imaginary":
        monkeypatch.setenv("KERAS_CROWD_DATA", str(request.getfixturevalue("crowd_data")))
        return getattr(kc.datasets, request.param).load_data().annotations
    truth = np.random.default_rng(0).integers(0, 4, 300)
    confusion = kc.datasets.diagonally_dominant(12, 4, (0.4, 0.9), seed=0)
    return kc.datasets.simulate_answers(truth, confusion, answers_per_item=5, seed=0)


def frame(annotations):
    """As crowd-kit and Toloka have it; codes for ids, so that both sort them alike."""
    return pd.DataFrame(
        {
            "task": annotations.item_index,
            "worker": annotations.annotator_index,
            "label": annotations.answers,
        }
    )


def as_crowdkit(annotations, iterations, confusion="full"):
    """With its smoothing: counts are at least 1e-10, and nobody gives an answer that they never gave."""
    given = kc.aggregation.expected_counts(
        annotations, [np.ones(len(annotations))] * annotations.num_classes
    )
    return kc.aggregation.dawid_skene(
        annotations,
        strength=np.where(given > 0, 1e-10, 1e-50),
        class_strength=1e-10,
        iterations=iterations,
        tolerance=-1,
        confusion=confusion,
    )


@pytest.mark.parametrize("iterations", [1, 3, 30, 100])
def test_dawid_skene_has_crowdkits_labels(annotations, iterations):
    theirs = aggregators.DawidSkene(n_iter=iterations, tol=-1).fit(frame(annotations))
    answered = annotations.answers_per_item() > 0
    labels = as_crowdkit(annotations, iterations).labels
    np.testing.assert_array_equal(labels[answered], theirs.labels_.sort_index())


@pytest.mark.parametrize("iterations", [1, 3])
def test_dawid_skene_has_crowdkits_confusions(annotations, iterations):
    """Its last step is an M-step, ours an E-step.

    Of a class that an annotator has hardly seen each fills in its own; and after some iterations so much of
    the posterior is 0 that crowd-kit's floor under it, 1e-10, decides about such rows, and they about others.
    """
    theirs = aggregators.DawidSkene(n_iter=iterations, tol=-1).fit(frame(annotations))
    ours, next_step = (as_crowdkit(annotations, iterations + more) for more in (0, 1))
    answered = annotations.answers_per_item() > 0
    probabilities = theirs.probas_.sort_index().sort_index(axis=1)
    np.testing.assert_allclose(ours.posterior[answered], probabilities, atol=1e-4)
    confusion = np.zeros_like(ours.confusion)
    for (annotator, answer), row in theirs.errors_.sort_index(axis=1).iterrows():
        confusion[annotator, :, answer] = row
    seen = kc.aggregation.expected_counts(annotations, ours.posterior.T[:, annotations.item_index])
    known = seen.sum(axis=-1) > 0.1
    np.testing.assert_allclose(next_step.confusion[known], confusion[known], atol=1e-4)


def test_one_coin_is_crowdkits(annotations):
    theirs = aggregators.OneCoinDawidSkene(n_iter=ITERATIONS, tol=-1).fit(frame(annotations))
    ours, next_step = (as_crowdkit(annotations, ITERATIONS + more, confusion="one_coin") for more in (0, 1))
    answered = annotations.answers_per_item() > 0
    np.testing.assert_array_equal(ours.labels[answered], theirs.labels_.sort_index())
    skills = theirs.skills_.sort_index()
    np.testing.assert_allclose(next_step.confusion[skills.index, 0, 0], skills, atol=1e-3)


@pytest.mark.parametrize("aggregator", ["MMSR", "GLAD"])
def test_labels_of_other_aggregators_come_back_by_their_ids(tmp_path, aggregator):
    truth = np.random.default_rng(0).integers(0, 3, 30)
    confusion = kc.datasets.diagonally_dominant(6, 3, (0.6, 0.9), seed=0)
    codes = kc.datasets.simulate_answers(truth, confusion, answers_per_item=4, seed=0)
    names = [f"item {i}" for i in np.random.default_rng(1).permutation(30)]
    annotations = kc.Annotations.from_dense(codes.dense(), items=names, classes=["cat", "dog", "other"])
    theirs = getattr(aggregators, aggregator)(n_iter=10).fit_predict(
        annotations.to_dataframe("task", "worker", "label")
    )
    kc.io.write_labels(tmp_path / "labels.csv", annotations, theirs)
    found = pd.read_csv(tmp_path / "labels.csv", index_col="item")["label"]
    assert found.index.tolist() == names
    assert found.to_dict() == theirs.to_dict()
    assert kc.warm_start.from_labels(annotations, theirs).shape == (6, 3, 3)


def test_glad_has_crowdkits_labels():
    """The same model; its gradient steps end elsewhere, which close calls show."""
    truth = np.random.default_rng(0).integers(0, 4, 100)
    confusion = kc.datasets.diagonally_dominant(8, 4, (0.4, 0.9), seed=0)
    answers = kc.datasets.simulate_answers(truth, confusion, answers_per_item=5, seed=0)
    theirs = aggregators.GLAD(n_iter=20).fit(frame(answers)).labels_.sort_index()
    assert np.mean(kc.aggregation.glad(answers).labels == theirs) > 0.95


def test_a_frame_of_crowdkit_goes_in_and_out(annotations):
    table = frame(annotations)
    again = kc.Annotations.from_dataframe(table, item="task", annotator="worker", answer="label")
    assert len(again) == len(annotations)
    pd.testing.assert_frame_equal(
        frame(again), table.sort_values(["task", "worker"], ignore_index=True), check_dtype=False
    )
