"""Answers that a choice of questions saves: replay of held answers.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=torch python benchmarks/acquisition.py
    KERAS_BACKEND=torch python benchmarks/acquisition.py --crowds flat spammers pool

A crowd's answers are all known, and bought step by step: a question may be asked if its answer is held. All methods
start from the same tenth of what can be bought, drawn at random, and buy a twentieth at a time; after each step
`dawid_skene` labels all items. "Random" buys in random order, "fewest" one of the items with the fewest answers,
"ActiveLab" one of each of the items of the lowest score, from a random annotator, and "next_questions" what it says, by
its criteria. The table has the answers bought, the start among them, until the accuracy that
the random order reaches on the mean with 50, 75 and 90 % of the answers, as a share of what the random order needs for
it; in brackets the standard deviation over the seeds.

In "mixed", "flat" and "spammers" five of 20 annotators, drawn at random, can be asked about each item: choosing the
item is most of what there is. In "few" it is three of 50, and there are more classes. In "pool" all can be asked about
all, for as many answers in all, and nobody gives more than a tenth. Choices were settled on these five.

`--classifier` does the same on crowds with features, with a logistic regression: at each step it is trained on the
labels of Dawid and Skene, in three folds, and predicts the items of the fold that it was not trained on. All methods
choose with these predictions, and the labels are the posterior of predictions and answers. "Out of sample" says so to
`next_questions`, which takes the predictions to the power that makes the answers most probable; it was settled on
digits, seeds 0 to 4.

`--worth` asks with several `min_gain` until no question is worth it, `--stop` compares what `accuracy_curve` expects
with what was bought then, and `--incremental` measures `dawid_skene(start=)` and `posterior` with 1,000 new answers
beside 1,000,000.
"""

import argparse
import functools
import os
import pathlib
import time

import numpy as np

import keras_crowd as kc

CLASSES, ITEMS, ANNOTATORS, EACH = 4, 500, 20, 5
STRENGTH = 1.0  # of the logistic regression, chosen by the likelihood of left-out labels of Dawid and Skene
START, STEPS, TARGETS = 0.1, 18, (0.5, 0.75, 0.9)
DATA = {"LabelMe": ("labelme.npz", "answers", "labels_train"), "Music": ("music.npz", "answers", "y_train")}


def simulated(accuracies, each, num_classes=CLASSES):
    def make(seed):
        rng = np.random.default_rng(seed)
        truth = rng.integers(num_classes, size=ITEMS)
        right = accuracies(rng)[:, None, None]
        matrices = np.where(np.eye(num_classes, dtype=bool), right, (1 - right) / (num_classes - 1))
        matrices = matrices * rng.gamma(4, size=matrices.shape)  # no two errors alike
        matrices /= matrices.sum(axis=2, keepdims=True)
        answers = kc.datasets.simulate_answers(truth, matrices, answers_per_item=each, seed=seed)
        return answers, truth, ITEMS * EACH

    return make


def real(name):
    def make(seed):
        file, answers, gold = DATA[name]
        table = np.load(pathlib.Path(os.environ["KERAS_CROWD_DATA"]) / file)
        truth = table[gold].astype(int)
        annotations = kc.Annotations.from_dense(table[answers].astype(int), classes=range(truth.max() + 1))
        return annotations, truth, len(annotations)

    return make


POPULATIONS = {
    "mixed": (lambda rng: rng.uniform(0.3, 0.95, ANNOTATORS), EACH, CLASSES),
    "flat": (lambda rng: rng.uniform(0.65, 0.85, ANNOTATORS), EACH, CLASSES),
    "spammers": (lambda rng: np.where(np.arange(ANNOTATORS) % 2, 0.25, 0.85), EACH, CLASSES),
    "few": (lambda rng: rng.beta(8, 3, 50), 3, 8),
}
CROWDS = {
    **{name: simulated(*population) for name, population in POPULATIONS.items()},
    "pool": simulated(POPULATIONS["mixed"][0], ANNOTATORS),
    **{name: real(name) for name in DATA},
}


