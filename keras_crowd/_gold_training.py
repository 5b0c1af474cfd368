"""Gold labels of some items, as `fit_crowd` trains on them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops as kops

from ._typing import Tensor
from .aggregation import gold_classes
from .annotations import Annotations, Answers, are_sets
from .layers import CrowdLayer
from .pipelines import with_annotators

_SURE, _TINY = 50.0, 1e-30  # logit of a class that is known; what is added to probabilities of 0


class GoldClasses:
    """The classes of some items. For these they take the classifier's place below the crowd layer.

    Of an item of the class `z` the loss is that of the joint likelihood, `sum_r (-log f_z - log A_r,z,y_r)` over its
    answers: the answers tell of the annotators alone, and the gold label tells the classifier as much as all of them
    would.

    Args:
        classes: Class codes `(items,)`, `-1` where unknown.
    """

    def __init__(self, classes: np.ndarray) -> None:
        self.classes = classes

    def model(self, inputs: Any, f: Tensor, crowd: CrowdLayer, num_slots: int) -> keras.Model:
        """Builds the model that is trained on `slots`.

        Args:
            inputs: Inputs of the classifier.
            f: What it predicts.
            crowd: The crowd layer.
            num_slots: Integer. Slots of answers.
        """
        given = keras.Input((num_slots + 1,), dtype="int32", name="annotators")
        ids, gold = given[:, :-1], given[:, -1]
        known = kops.cast(kops.one_hot(gold, f.shape[-1]), f.dtype)
        scale = _SURE if crowd.from_logits else 1.0
        truth = kops.where(kops.expand_dims(gold >= 0, -1), scale * known, f)
        answers = crowd(truth, annotators=ids)
        logits = kops.cast(class_logits(f, crowd.from_logits), answers.dtype)
        repeated = kops.repeat(kops.expand_dims(logits, 1), num_slots, axis=1)
        return keras.Model(with_annotators(inputs, given), kops.concatenate([answers, repeated], axis=1))

    def slots(self, ids: np.ndarray, answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Adds the gold labels to the slots of all items: ids `(items, slots + 1)`, answers `(items, 2 * slots)`."""
        counted = (ids >= 0) | (np.arange(ids.shape[1]) == 0)  # at least once, without an answer as well
        codes = np.where(counted, self.classes[:, None], -1)
        if answers.ndim == 3:
            codes = np.eye(answers.shape[-1])[codes] * (codes >= 0)[..., None]
        both = np.concatenate([answers, codes.astype(answers.dtype)], axis=1)
        return np.concatenate([ids, self.classes[:, None].astype(ids.dtype)], axis=1), both

    def settle(self, posterior: np.ndarray) -> np.ndarray:
        """The posterior `(items, classes)`, certain where the class is known."""
        known = self.classes >= 0
        posterior[known] = np.eye(posterior.shape[1])[self.classes[known]]
        return posterior


def class_logits(f: Tensor, from_logits: bool) -> Tensor:
    """Logits of what a classifier predicts."""
    return f if from_logits else kops.log(kops.cast(f, "float32") + _TINY)


def check_gold(gold: npt.ArrayLike | None, answers: Answers | None) -> None:
    """Refuses gold labels where items cannot be told, or of sets of labels."""
    if gold is None:
        return
    if answers is None:
        raise ValueError(
            "`gold` must be left out where the answers come in the batches of a data set: it has a label per item, in "
            "the order of the answers' items. Give `answers` by themselves, and batches of (features, items). "
            f"Received: gold of shape {np.shape(gold)}, answers=None"
        )
    if are_sets(answers):
        raise ValueError(
            "`gold` must be left out for sets of labels: `EMTrainer.fit` takes gold sets. "
            f"Received: gold of shape {np.shape(gold)}, {answers!r}"
        )


def gold_of(gold: npt.ArrayLike | None, annotations: Annotations) -> GoldClasses | None:
    """The gold labels, if there is one."""
    if gold is None:
        return None
    classes = gold_classes(gold, annotations)
    return GoldClasses(classes) if np.any(classes >= 0) else None
