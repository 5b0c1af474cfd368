"""What the examples share: data, one classifier trained on four kinds of labels, a table of the outcome."""

import pathlib

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix

import keras_crowd as kc

SAVED_MODELS = pathlib.Path(__file__).parents[1] / "saved_models"


def digits_from_a_careless_crowd(num_careful=6, num_careless=24, answers_per_item=2, seed=0):
    """scikit-learn's digits, labeled by machine annotators as in ICLR-23.

    Each annotator is a weak classifier trained on a few digits of its own: the careful ones on 200 to
    250, the careless ones on 8 to 18. Every digit is labeled by two annotators drawn at random.
    """
    x, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    x, y = (x[order] / 16).astype("float32"), y[order].astype("int32")
    sizes = [*rng.integers(200, 250, num_careful), *rng.integers(8, 18, num_careless)]
    annotations = kc.datasets.machine_annotators(
        x[:1300], y[:1300], len(sizes), train_size=sizes, answers_per_item=answers_per_item, seed=seed
    )
    return kc.datasets.CrowdDataset(
        x[:1300], annotations, y[:1300], x[1300:], y[1300:], tuple(map(str, range(10)))
    )


def digits_classifier():
    """A small network from 64 pixels to 10 classes."""
    return keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(128, "relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, "softmax"),
        ]
    )


def train_on_labels(classifier, x, y, *, epochs, batch_size=64):
    """Trains on one label per item; items without a label (-1) are left out."""
    # Twenty steps per call of the backend are the same steps in less time.
    classifier.compile(
        keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", steps_per_execution=20
    )
    labeled = y >= 0
    classifier.fit(x[labeled], y[labeled], epochs=epochs, batch_size=batch_size, verbose=0)
    return classifier


def accuracy(classifier, x, y):
    """Share of items whose most probable class is the gold one."""
    return float(np.mean(classifier.predict(x, verbose=0).argmax(axis=1) == y))


def compare(build, data, train_on_crowd, *, epochs, seeds):
    """Test accuracies of majority vote, Dawid-Skene labels, the crowd layer and gold, one per seed.

    Args:
        build: Makes the classifier.
        data: A `keras_crowd.datasets.CrowdDataset`.
        train_on_crowd: Called as `train_on_crowd(classifier, data, epochs=...)`; gives the trained
            (classifier, crowd layer).
        epochs: Epochs of every training.
        seeds: How many seeds.

    Returns:
        Accuracies by method, each `(seeds,)`, and the last (classifier, crowd).
    """
    labels = {
        "majority vote": lambda seed: kc.aggregation.majority_vote(
            data.annotations, ties="random", seed=seed
        ),
        "Dawid-Skene": lambda seed: kc.aggregation.dawid_skene(data.annotations).labels,
        "gold": lambda seed: data.y_train,
    }
    found = {name: [] for name in ("majority vote", "Dawid-Skene", "crowd layer", "gold")}
    for seed in range(seeds):
        for name in found:
            keras.utils.set_random_seed(seed)
            if name == "crowd layer":
                trained, crowd = train_on_crowd(build(), data, epochs=epochs)
            else:
                trained = train_on_labels(build(), data.x_train, labels[name](seed), epochs=epochs)
            found[name].append(accuracy(trained, data.x_test, data.y_test))
            if name == "crowd layer":
                last = trained, crowd
        print(
            f"seed {seed}: " + ", ".join(f"{name} {100 * found[name][-1]:.1f}" for name in found),
            flush=True,
        )
    return {name: np.array(values) for name, values in found.items()}, last


def print_table(found):
    """Mean, spread and gap closed of each method."""
    low, high = found["majority vote"].mean(), found["gold"].mean()
    print(f"\n{'trained on':<16}{'test accuracy':>18}{'gap closed':>13}")
    for name, values in found.items():
        mean, spread = 100 * values.mean(), 100 * values.std()
        print(
            f"{name:<16}{mean:>11.1f} +- {spread:.1f} %{(values.mean() - low) / max(high - low, 1e-9):>12.2f}"
        )


def explain_dawid_skene(found, data):
    """Says why better labels can make a worse classifier, where they did."""
    if found["Dawid-Skene"].mean() >= found["majority vote"].mean():
        return
    by_vote = kc.aggregation.majority_vote(data.annotations, ties="random", seed=0)
    by_dawid_skene = kc.aggregation.dawid_skene(data.annotations).labels
    print(
        "\nThe row of Dawid-Skene is below the vote's although its labels are right more often:\n"
        f"  majority vote {wrong_labels(by_vote, data.y_train)}\n"
        f"  Dawid-Skene   {wrong_labels(by_dawid_skene, data.y_train)}\n"
        "Errors that scatter average out in training; errors that go one way are learned. Two answers per digit, most\n"
        "of them wrong, are too few for Dawid-Skene: look at both rows before you trust its labels or its start."
    )


def wrong_labels(labels, truth):
    """How many labels are right, and the class whose errors go one way most often."""
    confusion = confusion_matrix(truth, labels, normalize="true")
    np.fill_diagonal(confusion, 0)
    k, wrong = np.unravel_index(confusion.argmax(), confusion.shape)
    right = 100 * np.mean(labels == truth)
    return (
        f"{right:.0f} % right; at worst {100 * confusion[k, wrong]:.0f} % of the {k}s are labeled {wrong}"
    )


def estimated_accuracy(classifier, crowd, data):
    """How often each annotator is right on the items it answered, without gold labels."""
    seen = kc.aggregation.annotator_class_prior(
        data.annotations, classifier.predict(data.x_train, verbose=0)
    )
    return kc.aggregation.annotator_accuracy(crowd.confusion(), seen)


def print_annotators(classifier, crowd, data, count=3):
    """The annotators trusted least and most, and how good they really are."""
    annotations = data.annotations
    estimated = estimated_accuracy(classifier, crowd, data)
    gold = kc.aggregation.agreement(annotations, data.y_train)
    order = estimated.argsort()
    answered = annotations.answers_per_annotator()
    print(f"\n{'annotator':<12}{'answers':>8}{'estimated accuracy':>20}{'on gold':>10}")
    for r in [*order[:count], *order[-count:]]:
        name, percent = str(annotations.annotators[r]), 100 * estimated[r]
        print(f"{name:<12}{answered[r]:>8}{percent:>18.0f} %{100 * gold[r]:>8.0f} %")
    return order