def with_features(name):
    """A crowd, its truth, the number of answers to buy, and features."""

    def make(seed):
        if name != "digits":
            file, *_ = DATA[name]
            table = np.load(pathlib.Path(os.environ["KERAS_CROWD_DATA"]) / file)
            return *real(name)(seed), table["vgg_avg_train" if name == "LabelMe" else "X_train"]
        from sklearn.datasets import load_digits

        x, truth = load_digits(return_X_y=True)
        rng = np.random.default_rng(seed)
        some = rng.permutation(len(x))[:ITEMS]
        right = rng.uniform(0.3, 0.95, ANNOTATORS)[:, None, None]
        confusions = np.where(np.eye(10, dtype=bool), right, (1 - right) / 9)
        answers = kc.datasets.simulate_answers(truth[some], confusions, answers_per_item=3, seed=seed)
        return answers, truth[some], len(answers), x[some]

    return make


WITH_FEATURES = {name: with_features(name) for name in ("digits", *DATA)}


class Classifier:
    """A logistic regression on the first 50 principal components, which predicts what it was not trained on."""

    def __init__(self, x, num_classes, folds=3, components=50):
        x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-6)
        left, sizes, _ = np.linalg.svd(x, full_matrices=False)
        self.x = left[:, :components] * sizes[:components] / sizes[0] * np.sqrt(len(x))
        self.fold = np.random.default_rng(0).permutation(len(x)) % folds
        self.num_classes = num_classes

    def probabilities(self, labels, known):
        from sklearn.linear_model import LogisticRegression

        predicted = np.full((len(self.x), self.num_classes), 1e-3)
        for fold in np.unique(self.fold):
            model = LogisticRegression(C=STRENGTH, max_iter=1000)
            given, here = known & (self.fold != fold), self.fold == fold
            model.fit(self.x[given], labels[given])
            predicted[np.ix_(here, model.classes_)] += model.predict_proba(self.x[here])
        return predicted / predicted.sum(axis=1, keepdims=True)


class Replay:
    """Held answers, some of which are bought."""

    probabilities = None  # of a classifier

    def __init__(self, annotations, seed):
        self.table, self.annotations = annotations.dense(), annotations
        self.held = self.table >= 0
        self.bought = np.zeros(self.held.shape, bool)
        self.rng = np.random.default_rng(seed)

    @property
    def answers(self):
        return kc.Annotations.from_dense(
            np.where(self.bought, self.table, -1), classes=self.annotations.classes
        )

    def left(self, most):
        """What can be bought; in a pool nobody gives more than `most` answers."""
        return self.held & ~self.bought & (self.bought.sum(axis=0) < most)

    def buy_by_item(self, scores, count, most):
        """One answer to each of the items of the lowest scores, from anybody."""
        while count > 0:
            left = self.left(most)
            order = np.lexsort((self.rng.random(len(scores)), scores))
            items = order[left[order].any(axis=1)][:count]
            for i in items:
                self.bought[i, self.rng.choice(np.flatnonzero(left[i]))] = True
            count -= len(items)

    def buy_at_random(self, count, most):
        while count > 0:
            item, annotator = np.nonzero(self.left(most))
            drawn = self.rng.permutation(len(item))[:count]
            self.bought[item[drawn], annotator[drawn]] = True
            count -= len(drawn)


def random(replay, found, count, most):
    replay.buy_at_random(count, most)


def fewest(replay, found, count, most):
    while count > 0:  # one by one, so that the counts are always those of now
        step = min(count, 25)
        replay.buy_by_item(replay.bought.sum(axis=1), step, most)
        count -= step


def activelab(replay, found, count, most):
    replay.buy_by_item(kc.acquisition.activelab_scores(replay.answers, replay.probabilities), count, most)


def ours(criterion="mixed", out_of_sample=False):
    def buy(replay, found, count, most):
        prior = replay.probabilities
        table = kc.acquisition.next_questions(
            replay.answers,
            count,
            confusion=found.confusion,
            probabilities=np.tile(found.class_prior, (len(replay.table), 1)) if prior is None else prior,
            out_of_sample=out_of_sample,
            available=replay.left(most),
            criterion=criterion,
            min_gain=0,  # all is bought in the end
        )
        replay.bought[table["item"], table["annotator"]] = True
        replay.buy_at_random(count - len(table["item"]), most)

    return buy


METHODS = {
    "random": random,
    "fewest": fewest,
    "ActiveLab": activelab,
    "next_questions": ours(),
    "next_questions, information": ours("information"),
    "next_questions, accuracy": ours("accuracy"),
}
WITH_CLASSIFIER = {**METHODS, "next_questions, out of sample": ours(out_of_sample=True)}


