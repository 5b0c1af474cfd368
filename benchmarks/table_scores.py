"""What `benchmarks/table.py` chooses a setting by, and what it says of a trained classifier."""

import keras
import numpy as np
from table_training import probabilities

import keras_crowd as kc


def crowd_of(found):
    """The crowd layer of what a method gave, or `None`."""
    if (crowd := getattr(found, "crowd", None)) is not None:
        return crowd
    layers = getattr(found, "layers", ())
    return next((layer for layer in layers if isinstance(layer, kc.layers.CrowdLayer)), None)


def has_confusions(found):
    crowd = crowd_of(found)
    return crowd is not None and hasattr(crowd, "confusion")


def choose(method, task, seed, epochs, fraction):
    """The setting that predicts held-out answers best, and the nats of all."""
    if len(method.settings) == 1:
        return method.settings[0], []
    kept, held_out = task.annotations.split(fraction, seed=seed)
    nats = []
    for setting in method.settings:
        keras.utils.set_random_seed(seed)
        classifier = task.build()
        found = method.train(classifier, task._replace(annotations=kept), seed, epochs, **setting)
        nats.append(held_out_nats(found, classifier, task.x_train, kept, held_out))
        keras.utils.clear_session()
    return method.settings[int(np.nanargmin(nats))], [round(value, 4) for value in nats]


def held_out_nats(found, classifier, x, kept, held_out):
    """Mean cross-entropy of held-out answers: given the other answers, where each annotator has one confusion."""
    if has_confusions(found) and not crowd_of(found).takes_features:
        f, confusion = probabilities(classifier, x), crowd_of(found).confusion()
        return float(kc.aggregation.held_out_cross_entropy(held_out, kept, f, confusion).mean())
    if not isinstance(found, keras.Model):
        raise ValueError(
            "A method with several settings must give a model of features and slots, or a crowd layer. "
            f"Received: {found!r}"
        )
    ids, answers = held_out.slots()
    metric = kc.metrics.CrowdCrossEntropy()
    metric.update_state(answers, found.predict([x, ids], verbose=0))
    return float(metric.result())


def labels_of(found, task, classifier):
    """The most probable class of each training item, by all that the method knows."""
    posterior = getattr(found, "posterior", None)
    if isinstance(found, np.ndarray) or isinstance(posterior, np.ndarray):
        known = found if isinstance(found, np.ndarray) else posterior
        return known if known.ndim == 1 else known.argmax(axis=1)
    f = probabilities(classifier, task.x_train)
    if has_confusions(found):
        f = kc.aggregation.posterior(task.annotations, f, crowd_of(found).confusion())
    return f.argmax(axis=1)


def scores(task, classifier, found):
    """Accuracy, calibration, accuracy of the labels of the training items, and whether a class was lost."""
    f = probabilities(classifier, task.x_test)
    labels, used = labels_of(found, task, classifier), np.unique(task.annotations.answers)
    known = task.y_train >= 0
    return {
        "accuracy": float(100 * np.mean(f.argmax(axis=1) == task.y_test)),
        "ece": float(100 * kc.evaluation.calibration_error(task.y_test, f)),
        "labels": float(100 * np.mean(labels[known] == task.y_train[known])) if known.any() else None,
        "lost": len(np.setdiff1d(used, probabilities(classifier, task.x_train).argmax(axis=1))),
    }
