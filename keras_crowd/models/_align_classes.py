"""`align_classes`: gives classes that were learned under another's name their own."""

from collections.abc import Iterator

import keras
import numpy as np

from .._typing import Features, Tensors
from ..annotations import Annotations, Answers, rows_by_id
from ..evaluation import classifier_alignment
from ..ops import class_probabilities
from ._strip import below, classifier_inputs, crowd_layer


def align_classes(model: keras.Model, x: Features, answers: Answers) -> np.ndarray:
    """Renames the classifier's classes, in place, so that they agree best with the answers.

    A classifier and annotators whose hidden classes are in another order explain the answers equally well, and training
    may end there. A class is identified by the name that annotators give it most often:
    `evaluation.classifier_alignment` finds one permutation for all, and the last layer of the classifier and the rows
    of the confusions are permuted. Predicted answers stay the same. Call it after training, because the moments of the
    optimizer are not permuted.

    Args:
        model: A trained Sequential or functional model with one crowd layer of `conn_type` `"MW"` or
            `"CM"`. The classifier's last layer with weights must be a `Dense` over the classes; what
            comes after it must treat classes alike, as a softmax does.
        x: The features exactly as for `model.fit`, with the annotators' ids where the model takes slots.
        answers: The answers exactly as for `model.fit`, integers with `-1` for missing, or soft answers;
            or `Annotations`.

    Returns:
        int64 `(classes,)`: class `k` is now what was class `permutation[k]` of the classifier. Where no
        permutation is clearly better than leaving things as they are, it is that, and nothing changes.

    Raises:
        ValueError: When the model is not of this kind, or `x` and `answers` do not fit each other.
        ImportError: Without SciPy.

    Example:

    >>> history = model.fit(x, answers, verbose=0)
    >>> permutation = keras_crowd.align_classes(model, x, answers)
    """
    crowd = crowd_layer(model)
    classifier = below(model, crowd)
    if not crowd.permutable:
        raise ValueError(
            '`model` must have a crowd layer of conn_type "MW" or "CM": the parameters of the others are '
            "those of a true class and the answer of its name at once, so the classes cannot be renamed. "
            f"Received: conn_type={getattr(crowd, 'conn_type', type(crowd).__name__)!r}"
        )
    _last_dense(classifier, crowd.num_classes)
    if isinstance(answers, Annotations):
        x = keras.tree.map_structure(lambda part: rows_by_id("x", part, answers), x)
    output = classifier.predict(classifier_inputs(model, classifier, x), verbose=0)
    permutation = _permutation(class_probabilities(output, crowd.from_logits), answers)
    if np.any(permutation != np.arange(len(permutation))):
        permute_classes(model, permutation, x)
    return permutation


def permute_classes(model: keras.Model, permutation: np.ndarray, x: Features) -> None:
    """Makes class `k` what was class `permutation[k]`; some features show whether that can be done."""
    crowd = crowd_layer(model)
    classifier = below(model, crowd)
    inputs = classifier_inputs(model, classifier, x)
    output = classifier.predict(inputs, verbose=0)
    _permute_classifier(classifier, _last_dense(classifier, crowd.num_classes), permutation, inputs, output)
    crowd.permute_classes(permutation)


def _permutation(f: np.ndarray, answers: Answers) -> np.ndarray:
    """Returns the order of the classes that fits the answers, of items or of all tokens of sequences alike."""
    if not isinstance(answers, Annotations):
        answers = np.asarray(answers)
        soft = answers.ndim == f.ndim + 1 and answers.shape[-1] == f.shape[-1]
        if answers.ndim != f.ndim + soft or answers.shape[: f.ndim - 1] != f.shape[:-1]:
            raise ValueError(
                f"`answers` must have shape {(*f.shape[:-1], 'annotators or slots')}, or soft answers that of the "
                f"classes as well. Received: shape {answers.shape}"
            )
        answers = answers.reshape(-1, *answers.shape[f.ndim - 1 :])
    return classifier_alignment(f.reshape(-1, f.shape[-1]), answers)


def _permute_classifier(
    classifier: keras.Model,
    dense: keras.layers.Dense,
    permutation: np.ndarray,
    inputs: Tensors,
    output: np.ndarray,
) -> None:
    """Permutes the outputs of `dense`; takes it back where that is not to permute the classifier's."""
    weights = dense.get_weights()
    if dense.units == 1:  # the logit of class 1 against class 0
        dense.set_weights([-w for w in weights])
    else:
        dense.set_weights(
            [w[..., permutation] if w.shape[-1:] == permutation.shape else w for w in weights]
        )
    permuted = classifier.predict(inputs, verbose=0)
    if not np.allclose(permuted, output[..., permutation], rtol=1e-3, atol=1e-3):
        dense.set_weights(weights)
        raise ValueError(
            f"What comes after layer {dense.name!r} must treat classes alike, but permuting that layer does "
            "not permute the classifier's output. Permute it by hand, or end the classifier with a `Dense` "
            f"over the classes and a softmax. Received: layers {[o.name for o in classifier.operations]}"
        )


def _last_dense(classifier: keras.Model, num_classes: int) -> keras.layers.Dense:
    """The last layer with weights, which must be a `Dense` over the classes."""
    layers = (layer for layer in _backwards(classifier) if getattr(layer, "weights", []))
    last = next(layers, None)
    units = {num_classes, 1} if num_classes == 2 else {num_classes}
    if not isinstance(last, keras.layers.Dense) or last.units not in units:
        received = "no such layer" if last is None else f"{type(last).__name__} {last.name!r}"
        raise ValueError(
            f"The classifier's last layer with weights must be a `Dense` of {num_classes} units, for it to "
            "be permuted. Put one before the softmax, or permute the classes of your predictions with what "
            f"`evaluation.classifier_alignment` gives. Received: {received}"
        )
    return last


def _backwards(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """The layers of a model from its output on, those of models within it in their place."""
    for layer in reversed(model.layers):
        if isinstance(layer, keras.Model):
            yield from _backwards(layer)
        else:
            yield layer
