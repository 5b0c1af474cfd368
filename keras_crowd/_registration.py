"""The one decorator by which classes become loadable from `.keras` files, and the names that objects have."""

import re

import keras

register = keras.saving.register_keras_serializable(package="keras_crowd")


def default_name(cls: type) -> str:
    """The name of a class as Keras writes those of objects: `masked_crowd_huber`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
