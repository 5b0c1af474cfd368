"""What the penalties of ICLR-23 cost: milliseconds a training step, over the same step without penalty.

    KERAS_BACKEND=jax python benchmarks/cost.py

K = 10 classes, R = 59 annotators, batch 256, MLP 512-128-10, dense answers (3 an item), Adam, jit. The models take
turns, a block of steps each, in one process; the ratio is the median over the rounds of block over block, so that
whatever else the machine does falls on all alike.
"""

import argparse
import time

import keras
import numpy as np

import keras_crowd as kc

NUM_FEATURES, NUM_CLASSES, NUM_ANNOTATORS, BATCH_SIZE = 512, 10, 59, 256


def penalties():
    """Name, and arguments of the crowd layer."""
    f, w = kc.regularizers.ClassifierLogDet, kc.regularizers.ConfusionLogDet
    return {
        "CM": {},
        "F": {"classifier_regularizer": f(0.1)},
        "F, momentum .9": {"classifier_regularizer": f(0.1, momentum=0.9)},
        "W": {"confusion_regularizer": w(0.01)},
    }


def build(**kwargs):
    crowd = kc.layers.CrowdsClassification(NUM_ANNOTATORS, "CM", **kwargs)
    model = keras.Sequential(
        [
            keras.Input((NUM_FEATURES,)),
            keras.layers.Dense(128, "relu"),
            keras.layers.Dense(NUM_CLASSES, "softmax"),
            crowd,
        ]
    )
    jit = keras.backend.backend() != "torch"
    model.compile(keras.optimizers.Adam(1e-3), kc.losses.MaskedCrowdCrossEntropy(), jit_compile=jit)
    return model


def batch():
    rng = np.random.default_rng(0)
    labels = rng.integers(NUM_CLASSES, size=BATCH_SIZE)
    confusion = kc.datasets.diagonally_dominant(NUM_ANNOTATORS, NUM_CLASSES, seed=0)
    answers = kc.datasets.simulate_answers(labels, confusion, answers_per_item=3, seed=0).dense()
    return rng.normal(size=(BATCH_SIZE, NUM_FEATURES)).astype("float32"), answers


def timed_block(model, x, answers, steps):
    """Milliseconds a step of `fit` over `steps` batches."""
    begin = time.perf_counter()
    model.fit(x, answers, batch_size=BATCH_SIZE, epochs=1, verbose=0, shuffle=False)
    return 1e3 * (time.perf_counter() - begin) / steps


def measure(steps, rounds):
    """Milliseconds `{name: (rounds,)}`, the models taking turns."""
    x, answers = (np.concatenate([part] * steps) for part in batch())
    models = {name: build(**kwargs) for name, kwargs in penalties().items()}
    for model in models.values():
        model.fit(x, answers, batch_size=BATCH_SIZE, verbose=0)
    times = {name: [] for name in models}
    for _ in range(rounds):
        for name, model in models.items():
            times[name].append(timed_block(model, x, answers, steps))
    return {name: np.array(values) for name, values in times.items()}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=50, help="in a block")
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args(argv)
    times = measure(arguments.steps, arguments.rounds)
    print(f"\n## Step of K = {NUM_CLASSES}, R = {NUM_ANNOTATORS}, {keras.backend.backend()}\n")
    print("| method | ms a step | over CM (median) | middle half |\n|---|---|---|---|")
    ratios = {name: values / times["CM"] for name, values in times.items()}
    for name, ratio in ratios.items():
        low, middle, high = np.percentile(ratio, [25, 50, 75])
        print(f"| {name} | {np.median(times[name]):.2f} | {middle:.3f} | {low:.3f} to {high:.3f} |")
    return {name: float(np.median(ratio)) for name, ratio in ratios.items()}


if __name__ == "__main__":
    main()
