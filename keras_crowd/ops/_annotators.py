"""Parameters of annotators: leading axis `(R, ...)`, or of the slots of each item, `(batch, S, ...)`."""

from typing import Any

from keras import ops


def annotator_rows(parameter: Any, annotators: Any) -> Any:
    """The rows of `parameter` `(R, ...)` that belong to each item's annotators, `(batch, S, ...)`.

    An empty slot (a negative id) gets some row, to be masked by its missing answer; an id that does not
    exist gets `NaN`, so that it cannot go unnoticed.
    """
    num_annotators = parameter.shape[0]
    rows = ops.take(parameter, ops.clip(annotators, 0, num_annotators - 1), axis=0)
    wrong = ops.where(annotators >= num_annotators, float("nan"), ops.zeros((), dtype=rows.dtype))
    return rows + ops.reshape(wrong, (*ops.shape(annotators), *[1] * (len(rows.shape) - 2)))


def held(parameter: Any, released: Any) -> Any:
    """The same, with a gradient times `released`, 1 or 0: a variable, so that `CrowdFreeze` needs no retrace."""
    parameter = ops.convert_to_tensor(parameter)
    still = ops.stop_gradient(parameter)
    return still + released * (parameter - still)


def centered(parameter: Any, weights: Any, mean: float = 0.0) -> Any:
    """The parameter `(R, T)` moved so that its mean, weighted by `weights` `(R, 1)` that sum to 1, is `mean`."""
    weights = ops.convert_to_tensor(weights, dtype=parameter.dtype)
    return parameter + (mean - ops.sum(weights * parameter, axis=0, keepdims=True))
