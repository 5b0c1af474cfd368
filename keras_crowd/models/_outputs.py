"""Checks of a classifier's outputs on a few items, before anything is trained."""

import keras
import numpy as np
from keras import ops as kops

from .._typing import Tensors
from ._functional import last_activation

_FEW = 8


def outputs_of_few(model: keras.Model, inputs: Tensors) -> np.ndarray:
    """The model's output for the first items, in NumPy."""
    few = keras.tree.map_structure(lambda array: array[:_FEW], inputs)
    return np.asarray(kops.convert_to_numpy(model(few, training=False)), float)


def check_outputs(f: np.ndarray, from_logits: bool) -> None:
    """Whether outputs are class probabilities, or with `from_logits` are not."""
    if f.shape[-1] == 1:
        if from_logits:  # numbers between 0 and 1 are logits as well as others
            return
        f = np.concatenate([1 - f, f], axis=-1)
    if not _are_probabilities(f) and not from_logits:
        raise ValueError(
            "The classifier must give class probabilities; for one that gives logits, say `from_logits=True` "
            "(to the crowd layer, to `EMTrainer` or to `fit_crowd`). "
            f"Received: outputs from {f.min():.3g} to {f.max():.3g}"
        )
    if _are_probabilities(f) and from_logits:
        raise ValueError(
            "With `from_logits=True` the classifier must give logits. Received: probabilities, which a softmax "
            "gives; leave `from_logits` out, or the softmax"
        )


def check_label_outputs(model: keras.Model, f: np.ndarray, from_logits: bool) -> None:
    """Whether outputs are probabilities of labels, each by itself, or with `from_logits` are their logits."""
    activation = last_activation(model)
    if from_logits and activation is keras.activations.sigmoid:
        raise ValueError(
            "With `from_logits=True` the classifier must give logits of labels. Received: a last layer with "
            "activation 'sigmoid'; leave `from_logits` out, or the sigmoid"
        )
    if from_logits:
        return
    if not np.all((f >= 0) & (f <= 1)):
        raise ValueError(
            "The classifier must give a probability of each label, as sigmoids do; for one that gives logits, say "
            "`from_logits=True` (to `CrowdsMultiLabel` or to `EMTrainer`). "
            f"Received: outputs from {f.min():.3g} to {f.max():.3g}"
        )
    if activation is keras.activations.softmax:
        raise ValueError(
            "The classifier must give the probability of each label by itself, as sigmoids do, for sets of labels. "
            "Received: a last layer with activation 'softmax', whose probabilities sum to 1"
        )


def check_scores(f: np.ndarray) -> None:
    """Whether outputs can be the scores of a chain."""
    if _are_probabilities(f):
        raise ValueError(
            "`encoder` must give scores of any size. Received: probabilities, which a softmax gives; leave it out"
        )


def _are_probabilities(f: np.ndarray) -> bool:
    return bool(np.all(f >= 0) and np.allclose(f.sum(axis=-1), 1, atol=0.05))
