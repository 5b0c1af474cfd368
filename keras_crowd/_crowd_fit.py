"""`CrowdFit`: the result of `fit_crowd`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from ._repr import one_line
from .aggregation import annotator_table, label_table
from .annotations import Annotations
from .selection import HeldOutChoice, ReplicaPath


@dataclass(frozen=True, eq=False, repr=False)
class CrowdFit:
    """Result of `fit_crowd`.

    `print` shows a summary.

    Attributes:
        classifier: The classifier that was given, trained.
        crowd: The crowd layer; `crowd.confusion()` tells what each annotator answers to each class, and of sets of
            labels `crowd.sensitivity()` and `crowd.specificity()` how well each knows each label.
        model: The model of both, on slots: `model.predict((x, ids))` gives answer logits.
        history: Keras's `History` of the last training.
        annotations: The answers, as `Annotations`.
        posterior: Probability of each class, given the features of an item and its answers, `(items, classes)`; of
            each label by itself for sets of labels, `(items, labels)`.
        weight: The weight of the regularizer, chosen or given; `None` for sets of labels, of which the connection is
            chosen, `crowd.conn_type`.
        path: How the weight was chosen: how far the replicas of each weight agree or, for sets of labels, how well each
            connection predicts held-out answers; `None` if it was given, or if the choice was interrupted.
        interrupted: Whether the user interrupted training.
        out_of_sample: Whether the confusions started from those counted against out-of-sample predictions, as they do
            by default where most items have one answer.

    Example:

    >>> fit = keras_crowd.fit_crowd(classifier, x, answers, weights=1.0, epochs=2, verbose=0)
    >>> fit.crowd.confusion().shape, fit.labels.shape
    ((5, 10, 10), (20,))
    """

    classifier: keras.Model
    crowd: Any
    model: keras.Model
    history: keras.callbacks.History
    annotations: Annotations
    posterior: np.ndarray
    weight: float | None
    path: ReplicaPath | HeldOutChoice | None
    interrupted: bool = False
    out_of_sample: bool = False

    @property
    def labels(self) -> np.ndarray:
        """The most probable class of each item, int64 `(items,)`; or where a label is more probable than not, booleans
        `(items, labels)`.

        Where most items have one answer and `weights` was given, they are little more than these answers, which the
        classifier has learned by heart: leave `weights` out.
        """
        return self.annotations.kind.most_probable(self.posterior)[0]

    def label_table(self, threshold: npt.ArrayLike | None = None) -> dict[str, np.ndarray]:
        """Returns a table of the items, column by column: `aggregation.label_table`.

        Args:
            threshold: Of sets of labels, how probable a label must be to be taken for present: a float between 0 and
                1, or one for each label, `(labels,)`. Defaults to 0.5.

        Example:

        >>> fit = keras_crowd.fit_crowd(classifier, x, answers, weights=1.0, epochs=2, verbose=0)
        >>> fit.label_table()["confidence"].shape
        (20,)
        """
        return label_table(self.annotations, self.posterior, threshold)

    def annotators(self) -> dict[str, np.ndarray]:
        """Returns a table of the annotators, column by column: `aggregation.annotator_table`.

        Example:

        >>> fit = keras_crowd.fit_crowd(classifier, x, answers, weights=1.0, epochs=2, verbose=0)
        >>> fit.annotators()["accuracy"].shape
        (5,)
        """
        confusion = self.crowd.confusion() if self.crowd.has_confusions else None
        return annotator_table(self.annotations, self.posterior, confusion)

    def __repr__(self) -> str:
        return one_line(self)

    def __str__(self) -> str:
        lines = [f"{self.annotations!r}", f"{self._setting()}, {self._how_chosen()}"]
        if self.path is not None:
            lines.append(str(self.path))
        table = self.annotators()
        quality = "accuracy" if "accuracy" in table else "informedness"
        values = table[quality]
        worst = np.argsort(np.where(np.isnan(values), 2, values))[:3]
        least = ", ".join(f"{table['annotator'][r]} ({values[r]:.2f})" for r in worst)
        lines.append(f"{quality} of annotators: median {np.nanmedian(values):.2f}, lowest {least}")
        sure = self.annotations.kind.most_probable(self.posterior)[1] > 0.9
        of_all = "items" if sure.ndim == 1 else "labels of items"
        lines.append(f"labels: surer than .9 of {np.mean(sure):.0%} of the {of_all}")
        return "\n".join(lines)

    def _setting(self) -> str:
        if self.weight is None:
            return f"connection: {self.crowd.conn_type}"
        return f"weight of the regularizer: {self.weight:g}"

    def _how_chosen(self) -> str:
        if self.interrupted:
            return "interrupted"
        if self.out_of_sample:
            return "by default, after rounds of out-of-sample predictions: most items have one answer"
        if self.path is None:
            return "given"
        return f"chosen by {'held-out answers' if self.weight is None else 'the agreement of replicas'}"
