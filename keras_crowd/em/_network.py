"""The model that expectation maximization trains: the classifier, built, or a KerasHub task without preprocessor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops as kops

from ..annotations import kind_given
from ..models import (
    HiddenCRF,
    as_functional,
    check_binary_head,
    check_one_output,
    check_strings_work,
    give_input,
    is_symbolic,
    is_task,
    prepared,
)
from ._features import is_batches


class _PreparedBatches:
    """Batches `(features, items)`, the features as the task's preprocessor gives them."""

    def __init__(self, task: Any, batches: Any) -> None:
        self.task, self.batches = task, batches

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        for features, items in self.batches:
            yield prepared(self.task, features), items


def network_for(classifier: Any, x: Any) -> tuple[keras.Model, tuple[int | None, ...], Any]:
    """The model to train, the shape of its output, and the features as it takes them."""
    if isinstance(classifier, HiddenCRF):
        return classifier, (), x
    check_strings_work(classifier)
    check_one_output(classifier)
    batches = is_batches(x)
    if is_task(classifier):
        x = _PreparedBatches(classifier, x) if batches else prepared(classifier, x)
        network = as_functional(classifier)
        if classifier.compiled:
            network.compile(classifier.optimizer, None if is_sparse(classifier.loss) else classifier.loss)
        return network, tuple(network.outputs[0].shape), x
    x = x if batches else prepared(classifier, x)
    if is_symbolic(classifier):
        return classifier, tuple(classifier.outputs[0].shape), x
    some = next(iter(x))[0] if batches else keras.tree.map_structure(lambda part: part[:8], x)
    some = keras.tree.map_structure(lambda part: np.asarray(kops.convert_to_numpy(part)), some)
    if isinstance(classifier, keras.Sequential):
        give_input(classifier, some)
    try:
        output = classifier(some)
    except Exception as error:
        raise ValueError(
            f"`classifier` must be callable on the features. Received: {type(classifier).__name__} "
            f"{classifier.name!r}, {type(error).__name__}: {error}"
        ) from error
    if not hasattr(output, "shape"):
        raise ValueError(
            "`classifier` must be a model of one output. "
            f"Received: {type(classifier).__name__} that gives {type(output).__name__}"
        )
    return classifier, (None, *output.shape[1:]), x


def of_two_classes(network: Any, answers: Any, from_logits: bool) -> bool:
    """Whether a head of one unit is asked for one class of two, as the answers say, and not for numbers."""
    if not kind_given(answers).has_classes:
        return False
    try:
        check_binary_head(network, from_logits)
    except ValueError as error:
        raise ValueError(
            f"{error}. For a regressor the answers must be floats, NaN for missing, or `Annotations` of numbers"
        ) from error
    if "categorical" in str(name_of_loss(network.loss if network.compiled else None)).lower():
        raise ValueError(
            "`classifier` of one output for two classes must be compiled with a loss for it, as "
            f'"binary_crossentropy". Received: loss={name_of_loss(network.loss)!r}'
        )
    return True


def is_sparse(loss: Any) -> bool:
    """Whether a loss takes class codes and no distributions."""
    return "sparse" in str(name_of_loss(loss)).lower()


def name_of_loss(loss: Any) -> Any:
    """What a loss is called, given as a name, a function or an object."""
    return loss if isinstance(loss, str) else getattr(loss, "name", getattr(loss, "__name__", ""))