def curve(method, seed, annotations, truth, size, x=None):
    """Answers bought, and the accuracy of the labels of all items, after each step."""
    replay = Replay(annotations, seed)
    classifier = None if x is None else Classifier(x, annotations.num_classes)
    in_pool = size < len(annotations)
    most = size // 10 if in_pool else len(truth)
    found, points = None, []
    for bought in np.linspace(START, 1, STEPS + 1) * size:
        count = round(bought) - replay.bought.sum()
        if found is None:
            replay.buy_at_random(count, most)
        else:
            WITH_CLASSIFIER[method](replay, found, count, most)
        found = kc.aggregation.dawid_skene(replay.answers)
        labels = found.labels
        if classifier is not None:
            replay.probabilities = classifier.probabilities(labels, replay.bought.any(axis=1))
            q = kc.aggregation.posterior(replay.answers, replay.probabilities, found.confusion)
            labels = q.argmax(axis=1)
        points.append((replay.bought.sum(), np.mean(labels == truth)))
    return np.array(points)


def needed(points, target):
    """Answers at which a curve first reaches the target; all where it does not."""
    bought, accuracy = points[:, 0], np.maximum.accumulate(points[:, 1])
    j = int(np.argmax(accuracy >= target)) if accuracy[-1] >= target else -1
    if j <= 0:
        return bought[j]
    return np.interp(target, accuracy[j - 1 : j + 1], bought[j - 1 : j + 1])


def compare(names, methods, seeds, crowds=CROWDS):
    found = {}
    print("| crowd | method | " + " | ".join(f"for what random has at {t:.0%}" for t in TARGETS) + " |")
    print("|" + "---|" * (2 + len(TARGETS)))
    for name in names:
        runs = {method: [curve(method, seed, *crowds[name](seed)) for seed in seeds] for method in methods}
        mean = np.mean(runs["random"], axis=0)
        targets = [np.interp(t, np.linspace(START, 1, STEPS + 1), mean[:, 1]) for t in TARGETS]
        for method, points in runs.items():
            shares = np.array(
                [[needed(p, t) / needed(mean, t) for t in targets] for p in points]
            )  # (seed, target)
            on_mean = [needed(np.mean(points, axis=0), t) / needed(mean, t) for t in targets]
            cells = [f"{m:.2f} ({s:.2f})" for m, s in zip(on_mean, shares.std(axis=0), strict=True)]
            found[name, method] = np.array(on_mean)
            print(f"| {name} | {method} | {' | '.join(cells)} |", flush=True)
        print(
            f"| {name} | accuracy of the labels | {' | '.join(f'{t:.3f}' for t in targets)} |", flush=True
        )
    return found


def stop(names, seeds):
    """Accuracy and gain by the model, beside those by the gold labels, from halves of the answers to all."""
    print(
        "| crowd | estimated accuracy | with gold | expected gain | with gold | gain within the interval |"
    )
    print("|" + "---|" * 6)
    found = {}
    for name in names:
        rows = []
        for seed in range(seeds):
            half, rest, annotations, truth = halves(name, seed)
            curve = kc.acquisition.accuracy_curve(
                half, next_answers=len(rest), num_points=2, num_splits=20, seed=seed
            )
            now, then = (
                np.mean(kc.aggregation.dawid_skene(given).labels == truth) for given in (half, annotations)
            )
            within = curve.next_low <= then - now <= curve.next_high
            rows.append([curve.accuracy[-1], now, curve.next_gain, then - now, within])
        found[name] = np.mean(rows, axis=0)
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in found[name])} |", flush=True)
    return found


def halves(name, seed):
    """Half of the answers, the others, all of them, and the truth; simulated ones are answers to random questions."""
    if name in DATA:
        annotations, truth, _ = CROWDS[name](seed)
    else:
        accuracies, each, num_classes = POPULATIONS[name]
        everybody = len(accuracies(np.random.default_rng(seed)))
        pool, truth, _ = simulated(accuracies, everybody, num_classes)(seed)
        annotations, _ = pool.split(1 - each / everybody, seed=seed)
    half, rest = annotations.split(0.5, seed=seed)
    return half, rest, annotations, truth


