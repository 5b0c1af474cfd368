"""Every reader of `io`, and `from_csv`, under files that somebody made to break them: see `hostile`."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

import keras_crowd as kc

SCRIPT = importlib.util.find_spec("hostile").origin
READERS = [name for name in dir(kc.io) if name.startswith("read_")]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What the script prints; a case that hangs ends it, and the last lines of `stderr` say where."""
    folder = tmp_path_factory.mktemp("hostile")
    done = subprocess.run(
        [sys.executable, SCRIPT, folder],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_case_is_read_or_refused_in_time(report):
    results = report[:-1]
    assert {one["reader"]: one["failures"] for one in results if one["failures"]} == {}
    assert sum(one.get("read", 0) + one.get("refused", 0) for one in results) > 9_000
    for one in results:
        assert min(one.get("read", 0), one.get("refused", 0)) > 30, (
            one
        )  # the cases are neither harmless nor beside the point


def test_no_reader_is_left_out(report):
    calls = report[-1]["calls"]
    assert READERS
    assert {name for name in READERS if calls[name] < 100} == set()
    assert "from_csv" in {one["reader"] for one in report[:-1]}
