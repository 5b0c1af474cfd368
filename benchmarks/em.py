"""Expectation maximization: test accuracy of DL-EM, accuracy of the posterior's labels, and what its steps cost.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/em.py
    KERAS_BACKEND=jax python benchmarks/em.py --imaginary     # the five annotators of AAAI-18's Dogs vs. Cats
    KERAS_BACKEND=jax python benchmarks/em.py --cost

Networks and reference rows as in `quality.py`: Dense 128 with dropout .5, Adam 1e-3, batches of 64, 50 epochs, which
are the iterations of DL-EM; `EMTrainer`'s defaults otherwise; "DL-EM, chosen" has `answer_weight="auto"`.
"joint" is `JointCrowdModel`, the same likelihood by gradient, from the confusions of Dawid and Skene. No gold label is
used to train, stop or choose, but for the row "gold".
`--cost` is one iteration at 100,000 items, 5 answers each, 10,000 annotators, 10 classes, MLP 512-128-10.
"""

import argparse
import functools
import time

import keras
import numpy as np
from quality import BATCH_SIZE, EPOCHS, LEARNING_RATE, REFERENCES, build, gap_closed, train_on_labels
from sklearn.datasets import load_digits

import keras_crowd as kc
from keras_crowd.aggregation import AnswerSums, log_normalize

SENSITIVITY = np.array([0.705, 0.796, 0.499, 0.195, 0.898])
SPECIFICITY = np.array([0.591, 0.898, 0.497, 0.899, 0.900])
CHOSEN = "DL-EM, chosen"
METHODS = [*REFERENCES, "Dawid-Skene labels", "DL-EM", CHOSEN, "joint"]


def em(classifier, data, answer_weight=1.0):
    """The posterior of the training items."""
    classifier.compile(keras.optimizers.Adam(LEARNING_RATE), "categorical_crossentropy")
    trainer = kc.EMTrainer(classifier, answer_weight=answer_weight)
    trainer.fit(data.x_train, data.annotations, iterations=EPOCHS, batch_size=BATCH_SIZE, verbose=0)
    return trainer.posterior()


def joint(classifier, data):
    annotations = data.annotations
    start = kc.initializers.FromConfusion(kc.warm_start.from_dawid_skene(annotations, confusion="full"))
    crowd = kc.layers.CrowdsClassification(annotations.num_annotators, "CM", kernel_initializer=start)
    model = kc.models.JointCrowdModel(classifier, crowd)
    model.compile(keras.optimizers.Adam(LEARNING_RATE), jit_compile=keras.backend.backend() != "torch")
    model.fit(data.x_train, annotations.dense(), epochs=EPOCHS, batch_size=BATCH_SIZE, verbose=0)
    f = classifier.predict(data.x_train, verbose=0)
    return kc.aggregation.posterior(annotations, f, crowd.confusion())


END_TO_END = {"DL-EM": em, CHOSEN: functools.partial(em, answer_weight="auto"), "joint": joint}


def labels(method, data, seed):
    """What a classifier of its own is trained on, in the rows that are no end-to-end training."""
    if method == "gold":
        return data.y_train
    if method == "Dawid-Skene labels":
        return kc.aggregation.dawid_skene(data.annotations, confusion="full").labels
    ties = "random" if "random" in method else "lowest"
    return kc.aggregation.majority_vote(data.annotations, ties=ties, seed=seed)


