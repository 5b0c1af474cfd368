"""`held_out_choice`: whatever is to be chosen, by how answers are predicted that were held out."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._arguments import number, whole_number
from .._backup import Backup
from .._repr import one_line
from ..aggregation import held_out_cross_entropy, held_out_label_cross_entropy
from ..annotations import Annotations, Answers, as_answers, checksum
from ._splits import error_above, held_out_splits

_NATS: dict[str, Callable[..., np.ndarray]] = {
    "probabilities": held_out_cross_entropy,
    "labels": held_out_label_cross_entropy,
}


@dataclass(frozen=True, eq=False, repr=False)
class HeldOutChoice:
    """Loss of held-out answers, choice by choice; the result of `held_out_choice`.

    `print` shows it as a table.

    Attributes:
        choices: Tuple. What there was to choose among.
        losses: Nats of every held-out answer, `(choices, replicas, answers)`.

    Example:

    >>> losses = np.array([[[0.3, 0.5, 0.4]], [[0.2, 0.4, 0.3]]])
    >>> found = keras_crowd.selection.HeldOutChoice(("full", "annotator"), losses)
    >>> found.chosen
    'annotator'
    >>> print(found)
               nats  above best  standard error
    full      0.400       0.100           0.000
    annotator 0.300       0.000           0.000  <- chosen
    """

    choices: tuple[Hashable, ...]
    losses: np.ndarray

    @property
    def nats(self) -> np.ndarray:
        """Mean nats of a held-out answer, `(choices,)`."""
        return self.losses.mean(axis=(1, 2))

    @property
    def chosen(self) -> Any:
        """The choice with the lowest loss, the first of equal ones."""
        return self.choices[int(self.nats.argmin())]

    @property
    def above_best(self) -> np.ndarray:
        """Excess of the loss over that of the best choice, `(choices,)`."""
        return self.nats - self.nats.min()

    @property
    def standard_error(self) -> np.ndarray:
        """Standard error of `above_best`, answer against answer, as for one split of the answers, `(choices,)`."""
        return error_above(self.losses, self.losses[self.nats.argmin()])

    def to_dataframe(self) -> Any:
        """Returns the choices as a pandas data frame: choice, nats, above_best, standard_error, chosen."""
        import pandas as pd

        columns = {name: getattr(self, name) for name in ("nats", "above_best", "standard_error")}
        chosen = [choice == self.chosen for choice in self.choices]
        return pd.DataFrame({"choice": list(self.choices), **columns, "chosen": chosen})

    def __str__(self) -> str:
        width = max(len(str(choice)) for choice in self.choices)
        rows = [f"{'':{width}}{'nats':>6}{'above best':>12}{'standard error':>16}"]
        columns = (self.choices, self.nats, self.above_best, self.standard_error)
        for choice, *numbers in zip(*columns, strict=True):
            mark = "  <- chosen" if choice == self.chosen else ""
            rows.append(f"{choice!s:{width}}" + "{:>6.3f}{:>12.3f}{:>16.3f}".format(*numbers) + mark)
        return "\n".join(rows)

    def __repr__(self) -> str:
        return one_line(self)


def held_out_choice(
    train: Callable[[Any, Annotations, int], tuple[Any, ...]],
    answers: Answers,
    choices: Sequence[Hashable],
    *,
    num_replicas: int = 4,
    fraction: float = 0.15,
    seed: int = 0,
    backup_dir: str | os.PathLike[str] | None = None,
    given: Mapping[str, Any] | None = None,
) -> HeldOutChoice:
    """Trains with every choice on most of the answers and predicts the others.

    A held-out answer is predicted from the features and the *other* answers to its item
    (`aggregation.held_out_cross_entropy`, of sets of labels `aggregation.held_out_label_cross_entropy`); the choice
    that predicts them best is taken. Choices can be connections, numbers of epochs, classifiers: anything that
    `train` understands. For the weight of a regularizer of class probabilities use `replica_path`, since held-out
    answers hardly tell such weights apart.

    Args:
        train: Callable. Called as `train(choice, annotations, replica)` with the replica's number from 0; trains on
            these answers, and returns what predicts the others: the classifier's probabilities of all items and the
            confusions of the annotators, `(items, classes)` and `(annotators, true, answer)`; of sets of labels
            probabilities, sensitivities and specificities, `(items, labels)` and twice `(annotators, labels)`.
        answers: `Annotations` of classes or of sets of labels; or integers `(items, annotators)` with `-1` for missing.
        choices: Sequence of hashable objects. What to choose among.
        num_replicas: Integer. How many times answers are held out. Defaults to 4.
        fraction: Float between 0 and 1. Fraction of the answers held out each time. Defaults to 0.15.
        seed: Integer. Seed of the draws. Defaults to 0.
        backup_dir: Path. Folder in which to keep what has been measured, as `path.npz`: an interrupted choice goes on
            from there. The file stays when all is measured. Defaults to `None`, no backup.
        given: Mapping. What else `train` depends on, by name: features, settings. A backup made with anything else is
            refused. Defaults to `None`.

    Returns:
        `HeldOutChoice`.

    Raises:
        ValueError: When an argument is out of range, answers are numbers, there are too few of them, or `backup_dir`
            holds the backup of another choice.

    Example:

    >>> def train(accuracy, annotations, replica):
    ...     flat = np.ones((annotations.num_items, 2)) / 2
    ...     return flat, [[[accuracy, 1 - accuracy], [1 - accuracy, accuracy]]] * 2
    >>> answers = [[0, 0], [1, 1], [0, 0], [1, 1], [0, 0], [1, 1]]
    >>> keras_crowd.selection.held_out_choice(train, answers, [0.5, 0.9]).chosen
    0.9
    """
    whole_number("num_replicas", num_replicas)
    whole_number("seed", seed, low=0)
    number("fraction", fraction, above=0, below=1)
    choices = _checked(choices)
    annotations = as_answers(answers)
    nats = _NATS.get(annotations.kind.prediction_kind)
    if nats is None:
        raise ValueError(f"`answers` must be of classes or of sets of labels. Received: {annotations!r}")
    splits = held_out_splits(annotations, num_replicas, fraction, seed)
    settings = {"num_replicas": num_replicas, "fraction": fraction, "seed": seed}
    own = {"answers": checksum(annotations), "choices": [str(choice) for choice in choices], **settings}
    backup = Backup.within(backup_dir, "path.npz", {**own, **(given or {})})
    losses = backup.load().get("losses", np.full((len(choices), num_replicas, len(splits[0][1])), np.nan))
    for r, (others, held_out) in enumerate(splits):
        for c, choice in enumerate(choices):
            if np.isnan(losses[c, r]).any():
                losses[c, r] = nats(held_out, others, *train(choice, others, r))
                backup.save(losses=losses)
    return HeldOutChoice(choices, losses)


def _checked(choices: Sequence[Hashable]) -> tuple[Hashable, ...]:
    if isinstance(choices, str) or not len(choices) or len(set(choices)) != len(choices):
        raise ValueError(f"`choices` must be a sequence without repetition. Received: choices={choices!r}")
    return tuple(choices)
