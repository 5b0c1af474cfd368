"""The benchmarks run in small and print finite numbers."""

import numpy as np
import pytest
from conftest import script
from tfds_files import pictures, write

import keras_crowd as kc

METHODS = ["majority vote", "Dawid-Skene labels", "CM", "GeoCrowdNet(F)", "GeoCrowdNet(W)", "gold"]


pytestmark = pytest.mark.only_under(
    "torch"
)  # they are measured under JAX, and start fastest where nothing is compiled


@pytest.fixture
def images():
    return script("benchmarks", "images")


def table(text):
    """Test accuracies by method, read from the markdown."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "+-" in line]
    return {method: float(accuracy.split(" +- ")[0]) for method, accuracy, *_ in rows}


def test_images_on_digits(images, capsys):
    found = images.main(["--data", "digits", "--seeds", "1", "--epochs", "5", "--limit", "300"])
    text = capsys.readouterr().out
    assert list(found) == ["digits"]
    assert list(table(text)) == METHODS
    assert "300 items x 30 annotators" in text
    assert table(text)["gold"] == pytest.approx(found["digits"]["gold"].mean(), abs=0.06)
    assert found["digits"]["gold"][0] > 30  # 10 is chance
    assert all(values.shape == (1,) and 0 <= values[0] <= 100 for values in found["digits"].values())


@pytest.mark.parametrize(
    ("name", "shape", "version"), [("mnist", (28, 28, 1), "3.0.1"), ("cifar10", (32, 32, 3), "3.0.2")]
)
def test_images_reads_tensorflow_datasets(images, name, shape, version, tmp_path, monkeypatch, capsys):
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs tensorflow-datasets")
    monkeypatch.setattr(tfds.core.DatasetInfo, "initialize_from_bucket", lambda info: None)
    image, label = tfds.features.Image(shape=shape), tfds.features.ClassLabel(num_classes=10)
    splits = {"train": pictures(120, shape, num_classes=10), "test": pictures(20, shape, num_classes=10)}
    write(tmp_path, name, image, label, splits, version=version)
    few = ("majority vote", "GeoCrowdNet(F)", "gold")
    monkeypatch.setattr(images, "METHODS", {method: images.METHODS[method] for method in few})
    small = ["--seeds", "1", "--epochs", "1", "--limit", "100", "--data-dir", str(tmp_path)]
    found = images.main(["--data", name, *small])[name]
    text = capsys.readouterr().out
    assert tuple(table(text)) == few
    assert "100 items x 30 annotators" in text
    # 20 test pictures: a multiple of 5 %.
    assert all(np.isclose(values[0] % 5, [0, 5]).any() for values in found.values())


def test_geocrowdnet_compares_chosen_and_given_weights(crowd_data, monkeypatch, capsys):
    geocrowdnet = script("benchmarks", "geocrowdnet")
    monkeypatch.setattr(geocrowdnet, "EPOCHS", 2)
    geocrowdnet.benchmark("labelme", geocrowdnet.results, seeds=1)
    text = capsys.readouterr().out
    assert list(table(text)) == [
        "gold",
        "majority vote",
        "majority vote, random ties",
        "fit_crowd, weight 0",
        "fit_crowd, weight 1",
        "fit_crowd, weight 10",
        "fit_crowd",
    ]
    assert "weights chosen: {" in text


def test_recovery(capsys):
    tiny = "--answers 2 --weights .02 --seeds 1 --epochs 2 --items 600"
    found = script("benchmarks", "recovery").main(tiny.split())
    assert set(found) == {"specialists", "anchors", "both"}
    for by_method in found.values():
        assert {name for _, name in by_method} == {"CCEM", "F, 0.02", "W, 0.02"}
        assert all(np.isfinite(runs).all() for runs in by_method.values())
    assert "| 2 | W, 0.02 |" in capsys.readouterr().out


def test_recovery_data_are_as_the_theory_wants_them():
    recovery = script("benchmarks", "recovery")
    confusion, (_, f, _), _ = recovery.draw("specialists", 600, seed=0)
    columns = confusion.transpose(0, 2, 1)
    for k in range(recovery.NUM_CLASSES):
        assert (columns == np.eye(recovery.NUM_CLASSES)[k]).all(axis=-1)[:, k].any()
    assert f.min() >= 0.1
    confusion, (_, f, _), _ = recovery.draw("anchors", 600, seed=0)
    assert confusion.min() > 0
    assert np.all((f == 1).sum(axis=0) > 50)


def test_all_methods_of_recovery_start_alike():
    recovery = script("benchmarks", "recovery")
    trainer = recovery.Trainer(0.7)
    x = np.zeros((600, recovery.NUM_CLASSES), "float32")
    answers = np.full((600, recovery.NUM_ANNOTATORS), -1)
    kernels = []
    for _ in range(2):
        classifier, crowd = trainer.fit(x, answers, 0.0, 0.0, epochs=1, seed=3)
        np.testing.assert_allclose(np.diagonal(crowd.confusion(), axis1=1, axis2=2), 0.7, atol=1e-5)
        kernels.append(classifier.get_weights()[0])
    np.testing.assert_array_equal(*kernels)


@pytest.mark.parametrize("method", ["F", "F, momentum .9", "W"])
def test_penalty_is_active_in_every_step_of_many_classes(method, monkeypatch):
    many_classes = script("benchmarks", "many_classes")
    monkeypatch.setattr(many_classes, "NUM_ANNOTATORS", 20)
    found = many_classes.main(["--methods", method, "--seeds", "1", "--epochs", "2", "--items", "600"])
    accuracy, active = found[method][0]
    assert 0 <= accuracy <= 100
    assert active == 1.0


def test_a_penalty_without_weight_is_not_active(monkeypatch):
    many_classes = script("benchmarks", "many_classes")
    monkeypatch.setattr(many_classes, "NUM_ANNOTATORS", 20)
    tiny = ["--methods", "F", "--f-weight", "0", "--seeds", "1", "--epochs", "1", "--items", "300"]
    assert many_classes.main(tiny)["F"][0][1] == 0.0


def test_cost_runs(capsys):
    found = script("benchmarks", "cost").main(["--steps", "1", "--rounds", "1"])
    assert set(found) == {"CM", "F", "F, momentum .9", "W"}
    assert np.isfinite(list(found.values())).all()
    assert "| W |" in capsys.readouterr().out


def test_raters_alone_are_compared_with_the_mean_rating(crowd_data, capsys):
    ratings = script("benchmarks", "ratings")
    found = ratings.main(["--half", "choosing", "--seeds", "1"])
    assert capsys.readouterr().out.count("+-") == 2 * len(found)
    assert found["spammers"][0, 1] > found["spammers"][0, 0] + 0.03
    without, of_gold = ratings.main(["--gold", "--seeds", "1"])[0]
    assert of_gold > without > 0.9


@pytest.fixture
def regression(crowd_data, monkeypatch):
    module = script("benchmarks", "regression")
    monkeypatch.setattr(module, "NUM_COMPONENTS", 20)
    monkeypatch.setattr(module, "EPOCHS", 1)
    return module


def test_regression_compares_with_the_mean_answer(regression, capsys):
    found = regression.main(["--seeds", "1", "--methods", "gold", "B", "DL-EM, 20 gold"])
    assert list(found) == ["mean answer", "gold", "B", "DL-EM, 20 gold"]
    assert all(runs.shape == (1, 4) and np.isfinite(runs).all() for runs in found.values())
    assert "| gold | " in capsys.readouterr().out


def test_regression_chooses_on_held_out_answers_and_judges_annotators(regression, monkeypatch, capsys):
    monkeypatch.setattr(regression.choose, "__defaults__", ((1,),))
    methods = ["B", "S+B, variances, adapted"]
    found = regression.main(["--seeds", "1", "--choose", "--methods", "gold", *methods])
    assert list(found) == [(method, 1) for method in methods]
    assert np.isfinite(list(found.values())).all()
    regression.main(["--seeds", "1", "--annotators", "B"])
    assert "| mean answer | 0.965 | 0.910 |" in capsys.readouterr().out


def test_sequences(crowd_data, monkeypatch, capsys):
    pytest.importorskip("nervaluate", reason="needs nervaluate")
    sequences = script("benchmarks", "sequences")
    monkeypatch.setattr(sequences.ner, "WIDTHS", (128,))  # one shape to compile
    small = ["--seeds", "1", "--epochs", "2", "--limit", "64", "--methods", "hidden CRF"]
    found = sequences.main(small)
    assert set(found) == {"majority vote + CRF", "gold + CRF", "hidden CRF"}
    assert all(values.shape == (1, 3) and np.isfinite(values).all() for values in found.values())
    assert sequences.main(["--cost", "--rounds", "1", "--limit", "64"]) > 0
    assert "| hidden CRF |" in capsys.readouterr().out


def test_token_ids_are_rounded_in_a_sequential_only(monkeypatch, capsys):
    dtypes = script("benchmarks", "dtypes")
    monkeypatch.setattr(dtypes, "POLICIES", ("float32", "mixed_bfloat16"))
    found = dtypes.main(["--seeds", "1", "--epochs", "3", "--items", "3000"])
    kept, rounded = dtypes.WAYS
    assert found[kept, "float32"] == found[rounded, "float32"] > 50  # 20 is chance
    assert found[kept, "mixed_bfloat16"] == pytest.approx(found[kept, "float32"], abs=2)
    assert found[rounded, "mixed_bfloat16"] < found[kept, "mixed_bfloat16"] - 10
    assert "| `crowd_model(classifier, crowd)` | " in capsys.readouterr().out


def test_dawid_skene_against_crowdkit(capsys):
    pytest.importorskip("crowdkit", reason="needs crowd-kit")
    ratios = script("benchmarks", "dawid_skene").main(
        ["--answers", "3000", "--annotators", "20", "--iterations", "2", "--rounds", "1"]
    )
    text = capsys.readouterr().out
    assert "20 annotators, 10 classes" in text
    assert "| crowd-kit |" in text
    assert len(ratios) == 1
    assert ratios[0] > 0


def test_truth_inference_beside_crowdkit(crowd_data, monkeypatch, capsys):
    truth_inference = script("benchmarks", "truth_inference")
    peers = []

    def peer(aggregator, annotations, limit):
        peers.append(aggregator)
        return (np.zeros(annotations.num_items, int), 3.0) if aggregator == "GLAD" else ("stopped", limit)

    monkeypatch.setattr(truth_inference, "peer", peer)
    monkeypatch.setattr(
        truth_inference, "OURS", {k: truth_inference.OURS[k] for k in ("majority_vote", "glad", "mace")}
    )
    found = truth_inference.main(["--data", "labelme", "--limit", "5"])["labelme"]
    text = capsys.readouterr().out
    assert set(found) == {"majority_vote", "glad", "mace", "crowdlab", "the model of crowdlab"}
    assert "| glad | 77.6 |" in text
    if peers:
        assert set(peers) == {"GLAD", "MACE", *truth_inference.ALONE}
        assert " | stopped |" in text


@pytest.mark.only_under("tensorflow")
def test_loading_gives_the_same_answers_each_way(tmp_path, capsys):
    loading = script("benchmarks", "loading")
    loading.write_files(tmp_path, answers=6000, items=1000, annotators=50)
    found = {way: loading.measure(way, tmp_path) for way in loading.WAYS}
    first = next(iter(found))
    small = ["--answers", "6000", "--items", "1000", "--annotators", "50", "--ways", first]
    found["in a process of its own"] = loading.main(small)[first]
    for row in found.values():
        assert (row["answers"], row["items"]) == (6000, 1000)
        assert min(row["load"], row["epoch"]) > 0
        assert row["peak"] >= row["loading"] >= 0
    assert capsys.readouterr().out.count("\n| ") == 2


def test_factorize_measures_both(capsys):
    found = script("benchmarks", "factorize").main(["--answers", "1000", "--rounds", "1"])
    assert list(found) == ["text", "objects", "categories", "integers"]
    assert all(row["factorize"] > 0 and row["Annotations"] > 0 for row in found.values())


@pytest.mark.only_under("jax")
def test_speed_runs(capsys):
    pytest.importorskip("crowdkit")
    speed = script("benchmarks", "speed")
    found = speed.main(["--annotators", "4", "--slots", "2", "--steps", "1", "--rounds", "1"])
    assert set(speed.METHODS) - {*speed.PEERS, "fetch"} <= set(found[4, 10, 2])
    assert all(np.isfinite(values).all() for values in found[4, 10, 2].values())
    assert "| 4 | 10 | 2 | slots, lazy |" in capsys.readouterr().out


def test_zoo_compares_methods_on_tasks(tmp_path, monkeypatch, capsys):
    zoo = script("benchmarks", "zoo")
    name = "drawn, 10 answers"
    methods = ["CM, adapted", "CM, log det 0.5", "EM", "joint"]
    arguments = [
        "--half",
        "reported",
        "--tasks",
        name,
        "--seeds",
        "1",
        "--epochs",
        "2",
        "--methods",
        *methods,
    ]
    arguments += ["--record", str(tmp_path / "runs")]
    found = zoo.main(arguments)[name]
    text = capsys.readouterr().out
    assert found.shape == (2 + len(methods), 1, 2)
    assert np.all((found[..., 0] > 25) & (found[..., 0] <= 100))  # 25 is chance
    assert f"| {name} | {found[0, 0, 0]:.1f} +- 0.0 |" in text
    assert "on the worst task" in text
    monkeypatch.setattr(zoo, "measure", None)
    np.testing.assert_array_equal(zoo.main(arguments)[name], found)


def test_zoo_compares_labels_from_answers_alone(capsys):
    zoo = script("benchmarks", "zoo")
    name = "drawn like covertype"
    vote, hierarchical, *others = zoo.main(
        ["--half", "reported", "--tasks", name, "--seeds", "1", "--labels"]
    )[name]
    assert vote < hierarchical
    assert all(other < hierarchical for other in others)


def test_tasks_of_the_zoo_come_in_halves():
    tasks = script("benchmarks", "zoo_tasks")
    assert len(tasks.CHOOSING) == len(tasks.REPORTED) == 15
    assert not set(tasks.CHOOSING) & set(tasks.REPORTED)
    task = tasks.CHOOSING["one digit, 10 % positive"](0)
    assert task.num_classes == 2
    assert 0.05 < task.y_train.mean() < 0.15
    assert len(task.x_train) == task.annotations.num_items


def test_preferences_of_judges_and_of_workers(crowd_data, monkeypatch, capsys):
    preferences = script("benchmarks", "preferences")
    preferences.main(["--judges"])
    text = capsys.readouterr().out
    lines = [line.split("|") for line in text.splitlines() if line.startswith("| ")]
    accuracy = [float(cells[2]) for cells in lines]
    assert accuracy[4] > 85 > 63 > accuracy[0]
    data = preferences.Arguments()
    held_out = data.held_out_at_random(0)
    found = preferences.arguments_of(data, held_out, only="Bradley-Terry")
    plain, workers = found.values()
    assert plain == pytest.approx([60.5, 0.862], abs=0.1)
    assert workers[1] < 0.83


def test_simulated_annotators_of_preferences_are_found_to_within_sampling_error():
    preferences = script("benchmarks", "preferences")
    errors = []
    for seed in range(3):
        _, score, answers, truth = preferences.simulated(seed)
        found = kc.aggregation.bradley_terry(answers)
        estimates = np.stack([found.reliability, found.position_bias, found.tie], axis=1)
        errors.append((estimates - truth) / preferences.sampling_errors(answers, score, truth))
        assert (found.reliability[:2] < 0).all()
    of_parameters = np.sqrt(np.mean(np.square(errors), axis=(0, 1)))
    assert (of_parameters > 0.75).all()
    assert (of_parameters < 1.2).all()


def test_relations(crowd_data, monkeypatch, capsys):
    relations = script("benchmarks", "relations")
    monkeypatch.setattr(relations, "COMPONENTS", 10)
    monkeypatch.setattr(relations, "EPOCHS", 1)
    few = {name: relations.METHODS[name] for name in ("vote", "CrowdsMultiLabel, full")}
    monkeypatch.setattr(relations, "METHODS", few)
    (run,) = relations.main(["--seeds", "1"])
    assert list(run) == ["rates of each worker", "experts' labels", *few]
    assert all(np.isfinite(run[name]).all() for name in few)
    assert np.isfinite(run["experts' labels"][2:]).all()
    assert run["CrowdsMultiLabel, full"][1] < run["rates of each worker"][1]
    assert "| above vote |" in capsys.readouterr().out


def test_label_crowds(monkeypatch, capsys):
    label_crowds = script("benchmarks", "label_crowds")
    monkeypatch.setattr(label_crowds, "ITEMS", 60)
    monkeypatch.setattr(label_crowds.relations, "EPOCHS", 1)
    monkeypatch.setattr(label_crowds.relations, "CONN_TYPES", ("full",))
    for shape in label_crowds.SHAPES:
        s, c = label_crowds.rates(shape, 6, np.random.default_rng(0))
        assert s.shape == c.shape == (6, 8)
        assert np.all((s > 0) & (s < 1) & (c > 0) & (c < 1))
    found = label_crowds.main(["--seeds", "1", "--shapes", "mixed", "--answers", "12"])
    assert set(found["mixed", 12]) == {"full", "EM", "joint likelihood"}
    assert np.isfinite(list(found["mixed", 12].values())).all()
    assert "| mixed, 12 |" in capsys.readouterr().out


def test_panels_in_small():
    panels, checks = script("benchmarks", "panels"), script("benchmarks", "panel_checks")
    verdicts = np.array([[[0, 1], [1, -1]], [[-1, -1], [0, 0]]])
    expected = [[[0.5, 0.5], [0, 1]], [[0, 0], [1, 0]]]
    np.testing.assert_array_equal(panels.both_orders(verdicts), expected)
    assert 0.85 < checks.covered(50, 300, 0.9, 0.6, draws=60) <= 1


def test_acquisition_in_small(monkeypatch, capsys):
    acquisition = script("benchmarks", "acquisition")
    monkeypatch.setattr(acquisition, "ITEMS", 60)
    monkeypatch.setattr(acquisition, "STEPS", 3)
    found = acquisition.main(["--crowds", "spammers", "pool", "--seeds", "1"])
    assert set(found) == {
        (crowd, method) for crowd in ("spammers", "pool") for method in acquisition.METHODS
    }
    assert found["spammers", "random"] == pytest.approx(1)
    expected = acquisition.main(["--stop", "--crowds", "spammers", "--seeds", "1"])
    assert np.isfinite(expected["spammers"]).all()
    methods = ["random", "ActiveLab", "next_questions", "next_questions, out of sample"]
    with_classifier = acquisition.main(
        ["--classifier", "--crowds", "digits", "--seeds", "1", "--methods", *methods]
    )
    assert set(with_classifier) == {("digits", method) for method in methods}
    share, accuracy, _ = acquisition.bought_until("spammers", 0.01, seed=0)
    assert 0.1 < share < 1
    assert accuracy > 0.25
    runs = acquisition.incremental(size=2_000, new=20, num_annotators=20, seeds=1)
    assert "| labels that differ |" in capsys.readouterr().out
    assert all(differ < 20 for _, _, differ, *_ in runs.values())
    assert list(runs) == ["from the votes", "start=", "posterior of the new"]


def test_connections_are_compared_on_held_out_answers(monkeypatch, capsys):
    connections = script("benchmarks", "connections")
    make = connections.CHOOSING["drawn, 5 classes overlap"]
    monkeypatch.setattr(connections, "TASKS", {"drawn": (make, 10, 64)})
    found = connections.main(["--conn-types", "one_coin", "prototypes", "--seeds", "1"])
    for nats, accuracy in (runs[0] for runs in found.values()):
        assert 0 < nats < np.log(5)  # what knows nothing pays
        assert accuracy > 40
    assert "| drawn | prototypes |" in capsys.readouterr().out


def test_coverage_of_reports(monkeypatch, capsys):
    report = script("benchmarks", "report")
    monkeypatch.setattr(report, "POPULATIONS", ("one coin",))
    report.main(["coverage"], crowds=1, draws=5)
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split()[2] for row in rows] == ["2", "5", "10"]
    assert all(0 <= float(cell) <= 100 for row in rows for cell in row.split("|")[1].split())


def test_copiers_of_reports(capsys):
    report = script("benchmarks", "report")
    table, source = report.crowd_with_copiers(0, 10)
    copier = np.flatnonzero(source >= 0)
    both = (table[:, copier] >= 0) & (table[:, source[copier]] >= 0)
    same = table[:, copier] == table[:, source[copier]]
    assert len(copier) == 8
    assert np.mean(same[both]) > 0.9
    report.main(["copiers"], crowds=1)
    found = [float(row.split(": ")[1].split()[0]) for row in capsys.readouterr().out.splitlines()]
    assert found[1:] == [100, 100]


@pytest.mark.filterwarnings("ignore:Most items have one answer")
def test_out_of_sample():
    out_of_sample = script("benchmarks", "out_of_sample")
    found = out_of_sample.main(["--tasks", "digits, 1 answer", "--seeds", "1", "--epochs", "1"])
    assert found["digits, 1 answer"].shape == (1, 9)
    assert np.isfinite(found["digits, 1 answer"]).all()


def test_masks(capsys):
    masks = script("benchmarks", "masks")
    arguments = ["--crowds", "two paint boxes", "--seeds", "1", "--items", "12"]
    labels, networks = masks.main([*arguments, "--epochs", "1"])["two paint boxes"]
    assert labels[0]["vote"] > labels[0]["mean annotator"] > 30
    assert np.isfinite(list(networks[0].values())).all()
    assert "| zones, 10 gold masks |" in capsys.readouterr().out


def test_zones_of_masks_are_distances_from_their_outlines():
    masks = script("benchmarks", "masks")
    mask = np.zeros((9, 9), int)
    mask[2:7, 2:7] = 1
    assert masks.zones_of(mask)[4].tolist() == [1, 2, 3, 4, 5, 4, 3, 2, 1]
    assert masks.zones_of(mask - 1).tolist() == (mask - 1).tolist()
