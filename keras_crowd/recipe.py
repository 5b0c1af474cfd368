"""From a classifier, features and answers to a trained classifier, in one call."""

import math
import os
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ._arguments import check_choice, flag, number, whole_number
from ._backup import Backup
from ._repr import one_line
from ._training import Training
from ._typing import Features, LearningRate, Optimizer
from .annotations import Annotations, Answers, as_annotations, rows_by_id
from .models import classifier_model, is_data_set, prepared, warn_of_own_training
from .regularizers import ClassifierLogDet
from .selection import WEIGHTS, RegularizationPath, regularization_path


@dataclass(frozen=True, eq=False, repr=False)
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

    def __repr__(self) -> str:
        return one_line(self)


def fit_crowd(
    classifier: keras.Model,
    x: Features,
    answers: Answers,
    *,
    weights: float | Sequence[float] = WEIGHTS,
    optimizer: Optimizer = "adam",
    crowd_learning_rate: LearningRate | None = None,
    epochs: int | None = None,
    batch_size: int = 256,
    from_logits: bool = False,
    num_splits: int = 4,
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
       (`selection.regularization_path`), for which the model is trained `num_splits * len(weights)` times.
    4. Then it is trained once more on all answers, and classes that have been permuted are put back
       (`align_classes`).

    The defaults are those of the README's results. The log det wants large batches, and then many
    epochs. With other starts or layers, use these parts yourself.

    Args:
        classifier: A Keras model of any kind from features to class probabilities `(batch, classes)`, or to that of
            class 1 of two, `(batch, 1)`. A KerasHub task is trained without its preprocessor, through which the
            features go once before. It is trained
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
        num_splits: How many times answers are held out.
        fraction: Part of the answers held out each time.
        seed: Seed of the held-out answers and of the order of the items; call `keras.utils.set_random_seed` for all
            else.
        callbacks: Keras callbacks for the last training.
        backup_dir: Folder in which to keep what is done: after an interruption, the same call goes on from there, from
            the first call's weights, and ends as if there had been none (see `EMTrainer.fit`). Its files are deleted
            when training ends. Defaults to `None`, no backup.
        verbose: 1 shows progress, 2 also every epoch of the last training.

    Returns:
        `CrowdFit(classifier, crowd, model, history, weight, path)`.

    Raises:
        ValueError: When the data do not fit the classifier (`validate`), or an argument is out of range.

    Example:

    >>> fit = keras_crowd.fit_crowd(
    ...     classifier, x, answers, weights=[0.0, 1.0], epochs=2, num_splits=1, verbose=0)
    >>> fit.path.weights
    array([0., 1.])
    >>> fit.classifier.predict(x, verbose=0).shape
    (20, 10)

    Reference:
        S. Ibrahim, T. Nguyen, X. Fu, "Deep learning from crowdsourced labels: coupled cross-entropy
        minimization, identifiability, and regularization", ICLR 2023, GeoCrowdNet(F).
    """
    _refuse_data_set(x)
    flag("from_logits", from_logits)
    whole_number("batch_size", batch_size)
    if epochs is not None:
        whole_number("epochs", epochs)
    if crowd_learning_rate is not None and not isinstance(
        crowd_learning_rate, keras.optimizers.schedules.LearningRateSchedule
    ):
        number("crowd_learning_rate", crowd_learning_rate, at_least=0)
    check_choice(weights, num_splits, fraction, seed)
    annotations = as_annotations(answers, _num_classes(classifier, answers))
    x = keras.tree.map_structure(lambda part: rows_by_id("x", part, annotations), x)
    network, x = _network(classifier, x, from_logits)
    _check_classifier(network, annotations)
    if epochs is None:
        epochs = default_epochs(annotations.num_items, batch_size)
    training = Training(network, x, annotations, epochs, batch_size, from_logits, seed)
    training.compile(optimizer, crowd_learning_rate)
    choosing = {"num_splits": num_splits, "fraction": fraction, "seed": seed}
    settings = {"weights": weights, "crowd_learning_rate": crowd_learning_rate, **choosing}
    given = {} if backup_dir is None else {**training.given(annotations), **settings}
    start, chosen, trained = _backups(backup_dir, given)
    training.start_from(start)
    try:
        weight, path = _choose(training, weights, annotations, backup_dir, given, verbose, **choosing)
    except BaseException:
        training.give_back()
        raise
    history = training.fit(weight, annotations, callbacks, 2 if verbose > 1 else 0, trained)
    training.put_classes_back(annotations)
    for backup in (trained, chosen, start):
        backup.delete()
    return CrowdFit(classifier, training.crowd, training.model, history, weight, path)


def default_epochs(num_items: int, batch_size: int = 256) -> int:
    """Epochs that `fit_crowd` trains for: 200, or more for few items, so that there are 1,000 steps.

    Example:

    >>> default_epochs(10_000), default_epochs(700)
    (200, 334)
    """
    return max(200, math.ceil(1000 / math.ceil(num_items / batch_size)))


def _backups(folder: str | os.PathLike[str] | None, given: dict[str, Any]) -> list[Backup]:
    """Of the start, of the choice of the weight, and of the last training."""
    names = ("start.npz", "path.npz", "training.npz")
    return [Backup(None if folder is None else pathlib.Path(folder) / name, given) for name in names]


def _choose(
    training: Training,
    weights: float | Sequence[float],
    annotations: Annotations,
    backup_dir: str | os.PathLike[str] | None,
    given: dict[str, Any],
    verbose: int,
    **choosing: Any,
) -> tuple[float, RegularizationPath | None]:
    """The weight to train with, and how it was found."""
    if np.ndim(weights) == 0:
        return ClassifierLogDet(float(weights)).weight, None  # type: ignore[arg-type]
    path = regularization_path(
        training,
        annotations,
        weights,  # type: ignore[arg-type]
        backup_dir=backup_dir,
        given={name: value for name, value in given.items() if name not in ("weights", *choosing)},
        verbose=verbose,
        **choosing,
    )
    return path.chosen, path


def _num_classes(classifier: keras.Model, answers: Answers) -> int | None:
    """Of the classifier, for an array of answers: it may lack the last class."""
    outputs = getattr(classifier, "outputs", None)
    if not outputs or isinstance(answers, Annotations):
        return None
    return 2 if outputs[0].shape[-1] == 1 else outputs[0].shape[-1]


def _refuse_data_set(x: Features) -> None:
    if is_data_set(x):
        raise ValueError(
            "`x` must be arrays in memory: `fit_crowd` trains on the same features many times, on other answers. Read "
            "them into an array; or train `crowd_model(classifier, crowd, slots=True)` on `pipelines.CrowdBatches`, or "
            f"`EMTrainer` on batches (features, items). Received: {type(x).__name__}"
        )


def _network(classifier: keras.Model, x: Features, from_logits: bool) -> tuple[keras.Model, Any]:
    """The classifier as a functional model of class probabilities, or logits; and the features as it takes them."""
    x = prepared(classifier, x)
    few = keras.tree.map_structure(lambda part: np.asarray(part[:8]), x)
    network = classifier_model(classifier, from_logits, few)
    warn_of_own_training(classifier, "`fit_crowd`")
    return network, x


def _check_classifier(classifier: keras.Model, annotations: Annotations) -> None:
    shape = tuple(classifier.outputs[0].shape)
    if shape[1:] != (annotations.num_classes,):
        raise ValueError(
            f"`classifier` must have the output shape (batch, {annotations.num_classes}), one number a class: the "
            f"answers have {annotations.num_classes} classes (codes start at 0). Received: {shape}"
        )


def __dir__() -> list[str]:
    return ["CrowdFit", "default_epochs", "fit_crowd"]
