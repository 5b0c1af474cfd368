"""Whether the figures of `report.crowd_report` can be believed: intervals, accuracy of labels, scores of annotators.

    KERAS_CROWD_DATA=folder python benchmarks/report.py            # all three tables
    python benchmarks/report.py --parts coverage --crowds 10
    python benchmarks/report.py --parts gold copiers

`gold` measures the accuracy of the labels with 20, 50 and 100 gold labels drawn at random, and counts how often the
interval holds the accuracy by all gold labels.

Simulated crowds have 60 annotators of 5 to 200 answers each and five answers per item. Gold labels serve for scoring.
"""

import argparse
import os
import pathlib

import numpy as np

from keras_crowd import Annotations
from keras_crowd.aggregation import agreement, dawid_skene, majority_vote
from keras_crowd.evaluation import annotator_dependence
from keras_crowd.report import crowd_report
from keras_crowd.report._intervals import share_right

POPULATIONS = ("one coin", "by class", "spammers")
BANDS = ((5, 20), (20, 80), (80, 201))


def draw_confusions(population, num_annotators, num_classes, rng):
    """Annotators of one accuracy each, of accuracies that differ by class, or of whom 30 % answer at random."""
    right = np.eye(num_classes, dtype=bool)
    if population == "spammers":
        accuracy = np.where(rng.random(num_annotators) < 0.7, 0.85, 1 / num_classes)
    elif population == "one coin":
        accuracy = rng.uniform(0.5 if num_classes == 2 else 0.3, 0.95, num_annotators)
    else:
        accuracy = rng.beta(5, 2, num_annotators)
    wrong = (1 - accuracy) / (num_classes - 1)
    coins = np.where(right, accuracy[:, None, None], wrong[:, None, None])
    if population != "by class":
        return coins
    drawn = rng.standard_gamma(6 * coins) + 1e-9
    return drawn / drawn.sum(axis=2, keepdims=True)


