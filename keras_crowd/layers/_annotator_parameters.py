"""Parameters with a row per annotator, of which a batch on slots needs a few."""

import math

import keras
import numpy as np
from keras import ops as kops

from .. import ops
from .._arguments import whole_number
from .._typing import Initializer, Tensor

_MOST_LAZY = 2**24  # ids of slots go through float32


def checked_slots(max_batch_slots: int | None, num_annotators: int) -> int | None:
    """The argument `max_batch_slots`, checked."""
    if max_batch_slots is None:
        return None
    if num_annotators >= _MOST_LAZY:
        raise ValueError(
            "`num_annotators` must be below 2^24 with `max_batch_slots`: ids go through float32. "
            f"Received: num_annotators={num_annotators}"
        )
    return whole_number("max_batch_slots", max_batch_slots)


class AnnotatorParameters(keras.layers.Layer):
    """The parameters of a crowd layer that have a row per annotator, and the rows of the slots of a batch.

    Each annotator's array is kept as one row: XLA's loops over the variables, those of optimizers above all, are slow
    where the last axis is short.

    Args:
        num_annotators: Integer. Number of annotators, R.
        max_batch_slots: Integer or `None`. The most slots that a training batch has, for lazy steps (`LazyAdam`).
            Defaults to `None`.
        **kwargs: `name` and `dtype`, as for every Keras layer.
    """

    def __init__(self, num_annotators: int, max_batch_slots: int | None = None, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.num_annotators = num_annotators
        self.max_batch_slots = max_batch_slots
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._channels: dict[str, keras.Variable] = {}
        self._tables: dict[str, keras.Variable] = {}
        self._fixed: dict[str, keras.Variable] = {}
        # Not saved: what is loaded is never held.
        self.released = self.add_weight(shape=(), initializer="ones", trainable=False, name="released")
        self.built = True  # parameters are added by the crowd layer

    def add(self, name: str, shape: tuple[int, ...], initializer: Initializer) -> None:
        """Adds a parameter of `shape` per annotator; the initializer makes the whole, `(R, *shape)`."""
        whole = (self.num_annotators, *shape)
        fill = keras.initializers.get(initializer)

        def start(kept: tuple[int, ...], dtype: str | None = None) -> Tensor:
            return kops.reshape(fill(whole, dtype=dtype), kept)

        kept = (self.num_annotators, math.prod(shape))
        self._shapes[name] = shape
        self._tables[name] = self.add_weight(shape=kept, initializer=start, name=name)

    def add_fixed(self, name: str, values: np.ndarray) -> None:
        """Adds numbers per annotator that are not trained, `(R, ...)`."""
        start = keras.initializers.Constant(values)
        self._fixed[name] = self.add_weight(
            shape=values.shape, initializer=start, trainable=False, name=name
        )

    def add_slot_gradients(self) -> None:
        """Adds, with `max_batch_slots`, zeros whose gradients are those of the slots: annotators and rows."""
        if self.max_batch_slots is None:
            return
        sizes = {name: variable.shape[1:] for name, variable in self._tables.items()}
        self._channels = {
            name: self.add_weight(
                shape=(self.max_batch_slots, *size), initializer="zeros", name=name + ops.SLOT_GRADIENTS
            )
            for name, size in {ops.SLOT_IDS: (), **sizes}.items()
        }

    def __getitem__(self, name: str) -> keras.Variable:
        """The variable of a parameter, `(R, numbers per annotator)`, or of what is not trained."""
        return self._kept()[name]

    def names(self) -> list[str]:
        """Names of the parameters, in the order in which they were added."""
        return list(self._tables)

    def lazy(self, training: bool) -> bool:
        """Whether the gradients of slots are brought one by one."""
        return training and self.max_batch_slots is not None

    def of_all(self, some: slice = slice(None)) -> dict[str, Tensor]:
        """The parameters of all annotators, or of some, `(R, *shape)`, as they stand."""
        return {
            name: self._shaped(name, kops.convert_to_tensor(variable)[some])
            for name, variable in self._tables.items()
        }

    def held(self, parameter: Tensor, training: bool) -> Tensor:
        """A tensor made of parameters, without gradient in training while `released` is 0."""
        return ops.held(parameter, self.released) if training else kops.convert_to_tensor(parameter)

    def rows(self, annotators: Tensor | None, training: bool) -> dict[str, Tensor]:
        """The parameters of all annotators `(R, *shape)`, or of the slots `(batch, slots, *shape)`.

        Args:
            annotators: Annotator of each slot `(batch, slots)`, or `None` for all annotators.
            training: Boolean. Whether the model is being trained.
        """
        if self.lazy(training):
            if annotators is None:
                raise ValueError(
                    "`annotators` must be given in training with `max_batch_slots`. Received: None"
                )
            self.add_loss(ops.slot_ids(self._channels[ops.SLOT_IDS], annotators))
        return {name: self._fetched(name, annotators, training) for name in self._tables}

    def _fetched(self, name: str, annotators: Tensor | None, training: bool) -> Tensor:
        parameter = self._tables[name]
        rows = parameter if annotators is None else ops.annotator_rows(parameter, annotators)
        if self.lazy(training):
            rows = rows + ops.slot_gradients(self._channels[name], annotators)
        return self._shaped(name, self.held(rows, training))

    def _shaped(self, name: str, rows: Tensor) -> Tensor:
        return kops.reshape(rows, (*kops.shape(rows)[:-1], *self._shapes[name]))

    def assign(self, name: str, values: Tensor) -> None:
        """Sets a parameter of all annotators, `(R, *shape)`."""
        variable = self._tables[name]
        variable.assign(kops.reshape(values, variable.shape))

    def save_own_variables(self, store: dict) -> None:
        for i, variable in enumerate(self._kept().values()):
            store[f"{i}"] = variable

    def load_own_variables(self, store: dict) -> None:
        found = len(store.keys())
        kept = self._kept().values()
        if found != len(kept):
            raise ValueError(
                f"{self.path!r} must have {len(kept)} parameters. Received: {found} in the file"
            )
        for i, variable in enumerate(kept):
            variable.assign(store[f"{i}"])

    def _kept(self) -> dict[str, keras.Variable]:
        return {**self._tables, **self._fixed}
