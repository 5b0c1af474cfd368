"""Connections of `CrowdsMultiLabel` on simulated annotators of several shapes: which one to start with.

    KERAS_BACKEND=jax python benchmarks/label_crowds.py

8 labels of 1,500 items, linear in 20 features up to noise, four answers to each item, by annotators with 100 or with 12
answers each. Sensitivities and specificities are the same for all ("alike"), differ by label, by annotator plus label
in logits ("additive"), also freely on top ("mixed"), freely alone ("independent"), or as "additive" but for 30 % of
annotators, who tick nearly everything or nearly nothing ("spammers"). The networks are those of `relations.py`.
Printed: nats of held-out answers by the features, average precision of the classifier on new items, root mean squared
error of the rates.
"""

import argparse

import keras
import numpy as np
import relations
from sklearn.metrics import average_precision_score

import keras_crowd as kc

ITEMS, LABELS, WIDTH, ANSWERS_PER_ITEM = 1500, 8, 20, 4
SHAPES = ("alike", "labels", "additive", "mixed", "independent", "spammers")
OTHERS = {"EM": relations.em, "joint likelihood": relations.joint}
EFFECTS = {"additive": (0.8, 0.8, 0.0), "mixed": (0.8, 0.6, 0.8), "spammers": (0.5, 0.5, 0.0)}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def rates(shape, annotators, rng):
    """Sensitivities and specificities, `(annotators, labels)` each."""
    whole = (annotators, LABELS)
    if shape == "alike":
        return np.full(whole, 0.8), np.full(whole, 0.92)
    if shape == "labels":
        return tuple(
            np.tile(rng.uniform(*ends, LABELS), (annotators, 1)) for ends in ((0.55, 0.95), (0.8, 0.97))
        )
    if shape == "independent":
        return rng.uniform(0.4, 0.98, whole), rng.uniform(0.7, 0.99, whole)
    of_annotator, of_label, of_both = EFFECTS[shape]
    s, c = (
        sigmoid(
            center
            + rng.normal(0, of_annotator, (annotators, 1))
            + rng.normal(0, of_label, LABELS)
            + rng.normal(0, of_both, whole)
        )
        for center in ((1.5, 2.5) if shape == "spammers" else (1.0, 2.2))
    )
    if shape == "spammers":
        spam, everything = rng.random(annotators) < 0.3, rng.random((annotators, 1)) < 0.5
        s[spam], c[spam] = (np.where(everything, *ends)[spam] for ends in ((0.95, 0.05), (0.05, 0.95)))
    return s, c


def crowd(shape, answers_per_annotator, seed):
    """Features, truth (items to test come last), rates, and the answers kept and held out."""
    rng = np.random.default_rng(seed)
    slopes, offsets = rng.normal(size=(WIDTH, LABELS)), rng.uniform(-3.5, -0.5, LABELS)
    x = rng.normal(size=(2 * ITEMS, WIDTH))
    truth = rng.random((2 * ITEMS, LABELS)) < sigmoid(0.7 * x @ slopes + offsets)
    annotators = ITEMS * ANSWERS_PER_ITEM // answers_per_annotator
    s, c = rates(shape, annotators, rng)
    who = np.argsort(rng.random((ITEMS, annotators)), axis=1)[:, :ANSWERS_PER_ITEM].ravel()
    item = np.repeat(np.arange(ITEMS), ANSWERS_PER_ITEM)
    ticked = (rng.random((len(item), LABELS)) < np.where(truth[item], s[who], 1 - c[who])).astype("int8")
    answers = kc.Annotations.from_sets(
        item, who, ticked, items=range(ITEMS), annotators=range(annotators), classes=LABELS
    )
    return x.astype("float32"), truth, (s, c), *answers.split(0.15, seed)


def of_seed(shape, answers_per_annotator, seed):
    x, truth, true_rates, kept, held_out = crowd(shape, answers_per_annotator, seed)
    found = {}
    given = x, np.arange(ITEMS), kept
    for name in (*relations.CONN_TYPES, *OTHERS):
        keras.utils.set_random_seed(seed)
        f, s, c = OTHERS[name](*given) if name in OTHERS else relations.layer(*given, name)
        precision = average_precision_score(truth[ITEMS:], f[ITEMS:], average="macro")
        error = np.sqrt(np.mean((np.stack([s, c]) - np.stack(true_rates)) ** 2))
        found[name] = relations.nats(held_out, f[:ITEMS], s, c), precision, error
    return found


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--shapes", nargs="+", default=SHAPES, choices=SHAPES)
    parser.add_argument("--answers", type=int, nargs="+", default=[100, 12], help="of each annotator")
    arguments = parser.parse_args(argv)
    names, results = (*relations.CONN_TYPES, *OTHERS), {}
    print(f"| annotators, answers each | {' | '.join(names)} |\n|{'---|' * (1 + len(names))}")
    for shape in arguments.shapes:
        for answers in arguments.answers:
            runs = [of_seed(shape, answers, seed) for seed in range(arguments.seeds)]
            means = {name: np.mean([run[name] for run in runs], axis=0) for name in names}
            cells = [" / ".join(f"{value:.3f}" for value in means[name]) for name in names]
            print(f"| {shape}, {answers} | {' | '.join(cells)} |", flush=True)
            results[shape, answers] = means
    return results


if __name__ == "__main__":
    main()
