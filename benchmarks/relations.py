"""Relations in sentences of medical papers: workers tick several of ten, experts know two of them.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/relations.py

The 14 boxes of the form are 10 labels, for the experts' `cause` is four of the boxes and their `treat` is two. Networks
are trained on the answers to 70 % of the groups of sentences; average precision and F1 (at 1/2) are those on the
experts' labels of the sentences of the other groups. 15 % of the answers to the training sentences are held out as
well: their nats settle what is to be settled, never the experts' labels. Features: TF-IDF of the words, again by where
they stand (between the two terms, before, after, in them), on 200 leading directions, fitted on the training sentences.
"""

import argparse
import gzip
import itertools
import json
import os
import pathlib
import re
import warnings

import keras
import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import average_precision_score, f1_score

import keras_crowd as kc

GOLD = ("cause", "treat")
COMPONENTS, EPOCHS, BATCH, RATE = 200, 20, 64, 1e-3
CONN_TYPES = ("full", "additive", "annotator")


def file_of_data(name):
    return pathlib.Path(os.environ["KERAS_CROWD_DATA"]) / name


class Relations:
    """Sentences, sets of labels (`cause`, `treat` and eight boxes) and the experts' labels."""

    def __init__(self):
        data = np.load(file_of_data("relex.npz"))
        with gzip.open(file_of_data("relex_sentences.jsonl.gz"), "rt") as file:
            self.words = [" ".join(placed_words(json.loads(line))) for line in file]
        unions = [data[f"{name}_relations"] for name in GOLD]
        boxes = [data["answers"][:, of].max(axis=1) for of in unions]
        others = data["answers"][:, ~np.any(unions, axis=0)]
        self.ticked = np.column_stack([*boxes, others]).astype("int8")
        self.labels = [*GOLD, *data["relations"][~np.any(unions, axis=0)].tolist()]
        self.item, self.worker, self.group = data["item"], data["worker"], data["item_group"]
        self.gold = np.stack([data[f"expert_{name}"] for name in GOLD], axis=1)

    def answers(self, items, given):
        """Annotations of these sentences, of the answers that are given, all workers among them."""
        given = given & np.isin(self.item, items)
        return kc.Annotations.from_sets(
            self.item[given],
            self.worker[given],
            self.ticked[given],
            items=items.tolist(),
            annotators=range(int(self.worker.max()) + 1),
            classes=self.labels,
        )

    def split(self, seed):
        """Sentences to train on and to test on, of other groups; and which answers are held out from training."""
        rng = np.random.default_rng(seed)
        groups = rng.permutation(np.unique(self.group))
        test = np.isin(self.group, groups[: int(0.3 * len(groups))])
        return np.flatnonzero(~test), np.flatnonzero(test), rng.random(len(self.item)) < 0.15

    def features(self, train):
        """Features of all sentences, fitted on those to train on."""
        tfidf = TfidfVectorizer(sublinear_tf=True, min_df=3, max_df=0.5, max_features=20_000)
        directions = TruncatedSVD(COMPONENTS, random_state=0)
        directions.fit(tfidf.fit_transform([self.words[i] for i in train]))
        x = directions.transform(tfidf.transform(self.words))
        return ((x - x[train].mean(axis=0)) / x[train].std(axis=0)).astype("float32")


def placed_words(row, near=6):
    """The words of a sentence, and again with where they stand to the two terms, if these are found."""
    first, second = sorted([(row["b1"], row["e1"]), (row["b2"], row["e2"])])
    text, order = row["sentence"], "to" if row["b1"] <= row["b2"] else "from"
    words = words_of(text)
    if first[0] < 0:
        return words
    between = words_of(text[first[1] : second[0]])
    placed = {
        "between": between,
        order: [*between, *map("_".join, itertools.pairwise(between))],
        "before": words_of(text[: first[0]])[-near:],
        "after": words_of(text[second[1] :])[:near],
        "first": words_of(row["term1"]),
        "second": words_of(row["term2"]),
    }
    return words + [f"{place}_{word}" for place, some in placed.items() for word in some]


