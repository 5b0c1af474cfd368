"""`fit_crowd` on real crowd answers, and what each part of it is worth: mean, spread and gap closed over seeds.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/geocrowdnet.py              # 40 minutes on 2 cores
    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/geocrowdnet.py --ablation   # 25 minutes

One protocol for all rows: Dense 128 with dropout .5 on fixed features, Adam 1e-3, batches of 64, as many epochs as
`fit_crowd` takes by default, which are 1,000 steps (63 epochs for LabelMe, 91 for Music); the last epoch. No gold
label is used to train, stop or choose, but for the row "gold". The weight is chosen anew for each seed, by other
replicas. The ablation has batches of 256 (as many steps, in 250 epochs) and starts from full Dawid-Skene.
"""

import argparse
import collections

import keras
import numpy as np
from quality import REFERENCES, build, gap_closed, train_on_labels

import keras_crowd as kc

EPOCHS, BATCH_SIZE, LEARNING_RATE = None, 64, 1e-3  # epochs: those of `fit_crowd`
ABLATION_BATCH_SIZE, ABLATION_WEIGHT = 256, 10.0


def epochs_for(data, batch_size=BATCH_SIZE):
    return EPOCHS or kc.recipe.default_epochs(len(data.x_train), batch_size)


def confusion_start(start, annotations):
    """Initializer of the confusions."""
    if start == "identity":
        return kc.initializers.CrowdIdentity()  # the papers' own
    if start == "dawid_skene":
        return kc.initializers.FromConfusion(kc.warm_start.from_dawid_skene(annotations, confusion="full"))
    return kc.initializers.FromConfusion(getattr(kc.warm_start, f"from_{start}")(annotations))


def train_by_parts(
    classifier,
    data,
    weight,
    *,
    start="dawid_skene",
    ramp=0.5,
    crowd_rate=1,
    momentum=0.0,
    frozen=0,
    epochs=None,
    batch_size=ABLATION_BATCH_SIZE,
):
    """`fit_crowd` with a weight that is given, taken apart."""
    annotations = data.annotations
    crowd = kc.layers.CrowdsClassification(
        annotations.num_annotators,
        "CM",
        kernel_initializer=confusion_start(start, annotations),
        classifier_regularizer=kc.regularizers.ClassifierLogDet(weight, momentum=momentum),
    )
    model = keras.Sequential([classifier, crowd])
    optimizer = kc.optimizers.crowd_optimizer(
        model, keras.optimizers.Adam(LEARNING_RATE), crowd_rate * LEARNING_RATE
    )
    model.compile(
        optimizer,
        kc.losses.MaskedCrowdCrossEntropy(),
        jit_compile=keras.backend.backend() != "torch",
    )
    callbacks = [kc.callbacks.RegularizerSchedule(crowd, ramp=ramp)]
    if frozen:
        callbacks.append(kc.callbacks.CrowdFreeze(crowd, frozen))
    model.fit(
        data.x_train,
        annotations.dense(),
        epochs=epochs or epochs_for(data, batch_size),
        batch_size=batch_size,
        callbacks=callbacks,
        verbose=0,
    )


def reference(name, data, seed):
    labels = {
        "gold": lambda: data.y_train,
        "majority vote": lambda: kc.aggregation.majority_vote(data.annotations),
        "majority vote, random ties": lambda: kc.aggregation.majority_vote(
            data.annotations, ties="random", seed=seed
        ),
    }
    return lambda classifier: train_on_labels(
        classifier, data.x_train, labels[name](), epochs_for(data), BATCH_SIZE
    )


def fit_crowd(data, chosen, **kwargs):
    """Notes the weight chosen."""

    def train(classifier):
        arguments = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "verbose": 0, **kwargs}
        fit = kc.fit_crowd(classifier, data.x_train, data.annotations, **arguments)
        if fit.path is not None:
            chosen[fit.path.chosen] += 1

    return train


def results(data, seed, chosen):
    """The rows of the main table."""
    return {
        **{name: reference(name, data, seed) for name in REFERENCES},
        "fit_crowd, weight 0": fit_crowd(data, chosen, weights=0.0),
        "fit_crowd, weight 1": fit_crowd(data, chosen, weights=1.0),
        "fit_crowd, weight 10": fit_crowd(data, chosen, weights=10.0),
        "fit_crowd": fit_crowd(data, chosen, seed=seed),
    }


def ablation(data, seed, chosen):
    """The rows of the ablation, each with one part changed, at one weight."""

    def parts(**kwargs):
        weight = kwargs.pop("weight", ABLATION_WEIGHT)
        return lambda classifier: train_by_parts(classifier, data, weight, **kwargs)

    return {
        "all": parts(),
        "no regularizer": parts(weight=0.0),
        "at full weight from the first epoch": parts(ramp=0),
        "start: the papers' identity": parts(start="identity"),
        "start: votes of the others": parts(start="votes"),
        "batches of 64, 50 epochs (as many steps)": parts(batch_size=64, epochs=50),
        "batches of 64, 50 epochs, running Gram .9": parts(batch_size=64, epochs=50, momentum=0.9),
        "batches of 256, running Gram .9": parts(momentum=0.9),
        "50 epochs": parts(epochs=50),
        "crowd layer at 10 times the rate": parts(crowd_rate=10),
        "crowd layer frozen for 20 epochs": parts(frozen=20),
    }


def accuracy(train, data, seed):
    keras.utils.set_random_seed(seed)
    classifier = build(data.x_train.shape[1], len(data.class_names))
    train(classifier)
    found = np.mean(classifier.predict(data.x_test, verbose=0).argmax(axis=1) == data.y_test)
    keras.utils.clear_session()
    return 100 * found


def benchmark(name, rows, seeds, only=None):
    data = getattr(kc.datasets, name).load_data()
    chosen = collections.Counter()
    print(f"\n## {name}: {data.annotations}, {seeds} seeds, {keras.backend.backend()}\n", flush=True)
    print("| method | test accuracy | lowest seed | gap closed | with random ties |\n|---|---|---|---|---|")
    found = {}
    for row in only or rows(data, 0, chosen):
        values = [accuracy(rows(data, seed, chosen)[row], data, seed) for seed in range(seeds)]
        found[row] = values = np.array(values)
        gaps = " | ".join(gap_closed(values, found, low) for low in REFERENCES[1:])
        spread = f"{values.mean():.1f} +- {values.std():.1f} | {values.min():.1f}"
        print(f"| {row} | {spread} | {gaps} |", flush=True)
    print(f"\nweights chosen: {dict(sorted(chosen.items()))}")
    print("by seed:", {row: np.round(values, 1).tolist() for row, values in found.items()}, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", nargs="+", default=None, choices=["labelme", "music"])
    parser.add_argument("--methods", nargs="+", metavar="ROW", help="only these rows")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument(
        "--ablation", action="store_true", help="the ablation, on LabelMe unless --data says else"
    )
    arguments = parser.parse_args()
    for name in arguments.data or (["labelme"] if arguments.ablation else ["labelme", "music"]):
        benchmark(name, ablation if arguments.ablation else results, arguments.seeds, arguments.methods)


if __name__ == "__main__":
    main()
