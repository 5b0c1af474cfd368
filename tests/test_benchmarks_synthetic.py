"""The benchmarks on imaginary data run in small and print finite numbers."""

import importlib
import pathlib
import sys

import numpy as np
import pytest
from conftest import BACKEND

BENCHMARKS = pathlib.Path(__file__).parents[1] / "benchmarks"

pytestmark = pytest.mark.skipif(BACKEND != "jax", reason="the benchmarks are measured under JAX")


def benchmark(name):
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(BENCHMARKS))


def test_recovery(capsys):
    tiny = "--answers 2 --weights .02 --seeds 1 --epochs 2 --items 600"
    found = benchmark("recovery").main(tiny.split())
    assert set(found) == {"specialists", "anchors", "both"}
    for by_method in found.values():
        assert {name for _, name in by_method} == {"CCEM", "F, 0.02", "W, 0.02"}
        assert all(np.isfinite(runs).all() for runs in by_method.values())
    assert "| 2 | W, 0.02 |" in capsys.readouterr().out


def test_recovery_data_are_as_the_theory_wants_them():
    recovery = benchmark("recovery")
    confusion, (_, f, _), _ = recovery.draw("specialists", 600, seed=0)
    columns = confusion.transpose(0, 2, 1)
    for k in range(recovery.NUM_CLASSES):
        assert (columns == np.eye(recovery.NUM_CLASSES)[k]).all(axis=-1)[:, k].any()
    assert f.min() >= 0.1
    confusion, (_, f, _), _ = recovery.draw("anchors", 600, seed=0)
    assert confusion.min() > 0
    assert np.all((f == 1).sum(axis=0) > 50)


def test_all_methods_of_recovery_start_alike():
    recovery = benchmark("recovery")
    trainer = recovery.Trainer(0.7)
    x = np.zeros((600, recovery.NUM_CLASSES), "float32")
    answers = np.full((600, recovery.NUM_ANNOTATORS), -1)
    kernels = []
    for _ in range(2):
        classifier, crowd = trainer.fit(x, answers, 0.0, 0.0, epochs=1, seed=3)
        np.testing.assert_allclose(np.diagonal(crowd.confusion(), axis1=1, axis2=2), 0.7, atol=1e-5)
        kernels.append(classifier.get_weights()[0])
    np.testing.assert_array_equal(*kernels)


@pytest.mark.parametrize("method", ["F", "F, momentum .9", "W"])
def test_penalty_is_active_in_every_step_of_many_classes(method, monkeypatch):
    many_classes = benchmark("many_classes")
    monkeypatch.setattr(many_classes, "NUM_ANNOTATORS", 20)
    found = many_classes.main(["--methods", method, "--seeds", "1", "--epochs", "2", "--items", "600"])
    accuracy, active = found[method][0]
    assert 0 <= accuracy <= 100
    assert active == 1.0


def test_a_penalty_without_weight_is_not_active(monkeypatch):
    many_classes = benchmark("many_classes")
    monkeypatch.setattr(many_classes, "NUM_ANNOTATORS", 20)
    tiny = ["--methods", "F", "--f-weight", "0", "--seeds", "1", "--epochs", "1", "--items", "300"]
    assert many_classes.main(tiny)["F"][0][1] == 0.0


def test_cost_runs(capsys):
    found = benchmark("cost").main(["--steps", "1", "--rounds", "1"])
    assert set(found) == {"CM", "F", "F, momentum .9", "W"}
    assert np.isfinite(list(found.values())).all()
    assert "| W |" in capsys.readouterr().out
