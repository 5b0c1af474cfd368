"""Preferences of people and of judge models: who answered matters, or does not.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/preferences.py            # arguments, 5 seeds
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/preferences.py --choose   # what settled the recipe
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/preferences.py --judges   # LLMBar, no features
    KERAS_BACKEND=jax taskset -c 0 python benchmarks/preferences.py --speed               # a step of training

Arguments (UKPConvArg1): which of two convinces more, or neither, 84,445 votes of 3,815 workers. Held-out votes are
predicted, those of the worker who gave them: drawn at random (seed 0: the data's own 15 %), or all votes on 3 of 16
debates. A scorer sees TF-IDF of the texts on its leading directions and some counts (words, sentences, marks), fitted
on the training texts; Dense 64, dropout .5, a batch of 256 pairs. `--choose` predicts votes on other debates held out
of the training ones only.

LLMBar: which of two answers is better, by 65 judge models, each pair in both orders. Of a judge who took the first both
times n times and the second m times, log(n / m) / 2 is the position bias whatever the scores are: the truth of it.

`--speed` times a step on 256 pairs, 5 answers each, of 10 to 100,000 annotators, over a step of the same scorer alone
on 256 items: two towers cost twice as much, and the annotators should cost little on top. Times are of the processor,
so that other work on the machine counts little; on one core they are those of the clock.
"""

import argparse
import functools
import os
import pathlib
import time
import warnings

import interleaved
import keras
import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

import keras_crowd as kc

COMPONENTS, EPOCHS, BATCH = 30, 10, 256
PLAIN = dict.fromkeys(("reliability", "position_bias", "tie_rates"), False)


def file_of_data(name):
    return pathlib.Path(os.environ["KERAS_CROWD_DATA"]) / name


class Arguments:
    """Votes and texts; `answers(rows)` are the votes of some rows as annotations, all workers among them."""

    def __init__(self):
        import pandas as pd

        self.votes = pd.read_parquet(file_of_data("convarg_votes.parquet"))
        pairs = pd.read_parquet(file_of_data("convarg_pairs.parquet")).set_index("pair")
        texts = pd.read_parquet(file_of_data("convarg_texts.parquet"))
        self.texts = texts["text"].tolist()
        shown = pairs.loc[self.votes["pair"]]
        self.first, self.second = shown["a1"].to_numpy(), shown["a2"].to_numpy()
        self.debate = shown["debate"].astype("category").cat.codes.to_numpy()
        self.workers = sorted(self.votes["worker"].unique().tolist())

    def answers(self, rows):
        votes = self.votes[rows]
        given = votes["worker"].to_numpy(), votes["choice"].to_numpy()
        return kc.Annotations.from_preferences(
            self.first[rows], self.second[rows], *given, choices=(0, 1, 2), annotators=self.workers
        )

    def held_out_at_random(self, seed):
        if seed == 0:
            return self.votes["held_out"].to_numpy()
        return np.random.default_rng(seed).random(len(self.votes)) < 0.15

    def held_out_by_debate(self, seed, among=range(16)):
        chosen = np.random.default_rng(seed).permutation(sorted(among))[:3]
        return np.isin(self.debate, chosen)

    def features(self, rows):
        """TF-IDF on its leading directions and counts, of all texts, fitted on those in the votes of the rows."""
        seen = np.unique(np.concatenate([self.first[rows], self.second[rows]]))
        fitted = [self.texts[i] for i in seen]
        tfidf = TfidfVectorizer(sublinear_tf=True, min_df=3)
        directions = TruncatedSVD(COMPONENTS, random_state=0).fit(tfidf.fit_transform(fitted))
        x = directions.transform(tfidf.transform(self.texts))
        marks = [[text.count(mark) for mark in ".,?!\"'"] for text in self.texts]
        words = [text.split() for text in self.texts]
        sizes = [[len(w), len(set(w)), sum(map(len, w)), sum(a.isupper() for a in w)] for w in words]
        x = np.concatenate([x, np.log1p(marks), np.log1p(sizes)], axis=1)
        return ((x - x[seen].mean(axis=0)) / x[seen].std(axis=0)).astype("float32")


def rates(answers, test):
    share = np.bincount(answers.answers, minlength=3) / len(answers)
    return np.tile(share, (len(test), 1))


def workers_rates(answers, test, strength=20.0):
    """The share of ties of each worker, drawn to that of all."""
    tied = np.bincount(answers.annotator_index, answers.answers == 2, answers.num_annotators)
    of_all = np.mean(answers.answers == 2)
    share = (tied + strength * of_all) / (answers.answers_per_annotator() + strength)
    tie = share[test.annotator_index]
    return np.stack([(1 - tie) / 2, (1 - tie) / 2, tie], axis=1)


