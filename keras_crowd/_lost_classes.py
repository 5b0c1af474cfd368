"""A warning of classes that vanish from a classifier's predictions in training. NumPy only."""

from __future__ import annotations

import warnings

import numpy as np

_FEWEST_EXPECTED = 20.0  # predictions of a class in an epoch, below which none says little
_EPOCHS_WITHOUT = 2
_FIRST_EPOCHS = 4  # in which a classifier still learns to tell the classes apart


class LostClasses:
    """Warns of a class that no item had in two epochs in a row.

    The first four epochs do not count, nor do classes that are too rare for an epoch to show them.

    Args:
        num_classes: Integer. Number of classes.
        advice: String. What to do against it, as the end of a sentence.
        shares: Share of each class in the answers, `(classes,)`. Defaults to `None`, not known.
    """

    def __init__(self, num_classes: int, advice: str, shares: np.ndarray | None = None) -> None:
        self.advice, self.shares = advice, shares
        self._without = np.zeros(num_classes, int)
        self._epochs = 0

    def forget(self) -> None:
        """Forgets earlier epochs, for another training of the same model."""
        self._epochs = 0
        self._without[:] = 0

    def see(self, predicted: np.ndarray) -> None:
        """Takes how often each class was predicted in one more epoch, `(classes,)`."""
        self._epochs += 1
        shares = np.full(len(predicted), 1 / len(predicted)) if self.shares is None else self.shares
        missed = (
            (predicted == 0)
            & (shares * predicted.sum() >= _FEWEST_EXPECTED)
            & (self._epochs > _FIRST_EPOCHS)
        )
        self._without = np.where(missed, self._without + 1, 0)
        lost = np.flatnonzero(self._without == _EPOCHS_WITHOUT)
        if len(lost):
            warnings.warn(self._message(lost), RuntimeWarning, stacklevel=2)

    def _message(self, lost: np.ndarray) -> str:
        if self.shares is None:
            used = "If the answers use them"
        else:
            used = f"The answers use them (shares {self.shares[lost].round(3).tolist()})"
        return (
            f"Classes vanished from the classifier's predictions: no item had class {lost.tolist()} in the last "
            f"{_EPOCHS_WITHOUT} epochs. {used}: {self.advice}."
        )
