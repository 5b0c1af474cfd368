"""Regression from crowds on MovieReviews: test R2, MAE and RMSE on the scale of 0 to 10, over seeds.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/regression.py
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/regression.py --choose   # held-out answers

One protocol for all rows: TF-IDF of words and pairs of words, fitted on the training texts only, a dense network,
Adam, the last epoch. Answers are standardized by the answers' own mean and spread, and predictions are taken back
the same way; gold is used in the row "gold" and to judge, and for nothing else. What is to be chosen (the
connection, the variances, the epochs) is chosen on held-out answers: the row "chosen".

*Gap closed* is (method - mean answer) / (gold - mean answer) in R2. The whole crowd rates 0.3 below gold here, which
nothing in the answers can tell: "gold, at the crowd's level" is gold moved by that much, and as far as one can get.
"""

import keras
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

import keras_crowd as kc

EPOCHS, BATCH_SIZE, LEARNING_RATE, CROWD_RATE = 40, 64, 1e-3, 10
CONN_TYPES = ("S", "B", "S+B", "B+S")


def features(data):
    """TF-IDF of both splits, float32."""
    tfidf = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=3, max_features=10_000)
    x_train = tfidf.fit_transform(data.x_train)
    return [x.toarray().astype("float32") for x in (x_train, tfidf.transform(data.x_test))]


class Scale:
    """The answers' own mean and spread."""

    def __init__(self, annotations):
        self.mean, self.std = annotations.answers.mean(), annotations.answers.std()

    def standardize(self, ratings):
        return (ratings - self.mean) / self.std

    def restore(self, ratings):
        return ratings * self.std + self.mean


def build(num_features):
    return keras.Sequential(
        [
            keras.Input((num_features,)),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )


def fit(model, optimizer, loss, x, y, epochs):
    model.compile(optimizer, loss, jit_compile=keras.backend.backend() != "torch")
    model.fit(x, y, epochs=epochs, batch_size=BATCH_SIZE, verbose=0)


def train_on_ratings(regressor, x, ratings, epochs=EPOCHS):
    """Trains on one rating an item, leaving out those without (NaN)."""
    known = ~np.isnan(ratings)
    fit(regressor, keras.optimizers.Adam(LEARNING_RATE), "mse", x[known], ratings[known], epochs)


def train_on_answers(regressor, x, annotations, conn_type, learn_variance, scale, epochs=EPOCHS):
    """Trains under a crowd layer; gives the model."""
    crowd = kc.layers.CrowdsRegression(
        annotations.num_annotators,
        conn_type,
        answers_per_annotator=annotations.answers_per_annotator(),
        learn_variance=learn_variance,
    )
    model = keras.Sequential([regressor, crowd])
    optimizer = kc.optimizers.crowd_optimizer(
        model, keras.optimizers.Adam(LEARNING_RATE), CROWD_RATE * LEARNING_RATE
    )
    loss = kc.losses.MaskedCrowdGaussian() if learn_variance else kc.losses.MaskedCrowdMeanSquaredError()
    fit(model, optimizer, loss, x, scale.standardize(annotations.dense()), epochs)
    return model