def draw_crowd(population, num_classes, seed, num_annotators=60, answers_per_item=5):
    """The answers, the confusions that they are drawn from, true classes and their shares."""
    rng = np.random.default_rng(seed)
    confusion = draw_confusions(population, num_annotators, num_classes, rng)
    sizes = np.exp(rng.uniform(np.log(5), np.log(201), num_annotators)).astype(int)
    share = rng.dirichlet(np.full(num_classes, 10))
    truth = rng.choice(num_classes, max(sizes.sum() // answers_per_item, 200), p=share)
    item = np.concatenate([rng.choice(len(truth), size, replace=False) for size in sizes])
    who = np.repeat(np.arange(num_annotators), sizes)
    below = confusion[who, truth[item]].cumsum(axis=1) < rng.random((len(item), 1))
    annotations = Annotations(
        item,
        who,
        np.minimum(below.sum(axis=1), num_classes - 1),
        items=np.arange(len(truth)),
        annotators=np.arange(num_annotators),
        classes=np.arange(num_classes),
    )
    return annotations, confusion, truth, share


def held(table, name, truth):
    """Whether each interval of a column contains the true value."""
    return ((table[f"{name}_low"] <= truth) & (truth <= table[f"{name}_high"])).to_numpy()


def naive(annotations, truth_of_annotators):
    """Whether beta intervals on the counts of a posterior, taken for true classes, contain the accuracies."""
    q = dawid_skene(annotations).posterior
    right = q[annotations.item_index, annotations.answers]
    hits = np.bincount(annotations.annotator_index, right, annotations.num_annotators)
    n = annotations.answers_per_annotator()
    rng = np.random.default_rng(0)
    low, high = np.quantile(rng.beta(hits + 1, n - hits + 1, (2000, len(n))), [0.025, 0.975], axis=0)
    return (low <= truth_of_annotators) & (truth_of_annotators <= high)


def coverage(crowds, draws):
    """Intervals of 95 % that contain the truth, in percent."""
    names = ["5 to 19", "20 to 79", "80 to 200", "all"]
    print(f"{'':<10}{'K':>3} | accuracy, by answers {'':<21}| recall {'':<35}| naive | label accuracy")
    print(f"{'':<13} | {''.join(f'{name:>10}' for name in names)} | " + "".join(f"{n:>10}" for n in names))
    for population in POPULATIONS:
        for num_classes in (2, 5, 10):
            accuracy, recall, sizes, beta, labels = [], [], [], [], []
            for seed in range(crowds):
                annotations, confusion, truth, share = draw_crowd(population, num_classes, seed)
                tables = crowd_report(annotations, draws=draws, seed=seed).tables
                diagonal = np.diagonal(confusion, axis1=1, axis2=2)
                accuracy.append(held(tables["annotators"], "accuracy", diagonal @ share))
                recall.append(
                    held(tables["recall"], "recall", diagonal.reshape(-1)).reshape(diagonal.shape)
                )
                sizes.append(annotations.answers_per_annotator())
                beta.append(naive(annotations, diagonal @ share))
                row = tables["summary"].set_index("name").loc["label_accuracy"]
                labels.append((row["value"], np.mean(tables["items"]["label"] == truth)))
            accuracy, recall, sizes, beta = map(np.concatenate, (accuracy, recall, sizes, beta))
            bands = [(sizes >= low) & (sizes < high) for low, high in BANDS] + [sizes > 0]
            cells = [
                "".join(f"{100 * values[band].mean():>10.1f}" for band in bands)
                for values in (accuracy, recall)
            ]
            claimed, right = np.mean(labels, axis=0)
            print(
                f"{population:<10}{num_classes:>3} | {cells[0]} | {cells[1]} | {100 * beta.mean():>5.1f} | "
                f"{claimed:.3f} claimed, {right:.3f} right",
                flush=True,
            )


def real_crowds():
    """LabelMe and Music: name, annotations and gold classes."""
    folder = pathlib.Path(os.environ["KERAS_CROWD_DATA"])
    for name, gold in (("labelme", "labels_train"), ("music", "y_train")):
        file = np.load(folder / f"{name}.npz")
        yield name, Annotations.from_dense(file["answers"].astype(int)), file[gold].astype(int)


def label_accuracy(draws):
    """The accuracy of the labels, as the report claims it and as gold labels count it."""
    for name, annotations, gold in real_crowds():
        summary = crowd_report(annotations, gold=gold, draws=draws).tables["summary"].set_index("name")
        for row in ("label_accuracy", "vote_accuracy"):
            claimed, true = summary.loc[row], summary.loc[f"gold_{row}"]
            print(
                f"{name:<8} {row:<15} claimed {claimed['value']:.3f} ({claimed['low']:.3f} to {claimed['high']:.3f}), "
                f"by gold {true['value']:.3f} ({true['low']:.3f} to {true['high']:.3f})"
            )


def classifier_accuracy(draws, folds=5):
    """The claimed accuracy of the labels with a classifier's predictions, each by one that did not see the item."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    for name, annotations, gold in real_crowds():
        x = features(name)
        labels = dawid_skene(annotations).labels
        fold = np.random.default_rng(0).permutation(len(x)) % folds
        probabilities = np.zeros((len(x), annotations.num_classes))
        for k in range(folds):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
            model.fit(x[fold != k], labels[fold != k])
            probabilities[np.ix_(fold == k, model.classes_)] = model.predict_proba(x[fold == k])
        summary = crowd_report(annotations, probabilities=probabilities, gold=gold, draws=draws)
        rows = summary.tables["summary"].set_index("name")["value"]
        print(
            f"{name:<8} with a classifier, label_accuracy claimed {rows['label_accuracy']:.3f}, "
            f"by gold {rows['gold_label_accuracy']:.3f}, "
            f"classifier alone {np.mean(probabilities.argmax(axis=1) == gold):.3f}"
        )


def features(name):
    """The features of the training items."""
    folder = pathlib.Path(os.environ["KERAS_CROWD_DATA"])
    return np.load(folder / f"{name}.npz")["vgg_avg_train" if name == "labelme" else "X_train"]


def with_gold(crowds, draws, repeats=200, counts=(20, 50, 100)):
    """The accuracy of the labels by some gold labels: its error, and how often its interval holds that by all."""
    simulated = (
        ("simulated", *draw_crowd(population, num_classes, seed)[::2])
        for population in POPULATIONS
        for num_classes in (2, 5, 10)
        for seed in range(crowds)
    )
    real = real_crowds() if "KERAS_CROWD_DATA" in os.environ else ()
    found = {}
    for name, annotations, truth in [*real, *simulated]:
        items = crowd_report(annotations, draws=draws).tables["items"]
        items = items[items["answers"] > 0]
        right = (items["label"].to_numpy() == truth[items.index]).astype(float)
        confidence, rng = items["confidence"].to_numpy(), np.random.default_rng(0)
        for count in counts:
            for _ in range(repeats):
                known = np.zeros(len(right), bool)
                known[rng.permutation(len(right))[:count]] = True
                value, low, high = share_right(right, known, confidence)
                row = value - right.mean(), low <= right.mean() <= high, high - low
                row += confidence.mean() - right.mean(), right[known].mean() - right.mean()
                found.setdefault((name, count), []).append(row)
    for (name, count), rows in found.items():
        error, holds, width, claimed, counted = np.array(rows).T
        print(
            f"{name:<9} {count:>3} gold labels: error {np.sqrt(np.mean(error**2)):.3f} (counted alone "
            f"{np.sqrt(np.mean(counted**2)):.3f}, without gold {np.sqrt(np.mean(claimed**2)):.3f}), interval of "
            f"{width.mean():.3f} holds the truth in {100 * holds.mean():.1f} %",
            flush=True,
        )


def auc(score, positive):
    """Probability that a positive one has a higher score than another, ties by half."""
    greater = score[positive][:, None] - score[~positive]
    return np.mean((greater > 0) + 0.5 * (greater == 0))


def digits_crowd(seed):
    """Thirty machine annotators of the digits, two answers per item; six of them learned from 200 items or more."""
    from sklearn.datasets import load_digits

    from keras_crowd.datasets import machine_annotators

    x, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    sizes = [*rng.integers(200, 250, 6), *rng.integers(8, 18, 24)]
    return machine_annotators(x / 16, y, 30, train_size=sizes, answers_per_item=2, seed=seed), y


def spam_score(confusion):
    """Mean squared distance of two rows of each confusion matrix, low for spammers (Raykar and Yu, JMLR 2012)."""
    apart = confusion[:, :, None] - confusion[:, None]
    num_classes = confusion.shape[1]
    return np.sum(apart**2, axis=(1, 2, 3)) / (2 * num_classes * (num_classes - 1))


def crowd_kit_scores(annotations):
    """Skills of the annotators by crowd-kit's models, where it is installed."""
    try:
        from crowdkit import aggregation
    except ImportError:
        return {}
    frame = annotations.to_dataframe()
    frame.columns = ["task", "worker", "label"]
    people = annotations.annotators
    scores = {}
    for name, skills in (("MMSR", "skills_"), ("OneCoinDawidSkene", "skills_"), ("GLAD", "alphas_")):
        model = getattr(aggregation, name)()
        model.fit(frame)
        scores[f"crowd-kit {name}"] = getattr(model, skills).reindex(people).to_numpy(float)
    return scores


def spammer_scores(draws, fewest=10, seeds=3):
    """How well scores without gold labels tell the half of the annotators that gold labels find less accurate."""
    real = real_crowds() if "KERAS_CROWD_DATA" in os.environ else ()
    crowds = [*real, *(("digits", *digits_crowd(seed)) for seed in range(seeds))]
    found = {}
    for name, annotations, gold in crowds:
        table = crowd_report(annotations, draws=draws).tables["annotators"]
        by_gold, counts = agreement(annotations, gold), annotations.answers_per_annotator()
        enough = counts >= fewest
        poor = by_gold[enough] < np.median(by_gold[enough])
        scores = {
            "accuracy": table["accuracy"],
            "informedness": table["informedness"],
            "agreement with the label": table["agreement"],
            "agreement with the vote": agreement(annotations, majority_vote(annotations)),
            "spam score of Raykar and Yu": spam_score(dawid_skene(annotations, confusion="full").confusion),
            **crowd_kit_scores(annotations),
        }
        for what, values in scores.items():
            area = auc(-np.asarray(values)[enough], poor)
            found.setdefault((name, what), []).append(area)
    for (name, what), areas in found.items():
        print(f"{name:<8} {what:<28} {np.mean(areas):.3f} +- {np.std(areas):.3f} ({len(areas)} crowds)")


def crowd_with_copiers(seed, answers_per_item, num_annotators=40, num_classes=4, copying=0.2, share=0.9):
    """Answers to 1,000 items, and who copied from whom: a fifth of the annotators take over nine of ten answers."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(num_classes, size=1000)
    who = rng.random((len(truth), num_annotators)).argsort(axis=1)[:, :answers_per_item]
    right = rng.uniform(0.5, 0.9, num_annotators)
    table = np.full((len(truth), num_annotators), -1)
    for r in range(num_annotators):
        asked = (who == r).any(axis=1)
        wrong = (truth + rng.integers(1, num_classes, len(truth))) % num_classes
        table[asked, r] = np.where(rng.random(len(truth)) < right[r], truth, wrong)[asked]
    people = rng.permutation(num_annotators)
    copiers, honest = np.split(people, [round(copying * num_annotators)])
    source = np.full(num_annotators, -1)
    source[copiers] = rng.choice(honest, len(copiers))
    for r in copiers:
        copied = (table[:, r] >= 0) & (table[:, source[r]] >= 0) & (rng.random(len(truth)) < share)
        table[copied, r] = table[copied, source[r]]
    return table, source


def copier_rates(crowds, fewest_correlation=0.2):
    """Copiers found beside whom they copy, and false alarms: other pairs than those with the same source."""
    for answers_per_item in (5, 10, 20):
        rows = []
        for seed in range(crowds):
            table, source = crowd_with_copiers(seed, answers_per_item)
            found = dawid_skene(table)
            pairs = annotator_dependence(table, found.posterior, found.confusion)
            called = np.triu(pairs.dependent & (pairs.correlation >= fewest_correlation), 1)
            called |= called.T
            copiers = np.flatnonzero(source >= 0)
            root = np.where(source >= 0, source, np.arange(len(source)))
            same = root[:, None] == root
            alarms = np.triu(called & ~same, 1).sum()
            honest = np.triu(~same, 1).sum()
            common = pairs.common[copiers, source[copiers]].mean()
            rows.append((called[copiers, source[copiers]].mean(), alarms, 100 * alarms / honest, common))
        (hits, alarms, rate, common), spread = np.mean(rows, axis=0), np.std(rows, axis=0)
        print(
            f"{answers_per_item} answers per item, {common:.0f} common items: {100 * hits:.1f} +- "
            f"{100 * spread[0]:.1f} % of the copiers found; {alarms:.1f} false alarms per crowd, "
            f"{rate:.2f} % of the pairs",
            flush=True,
        )


def main(parts=("coverage", "labels", "spammers"), crowds=10, draws=400):
    if "coverage" in parts:
        coverage(crowds, draws)
    if "labels" in parts:
        label_accuracy(draws)
        classifier_accuracy(draws)
    if "gold" in parts:
        with_gold(crowds, draws)
    if "spammers" in parts:
        spammer_scores(draws)
    if "copiers" in parts:
        copier_rates(crowds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", default=["coverage", "labels", "spammers"])
    parser.add_argument("--crowds", type=int, default=10)
    parser.add_argument("--draws", type=int, default=400)
    main(**vars(parser.parse_args()))
