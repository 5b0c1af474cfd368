"""Regression from crowds on MovieReviews: test R2, MAE and RMSE on the scale of 0 to 10, over seeds.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/regression.py
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/regression.py --choose      # held-out answers
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/regression.py --annotators "B, variances"

One protocol for all rows: TF-IDF on its 500 leading directions, fitted on the training texts only; Dense 64 with
dropout .5; Adam 1e-3, 10 times that for the annotators; 20 epochs in batches of 64; the last epoch. Answers are
standardized by the answers' own mean and spread, and predictions are taken back the same way. Gold is used in the rows
"gold" and to judge; but features and the 20 epochs were settled while the rows "gold" and "mean answer" of one seed
were seen. "adapted" is `adapt(answers)`; "20 gold" gives the true ratings of 20 training items, drawn anew for each
seed, to `adapt` or to `EMTrainer`.
`--choose` compares connections and epochs on held-out answers.

*Gap closed* is (method - mean answer) / (gold - mean answer) in R2. The whole crowd rates 0.3 below gold here, which
nothing in the answers can tell: "gold, at the crowd's level" is gold moved by that much. "r" is the correlation
with gold, which no level and no scale changes.
"""

import argparse
import pathlib
import sys

import keras
import numpy as np

import keras_crowd as kc

sys.path.append(str(pathlib.Path(__file__).parents[1] / "examples"))
from moviereviews_crowd_regression import build
from reviews import features

GOLD = "20 gold"
EPOCHS, BATCH_SIZE, LEARNING_RATE, CROWD_RATE = 20, 64, 1e-3, 10
NUM_COMPONENTS = 500
CONN_TYPES = ("S", "B", "S+B", "B+S")


class Scale:
    """The answers' own mean and spread."""

    def __init__(self, annotations):
        self.mean, self.std = annotations.answers.mean(), annotations.answers.std()

    def standardize(self, ratings):
        """From 0 to 10 to what networks like."""
        return (ratings - self.mean) / self.std

    def restore(self, ratings):
        """And back."""
        return ratings * self.std + self.mean


def fit(model, optimizer, loss, x, y, epochs):
    model.compile(optimizer, loss, jit_compile=keras.backend.backend() != "torch")
    model.fit(x, y, epochs=epochs, batch_size=BATCH_SIZE, verbose=0)


class Reviews:
    """MovieReviews as the networks see it."""

    def __init__(self):
        data = kc.datasets.moviereviews.load_data()
        self.x_train, self.x_test = features(data, NUM_COMPONENTS)
        self.annotations, self.y_train, self.y_test = data.annotations, data.y_train, data.y_test
        self.scale = Scale(data.annotations)

    def gold(self, seed):
        """True ratings of 20 reviews, standardized by the answers; `NaN` of the others."""
        chosen = np.random.default_rng(seed).permutation(len(self.y_train))[:20]
        gold = np.full(len(self.y_train), np.nan)
        gold[chosen] = self.scale.standardize(self.y_train[chosen])
        return gold

    def predict(self, regressor, x):
        """Ratings from 0 to 10."""
        return self.scale.restore(regressor.predict(x, batch_size=1000, verbose=0)[:, 0])


def train_on_ratings(reviews, regressor, ratings):
    """Trains on one rating an item."""
    y = reviews.scale.standardize(ratings)
    fit(regressor, keras.optimizers.Adam(LEARNING_RATE), "mse", reviews.x_train, y, EPOCHS)


