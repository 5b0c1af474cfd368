"""The tasks of `benchmarks/zoo.py`: real crowds, whole and thinned out, and simulated ones on real and drawn features.

The first half, `CHOOSING`, is what defaults are settled on; the second, `REPORTED`, is run once they are settled.
"""

import functools
import gzip
import json
import os
import pathlib
from typing import NamedTuple

import numpy as np
from images import build

import keras_crowd as kc


class Task(NamedTuple):
    """Features and gold labels to train and to test, and the answers to the items to train."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    annotations: kc.Annotations

    @property
    def num_classes(self) -> int:
        return self.annotations.num_classes

    def build(self):
        """A fresh network: dense for features, convolutional for images."""
        return build(self.x_train.shape[1:], self.num_classes)


def file_of_data(name):
    return pathlib.Path(os.environ["KERAS_CROWD_DATA"]) / name


def standardized(train, test):
    mean, deviation = train.mean(axis=0), train.std(axis=0) + 1e-8
    return [((part - mean) / deviation).astype("float32") for part in (train, test)]


def split(x, y, test=0.4, seed=0):
    order = np.random.default_rng(seed).permutation(len(y))
    first = int(len(y) * test)
    return x[order[first:]], y[order[first:]], x[order[:first]], y[order[:first]]


def text_features(train, test, width):
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(
        sublinear_tf=True, min_df=3, max_df=0.5, stop_words="english", max_features=20_000
    )
    counts = words.fit_transform(train)
    components = TruncatedSVD(width, random_state=0)
    return standardized(components.fit_transform(counts), components.transform(words.transform(test)))


# --- real answers ----------------------------------------------------------------------------------


def real(name, seed, items=None, answers_per_item=None):
    """A data set of the package, some of its items and of their answers."""
    data = getattr(kc.datasets, name).load_data()
    rng = np.random.default_rng(seed)
    rows = np.arange(len(data.y_train)) if items is None else rng.permutation(len(data.y_train))[:items]
    table = data.annotations.dense()[rows]
    if answers_per_item:
        chance = np.where(table >= 0, rng.random(table.shape), np.inf)
        kept = answers_per_item
        if kept % 1:  # one more of some items
            kept = np.floor(kept) + (rng.random((len(rows), 1)) < kept % 1)
        table[chance.argsort(axis=1).argsort(axis=1) >= kept] = -1
    annotations = kc.Annotations.from_dense(table, classes=range(data.annotations.num_classes))
    return Task(data.x_train[rows], data.y_train[rows], data.x_test, data.y_test, annotations)


def judges(seed, count=12):
    """Language models who compare two answers; lengths and overlaps of words as features."""
    table = np.load(file_of_data("llmbar_judges.npz"))
    with gzip.open(file_of_data("llmbar_texts.jsonl.gz"), "rt") as file:
        texts = [json.loads(line) for line in file]
    rng = np.random.default_rng(seed)
    kept = np.flatnonzero(table["collection"] != "Processed")
    verdicts = table["verdicts"][..., 0]
    who = rng.permutation(np.flatnonzero((verdicts[kept] >= 0).mean(axis=0) > 0.9))[:count]
    x = np.array([_of_answer(text, "output_1") - _of_answer(text, "output_2") for text in texts])[kept]
    rows_train, y_train, rows_test, y_test = split(np.arange(len(kept)), table["gold"][kept], 0.35, seed)
    annotations = kc.Annotations.from_dense(verdicts[kept][rows_train][:, who], classes=range(2))
    return Task(*_interleave(standardized(x[rows_train], x[rows_test]), (y_train, y_test)), annotations)


def _of_answer(text, which):
    answer, asked = text[which], set(text["instruction"].lower().split())
    words = set(answer.lower().split())
    counts = [
        len(answer),
        np.log1p(len(answer)),
        len(answer.split()),
        answer.count("\n"),
        answer.count(","),
    ]
    return np.array([*counts, len(words & asked) / max(len(words), 1)])


def tokens(seed, items=4000):
    """Tokens of sentences by themselves, with word vectors of their neighbors."""
    data = np.load(file_of_data("ner_mturk.npz"))
    x_train, x_test = (
        _windows(data[f"{part}_tokens"], data[f"{part}_offsets"]) for part in ("train", "test")
    )
    rng = np.random.default_rng(seed)
    rows, tested = rng.permutation(len(x_train))[:items], rng.permutation(len(x_test))[:6000]
    annotations = kc.Annotations.from_dense(data["train_answers"][rows], classes=range(9))
    gold = data["train_gold"][rows], data["test_gold"][tested]
    return Task(x_train[rows], gold[0], x_test[tested], gold[1], annotations)


def _windows(words, offsets):
    glove = np.load(file_of_data("glove_twitter_25d.npz"))
    vectors, nothing = dict(zip(glove["words"], glove["vectors"], strict=True)), np.zeros(25)
    of_word = [
        [*vectors.get(w.lower(), nothing), w[:1].isupper(), w.isupper(), w[:1].isdigit()]
        for w in map(str, words)
    ]
    here = np.array(of_word, "float32")
    starts = np.zeros(len(words), bool)
    starts[offsets[offsets < len(words)]] = True
    before, after = np.roll(here, 1, axis=0), np.roll(here, -1, axis=0)
    before[starts], after[np.roll(starts, -1)] = 0, 0
    return np.concatenate([before, here, after], axis=1)


# --- simulated answers -----------------------------------------------------------------------------


def simulated(features, crowd, answers_per_item, seed):
    x_train, y_train, x_test, y_test = features()
    confusion = crowd(int(max(y_train.max(), y_test.max())) + 1, seed)
    annotations = kc.datasets.simulate_answers(
        y_train, confusion, answers_per_item=answers_per_item, seed=seed
    )
    return Task(x_train, y_train, x_test, y_test, annotations)


def hammers(num_annotators, part, accuracy):
    return lambda num_classes, seed: kc.datasets.hammer_spammer(
        num_annotators, num_classes, hammer_fraction=part, accuracy=accuracy, seed=seed
    )


def people(num_annotators, accuracy, adversaries=0.0):
    """Each with an accuracy, one around it per class, errors that prefer some classes; adversaries swap answers."""

    def draw(num_classes, seed):
        rng = np.random.default_rng(1000 + seed)
        confusion = np.empty((num_annotators, num_classes, num_classes))
        for matrix in confusion:
            own = rng.beta(5 * accuracy, 5 * (1 - accuracy))
            for k, row in enumerate(matrix):
                right = rng.beta(8 * own + 0.3, 8 * (1 - own) + 0.3)
                row[:] = np.insert((1 - right) * rng.dirichlet(np.full(num_classes - 1, 0.7)), k, right)
            if rng.random() < adversaries:
                matrix[:] = matrix[:, rng.permutation(num_classes)]
        return confusion

    return draw


def _interleave(x, y):
    return x[0], y[0], x[1], y[1]


def of_sklearn(name, label=None):
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    x_train, y_train, x_test, y_test = split(x, y if label is None else label(y).astype(int))
    return _interleave(standardized(x_train, x_test), (y_train, y_test))


def drawn(num_classes, items, width, distance, seed, shares=None, clusters=1):
    """Clusters of normal features, some for each class."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(num_classes, clusters, width)) * distance
    y = rng.choice(num_classes, items + 3000, p=shares)
    x = centers[y, rng.integers(clusters, size=len(y))] + rng.normal(size=(len(y), width))
    x = x.astype("float32")
    return x[:items], y[:items], x[items:], y[items:]


