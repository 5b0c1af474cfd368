"""`benchmarks/table.py`: runs, their file, the choice of settings, the tables, and what users add."""

import concurrent.futures
import functools
import json
import pickle
import types

import keras
import numpy as np
import pytest
from conftest import script

import keras_crowd as kc

pytestmark = pytest.mark.only_under("torch")
table = script("benchmarks", "table")
data = script("benchmarks", "table_data")
methods = script("benchmarks", "table_methods")
kinds = script("benchmarks", "table_kinds")
pages = script("benchmarks", "table_pages")
ranking = script("benchmarks", "table_ranks")
scoring = script("benchmarks", "table_scores")
training = script("benchmarks", "table_training")
FEW = ("gold", "majority vote", "CM, adapted", "joint")


@pytest.fixture
def npz(tmp_path):
    """Two clear classes, and six annotators of whom two guess."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=200)
    x = rng.normal(size=(200, 3)) + 3 * y[:, None]
    confusion = kc.datasets.hammer_spammer(6, 2, hammer_fraction=0.7, accuracy=0.9, seed=0)
    answers = kc.datasets.simulate_answers(y[:150], confusion, answers_per_item=3, seed=0).dense()
    arrays = {"x_train": x[:150], "answers": answers, "x_test": x[150:], "y_test": y[150:]}
    np.savez(tmp_path / "mine.npz", y_train=y[:150], **arrays)
    np.savez(tmp_path / "no_gold.npz", **arrays)
    return str(tmp_path / "mine.npz")


def run(tmp_path, *arguments):
    return table.main([str(tmp_path / "runs.jsonl"), "--seeds", "1", "--epochs", "2", *arguments])


def test_runs_are_kept_and_become_tables(npz, tmp_path, monkeypatch, capsys):
    arguments = ["--data", npz, "--methods", *FEW]
    assert run(tmp_path, *arguments) == 0
    runs = {line["method"]: line for line in table.read(tmp_path / "runs.jsonl")}
    assert tuple(runs) == FEW
    assert runs["gold"]["labels"] == 100
    assert runs["gold"]["setting"] == {}
    assert runs["CM, adapted"]["setting"] in methods.CROWD_RATES
    assert len(runs["joint"]["nats"]) == 3
    assert all(0 < nats < 0.8 for nats in runs["joint"]["nats"])
    assert all(50 < line["accuracy"] <= 100 and line["lost"] == 0 for line in runs.values())
    monkeypatch.setattr(table, "measure", None)
    assert run(tmp_path, *arguments) == 0  # nothing is left to do
    page = tmp_path / "page.md"
    page.write_text(f"before\n{pages.BEGIN}\nof last week\n{pages.END}\nafter\n")
    run(tmp_path, "--tables", "--into", str(page))
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "of last week" not in text
    of_vote = runs["majority vote"]["accuracy"]
    assert f"| majority vote | {of_vote:.1f} | {of_vote:.1f} |" in text.replace("**", "")
    run(tmp_path, "--tables", "--into", str(page))
    assert page.read_text() == text


def test_every_method_runs(npz, tmp_path, monkeypatch):
    of_one_setting = {name: methods.Method(m.train, m.settings[-1:]) for name, m in methods.METHODS.items()}
    monkeypatch.setattr(methods, "METHODS", of_one_setting)
    monkeypatch.setattr(kc, "fit_crowd", functools.partial(kc.fit_crowd, num_replicas=2))
    arguments = [str(tmp_path / "runs.jsonl"), "--seeds", "1", "--epochs", "1", "--data", npz]
    assert table.main(arguments) == 0
    runs = {line["method"]: line for line in table.read(tmp_path / "runs.jsonl")}
    assert tuple(runs) == tuple(methods.METHODS)
    assert all(20 < line["accuracy"] <= 100 and 0 <= line["ece"] <= 100 for line in runs.values())
    assert runs["Max-MIG"]["labels"] > runs["majority vote"]["labels"] - 5


def test_without_gold_of_the_training_items(npz, tmp_path):
    path = npz.replace("mine", "no_gold")
    assert run(tmp_path, "--data", path, "--methods", "gold", "majority vote") == 0
    (line,) = table.read(tmp_path / "runs.jsonl")
    assert line["method"] == "majority vote"
    assert line["labels"] is None


def test_a_method_of_ones_own(npz, tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        "from table_training import fit_labels\n"
        "def always_one(classifier, task, seed, epochs):\n"
        "    labels = 0 * task.y_train + 1\n"
        "    fit_labels(classifier, task.x_train, labels, 30, seed)\n"
        "    return labels\n"
        "def broken(classifier, task, seed, epochs, a):\n"
        "    raise RuntimeError('it is broken')\n"
        "broken.settings = [{'a': 1}]\n"
    )
    arguments = ("--data", npz, "--methods-from", str(path), "--methods", "always_one", "broken")
    assert run(tmp_path, *arguments) == 1
    (line,) = table.read(tmp_path / "runs.jsonl")
    assert line["method"] == "always_one"
    assert line["lost"] == 1
    assert 30 < line["labels"] < 70
    with pytest.raises(SystemExit, match="none such"):
        run(tmp_path, "--methods", "none such")


def test_several_processes(npz, tmp_path, monkeypatch):
    pool = concurrent.futures.ThreadPoolExecutor
    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", lambda count, context: pool(count))
    monkeypatch.setattr(table, "measure", lambda *job: {"accuracy": 50.0, "seconds": 1.0})
    run(tmp_path, "--data", npz, "--methods", *FEW, "--processes", "2")
    assert {line["method"] for line in table.read(tmp_path / "runs.jsonl")} == set(FEW)
    pickle.dumps(table.perform)


def test_a_torn_line_is_left_out_and_does_not_tear_the_next(tmp_path):
    path = tmp_path / "runs.jsonl"
    table.append(path, {"a": 1})
    with path.open("a") as file:
        file.write('{"a": 2, "b')
    table.append(path, {"a": 3})
    assert [line["a"] for line in table.read(path)] == [1, 3]
    assert json.loads(path.read_text().splitlines()[-1]) == {"a": 3}


def test_the_choice_sees_no_gold(npz):
    task = data.of_file(npz)
    blind = task._replace(y_train=None, x_test=None, y_test=None)
    setting, nats = scoring.choose(methods.METHODS["CM"], blind, 0, 1, 0.15)
    assert setting == methods.CROWD_RATES[int(np.argmin(nats))]


def test_a_model_without_confusions_is_judged_from_the_features(npz):
    task = data.of_file(npz)
    kept, held_out = task.annotations.split(0.15, seed=0)
    ids = held_out.slots()[0]
    logits = np.log([0.2, 0.8]) * np.ones((*ids.shape, 1))

    class Constant(keras.Model):
        def predict(self, x, verbose=0):
            return logits

    nats = scoring.held_out_nats(Constant(), task.build(), task.x_train, kept, held_out)
    expected = -np.log([0.2, 0.8])[held_out.answers].mean()
    assert nats == pytest.approx(expected, abs=1e-5)
    with pytest.raises(ValueError, match="several settings"):
        scoring.held_out_nats(None, task.build(), task.x_train, kept, held_out)


def test_batches_are_whole_and_use_all_items_alike():
    rows = training.batches(10, 6, 4, seed=0)
    assert rows.shape == (18, 4)
    counts = np.bincount(rows.ravel(), minlength=10)
    assert counts.max() - counts.min() <= 1
    assert len(set(rows.ravel()[:10])) == 10


@pytest.mark.only_under("jax")
def test_the_compiled_loop_trains_as_fit_does():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 4)).astype("float32"), rng.integers(3, size=30)
    rows = training.batches(30, 3, 8, seed=0)
    trained = []

    def by_fit(model, x, y, rows):
        model.fit(training.Rows(x, y, rows), shuffle=False, verbose=0)

    for loop in (training._scan, by_fit):
        keras.utils.set_random_seed(0)
        layers = [keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(3, "softmax")]
        model = keras.Sequential(layers)
        model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy")
        loop(model, x, y, rows)
        trained.append(model.get_weights())
        assert int(model.optimizer.iterations) == len(rows)
    for ours, theirs in zip(*trained, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_ranks_are_those_of_demsar():
    assert ranking.critical_difference(4, 14) == pytest.approx(1.25, abs=0.01)
    values = np.arange(10)[:, None] + np.array([0.5, 0.3, 0.1, 0.1]) * np.linspace(1, 2, 10)[:, None]
    found = ranking.ranks(values)
    np.testing.assert_allclose(found.mean, [1, 2, 3.5, 3.5])
    np.testing.assert_allclose(found.p_of_best, [np.nan, *[3 * 2 / 2**10] * 3])
    assert found.friedman < 1e-4


def test_the_winner_is_named():
    def lines(data, method, *accuracies):
        same = {"epochs": None, "half": "reported", "ece": 1.0, "labels": None, "cpu": 1.0, "setting": {}}
        of = {"data": data, "method": method, **same}
        return [{**of, "seed": seed, "accuracy": a} for seed, a in enumerate(accuracies)]

    runs = [
        *lines("A", "gold", 90, 92),
        *lines("A", "majority vote", 70, 71),
        *lines("A", "good", 80, 81),
        *lines("A", "alike", 80.3, 80.3),
        *lines("A", "good", 80, 82),
    ]
    text = pages.tables(runs)
    assert "- A: **good**, 81.0 +- 1.0; within a spread: alike." in text
    assert "| good | **81.0 +- 1.0** | 80.0 | 0.51 |" in text
    assert "| majority vote | 70.5 +- 0.5 | 70.0 | 0.00 |" in text


def test_ratings_and_tags_have_rows_and_scores_of_their_own(crowd_data, tmp_path, monkeypatch):
    regression, sequences = script("benchmarks", "regression"), script("benchmarks", "sequences")
    monkeypatch.setattr(regression, "NUM_COMPONENTS", 10)
    monkeypatch.setattr(regression, "EPOCHS", 1)
    monkeypatch.setattr(
        sequences, "METHODS", {"perfect": lambda problem, epochs: ("tags", "tags of train")}
    )
    scores = {("tags",): 0.5, ("tags of train", "train"): 0.75}
    problem = types.SimpleNamespace(scores=lambda *of: types.SimpleNamespace(f1=scores[of]))
    monkeypatch.setattr(kinds, "_problem", lambda seed: problem)
    rows = ["gold", "mean answer", "B", "perfect"]
    arguments = [
        str(tmp_path / "runs.jsonl"),
        "--seeds",
        "1",
        "--data",
        "MovieReviews",
        "NER",
        "--methods",
        *rows,
    ]
    assert table.main(arguments) == 0
    runs = {run["method"]: run for run in table.read(tmp_path / "runs.jsonl")}
    assert set(runs) == set(rows)
    assert (runs["perfect"]["accuracy"], runs["perfect"]["labels"]) == (50, 75)
    text = pages.tables(list(runs.values()))
    assert "| NER | F1 |" in text
    assert "| MovieReviews | R2 |" in text
    assert "mean rank" not in text


def test_dogs_and_cats(monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs tensorflow-datasets")
    rng = np.random.default_rng(0)
    stored = [
        (rng.integers(256, size=(9 + i % 3, 12, 3), dtype=np.uint8), np.int64(i % 2)) for i in range(40)
    ]
    asked = {}
    monkeypatch.setattr(tfds, "load", lambda name, **kwargs: asked.update(name=name, **kwargs) or stored)
    task = data.dogs_and_cats(0, size=8)
    assert (asked["name"], asked["split"], asked["as_supervised"]) == ("cats_vs_dogs", "train", True)
    assert task.x_train.shape == (32, 8, 8, 3)
    assert task.x_test.shape == (8, 8, 8, 3)
    assert 0 <= task.x_train.min() <= task.x_train.max() <= 1
    assert task.annotations.dense().shape == (32, 5)
    assert np.all(task.annotations.dense() >= 0)
    assert task.build().predict(task.x_test, verbose=0).shape == (8, 2)