def train_on_answers(reviews, regressor, annotations, method, seed, epochs=None):
    """Trains under a crowd layer, as "B", "B, variances" or "B, variances, adapted" say; gives the model."""
    conn_type, *options = method.split(", ")
    learn_variance = "variances" in options
    crowd = kc.layers.CrowdsRegression(
        annotations.num_annotators,
        conn_type,
        answers_per_annotator=annotations.answers_per_annotator(),
        learn_variance=learn_variance,
    )
    answers = reviews.scale.standardize(annotations.dense())
    if "adapted" in options:
        crowd.adapt(answers, reviews.gold(seed) if GOLD in options else None)
    model = keras.Sequential([regressor, crowd])
    optimizer = kc.optimizers.crowd_optimizer(
        model, keras.optimizers.Adam(LEARNING_RATE), CROWD_RATE * LEARNING_RATE
    )
    loss = kc.losses.MaskedCrowdGaussian() if learn_variance else kc.losses.MaskedCrowdMeanSquaredError()
    fit(model, optimizer, loss, reviews.x_train, answers, epochs or EPOCHS)
    return model


def on_ratings(ratings):
    return lambda reviews, regressor, seed: train_on_ratings(reviews, regressor, ratings(reviews))


def on_answers(method):
    return lambda reviews, regressor, seed: train_on_answers(
        reviews, regressor, reviews.annotations, method, seed
    )


def em(*options):
    """Expectation maximization, 20 iterations of an epoch."""

    def train(reviews, regressor, seed):
        annotations = reviews.annotations
        answers = reviews.scale.standardize(annotations.dense())
        regressor.compile(keras.optimizers.Adam(LEARNING_RATE), "mse")
        kc.EMTrainer(regressor, seed=seed).fit(
            reviews.x_train,
            answers,
            gold=reviews.gold(seed) if GOLD in options else None,
            iterations=EPOCHS,
            batch_size=BATCH_SIZE,
            verbose=0,
        )

    return train


def at_the_crowds_level(reviews):
    """Gold with the mean of the mean answers."""
    level = kc.aggregation.mean_rating(reviews.annotations).mean()
    return reviews.y_train - reviews.y_train.mean() + level


CROWD_LAYERS = [
    *CONN_TYPES,
    *(f"{conn_type}, variances" for conn_type in CONN_TYPES),
    *(f"{conn_type}, variances, adapted" for conn_type in CONN_TYPES),
    *(f"{conn_type}, variances, adapted, {GOLD}" for conn_type in CONN_TYPES),
]
METHODS = {
    "mean answer": on_ratings(lambda reviews: kc.aggregation.mean_rating(reviews.annotations)),
    "gold": on_ratings(lambda reviews: reviews.y_train),
    "gold, at the crowd's level": on_ratings(at_the_crowds_level),
    "median answer": on_ratings(lambda reviews: kc.aggregation.median_rating(reviews.annotations)),
    "Raykar et al.'s truth": on_ratings(lambda reviews: kc.aggregation.raykar(reviews.annotations).truth),
    **{method: on_answers(method) for method in CROWD_LAYERS},
    "DL-EM": em(),
    f"DL-EM, {GOLD}": em(GOLD),
}


def new_regressor(reviews, seed):
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    return build(reviews.x_train.shape[1])


def scores(reviews, method, seed):
    """Test R2 in percent, MAE, RMSE and correlation."""
    regressor = new_regressor(reviews, seed)
    METHODS[method](reviews, regressor, seed)
    predicted, gold = reviews.predict(regressor, reviews.x_test), reviews.y_test
    error = predicted - gold
    r2 = 100 * (1 - np.mean(error**2) / np.var(gold))
    return r2, np.abs(error).mean(), np.sqrt(np.mean(error**2)), np.corrcoef(predicted, gold)[0, 1]


def benchmark(reviews, methods, seeds):
    print(f"\n## MovieReviews: {reviews.annotations}, {seeds} seeds, {keras.backend.backend()}\n")
    print("| method | R2 | MAE | RMSE | r | gap closed |\n|---|---|---|---|---|---|", flush=True)
    found = {}
    for method in dict.fromkeys([*list(METHODS)[:2], *methods]):
        runs = np.array([scores(reviews, method, seed) for seed in range(seeds)])
        found[method] = runs
        mean, std = runs.mean(axis=0), runs.std(axis=0)
        cells = [f"{m:.{d}f} +- {s:.{d}f}" for m, s, d in zip(mean, std, (1, 3, 3, 3), strict=True)]
        print("|", " | ".join([method, *cells, gap_closed(found, method)]), "|", flush=True)
    return found


