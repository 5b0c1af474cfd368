"""Preferences of people and of judge models: who answered matters, or does not.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/preferences.py            # arguments, 5 seeds
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/preferences.py --choose   # what settled the recipe
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/preferences.py --judges   # LLMBar, no features
    KERAS_BACKEND=jax python benchmarks/preferences.py --recovery                         # simulated annotators
    KERAS_BACKEND=jax taskset -c 0 python benchmarks/preferences.py --speed               # a step of training

Arguments (UKPConvArg1): which of two convinces more, or neither, 84,445 votes of 3,815 workers. Held-out votes are
predicted, those of the worker who gave them: drawn at random (seed 0: the data's own 15 %), or all votes on 3 of 16
debates. A scorer sees TF-IDF of the texts on its leading directions and some counts (words, sentences, marks), fitted
on the training texts; Dense 64, dropout .5, a batch of 256 pairs. Trainers of reward models and crowd-kit know no
ties: these get the rate of all. crowd-kit's noisy model runs with `--only crowd-kit` alone, and takes many minutes.
`--choose` predicts votes on other debates held out of the training ones only.

LLMBar: which of two answers is better, by 65 judge models, each pair in both orders. Of a judge who took the first both
times n times and the second m times, log(n / m) / 2 is the position bias whatever the scores are: the truth of it.

`--recovery` simulates 20 annotators of different reliability, position bias and tie rate, two of whom turn answers
round, on 60 items of 3 features, and compares what is found with the truth: the root mean square of the error over its
standard error by the Fisher information of the annotator's answers (1 is sampling error), and the share of errors
within 1.96 of it.

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


def with_ties(first, answers):
    """Probabilities of the three answers from that of the first item among decided votes: ties at one rate."""
    tied = np.mean(answers.answers == 2)
    return np.stack([(1 - tied) * first, (1 - tied) * (1 - first), np.full(len(first), tied)], axis=1)


def crowd_kits(answers, test, aggregator):
    """A Bradley-Terry model of crowd-kit, fitted to the decided votes."""
    import crowdkit.aggregation
    import pandas as pd

    pairs = np.array(answers.items.tolist())[answers.item_index]
    decided = answers.answers < 2
    columns = {"worker": answers.annotator_index, "left": pairs[:, 0], "right": pairs[:, 1]}
    table = pd.DataFrame(columns)[decided]
    table["label"] = pairs[decided, answers.answers[decided]]
    noisy = aggregator == "NoisyBradleyTerry"
    kwargs = {"random_state": 0} if noisy else {}
    found = getattr(crowdkit.aggregation, aggregator)(n_iter=100, **kwargs).fit(table)
    asked = np.array(test.items.tolist())[test.item_index]
    score = found.scores_.reindex(range(1 + max(pairs.max(), asked.max()))).to_numpy()
    score = np.clip(score, 1e-12, 1 - 1e-12)
    strength = np.log(score / (1 - score) if noisy else score)
    lead = np.nan_to_num(strength[asked[:, 0]] - strength[asked[:, 1]])
    chance = 1 / (1 + np.exp(-lead))
    if noisy:  # an answer at random, at the rate of the worker
        skill = found.skills_.reindex(range(answers.num_annotators)).fillna(found.skills_.mean())
        bias = found.biases_.reindex(range(answers.num_annotators)).fillna(0.5)
        skill, bias = skill.to_numpy()[test.annotator_index], bias.to_numpy()[test.annotator_index]
        chance = skill * chance + (1 - skill) * bias
    return with_ties(np.clip(chance, 0.01, 0.99), answers)


def reward_trainer(answers, test, x, margins, epochs):
    """What trainers of reward models do: log sigmoid of the difference, on votes or on pairs with margins."""
    network = network_of_texts(x.shape[1])
    index = functools.partial(kc.annotations.pair_index, items=range(len(x)))
    pairs = index(answers.items)[1]
    votes = np.zeros((len(pairs), 3))
    np.add.at(votes, (answers.item_index, answers.answers), 1)
    lead = votes[:, 0] - votes[:, 1]
    if margins:  # a row per pair that one item leads
        rows, first = np.flatnonzero(lead), lead[lead != 0] > 0
        margin = np.abs(lead[rows]) / votes[rows].sum(axis=1)
    else:  # a row per decided vote
        decided = answers.answers < 2
        rows, first = answers.item_index[decided], answers.answers[decided] == 0
        margin = np.zeros(len(rows))
    chosen, rejected = np.where(first[:, None], pairs[rows], pairs[rows][:, ::-1]).T
    inputs = [keras.Input((x.shape[1],)), keras.Input((x.shape[1],)), keras.Input((1,))]
    model = keras.Model(inputs, network(inputs[0]) - network(inputs[1]) - inputs[2])
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    size = BATCH if margins else 5 * BATCH  # as many pairs a step as the others
    features = (x[chosen], x[rejected], margin[:, None].astype("float32"))
    model.fit(features, np.ones((len(rows), 1)), batch_size=size, epochs=epochs, verbose=0)
    score = network.predict(x, verbose=0)[:, 0].astype(float)
    of_pairs = score[index(test.items)[1]]
    return with_ties(1 / (1 + np.exp(-(of_pairs[:, 0] - of_pairs[:, 1]))), answers)[test.item_index]


def majority(answers):
    """One vote a pair: the one given most often, drawn among those given equally often."""
    counts = np.array(
        [np.bincount(answers.item_index, answers.answers == k, answers.num_items) for k in range(3)]
    )
    label = np.argmax(counts + np.random.default_rng(0).random(counts.shape) / 2, axis=0)
    kind = kc.annotations.Preferences(3)
    return kc.Annotations.from_dense(label[:, None], items=answers.items.tolist(), kind=kind)


def network_of_texts(width):
    return keras.Sequential(
        [
            keras.Input((width,)),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )


def scorer(answers, test, x, conn_type, epochs=EPOCHS):
    """Probabilities of the held-out votes from a scorer of texts below a crowd layer."""
    network = network_of_texts(x.shape[1])
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
        for name in ("BradleyTerry", *(["NoisyBradleyTerry"] if only.startswith("crowd-kit") else [])):
            methods[f"crowd-kit's {name}"] = functools.partial(crowd_kits, aggregator=name)
    for name, margins in {"votes": False, "majority and margins": True}.items():
        methods[f"reward trainer, {name}"] = functools.partial(
            reward_trainer, x=x, margins=margins, epochs=epochs
        )
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


def simulated(seed, items=60, annotators=20, comparisons=6000):
    """Features, scores, answers, and the truth `(annotators, 3)`: reliability, position bias, log of Davidson's nu."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(items, 3)).astype("float32")
    score = x @ [1.5, -1.0, 0.5]
    truth = rng.normal([1.0, 0.0, -0.5], [0.4, 0.7, 0.5], (annotators, 3))
    truth[:2, 0] = -1.0
    a = rng.integers(0, items, comparisons)
    b = (a + rng.integers(1, items, comparisons)) % items
    who = rng.integers(0, annotators, comparisons)
    truth[:, 0] /= truth[who, 0].mean()
    u = 0.5 * (truth[who, 0] * (score[a] - score[b]) + truth[who, 1])
    said = np.argmax(np.stack([u, -u, truth[who, 2]]) + rng.gumbel(size=(3, comparisons)), axis=0)
    answers = kc.Annotations.from_preferences(a, b, who, said, choices=(0, 1, 2), duplicates="first")
    return x, score, answers, truth


