"""Two devices or processes train every layer, loss and regularizer as one does."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import heads as every_head
import keras
import numpy as np
import pytest
from conftest import BACKEND
from contracts import LAYERS

import keras_crowd as kc

HELPERS = pathlib.Path(every_head.__file__).parent
ROOT = pathlib.Path(kc.__file__).parents[1]
MODELS = ["joint", "hidden_crf"]
several = pytest.mark.skipif(BACKEND == "torch", reason="Keras trains on one device under PyTorch")
heads = pytest.mark.parametrize("name", every_head.DISTRIBUTED)
some_heads = pytest.mark.parametrize("name", every_head.OF_PROCESSES)


def environment(**settings):
    return {
        **os.environ,
        **settings,
        "KERAS_BACKEND": BACKEND,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(HELPERS)]),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def start(folder, how, *arguments, **settings):
    """`train_heads.py` in a process of its own."""
    out = folder / f"{how}{''.join(map(str, arguments[:1]))}.npz"
    command = [sys.executable, str(HELPERS / "train_heads.py"), str(out), how, *map(str, arguments)]
    with out.with_suffix(".txt").open("w") as log:
        return subprocess.Popen(
            command, env=environment(**settings), stdout=log, stderr=subprocess.STDOUT
        ), out


def results(processes):
    try:
        for process, out in processes:
            assert process.wait(timeout=600) == 0, out.with_suffix(".txt").read_text()[-3000:]
    finally:
        for process, _ in processes:
            process.kill()
            process.wait()
    found = []
    for _, out in processes:
        with np.load(out) as arrays:
            found.append(dict(arrays))
    return found


@pytest.fixture(scope="module")
def devices(tmp_path_factory):
    """What one device gives, and two of one process."""
    two = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=2"
    return results([start(tmp_path_factory.mktemp("devices"), "devices", XLA_FLAGS=two)])[0]


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    """What each of two processes gives."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        ports = [first.getsockname()[1], second.getsockname()[1]]
    folder = tmp_path_factory.mktemp("workers")
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    tasks = [{"cluster": cluster, "task": {"type": "worker", "index": index}} for index in range(2)]
    return results(
        [
            start(folder, "worker", index, ports[0], TF_CONFIG=json.dumps(task))
            for index, task in enumerate(tasks)
        ]
    )


def agree(actual, expected, atol=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


@several
@pytest.mark.parametrize("name", [*every_head.DISTRIBUTED, *MODELS])
def test_two_devices_take_the_steps_of_one(devices, name):
    history = devices[f"one/{name}"]
    assert len(history) == every_head.STEPS + 1
    assert np.abs(history[-1] - history[0]).max() > 0.05
    agree(devices[f"two/{name}"], history)


@several
@some_heads
def test_two_processes_take_the_steps_of_one(devices, workers, name):
    for found in workers:
        agree(found[f"two/{name}"], devices[f"one/{name}"])


def logged(devices, workers, log, name):
    """The last value of a log of each that has the head."""
    return [
        found[f"two/logs/{log}"]
        for found in (devices, *(workers if name in every_head.OF_PROCESSES else ()))
    ]


@several
@heads
def test_metrics_are_those_of_one(devices, workers, name):
    for value in logged(devices, workers, f"{name}_metric", name):
        agree(value, devices[f"one/logs/{name}_metric"])


@pytest.mark.skipif(BACKEND != "jax", reason="tf.distribute logs the mean of the replicas' means")
@heads
def test_logged_losses_are_those_of_one(devices, workers, name):
    for value in logged(devices, workers, f"{name}_loss", name):
        agree(value, devices[f"one/logs/{name}_loss"])


@pytest.mark.skipif(BACKEND != "tensorflow", reason="for tf.distribute")
def test_sums_over_the_answers_of_the_batch_are_logged_exactly(devices):
    for run in ("one", "two"):
        agree(devices[f"{run}/sum/loss"], devices["one/logs/MW_loss"])
        agree(devices[f"{run}/sum/parameters"], devices["one/MW"][-1])


@several
@pytest.mark.parametrize("what", ["posterior", "confusion", "log_likelihood"])
def test_expectation_maximization_is_that_of_one(devices, what):
    agree(devices[f"two/em/{what}"], devices[f"one/em/{what}"])


@pytest.mark.skipif(BACKEND != "jax", reason="ModelParallel is JAX's")
@heads
def test_annotators_on_two_devices_take_the_steps_of_one(devices, name):
    agree(devices[f"model/{name}"], devices[f"one/{name}"])


@pytest.mark.skipif(BACKEND != "jax", reason="ModelParallel is JAX's")
def test_each_device_holds_half_of_the_annotators(devices):
    half = (every_head.ANNOTATORS // 2, every_head.CLASSES**2)
    assert [tuple(shape) for shape in devices["model/shards"]] == [half, half]  # kernel, momentum


def mesh(parts):
    return keras.distribution.DeviceMesh((1, parts), ("batch", "model"), [f"cpu:{i}" for i in range(parts)])


@pytest.mark.by_turns
@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.id)
def test_layout_map_has_what_there_is_of_each_annotator(case):
    layer = case.cls(**{**case.kwargs, "name": "crowd"})
    case.call(layer, case.inputs)
    layouts = kc.distribution.layout_map(mesh(5), layer)
    for variable in layer.weights:
        layout = layouts[f"functional/{variable.path}"]
        per_annotator = tuple(variable.shape)[:1] == (5,)
        assert (layout is not None and layout.axes == ("model",)) == per_annotator, variable.path
    assert layouts["functional/crowd_1/kernel"] is None


def test_layout_map_refuses_what_cannot_be_spread():
    crowd = kc.layers.CrowdsClassification(5)
    with pytest.raises(
        ValueError, match=r"`num_annotators` of `crowd` must be a multiple of 2.*num_annotators=5"
    ):
        kc.distribution.layout_map(mesh(2), crowd)
    with pytest.raises(ValueError, match=r"`model_dim_name` must be.*'rows'"):
        kc.distribution.layout_map(mesh(5), crowd, model_dim_name="rows")
    with pytest.raises(
        ValueError, match=r"`device_mesh` must be a `keras.distribution.DeviceMesh`.*CrowdsClass"
    ):
        kc.distribution.layout_map(crowd, mesh(5))
    with pytest.raises(ValueError, match=r"`crowd` must be a crowd layer. Received: Dense"):
        kc.distribution.layout_map(mesh(5), keras.layers.Dense(3))
    lazy = kc.layers.CrowdsClassification(5, max_batch_slots=6)
    with pytest.raises(ValueError, match=r"`crowd` must have no `max_batch_slots`.*max_batch_slots=6"):
        kc.distribution.layout_map(mesh(5), lazy)


@several
def test_snippets_of_the_page_on_scale_run():
    two = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=2"
    command = [sys.executable, str(HELPERS / "run_scale.py")]
    done = subprocess.run(
        command, env=environment(XLA_FLAGS=two), capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
