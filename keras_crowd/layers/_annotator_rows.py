"""What annotators know of each parameter: a row of numbers, of which a batch on slots needs a few."""

import math
from typing import Any

from keras import ops as kops

from .. import ops
from ._held_layer import HeldLayer
from ._slots import SLOT_GRADIENTS, SLOT_IDS

_USUAL_BATCH_SIZE = 256  # where it is not known before the step


class AnnotatorRows(HeldLayer):
    """A kernel and a bias with a row an annotator, fetched for the slots of a batch. Abstract.

    For a layer with `num_annotators` and `max_batch_slots`. A matrix is kept as one row, for XLA's loops
    over the variables, those of optimizers above all, are slow where the last axis is short.
    """

    num_annotators: int
    max_batch_slots: int | None
    kernel: Any = None
    bias: Any = None

    def _add_kernel(self, row_shape: tuple[int, ...], initializer: Any) -> None:
        """Annotators' arrays of `row_shape`; the initializer makes all of them, `(R, *row_shape)`."""
        whole = (self.num_annotators, *row_shape)

        def start(shape: Any, dtype: Any = None) -> Any:
            return kops.reshape(initializer(whole, dtype=dtype), shape)

        shape = (self.num_annotators, math.prod(row_shape))
        self.kernel = self.add_weight(shape=shape, initializer=start, name="kernel")
        self._row_shape = row_shape

    def _add_bias(self, num_classes: int, initializer: Any) -> None:
        shape = (self.num_annotators, num_classes)
        self.bias = self.add_weight(shape=shape, initializer=initializer, name="bias")

    def _add_slot_gradients(self) -> None:
        """With `max_batch_slots` zeros, whose gradients are the annotators of the slots, and those of their rows."""
        if self.max_batch_slots is None:
            return
        sizes = {
            parameter.name: parameter.shape[1:]
            for parameter in (self.kernel, self.bias)
            if parameter is not None
        }
        self._channels = {
            name: self.add_weight(
                shape=(self.max_batch_slots, *size), initializer="zeros", name=name + SLOT_GRADIENTS
            )
            for name, size in {SLOT_IDS: (), **sizes}.items()
        }

    def _rows(self, annotators: Any, training: bool) -> tuple[Any, Any]:
        """Kernel `(R, *row_shape)` and bias `(R, K)` of all, or of the slots, `(batch, S, ...)`; `None` for none."""
        if self._lazy(training):
            if annotators is None:
                raise ValueError(
                    "`annotators` must be given in training with `max_batch_slots`. Received: None"
                )
            self.add_loss(ops.slot_ids(self._channels[SLOT_IDS], annotators))
        return self._shaped(*(self._fetched(p, annotators, training) for p in (self.kernel, self.bias)))

    def _shaped(self, kernel: Any, bias: Any) -> tuple[Any, Any]:
        if kernel is not None:
            kernel = kops.reshape(kernel, (*kops.shape(kernel)[:-1], *self._row_shape))
        return kernel, bias

    def _fetched(self, parameter: Any, annotators: Any, training: bool) -> Any:
        if parameter is None:
            return None
        rows = parameter if annotators is None else ops.annotator_rows(parameter, annotators)
        if self._lazy(training):
            rows = rows + ops.slot_gradients(self._channels[parameter.name], annotators)
        return ops.held(rows, self.released) if training else rows

    def _lazy(self, training: bool) -> bool:
        """Whether gradients of slots are brought one by one."""
        return training and self.max_batch_slots is not None

    def _fewer_annotators(self, annotators: Any, slots: int, training: bool) -> bool:
        """Whether a batch has that many slots an annotator, so that work on all annotators is less than on slots."""
        if annotators is None or self._lazy(training):
            return False
        batch_size, num_slots = annotators.shape
        return slots * self.num_annotators <= (batch_size or _USUAL_BATCH_SIZE) * (num_slots or 1)

    def _saved(self) -> list[Any]:
        """Without those that bring gradients of slots, zeros whose number is that of a batch's slots."""
        return [variable for variable in super()._saved() if not variable.name.endswith(SLOT_GRADIENTS)]
