"""Imports Keras, or says which backend to choose or to install."""

import importlib.util
import os

_BACKENDS = ("tensorflow", "jax", "torch")


def _advice(missing: str) -> str:
    installed = [backend for backend in _BACKENDS if importlib.util.find_spec(backend) is not None]
    received = f"Received: KERAS_BACKEND={os.environ.get('KERAS_BACKEND', '')}"
    if not installed:
        return (
            "Keras needs one of the backends TensorFlow, JAX and PyTorch, and none of them is installed. Install "
            "one, such as `pip install tensorflow`; for JAX or PyTorch also set the environment variable "
            f"KERAS_BACKEND to jax or torch. {received}"
        )
    return (
        f"Keras is to run on {missing}, which is not installed. Set the environment variable KERAS_BACKEND before "
        f"Keras is imported, such as KERAS_BACKEND={installed[0]}, which is installed. {received}"
    )


try:
    import keras as keras
except ModuleNotFoundError as error:
    missing = (error.name or "").split(".")[0]
    if missing not in _BACKENDS or importlib.util.find_spec(missing) is not None:
        raise
    raise ImportError(_advice(missing)) from error
