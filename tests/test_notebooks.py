"""The notebooks of `docs/notebooks`: each runs as a script, with one epoch where it trains."""

import json
import pathlib
import re
import sys

import numpy as np
import pytest

FOLDER = pathlib.Path(__file__).parents[1] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
NEEDS = {"entities": "nervaluate", "images": "matplotlib"}


def code(path):
    """All code cells of a notebook, in their order, with one epoch for each `fit` and ten replicates."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    cells = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    text = re.sub(r"epochs=\d+", "epochs=1", "\n\n".join(cells))
    return text.replace("range(200)", "range(10)")


def check_experts(names):
    off = np.abs(names["estimate"] - names["accuracies"])
    assert off.max() < 0.1
    assert ((names["low"] < names["estimate"]) & (names["estimate"] < names["high"])).all()


def check_judges(names):
    bias = names["found"].position_bias
    assert np.corrcoef(bias, names["position_bias"])[0, 1] > 0.9
    assert max(names["fooled"].reliability[6:]) < min(names["fooled"].reliability[:6])


def check_images(names):
    assert names["axes"].shape == (4,)
    assert pathlib.Path("digit_images.keras").exists()


def check_text(names):
    assert names["right"]["answers and texts"] > 0.6


def check_entities(names):
    assert names["inferred"].shape == names["truth"].shape


def test_there_are_five():
    assert {path.stem for path in NOTEBOOKS} == {"entities", "experts", "images", "judges", "text"}


@pytest.mark.only_under("torch")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path, monkeypatch):
    if path.stem in NEEDS:
        pytest.importorskip(NEEDS[path.stem], reason=f"needs {NEEDS[path.stem]}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    names: dict = {}
    exec(compile(code(path), path.name, "exec"), names)
    getattr(sys.modules[__name__], f"check_{path.stem}")(names)


def test_notebooks_have_outputs():
    """The site shows what is stored."""
    for path in NOTEBOOKS:
        cells = [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
        assert all(cell["execution_count"] for cell in cells), path.name
        assert any(cell["outputs"] for cell in cells), path.name
