"""The main job: train on the answers of a careless crowd, look at the annotators, export the classifier.

    python examples/digits_crowd_layer.py

Offline: scikit-learn's digits, labeled by 30 weak machine annotators. Prints a comparison, draws the
confusion matrices of the annotators trusted most and least, and exports a SavedModel.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from comparison import (
    SAVED_MODELS,
    compare,
    digits_classifier,
    digits_from_a_careless_crowd,
    print_annotators,
    print_table,
    train_on_answers,
)
from sklearn.metrics import confusion_matrix

import keras_crowd as kc


def train_on_crowd(classifier, data, epochs):
    crowd = kc.layers.CrowdsClassification(
        data.annotations.num_annotators, conn_type="CM", initial_accuracy=0.5
    )
    return train_on_answers(classifier, crowd, data, epochs=epochs)


def draw_confusions(confusion, annotators, path):
    """One panel an annotator: what it answers (columns) to each digit (rows)."""
    figure, axes = plt.subplots(
        1, len(annotators), figsize=(3 * len(annotators), 3.3), layout="constrained"
    )
    for axis, (title, r) in zip(axes, annotators, strict=True):
        image = axis.imshow(confusion[r], vmin=0, vmax=1, cmap="viridis")
        axis.set(title=f"{title}: annotator {r}", xlabel="answer", ylabel="true class")
        axis.set_xticks(range(len(confusion[r])))
        axis.set_yticks(range(len(confusion[r])))
    figure.colorbar(image, ax=axes, label="probability")
    figure.savefig(path, dpi=120)
    plt.close(figure)


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
        "Errors that scatter average out in training; errors that go one way are learned. Two answers a digit, most\n"
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


def main(epochs=40, seeds=3, folder=SAVED_MODELS):
    data = digits_from_a_careless_crowd()
    print(data.annotations, "\n")
    found, (classifier, crowd) = compare(
        digits_classifier, data, train_on_crowd, epochs=epochs, seeds=seeds
    )
    print_table(found)
    explain_dawid_skene(found, data)
    order = print_annotators(classifier, crowd, data)
    draw_confusions(
        crowd.confusion(),
        [("least trusted", order[0]), ("next", order[1]), ("next", order[-2]), ("most trusted", order[-1])],
        folder / "digits_annotators.png",
    )
    classifier.export(folder / "digits", verbose=False)
    print(f"\nexported the classifier to {folder / 'digits'}")
    print(f"drew four annotators in {folder / 'digits_annotators.png'}")
    return found


if __name__ == "__main__":
    main()
