"""`validate`: checks at the door of `fit`."""

import functools
from typing import Any

import keras
import numpy as np

from .._arguments import finite_features, one_row_an_item
from .._typing import Features
from ..annotations import Annotations, Answers, LabelSets, are_sets
from ..layers import CrowdLayer
from ._compiled import check_compiled, check_likelihood_compiled, of_output
from ._dtypes import check_dtype
from ._functional import check_strings_work, give_input, is_symbolic
from ._given import as_given, is_data_set
from ._hidden_crf import HiddenCRF
from ._joint_crowd_model import JointCrowdModel
from ._outputs import check_label_outputs, check_outputs, check_scores, outputs_of_few
from ._slots import annotators_of, features_of
from ._strip import annotators_of_slots, below, classifier_inputs, crowd_layer, match_inputs


def validate(
    model: keras.Model,
    x: Features,
    answers: Answers | None = None,
    *,
    layer: str | keras.layers.Layer | None = None,
) -> None:
    """Checks what you are about to `fit` on, before anything is trained.

    Keras itself trains on anything of the right shape. `validate` reads the data once, on the CPU, and runs the
    classifier on a few items. A Sequential model without an `Input` is built with one of the features' dtype.

    Args:
        model: A model with a crowd layer, built or Sequential; or a `JointCrowdModel` or `HiddenCRF`.
        x: The features exactly as for `model.fit`, with the annotators' ids where the model takes slots; or a data
            set of batches (`tf.data.Dataset`, `keras.utils.PyDataset`, a PyTorch `DataLoader`) as for `model.fit`.
        answers: The answers exactly as for `model.fit`, of a model of several outputs a list or dict with those for
            each output; or `Annotations`, and then `x` without ids; `model.fit` itself takes
            `annotations.dense()`, or the ids and answers of `annotations.slots()`. Leave it out with a data set.
            Defaults to `None`.
        layer: The crowd layer that `answers` are for, or its name, where the model has several; call `validate` for
            each. Defaults to the only one.

    Raises:
        ValueError: When lengths or shapes disagree; a feature is `NaN` or infinite, or its dtype is not kept (token
            ids cast to floats, strings); the classifier gives no
            probabilities, or no logits where these are expected (an encoder: probabilities, and no scores); the
            model was compiled with one of Keras's own losses or metrics, or with ones for other answers; an
            answer is no class code (out of range, or not whole), or no finite float below `CrowdsRegression`; an
            annotator id is out of range; an answer stands in an empty slot; an annotator stands twice in the
            slots of an item; or no item has any answer. An item without answers is allowed: it has no weight.

    Example:

    >>> keras_crowd.validate(model, x, answers)
    >>> history = model.fit(x, answers, verbose=0)
    """
    if isinstance(model, HiddenCRF | JointCrowdModel):
        check_likelihood_compiled(model)
        crowd = model.crowd
        check, on_slots = functools.partial(_check_likelihood, model), model.slots
    else:
        if isinstance(model, keras.Sequential) and not is_symbolic(model) and not is_data_set(x):
            give_input(model, x)
        crowd = crowd_layer(model, layer=layer)
        check_strings_work(model)
        check_compiled(model, crowd)
        check, on_slots = (
            functools.partial(_check_crowd, model, crowd),
            annotators_of_slots(crowd, model) is not None,
        )
    _check_sets(crowd, answers)
    if not any([check(*given) for given in as_given(on_slots, x, answers)]):
        raise ValueError("`answers` must hold at least one answer. Received: all missing")


def _check_sets(crowd: CrowdLayer, answers: Answers | None) -> None:
    """Refuses annotations of one class each where sets of labels are trained on, and the other way round."""
    if not isinstance(answers, Annotations):
        return
    wants = isinstance(crowd.answer_kind, LabelSets)
    if wants != are_sets(answers):
        raise ValueError(
            f"`answers` must be {'sets of labels' if wants else 'one class or number each'}, for "
            f"{type(crowd).__name__}. Received: {answers!r}"
        )


