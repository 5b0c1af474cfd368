"""How well the confusions are recovered, with and without the penalties of ICLR-23, against answers per item.

    KERAS_BACKEND=jax python benchmarks/recovery.py --seeds 5
    KERAS_BACKEND=jax python benchmarks/recovery.py --weights .003 .01 .03 .1 --answers 1 3

Answers only settle the products `f(x) A_r`. Imaginary data of three kinds, in the words of the paper's theory:

- specialists: each annotator never mistakes one class, nor others for it; no item is clear, every class
  has a probability from .1 to .8.
- anchors: half of the items can be of one class only; every annotator errs in every class, right with .4 to .6.
- both.

"F" and "W" are `ClassifierLogDet` and `ConfusionLogDet`, with their weight. All methods start from the same
parameters (every annotator right with probability .7) and are trained alike: MLP, Adam 1e-3 (crowd layer 1e-2),
batches of 500, the last epoch, the penalty rising over the first half. Errors are under one common permutation of the
classes; "posterior" is the mean absolute error of the class probabilities of test items. Default weight and data were
chosen on seed 0, which the tables leave out: seeds count from 1.
"""

import argparse
import itertools

import keras
import numpy as np

import keras_crowd as kc

NUM_CLASSES, NUM_ANNOTATORS, NUM_ITEMS, NUM_TEST = 3, 21, 5000, 2000
KINDS = ("specialists", "anchors", "both")
COLUMNS = ("confusion", "spectral", "posterior", "test accuracy")
EPOCHS, BATCH_SIZE, LEARNING_RATE, CROWD_RATE = 100, 500, 1e-3, 10


def posteriors(num_items, clear, rng):
    """Class probabilities: half of the items clear, the others anything; or none clear."""
    if not clear:
        return 0.1 + (1 - 0.1 * NUM_CLASSES) * rng.dirichlet(np.full(NUM_CLASSES, 0.5), num_items)
    one_hot = np.eye(NUM_CLASSES)[rng.integers(NUM_CLASSES, size=num_items)]
    soft = rng.dirichlet(np.ones(NUM_CLASSES), num_items)
    return np.where(rng.random((num_items, 1)) < 0.5, one_hot, soft)


def confusions(specialists, rng):
    """`(annotators, true, answer)`; annotator `r` a specialist for class `r % NUM_CLASSES`, or none at all."""
    accuracy = (0.5, 0.8) if specialists else (0.4, 0.6)
    confusion = kc.datasets.diagonally_dominant(
        NUM_ANNOTATORS, NUM_CLASSES, accuracy, concentration=5.0, seed=int(rng.integers(2**31))
    )
    if specialists:
        annotator = np.arange(NUM_ANNOTATORS)
        special = annotator % NUM_CLASSES
        confusion[annotator, :, special] = confusion[annotator, special, :] = 0
        confusion[annotator, special, special] = 1
    return confusion / confusion.sum(axis=-1, keepdims=True)


def features(posterior, rng):
    """Log ratios of the class probabilities, with a little noise."""
    logits = np.log(posterior + 1e-2)
    logits -= logits.mean(axis=1, keepdims=True)
    return (logits + rng.normal(0, 0.05, logits.shape)).astype("float32")


def draw(kind, num_items, seed):
    """The true confusions, and features, class probabilities and labels to train and to test on."""
    rng = np.random.default_rng(seed)
    confusion = confusions(kind != "anchors", rng)
    parts = []
    for size in (num_items, NUM_TEST):
        f = posteriors(size, kind != "specialists", rng)
        labels = (f.cumsum(axis=1) < rng.random((size, 1))).sum(axis=1).clip(max=NUM_CLASSES - 1)
        parts.append((features(f, rng), f, labels))
    return confusion, *parts


def build(start):
    classifier = keras.Sequential(
        [
            keras.Input((NUM_CLASSES,)),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(NUM_CLASSES, "softmax"),
        ]
    )
    crowd = kc.layers.CrowdsClassification(
        NUM_ANNOTATORS,
        "CM",
        initial_accuracy=start,
        classifier_regularizer=kc.regularizers.ClassifierLogDet(0.0),
        confusion_regularizer=kc.regularizers.ConfusionLogDet(0.0),
    )
    return keras.Sequential([classifier, crowd])


