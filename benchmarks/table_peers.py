"""Methods of other papers in `benchmarks/table.py` that are not a crowd layer with the usual loss."""

import types

import keras
import numpy as np
from quality import BATCH_SIZE, LEARNING_RATE
from table_training import fit, fit_labels, probabilities
from zoo_methods import vote

import keras_crowd as kc

FOLDS = 3


def crowdlab(classifier, task, seed, epochs):
    """CROWDLAB's labels from networks that were trained on the votes of the other items, then the network on them."""
    votes, fold = vote(task, seed), np.random.default_rng(seed).permutation(len(task.x_train)) % FOLDS
    f = np.empty((len(votes), task.num_classes))
    for part in range(FOLDS):
        copy, others = task.build(), fold != part
        fit_labels(copy, task.x_train[others], votes[others], epochs, seed)
        f[~others] = probabilities(copy, task.x_train[~others])
    found = kc.aggregation.crowdlab(task.annotations, f).labels
    fit_labels(classifier, task.x_train, found, epochs, seed)
    return found


def mix_up(classifier, task, seed, epochs, alpha, form="slots"):
    """CM, adapted, on mixed items; of mixed answers (Annot-Mix) a batch is larger, so that there are as many steps."""
    crowd = kc.layers.CrowdsClassification(task.annotations.num_annotators, "CM")
    crowd.adapt(task.annotations)
    model = kc.crowd_model(classifier, crowd, slots=True)
    answers = form == "answers"
    loss = kc.losses.MixedCrowdCrossEntropy() if answers else kc.losses.MaskedCrowdCrossEntropy()
    model.compile(keras.optimizers.Adam(LEARNING_RATE), loss)
    per_item = len(task.annotations) / len(task.x_train) if answers else 1
    size = round(BATCH_SIZE * per_item)
    mixed = kc.pipelines.MixUp(task.x_train, task.annotations, size, alpha=alpha, form=form, seed=seed)
    model.fit(mixed, epochs=epochs, verbose=0)
    return model


def max_mig(classifier, task, seed, epochs):
    """Labels of the training items are those of classifier and aggregator together, `f g / p`."""
    model = kc.models.MaxMIG(classifier, task.annotations.num_annotators, slots=True)
    model.adapt(task.annotations)
    model.compile(keras.optimizers.Adam(LEARNING_RATE))
    ids, answers = task.annotations.slots()
    fit(model, [task.x_train, ids], answers, epochs, seed)
    f, g = probabilities(classifier, task.x_train), model.aggregate(task.annotations)
    return f * g / keras.ops.convert_to_numpy(model.prior)


def doctor_net(classifier, task, seed, epochs):
    """A head per annotator in place of the last layer; their learned mean is what is measured."""
    encoder = keras.Model(classifier.inputs[0], classifier.layers[-1].input)
    model = kc.models.DoctorNet(encoder, task.annotations.num_annotators, task.num_classes)
    model.compile(keras.optimizers.Adam(LEARNING_RATE))
    fit(model, task.x_train, task.annotations.dense(), epochs, seed)
    return types.SimpleNamespace(classifier=model.classifier)


def union_net(classifier, task, seed, epochs):
    """MW below the loss of the union of an item's answers."""
    crowd = kc.layers.CrowdsClassification(task.annotations.num_annotators, "MW")
    model = kc.crowd_model(classifier, crowd)
    model.compile(keras.optimizers.Adam(LEARNING_RATE), kc.losses.UnionCrossEntropy())
    fit(model, task.x_train, task.annotations.dense(), epochs, seed)
