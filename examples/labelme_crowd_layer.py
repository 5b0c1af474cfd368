"""Real annotators: LabelMe scenes labeled on MTurk, 59 workers, 2.5 answers per image.

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
    # The first epochs are on the majority vote, so that no class is lost before the annotators are known.
    votes, warm_up = kc.aggregation.majority_vote(data.annotations), min(5, epochs - 1)
    classifier.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    classifier.fit(data.x_train[votes >= 0], votes[votes >= 0], batch_size=64, epochs=warm_up, verbose=0)
    # Then the answers. Each annotator is seen in few batches, so the crowd layer learns ten times as fast.
    model = kc.crowd_model(classifier, crowd)
    optimizer = kc.optimizers.crowd_optimizer(model, keras.optimizers.Adam(1e-3), learning_rate=1e-2)
    model.compile(optimizer, kc.losses.MaskedCrowdCrossEntropy())
    answers = data.annotations.dense()
    kc.validate(model, data.x_train, answers)
    model.fit(data.x_train, answers, batch_size=64, epochs=epochs - warm_up, verbose=0)
    return classifier, crowd


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