def words_of(text):
    return re.findall("[a-z]+", text.lower())


# --- networks: each gives probabilities of the labels of all sentences, sensitivities and specificities


def network(x, num_labels):
    layers = [keras.layers.Dense(64, "relu"), keras.layers.Dropout(0.5)]
    return keras.Sequential([keras.Input(x.shape[1:]), *layers, keras.layers.Dense(num_labels, "sigmoid")])


def on_targets(x, items, answers, targets):
    """Trained on labels or their probabilities; annotators are judged by them afterwards."""
    classifier = network(x, answers.num_classes)
    classifier.compile(keras.optimizers.Adam(RATE), "binary_crossentropy")
    classifier.fit(x[items], targets.astype("float32"), batch_size=BATCH, epochs=EPOCHS, verbose=0)
    of_all = kc.aggregation.population_rates(answers, targets)
    return classifier.predict(x, verbose=0), *kc.aggregation.label_rates(answers, targets, 10.0, of_all)


def vote(answers):
    return kc.aggregation.label_shares(answers) > 0.5


def binary_relevance(answers):
    """Labels by crowd-kit: Dawid and Skene's for each label, 10 iterations as in its documentation."""
    import pandas as pd
    from crowdkit.aggregation import BinaryRelevance, DawidSkene

    sets = [np.flatnonzero(row).tolist() for row in answers.answers > 0]
    given = {"task": answers.item_index, "worker": answers.annotator_index, "label": sets}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = BinaryRelevance(DawidSkene(n_iter=10)).fit_predict(pd.DataFrame(given))
    labels = np.zeros((answers.num_items, answers.num_classes))
    for task, some in found.items():
        labels[task, some] = 1
    return labels


