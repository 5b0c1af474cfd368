"""The pages of `docs/`: every snippet runs as it stands, page by page, and every link leads somewhere."""

import ast
import functools
import inspect
import pathlib

import keras
import numpy as np
import pytest
from model_kinds import text_task
from pages import PAGES, README, ROOT, anchors, links, not_run, run, snippets
from published_files import write_music

import keras_crowd as kc

NOT_RUN = {"scale.md"}  # needs several devices: `test_distribution.py` runs it


def check_data(names):
    assert names["annotations"].dense().tolist() == [[-1, 1, -1], [0, -1, 0], [-1, -1, -1]]
    assert names["soft"].dense().shape == (3, 2, 2)


def check_start(names):
    truth = names["truth"]
    assert (names["labels"] == truth).mean() > (names["votes"] == truth).mean()
    assert (names["posterior"].argmax(axis=1) == truth).mean() > 0.75
    careful = names["confusions"][:, 0, 0] > 0.5
    assert not careful[names["worst_first"][:20]].any()


def check_ratings(names):
    precise, precision = names["spread"] < 1, names["raters"].precision()
    assert precision[precise].min() > precision[~precise].max()
    assert set(np.unique(names["predicted"])) <= set(range(5))


def check_sequences(names):
    assert names["tagger"].input.dtype == "int32"
    assert names["truth"].shape == names["tags"].shape


def check_text(names):
    assert names["model"].inputs[0].dtype == "int32"


def check_migrating(names):
    assert names["answers"].tolist() == [[0, -1], [1, 1]]
    assert names["found"].confusion.shape == (3, 2, 2)
    assert names["annotations"].dense().tolist() == [[0, 0], [1, 0], [-1, 1]]


def check_export(names):
    assert names["again"].layers[-1].name == names["model"].layers[-1].name


def check_preferences(names):
    assert names["answers"].items[0] == ("x", "z")


def check_sets(names):
    table, truth = names["annotators"], names["truth"]
    assert table["annotator"][np.argsort(table["rank"])][-2:].tolist() in ([0, 1], [1, 0])
    votes = names["kc"].aggregation.label_shares(names["answers"]) > 0.5
    right = {name: np.mean((names[name] > 0.5) == truth) for name in ("p", "posterior")}
    assert min(right.values()) > np.mean(votes == truth) + 0.05
    assert np.isfinite(names["fit"].path.nats).all()
    assert np.mean(names["fit"].labels == truth) > np.mean(votes == truth)


def check_masks(names):
    gold, seen = names["gold"], names["masks"] >= 0
    dice = {
        name: 2 * np.sum((names[name] > 0.5) & (gold > 0)) / (np.sum(names[name] > 0.5) + gold.sum())
        for name in ("vote", "posterior")
    }
    assert (seen.sum(axis=-1) == 3).all()
    assert dice["posterior"] > 0.9 > 0.75 > dice["vote"]


CHECKS = {name[6:]: check for name, check in globals().items() if name.startswith("check_")}
WITH_SNIPPETS = [page for page in PAGES if page.name not in NOT_RUN and any(snippets(page))]


def in_its_turn(page):
    """PyTorch compiles nothing, and exports no SavedModel."""
    backend = "jax" if page.stem == "export" else "torch"
    return pytest.param(page, id=page.stem, marks=pytest.mark.only_under(backend))


@pytest.mark.parametrize("page", map(in_its_turn, WITH_SNIPPETS))
def test_snippets_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run(page)
    CHECKS.get(page.stem, lambda names: None)(names)


def test_checks_are_of_pages_that_run():
    assert set(CHECKS) <= {page.stem for page in WITH_SNIPPETS}


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT)
        assert not anchor or anchor in anchors(target), link


# Blocks of Python that do not run as they stand, by page. Each but the docstring runs below, with stand-ins for what it
# downloads.
NOT_RUN_BLOCKS = {
    "data": 1,  # an archive to be downloaded by hand
    "images": 2,  # a folder of images; weights to be downloaded
    "migrating": 1,  # crowd-kit, an optional neighbor
    "models": 2,  # files for TensorFlow, of any model
    "regularizers": 1,  # ten trainings of KerasTuner
    "scale": 1,  # a step in a list
    "style": 1,  # a docstring
    "text": 1,  # a preset to be downloaded
}


def blocks_left():
    return {page.stem: blocks for page in PAGES if (blocks := list(not_run(page)))}


def test_no_more_blocks_are_left_out():
    assert {name: len(blocks) for name, blocks in blocks_left().items()} == NOT_RUN_BLOCKS


def reached(path, names):
    return functools.reduce(getattr, path.split("."), names)


def dotted(node):
    """`kc.io.read_long` of an expression of attributes; `None` of anything else."""
    try:
        text = ast.unparse(node)
    except ValueError:
        return None
    return text if all(part.isidentifier() for part in text.split(".")) else None


@pytest.mark.parametrize("name", sorted(NOT_RUN_BLOCKS))
def test_blocks_left_out_name_what_there_is(name):
    """Their syntax, the attributes of `keras_crowd` and `keras`, and the arguments of calls."""
    for _, source in blocks_left()[name]:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            path = dotted(node) if isinstance(node, ast.Attribute) else None
            if path and path.startswith(("kc.", "keras.")) and ".tfds" not in path:
                reached(path.partition(".")[2], kc if path.startswith("kc.") else keras)
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            path = dotted(call.func)
            if path and path.startswith("kc.") and ".tfds" not in path:
                arguments = {keyword.arg: None for keyword in call.keywords}
                inspect.signature(reached(path[3:], kc)).bind(*call.args, **arguments)


