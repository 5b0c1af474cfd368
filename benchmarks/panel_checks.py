"""Weights of annotators on crowds that are nearly independent and on copies; coverage of prediction-powered intervals.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/panel_checks.py
    KERAS_BACKEND=jax python benchmarks/panel_checks.py --only copies intervals

"Copies" repeats one annotator of a simulated crowd 20 times, and counts the labels that change by it; "classifier" does
so with digits, and trains on them.
"""

import argparse
import itertools
import os
import pathlib
import warnings

import keras
import numpy as np
from panels import panel
from sklearn.datasets import load_digits

import keras_crowd as kc

CROWDS = (
    (2, 10, 0.6),
    (2, 10, 0.8),
    (2, 6, 0.7),
    (4, 10, 0.6),
    (3, 20, 0.5),
)  # classes, annotators, accuracy
FEATURES = ("error, features", "error, mean", "correlation", "labels, features", "labels, without")
DATA = {
    "LabelMe": ("labelme.npz", "answers", "labels_train"),
    "Music": ("music.npz", "answers", "y_train"),
    "NER": ("ner_mturk.npz", "train_answers", "train_gold"),
}


def weighted(annotations):
    weights = kc.selection.annotator_weights(annotations)
    return weights, kc.aggregation.dawid_skene(annotations, annotator_weights=weights)


def real_crowds():
    """Answers and gold of the real crowds, by name."""
    found = {}
    for name, (file, answers, gold) in DATA.items():
        table = np.load(pathlib.Path(os.environ["KERAS_CROWD_DATA"]) / file)
        given, truth = table[answers].astype(int), table[gold].astype(int)
        given = given[:, np.any(given >= 0, axis=0)]
        found[name] = kc.Annotations.from_dense(given, classes=range(truth.max() + 1)), truth
    return found


def independent():
    print("| | without weights | with weights | mean weight | calibration errors |\n|" + "---|" * 5)
    for name, (annotations, truth) in real_crowds().items():
        weights, found = weighted(annotations)
        both = kc.aggregation.dawid_skene(annotations), found
        right = [f"{np.mean(of.labels == truth):.4f}" for of in both]
        errors = ", ".join(f"{kc.evaluation.calibration_error(truth, of.posterior):.3f}" for of in both)
        print(f"| {name} | {' | '.join(right)} | {weights.mean():.3f} | {errors} |", flush=True)


def calibration(draws=20):
    """Calibration error, and confidence less accuracy, of the labels of items without gold labels."""
    print(
        "\n| | gold labels | calibration error before | after | confidence less accuracy before | after |"
    )
    print("|" + "---|" * 6)
    for name, (annotations, truth) in {**real_crowds(), **panels()}.items():
        for num_gold in (20, 50, 100):
            runs = [
                calibrated(annotations, truth, num_gold, draw, name.startswith("judges"))
                for draw in range(draws)
            ]
            print(f"| {name} | {num_gold} | {with_spread(runs)} |", flush=True)


def calibrated(annotations, truth, num_gold, seed, start_from_gold):
    known = np.random.default_rng(seed).permutation(len(truth))[:num_gold]
    gold = np.full(len(truth), -1)
    gold[known] = truth[known]
    rest = gold < 0
    found = kc.aggregation.dawid_skene(annotations, gold=gold if start_from_gold else None)
    prior = np.tile(found.class_prior, (len(truth), 1))
    q = kc.aggregation.posterior(annotations, prior, found.confusion)  # without help of the gold labels
    both = q, kc.aggregation.calibrated_posterior(q, gold).posterior
    errors = [kc.evaluation.calibration_error(truth[rest], of[rest]) for of in both]
    gaps = [np.mean(of[rest].max(axis=1)) - np.mean(of[rest].argmax(axis=1) == truth[rest]) for of in both]
    return *errors, *gaps


