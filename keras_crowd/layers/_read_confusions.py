"""Confusions read out of a connection, some annotators at a time."""

import keras
import numpy as np
from keras import ops as kops

from .._typing import Tensor
from ._annotator_parameters import AnnotatorParameters
from .connections import ClassConnection

_NUMBERS_AT_ONCE = 2**22  # so that nothing else grows with the annotators


def read_confusions(
    connection: ClassConnection,
    annotators: AnnotatorParameters,
    num_classes: int,
    features: Tensor | None = None,
    **common: Tensor,
) -> np.ndarray:
    """Reads what each annotator answers to sure classes, `(annotators, true, answer)`.

    Args:
        connection: From classes to answers.
        annotators: Parameters of the annotators.
        num_classes: Integer. Number of classes.
        features: Those of one item, `(num_features,)`, for an `ItemConnection`. Defaults to `None`.
        **common: Parameters that all annotators share.
    """
    certain = kops.eye(num_classes, dtype=annotators.compute_dtype)
    if features is not None:
        common["features"] = kops.repeat(kops.expand_dims(features, 0), num_classes, axis=0)
    shape = (annotators.num_annotators, num_classes, num_classes)
    confusion = np.empty(shape, keras.backend.standardize_dtype(annotators.compute_dtype))
    at_once = max(1, _NUMBERS_AT_ONCE // num_classes**2)
    for begin in range(0, annotators.num_annotators, at_once):
        some = slice(begin, begin + at_once)
        logits = connection.logits(certain, **annotators.of_all(some), **common)
        answers = kops.convert_to_numpy(kops.softmax(logits, axis=-1))  # (true, annotators, answer)
        confusion[some] = answers.transpose(1, 0, 2)
    return confusion
