"""The penalties of ICLR-23 with 100 classes, 500 annotators and one answer an item.

    KERAS_BACKEND=jax python benchmarks/many_classes.py --seeds 3

Imaginary items: 100 overlapping Gaussian classes in 64 dimensions. Annotators are right with .5 to .8, each its own,
errors spread over the other classes. Slots layout, MLP, Adam, batches of 256, last epoch; every annotator
starts right with .2 (the papers' identity start gives .027); the penalty rises over the first half of the epochs.
No gold label is used to train, stop or choose, but for the row "gold".

A step is *active* when the penalty is finite and positive, and its slope towards the uniform classifier (F) or the
annotator who guesses (W) is finite and not 0: counted inside the training step, for every step.
"""

import argparse

import keras
import numpy as np
from keras import ops as kops

import keras_crowd as kc

NUM_CLASSES, NUM_ANNOTATORS, NUM_FEATURES = 100, 500, 64
BATCH_SIZE, LEARNING_RATE, CROWD_RATE, EPOCHS = 256, 1e-3, 3, 15
NUM_ITEMS, NUM_TEST, SPREAD = 10_000, 5_000, 0.25


def penalties(f_weight, w_weight):
    """Name, and arguments of the crowd layer."""
    f, w = kc.regularizers.ClassifierLogDet, kc.regularizers.ConfusionLogDet
    return {
        "CCEM": {},
        "F": {"classifier_regularizer": f(f_weight)},
        "F, momentum .9": {"classifier_regularizer": f(f_weight, momentum=0.9)},
        "W": {"confusion_regularizer": w(w_weight)},
    }


def draw(num_items, seed):
    """Items, labels and annotations to train; items and labels to test."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(NUM_CLASSES, NUM_FEATURES)) / 8
    labels = rng.integers(NUM_CLASSES, size=num_items + NUM_TEST)
    x = (centers[labels] + rng.normal(0, SPREAD, (len(labels), NUM_FEATURES))).astype("float32")
    confusion = kc.datasets.diagonally_dominant(
        NUM_ANNOTATORS, NUM_CLASSES, (0.5, 0.8), concentration=100.0, seed=seed
    )
    annotations = kc.datasets.simulate_answers(labels[:num_items], confusion, answers_per_item=1, seed=seed)
    return x[:num_items], labels[:num_items], annotations, x[num_items:], labels[num_items:]


@keras.saving.register_keras_serializable("benchmarks")
class ActiveSteps(keras.metrics.Metric):
    """The share of training steps in which the penalty acts, over all epochs."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.active = self.add_weight(name="active", initializer="zeros")
        self.steps = self.add_weight(name="steps", initializer="zeros")

    def update_state(self, penalty, slope):
        """Counts one step."""
        acts = kops.isfinite(penalty) & (penalty > 0) & kops.isfinite(slope) & (kops.abs(slope) > 0)
        self.active.assign(self.active + kops.cast(acts, self.dtype))
        self.steps.assign(self.steps + 1.0)

    def result(self):
        """The share so far."""
        return self.active / kops.maximum(self.steps, 1.0)

    def reset_state(self):
        """Keras resets metrics every epoch; this one counts through."""


class Watched(keras.Model):
    """A model with outputs `classes` and `answers` that counts the steps in which the penalty acts."""

    def watch(self, crowd):
        """Names the layer whose penalty is watched; gives the model."""
        self.crowd = crowd
        self.active_steps = ActiveSteps(name="active_steps")
        return self

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Keras's loss, after looking at the penalty in it."""
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if training and self.losses:
            self.active_steps.update_state(sum(self.losses), self._slope(y_pred["classes"]))
        return loss

    def _slope(self, f, step=0.01):
        """Returns the gradient of the penalty, from where the model is towards all classes (F) or answers (W) alike."""
        regularizer = self.crowd.classifier_regularizer
        if regularizer is None:
            regularizer, f = self.crowd.confusion_regularizer, kops.exp(self.crowd.log_confusion())
        moved = (1 - step) * f + step / f.shape[-1]
        return (regularizer.penalty(moved) - regularizer.penalty(f)) / step


