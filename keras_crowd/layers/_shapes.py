"""Shapes of what the model below predicts."""

from .._typing import Shape, Tensor

_GIVE_FEATURES = (
    "`features` must be given to a crowd layer whose connection looks at features of the items; "
    "`keras_crowd.crowd_model(classifier, crowd)` gives them"
)


def width_of_rows(name: str, shape: Shape, expected: str) -> int:
    """The last axis of a shape `(batch, width)`; refuses others."""
    if len(shape) != 2 or shape[-1] is None:
        raise ValueError(f"`{name}` must have shape {expected}. Received: shape {tuple(shape)}")
    return int(shape[-1])


def check_ids_shape(shape: Shape | None) -> None:
    """Refuses annotators of slots that are not `(batch, slots)`."""
    if shape is not None and len(shape) != 2:
        raise ValueError(f"`annotators` must have shape (batch, slots). Received: shape {tuple(shape)}")


def check_call(annotators: Tensor | None, features: Tensor | None, takes_features: bool) -> None:
    """Refuses annotators that are not integers, and features that are missing or not asked for."""
    if annotators is not None and "int" not in str(annotators.dtype):
        raise ValueError(
            "`annotators` must be integers (use `keras.Input((None,), dtype='int32')`). "
            f"Received: dtype {annotators.dtype}"
        )
    if features is None and takes_features:
        raise ValueError(f"{_GIVE_FEATURES}. Received: features=None")
    if features is not None and not takes_features:
        raise ValueError(
            "`features` must be left out: the connection of this crowd layer does not look at features of the items. "
            f"Received: features of shape {tuple(features.shape)}"
        )


def width_of_features(features: Shape | None, predictions: Shape) -> int | None:
    """The number of features of an item; refuses features of other axes than the predictions have."""
    if features is None:
        raise ValueError(
            f"{_GIVE_FEATURES}, and `crowd.build((None, classes), features_shape=(None, width))` builds without a "
            "call. Received: features_shape=None"
        )
    if len(features) != len(predictions) or features[-1] is None:
        raise ValueError(
            "`features` must have the axes of the predictions and a known number of features last, as "
            f"{(*predictions[:-1], 'num_features')}. Received: shape {tuple(features)}"
        )
    return int(features[-1])


def number_of_classes(shape: Shape) -> int:
    """The last axis of the shape of class probabilities."""
    if len(shape) < 2 or shape[-1] is None or shape[-1] < 2:
        raise ValueError(
            "`probabilities` must have shape (batch, ..., classes) with at least 2 classes. "
            f"Received: shape {tuple(shape)}"
        )
    return int(shape[-1])
