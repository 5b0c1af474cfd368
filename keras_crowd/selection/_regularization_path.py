"""`regularization_path`: the weight of a regularizer by how answers are predicted that were held out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from .._arguments import check_choice
from .._backup import Backup
from ..aggregation import held_out_cross_entropy
from ..annotations import Annotations, Answers, as_annotations, checksum
from ._splits import error_above, held_out_splits

WEIGHTS = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


@dataclass(frozen=True, eq=False, repr=False)
class RegularizationPath:
    """Loss of held-out answers, weight by weight; the result of `regularization_path`.

    `print` shows it as a table.

    Attributes:
        weights: The weights tried, ascending, `(weights,)`.
        losses: Nats of every held-out answer, `(weights, splits, answers)`.
        standard_errors: Float. How many standard errors worse than the best a weight may be. Defaults to 1.

    Example:

    >>> losses = np.array([[[0.3, 0.5, 0.4]], [[0.2, 0.7, 0.4]], [[0.9, 0.9, 0.9]]])
    >>> path = keras_crowd.selection.RegularizationPath(np.array([0.0, 1.0, 10.0]), losses)
    >>> path.best, path.chosen
    (0.0, 1.0)
    >>> print(path)
      weight    nats  above best  standard error
           0   0.400       0.000           0.000
           1   0.433       0.033           0.088  <- chosen
          10   0.900       0.500           0.058
    """

    weights: np.ndarray
    losses: np.ndarray
    standard_errors: float = 1.0

    @property
    def nats(self) -> np.ndarray:
        """Mean nats of a held-out answer, `(weights,)`."""
        return self.losses.mean(axis=(1, 2))

    @property
    def best(self) -> float:
        """The weight with the lowest loss."""
        return float(self.weights[self.nats.argmin()])

    @property
    def above_best(self) -> np.ndarray:
        """Excess of the loss over that of the best weight, `(weights,)`."""
        return self.nats - self.nats.min()

    @property
    def standard_error(self) -> np.ndarray:
        """Standard error of `above_best`, answer against answer, as for *one* split."""
        return error_above(self.losses, self.losses[self.nats.argmin()])

    @property
    def chosen(self) -> float:
        """The largest weight whose loss is within `standard_errors` standard errors of the best."""
        return float(self.weights[self.above_best <= self.standard_errors * self.standard_error].max())

    def to_dataframe(self) -> Any:
        """Returns the path as a pandas data frame: weight, nats, above_best, standard_error, chosen."""
        import pandas as pd

        columns = {name: getattr(self, name) for name in ("nats", "above_best", "standard_error")}
        chosen = self.weights == self.chosen
        return pd.DataFrame({"weight": self.weights, **columns, "chosen": chosen})

    def plot(self, ax: Any = None) -> Any:
        """Draws the path with Matplotlib, on the axes given or on new ones, and returns the axes."""
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.figure().add_subplot()
        ax.errorbar(self.weights, self.nats, yerr=self.standard_error, marker="o", capsize=3)
        ax.axvline(self.chosen, linestyle="--", color="gray", label=f"chosen: {self.chosen:g}")
        positive = self.weights[self.weights > 0]
        ax.set_xscale("symlog", linthresh=positive.min() if len(positive) else 1.0)
        ax.set(xlabel="weight of the regularizer", ylabel="nats of a held-out answer")
        ax.legend()
        return ax

    def __str__(self) -> str:
        rows = [f"{'weight':>8}{'nats':>8}{'above best':>12}{'standard error':>16}"]
        for row in zip(self.weights, self.nats, self.above_best, self.standard_error, strict=True):
            mark = "  <- chosen" if row[0] == self.chosen else ""
            rows.append("{:>8g}{:>8.3f}{:>12.3f}{:>16.3f}".format(*row) + mark)
        return "\n".join(rows)


def regularization_path(
    train: Callable[[float, Annotations], tuple[Any, Any]],
    answers: Answers,
    weights: Sequence[float] = WEIGHTS,
    *,
    num_splits: int = 4,
    fraction: float = 0.15,
    seed: int = 0,
    backup_dir: str | os.PathLike[str] | None = None,
    given: Mapping[str, Any] | None = None,
    verbose: int = 1,
) -> RegularizationPath:
    """Trains with every weight on most of the answers and predicts the others.

    A held-out answer is predicted from the features and the *other* answers to its item
    (`aggregation.held_out_cross_entropy`). The features alone are not enough: a classifier and confusions that err
    together predict single answers as well as the true ones do, which is why regularizers are needed at all. The choice
    follows the one-standard-error rule: `path.chosen` is the largest weight whose loss is within one standard error of
    the best.

    Splits are drawn independently. More of them make the choice surer but not stricter, because the standard error
    stays that of one split. Every weight starts afresh, because networks that start from the previous weight stay in
    its solution.

    Args:
        train: Called as `train(weight, annotations)`; trains from the same start each time and returns the
            classifier's probabilities for all items `(items, classes)` and the confusions
            `(annotators, true, answer)`.
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        weights: Weights to try, none negative.
        num_splits: Integer. Number of times that answers are held out. Defaults to 4.
        fraction: Float. Fraction of the answers held out each time, in (0, 1). Defaults to 0.15.
        seed: Integer. Seed of the draws. Defaults to 0.
        backup_dir: Folder in which to keep what has been measured, as `path.npz`: an interrupted path goes on from
            there. The file stays when all is measured. Defaults to `None`, no backup.
        given: What else `train` depends on, by name: features, settings. A backup made with anything else is refused.
            Defaults to `None`.
        verbose: Integer. 1 shows progress. Defaults to 1.

    Returns:
        `RegularizationPath`.

    Raises:
        ValueError: When an argument is out of range, there are too few answers, or `backup_dir` holds
            the backup of another path.

    Example:

    >>> def train(weight, annotations):
    ...     flat = np.ones((annotations.num_items, 2)) / 2
    ...     return flat, [[[0.9 - weight, 0.1 + weight], [0.1 + weight, 0.9 - weight]]] * 2
    >>> answers = [[0, 0], [1, 1], [0, 0], [1, 1], [0, 0], [1, 1]]
    >>> keras_crowd.selection.regularization_path(train, answers, [0.0, 0.3], verbose=0).chosen
    0.0

    Reference:
        L. Breiman, J. Friedman, C. Stone, R. Olshen, "Classification and regression trees", 1984, section
        3.4.3 (the one-standard-error rule).
    """
    values = check_choice(weights, num_splits, fraction, seed)
    annotations = as_annotations(answers)
    splits = held_out_splits(annotations, num_splits, fraction, seed)
    own = {"answers": checksum(annotations), "weights": values}
    choices = {"num_splits": num_splits, "fraction": fraction, "seed": seed}
    kept = Backup.within(backup_dir, "path.npz", {**own, **choices, **(given or {})})
    empty = np.full((len(values), num_splits, len(splits[0][1])), np.nan)
    losses = kept.load().get("losses", empty)
    progress = keras.utils.Progbar(
        num_splits * len(values), verbose=verbose, stateful_metrics=["weight", "nats"], unit_name="training"
    )
    for s, (others, held_out) in enumerate(splits):
        for w, weight in enumerate(values):
            if np.isnan(losses[w, s]).any():
                probabilities, confusion = train(float(weight), others)
                losses[w, s] = held_out_cross_entropy(held_out, others, probabilities, confusion)
                kept.save(losses=losses)
            shown = [("weight", weight), ("nats", losses[w, s].mean())]
            progress.update(s * len(values) + w + 1, shown)
    return RegularizationPath(values, losses)
