"""A job of `fit_crowd` that is killed, in a process of its own: `python tests/helpers/killed_job.py folder [save]`.

It prints the epochs of the last training as they begin. With `save`, it kills itself when half of that backup of the
last training is written; without, it waits at each epoch for a line to go on.
"""

import io
import os
import signal
import sys

import keras
import numpy as np

import keras_crowd as kc
from keras_crowd import _backup, _files

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 3, 60)
X = (np.eye(3)[TRUTH] + RNG.normal(scale=0.5, size=(60, 3))).astype("float32")
ANSWERS = np.where(RNG.random((60, 4)) < 0.8, TRUTH[:, None], RNG.integers(0, 3, (60, 4)))


def train(folder=None, callbacks=()):
    """The fit, with a backup after every epoch if `_backup._SHARE` is 1."""
    keras.utils.set_random_seed(1)
    classifier = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dropout(0.3, seed=2), keras.layers.Dense(3, "softmax")]
    )
    few = {"weights": [0.0, 1.0], "num_replicas": 2, "epochs": 6, "batch_size": 20, "verbose": 0}
    return kc.fit_crowd(classifier, X, ANSWERS, callbacks=callbacks, backup_dir=folder, **few)


class Tells(keras.callbacks.Callback):
    """Says that an epoch begins, and may wait for an answer."""

    def __init__(self, waits):
        super().__init__()
        self.waits = waits

    def on_epoch_begin(self, epoch, logs=None):
        print(epoch, flush=True)
        if self.waits:
            sys.stdin.readline()


def kill_in_save(number):
    """Half of that backup is on disk, and then the process is no more."""
    save, saved = np.savez, []

    def torn(file, **arrays):
        if "epoch" in arrays:
            saved.append(1)
        if len(saved) < number:
            return save(file, **arrays)
        whole = io.BytesIO()
        save(whole, **arrays)
        file.write(whole.getvalue()[: whole.tell() // 2])
        file.flush()
        os.fsync(file.fileno())
        os.kill(os.getpid(), signal.SIGKILL)

    _files.np.savez = torn


if __name__ == "__main__":
    _backup._SHARE = 1.0
    if len(sys.argv) > 2:
        kill_in_save(int(sys.argv[2]))
    train(sys.argv[1], [Tells(waits=len(sys.argv) == 2)])
