"""Test accuracy of every method on real crowd answers: mean, spread and gap closed over seeds.

    KERAS_CROWD_DATA=folder KERAS_BACKEND=jax python benchmarks/quality.py --data labelme music --seeds 10

One protocol for all: Dense 128 with dropout .5 on fixed features, Adam 1e-3, batches of 64, 50 epochs,
the last epoch. No gold label is used to train, stop or choose, but for the row "gold". "warm": 5 of the 50
epochs on the majority vote, as AAAI-18 does for sequences, then the crowd layer with 10 times the learning rate of the
classifier, which was chosen on held-out answers (`--choose` prints that table).

*Gap closed* is (method - majority vote) / (gold - majority vote), of the means: once with ties of the vote going to the
lowest class, as by default and in the published tables, and once with random ties.
"""

import argparse
import itertools

import keras
import numpy as np

import keras_crowd as kc

CONN_TYPES = ("MW", "VW", "VB", "VW+B", "SW", "CM")
EPOCHS, BATCH_SIZE, LEARNING_RATE = 50, 64, 1e-3
REFERENCES = ("gold", "majority vote", "majority vote, random ties")
WARM_UP, CROWD_RATE = (
    5,
    10,
)  # epochs on the majority vote; learning rate of the crowd layer over the classifier's


def build(num_features, num_classes):
    return keras.Sequential(
        [
            keras.Input((num_features,)),
            keras.layers.Dense(128, "relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(num_classes, "softmax"),
        ]
    )


def fit(model, optimizer, loss, x, y, epochs, batch_size=BATCH_SIZE):
    model.compile(optimizer, loss, jit_compile=keras.backend.backend() != "torch")
    model.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0)


def train_on_labels(classifier, x, labels, epochs=EPOCHS, batch_size=BATCH_SIZE):
    """Trains on one label an item, leaving out those without (-1)."""
    known = labels >= 0
    loss = "sparse_categorical_crossentropy"
    fit(classifier, keras.optimizers.Adam(LEARNING_RATE), loss, x[known], labels[known], epochs, batch_size)


def train_on_answers(classifier, x, annotations, conn_type, *, warm_up=0, crowd_rate=1, **kwargs):
    """Trains under a crowd layer, after `warm_up` of the epochs on the majority vote; gives the model.

    It starts from the papers' identity unless an accuracy is given.
    """
    if warm_up:
        train_on_labels(classifier, x, kc.aggregation.majority_vote(annotations), warm_up)
    if "initial_accuracy" not in kwargs:
        kwargs["kernel_initializer"] = kc.initializers.CrowdIdentity()
    crowd = kc.layers.CrowdsClassification(annotations.num_annotators, conn_type, **kwargs)
    model = keras.Sequential([classifier, crowd])
    optimizer = kc.optimizers.crowd_optimizer(
        model, keras.optimizers.Adam(LEARNING_RATE), crowd_rate * LEARNING_RATE
    )
    loss = kc.losses.MaskedCrowdCrossEntropy()
    fit(model, optimizer, loss, x, annotations.dense(), EPOCHS - warm_up)
    return model


def on_labels(labels):
    return lambda classifier, data, seed: train_on_labels(classifier, data.x_train, labels(data, seed))


def on_answers(conn_type, **kwargs):
    return lambda classifier, data, seed: train_on_answers(
        classifier, data.x_train, data.annotations, conn_type, **kwargs
    )


METHODS = {
    "majority vote": on_labels(lambda data, seed: kc.aggregation.majority_vote(data.annotations)),
    "gold": on_labels(lambda data, seed: data.y_train),
    "majority vote, random ties": on_labels(
        lambda data, seed: kc.aggregation.majority_vote(data.annotations, ties="random", seed=seed)
    ),
    "Dawid-Skene labels": on_labels(
        lambda data, seed: kc.aggregation.dawid_skene(data.annotations, confusion="full").labels
    ),
    **{conn_type: on_answers(conn_type) for conn_type in CONN_TYPES},
    **{f"{c}, start .7": on_answers(c, initial_accuracy=0.7) for c in ("MW", "CM")},
    **{f"{c}, warm": on_answers(c, warm_up=WARM_UP, crowd_rate=CROWD_RATE) for c in CONN_TYPES},
}


def accuracies(method, data, seeds):
    found = []
    for seed in range(seeds):
        keras.utils.set_random_seed(seed)
        classifier = build(data.x_train.shape[1], len(data.class_names))
        METHODS[method](classifier, data, seed)
        found.append(np.mean(classifier.predict(data.x_test, verbose=0).argmax(axis=1) == data.y_test))
        keras.utils.clear_session()
    return 100 * np.array(found)


