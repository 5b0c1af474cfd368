"""From a classifier, features and answers to a trained classifier, in one call."""

import functools
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
from ._fit_features import Arrays, Batches
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
    answers: Answers | None = None,
    *,
    weights: float | Sequence[float] = WEIGHTS,
    optimizer: Optimizer = "adam",
    crowd_learning_rate: LearningRate | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
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

    A data set is read anew in each epoch, in batches of its own and in the order it gives, so it is the data set that
    shuffles: in memory items are in another order each epoch. It must be finite, and its rows the same each time
    (let layers of the classifier augment). Its batches may be

    - `(features, items)`, `items` their positions among the items of the answers, in any order:
      `pipelines.CrowdBatches(x, annotations, 256, form="items")`, `tf_data`, `torch_data` or `grain_data` likewise.
    - Features alone, all of them in the order of the items, not shuffled.
    - `(features, answers)` or `((features, annotators), answers)`, as `fit` of a model with a crowd layer takes them,
      in any order; then leave `answers` out. Items are known again by features and answers.

    Args:
        classifier: A Keras model of any kind from features to class probabilities `(batch, classes)`, or to that of
            class 1 of two, `(batch, 1)`. A KerasHub task is trained without its preprocessor, through which the
            features go once before. It is trained
            in place, from the weights it has; if anything fails while the weight is being chosen, it gets
            these back.
        x: Features: an array, or a list or dict of arrays for several inputs. A data frame's rows are matched to
            the items of the annotations by its index, unless that is a plain range; one that names others is refused.
            Or a data set (`tf.data.Dataset`, `keras.utils.PyDataset`, PyTorch `DataLoader`), for features that memory
            does not hold; see below.
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros; rows as in `x`. Left out only for a data set that holds them.
        weights: Weights to choose among, or the one to use.
        optimizer: A Keras optimizer or its name; the annotators get its like without weight decay.
        crowd_learning_rate: Learning rate of the annotators. Defaults to that of `optimizer`.
        epochs: Epochs of each training. Defaults to 200, or as many as 1,000 steps take if that is more
            (`default_epochs`). With much fewer steps the penalty finds an untrained classifier.
        batch_size: Items in a batch; several times the number of classes. Defaults to 256; a data set has its own.
        from_logits: Whether the classifier gives logits.
        num_splits: How many times answers are held out.
        fraction: Part of the answers held out each time.
        seed: Seed of the held-out answers and of the order of the items; call `keras.utils.set_random_seed` for all
            else.
        callbacks: Keras callbacks for the last training.
        backup_dir: Folder in which to keep what is done: after an interruption, the same call goes on from there, from
            the first call's weights, and ends as if there had been none (see `EMTrainer.fit`); with a data set that
            shuffles, up to the order of the epochs that are left. Its files are deleted when training ends. Defaults
            to `None`, no backup.
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
    flag("from_logits", from_logits)
    _check_sizes(x, epochs, batch_size)
    if crowd_learning_rate is not None and not isinstance(
        crowd_learning_rate, keras.optimizers.schedules.LearningRateSchedule
    ):
        number("crowd_learning_rate", crowd_learning_rate, at_least=0)
    check_choice(weights, num_splits, fraction, seed)
    network, features, annotations = _given(classifier, x, answers, from_logits, batch_size or 256, seed)
    if epochs is None:
        epochs = default_epochs(annotations.num_items, features.batch_size)
    training = Training(network, features, annotations, epochs, from_logits)
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


def _check_sizes(x: Features, epochs: int | None, batch_size: int | None) -> None:
    if epochs is not None:
        whole_number("epochs", epochs)
    if batch_size is not None:
        whole_number("batch_size", batch_size)
        if is_data_set(x):
            raise ValueError(
                "`batch_size` must be left out where `x` is a data set, which has its own batches. "
                f"Received: batch_size={batch_size}"
            )


def _given(
    classifier: keras.Model,
    x: Features,
    answers: Answers | None,
    from_logits: bool,
    batch_size: int,
    seed: int,
) -> tuple[keras.Model, Arrays | Batches, Annotations]:
    """The classifier as a functional model of class probabilities, or logits; features as it takes them; answers."""
    given = None if answers is None else as_annotations(answers, _num_classes(classifier, answers))
    features: Arrays | Batches
    if is_data_set(x):
        prepare, inputs = functools.partial(prepared, classifier), getattr(classifier, "inputs", None)
        features = Batches(x, given is not None, prepare, len(inputs) if inputs else None)
    else:
        x = keras.tree.map_structure(lambda part: rows_by_id("x", part, given), x)
        features = Arrays(prepared(classifier, x), batch_size, seed)
    few = keras.tree.map_structure(lambda part: part[:8], features.few)
    network = classifier_model(classifier, from_logits, few)
    warn_of_own_training(classifier, "`fit_crowd`")
    annotations = features.read(given, network.outputs[0].shape[-1])
    _check_classifier(network, annotations)
    return network, features, annotations


def _check_classifier(classifier: keras.Model, annotations: Annotations) -> None:
    shape = tuple(classifier.outputs[0].shape)
    if shape[1:] != (annotations.num_classes,):
        raise ValueError(
            f"`classifier` must have the output shape (batch, {annotations.num_classes}), one number a class: the "
            f"answers have {annotations.num_classes} classes (codes start at 0). Received: {shape}"
        )


def __dir__() -> list[str]:
    return ["CrowdFit", "default_epochs", "fit_crowd"]