def items(answers, test, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # arguments on different debates are not compared
        return kc.aggregation.bradley_terry(answers, **kwargs).answer_probabilities(test)


def majority(answers):
    """One vote a pair: the one given most often, drawn among those given equally often."""
    counts = np.array(
        [np.bincount(answers.item_index, answers.answers == k, answers.num_items) for k in range(3)]
    )
    label = np.argmax(counts + np.random.default_rng(0).random(counts.shape) / 2, axis=0)
    kind = kc.annotations.Preferences(3)
    return kc.Annotations.from_dense(label[:, None], items=answers.items.tolist(), kind=kind)


def scorer(answers, test, x, conn_type, epochs=EPOCHS):
    """Probabilities of the held-out votes from a scorer of texts below a crowd layer."""
    network = keras.Sequential(
        [
            keras.Input((x.shape[1],)),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )
    crowd = kc.layers.CrowdsPreference(answers.num_annotators, conn_type, ties=True)
    crowd.adapt(answers)
    model = kc.models.preference_model(network, crowd, slots=True)
    optimizer = kc.optimizers.crowd_optimizer(model, keras.optimizers.Adam(1e-3), 1e-3)
    model.compile(optimizer, kc.losses.MaskedCrowdCrossEntropy())
    rows = functools.partial(kc.annotations.pair_index, items=range(len(x)))
    ids, said = answers.slots()
    features = functools.partial(kc.models.pair_features, x)
    model.fit(features(rows(answers.items)[1], ids), said, batch_size=BATCH, epochs=epochs, verbose=0)
    if conn_type == "common":
        ids, said = np.zeros_like(test.slots()[0]), test.slots()[1]
    else:
        ids, said = test.slots()
    logits = model.predict(features(rows(test.items)[1], ids), batch_size=1024, verbose=0)[said >= 0]
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def scores(p, test):
    chosen = p[np.arange(len(test)), test.answers]
    return [100 * np.mean(p.argmax(axis=1) == test.answers), -np.mean(np.log(chosen))]


def arguments_of(data, held_out, epochs=EPOCHS, among=True, only=""):
    """Accuracy and nats of each method (whose name starts so) on the held-out votes."""
    answers, test = data.answers(~held_out & among), data.answers(held_out & among)
    x = data.features(~held_out & among)
    methods = {"rates": rates, "each worker's rate of ties": workers_rates}
    if set(test.items.tolist()) & set(answers.items.tolist()):
        own = {"position_bias": False}
        methods["Bradley-Terry on the arguments"] = functools.partial(items, **PLAIN)
        methods["Bradley-Terry with workers"] = functools.partial(items, **own)
    methods["scorer, majority vote"] = lambda a, t: scorer(majority(a), t, x, "common", epochs)
    methods["scorer, votes pooled"] = lambda a, t: scorer(a, t, x, "common", epochs)
    methods["scorer with workers' ties and positions"] = lambda a, t: scorer(a, t, x, "position", epochs)
    methods["scorer with workers' ties and reliability"] = lambda a, t: scorer(
        a, t, x, "reliability", epochs
    )
    found = {}
    for name in [name for name in methods if name.startswith(only)]:
        keras.utils.set_random_seed(0)
        found[name] = scores(methods[name](answers, test), test)
    return found


def show(title, runs):
    print(f"\n| {title} | accuracy | nats |\n|---|---|---|")
    for name in runs[0]:
        values = np.array([run[name] for run in runs])
        mean, spread = values.mean(axis=0), values.std(axis=0)
        print(
            f"| {name} | {mean[0]:.1f} +- {spread[0]:.1f} | {mean[1]:.4f} +- {spread[1]:.4f} |", flush=True
        )


def choose(data):
    """Epochs, by votes on debates held out of those that seed 0 trains on."""
    among = ~data.held_out_by_debate(0)
    rest = sorted(set(data.debate[among].tolist()))
    for epochs in (3, 10, 30):
        held_out = [data.held_out_by_debate(100 + seed, rest) for seed in range(2)]
        show(
            f"{epochs} epochs",
            [arguments_of(data, held, epochs, among, "scorer with") for held in held_out],
        )


def judges():
    """LLMBar: 65 judge models, each pair in both orders."""
    data = np.load(file_of_data("llmbar_judges.npz"), allow_pickle=True)
    for collection in ("LLMBar", "CaseStudy", "Processed"):
        kept = data["collection"] == collection
        verdicts, gold = data["verdicts"][kept], data["gold"][kept]
        pair, judge, order = np.nonzero(verdicts >= 0)
        said = verdicts[pair, judge, order]
        a, b = np.stack([pair, np.zeros_like(pair)], 1), np.stack([pair, np.ones_like(pair)], 1)
        a, b = list(map(tuple, a.tolist())), list(map(tuple, b.tolist()))
        first = [y if o else x for x, y, o in zip(a, b, order, strict=True)]
        answers = kc.Annotations.from_preferences(a, b, judge, said, shown_first=first, choices=(0, 1))
        share = np.array([np.mean(row[row >= 0]) for row in verdicts])
        print(f"\n{collection}: {answers}")
        found = {"vote": share - 0.5}
        rows = {"Bradley-Terry": PLAIN, "with position biases": {"reliability": False}}
        rows |= {"with reliabilities": {"position_bias": False}, "with both": {}}
        for name, kwargs in rows.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fit = kc.aggregation.bradley_terry(answers, **kwargs)
            score = dict(zip(fit.items.tolist(), fit.scores, strict=True))
            found[name] = np.array([score[k, 1] - score[k, 0] for k in range(len(gold))])
        for name, lead in found.items():
            right = np.where(lead == 0, 0.5, (lead > 0) == gold)
            print(f"| {name} | {100 * np.mean(right):.1f} |")
        show_positions(verdicts, fit, data["is_rating"])


def show_positions(verdicts, fit, is_rating):
    """The estimated position biases against those that the two orders of a pair give."""
    both = np.all(verdicts >= 0, axis=2)
    first, second = (
        np.sum(both & (verdicts == order).all(axis=2), axis=0) + 0.5 for order in ([0, 1], [1, 0])
    )
    ids = fit.annotators.astype(int)
    compares = ~is_rating[ids] & (both[:, ids].sum(axis=0) > 0)  # ratings are one answer, copied
    truth, found = (0.5 * np.log(first / second))[ids][compares], fit.position_bias[compares]
    error = np.mean(np.abs(found - truth))
    correlation = np.corrcoef(found, truth)[0, 1]
    print(
        f"position biases of {len(truth)} judges: {truth.min():.1f} to {truth.max():.1f}, r = {correlation:.3f}, "
        f"mean absolute difference {error:.2f}"
    )


def network_of(units):
    return keras.Sequential(
        [keras.Input((512,)), *(keras.layers.Dense(units, "relu") for _ in range(2)), keras.layers.Dense(1)]
    )


def block_of_pairs(num_annotators, units, steps):
    """A function that trains on pairs for a block of steps."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, num_annotators, (BATCH, 5)).astype("int32")
    said = rng.integers(0, 3, (BATCH, 5))
    counts = np.full(num_annotators, 20.0)
    crowd = kc.layers.CrowdsPreference(
        num_annotators, ties=True, answers_per_annotator=counts, max_batch_slots=ids.size
    )
    model = kc.models.preference_model(network_of(units), crowd, slots=True)
    model.compile(
        kc.optimizers.crowd_optimizer(model, keras.optimizers.Adam(1e-3)),
        kc.losses.MaskedCrowdCrossEntropy(),
        jit_compile=True,
    )
    first, second = rng.normal(size=(2, BATCH, 512)).astype("float32")
    return interleaved.fit_block(model, (first, second, ids), said, steps)


def block_of_items(units, steps):
    """The same for the scorer alone, on one label an item."""
    rng = np.random.default_rng(0)
    model = network_of(units)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, jit_compile=True)
    x = rng.normal(size=(BATCH, 512)).astype("float32")
    return interleaved.fit_block(model, x, rng.integers(0, 2, (BATCH, 1)), steps)


def speed(steps=20, rounds=21, sizes=(10, 100, 1_000, 10_000, 100_000)):
    """Milliseconds of processor time a step, and quartiles of the ratio to the scorer alone."""
    for units in (256, 1024):
        blocks = {"alone": block_of_items(units, steps)}
        blocks |= {f"{size:,}": block_of_pairs(size, units, steps) for size in sizes}
        times = interleaved.measure(blocks, steps, rounds, time.process_time)
        print(f"\n| annotators, 2 layers of {units:,} | ms | over the scorer alone |\n|---|---|---|")
        for name, (low, middle, high) in interleaved.ratios(times, "alone").items():
            print(f"| {name} | {np.median(times[name]):.2f} | {middle:.2f} ({low:.2f} to {high:.2f}) |")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--judges", action="store_true")
    parser.add_argument("--held-out", choices=["debates", "votes"], nargs="*", default=["debates", "votes"])
    parser.add_argument("--only", default="", help="how the names of the methods begin")
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args(argv)
    if options.speed:
        return speed()
    if options.judges:
        return judges()
    data = Arguments()
    if options.choose:
        return choose(data)
    for kind in options.held_out:
        hold_out = data.held_out_by_debate if kind == "debates" else data.held_out_at_random
        runs = []
        for seed in range(options.seeds):
            runs.append(arguments_of(data, hold_out(seed), only=options.only))
            print(f"{kind}, seed {seed}: {runs[-1]}", flush=True)
        show("new debates" if kind == "debates" else "votes at random", runs)


if __name__ == "__main__":
    main()