class Trainer:
    """One compiled model for all methods and seeds: both penalties are there, with weights from 0."""

    def __init__(self, start):
        self.model = build(start)
        adam = keras.optimizers.Adam(LEARNING_RATE)
        optimizer = kc.optimizers.crowd_optimizer(self.model, adam, CROWD_RATE * LEARNING_RATE)
        jit = keras.backend.backend() != "torch"
        self.model.compile(optimizer, kc.losses.MaskedCrowdCrossEntropy(), jit_compile=jit)
        optimizer.build(self.model.trainable_variables)
        self.fresh = [keras.ops.convert_to_numpy(v) for v in optimizer.variables]
        self.start = start

    def fit(self, x, answers, f_weight, w_weight, epochs, seed):
        """The classifier and the crowd layer, trained from the start that belongs to the seed."""
        keras.utils.set_random_seed(seed)
        self.model.set_weights(build(self.start).get_weights())
        for variable, value in zip(self.model.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)
        classifier, crowd = self.model.layers
        crowd.classifier_regularizer.weight, crowd.confusion_regularizer.weight = f_weight, w_weight
        schedule = kc.callbacks.RegularizerSchedule(crowd, ramp=0.5)
        self.model.fit(x, answers, epochs=epochs, batch_size=BATCH_SIZE, callbacks=[schedule], verbose=0)
        return classifier, crowd


def recovery(trainer, kind, answers_per_item, f_weight, w_weight, arguments, seed):
    """The numbers of one training: `COLUMNS`."""
    confusion, (x, _, labels), (x_test, f_test, y_test) = draw(kind, arguments.items, seed)
    annotations = kc.datasets.simulate_answers(
        labels, confusion, answers_per_item=answers_per_item, seed=seed
    )
    classifier, crowd = trainer.fit(x, annotations.dense(), f_weight, w_weight, arguments.epochs, seed)
    error = kc.evaluation.confusion_error(crowd.confusion(), confusion)
    f = classifier.predict(x_test, batch_size=NUM_TEST, verbose=0)[:, error.permutation]
    accuracy = np.mean(f.argmax(axis=1) == y_test)
    return error.mean_absolute, error.spectral, np.abs(f - f_test).mean(), 100 * accuracy


def methods(weights):
    """Name, weight of the penalty on the classifier, and of that on the confusions."""
    yield "CCEM", 0.0, 0.0
    for weight in weights:
        yield f"F, {weight:g}", weight, 0.0
    for weight in weights:
        yield f"W, {weight:g}", 0.0, weight


def table(kind, arguments, trainer):
    print(f"\n## {kind}: {arguments.seeds} seeds, {keras.backend.backend()}\n")
    print(f"| answers per item | method | {' | '.join(COLUMNS)} |\n|{'---|' * (2 + len(COLUMNS))}")
    found = {}
    for answers, method in itertools.product(arguments.answers, methods(arguments.weights)):
        runs = [
            recovery(trainer, kind, answers, *method[1:], arguments, 1 + seed)
            for seed in range(arguments.seeds)
        ]
        found[answers, method[0]] = runs = np.array(runs)
        print(f"| {answers} | {method[0]} | {' | '.join(cells(runs))} |", flush=True)
    return found


def cells(runs):
    for mean, spread, digits in zip(runs.mean(axis=0), runs.std(axis=0), (3, 3, 3, 1), strict=True):
        yield f"{mean:.{digits}f} +- {spread:.{digits}f}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--answers", nargs="+", type=int, default=[1, 2, 3, 5], help="answers per item")
    parser.add_argument("--weights", nargs="+", type=float, default=[0.02], help="of the penalties")
    parser.add_argument("--start", type=float, default=0.7, help="every annotator's accuracy at the start")
    parser.add_argument("--items", type=int, default=NUM_ITEMS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    arguments = parser.parse_args(argv)
    trainer = Trainer(arguments.start)
    return {kind: table(kind, arguments, trainer) for kind in arguments.kinds}


if __name__ == "__main__":
    main()