def worth(names, seeds, least=(0.01, 0.003, 0.001)):
    """Share of the answers bought until no question is worth `min_gain`, and the accuracy beside that of all."""
    print(
        "| crowd | min_gain | answers bought | accuracy | accuracy with all answers |\n" + "|---" * 5 + "|"
    )
    found = {}
    for name in names:
        for min_gain in least:
            rows = [bought_until(name, min_gain, seed) for seed in range(seeds)]
            found[name, min_gain] = np.mean(rows, axis=0)
            share, accuracy, of_all = found[name, min_gain]
            print(f"| {name} | {min_gain} | {share:.2f} | {accuracy:.3f} | {of_all:.3f} |", flush=True)
    return found


def bought_until(name, min_gain, seed):
    annotations, truth, size = CROWDS[name](seed)
    replay = Replay(annotations, seed)
    replay.buy_at_random(round(START * size), len(truth))
    while True:
        found = kc.aggregation.dawid_skene(replay.answers)
        table = kc.acquisition.next_questions(
            replay.answers,
            size / 20,
            confusion=found.confusion,
            probabilities=np.tile(found.class_prior, (len(truth), 1)),
            available=replay.left(len(truth)),
            min_gain=min_gain,
        )
        if len(table["item"]) == 0:
            break
        replay.bought[table["item"], table["annotator"]] = True
    right = np.mean(kc.aggregation.dawid_skene(annotations).labels == truth)
    return replay.bought.sum() / len(annotations), np.mean(found.labels == truth), right


def incremental(size=1_000_000, new=1_000, num_annotators=1_000, num_classes=5, seeds=3):
    """CPU seconds of a run from the votes, of one that goes on from the result without the new answers, and of the
    posterior of the new answers alone; labels that differ from those of a run to the end."""
    rows = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        truth = rng.integers(num_classes, size=size // 5)
        accuracy = rng.uniform(0.4, 0.9, num_annotators)[:, None, None]
        matrices = np.where(np.eye(num_classes, dtype=bool), accuracy, (1 - accuracy) / (num_classes - 1))
        answers = kc.datasets.simulate_answers(truth, matrices, answers_per_item=5, seed=seed)
        old, fresh = answers.split(new / len(answers), seed=seed)
        start = kc.aggregation.dawid_skene(old)
        touched = np.bincount(fresh.item_index, minlength=len(truth)) > 0
        end = kc.aggregation.dawid_skene(answers, start=start, tolerance=1e-13, iterations=300)
        runs = {
            "from the votes": functools.partial(kc.aggregation.dawid_skene, answers),
            "start=": functools.partial(kc.aggregation.dawid_skene, answers, start=start),
            "posterior of the new": functools.partial(
                kc.aggregation.posterior, fresh, start.posterior, start.confusion
            ),
        }
        for name, run in runs.items():
            began = time.process_time()
            found = run()
            seconds = time.process_time() - began
            q = getattr(found, "posterior", found)
            differ = q.argmax(axis=1) != end.labels
            passes = len(getattr(found, "log_likelihood", ()))
            largest = np.abs(q - end.posterior).max()
            rows.append((name, seconds, passes, differ.sum(), differ[touched].sum(), largest))
    print(
        f"| {size // 5:,} items | CPU seconds | passes | labels that differ | of those with new answers | largest |"
    )
    print("|" + "---|" * 6)
    found = {}
    for name in dict.fromkeys(row[0] for row in rows):
        found[name] = np.mean([row[1:] for row in rows if row[0] == name], axis=0)
        seconds, passes, differ, new_differ, largest = found[name]
        print(
            f"| {name} | {seconds:.3f} | {passes:.1f} | {differ:.1f} | {new_differ:.1f} | {largest:.3f} |"
        )
    return found


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--crowds", nargs="+", choices=list({**CROWDS, **WITH_FEATURES}))
    parser.add_argument("--methods", nargs="+", choices=list(WITH_CLASSIFIER))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--incremental", action="store_true")
    parser.add_argument("--classifier", action="store_true")
    parser.add_argument("--stop", action="store_true")
    parser.add_argument("--worth", action="store_true")
    options = parser.parse_args(arguments)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    if options.classifier:
        names = options.crowds or list(WITH_FEATURES)
        methods = options.methods or list(WITH_CLASSIFIER)
        return compare(names, methods, seeds, WITH_FEATURES)
    options.methods = options.methods or list(METHODS)
    options.crowds = options.crowds or list(CROWDS)
    if options.incremental:
        return incremental()
    if options.stop:
        return stop([name for name in options.crowds if name != "pool"], options.seeds)
    if options.worth:
        return worth(options.crowds, options.seeds)
    return compare(options.crowds, options.methods, seeds)


if __name__ == "__main__":
    main()
