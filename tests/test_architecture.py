"""The house of DESIGN.md: imports only go down, no backend is imported, public things are documented."""

import ast
import inspect
import pathlib
import subprocess
import sys

import pytest
from backendless import WITHOUT_KERAS

import keras_crowd

PACKAGE = pathlib.Path(keras_crowd.__file__).parent
LEVELS = {
    "_version": 0,
    "_backend": 0,
    "_registration": 0,
    "_typing": 0,
    "_arguments": 0,
    "_files": 0,
    "_backup": 1,
    "_repr": 0,
    "_older_keras": 1,
    "annotations": 1,
    "ops": 2,
    "aggregation": 2,
    "datasets": 2,
    "evaluation": 2,
    "io": 2,
    "pipelines": 2,
    "initializers": 3,
    "losses": 3,
    "warm_start": 3,
    "regularizers": 3,
    "metrics": 3,
    "layers": 4,
    "models": 5,
    "callbacks": 5,
    "em": 6,
    "optimizers": 6,
    "distribution": 6,
    "selection": 3,
    "_training": 7,
    "recipe": 8,
}
# Inside of a function, to read data under any backend.
READERS = {("_tf_data.py", "tensorflow"), ("_torch_data.py", "torch")}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def module_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    """Absolute names of everything a file imports."""
    package = ["keras_crowd", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    module = module_of(path)
    for name in imports(path):
        parts = name.split(".")
        assert parts[0] not in {"tensorflow", "jax", "torch"} or (path.name, parts[0]) in READERS, name
        assert not name.startswith("keras.src"), name
        if module in WITHOUT_KERAS:
            assert parts[0] != "keras", name
        if parts[0] == "keras_crowd" and parts[1] != module:
            assert LEVELS[parts[1]] < LEVELS[module], f"{module} imports {name}"


def test_importing_keras_crowd_imports_one_backend_only():
    code = (
        "import keras, keras_crowd, sys; "
        "print(*[m for m in ('tensorflow', 'jax', 'torch', 'tensorflow_datasets', 'grain') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"KERAS_BACKEND": "jax", "PATH": ""},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip("JAX is not installed")
    assert done.stdout.split() == ["jax"]


def test_top_level_is_small_and_documented():
    public = {name: thing for name, thing in vars(keras_crowd).items() if not name.startswith("_")}
    for name, thing in public.items():
        assert inspect.getdoc(thing), name
    assert {name for name, thing in public.items() if not inspect.ismodule(thing)} == {
        "Annotations",
        "EMTrainer",
        "fit_crowd",
        "align_classes",
        "crowd_model",
        "strip",
        "validate",
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_small(path):
    text = path.read_text()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            doc = ast.get_docstring(node, clean=False)
            assert node.end_lineno - node.lineno - (doc.count("\n") if doc else 0) <= 60, node.name
