"""The front page: its snippet runs as it stands, and it stays a front page."""

from pages import README, run, snippets

import keras_crowd as kc


def test_snippet_runs_and_keeps_its_promises(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run(README)
    confusion, truth = names["crowd"].confusion(), names["truth"]
    assert confusion.shape == (59, 8, 8)
    predicted = names["classifier"].predict(names["x"], verbose=0)
    assert (predicted.argmax(axis=1) == truth).mean() > 0.6
    seen = kc.aggregation.annotator_class_prior(names["answers"], predicted)
    accuracy = kc.aggregation.annotator_accuracy(confusion, seen)
    careful = names["crowd_of_59"][:, 0, 0] > 0.5
    assert accuracy[careful].min() > accuracy[~careful].max()
    assert (tmp_path / "my_classifier.keras").exists()


def test_it_fits_on_a_screen():
    assert README.stat().st_size <= 8_000
    assert len(list(snippets(README))) == 1
    text = README.read_text(encoding="utf-8")
    snippet = text.split("```python\n")[1].split("```")[0]
    assert len(snippet.splitlines()) <= 25


def test_every_crowd_layer_has_a_row():
    classes = [getattr(kc.layers, name) for name in dir(kc.layers) if name.startswith("Crowds")]
    layers = {c.__name__ for c in classes if issubclass(c, kc.layers.CrowdLayer)}
    assert {"CrowdsClassification", "CrowdsOrdinal", "CrowdsRegression"} <= layers
    text = README.read_text(encoding="utf-8")
    assert not {name for name in layers if f"`{name}`" not in text}
