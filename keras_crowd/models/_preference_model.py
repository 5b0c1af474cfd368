"""`preference_model`: a scorer of one item, twice, below a crowd layer that compares two."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from .._typing import Features, Tensors
from ..layers import CrowdLayer
from ..pipelines import with_annotators
from ._functional import as_functional, check_one_output, check_strings_work, warn_of_own_training
from ._strip import input_names

_SIDES = ("first", "second")


def preference_model(
    scorer: keras.Model, crowd: CrowdLayer, slots: bool = False, *, x: Features | None = None
) -> keras.Model:
    """Compares two items by one scorer: both go through the same weights, and a crowd layer compares the scores.

    The model takes the features of the item shown first, then those of the second, as `pair_features` lays them out;
    of a scorer with a dict of inputs a dict with keys such as `"first_image"` and `"second_image"`. It shares the
    scorer's weights: training it trains the scorer, which scores one item alone and is exported as it is.

    Args:
        scorer: A Keras model of one output `(batch, 1)`, as from `Dense(1)` without an activation. Sequential,
            functional or subclassed, with any inputs.
        crowd: A `keras_crowd.layers.CrowdsPreference`, or another crowd layer with `num_predictions = 2`, which is
            called with the scores of the first and the second item.
        slots: Boolean. Whether the model works on slots. Then the annotators of the slots are its last input,
            `"annotators"`, int32 `(batch, slots)`; a dict of inputs gets them under that key. Defaults to `False`.
        x: Features of items, a few rows are enough. Needed for subclassed models and for Sequential models without an
            `Input`, which do not know their inputs. Defaults to `None`.

    Returns:
        A functional `keras.Model` from the features of two items (and annotators) to the logits of each annotator's
        answer. `keras_crowd.strip` gives the scorer back.

    Raises:
        ValueError: When the scorer does not give one number, or `crowd` is no crowd layer of two scores.

    Example:

    >>> scorer = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)])
    >>> model = keras_crowd.models.preference_model(scorer, keras_crowd.layers.CrowdsPreference(5), slots=True)
    >>> model.compile("adam", loss=keras_crowd.losses.MaskedCrowdCrossEntropy())
    >>> answers = keras_crowd.Annotations.from_preferences(
    ...     [0, 1], [1, 2], ["ann", "bob"], [0, 2], annotators=["ann", "bob", "cid", "dan", "eve"])
    >>> _, index = keras_crowd.annotations.pair_index(answers.items, items=range(20))
    >>> who, said = answers.slots()
    >>> history = model.fit(keras_crowd.models.pair_features(x, index, who), said, verbose=0)
    >>> keras_crowd.strip(model).output_shape
    (None, 1)
    """
    if not isinstance(crowd, CrowdLayer) or crowd.num_predictions != 2:
        raise ValueError(
            "`crowd` must be a crowd layer of two scores, as `keras_crowd.layers.CrowdsPreference`, and `scorer` come "
            f"before it. Received: crowd of type {type(crowd).__name__}"
        )
    check_strings_work(scorer)
    tower = as_functional(scorer, x)
    check_one_output(tower)
    if tuple(tower.outputs[0].shape[1:]) != (1,):
        raise ValueError(
            "`scorer` must give one number per item, (batch, 1), as from `Dense(1)`. "
            f"Received: output of shape {tuple(tower.outputs[0].shape)}"
        )
    warn_of_own_training(scorer, "the model of `preference_model`")
    names = input_names(tower)
    named = isinstance(tower.input, dict) or len(names) > 1
    sides = [
        [
            keras.Input(batch_shape=t.shape, dtype=t.dtype, name=f"{side}_{name}" if named else side)
            for t, name in zip(tower.inputs, names, strict=True)
        ]
        for side in _SIDES
    ]
    scores = [tower(_as_inputs_of(tower, names, side)) for side in sides]
    inputs: Any = [*sides[0], *sides[1]]
    if isinstance(tower.input, dict):
        inputs = {tensor.name: tensor for tensor in inputs}
    if not slots:
        return keras.Model(inputs, crowd(*scores))
    annotators = keras.Input((None,), dtype="int32", name="annotators")
    return keras.Model(with_annotators(inputs, annotators), crowd(*scores, annotators=annotators))


def pair_features(x: Features, index: npt.ArrayLike, annotators: npt.ArrayLike | None = None) -> Tensors:
    """Lays out the features of items for `preference_model`: those of each pair's first item, then of its second.

    Args:
        x: Features of the items: an array, or a list, tuple or dict of arrays.
        index: Rows of the first and the second item of each pair, `(pairs, 2)`, as `annotations.pair_index` gives.
        annotators: Annotator of each slot, `(pairs, slots)`, as `annotations.slots()` gives, for a model on slots.
            Defaults to `None`.

    Returns:
        A tuple of arrays; or of a dict a dict with keys such as `"first_image"` and `"second_image"`.

    Raises:
        ValueError: When `index` is of another shape, or names a row that `x` does not have.

    Example:

    >>> first, second = keras_crowd.models.pair_features(np.arange(3), [[2, 0], [0, 1]])
    >>> first.tolist(), second.tolist()
    ([2, 0], [0, 1])
    """
    rows = np.asarray(index)
    if rows.ndim != 2 or rows.shape[1] != 2 or rows.dtype.kind not in "iu":
        raise ValueError(
            "`index` must be integers (pairs, 2), as `keras_crowd.annotations.pair_index` gives them. "
            f"Received: shape {rows.shape}, dtype {rows.dtype}"
        )
    arrays = x if isinstance(x, dict) else dict(enumerate(x if isinstance(x, list | tuple) else [x]))
    sizes = [len(array) for array in arrays.values()]
    if len(rows) and (rows.min() < 0 or rows.max() >= min(sizes)):
        raise ValueError(
            f"`index` must be rows of `x`, 0 to {min(sizes) - 1}. Received: {rows.min()} to {rows.max()}"
        )
    found = {
        f"{side}_{name}": np.asarray(array)[column]
        for side, column in zip(_SIDES, rows.T, strict=True)
        for name, array in arrays.items()
    }
    pairs: Any = found if isinstance(x, dict) else tuple(found.values())
    return pairs if annotators is None else with_annotators(pairs, np.asarray(annotators))


def _as_inputs_of(tower: keras.Model, names: list[str], tensors: list[keras.KerasTensor]) -> Tensors:
    """Tensors in the structure of the inputs of the scorer."""
    if isinstance(tower.input, dict):
        return dict(zip(names, tensors, strict=True))
    return tensors[0] if len(tensors) == 1 else tensors
