"""From a classifier, features and answers to a trained classifier, in one call."""

import functools
import math
import os
import pathlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from .annotations import Annotations, as_annotations, rows_by_id
from .callbacks import RegularizerSchedule
from .evaluation import classifier_alignment
from .layers import CrowdsClassification
from .losses import MaskedCrowdCrossEntropy
from .models import align_classes, validate
from .ops import class_probabilities
from .optimizers import crowd_optimizer
from .pipelines._features import with_annotators
from .regularizers import ClassifierLogDet
from .selection import WEIGHTS, RegularizationPath, regularization_path
from .warm_start import from_dawid_skene


@dataclass(frozen=True, eq=False)
class CrowdFit:
    """What `fit_crowd` made.

    Attributes:
        classifier: The classifier that was given, trained.
        crowd: The crowd layer; `crowd.confusion()` tells what each annotator answers to each class.
        model: Both, on slots: `model.predict((x, ids))` are answer logits.
        history: Keras's `History` of the last training.
        weight: The weight of the regularizer, chosen or given.
        path: How held-out answers were predicted with each weight, and the weight chosen; `None` if the
            weight was given.

    Example:

    >>> fit = keras_crowd.fit_crowd(classifier, x, answers, weights=1.0, epochs=2, verbose=0)
    >>> fit.crowd.confusion().shape
    (5, 10, 10)
    """

    classifier: Any
    crowd: Any
    model: Any
    history: Any
    weight: float
    path: RegularizationPath | None


def fit_crowd(
    classifier: Any,
    x: Any,
    answers: Any,
    *,
    weights: float | Sequence[float] = WEIGHTS,
    optimizer: Any = "adam",
    crowd_learning_rate: Any = None,
    epochs: int | None = None,
    batch_size: int = 256,
    from_logits: bool = False,
    parts: int = 4,
    fraction: float = 0.15,
    seed: int = 0,
    callbacks: Sequence[Any] = (),
    backup_dir: str | os.PathLike[str] | None = None,
    verbose: int = 1,
) -> CrowdFit:
    """Trains a classifier on the answers of a crowd by GeoCrowdNet(F), choosing what is to be chosen without gold.

    1. Confusions start from Dawid and Skene's (`warm_start.from_dawid_skene`).
    2. Classifier and confusions are trained together, with `regularizers.ClassifierLogDet` rising
       linearly to its weight over the first half of the epochs (`callbacks.RegularizerSchedule`).
    3. The weight is the largest that predicts held-out answers within a standard error of the best
       (`selection.regularization_path`), for which the model is trained `parts * len(weights)` times.
    4. Then it is trained once more on all answers, and classes that have been permuted are put back
       (`align_classes`).

    The defaults are those of the README's results. The log det wants large batches, and then many
    epochs. With other starts or layers, use these parts yourself.

    Args:
        classifier: A built Keras model from features to class probabilities `(batch, classes)`. It is trained
            in place, from the weights it has; if anything fails while the weight is being chosen, it gets
            these back.
        x: Features: an array, or a list or dict of arrays for several inputs. A data frame's rows are matched to
            the items of the annotations by its index, unless that is a plain range; one that names others is refused.
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros; rows as in `x`.
        weights: Weights to choose among, or the one to use.
        optimizer: A Keras optimizer or its name; the annotators get its like without weight decay.
        crowd_learning_rate: Learning rate of the annotators. Defaults to that of `optimizer`.
        epochs: Epochs of each training. Defaults to 200, or as many as 1,000 steps take if that is more
            (`default_epochs`). With much fewer steps the penalty finds an untrained classifier.
        batch_size: Items in a batch; several times the number of classes.
        from_logits: Whether the classifier gives logits.
        parts: How many times answers are held out.
        fraction: Part of the answers held out each time.
        seed: Seed of the held-out answers; call `keras.utils.set_random_seed` for all else.
        callbacks: Keras callbacks for the last training.
        backup_dir: Folder to keep what is done in: after an interruption, the same call goes on from there.
            Emptied of it at the end.
        verbose: 1 shows progress, 2 also every epoch of the last training.

    Returns:
        `CrowdFit(classifier, crowd, model, history, weight, path)`.

    Raises:
        ValueError: When the data do not fit the classifier (`validate`), or an argument is out of range.

    Example:

    >>> fit = keras_crowd.fit_crowd(
    ...     classifier, x, answers, weights=[0.0, 1.0], epochs=2, parts=1, verbose=0)
    >>> fit.path.weights
    array([0., 1.])
    >>> fit.classifier.predict(x, verbose=0).shape
    (20, 10)

    Reference:
        S. Ibrahim, T. Nguyen, X. Fu, "Deep learning from crowdsourced labels: coupled cross-entropy
        minimization, identifiability, and regularization", ICLR 2023, GeoCrowdNet(F).
    """
    annotations = as_annotations(answers)
    x = keras.tree.map_structure(lambda part: rows_by_id("x", part, annotations), x)
    _check_classifier(classifier, annotations)
    if epochs is None:
        epochs = default_epochs(annotations.num_items, batch_size)
    training = _Training(classifier, x, annotations, epochs, batch_size, from_logits)
    training.compile(optimizer, crowd_learning_rate)
    backup = None if backup_dir is None else pathlib.Path(backup_dir)
    choosing = {"parts": parts, "fraction": fraction, "seed": seed, "verbose": verbose}
    weight, path = _choose(training, weights, backup, annotations, **choosing)
    if backup is not None:
        callbacks = [*callbacks, keras.callbacks.BackupAndRestore(backup / "training")]
    history = training.fit(weight, annotations, callbacks, verbose=2 if verbose > 1 else 0)
    training.put_classes_back(annotations)
    if path is not None and backup is not None:
        (backup / "path.npz").unlink(missing_ok=True)
    return CrowdFit(classifier, training.crowd, training.model, history, weight, path)