def build_classifier():
    return keras.Sequential(
        [
            keras.Input((NUM_FEATURES,)),
            keras.layers.Dense(256, "relu"),
            keras.layers.Dense(NUM_CLASSES, "softmax"),
        ]
    )


def train_on_labels(data, epochs):
    """Accuracy of the classifier trained on gold labels."""
    x, labels, _, x_test, y_test = data
    classifier = build_classifier()
    jit = keras.backend.backend() != "torch"
    adam = keras.optimizers.Adam(LEARNING_RATE)
    classifier.compile(adam, "sparse_categorical_crossentropy", jit_compile=jit)
    classifier.fit(x, labels, batch_size=BATCH_SIZE, epochs=epochs, verbose=0)
    return test_accuracy(classifier, x_test, y_test), float("nan")


def train_on_answers(data, epochs, crowd_arguments):
    """Accuracy of the classifier trained on answers, and the share of steps with an active penalty."""
    x, _, annotations, x_test, y_test = data
    annotators, answers = annotations.slots()
    classifier = build_classifier()
    crowd = kc.layers.CrowdsClassification(NUM_ANNOTATORS, "CM", initial_accuracy=0.2, **crowd_arguments)
    ids = keras.Input((None,), dtype="int32")
    f = classifier.outputs[0]
    outputs = {"classes": f, "answers": crowd(f, annotators=ids)}
    model = Watched([classifier.inputs[0], ids], outputs).watch(crowd)
    compile_model(model)
    # Not from 0, as `ramp` does: the penalty is to act from the first epoch.
    schedule = kc.callbacks.RegularizerSchedule(crowd, schedule=lambda e: min(1.0, 2 * (e + 1) / epochs))
    inputs = [x, annotators]
    model.fit(
        inputs, {"answers": answers}, batch_size=BATCH_SIZE, epochs=epochs, callbacks=[schedule], verbose=0
    )
    active = float(model.active_steps.result()) if crowd_arguments else float("nan")
    return test_accuracy(classifier, x_test, y_test), active


def compile_model(model):
    adam = keras.optimizers.Adam(LEARNING_RATE)
    optimizer = kc.optimizers.crowd_optimizer(model, adam, CROWD_RATE * LEARNING_RATE)
    jit = keras.backend.backend() != "torch"
    model.compile(optimizer, {"answers": kc.losses.MaskedCrowdCrossEntropy()}, jit_compile=jit)


def test_accuracy(classifier, x, y):
    return 100 * float(np.mean(classifier.predict(x, batch_size=1000, verbose=0).argmax(axis=1) == y))


def run(name, arguments, seed):
    data = draw(arguments.items, seed)
    keras.utils.set_random_seed(seed)
    try:
        if name == "gold":
            return train_on_labels(data, arguments.epochs)
        crowd_arguments = penalties(arguments.f_weight, arguments.w_weight)[name]
        return train_on_answers(data, arguments.epochs, crowd_arguments)
    finally:
        keras.utils.clear_session()


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    names = ["gold", *penalties(0, 0)]
    parser.add_argument("--methods", nargs="+", default=names, choices=names, metavar="METHOD")
    parser.add_argument("--f-weight", type=float, default=0.1)
    parser.add_argument("--w-weight", type=float, default=0.01)
    parser.add_argument("--items", type=int, default=NUM_ITEMS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    arguments = parser.parse_args(argv)
    print(
        f"\n## {NUM_CLASSES} classes, {NUM_ANNOTATORS} annotators, 1 answer an item, {arguments.items} items\n"
    )
    print("| method | test accuracy | lowest seed | active steps |\n|---|---|---|---|", flush=True)
    found = {}
    for name in arguments.methods:
        found[name] = runs = np.array([run(name, arguments, seed) for seed in range(arguments.seeds)])
        accuracy, active = runs.T
        print(
            f"| {name} | {accuracy.mean():.1f} +- {accuracy.std():.1f} | {accuracy.min():.1f} "
            f"| {active.min():.3f} |",
            flush=True,
        )
    return found


if __name__ == "__main__":
    main()