def sampling_errors(answers, score, truth):
    """Standard errors of the truth of each annotator by the Fisher information, for known scores."""
    index = kc.annotations.pair_index(answers.items, items=range(len(score)))[1][answers.item_index]
    who, d = answers.annotator_index, np.diff(score[index[:, ::-1]], axis=1)[:, 0]
    half = np.stack([d, np.ones_like(d), np.zeros_like(d)], axis=1) / 2
    slopes = np.stack([half, -half, np.tile([0.0, 0.0, 1.0], (len(d), 1))], axis=1)
    z = np.einsum("nkp,np->nk", slopes, truth[who])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    centered = slopes - np.einsum("nk,nkp->np", p, slopes)[:, None]
    information = np.zeros((len(truth), 3, 3))
    np.add.at(information, who, np.einsum("nk,nkp,nkq->npq", p, centered, centered))
    return np.sqrt(np.diagonal(np.linalg.inv(information), axis1=1, axis2=2))


def trained_annotators(x, answers):
    """What a crowd layer on a linear scorer finds, as the truth of `simulated`."""
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    crowd = kc.layers.CrowdsPreference(answers.num_annotators, ties=True)
    crowd.adapt(answers)
    model = kc.models.preference_model(network, crowd, slots=True)
    rate = keras.optimizers.schedules.CosineDecay(0.05, 20 * -(-answers.num_items // 64))
    model.compile(
        kc.optimizers.crowd_optimizer(model, keras.optimizers.Adam(rate)),
        kc.losses.MaskedCrowdCrossEntropy(),
    )
    index = kc.annotations.pair_index(answers.items, items=range(len(x)))[1]
    ids, said = answers.slots()
    model.fit(kc.models.pair_features(x, index, ids), said, batch_size=64, epochs=20, verbose=0)
    tie = crowd.tie_rate()
    return np.stack([crowd.reliability(), crowd.position_bias(), np.log(2 * tie / (1 - tie))], axis=1)


def recovery(seeds):
    """How far estimates are from the truth of simulated annotators, in standard errors, of all seeds."""
    found = {"bradley_terry": [], "CrowdsPreference": []}
    turned = dict.fromkeys(found, 0)
    for seed in range(seeds):
        keras.utils.set_random_seed(seed)
        x, score, answers, truth = simulated(seed)
        errors = sampling_errors(answers, score, truth)
        fit = kc.aggregation.bradley_terry(answers)
        estimates = {
            "bradley_terry": np.stack([fit.reliability, fit.position_bias, fit.tie], axis=1),
            "CrowdsPreference": trained_annotators(x, answers),
        }
        for name, values in estimates.items():
            found[name].append((values - truth) / errors)
            turned[name] += np.all((values[:, 0] < 0) == (truth[:, 0] < 0))
    print("\n| | reliability | position bias | log of nu | adversaries turned |\n|---|---|---|---|---|")
    for name, rows in found.items():
        z = np.array(rows)  # (seeds, annotators, 3)
        of_seeds = np.sqrt(np.mean(z**2, axis=1))
        within = np.mean(np.abs(z) < 1.96, axis=(0, 1))
        cells = [
            f"{mean:.2f} +- {spread:.2f}, {100 * share:.0f} %"
            for mean, spread, share in zip(of_seeds.mean(axis=0), of_seeds.std(axis=0), within, strict=True)
        ]
        print(f"| {name} | {' | '.join(cells)} | {turned[name]} of {seeds} |", flush=True)


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
    parser.add_argument("--recovery", action="store_true")
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args(argv)
    if options.speed:
        return speed()
    if options.recovery:
        return recovery(options.seeds)
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
