"""The one decorator by which classes become loadable from `.keras` files."""

import keras

register = keras.saving.register_keras_serializable(package="keras_crowd")
