"""`validate`: checks at the door of `fit`."""

from typing import Any

import keras
import numpy as np

from .._arguments import one_row_an_item
from ..layers import CrowdsClassification, CrowdsRegression
from ._ratings import check_ratings
from ._strip import classifier_inputs, crowd_layer, inputs_of, match_inputs, strip


def validate(model: Any, x: Any, answers: Any) -> None:
    """Checks what you are about to `fit` on, before anything is trained.

    Keras itself trains on whatever has the right shape. This reads the data once, on the CPU, and runs the
    classifier on a few items.

    Args:
        model: A built model with a crowd layer.
        x: The features exactly as for `model.fit`, with the annotators' ids where the model takes slots.
        answers: The answers exactly as for `model.fit`.

    Raises:
        ValueError: When lengths or shapes disagree; a feature is `NaN` or infinite; the classifier gives no
            probabilities; the model was compiled with one of Keras's own losses by name; an answer is no
            class code (out of range, or not whole), or no finite float below `CrowdsRegression`; an annotator
            id is out of range; an answer stands in an empty slot; an annotator stands twice in the slots of
            an item; or no item has any answer. An item without answers is allowed: it has no weight.

    Example:

    >>> keras_crowd.validate(model, x, answers)
    >>> history = model.fit(x, answers)
    """
    crowd = crowd_layer(model)
    rating = isinstance(crowd, CrowdsRegression)
    if isinstance(getattr(model, "loss", None), str):
        loss = "MaskedCrowdMeanSquaredError" if rating else "MaskedCrowdCrossEntropy"
        raise ValueError(
            "`model` must be compiled with a loss for crowd answers, as "
            f"`keras_crowd.losses.{loss}()`. Received: loss={model.loss!r}"
        )
    tensors, arrays = model.inputs, match_inputs(model, x)
    answers = _as_answers(answers)
    one_row_an_item(arrays, len(answers), " (transposed?)" if len(answers) == crowd.num_annotators else "")
    slots = inputs_of(crowd)[1:]
    annotators = next((a for t, a in zip(tensors, arrays, strict=True) if slots and t is slots[0]), None)
    for tensor, array in zip(tensors, arrays, strict=True):
        _check_features(tensor, array)
    width = crowd.num_annotators if annotators is None else annotators.shape[-1]
    if rating:
        observed = check_ratings(answers, width, crowd)
    else:
        if isinstance(crowd, CrowdsClassification) and not crowd.from_logits:
            _check_probabilities(model, x)
        observed = _check_answers(answers, (*crowd.output.shape[1:-2], width), crowd.num_classes)
    if annotators is not None:
        _check_annotators(annotators, observed, crowd.num_annotators)


def _as_answers(answers: Any) -> np.ndarray:
    array = np.asarray(answers)
    if array.ndim == 0 or array.dtype.kind not in "iuf":
        raise ValueError(
            "`answers` must be an array of numbers, as `annotations.dense()` or `slots()` gives. "
            f"Received: {type(answers).__name__}" + (f" of dtype {array.dtype}" if array.ndim else "")
        )
    return array


def _check_features(tensor: Any, array: np.ndarray) -> None:
    sizes = zip(array.shape, tensor.shape, strict=False)
    if array.ndim != len(tensor.shape) or any(j not in (None, i) for i, j in sizes):
        raise ValueError(
            f"Input {tensor.name!r} must have shape {tuple(tensor.shape)}. Received: shape {array.shape}"
        )
    wrong = ~np.isfinite(array) if array.dtype.kind == "f" else np.zeros(array.shape, bool)
    if wrong.any():
        rows = np.flatnonzero(wrong.reshape(len(array), -1).any(axis=1))
        raise ValueError(
            f"Features must not be NaN or infinite. Received: such in {len(rows)} rows of input "
            f"{tensor.name!r}, the first at row {rows[0]}"
        )


def _check_probabilities(model: Any, x: Any) -> None:
    """Whether what reaches the crowd layer are probabilities, on the first items."""
    classifier = strip(model)
    few = keras.tree.map_structure(lambda array: array[:8], classifier_inputs(model, classifier, x))
    f = np.asarray(keras.ops.convert_to_numpy(classifier(few, training=False)), float)
    if not (np.all(f >= 0) and np.allclose(f.sum(axis=-1), 1, atol=0.05)):
        raise ValueError(
            "The classifier must give class probabilities; for one that gives logits, make the crowd layer "
            f"with `from_logits=True`. Received: outputs from {f.min():.3g} to {f.max():.3g}"
        )


def _check_answers(answers: np.ndarray, shape: tuple[Any, ...], num_classes: int) -> np.ndarray:
    """Where there is an answer, `(items, ..., annotators or slots)`."""
    soft = answers.ndim == len(shape) + 2
    expected = (len(answers), *shape, num_classes) if soft else (len(answers), *shape)
    known = [(i, j) for i, j in zip(answers.shape, expected, strict=False) if j is not None]
    if answers.ndim != len(expected) or any(i != j for i, j in known):
        raise ValueError(f"`answers` must have shape {expected}. Received: shape {answers.shape}")
    observed = np.any(answers > 0, axis=-1) if soft else answers >= 0
    if soft:
        wrong = ~np.isfinite(answers) | (answers < 0)
    else:
        wrong = observed & ((answers >= num_classes) | (answers != np.floor(answers)))
    if wrong.any():
        where = tuple(map(int, np.argwhere(wrong)[0]))
        raise ValueError(
            f"`answers` must be class codes 0 to {num_classes - 1}, negative for missing"
            + (", or shares of the classes. " if soft else ". ")
            + f"Received: {int(wrong.sum())} that are not, the first {answers[where]} at {where}"
        )
    if not observed.any():
        raise ValueError("`answers` must hold at least one answer. Received: all missing")
    return observed


def _check_annotators(annotators: np.ndarray, observed: np.ndarray, num_annotators: int) -> None:
    answered = observed.reshape(len(observed), -1, observed.shape[-1]).any(axis=1)
    if annotators.dtype.kind not in "iu" or np.any(annotators >= num_annotators):
        raise ValueError(
            f"Annotator ids must be integers below num_annotators={num_annotators}, negative for an empty "
            f"slot. Received: dtype {annotators.dtype}, highest id {annotators.max()}"
        )
    if np.any(answered & (annotators < 0)):
        row = int(np.argwhere(answered & (annotators < 0))[0, 0])
        raise ValueError(
            f"Every answer must have an annotator. Received: an empty slot's answer in row {row}"
        )
    ordered = np.sort(np.where(annotators < 0, -1 - np.arange(annotators.shape[1]), annotators), axis=1)
    repeated = np.argwhere(ordered[:, 1:] == ordered[:, :-1])
    if len(repeated):
        raise ValueError(
            "An annotator must answer an item at most once. "
            f"Received: annotator {ordered[tuple(repeated[0])]} twice in row {repeated[0, 0]}"
        )
