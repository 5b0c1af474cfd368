"""Times of several training runs by turns, so that whatever else the machine does falls on all alike."""

import time

import keras
import numpy as np


class SameBatch(keras.utils.PyDataset):
    """One batch, again and again: no time goes into slicing."""

    def __init__(self, x, y, steps):
        super().__init__()
        self.batch, self.steps = (x, y), steps

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        return self.batch


def fit_block(model, x, y, steps):
    """A function that trains a model for `steps` steps on the same batch."""
    data = SameBatch(x, y, steps)
    return lambda: model.fit(data, epochs=1, verbose=0, shuffle=False)


def measure(blocks, steps, rounds, clock=time.perf_counter):
    """Milliseconds a step `{name: (rounds,)}` of functions that take `steps` steps each, by turns.

    Every round has an order of its own, for each pays for what its predecessor left in the caches. With
    `time.process_time` as the clock they are milliseconds of all cores together that this process alone used.
    """
    rng = np.random.default_rng(0)
    for block in blocks.values():
        block()
    times = {name: [] for name in blocks}
    for _ in range(rounds):
        for name in rng.permutation(list(blocks)):
            begin = clock()
            blocks[name]()
            times[name].append(1e3 * (clock() - begin) / steps)
    return {name: np.array(values) for name, values in times.items()}


def ratios(times, base):
    """Quartiles over the rounds of each block over that of `base`, `{name: (3,)}`."""
    return {name: np.percentile(values / times[base], [25, 50, 75]) for name, values in times.items()}
