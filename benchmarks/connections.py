"""Connections of classes compared: nats of held-out answers and test accuracy, with few and many answers each.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/connections.py --seeds 5

One `fit` after `crowd.adapt`, Adam 1e-3, Dense 128 with dropout .5, the last epoch, no penalty. 15 % of the answers are
held out and predicted from the features and the other answers to the item; test accuracy is that of the same training.
No gold label is used, but to score. `benchmarks/speed.py --annotators 1000 --classes 100 --slots 5 --conn-type one_coin
--methods alone slots` gives the cost of a step.
"""

import argparse
import functools

import keras
import numpy as np
from quality import build, fit
from zoo_tasks import CHOOSING, drawn, people, simulated

import keras_crowd as kc

CONN_TYPES = ("MW", "CM", "one_coin", "class_wise", "prototypes")
MANY_CLASSES = functools.partial(drawn, 100, 10_000, 32, 0.7, 0)
TASKS = {  # with epochs and batch size
    "LabelMe": (CHOOSING["LabelMe"], 50, 64),
    "Music": (CHOOSING["Music"], 50, 64),
    "Music, 2 answers": (CHOOSING["Music, 2 answers"], 50, 64),
    "topics, 16 classes": (CHOOSING["topics, 16 classes"], 50, 64),
    "100 classes, 1,000 annotators": (
        lambda seed: simulated(MANY_CLASSES, people(1000, 0.65), 3, seed),
        15,
        256,
    ),
}


def measure(name, conn_type, seed):
    """Nats of a held-out answer, test accuracy in percent."""
    make, epochs, batch_size = TASKS[name]
    task = make(seed)
    kept, held_out = task.annotations.split(0.15, seed=seed)
    keras.utils.set_random_seed(seed)
    classifier = build(task.x_train.shape[1], task.num_classes)
    crowd = kc.layers.CrowdsClassification(kept.num_annotators, conn_type)
    crowd.adapt(kept)
    model = kc.crowd_model(classifier, crowd, slots=True)
    ids, answers = kept.slots()
    loss = kc.losses.MaskedCrowdCrossEntropy()
    fit(model, keras.optimizers.Adam(1e-3), loss, [task.x_train, ids], answers, epochs, batch_size)
    f = classifier.predict(task.x_train, verbose=0)
    nats = kc.aggregation.held_out_cross_entropy(held_out, kept, f, crowd.confusion()).mean()
    right = classifier.predict(task.x_test, verbose=0).argmax(axis=1) == task.y_test
    keras.utils.clear_session()
    return nats, 100 * right.mean()


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--conn-types", nargs="+", default=CONN_TYPES)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args(argv)
    print("| task | connection | nats of a held-out answer | test accuracy |\n|---|---|---|---|")
    found = {}
    for name in arguments.tasks:
        for conn_type in arguments.conn_types:
            runs = np.array([measure(name, conn_type, seed) for seed in range(arguments.seeds)])
            (nats, accuracy), (nats_spread, spread) = runs.mean(axis=0), runs.std(axis=0)
            found[name, conn_type] = runs
            print(
                f"| {name} | {conn_type} | {nats:.3f} +- {nats_spread:.3f} | {accuracy:.1f} +- {spread:.1f} |",
                flush=True,
            )
    return found


if __name__ == "__main__":
    main()
