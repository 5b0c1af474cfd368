"""How all methods of `benchmarks/table.py` train: as many steps, batches of one size, items in an order of the seed."""

import keras
import numpy as np
from quality import BATCH_SIZE, LEARNING_RATE

import keras_crowd as kc


def batches(num_items, epochs, batch_size, seed):
    """Rows of each step, `(steps, batch_size)`: permutations of the items, one after the other, cut up."""
    steps = epochs * -(-num_items // batch_size)
    rng = np.random.default_rng(seed)
    needed = steps * batch_size
    orders = [rng.permutation(num_items) for _ in range(-(-needed // num_items))]
    return np.concatenate(orders)[:needed].reshape(steps, batch_size)


class Rows(keras.utils.PyDataset):
    """All steps of a training as one epoch."""

    def __init__(self, x, y, rows):
        super().__init__()
        self.x, self.y, self.rows = x, y, rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        rows = self.rows[index]
        x = keras.tree.map_structure(lambda part: part[rows], self.x)
        return tuple(x) if isinstance(x, list) else x, self.y[rows]


def fit(model, x, y, epochs, seed, batch_size=BATCH_SIZE):
    """Trains a compiled model; under JAX in one compiled loop, which takes a fifth of the time of `fit` in small."""
    rows = batches(len(y), epochs, batch_size, seed)
    if keras.backend.backend() == "jax":
        _scan(model, x, y, rows)
    else:
        model.fit(Rows(x, y, rows), epochs=1, shuffle=False, verbose=0)


def _scan(model, x, y, rows):
    """Keras's training step in JAX's loop: the state goes in and comes out, the variables are assigned once."""
    import jax

    model.optimizer.build(model.trainable_variables)
    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )

    @jax.jit
    def train(state, rows, data):
        def step(state, batch):
            logs, state = model.train_step(state, keras.tree.map_structure(lambda part: part[batch], data))
            return state, logs["loss"]

        return jax.lax.scan(step, state, rows)

    state, _ = train(tuple([v.value for v in group] for group in groups), rows, (x, y))
    for group, values in zip(groups, state, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)


def fit_labels(classifier, x, labels, epochs, seed):
    """Trains on one label per item, leaving out items without (-1)."""
    known = labels >= 0
    classifier.compile(keras.optimizers.Adam(LEARNING_RATE), "sparse_categorical_crossentropy")
    fit(classifier, x[known], labels[known], epochs, seed)


def fit_answers(model, task, epochs, seed, crowd_rate=1.0):
    """Trains a model of features and slots on the answers; the annotators at `crowd_rate` times the rate."""
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    if crowd_rate != 1:
        optimizer = kc.optimizers.crowd_optimizer(model, optimizer, crowd_rate * LEARNING_RATE)
    joint = isinstance(model, kc.models.JointCrowdModel)
    model.compile(optimizer, None if joint else kc.losses.MaskedCrowdCrossEntropy())
    ids, answers = task.annotations.slots()
    fit(model, [task.x_train, ids], answers, epochs, seed)
    return model


def probabilities(classifier, x, batch_size=4096):
    """What the classifier predicts, float64 with rows that sum to 1."""
    parts = [classifier(x[i : i + batch_size], training=False) for i in range(0, len(x), batch_size)]
    f = np.concatenate([keras.ops.convert_to_numpy(part) for part in parts]).astype("float64")
    return f / f.sum(axis=1, keepdims=True)
