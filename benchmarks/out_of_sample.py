"""Labels of training items, with what a classifier predicts of items that it has seen the answers to, or has not.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/out_of_sample.py --tasks "digits, 1 answer" --seeds 3

First the accuracy in % of labels of the training items, on gold labels that are used for nothing else. "labels" are
those of `fit_crowd(weights=0.5)`: the posterior given the answers to the item and the prediction of a classifier that
was trained on them. "out of sample" has the predictions of five more trainings in their place
(`selection.out_of_sample_predictions`), and the confusions are counted against these; "predictions" are these alone.

Then the test accuracy of classifiers: trained on the vote, by `fit_crowd(weights=0.5)`, on the posterior of "out of
sample", and on gold labels. 50 epochs, or as many as 1,000 steps take.
"""

import argparse
import functools

import keras
import numpy as np
from quality import BATCH_SIZE, build, fit
from table_pages import spread
from zoo_methods import vote
from zoo_tasks import _cancer, _digits, _task, people, real

import keras_crowd as kc

TASKS = {
    "digits, 1 answer": _task(_digits, people(40, 0.6), 1),
    "digits, 2 answers": _task(_digits, people(40, 0.6), 2),
    "cancer, 1 answer": _task(_cancer, people(10, 0.75), 1),
    "LabelMe, 1 answer": functools.partial(real, "labelme", answers_per_item=1),
    "LabelMe": functools.partial(real, "labelme"),
    "Music": functools.partial(real, "music"),
}
LABELS = ("vote", "Dawid-Skene", "labels", "out of sample", "predictions")
CLASSIFIERS = ("on the vote", "fit_crowd", "on out of sample", "on gold")
COLUMNS = (*LABELS, *CLASSIFIERS)


def measured(task, seed, epochs=None):
    """The accuracy of each column."""
    epochs = epochs or kc.recipe.default_epochs(len(task.x_train), BATCH_SIZE)
    keras.utils.set_random_seed(seed)
    found = fitted(task, task.annotations, seed, epochs)
    unseen = kc.selection.out_of_sample_predictions(
        lambda annotations, fold: predicted(
            fitted(task, annotations, seed, epochs).classifier, task.x_train
        ),
        task.annotations,
        seed=seed,
    )
    confusions = kc.warm_start.from_labels(task.annotations, unseen)
    posterior = kc.aggregation.posterior(task.annotations, unseen, confusions)
    votes = vote(task, seed)
    labels = [
        votes,
        kc.aggregation.dawid_skene(task.annotations).posterior.argmax(axis=1),
        found.labels,
        posterior.argmax(axis=1),
        unseen.argmax(axis=1),
    ]
    one_hot = np.eye(task.num_classes)
    targets = [one_hot[votes], posterior, one_hot[task.y_train]]
    on_vote, on_posterior, on_gold = (trained(task, target, epochs) for target in targets)
    predictions = [predicted(c, task.x_test) for c in (on_vote, found.classifier, on_posterior, on_gold)]
    of_labels = [100 * np.mean(each == task.y_train) for each in labels]
    return of_labels + [100 * np.mean(each.argmax(axis=1) == task.y_test) for each in predictions]


def fitted(task, annotations, seed, epochs):
    given = {"weights": 0.5, "epochs": epochs, "seed": seed, "verbose": 0}
    return kc.fit_crowd(network(task), task.x_train, annotations, **given)


def trained(task, targets, epochs):
    classifier = network(task)
    fit(classifier, "adam", "categorical_crossentropy", task.x_train, targets, epochs)
    return classifier


def network(task):
    return build(task.x_train.shape[1], task.num_classes)


def predicted(classifier, x):
    return classifier.predict(x, batch_size=1024, verbose=0)


def print_table(columns, found):
    print(f"\n| task | {' | '.join(columns)} |")
    print("|---" * (1 + len(columns)) + "|")
    for name, runs in found.items():
        cells = [spread(runs[:, COLUMNS.index(column)]) for column in columns]
        print(f"| {name} | {' | '.join(cells)} |")


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=None)
    arguments = parser.parse_args(argv)
    found = {}
    for name in arguments.tasks:
        tasks = (TASKS[name](seed) for seed in range(arguments.seeds))
        found[name] = np.array([measured(task, seed, arguments.epochs) for seed, task in enumerate(tasks)])
    print_table(LABELS, found)
    print_table(CLASSIFIERS, found)
    return found


if __name__ == "__main__":
    main()
