"""Labels of training items, with what a classifier predicts of items that it has seen the answers to, or has not.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/out_of_sample.py --tasks "digits, 1 answer" --seeds 3

Accuracy in %, on gold labels that are used for nothing else. "labels" are those of `fit_crowd(weights=0.5)`: the
posterior given the answers to the item and the prediction of a classifier that was trained on them. "out of sample" has
the predictions of five more trainings in their place (`selection.out_of_sample_predictions`), and the confusions are
counted against these; "predictions" are these alone.
"""

import argparse
import functools

import keras
import numpy as np
from quality import build
from zoo_methods import EPOCHS, vote
from zoo_tasks import _digits, _task, people, real

import keras_crowd as kc

TASKS = {
    "digits, 1 answer": _task(_digits, people(40, 0.6), 1),
    "digits, 2 answers": _task(_digits, people(40, 0.6), 2),
    "LabelMe, 1 answer": functools.partial(real, "labelme", answers_per_item=1),
    "LabelMe": functools.partial(real, "labelme"),
    "Music": functools.partial(real, "music"),
}
COLUMNS = ("vote", "Dawid-Skene", "labels", "out of sample", "predictions")


def labels(task, seed, epochs=EPOCHS):
    """The accuracy of each column."""

    def fitted(annotations):
        classifier = build(task.x_train.shape[1], task.num_classes)
        fit = kc.fit_crowd(
            classifier, task.x_train, annotations, weights=0.5, epochs=epochs, seed=seed, verbose=0
        )
        return fit, classifier.predict(task.x_train, batch_size=1024, verbose=0)

    keras.utils.set_random_seed(seed)
    fit, _ = fitted(task.annotations)
    unseen = kc.selection.out_of_sample_predictions(
        lambda annotations, fold: fitted(annotations)[1], task.annotations, seed=seed
    )
    confusions = kc.warm_start.from_labels(task.annotations, unseen)
    posterior = kc.aggregation.posterior(task.annotations, unseen, confusions)
    found = {
        "vote": vote(task, seed),
        "Dawid-Skene": kc.aggregation.dawid_skene(task.annotations).posterior.argmax(axis=1),
        "labels": fit.labels,
        "out of sample": posterior.argmax(axis=1),
        "predictions": unseen.argmax(axis=1),
    }
    return [100 * np.mean(found[column] == task.y_train) for column in COLUMNS]


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    arguments = parser.parse_args(argv)
    print(f"| task | {' | '.join(COLUMNS)} |")
    print("|---" * (1 + len(COLUMNS)) + "|")
    found = {}
    for name in arguments.tasks:
        runs = [labels(TASKS[name](seed), seed, arguments.epochs) for seed in range(arguments.seeds)]
        found[name] = np.array(runs)
        means = " | ".join(
            f"{m:.1f} +- {s:.1f}" for m, s in zip(np.mean(runs, axis=0), np.std(runs, axis=0), strict=True)
        )
        print(f"| {name} | {means} |", flush=True)
    return found


if __name__ == "__main__":
    main()
