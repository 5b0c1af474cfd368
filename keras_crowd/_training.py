"""Classifier and annotators of `fit_crowd`, trained again and again from the same start."""

import abc
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops as kops

from ._backup import (
    NO_BACKUP,
    Backup,
    TrainingBackup,
    description,
    set_values,
    training_variables,
    values_of,
)
from ._fit_features import Arrays, Batches
from ._gold_training import GoldClasses
from ._typing import Features, LearningRate, Optimizer
from .aggregation import posterior
from .annotations import Annotations, checksum
from .callbacks import RegularizerSchedule
from .evaluation import classifier_alignment
from .layers import CrowdLayer, CrowdsClassification
from .models import permute_classes
from .ops import class_probabilities
from .optimizers import crowd_optimizer
from .pipelines import with_annotators
from .regularizers import ClassifierLogDet


class Training(abc.ABC):
    """One compiled model, trained again and again from the same start. Abstract.

    Args:
        classifier: A functional model of what the crowd layer takes.
        features: Of all items.
        annotations: The answers.
        epochs: Integer. Of the last training.
        crowd: The crowd layer, not built.
        gold: What is known of the items. Defaults to `None`, nothing.
    """

    def __init__(
        self,
        classifier: keras.Model,
        features: Arrays | Batches,
        annotations: Annotations,
        epochs: int,
        crowd: CrowdLayer,
        gold: GoldClasses | None = None,
    ) -> None:
        self.gold = gold
        self.classifier, self.features, self.crowd = classifier, features, crowd
        self.epochs, self.replica_epochs = epochs, -(-epochs // 2)
        self.history = keras.callbacks.History()
        self.num_slots = annotations.slots()[0].shape[1]
        ids = keras.Input((None,), dtype="int32", name="annotators")
        logits = self.crowd(classifier.outputs[0], annotators=ids)
        inputs = _structure(classifier, features.few)
        self.model = keras.Model(with_annotators(inputs, ids), logits)
        self._trained = self._model_to_train(inputs)
        features.check(self.model, *annotations.slots(self.num_slots))

    def _model_to_train(self, inputs: Any) -> keras.Model:
        """The model of classifier and annotators, or one that knows more."""
        if self.gold is None:
            return self.model
        return self.gold.model(inputs, self.classifier.outputs[0], self.crowd, self.num_slots)

    def compile(self, optimizer: Optimizer, crowd_learning_rate: LearningRate | None) -> None:
        """Compiles, and keeps the start."""
        self._optimizer = keras.optimizers.get(optimizer)
        of_both = crowd_optimizer(self.model, self._optimizer, crowd_learning_rate)
        self.model.compile(of_both, loss=self.crowd.answer_losses[0]())
        self._variables = training_variables(self.model)
        if self._trained is not self.model:
            self._compile_trained()
        self._given = self._start = self.values()

    def _compile_trained(self) -> None:
        """Compiles the model that is trained, where it is another."""
        self._trained.compile(self.model.optimizer, loss=self.crowd.answer_losses[0]())

    def given(self, annotations: Annotations) -> dict[str, Any]:
        """Returns all that the result depends on, except the choice of the weight."""
        return {
            "answers": [checksum(annotations), annotations.num_items, annotations.num_annotators],
            **self.features.given,
            "classifier": description(self.classifier),
            "optimizer": description(self._optimizer),
            "epochs": self.epochs,
            "from_logits": self.crowd.from_logits,
            **({} if self.gold is None else {"gold": self.gold.classes}),
        }

    def start_from(self, backup: Backup) -> None:
        """Keeps the start; after an interruption it is that of the first call."""
        saved = backup.load()
        if saved:
            self._start = saved
        else:
            backup.save(**self._start)

    def give_back(self) -> None:
        """Classifier, crowd layer and optimizer as they were given."""
        self.assign(self._given)

    def values(self) -> dict[str, np.ndarray]:
        """Returns the values of all variables, for `assign`."""
        return values_of(self._variables)

    def assign(self, values: Mapping[str, np.ndarray]) -> None:
        """Sets all variables."""
        set_values(self._variables, values)

    def fit(
        self,
        setting: Any,
        annotations: Annotations,
        replica: int | None = None,
        callbacks: Sequence[Any] = (),
        verbose: int = 0,
        backup: Backup = NO_BACKUP,
    ) -> keras.callbacks.History:
        """Trains from the start on these answers, or from where it was interrupted.

        Interrupted by the user, it leaves the state at the end of the last whole epoch and raises `KeyboardInterrupt`.
        """
        self.assign(self._start)
        if replica is not None:
            self._start_elsewhere(replica)
        self._adapt(annotations)
        own = self.set(setting)
        kept = TrainingBackup(backup, self._trained, callbacks)
        kept.restore()
        done = len(kept.epoch)
        last = _LastEpoch(self)
        self.history = keras.callbacks.History()
        self.history.history, self.history.epoch = kept.history, kept.epoch
        try:
            self._trained.fit(
                self.features.answered(*self._slots(annotations), done, replica),
                shuffle=False,
                initial_epoch=done,
                epochs=done if kept.stopped else self.epochs if replica is None else self.replica_epochs,
                callbacks=[*own, *callbacks, kept, last],
                verbose=verbose,
            )
        except KeyboardInterrupt:
            self.assign(last.values)  # under JAX, a broken step leaves none
            raise
        return self.history

    def _adapt(self, annotations: Annotations) -> None:
        """Starts the annotators."""
        self.crowd.adapt(annotations)

    def _slots(self, annotations: Annotations) -> tuple[np.ndarray, np.ndarray]:
        """Returns the slots that the model is trained on, beside the features, and its targets."""
        ids, answers = annotations.slots(self.num_slots)
        return (ids, answers) if self.gold is None else self.gold.slots(ids, answers)

    def _start_elsewhere(self, replica: int) -> None:
        """Shuffles the entries of the classifier's last kernel, and gives its dropout other seeds."""
        kernels = [v for v in self.classifier.trainable_variables if len(v.shape) > 1]
        if kernels:
            kernel = kops.convert_to_numpy(kernels[-1])
            shuffled = np.random.default_rng(replica).permutation(kernel.ravel())
            kernels[-1].assign(shuffled.reshape(kernel.shape))
        for variable in self.classifier.non_trainable_variables:
            if variable.path.endswith("seed_generator_state"):
                variable.assign(kops.convert_to_numpy(variable) + np.uint32(1 + replica))

    def set(self, setting: Any) -> list[keras.callbacks.Callback]:
        """Makes the setting that of the next training, which needs the callbacks returned."""
        return []

    def put_classes_back(self, annotations: Annotations) -> None:
        """Undoes a permutation of the classes, where there can be one."""
        return

    @abc.abstractmethod
    def probabilities(self) -> np.ndarray:
        """The classifier's, of all items."""

    @abc.abstractmethod
    def annotators(self) -> tuple[np.ndarray, ...]:
        """Returns what is learned of the annotators, as the posterior takes it."""

    @abc.abstractmethod
    def posterior(self, annotations: Annotations) -> np.ndarray:
        """Returns what features and answers say of the items."""


class ClassTraining(Training):
    """Trains on answers of one class each by GeoCrowdNet(F); a setting is the weight of its regularizer.

    Attributes:
        confusion: What the annotators start from, `None` for that of `crowd.adapt`.
    """

    crowd: CrowdsClassification
    confusion: np.ndarray | None = None

    def __init__(
        self,
        classifier: keras.Model,
        features: Arrays | Batches,
        annotations: Annotations,
        epochs: int,
        from_logits: bool,
        gold: GoldClasses | None = None,
    ) -> None:
        crowd = CrowdsClassification(
            annotations.num_annotators,
            "CM",
            from_logits=from_logits,
            classifier_regularizer=self._regularizer(),
        )
        super().__init__(classifier, features, annotations, epochs, crowd, gold)

    def _regularizer(self) -> ClassifierLogDet:
        """One that acts where the answers make the classifier sure; small batches do not disturb it."""
        return ClassifierLogDet(momentum=0.9, bound=0.1)

    def _adapt(self, annotations: Annotations) -> None:
        if self.confusion is None:
            self.crowd.adapt(annotations, None if self.gold is None else self.gold.classes)
        else:
            self.crowd.set_confusion(self.confusion)

    def set(self, setting: float) -> list[keras.callbacks.Callback]:
        self.crowd.class_counts.lost.forget()
        self.crowd.classifier_regularizer.weight = setting
        return [RegularizerSchedule(self.crowd)]

    def probabilities(self) -> np.ndarray:
        return class_probabilities(self.features.predict(self.classifier), self.crowd.from_logits)

    def annotators(self) -> tuple[np.ndarray, ...]:
        return (self.crowd.confusion(),)

    def posterior(self, annotations: Annotations) -> np.ndarray:
        return self.settled(posterior(annotations, self.probabilities(), *self.annotators()))

    def settled(self, probabilities: np.ndarray) -> np.ndarray:
        """Probabilities `(items, classes)`, certain where the class is known."""
        return probabilities if self.gold is None else self.gold.settle(probabilities)

    def put_classes_back(self, annotations: Annotations) -> None:
        """Undoes a permutation; what is trained is not lost where that cannot be done."""
        try:
            permutation = classifier_alignment(self.probabilities(), annotations).tolist()
            if permutation == sorted(permutation):
                return
            ids = annotations.slots(self.num_slots)[0][self.features.few_items]
            permute_classes(self.model, np.array(permutation), with_annotators(self.features.few, ids))
        except (ImportError, ValueError) as error:
            warnings.warn(
                f"Whether classes were permuted is not known, or not undone. {error}", stacklevel=3
            )
            return
        message = f"The classes had been permuted and were put back: class k was {permutation}[k]."
        warnings.warn(message, stacklevel=3)


class _LastEpoch(keras.callbacks.Callback):
    """The values of all variables after the last whole epoch.

    Args:
        training: The training.

    Attributes:
        values: For `Training.assign`.
    """

    def __init__(self, training: Training) -> None:
        super().__init__()
        self._training, self.values = training, training.values()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.values = self._training.values()


def _structure(classifier: keras.Model, x: Features) -> Any:
    """The inputs of the classifier, in the structure of `x`."""
    if not isinstance(x, dict):
        return classifier.inputs
    given = getattr(classifier, "input", None)
    return given if isinstance(given, dict) else {tensor.name: tensor for tensor in classifier.inputs}
