"""A panel of 65 judges on the 419 pairs of LLMBar, with 20, 50 and 100 gold labels and without any.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/panels.py
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/panels.py --collections CaseStudy Processed

Accuracy and expected calibration error on the pairs without a gold label, mean and standard deviation over the draws.
(Judge, order) are annotators, judges who rate stand once. "Below the vote" counts draws. The weighted vote has the two
orders as one soft answer; its variances were settled on CaseStudy and Processed. Logistic regression is scikit-learn's,
with its defaults, on the verdicts as -1, 0 (none) and 1. Halves of the judges are drawn anew for each draw.
"""

import argparse
import functools
import os
import pathlib

import numpy as np

import keras_crowd as kc

GOLD = (20, 50, 100)


def panel(collection):
    """Verdicts `(pairs, judges, orders)`, gold labels, and which (judge, order) stand as annotators."""
    table = np.load(pathlib.Path(os.environ["KERAS_CROWD_DATA"]) / "llmbar_judges.npz")
    rows = table["collection"] == collection
    verdicts = table["verdicts"][rows].astype(int)
    there = np.any(verdicts[..., 0] >= 0, axis=0)
    once = np.stack([np.ones(there.sum(), bool), ~table["is_rating"][there]], axis=1)
    return verdicts[:, there], table["gold"][rows].astype(int), once


def both_orders(verdicts):
    """Soft answers `(pairs, judges, outputs)`: of the verdicts there are, the share for each output."""
    counts = np.stack([np.sum(verdicts == k, axis=2) for k in range(2)], axis=-1)
    return counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1)


def logistic_regression(verdicts, once, gold):
    from sklearn.linear_model import LogisticRegression

    x = np.where(verdicts < 0, 0, 2 * verdicts - 1)[:, once]
    known = gold >= 0
    return LogisticRegression(max_iter=1000).fit(x[known], gold[known]).predict_proba(x)


def vote(verdicts, once, gold):
    shares = kc.aggregation.majority_vote(verdicts[:, once], 2, soft=True).astype(float)
    return np.where(shares.sum(axis=1, keepdims=True) > 0, shares, 0.5)


def dawid_skene(verdicts, once, gold, weigh=False):
    answers = verdicts[:, once]
    weights = kc.selection.annotator_weights(answers, 2, gold=gold) if weigh else None
    return kc.aggregation.dawid_skene(answers, 2, gold=gold, annotator_weights=weights).posterior


def weighted_vote(verdicts, once, gold):
    return kc.aggregation.weighted_vote(both_orders(verdicts), gold).posterior


METHODS = {
    "majority vote": vote,
    "Dawid-Skene": dawid_skene,
    "Dawid-Skene, weights of annotators": functools.partial(dawid_skene, weigh=True),
    "logistic regression": logistic_regression,
    "weighted vote": weighted_vote,
}


def measure(collection, num_gold, draws, halves):
    """Accuracy and calibration error `(methods, draws, 2)` on the pairs without a gold label."""
    verdicts, truth, once = panel(collection)
    found = np.empty((len(METHODS), draws, 2))
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        rest = rng.permutation(len(truth))[num_gold:]
        gold = truth.copy()
        gold[rest] = -1
        judges = np.arange(len(once))
        if halves:
            judges = np.sort(rng.permutation(judges)[: len(judges) // 2])
        for i, method in enumerate(METHODS.values()):
            q = method(verdicts[:, judges], once[judges], gold)[rest]
            right = np.mean(q.argmax(axis=1) == truth[rest])
            found[i, draw] = right, kc.evaluation.calibration_error(truth[rest], q)
    return found


def print_gold(collection, draws):
    print(f"\n## {collection}\n")
    print(
        "| judges | gold labels | method | accuracy | calibration error | below the vote |\n|" + "---|" * 6
    )
    for halves in (False, True):
        for num_gold in GOLD:
            found = measure(collection, num_gold, draws, halves)
            for name, runs in zip(METHODS, found, strict=True):
                accuracy, error = (f"{of.mean():.3f} +- {of.std():.3f}" for of in runs.T)
                below = int(np.sum(runs[:, 0] < found[0, :, 0]))
                who = "half" if halves else "all"
                print(
                    f"| {who} | {num_gold} | {name} | {accuracy} | {error} | {below} of {draws} |",
                    flush=True,
                )


def print_without_gold(collection):
    verdicts, truth, once = panel(collection)
    answers = verdicts[:, once]
    weights = kc.selection.annotator_weights(answers, 2)
    runs = {
        "majority vote": vote(verdicts, once, None),
        "Dawid-Skene": dawid_skene(verdicts, once, None),
        "Dawid-Skene, weights of annotators": dawid_skene(verdicts, once, None, weigh=True),
    }
    print(f"\n{collection} without gold; the annotators count for {weights.sum():.1f} of {len(weights)}\n")
    print("| method | accuracy | mean confidence | calibration error |\n|" + "---|" * 4)
    for name, q in runs.items():
        error = kc.evaluation.calibration_error(truth, q)
        print(
            f"| {name} | {np.mean(q.argmax(axis=1) == truth):.3f} | {q.max(axis=1).mean():.3f} | {error:.3f} |"
        )


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--collections", nargs="+", default=["LLMBar"])
    parser.add_argument("--draws", type=int, default=20)
    arguments = parser.parse_args(argv)
    for collection in arguments.collections:
        print_without_gold(collection)
        print_gold(collection, arguments.draws)


if __name__ == "__main__":
    main()
