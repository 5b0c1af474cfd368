"""The examples in the docstrings run and give what they say."""

import doctest
import importlib
import pkgutil

import keras
import numpy as np
import pytest
from conftest import BACKEND, BACKENDLESS_UNDER

import keras_crowd

MODULES = sorted(m.name for m in pkgutil.walk_packages(keras_crowd.__path__, "keras_crowd."))
NEEDS = {
    "keras_crowd.callbacks._span_validation": "nervaluate",
    "keras_crowd.evaluation._spans": "nervaluate",
}


def names():
    """What the examples take as given."""
    rng = np.random.default_rng(0)
    classifier = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, "softmax")])
    model = keras.Sequential([classifier, keras_crowd.layers.CrowdsClassification(5)])
    model.compile("sgd", loss=keras_crowd.losses.MaskedCrowdCrossEntropy())
    x, answers = rng.normal(size=(20, 64)), rng.integers(-1, 10, (20, 5))
    given = {"keras": keras, "keras_crowd": keras_crowd, "kc": keras_crowd, "np": np}
    return {**given, "classifier": classifier, "model": model, "x": x, "answers": answers, "x_valid": x} | {
        "y_valid": rng.integers(0, 10, 20)
    }


@pytest.mark.skipif(BACKEND != BACKENDLESS_UNDER, reason="examples are the same on every backend")
@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name, request):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason=f"needs {NEEDS[name]}")
    keras.config.disable_interactive_logging()
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for test in doctest.DocTestFinder().find(importlib.import_module(name)):
        if test.examples:
            if test.name.endswith("load_data"):
                request.getfixturevalue("crowd_data")
            test.globs.update(names())
            output: list[str] = []
            runner.run(test, out=output.append)
            assert runner.failures == 0, "".join(output)


def public_objects():
    for module in MODULES:
        if not module.rsplit(".", 1)[1].startswith("_") and module not in (
            "keras_crowd.ops",
            "keras_crowd.datasets",
        ):
            home = importlib.import_module(module)
            for name in dir(home):
                thing = getattr(home, name)
                if not name.startswith("_") and getattr(thing, "__module__", "").startswith(module):
                    yield f"{module}.{name}", thing


def test_every_public_object_has_an_example():
    without = {
        "keras_crowd.aggregation.BradleyTerry",  # returned, never made by users
        "keras_crowd.aggregation.DawidSkene",
        "keras_crowd.aggregation.DawidSkeneLabels",
        "keras_crowd.aggregation.EBCC",
        "keras_crowd.aggregation.GLAD",
        "keras_crowd.aggregation.MACE",
        "keras_crowd.aggregation.Deviations",
        "keras_crowd.aggregation.Raykar",
        "keras_crowd.models.crowd_layer",
    }
    found = {name for name, thing in public_objects() if ">>>" not in (thing.__doc__ or "")}
    assert found == without
