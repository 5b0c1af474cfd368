"""The command line tool in a process of its own, where Keras must not be imported."""

import importlib
import os
import pathlib
import subprocess
import sys
import tomllib

import pytest

from keras_crowd._command_line import is_command_line

ROOT = pathlib.Path(__file__).parents[2]
ANSWERS = "item,annotator,answer\n1,ann,cat\n1,bob,cat\n2,ann,dog\n"


@pytest.fixture
def run(tmp_path):
    """Runs Python where importing Keras is an error."""
    (tmp_path / "keras.py").write_text("raise RuntimeError('Keras is imported')")
    (tmp_path / "answers.csv").write_text(ANSWERS)

    def run(*words, stdout=subprocess.PIPE):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
        return subprocess.run(
            [sys.executable, *words],
            env=environment,
            cwd=tmp_path,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


def test_the_module_runs_without_keras(run, tmp_path):
    done = run("-m", "keras_crowd", "aggregate", "answers.csv", "-o", "labels.csv")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "labels.csv").read_text().startswith("item,label,confidence\n1,cat,")
    failed = run("-m", "keras_crowd", "aggregate", "none.csv")
    assert (failed.returncode, failed.stderr) == (
        1,
        "keras-crowd: error: none.csv: No such file or directory\n",
    )


def test_a_pipe_that_nobody_reads_is_no_traceback(run):
    end, begin = os.pipe()
    os.close(end)
    done = run("-m", "keras_crowd", "aggregate", "answers.csv", stdout=begin)
    os.close(begin)
    assert (done.returncode, done.stderr) == (141, "")


def test_the_entry_point_runs_without_keras(run):
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["keras-crowd"]
    module, _, function = entry.partition(":")
    script = f"from {module} import {function}; sys.exit({function}())"
    done = run("-c", f"import sys; sys.argv = ['bin/keras-crowd', 'agreement', 'answers.csv']; {script}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "krippendorff_alpha\t" in done.stdout
    assert callable(getattr(importlib.import_module(module), function))


def test_anything_else_imports_keras(run):
    assert "RuntimeError: Keras is imported" in run("-c", "import keras_crowd").stderr


@pytest.mark.parametrize(
    ("argv", "orig_argv", "expected"),
    [
        (["-m"], ["python", "-W", "error", "-m", "keras_crowd", "aggregate"], True),
        (["-m"], ["python", "-m", "package_that_imports_it", "-m", "keras_crowd"], False),
        (["-m"], ["python", "-m", "keras_crowd.other"], False),
        (["/usr/bin/keras-crowd", "aggregate"], ["python", "/usr/bin/keras-crowd", "aggregate"], True),
        (["train.py", "-m", "keras_crowd"], ["python", "train.py", "-m", "keras_crowd"], False),
        ([], ["python"], False),
    ],
)
def test_who_is_the_command_line(monkeypatch, argv, orig_argv, expected):
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(sys, "orig_argv", orig_argv)
    assert is_command_line() is expected
