"""`fit_crowd` in a process that is killed (SIGKILL) goes on from its last whole backup, to the result of no kill."""

import pathlib
import signal
import subprocess
import sys

import keras
import killed_job
import numpy as np
import pytest
from conftest import BACKEND

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL"),
    pytest.mark.skipif(
        BACKEND != "jax", reason="backups are NumPy's; once is enough, where processes start fastest"
    ),
    pytest.mark.filterwarnings("ignore:The classes had been permuted"),
]


class Begun(keras.callbacks.Callback):
    """The epochs that began here."""

    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs.append(epoch)


def job(*arguments):
    """The process; it sees the package that is tested."""
    command = [sys.executable, "-W", "ignore", killed_job.__file__, *map(str, arguments)]
    root = pathlib.Path(killed_job.__file__).parents[1]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root)


def kept_epochs(folder):
    """All backups can be read, and this many epochs of the last training are kept."""
    files = {}
    for path in folder.glob("*.npz"):
        with np.load(path) as file:
            files[path.name] = dict(file)
    assert {"start.npz", "path.npz", "training.npz"} == {*files}
    assert not np.isnan(files["path.npz"]["losses"]).any()
    return files["training.npz"]["epoch"].tolist()


def test_killed_training_goes_on_to_the_same_result(tmp_path):
    with job(tmp_path, 3) as torn:  # while the backup of epoch 2 is written
        assert torn.communicate(timeout=300)[0].split() == ["0", "1", "2"]
    assert torn.returncode == -signal.SIGKILL
    assert kept_epochs(tmp_path) == [0, 1]
    with job(tmp_path) as stopped:  # from outside, in epoch 4
        for epoch in (2, 3, 4):
            assert stopped.stdout.readline() == f"{epoch}\n"
            if epoch < 4:
                stopped.stdin.write("\n")
                stopped.stdin.flush()
        stopped.kill()
    assert stopped.returncode == -signal.SIGKILL
    assert kept_epochs(tmp_path) == [0, 1, 2, 3]
    begun = Begun()
    again, whole = killed_job.train(tmp_path, [begun]), killed_job.train()
    assert begun.epochs == [4, 5]
    assert again.history.epoch == whole.history.epoch == list(range(6))
    np.testing.assert_allclose(again.history.history["loss"], whole.history.history["loss"], rtol=1e-5)
    np.testing.assert_allclose(again.path.losses, whole.path.losses, rtol=1e-5)
    for value, expected in zip(again.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)
    assert not [*tmp_path.glob("*.npz")]