def run(method, data, seed):
    """Test accuracy in percent, and that of the training items' labels."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    classifier = build(data.x_train.shape[1], len(data.class_names))
    if method in END_TO_END:
        found = END_TO_END[method](classifier, data).argmax(axis=1)
    else:
        found = labels(method, data, seed)
        train_on_labels(classifier, data.x_train, found, EPOCHS, BATCH_SIZE)
    predicted = classifier.predict(data.x_test, verbose=0).argmax(axis=1)
    return 100 * np.mean(predicted == data.y_test), 100 * np.mean(found == data.y_train)


def benchmark(name, draw, methods, seeds):
    print(f"\n## {name}: {draw(0).annotations}, {seeds} seeds, {keras.backend.backend()}\n")
    print(
        "| method | test accuracy | lowest seed | gap closed | with random ties | labels of training items |"
    )
    print("|---|---|---|---|---|---|", flush=True)
    found = {}
    for method in dict.fromkeys([*REFERENCES, *methods]):
        accuracy, of_labels = np.array([run(method, draw(seed), seed) for seed in range(seeds)]).T
        found[method] = accuracy
        gaps = " | ".join(gap_closed(accuracy, found, low) for low in REFERENCES[1:])
        cells = f"{accuracy.mean():.1f} +- {accuracy.std():.1f} | {accuracy.min():.1f} | {gaps}"
        print(f"| {method} | {cells} | {of_labels.mean():.1f} |", flush=True)
    if "DL-EM" in found:
        dip = (found["DL-EM"] - found[REFERENCES[1]]).min()
        print(f"\nDL-EM less majority vote, least of the seeds: {dip:+.1f}")
    return found


def dogs_and_cats(seed):
    """Digits below 5 against the others, all of them labelled by AAAI-18's five annotators."""
    x, digit = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    x, y = (x[order] / 16).astype("float32"), (digit[order] >= 5).astype("int32")
    confusion = np.stack(
        [np.stack([SPECIFICITY, 1 - SPECIFICITY], -1), np.stack([1 - SENSITIVITY, SENSITIVITY], -1)], axis=1
    )
    annotations = kc.datasets.simulate_answers(y[:1300], confusion, answers_per_item=5, seed=seed)
    return kc.datasets.CrowdDataset(x[:1300], annotations, y[:1300], x[1300:], y[1300:], ("low", "high"))


def cost(num_items=100_000, num_annotators=10_000, num_classes=10, rounds=5, batch_sizes=(256, 64, 32)):
    """Seconds of the annotators' two steps, and of an epoch of the classifier."""
    rng = np.random.default_rng(0)
    truth = rng.integers(num_classes, size=num_items)
    x = rng.normal(size=(num_items, 512)).astype("float32")
    confusion = kc.datasets.hammer_spammer(num_annotators, num_classes, 0.5, 0.8, seed=0)
    annotations = kc.datasets.simulate_answers(truth, confusion, answers_per_item=5, seed=0)
    layers = [keras.layers.Dense(128, "relu"), keras.layers.Dense(num_classes, "softmax")]
    classifier = keras.Sequential([keras.Input((512,)), *layers])
    classifier.compile("adam", "categorical_crossentropy", jit_compile=keras.backend.backend() != "torch")
    sums = AnswerSums(annotations)
    q = rng.dirichlet(np.ones(num_classes), num_items)
    log_confusion = np.log(np.maximum(confusion, 1e-9))
    steps = {
        **{
            f"epoch in batches of {size}": lambda size=size: classifier.fit(
                x, q, batch_size=size, verbose=0
            )
            for size in batch_sizes
        },
        "M": lambda: sums.expected_counts(q),
        "E": lambda: log_normalize(np.log(q) + sums.log_likelihood(log_confusion)),
    }
    seconds = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - start)
    found = {name: np.array(values[1:]) for name, values in seconds.items()}
    print(f"\n{annotations}: medians of {rounds} rounds\n\n| | ms | E and M over it |\n|---|---|---|")
    for name, values in found.items():
        ratio = np.median((found["M"] + found["E"]) / values)
        print(f"| {name} | {1000 * np.median(values):.0f} | {ratio:.2f} |")
    return found


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    names = ["labelme", "music"]
    parser.add_argument("--data", nargs="+", default=names, choices=names)
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS, metavar="METHOD")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--imaginary", action="store_true", help="AAAI-18's annotators on digits")
    parser.add_argument("--cost", action="store_true", help="seconds of the steps")
    arguments = parser.parse_args(argv)
    if arguments.cost:
        return cost()
    if arguments.imaginary:
        return benchmark("low and high digits", dogs_and_cats, arguments.methods, arguments.seeds)
    for name in arguments.data:
        data = getattr(kc.datasets, name).load_data()
        benchmark(name, lambda seed, data=data: data, arguments.methods, arguments.seeds)
    return None


if __name__ == "__main__":
    main()