def benchmark(name, methods, seeds):
    data = getattr(kc.datasets, name).load_data()
    print(f"\n## {name}: {data.annotations}, {seeds} seeds, {keras.backend.backend()}\n")
    print("| method | test accuracy | lowest seed | gap closed | with random ties |")
    print("|---|---|---|---|---|", flush=True)
    found = {}
    for method in dict.fromkeys([*REFERENCES, *methods]):
        found[method] = values = accuracies(method, data, seeds)
        columns = " | ".join(gap_closed(values, found, low) for low in REFERENCES[1:])
        print(f"| {method} | {values.mean():.1f} +- {values.std():.1f} | {values.min():.1f} | {columns} |")


def ranking(name, seeds):
    """Spearman correlation of annotators' estimated with their gold accuracy, over `seeds` trainings."""
    data = getattr(kc.datasets, name).load_data()
    annotations = data.annotations
    gold = kc.aggregation.agreement(annotations, data.y_train)
    by_vote = kc.aggregation.agreement(annotations, kc.aggregation.majority_vote(annotations))
    print(f"\n## {name}: ranking of the annotators against gold (Spearman), {seeds} seeds\n")
    print("| estimate | correlation |\n|---|---|")
    print(
        f"| agreement with majority vote | {kc.evaluation.annotator_correlation(by_vote, gold).spearman:.2f} |"
    )
    for conn_type in ("MW", "CM"):
        estimates = [estimated_accuracy(data, conn_type, seed) for seed in range(seeds)]
        found = [kc.evaluation.annotator_correlation(estimate, gold).spearman for estimate in estimates]
        print(
            f"| confusion of {conn_type}, warm | {np.mean(found):.2f} +- {np.std(found):.2f} |", flush=True
        )


def estimated_accuracy(data, conn_type, seed):
    keras.utils.set_random_seed(seed)
    classifier = build(data.x_train.shape[1], len(data.class_names))
    x, annotations = data.x_train, data.annotations
    model = train_on_answers(classifier, x, annotations, conn_type, warm_up=WARM_UP, crowd_rate=CROWD_RATE)
    seen = kc.aggregation.annotator_class_prior(annotations, classifier.predict(x, verbose=0))
    return kc.aggregation.annotator_accuracy(model.layers[-1].confusion(), seen)


def choose(name, seeds):
    """Held-out answers (15 %) predicted after training on the others, for several crowd learning rates."""
    data = getattr(kc.datasets, name).load_data()
    print(f"\n## {name}: negative log-likelihood of a held-out answer, {seeds} splits\n")
    print("| method | crowd learning rate | nats |\n|---|---|---|", flush=True)
    for conn_type, rate in itertools.product(("MW", "CM"), (1, 3, 10, 30)):
        nats = [held_out_loss(data, seed, conn_type, rate) for seed in range(seeds)]
        print(f"| {conn_type}, warm | x {rate} | {np.mean(nats):.3f} +- {np.std(nats):.3f} |", flush=True)


def held_out_loss(data, seed, conn_type, crowd_rate):
    keras.utils.set_random_seed(seed)
    kept, held_out = data.annotations.split(0.15, seed=seed)
    classifier = build(data.x_train.shape[1], len(data.class_names))
    model = train_on_answers(
        classifier, data.x_train, kept, conn_type, warm_up=WARM_UP, crowd_rate=crowd_rate
    )
    metric = kc.metrics.CrowdCrossEntropy()
    metric.update_state(held_out.dense(), model.predict(data.x_train, verbose=0))
    keras.utils.clear_session()
    return float(metric.result())


def gap_closed(values, found, low):
    """Returns the gap closed by the mean, as text; `found` has "gold" and `low`, if they were measured."""
    if "gold" not in found or low not in found:
        return ""
    low = found[low].mean()
    return f"{(values.mean() - low) / (found['gold'].mean() - low):.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["labelme", "music"], choices=["labelme", "music"])
    parser.add_argument(
        "--methods", nargs="+", default=list(METHODS), choices=list(METHODS), metavar="METHOD"
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--choose", action="store_true", help="print the table of held-out answers instead")
    parser.add_argument("--ranking", action="store_true", help="rank the annotators instead")
    arguments = parser.parse_args()
    for name in arguments.data:
        if arguments.choose:
            choose(name, arguments.seeds)
        elif arguments.ranking:
            ranking(name, arguments.seeds)
        else:
            benchmark(name, arguments.methods, arguments.seeds)


if __name__ == "__main__":
    main()
