"""The model that expectation maximization trains: the classifier, built, or a KerasHub task without preprocessor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import keras
import numpy as np
import numpy.typing as npt
from keras import ops as kops

from .._typing import Features, Loss, Shape
from ..models import (
    as_functional,
    check_binary_head,
    check_one_output,
    check_strings_work,
    give_input,
    is_symbolic,
    is_task,
    one_epoch,
    prepared,
)
from ._features import is_batches


class _PreparedBatches:
    """Batches `(features, items)`, the features as the task's preprocessor gives them."""

    def __init__(self, task: keras.Model, batches: Iterable[tuple[Features, npt.ArrayLike]]) -> None:
        self.task, self.batches = task, batches

    def __iter__(self) -> Iterator[tuple[Features, npt.ArrayLike]]:
        for features, items in one_epoch(self.batches):
            yield prepared(self.task, features), items


class Network:
    """The model that is trained, and what it gives.

    Args:
        model: A Keras model.
        output_shape: Shape of its output, `(None, classes)` or so; `()` where it has several.
        from_logits: Boolean. Whether it gives logits. Defaults to `False`.
    """

    def __init__(self, model: keras.Model, output_shape: Shape, from_logits: bool = False) -> None:
        self.model = model
        self.output_shape = tuple(output_shape)
        self.from_logits = from_logits

    @property
    def has_one_unit(self) -> bool:
        """Whether there is one number for each item (or token)."""
        return self.output_shape[-1:] == (1,)

    def check_two_classes(self) -> None:
        """Refuses one output that cannot be the probability of class 1 of two."""
        try:
            check_binary_head(self.model, self.from_logits)
        except ValueError as error:
            raise ValueError(
                f"{error}. For a regressor the answers must be floats, NaN for missing, or `Annotations` of numbers"
            ) from error
        loss = name_of_loss(self.model.loss if self.model.compiled else None)
        if "categorical" in loss.lower():
            raise ValueError(
                "`classifier` of one output for two classes must be compiled with a loss for it, as "
                f'"binary_crossentropy". Received: loss={loss!r}'
            )

    def compile(self, default_loss: Loss) -> None:
        """Compiles the model, if it is not, or lacks the loss."""
        if not self.model.compiled:
            self.model.compile("adam", default_loss)
        elif self.model.loss is None and default_loss is not None:
            self.model.compile(self.model.optimizer, default_loss)


def network_for(classifier: keras.Model, x: Features, from_logits: bool) -> tuple[Network, Features]:
    """The network to train, and the features as it takes them."""
    check_strings_work(classifier)
    check_one_output(classifier)
    batches = is_batches(x)
    if is_task(classifier):
        x = _PreparedBatches(classifier, x) if batches else prepared(classifier, x)
        model = as_functional(classifier)
        if classifier.compiled:
            model.compile(classifier.optimizer, None if is_sparse(classifier.loss) else classifier.loss)
        return Network(model, model.outputs[0].shape, from_logits), x
    x = x if batches else prepared(classifier, x)
    if is_symbolic(classifier):
        return Network(classifier, classifier.outputs[0].shape, from_logits), x
    some = next(iter(x))[0] if batches else keras.tree.map_structure(lambda part: part[:8], x)
    some = keras.tree.map_structure(lambda part: np.asarray(kops.convert_to_numpy(part)), some)
    return Network(classifier, _output_shape(classifier, some), from_logits), x


def _output_shape(classifier: keras.Model, x: Features) -> Shape:
    """The shape of what the classifier gives for some features; `()` where that is no tensor."""
    if isinstance(classifier, keras.Sequential):
        give_input(classifier, x)
    try:
        output = classifier(x)
    except Exception as error:
        raise ValueError(
            f"`classifier` must be callable on the features. Received: {type(classifier).__name__} "
            f"{classifier.name!r}, {type(error).__name__}: {error}"
        ) from error
    return (None, *output.shape[1:]) if hasattr(output, "shape") else ()


def check_loss(classifier: keras.Model, from_logits: bool) -> None:
    """Refuses a classifier that was compiled with a loss which is not for distributions, or contradicts."""
    loss = classifier.loss if classifier.compiled else None
    if is_sparse(loss):
        if is_task(classifier):  # the loss that it is made with
            return
        raise ValueError(
            "`classifier` must be compiled with a loss that takes distributions over the classes, as "
            f'"categorical_crossentropy" does. Received: loss={name_of_loss(loss)!r}'
        )
    if getattr(loss, "from_logits", from_logits) != from_logits:
        raise ValueError(
            "`from_logits` must be that of the loss which the classifier was compiled with. "
            f"Received: from_logits={from_logits}, a loss with from_logits={not from_logits}"
        )


def is_sparse(loss: Loss) -> bool:
    """Whether a loss takes class codes and no distributions."""
    return "sparse" in name_of_loss(loss).lower()


def name_of_loss(loss: Loss) -> str:
    """Returns the name of a loss, given as a name, a function or an object."""
    return loss if isinstance(loss, str) else str(getattr(loss, "name", getattr(loss, "__name__", "")))
