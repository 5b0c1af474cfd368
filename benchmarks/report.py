"""Whether the figures of `report.crowd_report` can be believed: intervals, accuracy of labels, scores of annotators.

    KERAS_CROWD_DATA=folder python benchmarks/report.py            # all three tables
    python benchmarks/report.py --parts coverage --crowds 10

Simulated crowds have 60 annotators of 5 to 200 answers each and five answers per item. Gold labels serve for scoring.
"""

import argparse
import os
import pathlib

import numpy as np

from keras_crowd import Annotations
from keras_crowd.aggregation import agreement, dawid_skene, majority_vote
from keras_crowd.report import crowd_report

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


def auc(score, positive):
    """Probability that a positive one has a higher score than another, ties by half."""
    greater = score[positive][:, None] - score[~positive]
    return np.mean((greater > 0) + 0.5 * (greater == 0))


def spammer_scores(draws, fewest=10):
    """How well scores without gold labels tell the half of the annotators that gold labels find less accurate."""
    for name, annotations, gold in real_crowds():
        table = crowd_report(annotations, draws=draws).tables["annotators"]
        by_gold, counts = agreement(annotations, gold), annotations.answers_per_annotator()
        enough = counts >= fewest
        poor = by_gold[enough] < np.median(by_gold[enough])
        scores = {
            "accuracy": table["accuracy"],
            "informedness": table["informedness"],
            "agreement with the label": table["agreement"],
            "agreement with the vote": agreement(annotations, majority_vote(annotations)),
        }
        found = ", ".join(f"{what} {auc(-np.asarray(s)[enough], poor):.3f}" for what, s in scores.items())
        print(f"{name:<8} {enough.sum()} annotators of {fewest} answers or more: {found}")


def main(parts=("coverage", "labels", "spammers"), crowds=10, draws=400):
    if "coverage" in parts:
        coverage(crowds, draws)
    if "labels" in parts:
        label_accuracy(draws)
    if "spammers" in parts:
        spammer_scores(draws)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", default=["coverage", "labels", "spammers"])
    parser.add_argument("--crowds", type=int, default=10)
    parser.add_argument("--draws", type=int, default=400)
    main(**vars(parser.parse_args()))
