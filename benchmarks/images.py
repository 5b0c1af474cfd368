"""Test accuracy on images with imaginary annotators: mean and spread over seeds, annotators drawn anew for each.

    KERAS_BACKEND=jax python benchmarks/images.py --data digits --seeds 10
    KERAS_BACKEND=jax python benchmarks/images.py --data mnist fashion_mnist cifar10 --seeds 3 --epochs 20

`digits` comes with scikit-learn. The others are downloaded by TensorFlow Datasets, unless they are in `--data-dir`:
`pip install 'keras_crowd[datasets]'`. Two annotators, drawn at random, label each training image.

| data | annotators |
|---|---|
| `digits`, `mnist`, `fashion_mnist` | machines, as in ICLR-23: 6 trained on 200 to 249 images, 24 on 8 to 17 |
| `cifar10` | synthetic: 6 who are right 80 % of the time, 9 who guess, 15 experts for three classes each |

Adam 1e-3, batches of 64, the last epoch; a dense network for `digits`, a small convolutional one for the others. No
gold label is used to train, stop or choose, but for the row "gold". CM and GeoCrowdNet start from the confusions of
Dawid and Skene; GeoCrowdNet's penalties, with the default weights, rise over the first half of the epochs.
"""

import argparse

import keras
import numpy as np
from sklearn.datasets import load_digits

import keras_crowd as kc

BATCH_SIZE = 64


def digits(annotate, seed, limit, data_dir):
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    x, y = (x[order] / 16).astype("float32"), y[order].astype("int32")
    x_train, y_train = x[:1300][:limit], y[:1300][:limit]
    names = tuple(map(str, range(10)))
    return kc.datasets.CrowdDataset(
        x_train, annotate(x_train, y_train, seed), y_train, x[1300:], y[1300:], names
    )


def from_tfds(name):
    def load(annotate, seed, limit, data_dir):
        return kc.datasets.crowd_images(
            name, lambda x, y: annotate(x, y, seed), train_limit=limit, data_dir=data_dir
        )

    return load


def machines(x, labels, seed):
    rng = np.random.default_rng(seed)
    sizes = [*rng.integers(200, 250, 6), *rng.integers(8, 18, 24)]
    sizes = np.minimum(sizes, len(x)).tolist()
    return kc.datasets.machine_annotators(
        x, labels, len(sizes), train_size=sizes, answers_per_item=2, seed=seed
    )


def synthetic(x, labels, seed):
    guessing = kc.datasets.hammer_spammer(15, 10, hammer_fraction=0.4, accuracy=0.8, seed=seed)
    experts = kc.datasets.class_wise(15, 10, expert_classes=3, expert_accuracy=0.9, seed=seed)
    confusion = np.concatenate([guessing, experts])
    return kc.datasets.simulate_answers(labels, confusion, answers_per_item=2, seed=seed)


DATA = {
    "digits": (digits, machines),
    "mnist": (from_tfds("mnist"), machines),
    "fashion_mnist": (from_tfds("fashion_mnist"), machines),
    "cifar10": (from_tfds("cifar10"), synthetic),
}


def build(shape, num_classes):
    """A dense network for vectors, a convolutional one for images."""
    layers = keras.layers
    convolutions = [
        [layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D()]
        for filters in (32, 64)
    ]
    body = [layer for pair in convolutions for layer in pair] if len(shape) == 3 else []
    return keras.Sequential(
        [
            keras.Input(shape),
            *body,
            layers.Flatten(),
            layers.Dense(128, "relu"),
            layers.Dropout(0.5),
            layers.Dense(num_classes, "softmax"),
        ]
    )


def fit(model, loss, x, y, epochs, callbacks=()):
    model.compile("adam", loss)
    model.fit(x, y, epochs=epochs, batch_size=BATCH_SIZE, callbacks=list(callbacks), verbose=0)


def on_labels(labels):
    """Trains on one label an item, leaving out those without (-1)."""

    def train(classifier, data, seed, epochs):
        y = labels(data, seed)
        loss = "sparse_categorical_crossentropy"
        fit(classifier, loss, data.x_train[y >= 0], y[y >= 0], epochs)

    return train


def on_answers(**regularizers):
    """Trains under a crowd layer that starts from the confusions of Dawid and Skene."""

    def train(classifier, data, seed, epochs):
        annotations = data.annotations
        start = kc.initializers.FromConfusion(kc.warm_start.from_dawid_skene(annotations, confusion="full"))
        crowd = kc.layers.CrowdsClassification(
            annotations.num_annotators, "CM", kernel_initializer=start, **regularizers
        )
        model = keras.Sequential([classifier, crowd])
        schedule = kc.callbacks.RegularizerSchedule(crowd)
        loss = kc.losses.MaskedCrowdCrossEntropy()
        fit(model, loss, data.x_train, annotations.dense(), epochs, [schedule])

    return train


METHODS = {
    "majority vote": on_labels(
        lambda data, seed: kc.aggregation.majority_vote(data.annotations, ties="random", seed=seed)
    ),
    "Dawid-Skene labels": on_labels(
        lambda data, seed: kc.aggregation.dawid_skene(data.annotations, confusion="full").labels
    ),
    "CM": on_answers(),
    "GeoCrowdNet(F)": on_answers(classifier_regularizer=kc.regularizers.ClassifierLogDet()),
    "GeoCrowdNet(W)": on_answers(confusion_regularizer=kc.regularizers.ConfusionLogDet()),
    "gold": on_labels(lambda data, seed: data.y_train),
}


def accuracies(data, seed, epochs):
    """Test accuracy of each method, in percent."""
    found = []
    for train in METHODS.values():
        keras.utils.set_random_seed(seed)
        classifier = build(data.x_train.shape[1:], len(data.class_names))
        train(classifier, data, seed, epochs)
        found.append(
            100 * np.mean(classifier.predict(data.x_test, verbose=0).argmax(axis=1) == data.y_test)
        )
        keras.utils.clear_session()
    return found


def benchmark(name, *, epochs, seeds, limit=None, data_dir=None):
    """Prints the table of one data set; gives the accuracies by method, each `(seeds,)`."""
    load, annotate = DATA[name]
    found = []
    for seed in range(seeds):
        data = load(annotate, seed, limit, data_dir)
        found.append(accuracies(data, seed, epochs))
    found = dict(zip(METHODS, np.transpose(found), strict=True))
    low, high = found["majority vote"].mean(), found["gold"].mean()
    print(f"\n## {name}: {data.annotations}, {epochs} epochs, {seeds} seeds, {keras.backend.backend()}\n")
    print("| method | test accuracy | lowest seed | gap closed |\n|---|---|---|---|")
    for method, values in found.items():
        gap = (values.mean() - low) / (high - low) if high != low else np.nan
        print(
            f"| {method} | {values.mean():.1f} +- {values.std():.1f} | {values.min():.1f} | {gap:.2f} |",
            flush=True,
        )
    return found


def hide_gpu_from_tensorflow():
    """TensorFlow only reads files under another backend, and would take the memory."""
    if keras.backend.backend() != "tensorflow":
        import tensorflow as tf

        tf.config.set_visible_devices([], "GPU")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["digits"], choices=list(DATA))
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--limit", type=int, help="so many training images only")
    parser.add_argument("--data-dir", help="folder of TensorFlow Datasets")
    arguments = vars(parser.parse_args(arguments))
    names = arguments.pop("data")
    if names != ["digits"]:
        hide_gpu_from_tensorflow()
    return {name: benchmark(name, **arguments) for name in names}


if __name__ == "__main__":
    main()