def panels():
    """Answers and gold of the panels of LLMBar, (judge, order) as annotators, by name."""
    found = {}
    for collection in ("LLMBar", "CaseStudy", "Processed"):
        verdicts, truth, once = panel(collection)
        found[f"judges, {collection}"] = (
            kc.Annotations.from_dense(verdicts[:, once], classes=range(2)),
            truth,
        )
    return found


def with_spread(runs):
    """Mean and standard deviation of each column, as cells of a table."""
    pairs = zip(np.mean(runs, axis=0), np.std(runs, axis=0), strict=True)
    return " | ".join(f"{mean:.3f} +- {spread:.3f}" for mean, spread in pairs)


def with_copies(answers):
    """The answers with the first annotator 20 times."""
    return np.concatenate([answers, np.repeat(answers[:, :1], 19, axis=1)], axis=1)


def crowd(num_classes, num_annotators, accuracy, seed, num_items=400):
    """True classes, and answers of annotators whose errors are even."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(num_classes, size=num_items)
    right = rng.uniform(accuracy - 0.15, accuracy + 0.15, num_annotators)
    hit = rng.random((num_items, num_annotators)) < right
    wrong = (truth[:, None] + rng.integers(1, num_classes, hit.shape)) % num_classes
    return truth, np.where(hit, truth[:, None], wrong)


def copies(seeds=20):
    runs = []
    for seed, kind in itertools.product(range(seeds), CROWDS):
        truth, once = crowd(*kind, seed)
        often = with_copies(once)
        both = [kc.Annotations.from_dense(answers, classes=range(kind[0])) for answers in (once, often)]
        plain = [kc.aggregation.dawid_skene(annotations).labels for annotations in both]
        found = [weighted(annotations)[1].labels for annotations in both]
        right = [np.mean(labels == truth) for labels in (*plain, *found)]
        runs.append([*right, np.mean(found[0] != found[1])])
    means, changed = np.mean(runs, axis=0), np.array(runs)[:, -1]
    print(
        "\n| Dawid-Skene | with copies | weights | with copies | labels changed | most | crowds unchanged |"
    )
    print("|" + "---|" * 7)
    cells = [*(f"{value:.4f}" for value in means), f"{changed.max():.3f}", f"{np.mean(changed == 0):.2f}"]
    print(f"| {' | '.join(cells)} |")


def covered(num_gold, num_items, accuracy, share, draws=1000):
    """Part of the intervals that contain the share."""
    hits = 0
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        y = (rng.random(num_items) < share).astype(float)
        f = np.where(rng.random(num_items) < accuracy, y, 1 - y)
        gold = np.where(np.arange(num_items) < num_gold, y, np.nan)
        found = kc.evaluation.prediction_powered_mean(f, gold)
        hits += found.low <= share <= found.high
    return hits / draws


def intervals():
    print("\n| gold labels | items | accuracy of the panel | share | covered |\n|" + "---|" * 5)
    judges = ((0.9, 0.6), (0.7, 0.6), (0.6, 0.5), (0.9, 0.8))
    for num_gold, num_items, (accuracy, share) in itertools.product((20, 50, 100), (300, 2000), judges):
        found = covered(num_gold, num_items, accuracy, share)
        print(f"| {num_gold} | {num_items} | {accuracy} | {share} | {found:.3f} |", flush=True)


def without_a_quarter(table, num_gold, seed):
    """Held-out judges' accuracy by features and by the others' mean; labels from few answers per judge."""
    verdicts, truth, features = table
    rng = np.random.default_rng(seed)
    gold = np.where(rng.permutation(len(truth)) < num_gold, truth, -1)
    judges = np.unique(features["judge"])
    strange = np.isin(features["judge"], rng.permutation(judges)[: len(judges) // 4])
    accuracy = np.array([np.mean(given[given >= 0] == truth[given >= 0]) for given in verdicts.T])
    known = {name: column for name, column in features.items() if name != "judge"}
    seen = kc.Annotations.from_dense(np.where(strange, -1, verdicts), classes=[0, 1])
    found = kc.aggregation.dawid_skene(seen, gold=gold, annotator_features=known)
    plain = kc.aggregation.dawid_skene(seen, gold=gold)
    predicted = np.trace(found.population.confusion(known), axis1=1, axis2=2) / 2
    mean = np.trace(plain.confusion[~strange], axis1=1, axis2=2).mean() / 2
    apart = [np.mean(np.abs(of - accuracy)[strange]) for of in (predicted, mean)]
    correlation = np.corrcoef(predicted[strange], accuracy[strange])[0, 1]
    few = kc.Annotations.from_dense(
        np.where(rng.random(verdicts.shape) < 12 / len(truth), verdicts, -1), classes=[0, 1]
    )
    labels = [
        kc.aggregation.dawid_skene(few, gold=gold, annotator_features=of).labels for of in (known, None)
    ]
    return [*apart, correlation, *(np.mean((of == truth)[gold < 0]) for of in labels)]


def features(draws=20):
    verdicts, truth, once = panel("LLMBar")
    table = np.load(pathlib.Path(os.environ["KERAS_CROWD_DATA"]) / "llmbar_judges.npz")
    judge, order = np.nonzero(once)
    known = {
        "judge": judge,
        "order": order,
        "family": table["model_family"][judge],
        "prompt": table["prompt"][judge],
    }
    print(f"\n| gold labels | {' | '.join(FEATURES)} |\n|" + "---|" * (1 + len(FEATURES)))
    for num_gold in (0, 20, 50):
        runs = [
            without_a_quarter((verdicts[:, once], truth, known), num_gold, seed) for seed in range(draws)
        ]
        print(f"| {num_gold} | {with_spread(runs)} |", flush=True)


def trained(x, annotations, weights, how):
    """A network trained on the answers, by expectation maximization or on the joint likelihood."""
    network = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(10, "softmax")]
    )
    if how == "EM":
        trainer = kc.EMTrainer(network, annotator_weights=weights)
        trainer.fit(x, annotations, iterations=30, verbose=0)
        return network
    crowd = kc.layers.CrowdsClassification(annotations.num_annotators)
    found = kc.aggregation.dawid_skene(annotations, annotator_weights=weights)
    crowd.build((None, 10))
    crowd.set_confusion(kc.warm_start.from_labels(annotations, found.posterior, annotator_weights=weights))
    joint = kc.models.JointCrowdModel(network, crowd, annotator_weights=weights)
    joint.compile("adam")
    joint.fit(x, annotations.dense(), epochs=30, verbose=0)
    return network


def classifier(seeds=3):
    """Test accuracy of networks on digits: ten annotators, and the same with one of them 20 times."""
    x, truth = load_digits(return_X_y=True)
    x = x.astype("float32") / 16
    print("\n| | ten annotators | one of them 20 times | the same, weights |\n|" + "---|" * 4)
    for how in ("EM", "joint likelihood"):
        runs = []
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            train, test = np.split(rng.permutation(len(x)), [1200])
            hit = rng.random((1200, 10)) < rng.uniform(0.3, 0.6, 10)
            once = np.where(
                hit, truth[train, None], (truth[train, None] + rng.integers(1, 10, hit.shape)) % 10
            )
            often = with_copies(once)
            right = []
            for answers, weighs in ((once, False), (often, False), (often, True)):
                annotations = kc.Annotations.from_dense(answers, classes=range(10))
                weights = kc.selection.annotator_weights(annotations) if weighs else None
                keras.utils.set_random_seed(seed)
                predicted = trained(x[train], annotations, weights, how).predict(x[test], verbose=0)
                right.append(np.mean(predicted.argmax(axis=1) == truth[test]))
            runs.append(right)
        print(f"| {how} | {with_spread(runs)} |", flush=True)


CHECKS = {
    "independent": independent,
    "calibration": calibration,
    "copies": copies,
    "classifier": classifier,
    "intervals": intervals,
    "features": features,
}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(CHECKS), default=list(CHECKS))
    warnings.filterwarnings("ignore", "Two solutions")
    for name in parser.parse_args(argv).only:
        CHECKS[name]()


if __name__ == "__main__":
    main()