def topics(by_stance=False):
    """Arguments on 16 debates, or on the 32 sides of them."""
    import pandas as pd

    table = pd.read_parquet(file_of_data("convarg_texts.parquet"))
    y = table["topic"].astype("category").cat.codes.to_numpy() // (1 if by_stance else 2)
    train, y_train, test, y_test = split(table["text"].to_numpy(), y.astype(int), 0.35)
    return _interleave(text_features(list(train), list(test), 60), (y_train, y_test))


def reviews(num_classes, items):
    """Film reviews, their ratings cut into classes of one size."""
    data, texts = np.load(file_of_data("moviereviews.npz")), []
    for part in ("train", "test"):
        with gzip.open(file_of_data(f"moviereviews_texts_{part}.txt.gz"), "rt") as file:
            texts.append(file.read().splitlines())
    cuts = np.quantile(data["ratings_test"], np.arange(1, num_classes) / num_classes)
    y_test, y_train = (np.digitize(data[f"ratings_{part}"], cuts) for part in ("train", "test"))
    x_train, x_test = text_features(texts[1], texts[0], 100)
    rows = np.random.default_rng(0).permutation(len(y_train))[:items]
    return x_train[rows], y_train[rows], x_test, y_test


def _task(features, crowd, answers_per_item):
    return lambda seed: simulated(features, crowd, answers_per_item, seed)


