"""Ratings instead of classes: how many stars a review stands for, from 135 MTurk workers, 5 ratings per review.

    KERAS_CROWD_DATA=folder python examples/moviereviews_crowd_regression.py

Needs `moviereviews.npz` and its texts (see `keras_crowd.datasets.moviereviews`). Prints test R2 for the mean answer,
the EM of Raykar et al., the crowd layer and gold, and the annotators. Exports the regressor on standardized ratings.
"""

import keras
import numpy as np
from comparison import SAVED_MODELS
from reviews import features, print_annotators, print_scores

import keras_crowd as kc


def build(num_features):
    layers = [keras.layers.Dense(64, "relu"), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input((num_features,)), *layers])


def train_on_ratings(regressor, x, y, epochs):
    regressor.compile(keras.optimizers.Adam(1e-3), "mse")
    regressor.fit(x, y, epochs=epochs, batch_size=64, verbose=0)


def train_on_answers(regressor, x, annotations, answers, epochs):
    """Each annotator has a bias and a variance; both learn at 10 times the regressor's rate."""
    crowd = kc.layers.CrowdsRegression(
        annotations.num_annotators,
        "B",
        answers_per_annotator=annotations.answers_per_annotator(),
        learn_variance=True,
    )
    model = kc.crowd_model(regressor, crowd)
    optimizer = kc.optimizers.crowd_optimizer(model, keras.optimizers.Adam(1e-3), learning_rate=1e-2)
    model.compile(optimizer, kc.losses.MaskedCrowdGaussian())
    kc.validate(model, x, answers)
    model.fit(x, answers, epochs=epochs, batch_size=64, verbose=0)
    return crowd


def main(epochs=20, seeds=1, folder=SAVED_MODELS):
    data = kc.datasets.moviereviews.load_data()
    annotations = data.annotations
    x_train, x_test = features(data)
    mean, std = annotations.answers.mean(), annotations.answers.std()  # of the answers, never of gold
    truths = {
        "mean answer": kc.aggregation.mean_rating(annotations),
        "Raykar et al.": kc.aggregation.raykar(annotations).truth,
        "gold": data.y_train,
    }
    found = {name: [] for name in ("mean answer", "Raykar et al.", "crowd layer", "gold")}
    for seed in range(seeds):
        for name in found:
            keras.utils.set_random_seed(seed)
            regressor = build(x_train.shape[1])
            if name == "crowd layer":
                answers = (annotations.dense() - mean) / std
                crowd = train_on_answers(regressor, x_train, annotations, answers, epochs)
                last = regressor
            else:
                train_on_ratings(regressor, x_train, (truths[name] - mean) / std, epochs)
            predicted = regressor.predict(x_test, verbose=0)[:, 0] * std + mean
            found[name].append(1 - np.mean((predicted - data.y_test) ** 2) / np.var(data.y_test))
    found = {name: np.array(values) for name, values in found.items()}
    print_scores(found)
    print_annotators(crowd, annotations, data.y_train, std)
    last.export(folder / "moviereviews", verbose=False)
    return found


if __name__ == "__main__":
    main()
