"""What a new user gets, on 26 tasks: test accuracy less the majority vote's, the worst task and the mean.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/zoo.py --half choosing     # what settles defaults
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/zoo.py --half reported     # run once
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/zoo.py --half reported --labels
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/zoo.py --half reported --fit-crowd  # 7 trainings more

One `fit` by Adam 1e-3, batches of 64, 50 epochs, the last epoch; Dense 128 with dropout .5 on the features. Crowds are
drawn anew for each seed. No gold label is used to train, stop or choose, but for the column "gold". *Gap* is (method -
vote) / (gold - vote), of means; a tie of the vote is broken at random. "Lost" counts seeds in which a class that the
answers use is predicted for no training item.
"""

import argparse

import keras
import numpy as np
from quality import build, fit, train_on_labels
from zoo_tasks import CHOOSING, REPORTED

import keras_crowd as kc

HALVES = {"choosing": CHOOSING, "reported": REPORTED}
KINDS = ("hierarchical", "full", "class_wise", "one_coin")
EPOCHS, BATCH_SIZE = 50, 64


def vote(task, seed):
    return kc.aggregation.majority_vote(task.annotations, ties="random", seed=seed)


def on_crowd(conn_type, adapted):
    """The snippet of the README."""

    def train(classifier, task, seed, epochs):
        crowd = kc.layers.CrowdsClassification(task.annotations.num_annotators, conn_type)
        if adapted:
            crowd.adapt(task.annotations)
        model = kc.crowd_model(classifier, crowd, slots=True)
        ids, answers = task.annotations.slots()
        optimizer = keras.optimizers.Adam(1e-3)
        fit(model, optimizer, kc.losses.MaskedCrowdCrossEntropy(), [task.x_train, ids], answers, epochs)

    return train


METHODS = {
    "vote": lambda classifier, task, seed, epochs: train_on_labels(
        classifier, task.x_train, vote(task, seed), epochs
    ),
    "gold": lambda classifier, task, seed, epochs: train_on_labels(
        classifier, task.x_train, task.y_train, epochs
    ),
    "MW, the papers' start": on_crowd("MW", adapted=False),
    "CM, adapted": on_crowd("CM", adapted=True),
}


def fit_crowd(classifier, task, seed, epochs):
    """The defaults; 50 epochs or 1,000 steps."""
    fewer = {} if epochs == EPOCHS else {"epochs": epochs}
    kc.fit_crowd(classifier, task.x_train, task.annotations, seed=seed, verbose=0, **fewer)


def measure(train, task, used, seed, epochs):
    """Test accuracy in percent, and whether a class was lost that the answers use."""
    keras.utils.set_random_seed(seed)
    classifier = build(task.x_train.shape[1], task.num_classes)
    train(classifier, task, seed, epochs)
    right = classifier.predict(task.x_test, verbose=0).argmax(axis=1) == task.y_test
    predicted = classifier.predict(task.x_train, verbose=0).argmax(axis=1)
    lost = len(np.setdiff1d(used, predicted)) > 0
    keras.utils.clear_session()
    return 100 * right.mean(), lost


def trained(tasks, seeds, epochs, names=None, methods=METHODS):
    """Prints a row a task; returns the accuracies, `(methods, seeds)` by task."""
    print("| task | " + " | ".join(methods) + " | less the vote, lowest seed | gap | lost |")
    print("|" + "---|" * (len(methods) + 4), flush=True)
    found = {}
    for name in names or tasks:
        made = [tasks[name](seed) for seed in range(seeds)]
        used = [np.unique(kc.aggregation.dawid_skene(task.annotations).labels) for task in made]
        runs = np.array(
            [[measure(m, made[s], used[s], s, epochs) for s in range(seeds)] for m in methods.values()]
        )
        found[name] = accuracy = runs[..., 0]
        of_vote, gold, *_, ours = accuracy
        cells = [f"{row.mean():.1f} +- {row.std():.1f}" for row in accuracy]
        gap = (ours.mean() - of_vote.mean()) / (gold.mean() - of_vote.mean())
        lowest, lost = (ours - of_vote).min(), int(runs[-1, :, 1].sum())
        print(f"| {name} | {' | '.join(cells)} | {lowest:+.1f} | {gap:.2f} | {lost} |", flush=True)
    gains = {m: [(row[i] - row[0]).mean() for row in found.values()] for i, m in enumerate(methods)}
    for method, values in gains.items():
        print(
            f"\n{method}: {np.mean(values):+.1f} on average, {np.min(values):+.1f} on the worst task",
            end="",
        )
    print()
    return found


def labelled(tasks, seeds, names=None):
    """Accuracy of the labels of the training items, from the answers alone."""
    print("| task | vote | " + " | ".join(KINDS) + " |\n|" + "---|" * (len(KINDS) + 2), flush=True)
    found = {}
    for name in names or tasks:
        made = [tasks[name](seed) for seed in range(seeds)]
        rows = [[np.mean(vote(task, s) == task.y_train) for s, task in enumerate(made)]]
        for kind in KINDS:
            labels = (kc.aggregation.dawid_skene(task.annotations, confusion=kind).labels for task in made)
            rows.append([np.mean(of == task.y_train) for of, task in zip(labels, made, strict=True)])
        found[name] = 100 * np.array(rows)
        cells = " | ".join(f"{row.mean():.1f} +- {row.std():.1f}" for row in found[name])
        print(f"| {name} | {cells} |", flush=True)
    return found


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--half", choices=list(HALVES), default="choosing")
    parser.add_argument("--tasks", nargs="+", metavar="TASK", help="only these")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument(
        "--labels", action="store_true", help="labels from the answers alone, without training"
    )
    parser.add_argument(
        "--fit-crowd", action="store_true", help="`fit_crowd` as well, the last of the columns"
    )
    arguments = parser.parse_args(argv)
    methods = {**METHODS, "fit_crowd": fit_crowd} if arguments.fit_crowd else METHODS
    tasks = HALVES[arguments.half]
    if arguments.labels:
        return labelled(tasks, arguments.seeds, arguments.tasks)
    return trained(tasks, arguments.seeds, arguments.epochs, arguments.tasks, methods)


if __name__ == "__main__":
    main()
