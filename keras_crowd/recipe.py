"""`fit_crowd`: a trained classifier from a classifier, features and answers, in one call."""

import functools
import math
import os
import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy.typing as npt

from ._arguments import check_choice, flag, number, whole_number
from ._backup import Backup
from ._choices import choice_of, settings_of
from ._crowd_fit import CrowdFit as CrowdFit
from ._fit_features import Arrays, Batches
from ._fit_progress import FitProgress
from ._gold_training import check_gold, gold_of
from ._typing import Features, LearningRate, Optimizer
from .annotations import (
    Annotations,
    Answers,
    are_sets,
    as_annotations,
    as_label_sets,
    refuse_preferences,
    rows_by_id,
)
from .models import is_data_set, model_below, prepared, warn_of_own_training

BATCH_SIZE = 64


def fit_crowd(
    classifier: keras.Model,
    x: Features,
    answers: Answers | None = None,
    *,
    gold: npt.ArrayLike | None = None,
    weights: float | Sequence[float] | None = None,
    conn_types: str | Sequence[str] | None = None,
    optimizer: Optimizer = "adam",
    crowd_learning_rate: LearningRate | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    from_logits: bool = False,
    num_replicas: int = 4,
    fraction: float = 0.15,
    seed: int = 0,
    callbacks: Sequence[Any] = (),
    backup_dir: str | os.PathLike[str] | None = None,
    verbose: int = 1,
) -> CrowdFit:
    """Trains a classifier on the answers of a crowd by GeoCrowdNet(F), and chooses the weight without gold labels.

    1. Confusions start from Dawid and Skene's (`crowd.adapt`).
    2. Classifier and confusions are trained together, with `regularizers.ClassifierLogDet(momentum=0.9, bound=0.1)`
       rising linearly to its weight over the first half of the epochs (`callbacks.RegularizerSchedule`).
    3. The weight is the largest with which replicas of the classifier, trained for half the epochs with other answers
       held out and from another start, agree on the classes of the items as much as without the regularizer, and
       predict the answers held out as well (`selection.replica_path`). It is 0 where the replicas without it predict
       classes of very different frequencies (an inequality of more than .08 nats, as shares of .31 and .69).
    4. Then the classifier is trained on all answers. It gets the mean of its weights after each of the last fifth of
       the epochs, and classes that have been permuted are put back (`align_classes`).

    Where most items have one answer (fewer than 1.5 on average, of those that have any), the other answers tell too
    little of an annotator, and the features must. Instead of 1 and 3, five classifiers are trained for half the epochs,
    each on the votes on four fifths of the items, and predict the rest (`selection.out_of_sample_predictions`).
    Confusions are counted against these predictions (`warm_start.from_labels`), and `aggregation.posterior` of both
    gives labels for a second round. The confusions start from those counted against its labels, and the weight is 0.5.
    Give `weights` to have steps 1 to 4.

    Sets of labels (`Annotations.from_sets`) are trained on likewise below `CrowdsMultiLabel`, by a classifier that
    gives the probability of each label by itself. For these, the connection is chosen by the nats of the answers held
    out from the replicas (`selection.held_out_choice`).

    By default there are at most 12 replicas, or 10 classifiers in two rounds, so the whole costs at most as much as 7
    trainings of 50 epochs or 1,000 steps each, whichever is more; the maximum is shown beforehand. A keyboard interrupt
    returns what has been trained by then, with a warning: a replica with the largest weight accepted so far, a
    classifier of the last round, or the state after the last whole epoch.

    Features in memory are shuffled each epoch. A data set is read anew in each epoch, in its own batches and order, so
    it must shuffle by itself. It must be finite and have the same rows each time (augment in layers of the classifier).
    Its batches may be

    - `(features, items)`, `items` their positions among the items of the answers, in any order:
      `pipelines.CrowdBatches(x, annotations, 256, form="items")`, `tf_data`, `torch_data` or `grain_data` likewise.
    - Features alone, all of them in the order of the items, not shuffled.
    - `(features, answers)` or `((features, annotators), answers)`, as `fit` of a model with a crowd layer takes them,
      in any order; then leave `answers` out. Items are recognized by their features and answers.

    Args:
        classifier: A Keras model of any kind from features to class probabilities `(batch, classes)`, or to that of
            class 1 of two, `(batch, 1)`; for sets of labels to the probability of each, `(batch, labels)`. A KerasHub
            task is trained without its preprocessor, through which the features go once before. It is trained in
            place, from the weights it has; if anything fails while the weight is being chosen, it gets these back.
        x: Features: an array, or a list or dict of arrays for several inputs. A data frame's rows are matched to
            the items of the annotations by its index, unless that is a plain range; one that names others is refused.
            Or a data set (`tf.data.Dataset`, `keras.utils.PyDataset`, PyTorch `DataLoader`), for features that memory
            does not hold; see below.
        answers: `Annotations`, of classes or of sets of labels; integers `(items, annotators)` with `-1` for missing;
            or soft answers, floats `(items, annotators, classes)` with zeros; rows as in `x`. Left out only for a data
            set that holds them, one class each. Defaults to `None`.
        gold: True classes of some of the items, integers `(items,)`, `-1` where unknown; or ids of the classes, `None`
            where unknown. A series is matched to the items by its index. They help to start the annotators, and in
            training each weighs as much as all answers to its item. Labels and posterior keep them. Not for sets of
            labels, nor where a data set holds the answers. Defaults to `None`, nothing is known.
        weights: Float, or sequence of floats. The weight to use, or those to choose among, ascending; the lowest is
            what the others are compared with. Not for sets of labels. Defaults to `None`: 0, 3 and 10, or 0.5 where
            most items have one answer.
        conn_types: String, or sequence of strings. For sets of labels: the connection of `CrowdsMultiLabel` to use, or
            those to choose among. Defaults to `None`, all of them.
        optimizer: A Keras optimizer or its name; the annotators get one of the same kind, without weight decay.
            Defaults to `"adam"`.
        crowd_learning_rate: Learning rate of the annotators. Defaults to that of `optimizer`.
        epochs: Integer. Epochs of the last training. Defaults to 50, or as many as 1,000 steps take if that is more
            (`default_epochs`). With far fewer steps, the penalty acts on an untrained classifier.
        batch_size: Integer. Items in a batch; several times the number of classes. Defaults to 64; a data set has its
            own.
        from_logits: Boolean. Whether the classifier gives logits. Defaults to `False`.
        num_replicas: Integer, at least 2. Replicas of each weight or connection that is tried. Defaults to 4.
        fraction: Float between 0 and 1. Fraction of the answers held out from each replica. Defaults to 0.15.
        seed: Integer. Seed of the held-out answers and of the order of the items; call `keras.utils.set_random_seed`
            for everything else. Defaults to 0.
        callbacks: Keras callbacks for the last training, which see its weights before they are averaged. Defaults to
            `()`.
        backup_dir: Folder for backups. After an interruption, the same call continues from there, with the weights of
            the first call, and ends as if there had been no interruption (see `EMTrainer.fit`); with a data set that
            shuffles, up to the order of the remaining epochs. Its files are deleted when training ends. Defaults to
            `None`, no backup.
        verbose: Integer. 0 shows nothing, 1 the number of trainings and steps and a progress bar with the time left, 2
            also every epoch of the last training. Defaults to 1.

    Returns:
        `CrowdFit`: the trained classifier, the crowd layer and the model of both, labels and their posterior, a table
        of the annotators, and the weight or the connection and how it was chosen.

    Raises:
        ValueError: When the data do not fit the classifier (`validate`), or an argument is out of range.

    Example:

    >>> fit = keras_crowd.fit_crowd(
    ...     classifier, x, answers, weights=1.0, epochs=2, verbose=0)
    >>> fit.weight
    1.0
    >>> fit.classifier.predict(x, verbose=0).shape
    (20, 10)

    Reference:
        S. Ibrahim, T. Nguyen, X. Fu, "Deep learning from crowdsourced labels: coupled cross-entropy
        minimization, identifiability, and regularization", ICLR 2023, GeoCrowdNet(F).
    """
    _check(x, crowd_learning_rate, epochs, batch_size, from_logits)
    choosing = {
        "num_replicas": whole_number("num_replicas", num_replicas, low=2),
        "fraction": fraction,
        "seed": seed,
    }
    check_gold(gold, answers)
    values = settings_of(answers, weights, conn_types)
    check_choice([0.0], num_replicas, fraction, seed)
    network, features, annotations = _given(
        classifier, x, answers, from_logits, batch_size or BATCH_SIZE, seed
    )
    if epochs is None:
        epochs = default_epochs(annotations.num_items, features.batch_size)
    known = gold_of(gold, annotations)
    choice = choice_of(
        values, network, features, annotations, epochs, from_logits, known, by_default=weights is None
    )
    choice.compile(optimizer, crowd_learning_rate)
    settings = {choice.argument: values, "crowd_learning_rate": crowd_learning_rate}
    given = {} if backup_dir is None else {**choice.training.given(annotations), **settings, **choosing}
    *starts, trained = _backups(backup_dir, given, len(choice.trainings))
    for training, start in zip(choice.trainings, starts, strict=True):
        training.start_from(start)
    replicas = choice.most_replicas(num_replicas)
    choice.progress = FitProgress(replicas, -(-epochs // 2), epochs, len(features), verbose)
    interrupted = False
    try:
        if replicas:
            choice.choose(backup_dir=backup_dir, given=given, **choosing)
        choice.train_on_all(callbacks, verbose, trained)
    except KeyboardInterrupt:
        interrupted = True
        _warn_of_interruption(choice.take_what_there_is(), backup_dir)
    choice.training.put_classes_back(annotations)
    for backup in (trained, *(Backup.within(backup_dir, name) for name in choice.files), *starts):
        if not interrupted:
            backup.delete()
    return choice.result(classifier, interrupted)


def default_epochs(num_items: int, batch_size: int = BATCH_SIZE) -> int:
    """Epochs that `fit_crowd` trains for: 50, or more for few items, so that there are 1,000 steps.

    Example:

    >>> default_epochs(10_000), default_epochs(700)
    (50, 91)
    """
    return max(50, math.ceil(1000 / math.ceil(num_items / batch_size)))


def _backups(
    folder: str | os.PathLike[str] | None, given: dict[str, Any], num_trainings: int
) -> list[Backup]:
    """Returns the backups of the start of each training, and of the last training."""
    starts = [f"start_{i}.npz" if i else "start.npz" for i in range(num_trainings)]
    return [Backup.within(folder, name, given) for name in (*starts, "training.npz")]


def _warn_of_interruption(state: str, backup_dir: str | os.PathLike[str] | None) -> None:
    further = "" if backup_dir is None else ". The same call goes on from where it was interrupted"
    warnings.warn(f"`fit_crowd` was interrupted. The classifier is {state}{further}.", stacklevel=3)


def _num_classes(classifier: keras.Model, answers: Answers) -> int | None:
    """Returns the number of classes of the classifier, for an array of answers, which may lack the last class."""
    outputs = getattr(classifier, "outputs", None)
    if not outputs or isinstance(answers, Annotations):
        return None
    return 2 if outputs[0].shape[-1] == 1 else outputs[0].shape[-1]


def _check(
    x: Features,
    crowd_learning_rate: LearningRate | None,
    epochs: int | None,
    batch_size: int | None,
    from_logits: bool,
) -> None:
    """Refuses arguments that are out of range."""
    flag("from_logits", from_logits)
    if epochs is not None:
        whole_number("epochs", epochs)
    if batch_size is not None:
        whole_number("batch_size", batch_size)
        if is_data_set(x):
            raise ValueError(
                "`batch_size` must be left out where `x` is a data set, which has its own batches. "
                f"Received: batch_size={batch_size}"
            )
    schedule = isinstance(crowd_learning_rate, keras.optimizers.schedules.LearningRateSchedule)
    if crowd_learning_rate is not None and not schedule:
        number("crowd_learning_rate", crowd_learning_rate, at_least=0)


def _given(
    classifier: keras.Model,
    x: Features,
    answers: Answers | None,
    from_logits: bool,
    batch_size: int,
    seed: int,
) -> tuple[keras.Model, Arrays | Batches, Annotations]:
    """The classifier as a functional model of class probabilities, or logits; features as it takes them; answers."""
    given = _annotations(classifier, answers)
    features: Arrays | Batches
    if is_data_set(x):
        prepare, inputs = functools.partial(prepared, classifier), getattr(classifier, "inputs", None)
        features = Batches(x, given is not None, prepare, len(inputs) if inputs else None)
    else:
        x = keras.tree.map_structure(lambda part: rows_by_id("x", part, given), x)
        features = Arrays(prepared(classifier, x), batch_size, seed)
    few = keras.tree.map_structure(lambda part: part[:8], features.few)
    kind = "probabilities" if given is None else given.kind.prediction_kind
    network = model_below(classifier, kind, from_logits, few)
    warn_of_own_training(classifier, "`fit_crowd`")
    annotations = features.read(given, network.outputs[0].shape[-1])
    _check_classifier(network, annotations)
    return network, features, annotations


def _annotations(classifier: keras.Model, answers: Answers | None) -> Annotations | None:
    if answers is None:
        return None
    refuse_preferences(answers)
    if are_sets(answers):
        return as_label_sets(answers)
    return as_annotations(answers, _num_classes(classifier, answers))


def _check_classifier(classifier: keras.Model, annotations: Annotations) -> None:
    shape = tuple(classifier.outputs[0].shape)
    if shape[1:] != (annotations.num_classes,):
        one, several = (
            ("label", "labels") if are_sets(annotations) else ("class", "classes (codes start at 0)")
        )
        raise ValueError(
            f"`classifier` must have the output shape (batch, {annotations.num_classes}), one number per {one}: the "
            f"answers have {annotations.num_classes} {several}. Received: {shape}"
        )


def __dir__() -> list[str]:
    return ["CrowdFit", "default_epochs", "fit_crowd"]
