"""Progress, history and callbacks of expectation maximization."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from .._backup import TrainingBackup


class Log:
    """Progress, history and callbacks; an epoch is an iteration.

    Args:
        classifier: What is trained.
        callbacks: Keras callbacks.
        kept: What was done before, and keeps what is done.
        iterations: Integer. How many at most.
        rise: Float. Of the log-likelihood; a smaller one stops. `None` for no such rule.
        verbose: Integer. 1 shows progress.
    """

    def __init__(
        self,
        classifier: keras.Model,
        callbacks: Sequence[keras.callbacks.Callback],
        kept: TrainingBackup,
        iterations: int,
        rise: float | None,
        verbose: int,
    ) -> None:
        if len(kept.epoch) > iterations:
            raise ValueError(
                f"`iterations` must be at least the {len(kept.epoch)} that `backup_dir` holds. "
                f"Received: iterations={iterations}"
            )
        self.classifier, self.kept, self.rise = classifier, kept, rise
        self.history = keras.callbacks.History()
        self.callbacks = keras.callbacks.CallbackList(
            [*callbacks, kept, self.history],
            model=classifier,
            epochs=iterations,
            verbose=verbose,
            steps=None,
        )
        self.progress = keras.utils.Progbar(
            iterations,
            verbose=verbose,
            stateful_metrics=["log_likelihood", "loss"],
            unit_name="iteration",
        )
        classifier.stop_training = False
        self.callbacks.on_train_begin()
        self.history.history = {name: [*values] for name, values in kept.history.items()}
        self.history.epoch = [*kept.epoch]

    @property
    def stopped(self) -> bool:
        """Whether a callback has asked for it, or the likelihood hardly rises any more."""
        values = self.kept.history.get("log_likelihood", [])
        if self.kept.stopped or self.rise is None or len(values) < 2:
            return self.kept.stopped
        return values[-1] - values[-2] < self.rise

    def begin(self, iteration: int) -> None:
        self.callbacks.on_epoch_begin(iteration)

    def end(self, iteration: int, logs: dict[str, float]) -> None:
        self.classifier.stop_training = False
        self.callbacks.on_epoch_end(iteration, logs)
        self.progress.update(iteration + 1, [(name, logs[name]) for name in ("log_likelihood", "loss")])

    def finish(self) -> keras.callbacks.History:
        self.callbacks.on_train_end()
        return self.history