def layer(x, items, answers, conn_type):
    classifier = network(x, answers.num_classes)
    crowd = kc.layers.CrowdsMultiLabel(answers.num_annotators, conn_type)
    crowd.adapt(answers)
    model = kc.crowd_model(classifier, crowd, slots=True)
    model.compile(keras.optimizers.Adam(RATE), kc.losses.MaskedCrowdBinaryCrossEntropy())
    ids, ticked = answers.slots()
    model.fit((x[items], ids), ticked, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return classifier.predict(x, verbose=0), crowd.sensitivity(), crowd.specificity()


def joint(x, items, answers):
    classifier = network(x, answers.num_classes)
    crowd = kc.layers.CrowdsMultiLabel(answers.num_annotators)
    crowd.adapt(answers)
    model = kc.models.JointCrowdModel(classifier, crowd, slots=True)
    model.compile(keras.optimizers.Adam(RATE))
    ids, ticked = answers.slots()
    model.fit((x[items], ids), ticked, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return classifier.predict(x, verbose=0), crowd.sensitivity(), crowd.specificity()


def em(x, items, answers):
    classifier = network(x, answers.num_classes)
    classifier.compile(keras.optimizers.Adam(RATE), "binary_crossentropy")
    trainer = kc.EMTrainer(classifier)
    trainer.fit(x[items], answers, iterations=EPOCHS, batch_size=BATCH, verbose=0)
    found = trainer.estimates()
    return classifier.predict(x, verbose=0), found["sensitivity"], found["specificity"]


METHODS = {
    "vote": lambda *given: on_targets(*given, vote(given[-1])),
    "shares of the votes": lambda *given: on_targets(*given, kc.aggregation.label_shares(given[-1])),
    "crowd-kit's binary relevance": lambda *given: on_targets(*given, binary_relevance(given[-1])),
    "Dawid-Skene per label": lambda *given: on_targets(
        *given, kc.aggregation.dawid_skene_labels(given[-1]).posterior
    ),
    **{f"CrowdsMultiLabel, {name}": lambda *given, name=name: layer(*given, name) for name in CONN_TYPES},
    "EM": em,
    "joint likelihood": joint,
}


# --- what they are measured by


def rates(answers):
    """Each worker's rate of ticks per label, drawn to that of all: neither the sentence nor the truth matters."""
    ones = np.ones((answers.num_items, answers.num_classes))
    return kc.aggregation.label_rates(answers, ones, 10.0, kc.aggregation.population_rates(answers, ones))[
        0
    ]


def nats(answers, p, s, c):
    """Nats of an answer, all its labels together, if the labels of its item have the probabilities `p`."""
    p, who = p[answers.item_index], answers.annotator_index
    tick = np.clip(p * s[who] + (1 - p) * (1 - c[who]), 1e-6, 1 - 1e-6)
    return -np.mean(np.sum(np.where(answers.answers > 0, np.log(tick), np.log1p(-tick)), axis=1))


def scores(found, answers, held_out, items, test, gold):
    f, s, c = found
    by_both = kc.aggregation.held_out_label_cross_entropy(held_out, answers, f[items], s, c).mean()
    return [nats(held_out, f[items], s, c), by_both, *scores_on_gold(f, test, gold)]


def scores_on_gold(f, test, gold):
    values = []
    for column in range(2):
        known = test[gold[test, column] >= 0]
        truth, p = gold[known, column], f[known, column]
        values += [average_precision_score(truth, p), f1_score(truth, p > 0.5)]
    return values


def on_gold(x, items, gold):
    """Average precision needs no more: for each relation a network on the sentences that the experts judged."""
    found = np.full((len(x), len(GOLD)), np.nan)
    for column in range(len(GOLD)):
        known = items[gold[items, column] >= 0]
        classifier = network(x, 1)
        classifier.compile(keras.optimizers.Adam(RATE), "binary_crossentropy")
        truth = gold[known, column : column + 1].astype("float32")
        steps = EPOCHS * len(items) // len(known)  # as many as the others take
        classifier.fit(x[known], truth, batch_size=BATCH, epochs=steps, verbose=0)
        found[:, column] = classifier.predict(x, verbose=0)[:, 0]
    return found


def of_seed(data, seed, only=""):
    items, test, held = data.split(seed)
    x = data.features(items)
    answers, held_out = data.answers(items, ~held), data.answers(items, held)
    ones = np.ones((len(items), len(data.labels)))
    tick = rates(answers)
    found = {"rates of each worker": [nats(held_out, ones, tick, 1 - tick)] * 2 + [np.nan] * 4}
    if "experts' labels".startswith(only):
        keras.utils.set_random_seed(seed)
        predicted = on_gold(x, items, data.gold)
        found["experts' labels"] = [np.nan, np.nan, *scores_on_gold(predicted, test, data.gold)]
    for name in [name for name in METHODS if name.startswith(only)]:
        keras.utils.set_random_seed(seed)
        estimates = METHODS[name](x, items, answers)
        found[name] = scores(estimates, answers, held_out, items, test, data.gold)
    return found


def show(runs):
    """Means and spreads; then what each method is above the vote on the same sentences."""
    names = [name for name in runs[0] if name in METHODS]
    tables = [("trained on", list(runs[0]), lambda run, name: np.array(run[name]))]
    for other in [name for name in ("vote", "CrowdsMultiLabel, full") if name in names]:
        tables.append(
            (
                f"above {other}",
                [name for name in runs[0] if name != other],
                lambda run, name, other=other: np.subtract(run[name], run[other]),
            )
        )
    heads = [f"{name}, {what}" for name in GOLD for what in ("average precision", "F1")]
    for title, rows, of in tables:
        print(
            f"\n| {title} | nats, by text | nats, by text and answers | {' | '.join(heads)} |\n|{'---|' * 7}"
        )
        for name in rows:
            values = np.array([of(run, name) for run in runs])
            pairs = zip(values.mean(axis=0), values.std(axis=0), strict=True)
            print(f"| {name} | {' | '.join(f'{mean:.3f} +- {spread:.3f}' for mean, spread in pairs)} |")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="", help="methods whose names start so")
    arguments = parser.parse_args(argv)
    data = Relations()
    runs = [of_seed(data, seed, arguments.only) for seed in range(arguments.seeds)]
    show(runs)
    return runs


if __name__ == "__main__":
    main()
