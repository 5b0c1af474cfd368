"""Dawid and Skene's EM against crowd-kit's: seconds and peak memory, in one run on the same answers.

    KERAS_BACKEND=jax python benchmarks/dawid_skene.py
    KERAS_BACKEND=jax python benchmarks/dawid_skene.py --answers 100000 --iterations 50

Needs crowd-kit (`pip install crowd-kit`). Both start from the shares of the votes and run as many iterations,
by turns; each has its answers as it wants them (`Annotations`, a data frame) beforehand. Seconds are of the process'
CPU time, the least of the rounds; memory is the peak of what Python and NumPy allocate beyond the answers.
"""

import argparse
import time
import tracemalloc

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene

import keras_crowd as kc


def draw(num_answers, num_annotators, num_classes, seed=0):
    """Annotators right with .6, five answers per item on average, who answers drawn evenly."""
    rng = np.random.default_rng(seed)
    num_items = num_answers // 5
    item, annotator = (
        rng.integers(num_items, size=num_answers),
        rng.integers(num_annotators, size=num_answers),
    )
    pairs = np.unique(item * num_annotators + annotator)
    item, annotator = np.divmod(pairs, num_annotators)
    truth = rng.integers(num_classes, size=num_items)
    guess = rng.integers(num_classes, size=len(pairs))
    return item, annotator, np.where(rng.random(len(pairs)) < 0.6, truth[item], guess)


def measure(run):
    start = time.process_time()
    run()
    return time.process_time() - start


def peak(run):
    """Mebibytes."""
    tracemalloc.start()
    run()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found / 2**20


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--answers", type=int, default=1_000_000)
    parser.add_argument("--annotators", type=int, default=2000)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(argv)
    item, annotator, label = draw(arguments.answers, arguments.annotators, arguments.classes)
    annotations = kc.Annotations.from_coo(item, annotator, label)
    frame = pd.DataFrame({"task": item, "worker": annotator, "label": label})
    n = arguments.iterations
    runs = {
        "crowd-kit": lambda: DawidSkene(n_iter=n, tol=-1).fit(frame),
        "keras_crowd": lambda: kc.aggregation.dawid_skene(
            annotations, confusion="full", strength=0.01, iterations=n, tolerance=-1
        ),
    }
    seconds = {name: [] for name in runs}
    for _ in range(arguments.rounds):
        for name, run in runs.items():
            seconds[name].append(measure(run))
    memory = {name: peak(run) for name, run in runs.items()}
    print(f"\n## {annotations}, {n} iterations\n")
    print("| | seconds | peak MiB |\n|---|---|---|")
    for name in runs:
        print(f"| {name} | {min(seconds[name]):.2f} | {memory[name]:.0f} |")
    ratios = [theirs / ours for theirs, ours in zip(*seconds.values(), strict=True)]
    print(
        f"\n{np.median(ratios):.1f} times as fast (median), "
        f"peak memory {memory['crowd-kit'] / memory['keras_crowd']:.1f} times lower"
    )
    return ratios


if __name__ == "__main__":
    main()
