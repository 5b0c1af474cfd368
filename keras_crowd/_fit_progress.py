"""Progress of `fit_crowd` over all its trainings."""

from typing import Any

import keras


class FitProgress(keras.callbacks.Callback):
    """Says how many trainings and steps are to be taken at most, and shows a bar over all their steps.

    Args:
        replicas: Integer. The most replicas that there will be.
        replica_epochs: Integer. Epochs of each.
        epochs: Integer. Epochs of the last training.
        steps: Integer. Steps in an epoch.
        verbose: Integer. 0 shows nothing.
    """

    def __init__(self, replicas: int, replica_epochs: int, epochs: int, steps: int, verbose: int) -> None:
        super().__init__()
        self._last, self._steps, self._done = epochs * steps, steps, 0
        total = replicas * replica_epochs * steps + self._last
        self._bar = keras.utils.Progbar(total, verbose=min(verbose, 1), interval=0.5, unit_name="step")
        if verbose:
            first = f"at most {replicas:,} replicas of {replica_epochs:,} epochs, then " if replicas else ""
            most = "at most " if replicas else ""
            print(f"fit_crowd: {first}one training of {epochs:,} epochs; {most}{total:,} steps")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._done += self._steps
        self._bar.update(self._done)

    def last(self) -> None:
        """Only the last training is left."""
        self._bar.target = self._done + self._last

    def finish(self) -> None:
        """Nothing is left."""
        if self._bar.target != self._done:
            self._bar.target = self._done
            self._bar.update(self._done)