def default_epochs(num_items: int, batch_size: int = 256) -> int:
    """Epochs that `fit_crowd` trains for: 200, or more for few items, so that there are 1,000 steps.

    Example:

    >>> default_epochs(10_000), default_epochs(700)
    (200, 334)
    """
    return max(200, math.ceil(1000 / math.ceil(num_items / batch_size)))


class _Training:
    """One compiled model, trained again and again from the same start."""

    def __init__(
        self,
        classifier: Any,
        x: Any,
        annotations: Annotations,
        epochs: int,
        batch_size: int,
        from_logits: bool,
    ) -> None:
        self.classifier, self.x, self.epochs, self.batch_size = classifier, x, epochs, batch_size
        self.num_slots = annotations.slots()[0].shape[1]
        # all weights are tried on one part before the next
        self._confusion = functools.lru_cache(1)(from_dawid_skene)
        self.crowd = CrowdsClassification(
            annotations.num_annotators,
            "CM",
            from_logits=from_logits,
            classifier_regularizer=ClassifierLogDet(),
        )
        ids = keras.Input((None,), dtype="int32", name="annotators")
        logits = self.crowd(classifier.outputs[0], annotators=ids)
        self.model = keras.Model(with_annotators(_structure(classifier, x), ids), logits)
        validate(self.model, *self.data(annotations))

    def compile(self, optimizer: Any, crowd_learning_rate: Any) -> None:
        """Compiles, and keeps the start."""
        optimizer = crowd_optimizer(self.model, keras.optimizers.get(optimizer), crowd_learning_rate)
        self.model.compile(optimizer, loss=MaskedCrowdCrossEntropy())
        optimizer.build(self.model.trainable_variables)
        self._variables = [*self.model.variables, *optimizer.variables]
        self._start = [np.array(ops.convert_to_numpy(v)) for v in self._variables]

    def data(self, annotations: Annotations) -> tuple[Any, np.ndarray]:
        """What the model is trained on."""
        ids, answers = annotations.slots(self.num_slots)
        return with_annotators(self.x, ids), answers

    def restore(self) -> None:
        """Classifier, crowd layer and optimizer as they were."""
        for variable, value in zip(self._variables, self._start, strict=True):
            variable.assign(value)

    def fit(self, weight: float, annotations: Annotations, callbacks: Sequence[Any], verbose: int) -> Any:
        """Trains from the start on these answers."""
        self.restore()
        self.crowd.set_confusion(self._confusion(annotations))
        self.crowd.classifier_regularizer.weight = weight
        x, answers = self.data(annotations)
        return self.model.fit(
            x,
            answers,
            batch_size=self.batch_size,
            epochs=self.epochs,
            callbacks=[RegularizerSchedule(self.crowd), *callbacks],
            verbose=verbose,
        )

    def __call__(self, weight: float, annotations: Annotations) -> tuple[np.ndarray, np.ndarray]:
        """As `regularization_path` wants it."""
        self.fit(weight, annotations, (), verbose=0)
        return self.probabilities(), self.crowd.confusion()

    def probabilities(self) -> np.ndarray:
        """The classifier's, of all items."""
        outputs = self.classifier.predict(self.x, batch_size=self.batch_size, verbose=0)
        return class_probabilities(outputs, self.crowd.from_logits)

    def put_classes_back(self, annotations: Annotations) -> None:
        """Undoes a permutation of the classes; what is trained is not lost where that cannot be done."""
        try:
            permutation = classifier_alignment(self.probabilities(), annotations).tolist()
            if permutation == sorted(permutation):
                return
            align_classes(self.model, *self.data(annotations))
        except (ImportError, ValueError) as error:
            warnings.warn(
                f"Whether classes were permuted is not known, or not undone. {error}", stacklevel=3
            )
            return
        message = f"The classes had been permuted and were put back: class k was {permutation}[k]."
        warnings.warn(message, stacklevel=3)


def _choose(
    training: _Training,
    weights: float | Sequence[float],
    backup: pathlib.Path | None,
    annotations: Annotations,
    **kwargs: Any,
) -> tuple[float, RegularizationPath | None]:
    """The weight to train with, and how it was found."""
    if np.ndim(weights) == 0:
        return ClassifierLogDet(float(weights)).weight, None  # type: ignore[arg-type]
    file = None if backup is None else backup / "path.npz"
    try:
        path = regularization_path(training, annotations, weights, backup=file, **kwargs)  # type: ignore[arg-type]
    except BaseException:
        training.restore()
        raise
    return path.chosen, path


def _check_classifier(classifier: Any, annotations: Annotations) -> None:
    if not getattr(classifier, "outputs", None) or len(classifier.outputs) != 1:
        raise ValueError(
            "`classifier` must be a built Sequential or functional model of one output. "
            f"Received: {type(classifier).__name__} with {len(getattr(classifier, 'outputs', None) or [])} outputs"
        )
    shape = tuple(classifier.outputs[0].shape)
    if shape[1:] != (annotations.num_classes,):
        raise ValueError(
            f"`classifier` must have the output shape (batch, {annotations.num_classes}), one number a class: the "
            f"answers have {annotations.num_classes} classes (codes start at 0). Received: {shape}"
        )


def _structure(classifier: Any, x: Any) -> Any:
    """The inputs of the classifier, in the structure of `x`."""
    if not isinstance(x, dict):
        return classifier.inputs
    given = getattr(classifier, "input", None)
    return given if isinstance(given, dict) else {tensor.name: tensor for tensor in classifier.inputs}
