"""The methods of `benchmarks/table.py`. A new one is one line in `METHODS`, or a function in a file of your own.

A method is a function `train(classifier, task, seed, epochs, **setting)` that trains the classifier, a Keras model from
features to class probabilities, on `task.x_train` and `task.annotations`. It gives what it knows besides:

- a Keras model of `[features, ids of the slots]` that predicts answer logits, as `kc.crowd_model(..., slots=True)`
  does, or an object with the crowd layer as `crowd`;
- an object with `classifier`, where another one than the given is to be measured;
- labels `(items,)` or class probabilities `(items, classes)` of the training items;
- or `None`.

`settings` are the keyword arguments to choose among, at most three. They are chosen by the cross-entropy of answers
that are held out, so a method with several gives a model or a crowd layer.
"""

import functools
import importlib.util
import inspect
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import table_peers
import zoo_methods
from table_training import fit_answers, fit_labels
from zoo_methods import PAPERS_START, vote

import keras_crowd as kc

CROWD_RATES = tuple({"crowd_rate": rate} for rate in (1, 3, 10))
WEIGHTS = tuple({"weight": weight} for weight in (0.01, 0.1, 1.0))
ALPHAS = tuple({"alpha": alpha} for alpha in (0.2, 0.4, 1.0))


class Method(NamedTuple):
    """How a classifier is trained, and what is chosen among."""

    train: Callable
    settings: tuple = ({},)


def on_labels(labels):
    """The network on labels that were inferred from the answers alone."""

    def train(classifier, task, seed, epochs):
        found = labels(task, seed)
        fit_labels(classifier, task.x_train, found, epochs, seed)
        return found

    return Method(train)


def inferred(aggregate):
    return on_labels(lambda task, seed: aggregate(task.annotations).labels)


def crowd_layer(layer, settings=CROWD_RATES, adapted=False, model=kc.crowd_model):
    """A model on slots; `layer(num_annotators, num_classes, **setting)` makes what goes on top of the classifier."""

    def train(classifier, task, seed, epochs, crowd_rate=1, **setting):
        crowd = layer(task.annotations.num_annotators, task.num_classes, **setting)
        if adapted:
            crowd.adapt(task.annotations)
        return fit_answers(model(classifier, crowd, slots=True), task, epochs, seed, crowd_rate)

    return Method(train, settings)


def connection(conn_type, **kwargs):
    """A connection of `CrowdsClassification`, by its name or as an instance; unless adapted, from the paper's start."""

    def layer(num_annotators, num_classes):
        return kc.layers.CrowdsClassification(num_annotators, conn_type, kernel_initializer=PAPERS_START)

    return crowd_layer(layer, **kwargs)


def penalized(of, regularizer):
    """CM from the paper's start with a penalty whose weight is chosen; `of`: "classifier" or "confusion"."""

    def layer(num_annotators, num_classes, weight):
        return kc.layers.CrowdsClassification(
            num_annotators,
            kernel_initializer=PAPERS_START,
            **{f"{of}_regularizer": regularizer(weight)},
        )

    return crowd_layer(layer, WEIGHTS)


def fit_crowd(classifier, task, seed, epochs):
    """Chooses by itself, among three weights, by the agreement of replicas."""
    return kc.fit_crowd(classifier, task.x_train, task.annotations, epochs=epochs, seed=seed, verbose=0)


def with_auto_penalty(num_annotators, num_classes):
    return kc.layers.CrowdsClassification(num_annotators, "CM", classifier_regularizer="auto")


DAWID_SKENE = kc.aggregation.dawid_skene
GOLD, VOTE = "gold", "majority vote"
METHODS = {
    GOLD: on_labels(lambda task, seed: task.y_train),
    VOTE: on_labels(vote),
    "Dawid-Skene labels": inferred(functools.partial(DAWID_SKENE, confusion="full")),
    "hierarchical Dawid-Skene labels": inferred(DAWID_SKENE),
    "GLAD labels": inferred(kc.aggregation.glad),
    "MACE labels": inferred(kc.aggregation.mace),
    "EBCC labels": inferred(kc.aggregation.ebcc),
    "CROWDLAB labels": Method(table_peers.crowdlab),
    **{conn_type: connection(conn_type) for conn_type in ("MW", "VW", "VB", "VW+B", "CM")},
    "trace regularizer": penalized("confusion", kc.regularizers.ConfusionTrace),
    "GeoCrowdNet(F)": penalized("classifier", kc.regularizers.ClassifierLogDet),
    "GeoCrowdNet(W)": penalized("confusion", kc.regularizers.ConfusionLogDet),
    "CM, adapted": connection("CM", adapted=True),
    "CM, adapted, auto": crowd_layer(with_auto_penalty, adapted=True),
    **{
        f"{conn_type}, adapted": connection(conn_type, adapted=True)
        for conn_type in ("one_coin", "class_wise", "prototypes", *zoo_methods.ITEMS)
    },
    "joint": connection("CM", adapted=True, model=kc.models.JointCrowdModel),
    "EM": Method(zoo_methods.em),
    "EM, auto": Method(functools.partial(zoo_methods.em, answer_weight="auto")),
    "MBEM": Method(zoo_methods.mbem),
    "Max-MIG": Method(table_peers.max_mig),
    "DoctorNet": Method(table_peers.doctor_net),
    "UnionNet-B": Method(table_peers.union_net),
    "mixup": Method(table_peers.mix_up, ALPHAS),
    "Annot-Mix": Method(functools.partial(table_peers.mix_up, form="answers"), ALPHAS),
    "fit_crowd": Method(fit_crowd),
}


def methods_of(path):
    """The public functions of a Python file, each with its attribute `settings` where it has one."""
    path = pathlib.Path(path)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {
        name: Method(function, tuple(getattr(function, "settings", ({},))))
        for name, function in vars(module).items()
        if inspect.isfunction(function)
        and function.__module__ == module.__name__
        and not name.startswith("_")
    }


def all_methods(files=()):
    """Returns the methods above and those of the files, which may replace some."""
    return {**METHODS, **{name: method for file in files for name, method in methods_of(file).items()}}
