"""Installations with one backend, or none: what `import keras_crowd` says, and the README's first snippet."""

import os
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest
from conftest import BACKEND

ROOT = pathlib.Path(__file__).parents[1]
BACKENDS = ("tensorflow", "jax", "torch")
HIDE = """
import importlib.machinery, sys

class Installed(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in HIDDEN else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Installed
"""


def run(code, folder, hidden, backend=None):
    """Runs `code` where the backends `hidden` are not installed."""
    code = f"HIDDEN = {sorted(hidden)}{HIDE}{code}"
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    environment |= {"PYTHONPATH": str(ROOT), "KERAS_HOME": str(folder)}
    if backend:
        environment["KERAS_BACKEND"] = backend
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=folder, capture_output=True, text=True
    )


@pytest.mark.skipif(BACKEND == "tensorflow", reason="TensorFlow is what Keras takes where nothing is set")
def test_import_says_which_backend_to_set(tmp_path):
    done = run("import keras_crowd", tmp_path, set(BACKENDS) - {BACKEND})
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: Keras is to run on tensorflow, which is not installed."), last
    assert f"such as KERAS_BACKEND={BACKEND}, which is installed. Received: KERAS_BACKEND=" in last


def test_import_says_that_the_backend_set_is_not_installed(tmp_path):
    other = BACKENDS[BACKENDS.index(BACKEND) - 1]
    last = run("import keras_crowd", tmp_path, set(BACKENDS) - {BACKEND}, other).stderr.splitlines()[-1]
    assert f"Keras is to run on {other}, which is not installed." in last
    assert last.endswith(
        f"such as KERAS_BACKEND={BACKEND}, which is installed. Received: KERAS_BACKEND={other}"
    )


def test_import_says_what_to_install_where_there_is_no_backend(tmp_path):
    last = run("import keras_crowd", tmp_path, BACKENDS).stderr.splitlines()[-1]
    assert "none of them is installed. Install one, such as `pip install tensorflow`" in last


def test_errors_of_an_installed_backend_are_left_alone(tmp_path):
    code = "import importlib.util\nimportlib.util.find_spec = lambda name: 'installed'\nimport keras_crowd"
    last = run(code, tmp_path, BACKENDS).stderr.splitlines()[-1]
    assert last.startswith("ModuleNotFoundError")


@pytest.mark.skipif(BACKEND == "tensorflow", reason="test_readme.py runs all of it under TensorFlow")
def test_readme_needs_no_other_backend(tmp_path):
    text = (ROOT / "README.md").read_text()
    first = re.search(r"```python\n(.*?)```", text, flags=re.DOTALL).group(1)
    first = re.sub(r"epochs=\d+", "epochs=1", first)
    done = run(first + "\nprint(crowd.confusion().shape)", tmp_path, set(BACKENDS) - {BACKEND}, BACKEND)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "(59, 8, 8)"
    assert (tmp_path / "my_classifier.keras").exists()


def test_lowest_releases_are_those_that_are_tested():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    admitted = [*project["dependencies"], *project["optional-dependencies"]["jax"]]
    tested = re.search("LOWEST := (.*)", (ROOT / "Makefile").read_text()).group(1).split()
    for requirement in admitted:
        name, lowest = requirement.split(">=")
        assert f"{name}=={lowest}.0" in tested, requirement
