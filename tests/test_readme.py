"""The README's snippets run as they stand, one after the other."""

import pathlib
import re

import pytest
from conftest import BACKEND

README = pathlib.Path(__file__).parents[1] / "README.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)


@pytest.mark.skipif(BACKEND == "torch", reason="Keras exports no SavedModel under PyTorch")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_snippets_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace: dict = {}
    for number, snippet in enumerate(SNIPPETS):
        exec(compile(snippet, f"README.md, snippet {number}", "exec"), namespace)
        if number == 0:
            confusion, truth = namespace["crowd"].confusion(), namespace["truth"]
            assert confusion.shape == (59, 8, 8)
            predicted = namespace["classifier"].predict(namespace["x"], verbose=0).argmax(1)
            assert (predicted == truth).mean() > 0.6
    good = namespace["crowd_of_59"][:, 0, 0] > 0.5
    assert namespace["accuracy"][good].min() > namespace["accuracy"][~good].max()
    precise = namespace["spread"] < 1
    assert namespace["raters"].precision()[precise].min() > namespace["raters"].precision()[~precise].max()
    assert list(tmp_path.rglob("saved_model.pb"))
    assert namespace["hidden"].tagger().input.dtype == "int32"
    assert {t.dtype for t in namespace["model"].inputs} == {"float32"}
    assert namespace["annotations"].dense().tolist() == [[-1, 1, -1], [0, -1, 0], [-1, -1, -1]]


def test_first_snippet_fits_on_a_screen():
    assert len(SNIPPETS[0].splitlines()) <= 25


@pytest.mark.skipif(BACKEND != "jax", reason="the guide is the same on every backend")
def test_guide_of_preferences_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    guide = README.parent / "docs" / "preferences.md"
    namespace: dict = {}
    for snippet in re.findall(r"```python\n(.*?)```", guide.read_text(), flags=re.DOTALL):
        exec(compile(snippet, guide.name, "exec"), namespace)
    assert namespace["answers"].items[0] == ("x", "z")
    assert list(tmp_path.rglob("scorer.keras"))