def test_the_step_in_the_list_of_scale_runs():
    (_, source), annotations = (
        blocks_left()["scale"][0],
        kc.Annotations.from_dense(np.eye(30, 3, dtype=int)),
    )
    names = {"np": np, "kc": kc, "annotations": annotations}
    exec(source, names)
    assert names["crowd"].num_annotators == 4
    assert set(names["ids"].ravel().tolist()) == {1, 2, 3}


@pytest.mark.by_turns
def test_the_folder_of_images_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        keras.utils.save_img(tmp_path / "images" / name, np.zeros((8, 8, 3)))
    (tmp_path / "answers.csv").write_text("image,worker,label\nb.png,ann,cat\na.png,bob,dog\n")
    names = {"keras": keras, "kc": kc, "pathlib": pathlib}
    exec(blocks_left()["images"][0][1], names)
    assert list(names["annotations"].items) == ["a.png", "b.png", "c.png"]
    (images, *_), *rest = names["batches"]
    assert not rest
    assert len(images) == 2


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # crowd-kit's, where annotators hardly differ
def test_labels_of_crowd_kit_run(tmp_path, monkeypatch):
    pytest.importorskip("crowdkit", reason="needs crowd-kit")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    answers = rng.integers(2, size=(30, 1)) ^ (rng.random((30, 6)) < 0.25)
    annotations = kc.Annotations.from_dense(answers.astype(int))
    exec(blocks_left()["migrating"][0][1], {"kc": kc, "annotations": annotations})
    assert len((tmp_path / "labels.csv").read_text().splitlines()) == 31


@pytest.mark.only_under("torch")
@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")  # Keras's, of a new optimizer
def test_keras_tuner_runs(tmp_path, monkeypatch):
    names = {"keras": keras, "kc": kc, "keras_tuner": pytest.importorskip("keras_tuner")}
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    names["x"] = rng.normal(size=(40, 8)).astype("float32")
    names["annotations"] = kc.Annotations.from_dense(rng.integers(-1, 8, (40, 59)))
    source = blocks_left()["regularizers"][0][1]
    assert "epochs=50" in source
    assert "max_trials=10" in source
    exec(source.replace("epochs=50", "epochs=1, verbose=0").replace("max_trials=10", "max_trials=1"), names)
    assert names["classifier"].output_shape == (None, 8)


@pytest.mark.only_under("torch")
def test_a_task_of_keras_hub_runs(monkeypatch):
    hub = pytest.importorskip("keras_hub")
    task, texts = text_task()
    made = []

    def from_preset(preset, **kwargs):
        made.append((preset, kwargs))
        return task

    monkeypatch.setattr(hub.models.BertTextClassifier, "from_preset", from_preset)
    names = {"keras_hub": hub, "kc": kc, "preset": "stand-in", "texts": texts.tolist()}
    answers = np.arange(2 * len(texts)).reshape(-1, 2) % 3
    names["crowd"] = kc.layers.CrowdsClassification(2)
    names["annotations"] = kc.Annotations.from_dense(answers)
    exec(blocks_left()["text"][0][1], names)
    assert made == [("stand-in", {"num_classes": 2, "activation": "softmax"})]


@pytest.mark.only_under("jax")
def test_an_archive_of_the_papers_runs(tmp_path, monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs tensorflow-datasets")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tfds.core.DatasetInfo, "initialize_from_bucket", lambda info: None)  # no network
    write_music(tmp_path / "folder")
    source, name = blocks_left()["data"][0][1], '"music_genre_mturk"'
    assert name in source
    names = {}
    exec(source.replace(name, f'{name}, data_dir="here"'), names)
    _, answers = next(iter(names["batches"]))
    assert len(np.asarray(answers)) == 2
    assert names["annotations"].num_annotators == 2


@pytest.mark.only_under("torch")
def test_a_pretrained_network_runs():
    source, pretrained = blocks_left()["images"][1][1], "include_top=False"
    assert pretrained in source
    names = {"keras": keras}
    exec(source.replace(pretrained, f"{pretrained}, weights=None"), names)
    model = kc.crowd_model(names["classifier"], kc.layers.CrowdsClassification(3))
    assert model.output_shape == (None, 3, 10)
    assert len(names["classifier"].trainable_variables) == 2


@pytest.mark.only_under("tensorflow")
def test_files_for_serving_run(tmp_path, monkeypatch):
    """A task of texts, whose length is stated, is saved and exported."""
    monkeypatch.chdir(tmp_path)
    task, texts = text_task()
    names = {"kc": kc, "keras": keras, "model": kc.crowd_model(task, kc.layers.CrowdsClassification(2))}
    for _, source in blocks_left()["models"]:
        exec(source, names)
    import tensorflow as tf

    tokens = keras.tree.map_structure(lambda part: tf.cast(part, "int32"), task.preprocessor(texts))
    expected = kc.strip(names["model"])(tokens)
    loaded, served = keras.models.load_model("classifier.keras"), tf.saved_model.load("classifier")
    for found in (loaded(tokens), served.serve(tokens)):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
