"""What the penalties of ICLR-23 cost: milliseconds a training step, over the same step without penalty.

    KERAS_BACKEND=jax python benchmarks/cost.py

K = 10 classes, R = 59 annotators, batch 256, MLP 512-128-10, dense answers (3 an item), Adam, jit. The models take
turns, a block of steps each, in one process; the ratio is the median over the rounds of block over block, so that
whatever else the machine does falls on all alike.
"""

import argparse

import interleaved
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


def measure(steps, rounds):
    """Milliseconds `{name: (rounds,)}`, the models taking turns."""
    models = {name: build(**kwargs) for name, kwargs in penalties().items()}
    blocks = {name: interleaved.fit_block(model, *batch(), steps) for name, model in models.items()}
    return interleaved.measure(blocks, steps, rounds)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=50, help="in a block")
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args(argv)
    times = measure(arguments.steps, arguments.rounds)
    print(f"\n## Step of K = {NUM_CLASSES}, R = {NUM_ANNOTATORS}, {keras.backend.backend()}\n")
    print("| method | ms a step | over CM (median) | middle half |\n|---|---|---|---|")
    ratios = interleaved.ratios(times, "CM")
    for name, (low, middle, high) in ratios.items():
        print(f"| {name} | {np.median(times[name]):.2f} | {middle:.3f} | {low:.3f} to {high:.3f} |")
    return {name: float(middle) for name, (_, middle, _) in ratios.items()}


if __name__ == "__main__":
    main()