_digits = functools.partial(of_sklearn, "digits")
_cancer = functools.partial(of_sklearn, "breast_cancer")
_covertype = functools.partial(
    drawn, 7, 8000, 12, 1.1, 3, np.array([365, 488, 61, 5, 16, 30, 35]) / 1000, clusters=4
)

CHOOSING = {
    "LabelMe": functools.partial(real, "labelme"),
    "Music": functools.partial(real, "music"),
    "LabelMe, 300 items": functools.partial(real, "labelme", items=300),
    "Music, 2 answers": functools.partial(real, "music", answers_per_item=2),
    "digits, hammers and spammers": _task(_digits, hammers(30, 0.3, 0.8), 3),
    "digits, 2 answers": _task(_digits, people(40, 0.6), 2),
    "one digit, 10 % positive": _task(
        functools.partial(of_sklearn, "digits", lambda y: y == 8), people(40, 0.75), 3
    ),
    "cancer": _task(_cancer, people(15, 0.7), 3),
    "drawn, 5 classes overlap": _task(functools.partial(drawn, 5, 800, 10, 0.7, 1), people(30, 0.65), 4),
    "drawn, 80, 15 and 5 %": _task(
        functools.partial(drawn, 3, 2000, 10, 0.9, 2, [0.8, 0.15, 0.05]), people(60, 0.7), 3
    ),
    "topics, 16 classes": _task(topics, people(30, 0.6), 3),
    "reviews, 2 classes": _task(functools.partial(reviews, 2, 2000), people(40, 0.75), 3),
    "drawn, 30 classes": _task(functools.partial(drawn, 30, 2500, 16, 1.0, 4), people(60, 0.7), 3),
    "drawn, 75 and 25 %": _task(
        functools.partial(drawn, 2, 1000, 8, 0.45, 11, [0.75, 0.25]), people(30, 0.7), 3
    ),
    "drawn, 50, 30 and 20 %": _task(
        functools.partial(drawn, 3, 1000, 8, 0.8, 11, [0.5, 0.3, 0.2]), people(30, 0.7), 3
    ),
}
FEW_ANSWERS = {
    "digits, 1 answer": _task(_digits, people(40, 0.6), 1),
    "drawn, 1 answer": _task(functools.partial(drawn, 5, 800, 10, 0.7, 1), people(30, 0.65), 1),
    "topics, 1 answer": _task(topics, people(30, 0.6), 1),
    "reviews, 1 answer": _task(functools.partial(reviews, 2, 2000), people(40, 0.75), 1),
    "Music, 1 answer": functools.partial(real, "music", answers_per_item=1),
    "LabelMe, 1.5 answers": functools.partial(real, "labelme", answers_per_item=1.5),
}
REPORTED = {
    "LabelMe, 1 answer": functools.partial(real, "labelme", answers_per_item=1),
    "Music, 350 items": functools.partial(real, "music", items=350),
    "tokens of NER": tokens,
    "12 judges of LLMBar": judges,
    "digits, adversaries": _task(_digits, people(40, 0.7, adversaries=0.15), 4),
    "digits, 200 annotators": _task(_digits, people(200, 0.7), 2),
    "digits below and above 5": _task(
        functools.partial(of_sklearn, "digits", lambda y: y >= 5), people(30, 0.7), 3
    ),
    "wine": _task(functools.partial(of_sklearn, "wine"), people(20, 0.6), 4),
    "cancer, 1 answer": _task(_cancer, people(10, 0.75), 1),
    "topics, 32 classes": _task(functools.partial(topics, by_stance=True), people(50, 0.7), 3),
    "reviews, 5 classes": _task(functools.partial(reviews, 5, 3000), people(40, 0.65), 5),
    "drawn, 10 answers": _task(functools.partial(drawn, 4, 250, 8, 0.8, 7), people(83, 0.6), 10),
    "drawn like covertype": _task(_covertype, people(100, 0.75), 2),
    "digits below and above 7": _task(
        functools.partial(of_sklearn, "digits", lambda y: y >= 7), people(30, 0.65), 3
    ),
    "drawn, 70 and 30 %": _task(
        functools.partial(drawn, 2, 1000, 8, 0.6, 12, [0.7, 0.3]), people(40, 0.65), 4
    ),
}
