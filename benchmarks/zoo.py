"""What a new user gets, on 30 tasks: test accuracy less the majority vote's, the worst task and the mean.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/zoo.py --half choosing     # what settles defaults
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/zoo.py --half reported     # run once
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/zoo.py --half reported --methods fit_crowd EM joint
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/zoo.py --half reported --labels
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/zoo.py --half "few answers" --methods fit_crowd

Trained by Adam 1e-3, batches of 64, 50 epochs, the last epoch; Dense 128 with dropout .5 on the features. Crowds are
drawn anew for each seed. No gold label is used to train, stop or choose, but for the column "gold". *Gap* is (method -
vote) / (gold - vote), of means; a tie of the vote is broken at random. "Lost" counts seeds in which a class that the
answers use is predicted for no training item. "CM, adapted" is one `fit` after `crowd.adapt`, "fit_crowd" takes up to
7 trainings, "fit_crowd, weights" chooses its weight where items have one answer as well, "EM, chosen" has
`answer_weight="auto"`, 3 trainings. `--record FILE` writes a line of JSON for each run and skips the runs that FILE
has. The tasks with few answers settled what `fit_crowd` does with these.
"""

import argparse
import json
import pathlib

import keras
import numpy as np
from quality import build
from zoo_methods import EPOCHS, METHODS, REFERENCES, vote
from zoo_tasks import CHOOSING, FEW_ANSWERS, REPORTED

import keras_crowd as kc

HALVES = {"choosing": CHOOSING, "reported": REPORTED, "few answers": FEW_ANSWERS}
KINDS = ("hierarchical", "full", "class_wise", "one_coin")
DEFAULT_METHODS = ("MW, the papers' start", "CM, adapted")


class Record:
    """The runs that were made, in a file of one line of JSON for each, if there is a file."""

    def __init__(self, path):
        self.path = None if path is None else pathlib.Path(path)
        lines = self.path.read_text().splitlines() if self.path and self.path.exists() else []
        self.runs = {tuple(run["of"]): (run["accuracy"], run["lost"]) for run in map(json.loads, lines)}

    def run(self, of, measure):
        """Accuracy, and whether a class was lost: as recorded, or measured now."""
        if of not in self.runs:
            accuracy, lost = self.runs[of] = measure()
            if self.path:
                with self.path.open("a") as file:
                    print(json.dumps({"of": of, "accuracy": accuracy, "lost": lost}), file=file)
        return self.runs[of]


def measure(train, task, seed, epochs):
    """Test accuracy in percent, and whether a class was lost that the answers use."""
    used = np.unique(kc.aggregation.dawid_skene(task.annotations).labels)
    keras.utils.set_random_seed(seed)
    classifier = build(task.x_train.shape[1], task.num_classes)
    made = train(classifier, task, seed, epochs)
    classifier = made if isinstance(made, keras.Model) else classifier
    right = classifier.predict(task.x_test, verbose=0).argmax(axis=1) == task.y_test
    predicted = classifier.predict(task.x_train, verbose=0).argmax(axis=1)
    keras.utils.clear_session()
    return float(100 * right.mean()), len(np.setdiff1d(used, predicted)) > 0


def trained(tasks, methods, seeds, epochs, record):
    """Runs by task, `(methods, seeds, 2)`: accuracy, and whether a class was lost."""
    found = {name: np.empty((len(methods), seeds, 2)) for name in tasks}
    for seed in range(seeds):
        for name, make in tasks.items():
            task = make(seed)
            for i, (method, train) in enumerate(methods.items()):
                of = (name, method, seed, epochs)
                found[name][i, seed] = record.run(
                    of, lambda train=train, task=task, seed=seed: measure(train, task, seed, epochs)
                )
    return found


def gains(runs):
    """Returns, per method, accuracy less that of the vote of the same seed, and the same over what gold gains."""
    accuracy = runs[..., 0]
    gain = accuracy - accuracy[0]
    return gain, gain.mean(axis=1) / gain[1].mean()


def print_tasks(found, methods):
    """A row per task: accuracies, gaps of the methods."""
    ours = list(methods)[len(REFERENCES) :]
    print("| task | " + " | ".join([*methods, *(f"gap, {name}" for name in ours)]) + " |")
    print("|" + "---|" * (1 + len(methods) + len(ours)))
    for name, runs in found.items():
        cells = [f"{row.mean():.1f} +- {row.std():.1f}" for row in runs[..., 0]]
        gaps = [f"{gap:.2f}" for gap in gains(runs)[1][len(REFERENCES) :]]
        print(f"| {name} | {' | '.join(cells + gaps)} |")


def print_methods(found, methods):
    """A row a method: means over the tasks, the worst, and what went wrong."""
    print(
        "\n| method | less the vote, mean | gap, mean | gap, median | on the worst task "
        "| tasks below the vote by more than its spread | runs below the vote | lost |"
    )
    print("|" + "---|" * 8)
    for i, method in list(enumerate(methods))[len(REFERENCES) :]:
        gain = np.array([gains(runs)[0][i] for runs in found.values()])
        gap = np.array([gains(runs)[1][i] for runs in found.values()])
        spread = np.array([runs[0, :, 0].std() for runs in found.values()])
        worst = gain.mean(axis=1).argmin()
        lost = int(sum(runs[i, :, 1].sum() for runs in found.values()))
        print(
            f"| {method} | {gain.mean():+.1f} | {gap.mean():.2f} | {np.median(gap):.2f} "
            f"| {gain.mean(axis=1)[worst]:+.1f} ({list(found)[worst]}) "
            f"| {np.sum(gain.mean(axis=1) < -spread)} | {np.sum(gain < 0)} of {gain.size} | {lost} |"
        )


def labelled(tasks, seeds):
    """Accuracy of the labels of the training items, from the answers alone."""
    print("| task | vote | " + " | ".join(KINDS) + " |\n|" + "---|" * (len(KINDS) + 2), flush=True)
    found = {}
    for name, make in tasks.items():
        made = [make(seed) for seed in range(seeds)]
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
    parser.add_argument(
        "--methods", nargs="+", metavar="METHOD", choices=list(METHODS), default=DEFAULT_METHODS
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--record", metavar="FILE", help="keep each run here, and skip those that are kept")
    parser.add_argument(
        "--labels", action="store_true", help="labels from the answers alone, without training"
    )
    arguments = parser.parse_args(argv)
    half = HALVES[arguments.half]
    tasks = {name: half[name] for name in arguments.tasks or half}
    if arguments.labels:
        return labelled(tasks, arguments.seeds)
    methods = {**REFERENCES, **{name: METHODS[name] for name in arguments.methods}}
    found = trained(tasks, methods, arguments.seeds, arguments.epochs, Record(arguments.record))
    print_tasks(found, methods)
    print_methods(found, methods)
    return found


if __name__ == "__main__":
    main()
