"""Ratings instead of classes: how many stars a review stands for, from 135 MTurk workers, 5 ratings a review.

    KERAS_CROWD_DATA=folder python examples/moviereviews_crowd_regression.py

Needs `moviereviews.npz` and its texts (see `keras_crowd.datasets.moviereviews`). Prints test R2 for the mean answer,
the truth that Raykar et al.'s EM finds in the answers alone, the crowd layer and gold; then the annotators it holds
for the most and the least precise. Exports the regressor, which gives ratings on the answers' standardized scale.
"""

import keras
import numpy as np
from comparison import SAVED_MODELS
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

import keras_crowd as kc


def features(data, num_components=300):
    """TF-IDF of both splits on its leading directions, fitted on the training texts only."""
    tfidf = TfidfVectorizer(sublinear_tf=True, min_df=3, max_features=10_000)
    directions = TruncatedSVD(num_components, random_state=0)
    x_train = directions.fit_transform(tfidf.fit_transform(data.x_train))
    x_test = directions.transform(tfidf.transform(data.x_test))
    return x_train.astype("float32"), x_test.astype("float32")


def build(num_features):
    return keras.Sequential(
        [
            keras.Input((num_features,)),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )


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


def print_annotators(crowd, annotations, y_train, std, count=3):
    """Bias and spread as learned, and against gold, which the layer has not seen. From 0 to 10."""
    gold = kc.aggregation.deviations(annotations, y_train)
    answered = annotations.answers_per_annotator()
    order = (-crowd.precision()).argsort()
    print(f"\n{'annotator':<12}{'answers':>8}{'bias':>8}{'on gold':>9}{'spread':>9}{'RMSE on gold':>14}")
    for r in [*order[:count], *order[-count:]]:
        bias, spread = std * crowd.bias()[r], std / np.sqrt(crowd.precision()[r])
        print(
            f"{r!s:<12}{answered[r]:>8}{bias:>8.2f}{gold.bias[r]:>9.2f}{spread:>9.2f}{gold.rmse[r]:>14.2f}"
        )


def main(epochs=20, seeds=1, folder=SAVED_MODELS):
    data = kc.datasets.moviereviews.load_data()
    annotations = data.annotations
    print(annotations, "\n")
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
    low, high = found["mean answer"].mean(), found["gold"].mean()
    print(f"{'trained on':<16}{'test R2':>16}{'gap closed':>13}")
    for name, values in found.items():
        gap = (values.mean() - low) / max(high - low, 1e-9)
        print(f"{name:<16}{100 * values.mean():>9.1f} +- {100 * values.std():.1f}{gap:>13.2f}")
    print_annotators(crowd, annotations, data.y_train, std)
    last.export(folder / "moviereviews", verbose=False)
    return found


if __name__ == "__main__":
    main()
