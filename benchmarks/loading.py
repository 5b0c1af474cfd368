"""From a Parquet file of answers to batches of a training tf.data pipeline: seconds and peak memory.

    python benchmarks/loading.py [--answers 10_000_000] [--items 1_000_000] [--annotators 500]
    python benchmarks/loading.py --answers 100_000_000 --ways "read_long, tf_data, slots"

Three ways to the same epoch, each in a process of its own: `io.read_long` with `pipelines.tf_data` on slots; the same,
dense; and what one writes by hand: pandas, a dense array, `from_tensor_slices`. Answers stand in the file at
random; ids are text. Features are 16 numbers an item in a file that is mapped into memory.
"""

import argparse
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

CHUNK, BATCH, NUM_CLASSES, NUM_FEATURES = 1_000_000, 1024, 10, 16


def write_files(folder, answers, items, annotators, seed=0):
    """A Parquet file of answers at random, each annotator at most once an item; and features."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    each = answers // items
    who = (rng.integers(0, annotators, (items, 1)) + 7 * np.arange(each)) % annotators
    order = rng.permutation(items * each)
    with pq.ParquetWriter(
        folder / "answers.parquet", pa.schema([(c, pa.string()) for c in COLUMNS])
    ) as writer:
        for start in range(0, len(order), CHUNK):
            rows = order[start : start + CHUNK]
            said = rng.integers(0, NUM_CLASSES, len(rows))
            codes = {"image": rows // each, "worker": who.reshape(-1)[rows], "label": said}
            texts = {name: pa.array(code).cast(pa.string()) for name, code in codes.items()}
            ids = {name: pc.binary_join_element_wise(name, text, "-") for name, text in texts.items()}
            writer.write_table(pa.table(ids))
    np.save(folder / "features.npy", rng.normal(size=(items, NUM_FEATURES)).astype("float32"))


COLUMNS = ("image", "worker", "label")


def with_keras_crowd(folder, form):
    import keras_crowd as kc

    annotations = kc.io.read_long(folder / "answers.parquet", *COLUMNS)
    x = np.load(folder / "features.npy", mmap_mode="r")
    return kc.pipelines.tf_data(x, annotations, BATCH, form=form)


def by_hand(folder):
    import pandas as pd
    import tensorflow as tf

    table = pd.read_parquet(folder / "answers.parquet")
    (image, images), (worker, workers), (label, _) = (
        pd.factorize(table[name], sort=True) for name in COLUMNS
    )
    dense = np.full((len(images), len(workers)), -1, "int32")
    dense[image, worker] = label
    del table, image, worker, label
    x = np.load(folder / "features.npy")
    batches = tf.data.Dataset.from_tensor_slices((x, dense))
    del dense
    return batches.shuffle(10_000, seed=0).batch(BATCH).prefetch(tf.data.AUTOTUNE)


WAYS = {
    "read_long, tf_data, slots": lambda folder: with_keras_crowd(folder, "slots"),
    "read_long, tf_data, dense": lambda folder: with_keras_crowd(folder, "dense"),
    "pandas, dense array": by_hand,
}


def measure(way, folder):
    """Seconds to the pipeline and through an epoch, and megabytes above what the imports take."""
    import pyarrow.parquet  # noqa: F401
    import tensorflow as tf

    import keras_crowd  # noqa: F401

    tf.data.Dataset.range(2).batch(2).cardinality()
    before, start = peak(), time.perf_counter()
    batches = WAYS[way](folder)
    loaded, loading = time.perf_counter(), peak()
    answers = items = 0
    for inputs, said in batches:
        answers += int(np.count_nonzero(said.numpy() >= 0))
        items += len(inputs[0] if isinstance(inputs, tuple) else inputs)
    found = {"load": loaded - start, "epoch": time.perf_counter() - loaded}
    return {
        **found,
        "loading": loading - before,
        "peak": peak() - before,
        "answers": answers,
        "items": items,
    }


def peak():
    """Peak of resident memory so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        2**20 if sys.platform == "darwin" else 2**10
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, default=10_000_000)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--annotators", type=int, default=500)
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        way, folder = options.measure
        print(json.dumps(measure(way, pathlib.Path(folder))))
        return None
    found = {}
    with tempfile.TemporaryDirectory() as name:
        write_files(pathlib.Path(name), options.answers, options.items, options.annotators)
        size = (pathlib.Path(name) / "answers.parquet").stat().st_size / 1e6
        print(
            f"{options.answers:,} answers of {options.annotators:,} annotators to {options.items:,} items"
        )
        print(
            f"{size:.0f} MB of Parquet\n\n| | s to load | s an epoch | MB, loading | bytes an answer | MB, peak |\n"
            "|---|---|---|---|---|---|"
        )
        for way in options.ways:
            command = [sys.executable, __file__, "--measure", way, name]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            row = found[way] = json.loads(done.stdout.splitlines()[-1])
            cells = (
                f"{row['load']:.1f}",
                f"{row['epoch']:.1f}",
                f"{row['loading']:.0f}",
                f"{row['loading'] * 2**20 / options.answers:.0f}",
                f"{row['peak']:.0f}",
            )
            print(f"| {way} | {' | '.join(cells)} |", flush=True)
    return found


if __name__ == "__main__":
    main()
