"""What annotators cost: milliseconds a training step, over the classifier alone on hard labels; peak memory.

    KERAS_BACKEND=jax python benchmarks/speed.py
    KERAS_BACKEND=tensorflow python benchmarks/speed.py --annotators 59 1000 --classes 10
    KERAS_BACKEND=jax python benchmarks/speed.py --annotators 59 1000 1000000 --memory
    KERAS_BACKEND=jax python benchmarks/speed.py --annotators 1000 --classes 20 --slots 15 --conn-type full --processor

Batch 256, Adam. The methods take turns, a block of steps each, in one process; ratios are medians over the rounds
of block over block. "textbook" is AAAI-18's layer and loss as one writes them first: logits of all annotators against
one-hot answers. Connections of `CrowdsMultiLabel` are timed on sets of labels, over the classifier with sigmoids
on one set an item; "fetch" has the same parameters, but no model of the answers: it fetches the two rows of each
slot, multiplies and adds, and the rest is the gradient and Adam. crowd-kit's layers get their answers in long form,
prepared beforehand; they are PyTorch's, with a classifier alone of their own, and take turns among themselves: threads
of one framework disturb the other. Dense methods stop at 1,000 annotators; CoNAL, which keeps an R x R matrix, at
10,000. `--memory` starts each method in a process of its own. On a busy machine start it on one core
(`taskset -c 0`), and count `--processor` time.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import resource
import subprocess
import sys
import time

if importlib.util.find_spec("torch"):
    import speed_peers  # before TensorFlow

import interleaved
import keras
import numpy as np

import keras_crowd as kc

BATCH_SIZE = 256
OURS = ("dense", "slots", "slots, lazy")
SETS = ("full", "additive", "annotator")
PEERS = ("alone, PyTorch", "crowd-kit MW", "crowd-kit CoNAL")
METHODS = ("alone", *OURS, "textbook", "fetch", *PEERS)


def applies(method, num_annotators, sets=False):
    """Whether a method is feasible at that size."""
    if sets and method not in ("alone", *OURS, "fetch"):
        return False
    if method == "fetch":
        return sets
    if method in ("dense", "textbook"):
        return num_annotators <= 1_000
    if method == "crowd-kit CoNAL" and num_annotators > 10_000:
        return False
    if method.startswith("crowd-kit"):
        return importlib.util.find_spec("crowdkit") is not None and "speed_peers" in sys.modules
    return method not in PEERS or "speed_peers" in sys.modules


def batch(network, num_annotators, num_classes, num_slots, sets=False):
    """Features, annotators' ids on slots, and their answers: a class each, or which labels are ticked."""
    rng = np.random.default_rng(0)
    features = (512,) if network == "mlp" else (28, 28, 1)
    x = rng.normal(size=(BATCH_SIZE, *features)).astype("float32")
    shift = rng.integers(num_annotators, size=(BATCH_SIZE, 1))
    ids = (shift + np.arange(num_slots) * max(1, num_annotators // num_slots)) % num_annotators
    answers = (
        rng.random((*ids.shape, num_classes)) < 0.2 if sets else rng.integers(num_classes, size=ids.shape)
    )
    return x, ids.astype("int32"), answers.astype("int8" if sets else "int64")


def dense_answers(ids, answers, num_annotators):
    table = np.full((len(ids), num_annotators, *answers.shape[2:]), -1)
    table[np.arange(len(ids))[:, None], ids] = answers
    return table


def classifier(network, num_classes, sets=False):
    if network == "mlp":
        layers = [keras.Input((512,)), keras.layers.Dense(128, "relu")]
    else:
        layers = [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
            keras.layers.Conv2D(32, 3, strides=2, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
        ]
    return keras.Sequential([*layers, keras.layers.Dense(num_classes, "sigmoid" if sets else "softmax")])


class Textbook(keras.layers.Layer):
    """AAAI-18's MW, a matrix an annotator, for all annotators."""

    def __init__(self, num_annotators):
        super().__init__()
        self.num_annotators = num_annotators

    def build(self, shape):
        start = kc.initializers.CrowdIdentity()
        self.kernel = self.add_weight(shape=(self.num_annotators, shape[-1], shape[-1]), initializer=start)

    def call(self, f):
        return keras.ops.einsum("bk,rkl->brl", f, self.kernel)


class Fetch(keras.layers.Layer):
    """`p s + c` with the rows `s` and `c` of the slots: what any layer with such parameters has to do."""

    def __init__(self, num_annotators):
        super().__init__()
        self.num_annotators = num_annotators

    def build(self, p_shape, ids_shape):
        self.table = self.add_weight(shape=(self.num_annotators, 2 * p_shape[-1]), initializer="zeros")

    def call(self, p, ids):
        s, c = keras.ops.split(keras.ops.convert_to_tensor(self.table), 2, axis=-1)
        return rows(s, ids) * keras.ops.expand_dims(p, 1) + rows(c, ids)


def rows(table, ids):
    return table[ids] if keras.backend.backend() == "jax" else keras.ops.take(table, ids, axis=0)


def product(y_true, y_pred):
    """A loss with a gradient for every number, in one pass."""
    return keras.ops.mean(y_true * y_pred, axis=(1, 2))


def textbook_loss(y_true, y_pred):
    """Cross-entropy of one-hot answers, zeros where there is none, over all cells."""
    return keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=True)


def keras_model(method, below, num_annotators, num_slots, conn_type):
    """The model of a method, and its loss."""
    sets = conn_type in SETS
    if method == "alone":
        return below, "binary_crossentropy" if sets else "sparse_categorical_crossentropy"
    if method == "textbook":
        return keras.Sequential([below, Textbook(num_annotators)]), textbook_loss
    if method == "fetch":
        ids = keras.Input((num_slots,), dtype="int32")
        return keras.Model([*below.inputs, ids], Fetch(num_annotators)(below.outputs[0], ids)), product
    slots = BATCH_SIZE * num_slots if method == "slots, lazy" else None
    layer = kc.layers.CrowdsMultiLabel if sets else kc.layers.CrowdsClassification
    crowd = layer(num_annotators, conn_type, max_batch_slots=slots)
    loss = kc.losses.MaskedCrowdBinaryCrossEntropy() if sets else kc.losses.MaskedCrowdCrossEntropy()
    if method == "dense":
        return kc.crowd_model(below, crowd), loss
    ids = keras.Input((num_slots,), dtype="int32")
    features = {"features": below.layers[-1].input} if crowd.takes_features else {}
    return keras.Model([*below.inputs, ids], crowd(below.outputs[0], annotators=ids, **features)), loss


def keras_block(method, size, options):
    """A function that trains for a block of steps."""
    num_annotators, num_classes, num_slots = size
    sets = options.conn_type in SETS
    x, ids, answers = batch(options.network, *size, sets)
    below = classifier(options.network, num_classes, sets)
    model, loss = keras_model(method, below, num_annotators, num_slots, options.conn_type)
    optimizer = keras.optimizers.Adam(1e-3)
    if method == "slots, lazy":
        optimizer = kc.optimizers.crowd_optimizer(model, optimizer)
    model.compile(optimizer, loss, jit_compile=not options.no_jit)
    if method == "alone":
        return interleaved.fit_block(model, x, answers[:, 0], options.steps)
    if method.startswith("slots") or method == "fetch":
        return interleaved.fit_block(model, (x, ids), answers, options.steps)
    table = dense_answers(ids, answers, num_annotators)
    if method == "textbook":
        table = (table[..., None] == np.arange(num_classes)).astype("float32")
    return interleaved.fit_block(model, x, table, options.steps)


def block_of(method, size, options):
    if method in PEERS:
        return speed_peers.torch_block(method, batch(options.network, *size), size, options)
    return keras_block(method, size, options)


def times(size, options):
    """Milliseconds a step `{method: (rounds,)}`."""
    methods = [
        m for m in METHODS if m in options.methods and applies(m, size[0], options.conn_type in SETS)
    ]
    found = {}
    for group in ([m for m in methods if m not in PEERS], [m for m in methods if m in PEERS]):
        blocks = {method: block_of(method, size, options) for method in group}
        clock = time.process_time if options.processor else time.perf_counter
        found |= interleaved.measure(blocks, options.steps, options.rounds, clock)
    return found


def peak_memory(method, size, options):
    """MiB of resident memory at its highest, in a process of its own."""
    size_of = ["--annotators", str(size[0]), "--classes", str(size[1]), "--slots", str(size[2])]
    command = [sys.executable, __file__, "--peak", method, *size_of, "--steps", "3"]
    command += ["--network", options.network, "--conn-type", options.conn_type]
    command += ["--no-jit"] * options.no_jit
    path = os.pathsep.join([str(pathlib.Path(kc.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def run_once(method, size, options):
    """Trains a block and prints the peak of memory."""
    block_of(method, size, options)()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def print_times(size, found):
    """A row a method, over the classifier alone of its framework."""
    for method, values in found.items():
        base = "alone, PyTorch" if method in PEERS else "alone"
        if base not in found:
            continue
        low, middle, high = interleaved.ratios(found, base)[method]
        r, k, s = size
        print(
            f"| {r:,} | {k} | {s} | {method} | {np.median(values):.2f} | {middle:.2f} | {low:.2f} to {high:.2f} |"
        )


def print_memory(size, options):
    """A row a method: MiB over the classifier alone, and how much of it parameters and Adam's moments are."""
    methods = [
        m for m in METHODS if m in options.methods and applies(m, size[0], options.conn_type in SETS)
    ]
    peaks = {method: peak_memory(method, size, options) for method in methods}
    r, k, s = size
    parameters = 3 * 4 * r * k * k / 2**20
    for method, peak in peaks.items():
        base = peaks["alone, PyTorch" if method in PEERS else "alone"]
        print(f"| {r:,} | {k} | {s} | {method} | {peak - base:.0f} | {parameters:.0f} |")
    return peaks


class Help(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """The docstring as it is, and defaults."""


def positive(text):
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be positive. Received: {text}")
    return int(text)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=Help)
    parser.add_argument(
        "--annotators", type=positive, nargs="+", default=[10, 59, 1_000, 10_000, 1_000_000], help="sizes"
    )
    parser.add_argument("--classes", type=positive, nargs="+", default=[10], help="sizes")
    parser.add_argument("--slots", type=positive, nargs="+", default=[3], help="answers per item")
    parser.add_argument("--network", choices=["mlp", "conv"], default="mlp")
    parser.add_argument("--conn-type", default="MW", help="full, additive, annotator: sets of labels")
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--no-jit", action="store_true")
    parser.add_argument("--processor", action="store_true", help="processor time instead of the clock's")
    parser.add_argument("--memory", action="store_true", help="peak memory instead of time")
    parser.add_argument("--steps", type=positive, default=10, help="in a block")
    parser.add_argument("--rounds", type=positive, default=15, help="blocks of each method")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    sizes = [(r, k, s) for k in options.classes for s in options.slots for r in options.annotators]
    if options.peak:
        return run_once(options.peak, sizes[0], options)
    jit = "no jit" if options.no_jit else "jit"
    print(f"\n## {options.network}, {options.conn_type}, {keras.backend.backend()}, {jit}\n")
    if options.memory:
        print(
            "| annotators | classes | slots | method | MiB over alone | of which parameters and moments |"
        )
        print("|---|---|---|---|---|---|")
        return {size: print_memory(size, options) for size in sizes}
    print("| annotators | classes | slots | method | ms a step | over alone | middle half |")
    print("|---|---|---|---|---|---|---|")
    results = {}
    for size in sizes:
        results[size] = times(size, options)
        print_times(size, results[size])
        keras.utils.clear_session()
    return results


if __name__ == "__main__":
    main()
