"""How far `fit_crowd` is, over all its trainings."""

from typing import Any

import keras


class FitProgress(keras.callbacks.Callback):
    """Says how many trainings and steps are to be taken at most, and shows a bar over all their steps.

    Args:
        trainings: The most trainings that there will be.
        epochs: Epochs of each.
        steps: Steps in an epoch.
        verbose: 0 shows nothing.
    """

    def __init__(self, trainings: int, epochs: int, steps: int, verbose: int) -> None:
        super().__init__()
        self._epochs, self._steps, self._done = epochs, steps, 0
        self._bar = keras.utils.Progbar(
            trainings * epochs * steps,
            verbose=min(verbose, 1),
            interval=0.5,
            unit_name="step",
        )
        if verbose:
            most = "" if trainings == 1 else "at most "
            print(
                f"fit_crowd: {most}{_count(trainings, 'training')} of {_count(epochs, 'epoch')} of "
                f"{_count(steps, 'step')}, {most}{trainings * epochs * steps:,} steps"
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._done += self._steps
        self._bar.update(self._done)

    def last(self) -> None:
        """Only the last training is left."""
        self._bar.target = self._done + self._epochs * self._steps

    def finish(self) -> None:
        """Nothing is left."""
        if self._bar.target != self._done:
            self._bar.target = self._done
            self._bar.update(self._done)


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'s' * (number != 1)}"