def _check_crowd(model: keras.Model, crowd: CrowdLayer, x: Features, answers: Answers) -> bool:
    """Checks features and answers; whether there is any answer."""
    answers = _as_answers(of_output(model, crowd, answers))
    tensors, arrays = model.inputs, match_inputs(model, x)
    one_row_an_item(arrays, len(answers), " (transposed?)" if len(answers) == crowd.num_annotators else "")
    slots = annotators_of_slots(crowd, model)
    annotators = next((a for t, a in zip(tensors, arrays, strict=True) if t is slots), None)
    for tensor, array in zip(tensors, arrays, strict=True):
        if array is not annotators:
            check_dtype(model, tensor, array)
        _check_features(tensor, array)
    width = crowd.num_annotators if annotators is None else annotators.shape[-1]
    observed = crowd.answer_kind.check_table(answers, (*_axes(model, crowd, x), width))
    if annotators is not None:
        _check_annotators(annotators, observed, crowd.num_annotators)
    return bool(observed.any())


def _axes(model: keras.Model, crowd: CrowdLayer, x: Features) -> tuple[Any, ...]:
    """Axes of the answers between items and annotators; checks what reaches a layer of classes."""
    if crowd.prediction_kind == "numbers":
        return crowd.predictions_shape[1:-1]
    classifier = below(model, crowd)
    f = outputs_of_few(classifier, classifier_inputs(model, classifier, x))
    _check_predictions(classifier, f, crowd)
    return f.shape[1:-1]


def _check_predictions(classifier: keras.Model, f: np.ndarray, crowd: CrowdLayer) -> None:
    if crowd.prediction_kind == "labels":
        check_label_outputs(classifier, f, crowd.from_logits)
    else:
        check_outputs(f, crowd.from_logits)


def _as_answers(answers: Answers) -> np.ndarray:
    array = np.asarray(answers)
    if array.ndim == 0 or array.dtype.kind not in "iuf":
        raise ValueError(
            "`answers` must be an array of numbers, as `annotations.dense()` or `slots()` gives. "
            f"Received: {type(answers).__name__}" + (f" of dtype {array.dtype}" if array.ndim else "")
        )
    return array


def _check_features(tensor: keras.KerasTensor, array: np.ndarray) -> None:
    sizes = zip(array.shape, tensor.shape, strict=False)
    if array.ndim != len(tensor.shape) or any(j not in (None, i) for i, j in sizes):
        raise ValueError(
            f"Input {tensor.name!r} must have shape {tuple(tensor.shape)}. Received: shape {array.shape}"
        )
    finite_features(f"input {tensor.name!r}", array)


def _check_likelihood(model: HiddenCRF | JointCrowdModel, x: Features, answers: Answers) -> bool:
    """The same of a model that takes answers, and maybe gold, into its own loss."""
    gold = None
    if isinstance(answers, list | tuple) and len(answers) == 2:
        answers, gold = answers
    answers, crowd = _as_answers(answers), model.crowd
    one_row_an_item([np.asarray(array) for array in keras.tree.flatten(x)], len(answers))
    features, annotators = features_of(x, model.slots), annotators_of(x, model.slots)
    for i, array in enumerate(keras.tree.flatten(features)):
        finite_features(f"array {i} of `x`", np.asarray(array))
    network = model.encoder if isinstance(model, HiddenCRF) else model.classifier
    for tensor, array in zip(network.inputs, match_inputs(network, features), strict=True):
        check_dtype(network, tensor, array)
    f = outputs_of_few(network, features)
    if isinstance(model, HiddenCRF):
        check_scores(f)
    else:
        _check_predictions(network, f, crowd)
    width = crowd.num_annotators if annotators is None else np.shape(annotators)[-1]
    observed = crowd.answer_kind.check_table(answers, (*f.shape[1:-1], width))
    if annotators is not None:
        _check_annotators(np.asarray(annotators), observed, crowd.num_annotators)
    if gold is not None and np.any(np.asarray(gold) >= 0):
        axis = -1 - len(crowd.answer_kind.shape)
        crowd.answer_kind.check_table(np.expand_dims(gold, axis), (*f.shape[1:-1], 1))
    return bool(observed.any())


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
