"""Every example runs in small, and what it exports serves."""

import importlib
import pathlib

import numpy as np
import pytest
from conftest import BACKEND, script

import keras_crowd as kc

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples"
DEMO = "digits_crowd_layer"
NAMES = {path.stem for path in EXAMPLES.glob("*_*.py")} - {DEMO, "ner_hidden_crf", "reward_model"}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
on_tensorflow = pytest.mark.skipif(BACKEND != "tensorflow", reason="the examples are run under TensorFlow")


@on_tensorflow
@pytest.mark.parametrize("name", sorted(NAMES))
def test_example_runs_and_exports(name, tmp_path, request, capsys):
    regression = name.startswith("moviereviews")
    if regression or name.startswith("labelme"):
        request.getfixturevalue("crowd_data")
    found = script("examples", name).main(epochs=2, seeds=1, folder=tmp_path)
    baselines = {"mean answer", "Raykar et al."} if regression else {"majority vote", "Dawid-Skene"}
    check(found, baselines, tmp_path, capsys, lowest=-1 if regression else 0)
    if name == "label_studio":
        check_label_studio(tmp_path)


def check(found, baselines, folder, capsys, lowest=0):
    assert set(found) == {*baselines, "crowd layer", "gold"}
    assert all(lowest < values.mean() <= 1 for values in found.values())
    assert "gap closed" in capsys.readouterr().out
    assert list(folder.rglob("saved_model.pb"))


@on_tensorflow
def test_demo_beats_majority_vote_by_more_than_the_spread(tmp_path, capsys):
    found = script("examples", DEMO).main(epochs=14, seeds=2, folder=tmp_path)
    check(found, {"majority vote", "Dawid-Skene"}, tmp_path, capsys)
    margin = found["crowd layer"] - found["majority vote"]
    assert margin.mean() > max(np.std(found["crowd layer"]), np.std(found["majority vote"]))
    assert margin.min() > 0
    assert (tmp_path / "digits_annotators.png").stat().st_size > 10_000
    assert "<h2" in (tmp_path / "digits_report.html").read_text(encoding="utf-8")


@on_tensorflow
def test_images(tmp_path):
    found = script("examples", "images").main(epochs=15, folder=tmp_path)
    on_votes, below_the_crowd_layer = found.values()
    assert below_the_crowd_layer > max(on_votes, 0.8)
    served = serve(tmp_path / "digit_images", np.zeros((2, 8, 8, 1), "float32"))
    assert served.shape == (2, 10)


@on_tensorflow
def test_sentences(tmp_path, crowd_data):
    assert script("examples", "sentences").main(epochs=4, folder=tmp_path) > 0.65  # 0.55 say yes
    served = serve(tmp_path / "sentences", ["firstterm treats secondterm", "no relation"])
    np.testing.assert_allclose(np.sum(served, axis=1), 1, rtol=1e-5)


@on_tensorflow
def test_relations(tmp_path, crowd_data):
    cause, treat = script("examples", "relations").main(epochs=2, folder=tmp_path)
    assert cause > 0.35  # 0.23 by chance
    assert treat > 0.65  # 0.44 by chance
    served = serve(tmp_path / "relations", ["firstterm treats secondterm", "no relation"])
    assert served.shape == (2, 10)


@on_tensorflow
def test_judges(tmp_path, crowd_data):
    found = script("examples", "judges").main(epochs=2, folder=tmp_path)
    assert found["labels"] > max(found["majority vote"] + 0.2, 0.85)
    assert found["classifier"] > 0.65  # 0.59 by the more frequent class
    assert (tmp_path / "labels.csv").read_text(encoding="utf-8").startswith("review,label,confidence")
    served = serve(tmp_path / "liked", ["a wonderful film", "dull"])
    np.testing.assert_allclose(np.sum(served, axis=1), 1, rtol=1e-5)


@on_tensorflow
def test_reward_model_of_a_small_encoder(tmp_path, crowd_data):
    found = script("examples", "reward_model").main(epochs=1, limit=60, folder=tmp_path)
    assert 0 <= found["accuracy"] <= 1
    assert np.isfinite(found["nats"])
    served = serve(tmp_path / "reward_model", np.zeros((3, 128), "int32"))
    assert served.shape == (3, 1)
    assert (tmp_path / "argument_scores.csv").read_text().startswith("item,score")


@on_tensorflow
def test_reward_model_on_a_backbone_of_keras_hub_trains_low_ranks_only(tmp_path, crowd_data):
    hub = pytest.importorskip("keras_hub")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "is", "not"]
    backbone = hub.models.BertBackbone(len(words), 1, 2, 8, 8, max_sequence_length=6)
    tokenizer = hub.models.BertTokenizer(vocabulary=words)
    preprocessor = hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=6)
    before = {weight.path: weight.numpy() for weight in backbone.weights}
    found = script("examples", "reward_model").main(1, backbone, preprocessor, limit=60, folder=tmp_path)
    assert np.isfinite(found["nats"])
    moved = {w.path for w in backbone.weights if w.path in before and np.any(w.numpy() != before[w.path])}
    kernels = [path for path in before if path.endswith(("kernel", "embeddings"))]
    assert kernels
    assert not moved & set(kernels)
    low_ranks = [weight for weight in backbone.trainable_weights if "lora_kernel_b" in weight.path]
    assert low_ranks
    assert all(np.any(weight.numpy()) for weight in low_ranks)  # they start at 0
    assert list(tmp_path.rglob("saved_model.pb"))


def serve(folder, x):
    loaded = importlib.import_module("tensorflow").saved_model.load(str(folder))
    return loaded.serve(x)


def check_label_studio(folder):
    """What the example wrote is read back."""
    known = {"items": range(1300), "classes": list("0123456789")}
    answers = kc.io.read_label_studio(folder / "label_studio_export.json", **known)
    labels = kc.io.read_label_studio(folder / "label_studio_predictions.json", predictions=True, **known)
    assert labels.annotators.tolist() == ["crowd layer"]
    assert len(labels) == labels.num_items == answers.num_items == 1300
    agree = kc.aggregation.agreement(answers, labels.dense()[:, 0])
    assert np.nanmean(agree) > 0.3  # most annotators are careless
    annotators = (folder / "label_studio_annotators.csv").read_text().splitlines()
    assert annotators[0] == "completed_by,answers,agreement,accuracy"
    assert len(annotators) == answers.num_annotators + 1


@pytest.mark.skipif(BACKEND != "jax", reason="slow under TensorFlow")
def test_sequences_run_and_export(tmp_path, crowd_data, capsys):
    pytest.importorskip("nervaluate", reason="needs nervaluate")
    found = script("examples", "ner_hidden_crf").main(epochs=1, folder=tmp_path, limit=64)
    assert len(found) == 3
    assert all(0 <= scores.f1 <= 1 for scores in found.values())
    assert found["majority vote, training sentences"].f1 > 0.5
    assert "on gold" in capsys.readouterr().out
    assert list(tmp_path.rglob("saved_model.pb"))


@pytest.mark.skipif(BACKEND != "jax", reason="slow under TensorFlow")
def test_annotators_are_drawn(tmp_path, crowd_data):
    picture = tmp_path / "images" / "annotators.png"
    assert script("examples", "annotators").main(epochs=1, path=picture) > 0
    assert picture.stat().st_size > 10_000


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 80 or 'if __name__ == "__main__":' not in lines  # what several share may be longer
