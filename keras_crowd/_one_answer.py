"""Trainings of `fit_crowd` where most items have one answer: classifiers that have not seen it tell who is good."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
from keras import ops as kops

from ._backup import Backup, training_variables
from ._choice import Choice, another
from ._gold_training import class_logits
from ._training import ClassTraining, Training
from .aggregation import majority_vote, posterior
from .annotations import Annotations
from .pipelines import with_annotators
from .regularizers import ClassifierLogDet
from .selection import predictions_by_fold
from .warm_start import from_labels

FEW_ANSWERS = 1.5  # per item that has one, on average, are not few
NUM_SPLITS, NUM_ROUNDS, WEIGHT = 5, 2, 0.5


def has_few_answers(annotations: Annotations) -> bool:
    """Whether most items have one answer, so that other answers tell too little of an annotator."""
    answered = np.count_nonzero(annotations.answers_per_item())
    return bool(answered >= NUM_SPLITS and len(annotations) < FEW_ANSWERS * answered)


class LabelTraining(ClassTraining):
    """Trains the classifier alone, on class probabilities of the items; a setting is the round which these are for.

    Attributes:
        labels: The class probabilities for each round, `(items, classes)`, first the vote; a row of zeros for an item
            of which nothing is known.
    """

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.labels: list[np.ndarray] = []

    def begin(self, annotations: Annotations) -> None:
        """Takes the vote for the first labels."""
        vote = majority_vote(annotations, soft=True)
        self.labels = [self.settled(np.where(annotations.answers_per_item()[:, None] > 0, vote, 0.0))]

    def conclude(self, annotations: Annotations, unseen: np.ndarray) -> None:
        """Counts the answers against predictions `(items, classes)` of classifiers that have not seen them; the
        posterior of both gives the next labels and, counted against these, the confusions."""
        counted = from_labels(annotations, self.settled(unseen.copy()))
        self.labels.append(self.settled(posterior(annotations, unseen, counted)))
        self.confusion = from_labels(annotations, self.labels[-1])

    def set(self, setting: float) -> list[keras.callbacks.Callback]:
        super().set(0.0)
        self._targets = self.labels[int(setting)]
        return []

    def _model_to_train(self, inputs: Any) -> keras.Model:
        f, ids = self.classifier.outputs[0], keras.Input((None,), dtype="int32", name="annotators")
        logits = class_logits(f, self.crowd.from_logits)
        return keras.Model(with_annotators(inputs, ids), kops.expand_dims(logits, 1))

    def _compile_trained(self) -> None:
        self._trained.compile(another(self._optimizer), loss=self.crowd.answer_losses[0]())
        self._variables = [
            *self._variables,
            *training_variables(self._trained)[len(self._trained.variables) :],
        ]

    def _slots(self, annotations: Annotations) -> tuple[np.ndarray, np.ndarray]:
        """The labels of the items that have answers here, or a gold label, in one slot."""
        known = annotations.answers_per_item() > 0
        if self.gold is not None:
            known |= self.gold.classes >= 0
        targets = np.where(known[:, None], self._targets, 0.0).astype("float32")
        return annotations.slots(self.num_slots)[0], targets[:, None]


class CountedTraining(ClassTraining):
    """Trains a crowd layer that starts from counted confusions, with the regularizer of the paper."""

    def _regularizer(self) -> ClassifierLogDet:
        return ClassifierLogDet()


class LabelRounds(Choice):
    """Rounds of classifiers that each predict a fold of the items from the labels of the others. Nothing is chosen.

    The first labels are the vote. Each round counts the confusions of the annotators against its predictions
    (`warm_start.from_labels`), and has the posterior of both for the next labels (`aggregation.posterior`). The last
    training is that of a crowd layer, which starts from confusions counted against the last labels.

    Args:
        labels: A training of the classifier on labels.
        last: The last training, of the same classifier.
        annotations: All the answers.
    """

    argument = "weights"
    out_of_sample = True

    def __init__(self, labels: LabelTraining, last: ClassTraining, annotations: Annotations) -> None:
        super().__init__([*range(NUM_ROUNDS), WEIGHT], annotations)
        self._labels, self._last, self._counted = labels, last, False
        labels.begin(annotations)

    @property
    def trainings(self) -> list[Training]:
        return [self._last, self._labels]

    @property
    def training(self) -> Training:
        return self._last if self._counted else self._labels

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(f"round_{i}.npz" for i in range(NUM_ROUNDS))

    @property
    def weight(self) -> float | None:
        return WEIGHT if self._counted else None

    def most_replicas(self, num_replicas: int) -> int:
        return NUM_ROUNDS * NUM_SPLITS

    def what_is_set(self) -> str:
        return f"weight {WEIGHT:g}" if self._counted else f"the labels of round {self.setting + 1}"

    def find(self, **choosing: Any) -> None:
        for i, name in enumerate(self.files):
            backup = Backup.within(choosing["backup_dir"], name, choosing["given"])
            train = functools.partial(self._train, i)
            unseen = predictions_by_fold(train, self._annotations, NUM_SPLITS, choosing["seed"], backup)
            self._labels.conclude(self._annotations, unseen)
        self._last.confusion = self._labels.confusion
        self._counted, self.setting = True, WEIGHT

    def _train(self, label_round: int, annotations: Annotations, fold: int) -> np.ndarray:
        predictions = self._train_replica(label_round, annotations, fold, self._labels)[0]
        self.setting = label_round
        return predictions
