"""Files that touch no backend are found by what they import: they run once, not under every backend."""

import pathlib

import pytest
from backendless import touches_backend

FOLDER = pathlib.Path(__file__).parent


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nimport keras_crowd as kc\nkc.aggregation.majority_vote(kc.Annotations)",
        "from keras_crowd.annotations import as_annotations\nfrom hypothesis import given",
        "import plain",
        "import references_aggregation as references",
    ],
)
def test_numpy_alone_touches_no_backend(tmp_path, source):
    (tmp_path / "plain.py").write_text("import json")
    (tmp_path / "test_it.py").write_text(source)
    assert not touches_backend(tmp_path / "test_it.py")


@pytest.mark.parametrize(
    "source",
    [
        "import keras",
        "def test():\n    from keras import ops",
        "import keras_crowd as kc\nkc.layers.CrowdsClassification(3)",
        "import keras_crowd as kc\nkc.fit_crowd",
        "from keras_crowd.losses import MaskedCrowdCrossEntropy",
        "from keras_crowd import pipelines",
        "import helper",
        "from conftest import BACKEND",
        "import unknown_package",
        "import pytest\npytest.importorskip('torch')",
        "import os\nos.environ['KERAS_BACKEND']",
    ],
)
def test_what_may_touch_a_backend_runs_under_each(tmp_path, source):
    (tmp_path / "conftest.py").write_text("")
    (tmp_path / "helper.py").write_text("import keras")
    (tmp_path / "test_it.py").write_text(source)
    assert touches_backend(tmp_path / "test_it.py")


def test_files_of_this_suite():
    once = {path.name for path in FOLDER.rglob("test_*.py") if not touches_backend(path)}
    assert once >= {
        "test_aggregation.py",
        "test_annotations.py",
        "test_io_formats.py",
        "test_warm_start.py",
    }
    assert once.isdisjoint(
        {"test_contracts.py", "test_layers.py", "test_models.py", "test_architecture.py"}
    )
