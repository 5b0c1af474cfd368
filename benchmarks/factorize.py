"""From a data frame of answers to `Annotations`, beside `pandas.factorize` of the same columns: seconds, by turns.

    python benchmarks/factorize.py [--answers 1_000_000] [--rounds 3]

Ids of items, annotators and classes are text, objects, categories or integers; a tenth as many items as answers.
pandas sorts what it finds, as `Annotations` does. Each cell is the median of the rounds.
"""

import argparse
import statistics
import time

import numpy as np

COLUMNS = ("item", "annotator", "answer")


def frame(answers, kind, seed=0):
    """Answers at random, each annotator at most once an item."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    items, annotators = max(answers // 10, 1), 500
    who = (rng.integers(0, annotators, (items, 1)) + 7 * np.arange(10)) % annotators
    rows = rng.permutation(items * 10)
    table = pd.DataFrame({"item": rows // 10, "annotator": who.reshape(-1)[rows], "answer": rows % 7})
    if kind == "integers":
        return table
    texts = {name: pd.Index([f"{name}-{i}" for i in range(table[name].max() + 1)]) for name in COLUMNS}
    made = pd.DataFrame({name: texts[name].take(table[name]) for name in COLUMNS})
    if kind == "objects":
        return made.astype(object)
    return made.astype("category") if kind == "categories" else made


def seconds(call):
    """How long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(answers, kind, rounds):
    """Median seconds of both, by turns."""
    import pandas as pd

    import keras_crowd as kc

    table = frame(answers, kind)
    ways = {
        "factorize": lambda: [pd.factorize(table[name], sort=True) for name in COLUMNS],
        "Annotations": lambda: kc.Annotations.from_dataframe(table),
    }
    found = {name: [] for name in ways}
    for _ in range(rounds):
        for name, call in ways.items():
            found[name].append(seconds(call))
    return {name: statistics.median(times) for name, times in found.items()}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", default=["text", "objects", "categories", "integers"])
    options = parser.parse_args(arguments)
    print(
        f"{options.answers:,} answers\n\n| ids | s, factorize | s, from_dataframe | times |\n|---|---|---|---|"
    )
    found = {}
    for kind in options.kinds:
        row = found[kind] = measure(options.answers, kind, options.rounds)
        ratio = row["Annotations"] / row["factorize"]
        print(f"| {kind} | {row['factorize']:.2f} | {row['Annotations']:.2f} | {ratio:.2f} |", flush=True)
    return found


if __name__ == "__main__":
    main()
