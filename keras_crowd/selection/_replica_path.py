"""`replica_path`: the weight of a regularizer by how far classifiers agree that were trained alike."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._arguments import check_choice, number, whole_number
from .._backup import Backup
from .._class_shares import inequality
from .._repr import one_line
from ..aggregation import held_out_cross_entropy
from ..annotations import Annotations, Answers, as_annotations, checksum
from ._splits import error_above, held_out_splits

REPLICA_WEIGHTS = (0.0, 3.0, 10.0)
_STANDARD_ERRORS = 2.0  # by which nats may be worse


@dataclass(frozen=True, eq=False, repr=False)
class ReplicaPath:
    """Agreement of replicas, weight by weight; the result of `replica_path`.

    `print` shows it as a table.

    Attributes:
        weights: The weights tried, ascending, `(weights,)`.
        agreements: Share of the pairs of replicas that predict the same class for an item, `(weights, items)`.
        losses: Nats of every held-out answer, `(weights, replicas, answers)`.
        shares: Share of the items that replicas predict to be of each class, `(weights, classes)`.
        most_unequal: The largest `inequality` of the lowest weight with which another is accepted. Defaults to `None`.

    Example:

    >>> agreements = np.array([[1, 0, 1, 1], [1, 1, 1, 1], [0, 0, 1, 0]])
    >>> losses = np.array([[[0.3, 0.5, 0.4]], [[0.2, 0.7, 0.4]], [[0.9, 0.9, 0.9]]])
    >>> shares = np.full((3, 2), 0.5)
    >>> path = keras_crowd.selection.ReplicaPath(np.array([0.0, 1.0, 5.0]), agreements, losses, shares)
    >>> path.chosen
    1.0
    >>> print(path)
      weight   agreement  difference  standard error    nats
           0       0.750       0.000           0.000   0.400
           1       1.000       0.250           0.250   0.433  <- chosen
           5       0.250      -0.500           0.289   0.900
    """

    weights: np.ndarray
    agreements: np.ndarray
    losses: np.ndarray
    shares: np.ndarray
    most_unequal: float | None = None

    @property
    def agreement(self) -> np.ndarray:
        """Share of the items on which two replicas agree, `(weights,)`."""
        return self.agreements.mean(axis=1)

    @property
    def nats(self) -> np.ndarray:
        """Mean nats of a held-out answer, `(weights,)`."""
        return self.losses.mean(axis=(1, 2))

    @property
    def difference(self) -> np.ndarray:
        """Gain in agreement over the replicas of the lowest weight, `(weights,)`."""
        return self.agreement - self.agreement[0]

    @property
    def standard_error(self) -> np.ndarray:
        """Standard error of `difference`, item against item, `(weights,)`."""
        difference = self.agreements - self.agreements[0]
        return difference.std(axis=1, ddof=1) / np.sqrt(difference.shape[1])

    @property
    def inequality(self) -> np.ndarray:
        """Inequality of the shares `f` of the K classes, `-1/K sum_k log(K f_k)` nats, `(weights,)`."""
        return inequality(self.shares)

    @property
    def accepted(self) -> np.ndarray:
        """Whether a weight does as well as the lowest one, `(weights,)`.

        Replicas agree as much, within a standard error; they predict held-out answers as well, within two; and the
        classes are not too unequal.
        """
        of_all_replicas = error_above(self.losses, self.losses[0]) / np.sqrt(self.losses.shape[1])
        as_predictive = self.nats - self.nats[0] <= _STANDARD_ERRORS * of_all_replicas
        accepted = (self.difference >= -self.standard_error) & as_predictive
        if _too_unequal(self):
            accepted[1:] = False
        return accepted

    @property
    def chosen(self) -> float:
        """The largest weight that is accepted with all the weights below it."""
        return float(self.weights[np.logical_and.accumulate(self.accepted)].max())

    def to_dataframe(self) -> Any:
        """Returns the path as a pandas data frame: weight, agreement, difference, standard_error, nats, chosen."""
        import pandas as pd

        chosen = self.weights == self.chosen
        columns = {
            name: getattr(self, name) for name in ("agreement", "difference", "standard_error", "nats")
        }
        return pd.DataFrame({"weight": self.weights, **columns, "chosen": chosen})

    def __str__(self) -> str:
        rows = [f"{'weight':>8}{'agreement':>12}{'difference':>12}{'standard error':>16}{'nats':>8}"]
        columns = (self.weights, self.agreement, self.difference, self.standard_error, self.nats)
        for row in zip(*columns, strict=True):
            mark = "  <- chosen" if row[0] == self.chosen else ""
            rows.append("{:>8g}{:>12.3f}{:>12.3f}{:>16.3f}{:>8.3f}".format(*row) + mark)
        if _too_unequal(self):
            shares = f"{self.inequality[0]:.2f} nats, above {self.most_unequal:g}"
            rows.append(f"The classes are of unequal frequencies ({shares}), so no other weight was tried.")
        return "\n".join(rows)

    def __repr__(self) -> str:
        return one_line(self)


def replica_path(
    train: Callable[[float, Annotations, int], tuple[Any, Any]],
    answers: Answers,
    weights: Sequence[float] = REPLICA_WEIGHTS,
    *,
    num_replicas: int = 4,
    fraction: float = 0.15,
    seed: int = 0,
    most_unequal: float | None = None,
    backup_dir: str | os.PathLike[str] | None = None,
    given: Mapping[str, Any] | None = None,
) -> ReplicaPath:
    """Trains replicas with ascending weights until one harms.

    The replicas of a weight differ in the answers that are held out and in where the classifier starts. A weight that
    suits the data makes the classifier depend less on either, so its replicas agree more on the classes of the items;
    one that is too large settles differently in each, or in a classifier that predicts answers worse.

    A weight harms if its replicas agree less than those of the lowest weight, by more than a standard error (item
    against item), or if they predict the held-out answers worse from the features and the *other* answers to the item
    (`aggregation.held_out_cross_entropy`), by more than two standard errors (answer against answer). It is the last one
    tried, and `path.chosen` is the one before it.

    It costs at most `num_replicas * len(weights)` trainings. `regularization_path` distinguishes the weights of a fine
    grid better, and is several times as expensive.

    Args:
        train: Callable. Called as `train(weight, annotations, replica)` with the replica's number from 0; trains from
            the start of that replica, and returns the classifier's probabilities of all items `(items, classes)` and
            the confusions `(annotators, true, answer)`.
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        weights: Sequence of floats, none negative. Weights to try; the lowest is what the others are compared with.
            Defaults to 0, 3 and 10.
        num_replicas: Integer, at least 2. Replicas of each weight. Defaults to 4.
        fraction: Float between 0 and 1. Fraction of the answers held out for each replica. Defaults to 0.15.
        seed: Integer. Seed of the draws. Defaults to 0.
        most_unequal: Float. For a regularizer that pulls towards equal shares of the classes: the largest inequality
            `-1/K sum_k log(K f_k)`, in nats, of the shares `f` that the replicas of the lowest weight predict, with
            which another weight is tried. .02 are shares of .4 and .6, .14 of .25 and .75. Defaults to `None`, any.
        backup_dir: Path. Folder in which to keep what has been measured, as `path.npz`: an interrupted path goes on
            from there. The file stays when all is measured. Defaults to `None`, no backup.
        given: Mapping. What else `train` depends on, by name: features, settings. A backup made with anything else is
            refused. Defaults to `None`.

    Returns:
        `ReplicaPath` of the weights tried.

    Raises:
        ValueError: When an argument is out of range, there are too few answers, or `backup_dir` holds the backup of
            another path.

    Example:

    >>> def train(weight, annotations, replica):
    ...     class_of_items = np.arange(6) % 2 if weight < 10 else np.full(6, replica)
    ...     return np.eye(2)[class_of_items], [[[0.9, 0.1], [0.1, 0.9]]] * 2
    >>> answers = [[0, 0], [1, 1], [0, 0], [1, 1], [0, 0], [1, 1]]
    >>> keras_crowd.selection.replica_path(train, answers, num_replicas=2).chosen
    3.0
    """
    whole_number("num_replicas", num_replicas, low=2)
    values = check_choice(weights, num_replicas, fraction, seed)
    annotations = as_annotations(answers)
    splits = held_out_splits(annotations, num_replicas, fraction, seed)
    if most_unequal is not None:
        number("most_unequal", most_unequal, at_least=0)
    choices = {"weights": values, "num_replicas": num_replicas, "fraction": fraction, "seed": seed}
    backup = Backup.within(
        backup_dir, "path.npz", {"answers": checksum(annotations), **choices, **(given or {})}
    )
    kept = backup.load()
    classes = kept.get("classes", np.full((len(values), num_replicas, annotations.num_items), -1))
    losses = kept.get("losses", np.full((len(values), num_replicas, len(splits[0][1])), np.nan))
    for w, weight in enumerate(values):
        for r, (others, held_out) in enumerate(splits):
            if np.isnan(losses[w, r]).any():
                probabilities, confusion = train(float(weight), others, r)
                losses[w, r] = held_out_cross_entropy(held_out, others, probabilities, confusion)
                classes[w, r] = np.argmax(probabilities, axis=-1)
                backup.save(classes=classes, losses=losses)
        tried = classes[: w + 1]
        measured = _agreements(tried), losses[: w + 1], _shares(tried, annotations.num_classes)
        path = ReplicaPath(values[: w + 1], *measured, most_unequal)
        if path.chosen < weight or _too_unequal(path):
            break
    return path


def _agreements(classes: np.ndarray) -> np.ndarray:
    """Returns the agreement `(weights, items)` of classes `(weights, replicas, items)`."""
    pairs = itertools.combinations(range(classes.shape[1]), 2)
    return np.mean([classes[:, a] == classes[:, b] for a, b in pairs], axis=0)


def _shares(classes: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns the shares of classes `(weights, replicas, items)`, half an item added to each: `(weights, classes)`."""
    counts = np.stack([np.bincount(of.ravel(), minlength=num_classes) for of in classes]) + 0.5
    return counts / counts.sum(axis=1, keepdims=True)


def _too_unequal(path: ReplicaPath) -> bool:
    """Whether no weight but the lowest can be accepted."""
    return path.most_unequal is not None and bool(path.inequality[0] > path.most_unequal)
