"""The main job: train on the answers of a careless crowd, look at the annotators, export the classifier.

    python examples/digits_crowd_layer.py

Offline: scikit-learn's digits, labeled by 30 weak machine annotators. Prints a comparison, draws the
confusion matrices of the annotators trusted most and least, and exports a SavedModel.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from comparison import (
    SAVED_MODELS,
    compare,
    digits_classifier,
    digits_from_a_careless_crowd,
    print_annotators,
    print_table,
    train_on_answers,
)

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


def main(epochs=40, seeds=3, folder=SAVED_MODELS):
    data = digits_from_a_careless_crowd()
    print(data.annotations, "\n")
    found, (classifier, crowd) = compare(
        digits_classifier, data, train_on_crowd, epochs=epochs, seeds=seeds
    )
    print_table(found)
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