def gap_closed(found, method):
    if "gold" not in found:
        return ""
    low, high = (found[name][:, 0].mean() for name in ("mean answer", "gold"))
    return f"{(found[method][:, 0].mean() - low) / (high - low):.2f}"


def choose(reviews, seeds, methods, epochs=(10, 20, 40)):
    """Root mean squared error and nats of a held-out answer (15 %), on the answers' scale."""
    print(f"\n## MovieReviews: answers held out, {seeds} splits\n")
    print("| method | epochs | RMSE | nats |\n|---|---|---|---|", flush=True)
    found = {}
    for method in methods:
        for count in epochs:
            runs = [held_out(reviews, method, count, seed) for seed in range(seeds)]
            rmse, nats = found[method, count] = np.mean(runs, axis=0)
            print(f"| {method} | {count} | {rmse:.3f} | {nats:.3f} |", flush=True)
    return found


def held_out(reviews, method, epochs, seed):
    """Without learned variances the nats are those of the one variance that suits the held-out answers best."""
    kept, held = reviews.annotations.split(0.15, seed=seed)
    regressor = new_regressor(reviews, seed)
    model = train_on_answers(reviews, regressor, kept, method, seed, epochs)
    y = model.predict(reviews.x_train, batch_size=500, verbose=0)
    answers, std = reviews.scale.standardize(held.dense()), reviews.scale.std
    squared = kc.metrics.CrowdRootMeanSquaredError()
    squared.update_state(answers, y)
    rmse = float(squared.result())
    if "variances" not in method:
        return rmse * std, 0.5 * np.log(2 * np.pi * np.e * (rmse * std) ** 2)
    nats = kc.metrics.CrowdGaussianCrossEntropy()
    nats.update_state(answers, y)
    return rmse * std, float(nats.result()) + np.log(std)


def annotators(reviews, method, seeds):
    """Correlation of annotators' bias and RMSE, against estimates of the truth, with those against gold."""
    annotations = reviews.annotations
    gold = kc.aggregation.deviations(annotations, reviews.y_train)
    by_network = []
    for seed in range(seeds):
        regressor = new_regressor(reviews, seed)
        train_on_answers(reviews, regressor, annotations, method, seed)
        predicted = reviews.predict(regressor, reviews.x_train)
        by_network.append(kc.aggregation.raykar(annotations, predicted).truth)
    estimates = {
        "mean answer": [kc.aggregation.mean_rating(annotations)],
        "Raykar et al.": [kc.aggregation.raykar(annotations).truth],
        f"Raykar et al. around the predictions of {method}": by_network,
    }
    print("\n## MovieReviews: annotators against gold (Pearson)\n")
    print("| truth estimated by | bias | RMSE |\n|---|---|---|")
    for name, truths in estimates.items():
        found = [kc.aggregation.deviations(annotations, truth) for truth in truths]
        pairs = [[np.corrcoef(a, b)[0, 1] for a, b in zip(one, gold, strict=True)] for one in found]
        bias, rmse = np.mean(pairs, axis=0)
        print(f"| {name} | {bias:.3f} | {rmse:.3f} |", flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS), metavar="ROW")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--choose", action="store_true", help="print the table of held-out answers instead")
    parser.add_argument(
        "--annotators", metavar="CONN_TYPE", choices=CROWD_LAYERS, help="judge the annotators"
    )
    arguments = parser.parse_args(arguments)
    reviews = Reviews()
    if arguments.choose:
        methods = [method for method in arguments.methods if method in CROWD_LAYERS]
        return choose(reviews, arguments.seeds, methods)
    if arguments.annotators:
        return annotators(reviews, arguments.annotators, arguments.seeds)
    return benchmark(reviews, arguments.methods, arguments.seeds)


if __name__ == "__main__":
    main()
