"""Set-up common to all tests."""

import importlib
import os
import pathlib
import sys

import quick_compilation  # noqa: F401  must be imported before Keras

if os.environ.get("KERAS_BACKEND") == "torch":
    import torch  # noqa: F401  must be imported before TensorFlow

import keras
import numpy as np
import one_trace
import pytest
import turns
from backendless import touches_backend

BACKEND = keras.backend.backend()
XLA = BACKEND != "torch"
# What touches no backend, and examples of docstrings, run once: under TensorFlow, or where `.ci/run` says.
BACKENDLESS_UNDER = os.environ.get("KERAS_CROWD_BACKENDLESS_UNDER", "tensorflow")
# A worker takes whole files: one that begins a long file last lets the other worker wait.
LONG = {
    "test_benchmarks",
    "test_contracts",
    "test_distribution",
    "test_docstrings",
    "test_examples",
    "test_guides",
    "test_io_hostile",
    "test_keras_tools",
    "test_notebooks",
    "test_training",
}


def pytest_ignore_collect(collection_path: pathlib.Path, config: pytest.Config) -> bool | None:
    """Leaves what touches no backend to one of the runs, where whole folders are collected."""
    named = [config.invocation_params.dir / str(argument).split("::")[0] for argument in config.args]
    if BACKEND == BACKENDLESS_UNDER or not collection_path.match("test_*.py") or collection_path in named:
        return None
    return None if touches_backend(collection_path) else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the long files first, and leaves cases whose turn is under another backend to the run there (`turns.py`)."""
    items.sort(key=lambda item: item.path.stem not in LONG)
    for item in items:
        backend = turns.turn(item)
        if backend not in (None, BACKEND):
            item.add_marker(pytest.mark.skip(reason=f"runs under {backend}, in its turn"))


def script(folder, name):
    """A module of `examples` or `benchmarks`."""
    path = str(pathlib.Path(__file__).parents[1] / folder)
    if getattr(sys.modules.get(name), "__file__", path) != str(pathlib.Path(path, f"{name}.py")):
        sys.modules.pop(name, None)  # of the same name in the other folder
    sys.path.insert(0, path)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(path)


class Epochs(keras.utils.PyDataset):
    """Many epochs of arrays as one: under TensorFlow each epoch of `fit` takes time of its own."""

    def __init__(self, x, y, batch_size, epochs):
        super().__init__()
        rng = np.random.default_rng(0)
        parts = -(-len(y) // batch_size)
        self.x, self.y = x, y
        self.batches = [
            rows for _ in range(epochs) for rows in np.array_split(rng.permutation(len(y)), parts)
        ]

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.x[self.batches[index]], self.y[self.batches[index]]


@pytest.fixture(autouse=True, scope="module")
def _one_trace(request):
    """Steps of training are traced once under TensorFlow, where that shows as much."""
    with pytest.MonkeyPatch.context() as patch:
        if BACKEND == "tensorflow" and request.path.stem not in one_trace.AS_USERS:
            patch.setattr(keras.Model, "make_train_function", one_trace.make_train_function)
        yield


@pytest.fixture(autouse=True)
def _fresh_keras():
    """Every test starts from the same seed and leaves no global policy behind."""
    keras.utils.set_random_seed(0)
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)
    keras.utils.clear_session(free_memory=False)


@pytest.fixture
def any_shares(monkeypatch):
    """`fit_crowd` tries weights though its classifier, hardly trained, predicts classes of any frequencies."""
    from keras_crowd import _choices

    monkeypatch.setattr(_choices, "_MOST_UNEQUAL", None)


@pytest.fixture
def crowd_data() -> pathlib.Path:
    """The folder of real crowd answers; skips where there is none."""
    folder = os.environ.get("KERAS_CROWD_DATA")
    if not folder:
        pytest.skip("needs the real crowd data: set KERAS_CROWD_DATA to their folder")
    return pathlib.Path(folder)
