"""Progress, history and callbacks of expectation maximization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras


class Log:
    """Progress, history and callbacks; an epoch is an iteration."""

    def __init__(self, classifier: Any, callbacks: Sequence[Any], iterations: int, verbose: int) -> None:
        self.classifier = classifier
        self.history = keras.callbacks.History()
        self.callbacks = keras.callbacks.CallbackList(
            [*callbacks, self.history], model=classifier, epochs=iterations, verbose=verbose, steps=None
        )
        self.progress = keras.utils.Progbar(
            iterations,
            verbose=verbose,
            stateful_metrics=["log_likelihood", "loss"],
            unit_name="iteration",
        )
        self.stopped = False
        classifier.stop_training = False
        self.callbacks.on_train_begin()

    def begin(self, iteration: int) -> None:
        self.callbacks.on_epoch_begin(iteration)

    def end(self, iteration: int, logs: dict[str, float], tolerance: float | None, size: int) -> None:
        self.classifier.stop_training = False
        self.callbacks.on_epoch_end(iteration, logs)
        self.progress.update(iteration + 1, [(name, logs[name]) for name in ("log_likelihood", "loss")])
        self.stopped = bool(self.classifier.stop_training)
        values = self.history.history["log_likelihood"]
        if tolerance is not None and len(values) > 1:
            self.stopped |= values[-1] - values[-2] < tolerance * size

    def finish(self) -> Any:
        self.callbacks.on_train_end()
        return self.history
