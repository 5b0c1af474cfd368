"""Real annotators: LabelMe scenes labeled on MTurk, 59 workers, 2.5 answers an image.

    KERAS_CROWD_DATA=folder python examples/labelme_crowd_layer.py

Needs `labelme.npz` (see `keras_crowd.datasets.labelme`). Prints the comparison, then how well annotators are
ranked by the crowd layer and by their agreement with the majority vote, against their gold accuracy.
"""

import keras
from comparison import (
    SAVED_MODELS,
    compare,
    estimated_accuracy,
    print_annotators,
    print_table,
    train_on_answers,
)
from scipy.stats import spearmanr

import keras_crowd as kc


def build():
    return keras.Sequential(
        [
            keras.Input((512,)),
            keras.layers.Dense(128, "relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(8, "softmax"),
        ]
    )


def train_on_crowd(classifier, data, epochs):
    crowd = kc.layers.CrowdsClassification(data.annotations.num_annotators, conn_type="MW")
    return train_on_answers(classifier, crowd, data, epochs=epochs)


def print_ranking(classifier, crowd, data):
    """Spearman correlation with the annotators' accuracy on gold labels, which no method has seen."""
    gold = kc.aggregation.agreement(data.annotations, data.y_train)
    by_layer = estimated_accuracy(classifier, crowd, data)
    by_vote = kc.aggregation.agreement(data.annotations, kc.aggregation.majority_vote(data.annotations))
    print("\nranking of the annotators against gold (Spearman):")
    print(
        f"  crowd layer {spearmanr(by_layer, gold)[0]:.2f}, majority vote {spearmanr(by_vote, gold)[0]:.2f}"
    )


def main(epochs=50, seeds=3, folder=SAVED_MODELS):
    data = kc.datasets.labelme.load_data()
    print(data.annotations, "\n")
    found, (classifier, crowd) = compare(build, data, train_on_crowd, epochs=epochs, seeds=seeds)
    print_table(found)
    print_annotators(classifier, crowd, data)
    print_ranking(classifier, crowd, data)
    classifier.export(folder / "labelme", verbose=False)
    return found


if __name__ == "__main__":
    main()
